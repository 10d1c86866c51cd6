"""Dates in plain words: "in July 2025", "since March", "last week".

A filter that was not meant hides what was asked for, so a phrase counts only in a shape that hardly
means anything else. A pattern finds such phrases in microseconds; which days they mean is read by
dateparser, which left to itself takes "a" and "may" for months. It is imported only once there is
a phrase, as that takes a tenth of a second.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from indexer.filters import Period, extent
from indexer.types import Span
from service.wording import MONTHS

if TYPE_CHECKING:
    from dateparser.date import DateDataParser

_MONTH = f"(?i:{'|'.join(MONTHS)})"
_ANY_MONTH = rf"(?: {_MONTH} | (?i:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec) \b\.? )"
_WEEKDAY = r"(?i:(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
_YEAR = r"(?: (?:1[6-9]|20) \d\d (?!\d) )"
_DAY = r"(?: \d{1,2} (?:st|nd|rd|th)? )"
_COUNT = r"(?: \d{1,2} | two|three|four|five|six|seven|eight|nine|ten )"

# A year goes with what follows in "in 2022 dollars", but hardly with one of these words.
_AFTER_YEAR = (
    "and|or|but|to|until|till|by|with|for|about|on|at|from|the|a|an|did|do|does|was|were|is|are|"
    "has|have|had|who|what|when|where|which|why|how|that|because|after|before"
)

_DATE = rf"""(?:
    \d{{4}}-\d\d-\d\d
    | (?:the\s+)? {_DAY} \s+ (?:of\s+)? {_ANY_MONTH} (?: ,?\s+ {_YEAR} )?
    | {_ANY_MONTH} \s+ {_DAY} (?: ,?\s+ {_YEAR} )?
    | {_ANY_MONTH} ,? \s+ (?:of\s+)? {_YEAR}
    # "In August Wilson's plays" there is no month.
    | {_MONTH} (?! \s+ [A-Z\d] )
    | (?:the\s+year\s+)? {_YEAR} (?= \s* (?: [?.!,;:)] | \Z ) | \s+ (?:{_AFTER_YEAR}) \b )
)"""

_PHRASE = re.compile(
    rf"""
    (?<! [^\s(] ) (?:
        (?: between | from ) \s+ (?P<first> {_DATE} )
            \s+ (?: and | to | until | till ) \s+ (?P<last> {_DATE} )
        | (?: in | during | over | within ) \s+ the \s+ (?: last | past ) \s+
            (?P<length> {_COUNT} \s+ (?: days | weeks | months ) | week | month | year )
            (?! \s+ of \b )
        # News of Sunday is news of this week on Monday too, so a week goes back seven days.
        | this \s+ (?P<week> week )
        | (?P<lead> in | on | during | since | until | till | before | after )
            \s+ (?P<date> {_DATE} )
        | (?: (?P<side> since | until | till | before | after ) \s+ )? (?P<relative>
            yesterday
            | last \s+ (?: week | month | year )
            | this \s+ (?: month | year )
            | last \s+ {_WEEKDAY}
            | (?: {_COUNT} | a | one ) \s+ (?: day | week | month ) s? \s+ ago )
    ) (?! [\w'’/-] | \.\d )
    # "In 2024 and 2025" is two of them, of which only one would be seen.
    (?! \s* (?: , | and | or | to | & ) \s+ (?: {_ANY_MONTH} \b | {_DAY} \b | {_YEAR} ) )
    """,
    re.VERBOSE,
)

_OWNED = re.compile(r"(?:\b(?:the|his|her|its|their|our|my|your)|['’]s)\s+\Z", re.IGNORECASE)
"""What makes "last year" another one than that before this: "in the last year of his reign"."""

_ONE_DAY = dt.timedelta(days=1)


def find_period(text: str, today: dt.date) -> Period | None:
    """The days that ``text`` asks for in plain words, as seen from ``today``.

    None where it names none, or several periods, of which no one could say how they go together.
    Only a name or the first word has capitals: "Last Week Tonight" is a title.
    """
    first = text[:1].lower()
    lowered = first + text[1:] if len(first) == 1 else text
    found = [period for match in _PHRASE.finditer(lowered) if (period := _period(match, today))]
    return found[0] if len(found) == 1 else None


_Days: TypeAlias = tuple[dt.date | None, dt.date | None]


def _period(match: re.Match[str], today: dt.date) -> Period | None:
    if match["first"]:
        days: _Days | None = _between(match["first"], match["last"], today)
    elif length := match["length"] or match["week"]:
        read = _read(f"{length if ' ' in length else f'one {length}'} ago", today)
        days = (read[0], today) if read else None
    else:
        days = _led(match, today)
    if days is None or (days[0] and days[1] and days[0] > days[1]):
        return None
    return Period(*days, origin="phrase", span=Span(*match.span()))


def _led(match: re.Match[str], today: dt.date) -> _Days | None:
    lead = match["lead"] or match["side"]
    date = match["date"] or match["relative"]
    # May is also a name, as in "before May resigned".
    named = date.casefold() == "may" and lead not in {"in", "during"}
    if named or (match["relative"] and _OWNED.search(match.string, 0, match.start())):
        return None
    read = _read(date, today)
    if read is None or (lead == "on" and read[1] != "day"):
        return None
    first, last = _whole(*read)
    sides: dict[str | None, _Days] = {
        "since": (first, None),
        "until": (None, last),
        "till": (None, last),
        "before": (None, first - _ONE_DAY),
        "after": (last + _ONE_DAY, None),
    }
    return sides.get(lead, (first, last))


def _between(start: str, end: str, today: dt.date) -> tuple[dt.date, dt.date] | None:
    """From the first day of ``start`` to the last of ``end``, whose year goes for both."""
    final = _read(end, today)
    year = re.search(_YEAR, end, re.VERBOSE)
    if year and not re.search(_YEAR, start, re.VERBOSE):
        start = f"{start} {year[0]}"
    initial = _read(start, today)
    if initial is None or final is None:
        return None
    return _whole(*initial)[0], _whole(*final)[1]


def _read(date: str, today: dt.date) -> tuple[dt.date, str] | None:
    """A day of what ``date`` names, and whether that is a day, week, month or year."""
    read = _parser(today).get_date_data(date)
    if read.date_obj is None or read.period not in {"day", "week", "month", "year"}:
        return None
    year = re.search(_YEAR, date, re.VERBOSE)
    if year and int(year[0]) != read.date_obj.year:
        return None
    return read.date_obj.date(), read.period


def _whole(day: dt.date, unit: str) -> tuple[dt.date, dt.date]:
    """The first and last day of the week, month or year that ``day`` is in."""
    match unit:
        case "week":
            monday = day - day.weekday() * _ONE_DAY
            return monday, monday + 6 * _ONE_DAY
        case "month":
            return extent(f"{day:%Y-%m}")
        case "year":
            return extent(f"{day:%Y}")
    return day, day


@lru_cache(1)
def _parser(today: dt.date) -> DateDataParser:
    from dateparser.date import DateDataParser  # noqa: PLC0415 - see the module's docstring

    return DateDataParser(
        languages=["en"],
        settings={
            "RELATIVE_BASE": dt.datetime.combine(today, dt.time()),
            "PREFER_DATES_FROM": "past",
            "PARSERS": ["relative-time", "absolute-time"],
        },
    )
