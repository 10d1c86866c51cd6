"""The embedding cache: no text is read by the model twice, whatever becomes of its article.

It is a database of its own beside the generations, may be deleted at any time, and is never part
of an answer: what it gives is checked, and what it lacks is computed. Vectors come out in half
precision whether they were found or computed, so a build with it equals one without.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from indexer.protocols import Embedder
from indexer.types import Span, Vectors

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    number INTEGER PRIMARY KEY, -- in the order of adding
    key BLOB NOT NULL UNIQUE,   -- sha256 of the model's fingerprint and the text
    vector BLOB NOT NULL        -- float16, and a CRC-32 of the key and that
)
"""

_REFUSALS = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM),
}
"""By which SQLite says that the system refuses; anything else is the file's fault."""

_CHUNK = 500
"""Keys asked for in one statement."""


class CachedEmbedder:
    """An :class:`~indexer.protocols.Embedder` that remembers, in the database at ``path``.

    ``computed`` counts the texts that the model had to read, ``damaged`` says why an older cache
    was thrown away, if it was.
    """

    def __init__(self, embedder: Embedder, path: Path) -> None:
        self.computed = 0
        self.damaged: str | None = None
        self.fingerprint = embedder.fingerprint
        self._embedder = embedder
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = _open(path)
        except sqlite3.Error as error:
            self._renew(error)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions

    def windows(self, text: str) -> tuple[Span, ...]:
        """As the model cuts it."""
        return self._embedder.windows(text)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of ``texts``, shape (len(texts), dimensions), of unit length but for rounding."""
        keys = {text: self._key(text) for text in texts}
        found = self._found(keys.values())
        missing = [text for text, key in keys.items() if key not in found]
        if missing:
            self.computed += len(missing)
            computed = self._embedder.encode(missing)
            self.keep(missing, computed)
            for text, vector in zip(missing, computed, strict=True):
                found[keys[text]] = vector.astype(np.float16)
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        return np.array([found[keys[text]] for text in texts], dtype=np.float32)

    def keep(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Remember the vectors of ``texts`` that are not known yet."""
        known = self._found(self._key(text) for text in texts)
        rows = []
        for text, vector in zip(texts, vectors, strict=True):
            if (key := self._key(text)) not in known:
                halves = vector.astype("<f2").tobytes()
                rows.append((key, halves + _check(key, halves)))
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)", rows
                )
        except sqlite3.Error as error:
            self._renew(error)

    def trim(self, size: int) -> None:
        """Forget all but the ``size`` texts that were added last."""
        try:
            with self._connection:
                self._connection.execute(
                    "DELETE FROM vectors WHERE number <= (SELECT max(number) FROM vectors) - ?",
                    (size,),
                )
        except sqlite3.Error as error:
            self._renew(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _found(self, keys: Iterable[bytes]) -> dict[bytes, Vectors]:
        unique = list(dict.fromkeys(keys))
        found: dict[bytes, Vectors] = {}
        try:
            for start in range(0, len(unique), _CHUNK):
                chunk = unique[start : start + _CHUNK]
                query = (
                    f"SELECT key, vector FROM vectors WHERE key IN ({','.join('?' * len(chunk))})"  # noqa: S608 - marks only
                )
                for key, stored in self._connection.execute(query, chunk):
                    # A damaged page may hold any type, and lead to another text's row.
                    if _intact(key, stored):
                        found[key] = np.frombuffer(stored[:-4], dtype="<f2")
        except sqlite3.Error as error:
            self._renew(error)
            return {}
        return found

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.fingerprint}\n{text}".encode()).digest()

    def _renew(self, error: sqlite3.Error) -> None:
        """Start anew where the file is damaged; raise ``error`` where the disk refuses."""
        # What Python itself raises, such as on text that is none, has no code.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _REFUSALS:
            raise error
        self.damaged = f"was damaged and has been started anew: {error}"
        if hasattr(self, "_connection"):
            self._connection.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._connection = _open(self._path)


@dataclass(frozen=True, slots=True)
class CacheState:
    """How many texts a cache knows, of how many its vector is damaged, and why it is useless."""

    texts: int
    wrong: int
    damaged: str | None


def inspect(path: Path) -> CacheState | None:
    """Look through the cache at ``path`` without changing it; None where there is none."""
    if not path.is_file():
        return None
    # Without a journal nobody has it open, and SQLite need not make one to read.
    quiet = not path.with_name(path.name + "-wal").exists()
    uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if quiet else ''}"
    texts = wrong = 0
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                return CacheState(0, 0, verdict)
            for key, stored in connection.execute("SELECT key, vector FROM vectors"):
                texts += 1
                wrong += not _intact(key, stored)
    except sqlite3.Error as error:
        return CacheState(texts, wrong, str(error))
    return CacheState(texts, wrong, None)


def _intact(key: object, stored: object) -> bool:
    """Whether the row is as it was written; a damaged page may hold any type."""
    return (
        isinstance(key, bytes)
        and isinstance(stored, bytes)
        and stored[-4:] == _check(key, stored[:-4])
    )


def _check(key: bytes, halves: bytes) -> bytes:
    return zlib.crc32(key + halves).to_bytes(4)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        # What a crash loses of it is computed again.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
