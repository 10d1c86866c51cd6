"""Generations of the index on disk: immutable folders, and one line that names the live one.

A generation is built in ``staging/``, checked there, renamed into ``generations/`` and only then
named in ``CURRENT``. Whatever moment the power fails at, ``CURRENT`` names a complete generation
or the one before. One process writes at a time; the system drops its lock when it dies.

    index_data/
      CURRENT              the live generation's id
      write.lock           who is writing
      generations/<id>/    manifest.json, articles.sqlite, keyword/, vectors.faiss, report.json
      staging/<id>/        a generation being built
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from indexer.analysis import ANALYZER
from indexer.errors import IndexBusy, IndexCorrupt, IndexMissing, IndexNotWritable

MANIFEST = "manifest.json"
ARTICLES = "articles.sqlite"
KEYWORD = "keyword"
VECTORS = "vectors.faiss"
REPORT = "report.json"

READABLE = {"analyzer": ANALYZER, "format": "2"}
"""The part of a manifest's identity without which this program cannot read an index at all.

Raise the format with every change to what the files of a generation hold.
"""

_KEPT = 3
"""Generations left after a publication: the live one and two to go back to."""


@dataclass(frozen=True, slots=True)
class SeedRecord:
    """A seed file as it was indexed; ``path`` is below the seeds folder, ``size`` in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made of and what it holds. Its presence means: complete.

    ``identity`` is what must agree between an index and the program reading it: ``READABLE`` and
    the embedding model's fingerprint. ``files`` has the sha256 of every other file.
    """

    id: str
    created: str
    parent: str | None
    identity: dict[str, str]
    versions: dict[str, str]
    counts: dict[str, int]
    seeds: tuple[SeedRecord, ...]
    files: dict[str, str]

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what :meth:`to_json` wrote; ValueError if it is not that."""
        return TypeAdapter(cls).validate_json(text)

    def to_json(self) -> str:
        """The manifest as indented JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)


class Generations:
    """The generations in one index folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._current = folder / "CURRENT"
        self._generations = folder / "generations"
        self._staging = folder / "staging"

    def path(self, id_: str) -> Path:
        """The folder of generation ``id_``."""
        return self._generations / id_

    def current(self) -> str | None:
        """The id of the live generation; None before the first build."""
        try:
            id_ = self._current.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise IndexCorrupt(
                f"{self._current} cannot be read: {error}", hint="Run: winnow build --full"
            ) from error
        if not id_ or "/" in id_:
            raise IndexCorrupt(
                f"{self._current} names no generation", hint="Run: winnow build --full"
            )
        return id_

    def report(self, id_: str) -> dict[str, Any]:
        """The report of the build that made generation ``id_``; IndexCorrupt if it is damaged."""
        path = self.path(id_) / REPORT
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise IndexCorrupt(
                f"{path} is missing or damaged: {error}", hint="Run: winnow build --full"
            ) from error

    def manifest(self, id_: str) -> Manifest:
        """The manifest of a complete generation.

        Raises:
            IndexCorrupt: It is missing or unreadable.
        """
        path = self.path(id_) / MANIFEST
        try:
            return Manifest.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise IndexCorrupt(
                f"{path} is missing or damaged: {error}", hint="Run: winnow build --full"
            ) from error

    def live(self) -> Manifest:
        """The manifest of the live generation.

        Raises:
            IndexMissing: Nothing has been built yet.
            IndexCorrupt: The manifest is missing or unreadable.
        """
        id_ = self.current()
        if id_ is None:
            raise IndexMissing(f"there is no index in {self.folder} yet", hint="Run: winnow build")
        return self.manifest(id_)

    def verify(self, manifest: Manifest) -> None:
        """Compare every file with its digest.

        Raises:
            IndexCorrupt: A file is missing, unexpected or altered.
        """
        found = digests(self.path(manifest.id))
        for name in sorted(found.keys() | manifest.files.keys()):
            if found.get(name) != manifest.files.get(name):
                what = "missing" if name not in found else "damaged"
                raise IndexCorrupt(
                    f"{self.path(manifest.id) / name} is {what}", hint="Run: winnow build --full"
                )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to write.

        Raises:
            IndexBusy: Another process holds it; the message names it.
            IndexNotWritable: The folder refuses writing, now or while the right is held.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "write.lock").open("a+", encoding="utf-8") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    lock.seek(0)
                    raise IndexBusy(
                        f"{self.folder} is being written by {lock.read().strip()}",
                        hint="Wait until that process has finished.",
                    ) from error
                lock.truncate(0)
                lock.write(f"process {os.getpid()}: {' '.join(sys.argv)}\n")
                lock.flush()
                try:
                    yield
                finally:
                    # What failed would only take up space, which may be why it failed; what a
                    # killed build leaves is removed by the next.
                    shutil.rmtree(self._staging, ignore_errors=True)
                    lock.truncate(0)
        except BrokenPipeError:
            raise  # whoever read our output left; the folder is fine
        except (OSError, sqlite3.OperationalError) as error:
            raise IndexNotWritable(
                f"{self.folder} cannot be written: {error}",
                hint="Make the folder writable and check the space left, or choose another "
                "with --index.",
            ) from error

    def stage(self, id_: str) -> Path:
        """An empty folder to build generation ``id_`` in; what an earlier build left is removed."""
        if self._staging.exists():
            shutil.rmtree(self._staging)
        path = self._staging / id_
        path.mkdir(parents=True)
        return path

    def publish(self, manifest: Manifest) -> None:
        """Make the staged generation the live one, then drop those that are too old to keep."""
        staged = self._staging / manifest.id
        for path in sorted(staged.rglob("*")):
            _sync(path)
        _replace(staged / MANIFEST, manifest.to_json())
        self._generations.mkdir(exist_ok=True)
        staged.rename(self.path(manifest.id))
        _sync(self._generations)
        _replace(self._current, manifest.id + "\n")
        self._prune(manifest.id)

    def _prune(self, live: str) -> None:
        # A reader that still has an old generation open keeps its files until it closes them.
        others = sorted(p.name for p in self._generations.iterdir() if p.name != live)
        for name in others[: -(_KEPT - 1)]:
            shutil.rmtree(self.path(name))


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file below ``folder`` but the manifest, by relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _replace(path: Path, text: str) -> None:
    """Give ``path`` new content so that a crash leaves the old or the new, never a part."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
