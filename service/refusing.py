"""A refusal in the form that its reader takes: JSON for the routes of programs, else a page."""

from __future__ import annotations

from flask import Response, g, request

from service import problems
from service.web import failures

_PROGRAMS = ("/v1", "/health", "/metrics", "/openapi.json")
"""Paths below which JSON is spoken."""


def for_programs() -> bool:
    """Whether this request is to a path at which JSON is spoken."""
    return any(request.path == path or request.path.startswith(f"{path}/") for path in _PROGRAMS)


def refuse(
    status: int, detail: str, *, code: str, hint: str = "", parameter: str | None = None
) -> Response:
    """The response to a request that is refused with ``status``, or that failed with it."""
    if for_programs():
        return problems.problem(status, detail, code=code, hint=hint, parameter=parameter)
    g.problem = code
    return failures.refused(status, detail, hint)
