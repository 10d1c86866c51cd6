"""How far an index is behind its seeds, cheaply enough to say so in every response."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from indexer.errors import SeedsError
from indexer.manifest import Manifest, SeedRecord
from indexer.seeds import SeedFile, digest, list_seeds

_FRESH_FOR = 2.0
"""Seconds for which a count is reused, so that load does not become a load on the disk."""


class Freshness:
    """Counts the seed files that are new or changed since a generation was built."""

    def __init__(self, seeds: Path) -> None:
        self._seeds = seeds
        self._lock = threading.Lock()
        self._counted: tuple[float, str, int] | None = None
        self._digests: dict[str, tuple[int, str]] = {}
        self._problem: str | None = None

    def problems(self) -> tuple[str, ...]:
        """Why changes to the seeds cannot be seen, if they could not when last counted."""
        return (self._problem,) if self._problem else ()

    def pending(self, manifest: Manifest) -> int:
        """The count, a few seconds old at most; nothing is pending in a folder that is gone."""
        known = self._counted
        if known is not None and known[1] == manifest.id:
            fresh = time.monotonic() - known[0] < _FRESH_FOR
            # Reading changed files takes time: whoever is not the first to ask gets the old count.
            if fresh or not self._lock.acquire(blocking=False):
                return known[2]
        else:
            self._lock.acquire()
        try:
            count = self._count(manifest)
            self._counted = (time.monotonic(), manifest.id, count)
            return count
        finally:
            self._lock.release()

    def _count(self, manifest: Manifest) -> int:
        try:
            seeds = list_seeds(self._seeds).files
        except SeedsError as error:
            self._problem = f"changes to the seeds are not seen: {error}"
            return 0
        self._problem = None
        known = {record.path: record for record in manifest.seeds}
        built = manifest.created.timestamp()
        return sum(self._differs(seed, known.get(seed.name), built) for seed in seeds)

    def _differs(self, seed: SeedFile, record: SeedRecord | None, built: float) -> bool:
        if record is None:
            return True
        try:
            # The change time moves with every write, touch and rename, and cannot be set back.
            changed = seed.path.stat().st_ctime_ns
            if changed < built * 1e9:
                return False
            if self._digests.get(seed.name, (0, ""))[0] != changed:
                self._digests[seed.name] = changed, digest(seed)
        except OSError:
            return record.sha256 != ""
        return self._digests[seed.name][1] != record.sha256
