"""The values that pass between the parts: frozen, plain, without behaviour of their own.

Everything that a module hands to another is one of these or a numpy array, so any part can be
read, tested and replaced by itself. Offsets are in characters of Python strings, half open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Ids: TypeAlias = npt.NDArray[np.int64]
"""Paragraph keys (the store's row numbers), shape (n,)."""

Scores: TypeAlias = npt.NDArray[np.float64]
"""One score a paragraph, shape (n,)."""

Vectors: TypeAlias = npt.NDArray[np.float32]
"""Unit-length rows, shape (n, dimensions)."""


class Span(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) of some text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """Something said in a paragraph and who says it; all spans are of the paragraph's text.

    ``content`` is what is said, in order, apart and never empty. ``cue`` is the word that tells so,
    and ``odds`` how clearly, in log-odds.
    """

    content: tuple[Span, ...]
    speaker: Span
    cue: Span
    odds: float = 0.0


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of an article: ``article text[start:end] == text``, always.

    ``number`` counts from 1. ``sentences`` are spans of ``text``, in order, without overlap.
    """

    number: int
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """One article of the collection, split into paragraphs.

    ``source`` is the seed file's path below the seeds folder, with ``/`` on every system; an
    article from a bulk file has ``#`` and its record's id behind the path. ``id`` is derived from
    ``source``, so it survives edits. ``published`` is ISO 8601 as precise as the seed said: a date
    or a date with time. ``encoding`` is the codec that decodes the file to the text which the
    paragraphs' offsets count in; a record of a bulk file has offsets in its own ``text`` value.
    """

    id: str
    source: str
    title: str
    published: str | None
    byline: str | None
    publisher: str | None
    language: str | None
    encoding: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in the seeds that could not be indexed: where it is and why."""

    file: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paragraph that one search found; equal scores share a ``rank``, counted from 1."""

    paragraph: int
    score: float
    rank: int
