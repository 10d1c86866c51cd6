from __future__ import annotations

import base64
import datetime as dt
import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from indexer.errors import QueryError
from service.cursors import Place, read_cursor, write_cursor
from service.requests import SearchQuery

TODAY = dt.date(2025, 8, 20)


def test_without_a_cursor_a_search_begins_at_the_first_hit() -> None:
    assert read_cursor(SearchQuery(q="peace"), TODAY) == Place(None, 0, TODAY)


@given(offset=st.integers(0, 10**6), limit=st.integers(1, 100), days=st.integers(0, 9))
def test_a_cursor_continues_the_search_it_came_from_on_the_day_it_began(
    offset: int, limit: int, days: int
) -> None:
    place = Place("g1", offset, TODAY)
    cursor = write_cursor(SearchQuery(q="peace"), place)
    later = TODAY + dt.timedelta(days=days)
    asked = SearchQuery(q="peace", limit=limit, cursor=cursor, facets=True, explain=True)
    assert read_cursor(asked, later) == place


@pytest.mark.parametrize(
    "other",
    [
        {"q": "war"},
        {"mode": "keyword"},
        {"after": "2025-01-01"},
        {"before": "2025-01-01"},
        {"month": "2025-01"},
        {"source": "example.org"},
        {"author": "Anna Kern"},
        {"dates": "ignore"},
    ],
)
def test_a_cursor_of_another_search_is_refused(other: dict[str, str]) -> None:
    cursor = write_cursor(SearchQuery(q="peace"), Place("g1", 10, TODAY))
    query = SearchQuery.model_validate({"q": "peace", "cursor": cursor, **other})
    with pytest.raises(QueryError, match="does not belong"):
        read_cursor(query, TODAY)


@given(
    at=st.integers(0, 10**6),
    character=st.sampled_from("ABCXYZabcxyz0189-_"),
)
def test_a_cursor_that_was_altered_is_refused(at: int, character: str) -> None:
    cursor = write_cursor(SearchQuery(q="peace"), Place("20250703T053200.000000Z", 10, TODAY))
    at %= len(cursor) - 1  # the last character has bits that stand for nothing
    altered = cursor[:at] + character + cursor[at + 1 :]
    assume(altered != cursor)
    with pytest.raises(QueryError, match="does not belong"):
        read_cursor(SearchQuery(q="peace", cursor=altered), TODAY)


def test_a_cursor_says_nothing_of_the_question_and_fits_into_an_address() -> None:
    cursor = write_cursor(SearchQuery(q="peace"), Place("20250703T053200.000000Z", 10, TODAY))
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,200}", cursor)
    padded = cursor + "=" * (-len(cursor) % 4)
    assert b"peace" not in base64.urlsafe_b64decode(padded)


@given(st.text(max_size=200))
def test_rubbish_is_refused_and_never_breaks(cursor: str) -> None:
    with pytest.raises(QueryError):
        read_cursor(SearchQuery(q="peace", cursor=cursor), TODAY)


@pytest.mark.parametrize(
    "payload",
    [
        *([], {}, 7, ["g1", "x"], ["g1", "x", 1], ["g1", "x", -1, "2025-08-20"]),
        *(["g1", "x", "1", "2025-08-20"], ["g1", "x", 1, 7], ["g1", "x", 1, "soon"]),
        *(["g1", 1, "2025-08-20", "x"], ["g1", True, "2025-08-20", "x"], [7, 1, "2025-08-20", "x"]),
        *(["g1", -1, "2025-08-20", "x"], ["g1", 1, "soon", "x"], ["g1", 1, "2025-08-20", None]),
    ],
)
def test_json_that_is_no_cursor_is_refused(payload: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode()
    with pytest.raises(QueryError):
        read_cursor(SearchQuery(q="peace", cursor=cursor), TODAY)
