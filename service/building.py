"""One build in a process of its own, so that searching goes on whatever happens to the build.

A build takes memory, the interpreter's lock and every core it is given, and may be killed for it;
the process that answers questions should lose none of these. The parent starts ``python -m
service.building``, writes one :class:`Order` to its standard input and keeps that pipe open: its
end tells the child that the parent is gone. The child answers in JSON lines on standard output,
progress first, and as the last line the report or the error.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from indexer.build import Progress, build
from indexer.embedding import SentenceEmbedder
from indexer.errors import BuildError, WinnowError
from indexer.reports import BuildReport
from indexer.settings import Settings
from service.examination import examination

_COMMAND = (sys.executable, "-P", "-m", "service.building")
"""-P: a folder named ``service`` where the service was started must not come first."""

_EVERY = 0.2
"""Seconds between two lines of progress."""

_NICENESS = 10
"""In Linux a process at 10 gets a tenth of the time of one at 0, where both want the same core."""

_EXPENDABLE = 500
"""Added to the thousandths of memory by which Linux chooses what to kill when it runs out."""

_LAST_LINES = 5
"""Of what a failed build wrote to standard error, the lines that its error quotes."""


class Order(BaseModel):
    """What the child is to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: Settings
    full: bool
    settle: float

    def line(self) -> bytes:
        """The order as it is sent: what the user has not set is told from what was set."""
        return self.model_dump_json(exclude_unset=True).encode() + b"\n"


class Builder:
    """Runs builds in child processes, one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False

    def __call__(self, full: bool, settle: float, progress: Progress) -> BuildReport:
        """Build and return the report; ``progress`` is told what the child tells.

        See :func:`indexer.build.build` for ``settle``. Another process that builds is waited for.

        Raises:
            WinnowError: What the build raised, with its own class.
            BuildError: The child ended without a word, or this builder is closed.
        """
        order = Order(settings=self._settings, full=full, settle=settle)
        with tempfile.TemporaryFile() as log, self._started(log) as child:
            with contextlib.suppress(BrokenPipeError):  # how the child ended is told below
                os.write(_pipe(child.stdin).fileno(), order.line())
            for line in _pipe(child.stdout):
                if not line.endswith(b"\n"):
                    break  # it died while it spoke
                match json.loads(line):
                    case {"stage": stage, "done": done, "total": total}:
                        progress(stage, done, total)
                    case {"report": report}:
                        return TypeAdapter(BuildReport).validate_python(report)
                    case {"code": code, "message": message, "hint": hint}:
                        raise _family(WinnowError).get(code, BuildError)(message, hint=hint)
            raise self._death(child.wait(), _tail(log))

    def close(self) -> None:
        """End the build that is running, at once, and start no other."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.kill()

    @contextlib.contextmanager
    def _started(self, log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._closed:
                raise _stopped()
            try:
                self._child = child = subprocess.Popen(  # noqa: S603 - our own module
                    _COMMAND,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env={"OMP_NUM_THREADS": str(_threads()), **os.environ},
                    start_new_session=True,  # Ctrl-C is the service's, which then ends the child
                )
            except OSError as error:
                raise BuildError(
                    f"no process can be started for the build: {error.strerror}",
                    hint="Free some memory or end other processes, then build again.",
                ) from error
        try:
            yield child
        finally:
            child.kill()  # one that has said its last word, or that nobody listens to any more
            with child:
                self._child = None

    def _death(self, status: int, last_words: str) -> BuildError:
        if self._closed:
            return _stopped()
        how = f"was ended by {_signal_name(-status)}" if status < 0 else f"ended with {status}"
        hint = (
            "Memory may have run out: free some, then build again."
            if status == -signal.SIGKILL
            else "Run winnow build to see all that it says."
        )
        return BuildError(
            f"the build {how}" + (f": {last_words}" if last_words else ""),
            hint=f"{hint} The index in use is unharmed.",
        )


def throttled(
    progress: Progress, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Progress:
    """Pass on the beginning and the end of each stage and, between, one call in ``seconds``."""
    stage_told, told = "", 0.0

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal stage_told, told
        now = clock()
        if stage != stage_told or done >= total or now - told >= seconds:
            stage_told, told = stage, now
            progress(stage, done, total)

    return tell


def main() -> None:
    """The child: carry out the order on standard input."""
    order = Order.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _give_way()
    say = _speaker()
    try:
        report = _carry_out(
            order,
            throttled(lambda stage, done, total: say(stage=stage, done=done, total=total), _EVERY),
        )
    except WinnowError as error:
        say(code=error.code, message=str(error), hint=error.hint)
    else:
        say(report=asdict(report))


def _carry_out(order: Order, progress: Progress) -> BuildReport:
    settings = order.settings
    embedder = SentenceEmbedder(settings.model, settings.precision)
    return build(
        settings,
        embedder,
        full=order.full,
        settle=order.settle,
        wait=True,
        examine=examination(settings, embedder),
        progress=progress,
    )


def _end_with_parent() -> None:
    """Wait for the end of standard input, which comes when the parent dies, even if killed."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _give_way() -> None:
    """Let searches have the processor first, and the system's mercy when memory runs out."""
    os.nice(_NICENESS)
    with contextlib.suppress(OSError):  # only Linux has it
        Path("/proc/self/oom_score_adj").write_text(str(_EXPENDABLE), encoding="ascii")


def _speaker() -> Callable[..., None]:
    """A function that writes a line to standard output; what others print goes to the log."""
    lines = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)

    def say(**values: Any) -> None:
        lines.write(json.dumps(values) + "\n")
        lines.flush()

    return say


def _threads() -> int:
    """Half of the cores.

    Priority divides a core's time but not its caches, and threads that wait for one that a search
    holds up burn theirs: with both of two cores, a build under questions took longer, not shorter.
    """
    return max(1, (os.cpu_count() or 1) // 2)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("the child was started without this pipe")
    return stream


def _family(kind: type[WinnowError]) -> dict[str, type[WinnowError]]:
    """Every class of error from ``kind`` down, by its code; a build raises no QueryError."""
    family = {kind.code: kind}
    for child in kind.__subclasses__():
        family |= _family(child)
    return family


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # the real-time signals have no names
        return f"signal {number}"


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").split("\n")
    return "\n".join([line for line in lines if line.strip()][-_LAST_LINES:])


def _stopped() -> BuildError:
    return BuildError(
        "the service was stopped before the build had ended",
        hint="Build again; the index in use is unharmed.",
    )


if __name__ == "__main__":
    main()
