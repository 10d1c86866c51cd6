"""The manifest of a generation: what it was made of, what it holds, and how to tell if it is whole.

It is written last, so that its presence means that the generation is complete.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from indexer.analysis import ANALYZER
from indexer.errors import IndexCorrupt
from indexer.languages import DETECTOR

MANIFEST = "manifest.json"
ARTICLES = "articles.sqlite"
SENTENCES = "sentences"
KEYWORD = "keyword"
VECTORS = "vectors.faiss"
REPORT = "report.json"

READABLE = {
    "analyzer": f"{ANALYZER} {DETECTOR}",
    "format": "5",
    "embedded": "paragraphs in windows; sentences and titles, each alone",
}
"""The part of a manifest's identity without which this program cannot read an index at all.

Raise the format with every change to what the files of a generation hold.
"""

_ID = "%Y%m%dT%H%M%S.%f"

_PASSING = ("id", "parent")
"""What two manifests of equal generations differ in, besides the report with its timings."""


@dataclass(frozen=True, slots=True)
class SeedRecord:
    """A seed file as it was indexed; ``path`` is below the seeds folder, ``size`` in bytes.

    ``sha256`` is empty where the file could not be read.
    """

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made of and what it holds.

    ``id`` is the time at which its build began, in UTC; ``parent`` is the generation that was live
    then. ``identity`` is what must agree between an index and a build that goes on from it:
    ``READABLE``, the embedding model's fingerprint and the name of who found the speakers.
    ``settings`` are those that had a say in it. ``files`` has the sha256 of every other file.
    """

    id: str
    parent: str | None
    identity: dict[str, str]
    settings: dict[str, str]
    versions: dict[str, str]
    counts: dict[str, int]
    seeds: tuple[SeedRecord, ...]
    files: dict[str, str]

    @property
    def created(self) -> dt.datetime:
        """When the build began."""
        return _moment(self.id)

    @property
    def digest(self) -> str:
        """The sha256 over all but ids and timings: equal seeds, settings and versions, equal it.

        That holds for builds from nothing. One that went on from another generation may lay out
        the same articles in other files.
        """
        return _lasting_digest(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what :meth:`to_json` wrote; ValueError if it is not exactly that."""
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("it is no manifest")  # noqa: TRY004 - as every other damage
        for derived in ("digest", "seal"):
            values.pop(derived, None)
        manifest: Manifest = TypeAdapter(cls).validate_python(values)
        if manifest.to_json() != text:
            raise ValueError("its seal does not fit")
        return manifest

    def to_json(self) -> str:
        """The manifest as indented JSON, with its digest and a seal over all of it."""
        values = asdict(self)  # once: there is a record for every seed
        values["digest"] = _lasting_digest(values)
        values["seal"] = _digest(values)
        return json.dumps(values, ensure_ascii=False, indent=1)


def new_id(moment: dt.datetime, latest: str | None) -> str:
    """The id of a generation whose build began at ``moment``, later than ``latest`` in any case."""
    if latest is not None and f"{moment:{_ID}}Z" <= latest:  # the clock was set back
        moment = _moment(latest) + dt.timedelta(microseconds=1)
    return f"{moment:{_ID}}Z"


def _moment(id_: str) -> dt.datetime:
    return dt.datetime.strptime(id_, f"{_ID}%z")


def require_readable(manifest: Manifest) -> None:
    """Raise IndexCorrupt if another version of Winnow built it and this one cannot read it."""
    for name, needed in READABLE.items():
        if (found := manifest.identity.get(name)) != needed:
            raise IndexCorrupt(
                f"the index was built with {name} {found!r}; this version needs {needed!r}",
                hint="Run: winnow build",
            )


def digests(folder: Path, known: dict[int, str] | None = None) -> dict[str, str]:
    """The sha256 of every file below ``folder`` but the manifest, by relative path.

    ``known`` has the digests of files that were read already, by inode, such as of links; those
    of this folder are added.
    """
    known = {} if known is None else known
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST]
    # The largest files are few: two threads take half the time, as hashing needs no interpreter.
    with ThreadPoolExecutor(max_workers=2) as pool:
        inodes = [path.stat().st_ino for path in paths]
        found = list(
            pool.map(lambda inode, path: known.get(inode) or _file_digest(path), inodes, paths)
        )
    known.update(zip(inodes, found, strict=True))
    return {
        path.relative_to(folder).as_posix(): each for path, each in zip(paths, found, strict=True)
    }


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lasting_digest(values: dict[str, Any]) -> str:
    lasting = {name: value for name, value in values.items() if name not in _PASSING}
    lasting["files"] = {name: each for name, each in values["files"].items() if name != REPORT}
    return _digest(lasting)


def _digest(value: dict[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
