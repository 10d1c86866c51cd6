"""The vector index: an exact FAISS search over the windows of every paragraph.

A FAISS id holds the paragraph's key in its upper bits and the number of the window in the lower
20, so no table is needed to get from one to the other. A paragraph's score is that of its best
window.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np

from indexer.errors import IndexCorrupt
from indexer.ranking import best
from indexer.types import Candidate, Ids, Scores, Vectors

_WINDOW_BITS = 20


class VectorWriter:
    """Collects the vectors of a generation and writes them as one file."""

    def __init__(self, dimensions: int) -> None:
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))

    def add(self, paragraphs: Ids, windows: Ids, vectors: Vectors) -> None:
        """Add unit ``vectors``, shape (n, dimensions), of window ``windows[i]`` of a paragraph."""
        self._index.add_with_ids(vectors, (paragraphs << _WINDOW_BITS) | windows)

    def save(self, path: Path) -> None:
        """Write all vectors to ``path``; OSError where the disk refuses."""
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(str(error)) from error


class FaissIndex:
    """Vectors of one generation, read-only, as a :class:`~indexer.protocols.VectorIndex`."""

    def __init__(self, path: Path) -> None:
        try:
            index: Any = faiss.read_index(str(path))  # an IndexIDMap2, typed as its base
        except RuntimeError as error:
            raise IndexCorrupt(
                f"{path} is not a readable vector index: {error}", hint="Run: winnow build --full"
            ) from error
        # One query against a small index: a second thread costs 40 ms where one needs 0.4.
        faiss.omp_set_num_threads(1)
        self._index = index
        ids = faiss.vector_to_array(index.id_map)
        self._order = np.argsort(ids, kind="stable")
        self._ids = ids[self._order]

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @property
    def paragraphs(self) -> Ids:
        """Keys of all paragraphs that have a vector, sorted."""
        return np.unique(self._ids >> _WINDOW_BITS)

    def search(self, vector: Vectors, depth: int, allowed: Ids | None = None) -> list[Candidate]:
        """The nearest ``depth`` paragraphs by (-cosine, key); see :class:`VectorIndex`."""
        total = len(self._ids)
        parameters = None
        if allowed is not None:
            chosen = self._ids[np.isin(self._ids >> _WINDOW_BITS, allowed)]
            total = len(chosen)
            selector = faiss.IDSelectorBatch(chosen)
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its stub lacks it
        wanted = min(2 * depth, total)
        while True:
            found = np.empty(0, dtype=np.int64)
            if wanted:
                _, rows = self._index.search(vector[np.newaxis], wanted, params=parameters)
                found = np.unique(rows[0] >> _WINDOW_BITS)
            # Several windows of one paragraph may crowd out others: look further until enough.
            if len(found) >= depth or wanted == total:
                return best(found, self.score(vector, found), depth)
            wanted = min(2 * wanted, total)

    def score(self, vector: Vectors, paragraphs: Ids) -> Scores:
        """Cosine of each paragraph's best window, shape (n,); -1 where it has no vector."""
        first = np.searchsorted(self._ids, paragraphs << _WINDOW_BITS)
        last = np.searchsorted(self._ids, (paragraphs + 1) << _WINDOW_BITS)
        counts = last - first
        scores = np.full(len(paragraphs), -1.0)
        if not counts.sum():
            return scores
        rows = np.concatenate([self._order[a:b] for a, b in zip(first, last, strict=True)])
        found = self._index.index.reconstruct_batch(rows)
        # Row by row: a matrix product rounds by its shape, and a score must not depend on others.
        cosines = (found * vector).sum(axis=1, dtype=np.float64)
        np.maximum.at(scores, np.repeat(np.arange(len(paragraphs)), counts), cosines)
        return scores
