"""A time within which all that is done for one request has to be done.

Work is given up between its stages, which :class:`indexer.stopwatch.Stopwatch` knows: a thread
cannot be ended from outside, and a stage by itself takes milliseconds. The time is kept in the
context, so that what lies between the request and its stages need not hand it on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from indexer.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """When time is over, by ``time.monotonic``, and how many seconds there were.

    That clock is the same for all processes of a machine, so a deadline may be sent to another.
    """

    moment: float
    seconds: float

    @property
    def left(self) -> float:
        """Seconds that are left; negative when time is over."""
        return self.moment - time.monotonic()

    def missed(self, where: str) -> DeadlineExceeded:
        """The error to raise; ``where`` says what was not begun or not ended in time."""
        return DeadlineExceeded(
            f"this took longer than {self.seconds:g} s and was given up {where}",
            hint="Ask again later, or for less; the setting deadline_ms says how long is allowed.",
        )


_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current() -> Deadline | None:
    """The one in force, if there is one."""
    return _deadline.get()


@contextmanager
def until(deadline: Deadline | None) -> Iterator[None]:
    """Have what is done in this block end by then, instead of by what was in force."""
    before = _deadline.get()
    _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.set(before)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give what is done in this block so many seconds from now."""
    with until(Deadline(time.monotonic() + seconds, seconds)):
        yield


def check(stage: str) -> None:
    """Call before ``stage``; does nothing where there is no time limit.

    Raises:
        DeadlineExceeded: Time is over.
    """
    if (deadline := _deadline.get()) is not None and deadline.left < 0:
        raise deadline.missed(f"before its stage {stage!r}")
