"""How Whoosh's files are written and read: the same each time, and mapped into memory, not copied.

Only what Whoosh 2.7.4 and its fork both have is used and replaced.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from whoosh.codec.whoosh3 import W3Codec, W3Segment
from whoosh.filedb.compound import SubFile
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile


class Codec(W3Codec):  # type: ignore[misc]  # Whoosh publishes no types
    """Whoosh's own, with a name for the new segment that is not random.

    With :class:`Storage` the same articles make the same files, wherever they are indexed.
    """

    def __init__(self, commits: int) -> None:
        super().__init__()
        self._segment = f"{commits:06d}"

    def new_segment(self, _storage: object, name: str) -> W3Segment:
        """A segment without content."""
        return W3Segment(W3Codec(), name, segid=self._segment)


class Storage(FileStorage):  # type: ignore[misc]  # likewise
    """Whoosh's own, for putting a segment's files into one in the same way every time.

    That file records the order in which they are listed, and when they were made. It is read
    through a map: Whoosh maps it too, but then copies all of it, which takes as much memory as the
    index has on the disk, and stops every other thread for as long as that takes.
    """

    def list(self) -> list[str]:
        """The names of all files, sorted."""
        return sorted(super().list())

    def file_modified(self, _name: str) -> float:
        """No time at all."""
        return 0.0

    def open_file(self, name: str, **options: object) -> StructFile:
        """A file to be read, mapped where it is a whole segment."""
        if not name.endswith(W3Segment.COMPOUND_EXT):
            return super().open_file(name, **options)
        with Path(self.folder, name).open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _Mapped(mapped, 0, len(mapped), name=name, onclose=lambda _: mapped.close())


class _Mapped(StructFile):  # type: ignore[misc]  # likewise
    """A part of a mapped file."""

    def __init__(self, mapped: mmap.mmap, start: int, length: int, **options: object) -> None:
        super().__init__(SubFile(mapped, start, length), **options)
        self._mapped = mapped
        self._start = start
        self._end = start + length

    def subset(self, offset: int, length: int, name: str | None = None) -> StructFile:
        return _Mapped(self._mapped, self._start + offset, length, name=name)

    def get(self, position: int, length: int) -> bytes:
        start = self._start + position
        return self._mapped[start : min(start + length, self._end)]
