"""What a build would change: the seeds as they are against those of the live generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.generations import SeedRecord


@dataclass(frozen=True, slots=True)
class Plan:
    """Paths of seed files by what happened to them since the live generation was built.

    ``moved`` has the new path of each file whose content was there under another name before.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    moved: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.moved or self.removed)


def compare(before: Sequence[SeedRecord], now: Sequence[SeedRecord]) -> Plan:
    """Compare by content hash. A file is moved if it is new and a removed one had its content."""
    old = {seed.path: seed.sha256 for seed in before}
    new = {seed.path: seed.sha256 for seed in now}
    gone: dict[str, list[str]] = {}
    for path in sorted(old.keys() - new.keys()):
        gone.setdefault(old[path], []).append(path)
    added, moved = [], []
    for path in sorted(new.keys() - old.keys()):
        if origins := gone.get(new[path]):
            origins.pop(0)
            moved.append(path)
        else:
            added.append(path)
    return Plan(
        added=tuple(added),
        changed=tuple(sorted(p for p in old.keys() & new.keys() if old[p] != new[p])),
        moved=tuple(moved),
        removed=tuple(sorted(path for paths in gone.values() for path in paths)),
    )
