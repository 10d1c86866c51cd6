"""The shapes of the index's state: builds, generations, what a build would do, and readiness."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import Field

from indexer.forecast import Forecast, nothing_to_index
from indexer.plan import Move
from indexer.reports import BuildReport
from indexer.settings import Settings
from indexer.types import Skipped
from service.results import Shape


class PlanResult(Shape):
    """What a build would do: paths of seed files by what happened to them since the last one."""

    generation: str | None = Field(description="The live generation, if it is sound.")
    anew: str | None = Field(description="Why everything would be built anew, if it would.")
    refused: str | None = Field(description="Why there would be no build at all.")
    added: tuple[str, ...]
    changed: tuple[str, ...]
    moved: tuple[Move, ...]
    removed: tuple[str, ...]
    skipped: tuple[Skipped, ...] = Field(description="What cannot be read, before opening it.")

    @classmethod
    def of(cls, forecast: Forecast, settings: Settings) -> Self:
        """The shape of a forecast."""
        found = forecast.survey
        skipped = found.listing.skipped
        refusal = None if found.records else str(nothing_to_index(settings, skipped))
        return cls(
            generation=forecast.live.manifest.id if forecast.live else None,
            anew=forecast.anew,
            refused=refusal,
            added=found.plan.added,
            changed=found.plan.changed,
            moved=found.plan.moved,
            removed=found.plan.removed,
            skipped=skipped,
        )


class BuildProblem(Shape):
    """Why a build failed."""

    code: str
    detail: str
    hint: str


class BuildState(Shape):
    """A build that was asked for. `done` of `total` tell how far `stage` has come."""

    id: str
    state: Literal["queued", "running", "succeeded", "failed"]
    full: bool
    stage: str | None = None
    done: int = 0
    total: int = 0
    created: dt.datetime
    started: dt.datetime | None = None
    finished: dt.datetime | None = None
    report: BuildReport | None = Field(None, description="Of a build that succeeded.")
    problem: BuildProblem | None = Field(None, description="Of a build that failed.")


class BuildList(Shape):
    """Builds, newest first."""

    builds: list[BuildState]


class Liveness(Shape):
    """That the process is up."""

    status: Literal["ok"]


class BuildFailure(Shape):
    """Why the last build published nothing, and since when that is so (ISO 8601)."""

    when: str
    reason: str
    hint: str


class Standing(Shape):
    """Whether questions can be answered now, for those who may know no more than that."""

    status: Literal["ready", "degraded", "not_ready"]


class Readiness(Standing):
    """The same, and what there is to be asked about."""

    generation: str | None
    created: dt.datetime | None = Field(None, description="When its build began.")
    articles: int
    paragraphs: int
    pending: int
    degraded: list[str]
    model: bool = Field(True, description="Whether meaning can be searched.")
    building: bool = Field(False, description="Whether the index is being written.")
    last_failure: BuildFailure | None = Field(
        None, description="Of the last build, if it failed; the next good one takes it back."
    )


class GenerationShape(Shape):
    """A generation of the index that is kept.

    `parent` was live when it was built. `problem` says why it cannot be used, where that is known
    without reading all of it; then the rest is null.
    """

    id: str
    live: bool
    parent: str | None = None
    articles: int | None = None
    paragraphs: int | None = None
    digest: str | None = Field(
        None, description="Equal for equal seeds, settings and versions, built from nothing."
    )
    problem: str | None = None


class GenerationList(Shape):
    """The generations that are kept, newest first."""

    generations: list[GenerationShape]
