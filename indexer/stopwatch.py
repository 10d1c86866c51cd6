"""How long the stages of a build or a request take, told the same way in both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from indexer import deadlines


class Stopwatch:
    """Times stages, in the order in which they first ran, and the whole since it was made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; a stage timed twice adds up.

        Raises:
            DeadlineExceeded: The time within which all is to be done is over; nothing was begun.
        """
        deadlines.check(name)
        start = time.perf_counter()
        yield
        self._stages[name] = self._stages.get(name, 0.0) + time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """The total so far and each stage, in seconds."""
        return self._spent(1)

    def milliseconds(self) -> dict[str, float]:
        """The total so far and each stage, in milliseconds."""
        return self._spent(1000)

    def _spent(self, unit: int) -> dict[str, float]:
        spent = {"total": time.perf_counter() - self._started, **self._stages}
        return {name: round(unit * duration, 3) for name, duration in spent.items()}
