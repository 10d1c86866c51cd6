"""What a build would do, before anything is written or the model is loaded.

A build acts on its forecast, so that what ``winnow plan`` tells is what happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.errors import IndexCorrupt, IndexMissing, SeedsError
from indexer.generations import Generations
from indexer.manifest import READABLE, REPORT, Manifest
from indexer.plan import Survey, survey
from indexer.reports import BuildReport, read_report
from indexer.settings import Settings
from indexer.speakers import attributor_of
from indexer.types import Skipped


@dataclass(frozen=True, slots=True)
class Base:
    """A generation found to be sound, and the report of the build that made it."""

    manifest: Manifest
    report: BuildReport


@dataclass(frozen=True, slots=True)
class Forecast:
    """The live generation as ``live`` if it is sound, the seeds against it, and what follows.

    ``anew`` says why a build would begin from nothing, None where it would go on from ``live``;
    ``damaged`` says what is wrong with a live generation that is not sound.
    """

    live: Base | None
    survey: Survey
    identity: dict[str, str]
    anew: str | None
    damaged: str | None

    @property
    def base(self) -> Base | None:
        """What a build would go on from."""
        return self.live if self.anew is None else None


def forecast(settings: Settings, fingerprint: str, *, settle: float = 0.0) -> Forecast:
    """Look at the index and the seeds; every file of the live generation and of the seeds is read.

    Args:
        settings: Where both are.
        fingerprint: The embedding model's.
        settle: Seconds for which a file must have rested to be read.

    Raises:
        SeedsError: The seeds folder is missing or cannot be read.
    """
    live, anew, damaged = None, None, None
    generations = Generations(settings.index)
    try:
        manifest = generations.live()
        generations.verify(manifest)
        live = Base(manifest, read_report(generations.path(manifest.id) / REPORT))
    except IndexMissing:
        anew = "there is no index yet"
    except IndexCorrupt as error:
        anew = damaged = str(error)
    identity = {"model": fingerprint, "attributor": attributor_of(settings).name, **READABLE}
    if live is not None:
        other = differences(live.manifest.identity, identity)
        anew = f"the index was built with another {' and another '.join(other)}" if other else None
    found = survey(settings.seeds, live.manifest if live else None, settle=settle)
    return Forecast(live, found, identity, anew, damaged)


def differences(found: dict[str, str], needed: dict[str, str]) -> list[str]:
    """What two identities differ in, by name."""
    return sorted(
        name for name in found.keys() | needed.keys() if found.get(name) != needed.get(name)
    )


def nothing_to_index(settings: Settings, skipped: Sequence[Skipped]) -> SeedsError:
    """The error for seeds in which there is no article; ``skipped`` says why."""
    reasons = "; ".join(f"{item.file}: {item.reason}" for item in skipped[:3])
    return SeedsError(
        f"{settings.seeds} holds no article that can be read"
        + (f" ({reasons})" if reasons else ""),
        hint="Put text files or .jsonl files with articles there.",
    )
