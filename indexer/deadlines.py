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

from indexer.errors import DeadlineExceeded

_limit: ContextVar[tuple[float, float] | None] = ContextVar("limit", default=None)
"""When time is over, of ``time.monotonic``, and how many seconds there were."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give what is done in this block so many seconds, instead of what it had."""
    before = _limit.get()
    _limit.set((time.monotonic() + seconds, seconds))
    try:
        yield
    finally:
        _limit.set(before)


def check(stage: str) -> None:
    """Call before ``stage``; does nothing where there is no time limit.

    Raises:
        DeadlineExceeded: Time is over.
    """
    if (limit := _limit.get()) is not None and time.monotonic() > limit[0]:
        raise DeadlineExceeded(
            f"this took longer than {limit[1]:g} s and was given up before its stage {stage!r}",
            hint="Ask again later, or for less; the setting deadline_ms says how long is allowed.",
        )
