"""The semantic side: how near a paragraph's meaning is to a question's.

Paragraph vectors are searched; the candidates are then scored by a mix of their paragraph's and
their best sentence's cosine, since a short question resembles a sentence more than a paragraph. The
article's title counts as one more sentence: it often says what its paragraphs take for granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from indexer.protocols import Embedder, VectorIndex
from indexer.ranking import best
from indexer.store import ArticleStore
from indexer.types import Candidate, Ids, Scores, Vectors

_REMEMBERED = 512
"""Question vectors kept: paging and asking again then cost no model run."""


class SemanticSearch:
    """Search by meaning over one generation."""

    def __init__(
        self, vectors: VectorIndex, store: ArticleStore, embedder: Embedder, sentence_weight: float
    ) -> None:
        self._vectors = vectors
        self._store = store
        self._sentence_weight = sentence_weight
        self._embed = lru_cache(_REMEMBERED)(lambda text: embedder.encode([text])[0])

    def embed(self, text: str) -> Vectors:
        """The question's unit vector, shape (dimensions,)."""
        return np.asarray(self._embed(text))

    def search(self, vector: Vectors, depth: int, allowed: Ids | None = None) -> list[Candidate]:
        """The ``depth`` paragraphs nearest by their paragraph vectors, ordered by :meth:`score`."""
        found = self._vectors.search(vector, depth, allowed)
        keys = np.array([candidate.paragraph for candidate in found], dtype=np.int64)
        return best(keys, self.score(vector, keys), depth)

    def score(self, vector: Vectors, paragraphs: Ids) -> Scores:
        """Mixed cosine of each paragraph, shape (n,), from -1 to 1."""
        if not len(paragraphs):
            return np.empty(0)
        whole = self._vectors.score(vector, paragraphs)
        of_each = sentence_cosines(self._store, vector, paragraphs.tolist())
        nearest = np.array([max(title, cosines.max()) for title, cosines in of_each])
        mixed = (1 - self._sentence_weight) * whole + self._sentence_weight * nearest
        # Half precision can put a cosine a little beyond its bounds.
        return np.clip(mixed, -1.0, 1.0)


def sentence_cosines(
    store: ArticleStore, vector: Vectors, paragraphs: Sequence[int]
) -> Iterator[tuple[float, Scores]]:
    """Of each paragraph, the cosine of its article's title and those of its sentences.

    The latter have shape (sentences,).
    """
    for stored in store.sentence_vectors(paragraphs):
        title = float((stored.title @ vector).max(initial=-1.0))
        yield title, (stored.sentences @ vector).astype(np.float64)
