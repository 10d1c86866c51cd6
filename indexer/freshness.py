"""How far an index is behind its seeds, cheaply enough to say so in every response."""

from __future__ import annotations

import datetime as dt
import threading
import time
from pathlib import Path

from indexer.errors import SeedsError
from indexer.generations import Manifest, SeedRecord
from indexer.seeds import SeedFile, digest, list_seeds

_FRESH_FOR = 2.0
"""Seconds for which a count is reused, so that load does not become a load on the disk."""


class Freshness:
    """Counts the seed files that are new or changed since a generation was built."""

    def __init__(self, seeds: Path) -> None:
        self._seeds = seeds
        self._lock = threading.Lock()
        self._counted: tuple[float, str, int] | None = None
        self._hashed: dict[tuple[str, int, int], str] = {}

    def pending(self, manifest: Manifest) -> int:
        """The count, at most two seconds old; nothing is pending in a folder that is gone."""
        with self._lock:
            if self._counted is not None:
                when, generation, count = self._counted
                if generation == manifest.id and time.monotonic() - when < _FRESH_FOR:
                    return count
            count = self._count(manifest)
            self._counted = (time.monotonic(), manifest.id, count)
            return count

    def _count(self, manifest: Manifest) -> int:
        try:
            seeds = list_seeds(self._seeds).files
        except SeedsError:
            return 0
        known = {record.path: record for record in manifest.seeds}
        built = dt.datetime.fromisoformat(manifest.created).timestamp()
        return sum(self._differs(seed, known.get(seed.name), built) for seed in seeds)

    def _differs(self, seed: SeedFile, record: SeedRecord | None, built: float) -> bool:
        if record is None or seed.size != record.size:
            return True
        try:
            # The change time moves with every write, touch and rename, and cannot be set back.
            if seed.path.stat().st_ctime < built:
                return False
            key = (seed.name, seed.size, seed.mtime_ns)
            if key not in self._hashed:
                self._hashed[key] = digest(seed)
        except OSError:
            return True
        return self._hashed[key] != record.sha256
