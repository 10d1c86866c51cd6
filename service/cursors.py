"""Cursors: where a page of hits ended, in a form that only continues the search it came from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from indexer.errors import QueryError, StaleCursor
from service.requests import AnswerQuery, SearchQuery


def write_cursor(query: SearchQuery | AnswerQuery, generation: str, offset: int) -> str:
    """An opaque text that stands for "go on after ``offset`` hits"."""
    payload = json.dumps([generation, _search(query), offset])
    return base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")


def read_cursor(query: SearchQuery) -> tuple[str | None, int]:
    """The generation to go on with and how many hits to pass over; None and 0 without a cursor.

    Raises:
        QueryError: The cursor is not one of ours, or belongs to another search.
    """
    if query.cursor is None:
        return None, 0
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        of, search, offset = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        valid = isinstance(of, str) and isinstance(offset, int) and offset >= 0
    except (binascii.Error, ValueError, TypeError) as error:
        raise _foreign() from error
    if not valid or search != _search(query):
        raise _foreign()
    return of, offset


def stale() -> StaleCursor:
    """The generation that a cursor belongs to has been removed."""
    return StaleCursor(
        "the index has been rebuilt since this cursor was given, and what it was is gone",
        parameter="cursor",
        hint="Search again without a cursor.",
    )


def _foreign() -> QueryError:
    return QueryError(
        "the cursor does not belong to this search",
        parameter="cursor",
        hint="Pass next_cursor unchanged, with the same q, mode, after, before and collapse.",
    )


def _search(query: SearchQuery | AnswerQuery) -> str:
    """What must not change between the pages of one search."""
    text = json.dumps([query.q, query.mode, str(query.after), str(query.before), query.collapse])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
