from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.filters import Filters, Period, extent
from indexer.outlets import outlet


@given(st.dates())
def test_a_day_is_in_its_month_and_that_in_its_year(day: dt.date) -> None:
    text = day.isoformat()
    assert extent(text) == (day, day)
    first, last = extent(text[:7])
    assert first.day == 1
    assert first <= day <= last
    # The last day of all has no next one.
    assert last == dt.date.max or (last + dt.timedelta(days=1)).day == 1
    start, end = extent(text[:4])
    assert start <= first
    assert last <= end
    assert (start.month, start.day, end.month, end.day) == (1, 1, 12, 31)


@pytest.mark.parametrize(
    "text",
    [
        *("", "25", "0000", "2025-00", "2025-13", "2025-02-29", "2025-07-00", "2025-7"),
        *("yesterday", "٢٠٢٥", "2025-07-03T05:32", " 2025"),
    ],
)
def test_what_is_not_in_the_calendar_has_no_days(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the calendar says it in its own words
        extent(text)


def test_periods_have_in_common_what_is_in_all_of_them() -> None:
    july, august = dt.date(2025, 7, 1), dt.date(2025, 8, 1)
    assert Filters().days() is None
    assert Filters((Period(july, None),)).days() == ("2025-07-01", "9999-12-31")
    both = Filters((Period(july, None),)).within(Period(None, august))
    assert both.days() == ("2025-07-01", "2025-08-01")
    assert Filters(both.periods, month="2025-07").days() == ("2025-07-01", "2025-07-31")


@pytest.mark.parametrize(
    ("publisher", "source", "seed", "name"),
    [
        ("Reuters", "a.txt", "a.txt", "Reuters"),
        ("https://www.cnn.com/2022/a.html", "a.jsonl#1", "a.jsonl", "cnn.com"),
        ("HTTP://News.Example.org:8080", "a.txt", "a.txt", "news.example.org"),
        ("https://", "a.txt", "a.txt", "https://"),
        (None, "2025/07/a.txt", "2025/07/a.txt", "2025"),
        (None, "2025/a.jsonl#1", "2025/a.jsonl", "2025"),
        (None, "a.jsonl#1", "a.jsonl", "a.jsonl"),
        (None, "a.txt", "a.txt", None),
    ],
)
def test_an_outlet_is_the_publisher_or_where_the_seed_lies(
    publisher: str | None, source: str, seed: str, name: str | None
) -> None:
    assert outlet(publisher, source, seed) == name
