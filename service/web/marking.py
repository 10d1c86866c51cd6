"""What the page does to an article's words before it shows them, as pure functions.

A paragraph is cut into segments that each carry their marks, so that a template only wraps one
after the other: marks can neither overlap wrongly nor put unescaped text into the page. Very long
paragraphs are cut to an excerpt, and dates are put into words.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from indexer.types import Span
from service.wording import spoken_day

_WORD_START = re.compile(r"(?<=\s)\S")
_LAST_WORD_END = re.compile(r".*\S(?=\s)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text and what it is part of: a matched word, the best sentence, the answer."""

    text: str
    match: bool = False
    sentence: bool = False
    answer: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Segments of a text; ``starts`` and ``ends`` tell whether they reach its ends."""

    segments: tuple[Segment, ...]
    starts: bool
    ends: bool


def segments(
    text: str,
    *,
    matches: Iterable[Span] = (),
    sentence: Span | None = None,
    answer: Span | None = None,
    within: Span | None = None,
) -> tuple[Segment, ...]:
    """Cut ``text`` where a mark starts or ends.

    The segments are not empty, neighbours differ in their marks, and joined they are ``text``, or
    its part ``within``. Spans may come in any order, overlap and be empty; an empty one marks
    nothing.

    Raises:
        ValueError: A span leaves the text or ends before it starts.
    """
    layers = [
        _merged(spans, len(text))
        for spans in (matches, [sentence] if sentence else [], [answer] if answer else [])
    ]
    whole = Span(0, len(text)) if within is None else within
    _check(whole, len(text))
    edges = {edge for layer in layers for span in layer for edge in span}
    cuts = sorted({whole.start, whole.end, *(e for e in edges if whole.start < e < whole.end)})
    # Cuts are in order, so each layer is walked once: a long text may hold thousands of matches.
    flags = zip(*(_covered(cuts, layer) for layer in layers), strict=True)
    pieces = zip(pairwise(cuts), flags, strict=True)
    return tuple(
        Segment("".join(text[start:end] for (start, end), _ in group), *marks)
        for marks, group in groupby(pieces, key=lambda piece: piece[1])
    )


def excerpt(
    text: str,
    *,
    matches: Sequence[Span] = (),
    sentence: Span | None = None,
    answer: Span | None = None,
    limit: int = 1500,
) -> Excerpt:
    """The marked text, or where it is longer than ``limit`` characters, the part that matters.

    That part is around the answer, else the best sentence, else the first match, and is cut at
    spaces where there are some.

    Raises:
        ValueError: A span leaves the text or ends before it starts.
    """
    focus = answer or sentence or min(matches, default=Span(0, 0))
    within = _window(text, focus, limit)
    return Excerpt(
        segments(text, matches=matches, sentence=sentence, answer=answer, within=within),
        starts=within.start == 0,
        ends=within.end == len(text),
    )


def in_words(moment: str) -> str:
    """An ISO 8601 date, or date with time, as people write it; seconds are left out.

    Anything else comes back as it is: what an article says of its date is shown in any case.

    >>> in_words("2025-07-03T05:32:00")
    '3 July 2025, 05:32'
    >>> in_words("2025-07-03")
    '3 July 2025'
    """
    try:
        return spoken_day(dt.date.fromisoformat(moment))
    except ValueError:
        pass  # not a date alone
    try:
        time = dt.datetime.fromisoformat(moment)
    except ValueError:
        return moment
    zone = f" {time.tzname()}" if time.tzinfo else ""
    return f"{spoken_day(time)}, {time.hour:02}:{time.minute:02}{zone}"


def first_words(text: str, limit: int = 80) -> str:
    """The start of ``text`` on one line, cut at a space, with an ellipsis if it goes on."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    return line[:limit].rsplit(" ", 1)[0] + "…"


def _check(span: Span, length: int) -> None:
    if not 0 <= span.start <= span.end <= length:
        raise ValueError(f"{span} is not within a text of {length} characters")


def _merged(spans: Iterable[Span], length: int) -> list[Span]:
    """The same characters as ``spans`` in order, without overlap and without empty spans."""
    merged: list[Span] = []
    for span in sorted(spans):
        _check(span, length)
        if span.start == span.end:
            continue
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _covered(cuts: Sequence[int], layer: Sequence[Span]) -> list[bool]:
    """Whether each piece between two cuts lies in a span of ``layer``, in one pass over both."""
    covered: list[bool] = []
    position = 0
    for start, _ in pairwise(cuts):
        while position < len(layer) and layer[position].end <= start:
            position += 1
        covered.append(position < len(layer) and layer[position].start <= start)
    return covered


def _window(text: str, focus: Span, limit: int) -> Span:
    """At most ``limit`` characters with ``focus`` among them, some before it and most behind."""
    if len(text) <= limit:
        return Span(0, len(text))
    lead = min(limit // 4, max(0, limit - (focus.end - focus.start)))
    start = max(0, min(focus.start - lead, len(text) - limit))
    end = start + limit
    if start and (word := _WORD_START.search(text, start, focus.start + 1)):
        start = word.start()
    near = max(focus.start, end - limit // 4)  # further back, a cut word is the lesser evil
    if end < len(text) and (word := _LAST_WORD_END.match(text, near, end + 1)):
        end = max(word.end(), min(focus.end, end))
    return Span(start, end)
