"""The few ways in which seeds write when an article was published, as ISO 8601.

Dates are compared and sorted as they stand, so what is not clearly a date is none: no guess is
made about the order of day and month or about names of months.
"""

from __future__ import annotations

import re
from datetime import date, datetime

_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(?P<zone>Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)

_IN_NAME = re.compile(r"(?<!\d)(\d{4})([-_]?)(\d\d)\2(\d\d)(?!\d)", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1605, 2100  # From the first newspaper on; other digits are numbers.


def timestamp(value: str) -> str:
    """``value`` in ISO 8601, as precise as it is: a date, or a date with time and perhaps zone.

    Understood are ``2025-07-03``, ``2025-07-03 05:32`` and ``2025-07-03T05:32``, with seconds and
    their fraction, ``Z`` or an offset such as ``+02:00`` where they are given.

    Raises:
        ValueError: ``value`` has another form or is no day or time that exists.
    """
    match = _TIMESTAMP.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"not a date such as 2025-07-03 or 2025-07-03 05:32: {value[:40]!r}")
    if match["time"] is None:
        return date.fromisoformat(match["date"]).isoformat()
    zone = (match["zone"] or "").upper()
    return datetime.fromisoformat(f"{match['date']}T{match['time']}{zone}").isoformat()


def date_in_name(name: str) -> str | None:
    """The first date in a file's name: ``2025-08-08``, ``2025_08_08`` or ``20250808``."""
    for year, _, month, day in _IN_NAME.findall(name):
        if _FIRST_YEAR <= int(year) <= _LAST_YEAR:
            try:
                return date(int(year), int(month), int(day)).isoformat()
            except ValueError:  # Digits, but no day of the calendar.
                continue
    return None
