"""Text for a terminal: on one line or wrapped, harmless, with words marked where it can."""

from __future__ import annotations

import re
import textwrap

import click

from indexer.types import Span

WIDTH = 96
MARGIN = "   "

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Escape sequences and direction overrides: an article must not steer the reader's terminal."""


def printable(text: str) -> str:
    """The text on one line, without characters that would steer a terminal."""
    return _CONTROL.sub("", " ".join(text.split()))


def wrapped(text: str) -> list[str]:
    """Lines of printable text."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=MARGIN,
        subsequent_indent=MARGIN,
        break_long_words=False,
        break_on_hyphens=False,
    )


def underlined(text: str, span: Span | None) -> list[str]:
    """Lines of ``text``, with the words that ``span`` touches underlined where a terminal can."""
    if span is None:
        return wrapped(printable(text))
    # A letter more shows whether the span begins within a word.
    first = len(printable(text[: span.start] + "x").split()) - 1
    last = len(printable(text[: span.end]).split())
    styled, seen = [], 0
    # Styled after wrapping: escape sequences have a length but no width.
    for line in wrapped(printable(text)):
        words = line.split(" ")
        count = len(line.split())
        margin = len(words) - count
        for i in range(max(first - seen, 0), min(last - seen, count)):
            words[margin + i] = click.style(words[margin + i], underline=True)
        styled.append(" ".join(words))
        seen += count
    return styled
