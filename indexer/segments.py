"""Vectors of sentences and titles: rows in files that are written once and then only linked.

They are not searched, only looked up for a few candidates a query, but they are most of a
generation. So each build writes its new rows to a segment of its own, takes over older segments as
they are, and copies only what is live of those that have become small (see :func:`worn`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.errors import IndexCorrupt
from indexer.types import Vectors

_HALF = np.dtype("<f2")


class Place(NamedTuple):
    """Where rows lie: ``length`` of them in file ``segment`` from ``row`` on."""

    segment: int
    row: int
    length: int


class SegmentWriter:
    """Writes segment ``number``, as a file that only exists if there is a row in it.

    ``rows`` counts what was written.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._path = _path(folder, number)
        self._number = number
        self._file: BinaryIO | None = None
        self.rows = 0

    def close(self) -> None:
        """Close the file; OSError where the last of it cannot be written."""
        if self._file is not None:
            self._file.close()

    def append(self, vectors: Vectors | npt.NDArray[np.float16]) -> Place:
        """Write rows, shape (n, dimensions); returns where they are."""
        place = Place(self._number, self.rows, len(vectors))
        if len(vectors):
            if self._file is None:
                self._file = self._path.open("xb")
            self._file.write(np.ascontiguousarray(vectors, dtype=_HALF).tobytes())
            self.rows += len(vectors)
        return place


class Segments:
    """The rows in the files of a folder, mapped and read-only."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        self._folder = folder
        self._dimensions = dimensions
        self._maps: dict[int, npt.NDArray[np.float16]] = {}

    def stored(self, segment: int) -> int:
        """How many rows there are in a segment."""
        size = _path(self._folder, segment).stat().st_size
        return size // (_HALF.itemsize * self._dimensions)

    def halves(self, place: Place) -> npt.NDArray[np.float16]:
        """The rows at ``place`` as they are stored, shape (length, dimensions).

        Raises:
            IndexCorrupt: The file is missing or too short.
        """
        if not place.length:
            return np.empty((0, self._dimensions), dtype=_HALF)
        if place.segment not in self._maps:
            self._maps[place.segment] = self._mapped(place.segment)
        rows = self._maps[place.segment][place.row : place.row + place.length]
        if len(rows) != place.length:
            raise IndexCorrupt(
                f"{_path(self._folder, place.segment)} is too short",
                hint="Run: winnow build --full",
            )
        return rows

    def rows(self, place: Place) -> Vectors:
        """The rows at ``place`` in single precision; raises what :meth:`halves` does."""
        return self.halves(place).astype(np.float32)

    def _mapped(self, segment: int) -> npt.NDArray[np.float16]:
        path = _path(self._folder, segment)
        try:
            # As a plain array, slices of which cost a fifth of a memmap's.
            flat = np.asarray(np.memmap(path, dtype=_HALF, mode="r"))
            return flat[: len(flat) // self._dimensions * self._dimensions].reshape(
                -1, self._dimensions
            )
        except (OSError, ValueError) as error:
            raise IndexCorrupt(
                f"{path} cannot be read: {error}", hint="Run: winnow build --full"
            ) from error


def numbers(folder: Path) -> list[int]:
    """The numbers of the segments in ``folder``, sorted."""
    return sorted(int(path.name) for path in folder.iterdir())


def discard(folder: Path, segment: int) -> None:
    """Remove a segment's file."""
    _path(folder, segment).unlink()


def worn(live: Mapping[int, int], stored: Mapping[int, int], new: int) -> list[int]:
    """Which segments to copy into one of ``new`` rows, given the live and stored rows of each.

    What has at most twice as many live rows as are being copied anyway is copied too, so the
    number of segments and the copies of a row stay logarithmic (O'Neil et al.: The log-structured
    merge-tree, 1996); and so is a segment of which half is dead.

    >>> worn({1: 1000, 2: 20, 3: 90}, {1: 1100, 2: 20, 3: 200}, 10)
    [2, 3]
    """
    chosen = []
    for segment in sorted(live, key=lambda each: (live[each], each)):
        if live[segment] <= 2 * new or 2 * live[segment] <= stored[segment]:
            new += live[segment]
            chosen.append(segment)
    return chosen


def _path(folder: Path, segment: int) -> Path:
    return folder / f"{segment:06d}"
