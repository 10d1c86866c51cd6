"""Where the quotations of a paragraph lie: what stands between double quotation marks.

Newspapers quote with “ ”, with straight marks, and in agency copy with two apostrophes. Single
marks are left alone: they are apostrophes as often as not, and quote mostly within a quotation.
"""

from __future__ import annotations

import re

from indexer.types import Span

_MARK = re.compile("''|``|[\"“”„«»]")
_OPENING = {"“", "„", "«", "``"}
_CLOSING = {"”", "»"}

ENOUGH = 12
"""Characters in quotation marks from which on they are something said, not a word's odd sense."""


def quotations(text: str) -> tuple[Span, ...]:
    """Spans of ``text`` that are quoted, their marks included, in order and apart.

    A quotation that is not closed goes on to the end of the paragraph, as one of several paragraphs
    does. A closing mark without an opening one closes what the paragraph began with.

    >>> text = "It is “late”, she said. “Go."
    >>> [text[start:end] for start, end in quotations(text)]
    ['“late”', '“Go.']
    """
    found: list[Span] = []
    start: int | None = None
    for match in _MARK.finditer(text):
        mark = match[0]
        if mark in _OPENING or (mark not in _CLOSING and start is None):
            if start is not None:
                found.append(Span(start, match.start()))
            start = match.start()
        elif start is not None:
            found.append(Span(start, match.end()))
            start = None
        elif not found:
            found.append(Span(0, match.end()))
    if start is not None:
        found.append(Span(start, len(text)))
    return tuple(found)


def overlap(one: Span, other: Span) -> int:
    """How many characters two spans have in common."""
    return max(0, min(one.end, other.end) - max(one.start, other.start))
