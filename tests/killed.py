"""A process that works on an index in forked children, each of which fails where it is told to.

A step is a call that changes the index folder. Most are known from audit events, so whatever way
the product takes to write is a step; the few that raise none are wrapped here. Forking from one
warm process saves starting an interpreter for each of hundreds of failures.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import faiss
from fakes import WordEmbedder, silent, write_article

from indexer.build import build
from indexer.errors import WinnowError
from indexer.generations import Generations
from indexer.settings import Settings

_CONNECT = sqlite3.connect

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

_TWO_PATHS = {"os.rename": 2, "os.link": 2, "shutil.copyfile": None, "shutil.copytree": None}
"""Events of two paths, and where the descriptors of the folders that they are relative to stand."""

_ONE_PATH = {"os.mkdir": 2, "os.remove": 1, "os.rmdir": 1, "os.truncate": None, "os.chmod": 2}


@dataclass(frozen=True, slots=True)
class Task:
    """What a child does: ``work`` is build, full, prune or activate, of generation ``id_``.

    It fails at step ``at`` (from 0): it kills itself, or gets the ``error`` number from that step,
    and if ``lasting`` from each one after. ``after`` has it killed so many seconds from its start,
    ``largest`` lets no file grow beyond so many bytes.
    """

    seeds: str
    index: str
    generations: int
    work: str = "build"
    id_: str = ""
    at: int | None = None
    error: int | None = None
    lasting: bool = False
    after: float | None = None
    largest: int | None = None


@dataclass(slots=True)
class Outcome:
    """What became of it.

    ``unsynced`` names what was not on the disk yet when its name was made to count. ``error`` has
    the class, message and hint of what was raised.
    """

    steps: list[str] = field(default_factory=list)
    unsynced: list[str] = field(default_factory=list)
    error: tuple[str, str, str] | None = None
    killed: bool = False
    seconds: float = 0.0


class _Steps:
    """Counts the steps of this process, and fails at one."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._folder = Path(task.index).resolve()
        self._synced: dict[int, tuple[int, int]] = {}
        self._in_hook = False
        self._added = False  # a generation
        self.names: list[str] = []
        self.unsynced: list[str] = []

    def watch(self) -> None:
        """Begin."""
        os.fsync = self._wrapped(os.fsync, "fsync")
        faiss.write_index = self._wrapped(faiss.write_index, "write_index")
        sqlite3.connect = self._connect
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._in_hook:
            return
        self._in_hook = True
        try:
            if event == "open" and arguments[2] & _WRITING:
                self._step(event, arguments[0])
            elif event in _TWO_PATHS:
                places = arguments[_TWO_PATHS[event] or len(arguments) :]
                if event == "os.rename":
                    self._require_synced(*(Path(os.fsdecode(path)) for path in arguments[:2]))
                self._step(event, arguments[1], *places[1:2])
            elif event == "os.mkdir" and Path(arguments[0]).is_dir():
                pass  # nothing changes
            elif event in _ONE_PATH:
                self._step(event, arguments[0], *arguments[_ONE_PATH[event] or len(arguments) :])
            elif event in ("fcntl.flock", "shutil.rmtree", "sqlite3.connect"):
                self._step(event, arguments[0])
        finally:
            self._in_hook = False

    def _connect(self, *arguments: Any, **named: Any) -> sqlite3.Connection:
        connection = _CONNECT(*arguments, **named)
        if self._task.error is None:  # SQLite drops what is raised here; the system can kill
            connection.set_trace_callback(self._statement)
        return connection

    def _statement(self, statement: str) -> None:
        if statement.startswith("COMMIT"):
            self._step("sqlite3.commit", self._folder)

    def _wrapped(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapper(*arguments: Any) -> Any:
            where = arguments[0] if name == "fsync" else self._folder
            self._step(name, where)
            done = call(*arguments)
            if name == "fsync":
                status = os.fstat(where)
                self._synced[status.st_ino] = status.st_mtime_ns, status.st_size
            return done

        return wrapper

    def _step(self, name: str, where: Any, place: int = -1) -> None:
        path = _resolved(where, place)
        if not path.is_relative_to(self._folder):
            return
        at = len(self.names)
        self.names.append(f"{name} {path.relative_to(self._folder)}")
        task = self._task
        if task.at is None or at < task.at or (at > task.at and not task.lasting):
            return
        if task.error is not None:
            raise OSError(task.error, os.strerror(task.error), str(path))
        os.kill(os.getpid(), signal.SIGKILL)

    def _require_synced(self, source: Path, target: Path) -> None:
        """What gets its lasting name must be on the disk, and what it names likewise."""
        if "staging" in target.parts:
            return
        named = [source, *source.rglob("*")]
        if target.name == "CURRENT" and self._added:
            named.append(target.with_name("generations"))
        self._added |= target.parent.name == "generations"
        for path in named:
            status = path.stat()
            older = path.is_file() and status.st_nlink > 1
            known = self._synced.get(status.st_ino)
            if not older and known != (status.st_mtime_ns, status.st_size):
                self.unsynced.append(str(path.relative_to(self._folder)))


def _resolved(where: Any, place: int) -> Path:
    """The path that an argument of a call stands for, a descriptor or a name below a folder."""
    if hasattr(where, "fileno"):
        where = where.fileno()
    if isinstance(where, int):
        return Path(f"/proc/self/fd/{where}").readlink()
    base = Path(f"/proc/self/fd/{place}").readlink() if place >= 0 else Path.cwd()
    path = base / os.fsdecode(where)
    return path.parent.resolve() / path.name


def _work(task: Task, outcome: Outcome) -> None:
    settings = Settings(
        seeds=Path(task.seeds), index=Path(task.index), generations=task.generations
    )
    generations = Generations(settings.index)
    steps = _Steps(task)
    outcome.steps, outcome.unsynced = steps.names, steps.unsynced
    steps.watch()
    if task.largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (task.largest, resource.RLIM_INFINITY))
    if task.work == "activate":
        with generations.writing():
            generations.activate(task.id_)
    elif task.work == "prune":
        with generations.writing():
            generations.prune(task.generations)
    else:
        build(settings, WordEmbedder(), full=task.work == "full", progress=silent)


def _child(task: Task, pipe: int) -> None:
    outcome = Outcome()
    try:
        _work(task, outcome)
    except WinnowError as error:
        outcome.error = type(error).__name__, str(error), error.hint
    except BaseException as error:  # noqa: BLE001 - told to the test that asked for it
        outcome.error = type(error).__name__, str(error), ""
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    with os.fdopen(pipe, "w") as report:
        json.dump(asdict(outcome), report)


def _run(task: Task) -> Outcome:
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            _child(task, writing)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as report:
        if task.after is not None and not select.select([report], [], [], task.after)[0]:
            os.kill(child, signal.SIGKILL)
        told = report.read()
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - started
    if os.WIFSIGNALED(status):
        return Outcome(killed=True, seconds=seconds)
    return Outcome(**{**json.loads(told), "seconds": seconds})


class Worker:
    """Has tasks done by a process of this module; as a context manager it ends that."""

    def __init__(self, prefix: Sequence[str | Path] = ()) -> None:
        self._process = subprocess.Popen(
            [*prefix, sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    @property
    def pid(self) -> int:
        """The process, whose file systems may be its own."""
        return self._process.pid

    def run(self, settings: Settings, work: str = "build", **how: Any) -> Outcome:
        """Do ``work`` in the folders of ``settings``; ``how`` is what else :class:`Task` has."""
        task = Task(str(settings.seeds), str(settings.index), settings.generations, work, **how)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(task)) + "\n")
        self._process.stdin.flush()
        return Outcome(**json.loads(self._process.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def main() -> None:
    """Do what each line of the standard input asks for."""
    with TemporaryDirectory() as folder:  # what a build imports at last is warm, too
        settings = Settings(seeds=Path(folder) / "seeds", index=Path(folder) / "index")
        write_article(settings.seeds, "a.txt", "Anna said that it is late.")
        build(settings, WordEmbedder(), progress=silent)
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for this
    for line in sys.stdin:
        print(json.dumps(asdict(_run(Task(**json.loads(line))))), flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
