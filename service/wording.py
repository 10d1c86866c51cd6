"""Words for numbers, the same on the page and at the terminal."""

from __future__ import annotations


def ordinal(place: int | None) -> str:
    """A rank in words.

    >>> [ordinal(place) for place in (1, 2, 3, 4, 11, 22, 113, None)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd', '113th', 'not found']
    """
    if place is None:
        return "not found"
    teens = place % 100 in {11, 12, 13}
    return f"{place}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"
