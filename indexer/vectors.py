"""The vector index: an exact FAISS search over the windows of every paragraph.

A row's FAISS id is its paragraph's key, so a paragraph of several windows has several rows of the
same id, and deleting by id takes them all. Vectors are stored in half precision, as they come from
the embedding cache. A paragraph's score is that of its best window.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any, BinaryIO, Self

import faiss
import numpy as np
import numpy.typing as npt

from indexer.errors import IndexCorrupt
from indexer.ranking import best
from indexer.types import Candidate, Ids, Scores, Vectors

_CHUNK = 4096
"""Rows carried over at once."""

_ROUNDING = 1e-5
"""More than FAISS's cosines in single precision differ from ours in double."""


class VectorWriter:
    """Writes the vectors of a generation to one file, row after row, so that none stay in memory.

    FAISS writes an index only as a whole. What it writes before the rows is left room for and
    filled in at the end, when their number is known; a test compares the file with FAISS's own.
    """

    def __init__(self, path: Path, dimensions: int) -> None:
        """Begin with nothing; ``path`` is written from the first row on."""
        self._path = path
        self._kept: Any = _empty(dimensions)
        self._file: BinaryIO | None = None
        self._ids = array("q")
        self._removed: list[int] = []

    @classmethod
    def after(cls, parent: Path, path: Path) -> Self:
        """Go on from what another generation has in the file ``parent``, which stays as it is.

        Raises IndexCorrupt where that cannot be read.
        """
        kept = _read(parent)
        writer = cls(path, kept.d)
        writer._kept = kept
        return writer

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._kept.d)

    def of(self, paragraph: int) -> Vectors:
        """The vectors that the parent has of ``paragraph``, one a window, in their order."""
        ids = faiss.vector_to_array(self._kept.id_map)
        return np.asarray(_halves(self._kept)[ids == paragraph], dtype=np.float32)

    def add(self, paragraphs: Ids, vectors: Vectors) -> None:
        """Add unit ``vectors``, shape (n, dimensions); row i is a window of ``paragraphs[i]``.

        The windows of a paragraph are added in their order.
        """
        self._write(paragraphs, vectors.astype("<f2"))

    def remove(self, paragraphs: Ids) -> None:
        """Drop what the parent has under these keys; what was added stays."""
        self._removed += paragraphs.tolist()

    def save(self) -> None:
        """Write what the parent has and was not removed, and complete the file."""
        ids, halves = faiss.vector_to_array(self._kept.id_map), _halves(self._kept)
        keep = ~np.isin(ids, np.array(self._removed, dtype=np.int64))
        for start in range(0, len(ids), _CHUNK):
            rows = slice(start, start + _CHUNK)
            self._write(ids[rows][keep[rows]], halves[rows][keep[rows]])
        file = self._opened()
        file.write(_length(len(self._ids)))
        file.write(np.frombuffer(self._ids, dtype=np.int64).astype("<i8").tobytes())
        file.seek(0)
        file.write(_head(self.dimensions, len(self._ids)))
        self.close()

    def close(self) -> None:
        """Close the file; what was not saved is no index."""
        if self._file is not None:
            self._file.close()

    def _write(self, ids: Ids, halves: npt.NDArray[np.float16]) -> None:
        self._ids.frombytes(ids.astype(np.int64).tobytes())
        self._opened().write(halves.tobytes())

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = self._path.open("xb")
            self._file.write(_head(self.dimensions, 0))
        return self._file


class FaissIndex:
    """Vectors of one generation, read-only, as a :class:`~indexer.protocols.VectorIndex`.

    The file is mapped, not read, so that a generation opens at once, and two that are open beside
    each other while one replaces the other need no memory of their own.
    """

    def __init__(self, path: Path) -> None:
        self._index = _read(path)
        # One query against a small index: a second thread costs 40 ms where one needs 0.4.
        faiss.omp_set_num_threads(1)
        ids = faiss.vector_to_array(self._index.id_map)
        self._order = np.argsort(ids, kind="stable")
        self._ids = ids[self._order]
        self._halves = _halves(self._index)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @property
    def paragraphs(self) -> Ids:
        """Keys of all paragraphs that have a vector, sorted."""
        return np.unique(self._ids)

    def counts(self) -> tuple[Ids, Ids]:
        """:attr:`paragraphs`, and how many vectors each has."""
        keys, counts = np.unique(self._ids, return_counts=True)
        return keys, counts

    def of(self, paragraph: int) -> Vectors:
        """The vectors of a paragraph, one a window, in their order."""
        first = np.searchsorted(self._ids, paragraph)
        last = np.searchsorted(self._ids, paragraph, side="right")
        return np.asarray(self._halves[self._order[first:last]], dtype=np.float32)

    def search(self, vector: Vectors, depth: int, allowed: Ids | None = None) -> list[Candidate]:
        """The nearest ``depth`` paragraphs by (-cosine, key); see :class:`VectorIndex`."""
        total = len(self._ids)
        parameters = None
        if allowed is not None:
            total = int(np.isin(self._ids, allowed).sum())
            selector = faiss.IDSelectorBatch(allowed)
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its stub lacks it
        wanted = min(2 * depth, total)
        if not wanted:
            return []
        while True:
            cosines, rows = self._index.search(vector[np.newaxis], wanted, params=parameters)
            found = np.unique(rows[0])
            candidates = best(found, self.score(vector, found), depth)
            # Windows of one paragraph crowd out others, and which of equal ones FAISS returns
            # depends on the order they were added in: look on until the cut is past them.
            enough = len(candidates) == depth
            if wanted == total or (enough and candidates[-1].score > cosines[0, -1] + _ROUNDING):
                return candidates
            wanted = min(2 * wanted, total)

    def score(self, vector: Vectors, paragraphs: Ids) -> Scores:
        """Cosine of each paragraph's best window, shape (n,); -1 where it has no vector."""
        first = np.searchsorted(self._ids, paragraphs)
        last = np.searchsorted(self._ids, paragraphs, side="right")
        counts = last - first
        scores = np.full(len(paragraphs), -1.0)
        if not counts.sum():
            return scores
        rows = np.concatenate([self._order[a:b] for a, b in zip(first, last, strict=True)])
        # Row by row: a matrix product rounds by its shape, and a score must not depend on others.
        cosines = (self._halves[rows] * vector).sum(axis=1, dtype=np.float64)
        np.maximum.at(scores, np.repeat(np.arange(len(paragraphs)), counts), cosines)
        return scores


def _empty(dimensions: int) -> faiss.IndexIDMap:
    kind = faiss.ScalarQuantizer.QT_fp16
    flat = faiss.IndexScalarQuantizer(dimensions, kind, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap(flat)


def _head(dimensions: int, rows: int) -> bytes:
    """What FAISS writes of an index before its rows.

    The rows' vectors and then their ids come last in its file, each with their length before them.
    """
    index = _empty(dimensions)
    index.ntotal = faiss.downcast_index(index.index).ntotal = rows
    head: bytes = faiss.serialize_index(index).tobytes().removesuffix(2 * _length(0))
    return head + _length(rows * dimensions * np.dtype(np.float16).itemsize)


def _length(count: int) -> bytes:
    return count.to_bytes(8, "little")


def _read(path: Path) -> Any:
    """The index in ``path``, mapped, which cannot be changed; an IndexIDMap typed as its base."""
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise IndexCorrupt(
            f"{path} is not a readable vector index: {error}", hint="Run: winnow build --full"
        ) from error


def _halves(index: Any) -> npt.NDArray[np.float16]:
    """The stored vectors as they lie in memory, shape (rows, dimensions); valid with the index."""
    flat: Any = faiss.downcast_index(index.index)
    if not index.ntotal:
        return np.empty((0, index.d), dtype=np.float16)
    codes = faiss.rev_swig_ptr(flat.codes.data(), index.ntotal * flat.code_size)
    return np.asarray(codes).view(np.float16).reshape(-1, index.d)
