"""What went wrong, as a page: in the page's own words, below the form as it was sent.

Every page of trouble looks alike, whether an error of ours caused it, an address that there is not,
or a request that was refused before it reached a route.
"""

from __future__ import annotations

import http

from flask import Response, g, make_response, render_template

from indexer.errors import (
    AskedTooOften,
    DeadlineExceeded,
    IndexMissing,
    KeyNeeded,
    KeyTooWeak,
    ModelError,
    NotFound,
    Overloaded,
    QueryError,
    StaleCursor,
    StoredIndexError,
    WinnowError,
)
from service.problems import headers_of, request_id, status_of

MODES = {"hybrid": "words and meaning", "keyword": "words only", "semantic": "meaning only"}
"""The ways to search, as the page names them."""

_HEADINGS: dict[type[WinnowError], str] = {
    StaleCursor: "This page of results is out of date",
    QueryError: "There is a mistake in the request",
    NotFound: "There is nothing here",
    IndexMissing: "Nothing has been indexed yet",
    StoredIndexError: "The index cannot be read",
    ModelError: "Meaning cannot be searched now",
    KeyNeeded: "A key is needed",
    KeyTooWeak: "This key may not do that",
    AskedTooOften: "You have asked too often",
    Overloaded: "Too many are asking",
    DeadlineExceeded: "This took too long",
    WinnowError: "Something went wrong",
}
"""The first kind that fits an error counts."""

_STATUSES = {
    http.HTTPStatus.BAD_REQUEST: "There is a mistake in the request",
    http.HTTPStatus.FORBIDDEN: "This is not allowed",
    http.HTTPStatus.NOT_FOUND: "There is nothing here",
    http.HTTPStatus.METHOD_NOT_ALLOWED: "A page can only be read",
    http.HTTPStatus.MISDIRECTED_REQUEST: "This address is not served here",
    http.HTTPStatus.SERVICE_UNAVAILABLE: "This cannot be done now",
}
"""Headings of what is refused by its status."""

_ADVICE: dict[type[WinnowError], str] = {
    NotFound: "An article's file may have been removed, moved or renamed.",
    KeyNeeded: "Load the page anew and log in with any name, and your key as the password.",
    Overloaded: "Load the page anew in a second.",
    ModelError: f"Search by {MODES['keyword']} until the model is in place.",
}
"""What to say instead of hints that are meant for programs."""


def raised(error: WinnowError) -> Response:
    """The page of an error raised on purpose; see :func:`service.problems.problem` for ``g``."""
    g.problem = error.code
    status = status_of(error)
    page = render_template(
        "error.html",
        error=error,
        status=status,
        heading=heading_of(error),
        advice=_ADVICE.get(type(error), error.hint),
        parameter=error.parameter if isinstance(error, QueryError) else None,
        request_id=request_id(),
    )
    response = make_response(page, status)
    response.headers.update(headers_of(error))
    return response


def heading_of(error: WinnowError) -> str:
    """What an error is called on a page."""
    return next(_HEADINGS[kind] for kind in _HEADINGS if isinstance(error, kind))


def refused(status: int, detail: str, hint: str = "") -> Response:
    """The page of a request refused with ``status``, or that failed with it."""
    page = render_template(
        "error.html",
        error=detail.rstrip("."),
        status=status,
        heading=_STATUSES.get(http.HTTPStatus(status), "Something went wrong"),
        advice=hint,
        parameter=None,
        request_id=request_id(),
    )
    return make_response(page, status)
