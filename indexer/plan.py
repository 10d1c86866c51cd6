"""What a build would change: the seeds as they are against those of the live generation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.manifest import Manifest, SeedRecord
from indexer.seeds import Listing, SeedFile, digest, list_seeds, settled


@dataclass(frozen=True, slots=True)
class Move:
    """A file that has another path than before, with the same content."""

    origin: str
    path: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Paths of seed files by what happened to them since the live generation was built."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    moved: tuple[Move, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.moved or self.removed)

    @property
    def gone(self) -> tuple[str, ...]:
        """Paths that are there no longer."""
        return (*self.removed, *(move.origin for move in self.moved))

    @property
    def new(self) -> frozenset[str]:
        """Paths of the files to be read."""
        return frozenset((*self.added, *self.changed, *(move.path for move in self.moved)))


@dataclass(frozen=True, slots=True)
class Survey:
    """The seeds folder as it is, and the plan that follows from it.

    ``records`` has what the index is to be made of. That is every file as it is now, but for
    ``unsettled`` ones, which seem to be still being written: they stay as they were in the index,
    or out of it.
    """

    listing: Listing
    records: tuple[SeedRecord, ...]
    unsettled: tuple[str, ...]
    plan: Plan


def survey(folder: Path, live: Manifest | None, *, settle: float = 0.0) -> Survey:
    """Look at the seeds in ``folder``, against generation ``live`` if there is one.

    Args:
        folder: The seeds folder.
        live: The generation to compare with.
        settle: Seconds for which a file must have rested to be read.

    Raises:
        SeedsError: The folder is missing or cannot be read.
    """
    now = time.time()
    listing = list_seeds(folder)
    before = {record.path: record for record in live.seeds} if live else {}
    records, unsettled = [], []
    for seed in listing.files:
        if settle and not settled(seed, now, settle):
            unsettled.append(seed.name)
            if seed.name in before:
                records.append(before[seed.name])
        else:
            records.append(_record(seed))
    plan = compare(tuple(before.values()), records)
    return Survey(listing, tuple(records), tuple(unsettled), plan)


def compare(before: Sequence[SeedRecord], now: Sequence[SeedRecord]) -> Plan:
    """Compare by content hash. A file is moved if it is new and a removed one had its content."""
    old = {seed.path: seed.sha256 for seed in before}
    new = {seed.path: seed.sha256 for seed in now}
    gone: dict[str, list[str]] = {}
    for path in sorted(old.keys() - new.keys()):
        gone.setdefault(old[path], []).append(path)
    added, moved = [], []
    for path in sorted(new.keys() - old.keys()):
        if new[path] and (origins := gone.get(new[path])):
            moved.append(Move(origins.pop(0), path))
        else:
            added.append(path)
    return Plan(
        added=tuple(added),
        changed=tuple(sorted(p for p in old.keys() & new.keys() if old[p] != new[p])),
        moved=tuple(moved),
        removed=tuple(sorted(path for paths in gone.values() for path in paths)),
    )


def _record(seed: SeedFile) -> SeedRecord:
    """The file as it is now, without a digest where it cannot be read; reading it tells why."""
    try:
        return SeedRecord(seed.name, digest(seed), seed.size)
    except OSError:
        return SeedRecord(seed.name, "", seed.size)
