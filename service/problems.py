"""Errors as users meet them over HTTP: one shape, RFC 9457's application/problem+json."""

from __future__ import annotations

import http
import re
import uuid

from flask import Response, g, request
from flask_openapi.types import ResponseDict

from indexer.errors import (
    AskedTooOften,
    DeadlineExceeded,
    IndexBusy,
    KeyNeeded,
    KeyTooWeak,
    ModelError,
    NotFound,
    Overloaded,
    QueryError,
    Refusal,
    StaleCursor,
    StoredIndexError,
    WinnowError,
    WorkerLost,
)
from service.results import Problem

MEDIA_TYPE = "application/problem+json"

_CHALLENGE = 'Basic realm="Winnow", charset="UTF-8", Bearer realm="Winnow"'
"""What a request without a key is told to send. Basic is what browsers can ask their users for."""

_STATUS: dict[type[WinnowError], int] = {
    StaleCursor: 410,
    QueryError: 400,
    NotFound: 404,
    IndexBusy: 409,
    StoredIndexError: 503,
    ModelError: 503,
    KeyNeeded: 401,
    KeyTooWeak: 403,
    AskedTooOften: 429,
    Overloaded: 503,
    WorkerLost: 503,
    DeadlineExceeded: 503,
}
"""Status of each kind of error and of its subclasses; the first that fits counts."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def documented(*statuses: int) -> ResponseDict:
    """Error responses with these statuses, for /openapi.json."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {str(status): {"content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses}


def request_id() -> str:
    """This request's id: the caller's ``X-Request-ID`` where it is harmless, else a new one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    return str(g.request_id)


def status_of(error: WinnowError) -> int:
    """The HTTP status of an error; 500 where it is nobody's fault but ours."""
    return next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)


def headers_of(error: WinnowError) -> dict[str, str]:
    """What an error response says in its headers: when to come again, and with what."""
    headers = {}
    if isinstance(error, Refusal) and error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, KeyNeeded):
        headers["WWW-Authenticate"] = _CHALLENGE
    return headers


def shape(  # noqa: PLR0913 - RFC 9457 has this many members
    status: int, detail: str, *, code: str, hint: str, parameter: str | None, id_: str
) -> Problem:
    """The body of an error response to the request with id ``id_``."""
    return Problem(
        type=f"urn:winnow:problem:{code}",
        title=http.HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        hint=hint,
        request_id=id_,
        parameter=parameter,
    )


def problem(
    status: int, detail: str, *, code: str, hint: str = "", parameter: str | None = None
) -> Response:
    """An error response; ``g.problem`` has its code for who observes requests."""
    g.problem = code
    body = shape(status, detail, code=code, hint=hint, parameter=parameter, id_=request_id())
    return Response(body.model_dump_json(exclude_none=True), status=status, content_type=MEDIA_TYPE)


def from_error(error: WinnowError) -> Response:
    """The response to an error raised on purpose."""
    response = problem(
        status_of(error),
        str(error),
        code=error.code,
        hint=error.hint,
        parameter=error.parameter if isinstance(error, QueryError) else None,
    )
    response.headers.update(headers_of(error))
    return response
