"""How many requests are served at once, how many wait, and what becomes of the rest.

A search is work for the processor. To begin more of them than there are cores for makes each take
longer and none end sooner, and a queue that may grow makes all of them late. So as many are served
as there are places, a few wait in the order in which they came, and whoever comes on top is told at
once to come again: who is let in waits no longer than for the few before.

Gunicorn's threads take connections from a queue of their own, which is why refusing has to have
threads left: the server has more of them than may be serving and waiting together.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from indexer.errors import Overloaded

_RETRY = 1
"""Seconds after which one who was refused may find room: places change hands many times in one."""


class Admission:
    """``places`` to be served in, and a queue of at most ``waiting`` for ``patience`` seconds."""

    def __init__(self, places: int, waiting: int, patience: float) -> None:
        self._places = places
        self._waiting = waiting
        self._patience = patience
        self._free = places
        self._queue: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @property
    def serving(self) -> int:
        """Requests that have a place."""
        return self._places - self._free

    @property
    def waiting(self) -> int:
        """Requests that wait for one."""
        return len(self._queue)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place while the block runs, after waiting for it if need be.

        Raises:
            Overloaded: As many wait as may, or this one has waited as long as it may.
        """
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            if self._free:  # then nobody waits: who leaves hands the place on
                self._free -= 1
                return
            if len(self._queue) >= self._waiting:
                raise _refusal(
                    f"{self._places} requests are being served and {self._waiting} wait, "
                    "which is as many as may"
                )
            turn = threading.Event()
            self._queue.append(turn)
        if turn.wait(self._patience):
            return
        with self._lock:
            if turn.is_set():  # it came at the last moment
                return
            self._queue.remove(turn)
        raise _refusal(
            f"for {self._patience:g} s there was no place among the {self._places} requests that "
            "are served at once"
        )

    def _leave(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._free += 1


def _refusal(reason: str) -> Overloaded:
    hint = f"Ask again in {_RETRY} s; the settings threads and waiting say how many may ask."
    return Overloaded(reason, hint=hint, retry_after=_RETRY)
