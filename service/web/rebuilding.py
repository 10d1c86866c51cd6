"""The pages on which the index is brought up to date: a build is asked for, and followed, here.

A form asks for it, so that no script is needed, and is led to the build's own page, which comes
again by itself until the build has ended. Who may not change the index is not shown the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flask import Blueprint, g, redirect, render_template, url_for

from service import conditional
from service.requests import ArticlesQuery

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from service.builds import Builds
    from service.results import ArticleEntry, ArticleList
    from service.states import BuildFailure, BuildState, Readiness

STAGES = {
    "queued": "Waiting for its turn",
    "running": "Looking for changes",
    "wait": "Waiting for another build to end",
    "index": "Reading what is new",
    "verify": "Checking the new index",
    "publish": "Switching to it",
}
"""What a build is doing, by the name of its stage or, before the first, of its state."""


class Engine(Protocol):
    """What is told of the index. Every method may raise a :class:`WinnowError`."""

    def articles(self, query: ArticlesQuery) -> ArticleList:
        """Articles, newest first."""

    def readiness(self) -> Readiness:
        """The state of the index."""


@dataclass(frozen=True, slots=True)
class State:
    """The state of the index as a page shows it.

    ``problems`` are the reasons for which it is not at its best, but for the ``failure`` of the
    last build. ``build`` is under way; ``permitted`` says whether who asks may see more of it, or
    start one.
    """

    now: Readiness
    newest: ArticleEntry | None
    problems: tuple[str, ...]
    failure: BuildFailure | None
    build: BuildState | None
    permitted: bool


def state_of(now: Readiness, newest: ArticleEntry | None, builds: Builds | None) -> State:
    """The state of the index as the page shows it to who asks."""
    failure = now.last_failure
    told = f"failed: {failure.reason}. {failure.hint}" if failure else None
    running = [each for each in builds.newest_first() if not each.finished] if builds else []
    if running or now.building:
        conditional.note_passing()
    return State(
        now=now,
        newest=newest,
        problems=tuple(each for each in now.degraded if not told or not each.endswith(told)),
        failure=failure,
        build=running[-1] if running else None,
        permitted=builds is not None and _may_build(),
    )


def add_routes(pages: Blueprint, engine: Engine, builds: Builds) -> None:
    """Add the pages of ``builds`` to the others."""

    @pages.post("/builds")
    def start() -> Response:
        state = builds.submit()
        return redirect(url_for("pages.build", id_=state.id), 303)

    @pages.get("/builds/<id_>")
    def build(id_: str) -> str:
        state = builds.get(id_)
        conditional.note_passing()
        now = engine.readiness()
        newest = engine.articles(ArticlesQuery(limit=1)).articles if now.generation else []
        index = state_of(now, next(iter(newest), None), builds)
        return render_template("build.html", build=state, state=index)


def percent_done(build: BuildState) -> int:
    """How far a build's stage has come."""
    return 100 * build.done // build.total if build.total else 0


def _may_build() -> bool:
    """Whether the key that came with the request, where keys are needed, is an admin's."""
    key = g.get("key")
    return key is None or key.admin
