from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import QueryError
from service.cursors import read_cursor, write_cursor
from service.requests import SearchQuery


def test_without_a_cursor_a_search_begins_at_the_first_hit() -> None:
    assert read_cursor(SearchQuery(q="peace")) == (None, 0)


@given(offset=st.integers(0, 10**6), limit=st.integers(1, 100))
def test_a_cursor_continues_the_search_it_came_from(offset: int, limit: int) -> None:
    cursor = write_cursor(SearchQuery(q="peace"), "g1", offset)
    assert read_cursor(SearchQuery(q="peace", limit=limit, cursor=cursor)) == ("g1", offset)


@pytest.mark.parametrize(
    "other", [{"q": "war"}, {"mode": "keyword"}, {"after": "2025-01-01"}, {"before": "2025-01-01"}]
)
def test_a_cursor_of_another_search_is_refused(other: dict[str, str]) -> None:
    cursor = write_cursor(SearchQuery(q="peace"), "g1", 10)
    query = SearchQuery.model_validate({"q": "peace", "cursor": cursor, **other})
    with pytest.raises(QueryError, match="does not belong"):
        read_cursor(query)


@given(st.text(max_size=200))
def test_rubbish_is_refused_and_never_breaks(cursor: str) -> None:
    with pytest.raises(QueryError):
        read_cursor(SearchQuery(q="peace", cursor=cursor))


@pytest.mark.parametrize("payload", [[], {}, ["g1", "x"], ["g1", "x", -1], ["g1", "x", "1"], 7])
def test_json_that_is_no_cursor_is_refused(payload: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode()
    with pytest.raises(QueryError):
        read_cursor(SearchQuery(q="peace", cursor=cursor))
