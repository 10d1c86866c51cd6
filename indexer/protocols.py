"""The seams: what a search engine, a vector index or an embedding model must do to be swapped in.

Each Protocol has one contract test suite (``tests/contracts/``) that every implementation passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from indexer.nodes import Constraint, Query
from indexer.types import Candidate, Ids, Scores, Span, Vectors


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> str:
        """Names the model and everything that changes its vectors; equal means comparable."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def windows(self, text: str) -> tuple[Span, ...]:
        """Overlapping spans of ``text``, each short enough for the model, together all of it."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of ``texts``, shape (len(texts), dimensions)."""


class KeywordIndex(Protocol):
    """Finds paragraphs by the words of a query, and scores any paragraph against it."""

    def search(self, query: Query, depth: int, allowed: Ids | None = None) -> list[Candidate]:
        """The best ``depth`` paragraphs, best first; ``allowed`` (sorted) limits the choice.

        What only fulfils the query's constraint may be among them with a score of 0.
        """

    def score(self, query: Query, paragraphs: Ids) -> Scores:
        """The score :meth:`search` would give each of ``paragraphs``; 0 where no word matches."""

    def bound(self, query: Query) -> float:
        """What no score for ``query`` can exceed; 0 only where no word of it is scored."""

    def readable(self, paragraphs: Ids) -> npt.NDArray[np.bool_]:
        """Whether each of ``paragraphs`` is in the language that the embedding model reads."""

    def matching(self, constraint: Constraint) -> Ids:
        """Every paragraph that fulfils ``constraint``, sorted."""

    def telling(self, text: str, language: str | None, count: int) -> tuple[str, ...]:
        """The ``count`` words of ``text`` that say most about it among the paragraphs here."""

    def matches(self, query: Query, text: str, language: str | None) -> tuple[Span, ...]:
        """Where ``text`` holds words of ``query``, in order, without overlap."""


class VectorIndex(Protocol):
    """Finds paragraphs by the cosine between their vectors and a query's."""

    def search(self, vector: Vectors, depth: int, allowed: Ids | None = None) -> list[Candidate]:
        """The nearest ``depth`` paragraphs, best first; ``vector`` has shape (dimensions,)."""

    def of(self, paragraph: int) -> Vectors:
        """The vectors of a paragraph, one a window, shape (n, dimensions)."""

    def score(self, vector: Vectors, paragraphs: Ids) -> Scores:
        """The cosine :meth:`search` would give each of ``paragraphs``."""
