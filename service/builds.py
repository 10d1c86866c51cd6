"""Builds that were asked for while the service runs: one at a time, at most one waiting.

One is enough to wait: it will look at the seeds when its turn comes, and so serves everyone who
asks before that. It does not join the running build, which may have looked already.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from indexer.build import Progress
from indexer.errors import BuildError, NotFound, WinnowError
from indexer.reports import BuildReport
from service.listening import tell
from service.states import BuildProblem, BuildState

Build: TypeAlias = Callable[[bool, float, Progress], BuildReport]
"""Brings the index up to date, anew where the first argument says so; raises a WinnowError.

The second is for how many seconds a seed must have rested.
"""

REMEMBERED = 50
"""Ended builds that can still be asked about."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Entry:
    """A build with its latest state, so that who follows it keeps it after it is forgotten."""

    state: BuildState
    settle: float


class Builds:
    """A queue of builds, worked off by one thread that starts with the first of them.

    ``listeners`` are told of each build when it begins and when it has ended.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self._changed = threading.Condition()
        self._entries: dict[str, _Entry] = {}  # oldest first
        self._waiting: _Entry | None = None
        self._worker: threading.Thread | None = None
        self._closed = False
        self.listeners: list[Callable[[BuildState], object]] = []

    def submit(self, full: bool = False, settle: float = 0.0) -> BuildState:
        """Ask for a build; returns the one that will serve this request.

        That is the waiting one, if there is one: it becomes a full build if this is to be one, and
        reads what has rested for ``settle`` seconds if it would have waited longer.

        Raises:
            BuildError: The queue is closed.
        """
        with self._changed:
            if self._closed:
                raise BuildError("the service is stopping", hint="Ask again when it is back.")
            if self._waiting is None:
                self._waiting = self._new(full, settle)
                self._changed.notify_all()
            else:
                self._waiting.settle = min(self._waiting.settle, settle)
                if full and not self._waiting.state.full:
                    self._change(self._waiting, full=True)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="builds", daemon=True)
                self._worker.start()
            return self._waiting.state

    def get(self, id_: str) -> BuildState:
        """The state of a build; NotFound if there is none with this id."""
        return self._entry(id_).state

    def newest_first(self) -> list[BuildState]:
        """The builds that are waiting, running or remembered."""
        with self._changed:
            return [entry.state for entry in reversed(self._entries.values())]

    def follow(self, id_: str, beat: float | None = None) -> Iterator[BuildState]:
        """Each state of a build from the present one on, until it has ended.

        Who is slow misses states between, never the last. With ``beat`` the same state comes again
        after so many seconds without a change. Raises NotFound, at once, for an unknown id.
        """
        return self._states(self._entry(id_), beat)

    def wait(self, id_: str) -> BuildState:
        """The state of a build when it has ended; NotFound if there is none with this id."""
        return deque(self.follow(id_), maxlen=1).pop()

    def close(self) -> None:
        """Give up what waits and what runs, so that everybody who follows a build is released.

        The running build itself is for the owner of ``build`` to end.
        """
        with self._changed:
            self._closed = True
            for entry in list(self._entries.values()):
                self._end(
                    entry,
                    state="failed",
                    problem=BuildProblem(
                        code=BuildError.code,
                        detail="the service was stopped before the build had ended",
                        hint="Build again; the index in use is unharmed.",
                    ),
                )
            self._changed.notify_all()

    def _entry(self, id_: str) -> _Entry:
        with self._changed:
            if id_ in self._entries:
                return self._entries[id_]
        raise NotFound(
            f"there is no build {id_}",
            hint=f"GET /v1/builds lists those since the service started, the last {REMEMBERED}.",
        )

    def _states(self, entry: _Entry, beat: float | None) -> Iterator[BuildState]:
        state = None
        while state is None or state.finished is None:
            state = self._after(entry, state, beat)
            yield state

    def _after(self, entry: _Entry, seen: BuildState | None, beat: float | None) -> BuildState:
        with self._changed:
            self._changed.wait_for(lambda: entry.state is not seen, beat)
            return entry.state

    def _new(self, full: bool, settle: float) -> _Entry:
        state = BuildState(id=secrets.token_hex(8), state="queued", full=full, created=_now())
        self._entries[state.id] = entry = _Entry(state, settle)
        return entry

    def _change(self, entry: _Entry, **changes: Any) -> None:
        if entry.state.finished is None:
            entry.state = entry.state.model_copy(update=changes)
            self._changed.notify_all()

    def _end(self, entry: _Entry, **changes: Any) -> None:
        self._change(entry, finished=_now(), **changes)
        ended = [id_ for id_, each in self._entries.items() if each.state.finished]
        for id_ in ended[:-REMEMBERED]:
            del self._entries[id_]

    def _work(self) -> None:
        while entry := self._next():
            self._run(entry)

    def _next(self) -> _Entry | None:
        """Wait for a build and take it; None when the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            entry, self._waiting = self._waiting, None
            if entry is None or self._closed:
                return None
            self._change(entry, state="running", started=_now())
            return entry

    def _run(self, entry: _Entry) -> None:
        def progress(stage: str, done: int, total: int) -> None:
            with self._changed:
                self._change(entry, stage=stage, done=done, total=total)

        tell(self.listeners, entry.state)
        try:
            report = self._build(entry.state.full, entry.settle, progress)
            outcome = {"state": "succeeded", "report": report}
        except WinnowError as error:
            outcome = _failure(error.code, str(error), error.hint)
        except Exception:  # noqa: BLE001 - whatever it is, the next build has its chance
            _log.exception("build %s failed", entry.state.id)
            outcome = _failure(
                "internal_error", "something went wrong here; it is in the log under this id", ""
            )
        with self._changed:
            self._end(entry, **outcome)
        tell(self.listeners, entry.state)


def _failure(code: str, detail: str, hint: str) -> dict[str, object]:
    return {"state": "failed", "problem": BuildProblem(code=code, detail=detail, hint=hint)}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
