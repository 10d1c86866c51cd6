"""What limits a search, and is never scored: days, source, author, speaker."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from indexer.types import Span

Origin: TypeAlias = Literal["parameter", "grammar", "phrase"]

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``after`` to ``before``, both included; None leaves that end open.

    ``span`` is where the query's text says so, None where a parameter does.
    """

    after: dt.date | None
    before: dt.date | None
    origin: Origin = "parameter"
    span: Span | None = None

    def bounds(self) -> tuple[dt.date, dt.date]:
        """The first and last day, that of the calendar where an end is open."""
        return self.after or dt.date.min, self.before or dt.date.max


@dataclass(frozen=True, slots=True)
class Filters:
    """What every article found must fulfil, all of it together.

    ``source`` is an outlet as :func:`indexer.outlets.outlet` names it, ``author`` a whole byline,
    both whatever their capitals; ``month`` is written ``2025-07``. ``said_by`` has words of the
    name of somebody whom the paragraph itself quotes.
    """

    periods: tuple[Period, ...] = ()
    source: str | None = None
    author: str | None = None
    month: str | None = None
    said_by: str | None = None

    def within(self, *periods: Period) -> Filters:
        """The same with further periods."""
        return replace(self, periods=self.periods + periods)

    def days(self) -> tuple[str, str] | None:
        """The first and last day in all periods and the month, in ISO 8601; None without any.

        Where the periods have no day in common, the first is after the last.
        """
        bounds = [each.bounds() for each in self.periods]
        if self.month is not None:
            bounds.append(extent(self.month))
        if not bounds:
            return None
        firsts, lasts = zip(*bounds, strict=True)
        return max(firsts).isoformat(), min(lasts).isoformat()


def extent(date: str) -> tuple[dt.date, dt.date]:
    """The first and last day of a year, a month or a day in ISO 8601.

    Raises:
        ValueError: ``date`` is none of these, or is not in the calendar.

    >>> [str(day) for day in extent("2024-02")]
    ['2024-02-01', '2024-02-29']
    """
    match = _DATE.fullmatch(date)
    if match is None:
        raise ValueError(f"not a year, month or day such as 2025-07-03: {date[:40]!r}")
    year, month, day = match.groups()
    first = dt.date(int(year), int(month or 1), int(day or 1))
    end = int(month or 12)
    return first, first.replace(month=end, day=int(day or calendar.monthrange(first.year, end)[1]))


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many articles are ``within`` a period, how many are ``dated``, and of which day first."""

    within: int
    dated: int
    first: dt.date | None
