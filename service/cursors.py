"""Cursors: where a page of hits ended, in a form that only continues the search it came from.

A cursor carries a digest of itself and of its search, so that one that was altered, cut short or
put beside another question is told from one that the index has outlived.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.errors import QueryError, StaleCursor
from service.requests import AnswerQuery, SearchQuery


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search goes on: in which generation, after ``offset`` hits, as seen from ``today``.

    The generation is None for the live one.
    """

    generation: str | None
    offset: int
    today: dt.date


_OF_A_SEARCH = {
    "q",
    "mode",
    "after",
    "before",
    "month",
    "source",
    "author",
    "said_by",
    "dates",
    "collapse",
    "rerank",
}


def write_cursor(query: SearchQuery | AnswerQuery, place: Place) -> str:
    """An opaque text that stands for ``place`` in the search that ``query`` asks for."""
    parts = [place.generation, place.offset, place.today.isoformat()]
    signed = [*parts, _digest(query, parts)]
    return base64.urlsafe_b64encode(json.dumps(signed).encode()).decode().rstrip("=")


def read_cursor(query: SearchQuery, today: dt.date) -> Place:
    """Where ``query`` goes on; without a cursor it begins at the first hit, on ``today``.

    "Yesterday" stays the same day from page to page, though midnight may come between them.

    Raises:
        QueryError: The cursor is not one of ours, was altered, or belongs to another search.
    """
    if query.cursor is None:
        return Place(None, 0, today)
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        *parts, digest = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        of, offset, day = parts
        valid = isinstance(of, str) and type(offset) is int and offset >= 0
        place = Place(of, offset, dt.date.fromisoformat(day))
    except (binascii.Error, ValueError, TypeError) as error:
        raise _foreign() from error
    if not valid or digest != _digest(query, parts):
        raise _foreign()
    return place


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
        hint="Pass next_cursor unchanged, with the other parameters as they were.",
    )


def _digest(query: SearchQuery | AnswerQuery, parts: Sequence[object]) -> str:
    """What tells a cursor made of ``parts`` for this search from any other."""
    search = query.model_dump_json(include=_OF_A_SEARCH)
    return hashlib.sha256(f"{search}{json.dumps(parts)}".encode()).hexdigest()[:16]
