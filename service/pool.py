"""Engines in processes of their own, each of which answers one question at a time.

Python lets one thread of a process compute at a time, so a second core is of use to searches only
in a second process; and a process that dies takes with it the one question that it was at. While
fewer questions are under way than there are cores, the models get several for each.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from indexer import deadlines
from indexer.deadlines import Deadline
from indexer.errors import ModelError, ServeError, WorkerLost
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.logs import logger
from service.tasks import Done, Outcome, Ready, Refused, Task

_HUNG = 2.0
"""Seconds after its deadline at which a question's process is taken for hung."""

_START = 100.0
"""Seconds in which a process has to be ready: loading models from a slow disk takes its time."""

_LAST = 0.5
"""Seconds that an idle process has to tidy up when it is ended."""

_SAFE_PATH = "PYTHONSAFEPATH"
"""The variable that stands for Python's option -P."""

_PAUSES = (0.0, 1.0, 5.0, 15.0, 60.0)
"""Seconds before each attempt to replace a process; the last counts for all that follow."""

_environment = threading.Lock()
"""For who changes the process's variables, if only for a moment."""

_log = logger(__name__)


class Pool:
    """``settings.workers`` processes, ready when this is made; used from any thread.

    ``embedder`` is the model, which they load, or why there is none. ``without_model`` and
    ``without_reader`` tell why they do without.

    Raises:
        ServeError: One ended before it was ready.
    """

    def __init__(self, settings: Settings, embedder: Embedder | ModelError) -> None:
        own = settings.model_copy(update={"unanswered_log": False})  # whoever asks them notes it
        self.size = settings.workers
        self._start = partial(_Worker, own, embedder)
        self._changed = threading.Condition()
        self._alive: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._closed = False
        # What multiprocessing does at exit is to wait for them, and they end only if told.
        atexit.register(self.close)
        try:
            for _ in range(self.size):
                self._alive.append(self._start())
            ready = [each.ready() for each in self._alive]
        except _Ended as error:
            self.close()
            raise ServeError(
                f"a process that is to answer questions {error}",
                hint="Memory may have run out; what it said itself stands above.",
            ) from error
        self._idle += self._alive
        self.without_model, self.without_reader = ready[0].without_model, ready[0].without_reader

    @property
    def missing(self) -> int:
        """Processes that have ended and whose places are not taken yet."""
        return self.size - len(self._alive)

    def call(self, method: str, *arguments: Any, about: Hashable = None) -> Any:
        """What the engine's ``method`` returns in one of the processes, or raises there.

        Where it can be that is the process that was last asked ``about`` the same, and so has at
        hand what it found out then.

        Raises:
            DeadlineExceeded: Time was over before a process was free, or the process hung.
            WorkerLost: The process ended.
        """
        deadline = deadlines.current()
        worker = self._taken(about, deadline)
        return self._done(worker, Task(method, arguments, deadline, self._cores()))

    def everywhere(self, method: str) -> None:
        """Have every process do it, one after the other, each as soon as it is free."""
        for worker in tuple(self._alive):
            if self._waited_for(worker):
                with suppress(WorkerLost):  # the one in its place begins with what is so now
                    self._done(worker, Task(method, (), None, self._cores()))

    def close(self) -> None:
        """End all processes, at once."""
        with self._changed:
            self._closed = True
            workers, self._alive, self._idle = self._alive, [], []
            self._changed.notify_all()
        for each in workers:
            each.end()
        atexit.unregister(self.close)

    def _taken(self, about: Hashable, deadline: Deadline | None) -> _Worker:
        while True:
            worker = self._next(about, deadline)
            if worker.alive:
                return worker
            self._lose(worker)  # it has died over nobody's question, so that none is lost

    def _next(self, about: Hashable, deadline: Deadline | None) -> _Worker:
        with self._changed:
            left = None if deadline is None else deadline.left
            if not self._changed.wait_for(lambda: self._idle or self._closed, left):
                raise (deadline or Deadline(0, 0)).missed("before a process was free for it")
            if self._closed:
                raise WorkerLost("the service is being stopped", hint="Ask when it runs again.")
            worker = next((each for each in self._idle if each.about == about), self._idle[-1])
            self._idle.remove(worker)
            worker.about = about
            return worker

    def _waited_for(self, worker: _Worker) -> bool:
        """Take this worker when it is idle; False where it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: worker in self._idle or worker not in self._alive)
            if worker in self._idle:
                self._idle.remove(worker)
            return worker in self._alive

    def _cores(self) -> int:
        busy = len(self._alive) - len(self._idle)
        return max(1, (os.cpu_count() or 1) // max(1, busy))

    def _done(self, worker: _Worker, task: Task) -> Any:
        try:
            outcome = worker.outcome(task)
        except BaseException as error:
            self._lose(worker)
            if isinstance(error, _Ended):
                raise WorkerLost(
                    f"the process that was at work for this {error}",
                    hint="Ask again: another takes its place.",
                ) from error
            raise
        with self._changed:
            if worker in self._alive:
                self._idle.append(worker)
                self._changed.notify_all()
        match outcome:
            case Done(result):
                return result
            case Refused(refusal):
                raise refusal
        raise RuntimeError(f"in a process of the pool:\n{outcome.account}")

    def _lose(self, worker: _Worker) -> None:
        """End a worker that is of no use any more, and start another."""
        with self._changed:
            if worker not in self._alive:
                return
            self._alive.remove(worker)
            self._changed.notify_all()
        worker.end()
        _log.warning("a process that answers questions has ended", process=worker.id)
        threading.Thread(target=self._replace, name="replace", daemon=True).start()

    def _replace(self) -> None:
        for attempt in range(1_000_000):
            time.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            if self._closed:
                return
            try:
                worker = self._start()
                worker.ready()
            except (_Ended, OSError) as error:
                _log.error("no process can be started that answers questions", error=str(error))
                continue
            with self._changed:
                if not self._closed:
                    self._alive.append(worker)
                    self._idle.append(worker)
                    self._changed.notify_all()
                    return
            worker.end()
            return


class _Ended(Exception):
    """A process has ended; says how."""


class _Worker:
    """One process, seen from this side; ``about`` is what it was last asked about."""

    def __init__(self, settings: Settings, embedder: Embedder | ModelError) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["service.worker"])
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, settings, embedder))
        with _importing_what_is_installed():
            self._process.start()
        other.close()
        self.about: Hashable = None

    @property
    def id(self) -> int | None:
        return self._process.pid

    @property
    def alive(self) -> bool:
        # It says nothing unasked: what there is to be read is that it has closed its side.
        return self._process.is_alive() and not self._connection.poll()

    def ready(self) -> Ready:
        """Wait for its first word, and raise _Ended where there is none."""
        if not self._connection.poll(_START):
            self.end()
            raise _Ended(f"was not ready after {_START:g} s")
        ready: Ready = self._received()
        return ready

    def outcome(self, task: Task) -> Outcome:
        """Have it do ``task``, and raise _Ended where it dies, or DeadlineExceeded if it hangs."""
        try:
            self._connection.send(task)
        except OSError as error:
            raise self._ended() from error
        deadline = task.deadline
        if deadline is not None and not self._connection.poll(max(0, deadline.left) + _HUNG):
            raise deadline.missed("by a process that hung")
        outcome: Outcome = self._received()
        return outcome

    def end(self) -> None:
        """Let it end by itself if it is idle, and kill it if not: it leaves nothing half done."""
        self._connection.close()
        self._process.join(_LAST)
        self._process.kill()
        self._process.join()

    def _received(self) -> Any:
        try:
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error

    def _ended(self) -> _Ended:
        self._process.join(1)
        code = self._process.exitcode
        return _Ended("has stopped talking" if code is None else f"ended with {code}")


@contextmanager
def _importing_what_is_installed() -> Iterator[None]:
    """Have processes that are started import that, and not what lies where the service was."""
    with _environment:
        before = os.environ.get(_SAFE_PATH)
        os.environ[_SAFE_PATH] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[_SAFE_PATH]
            else:
                os.environ[_SAFE_PATH] = before


def _work(connection: Connection, settings: Settings, embedder: Embedder | ModelError) -> None:
    from service.worker import work  # noqa: PLC0415 - imports torch, which is for the process

    work(connection, settings, embedder)
