"""Words for numbers and days, the same on the page and at the terminal."""

from __future__ import annotations

import datetime as dt

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def ordinal(place: int | None) -> str:
    """A rank in words.

    >>> [ordinal(place) for place in (1, 2, 3, 4, 11, 22, 113, None)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd', '113th', 'not found']
    """
    if place is None:
        return "not found"
    teens = place % 100 in {11, 12, 13}
    return f"{place}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"


def spoken_day(day: dt.date) -> str:
    """A day as people write it."""
    # strftime would name the month in the system's language.
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def spoken_month(month: str) -> str:
    """A month such as 2025-07 as people write it."""
    year, number = month.split("-")
    return f"{MONTHS[int(number) - 1]} {int(year)}"


def spoken_days(after: dt.date | None, before: dt.date | None) -> str:
    """The days from ``after`` to ``before``, either of them open where it is None.

    >>> spoken_days(dt.date(2025, 7, 1), None)
    'since 1 July 2025'
    >>> spoken_days(dt.date(2025, 7, 1), dt.date(2025, 7, 31))
    'from 1 July 2025 to 31 July 2025'
    """
    if after is None or before is None:
        first = "" if after is None else f"since {spoken_day(after)}"
        return first or ("" if before is None else f"until {spoken_day(before)}")
    if after == before:
        return f"of {spoken_day(after)}"
    return f"from {spoken_day(after)} to {spoken_day(before)}"


def spoken_period(first: dt.date, last: dt.date) -> str:
    """The days from ``first`` to ``last`` without saying a month or year twice.

    >>> spoken_period(dt.date(2025, 5, 3), dt.date(2025, 7, 7))
    '3 May to 7 July 2025'
    >>> spoken_period(dt.date(2025, 7, 3), dt.date(2025, 7, 7))
    '3 to 7 July 2025'
    >>> spoken_period(dt.date(2024, 7, 3), dt.date(2025, 7, 3))
    '3 July 2024 to 3 July 2025'
    """
    if first == last:
        return spoken_day(last)
    begun = spoken_day(first)
    if first.year == last.year:
        begun = begun.removesuffix(f" {first.year}")
        if first.month == last.month:
            begun = str(first.day)
    return f"{begun} to {spoken_day(last)}"


_LIKELY = 0.75
"""Confidence from which an answer is called likely; below it is possible."""


def likelihood(confidence: float) -> str:
    """How sure an answer is, in a word."""
    return "likely" if confidence >= _LIKELY else "possibly"


def percent(share: float) -> str:
    """A share as whole percents, which are never rounded to none or to all.

    >>> [percent(share) for share in (0.0, 0.003, 0.094, 0.996, 1.0)]
    ['0 %', 'less than 1 %', '9 %', 'more than 99 %', '100 %']
    """
    if 0 < share < 0.01:
        return "less than 1 %"
    if 0.99 < share < 1:
        return "more than 99 %"
    return f"{100 * share:.0f} %"
