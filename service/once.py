"""What is made when it is first asked for, once, whichever threads ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Once(Generic[_T]):
    """Calls ``make`` at the first call and gives what it returned to all; who comes early waits."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._made: list[_T] = []
        self._lock = threading.Lock()

    @property
    def made(self) -> bool:
        """Whether it was asked for."""
        return bool(self._made)

    def __call__(self) -> _T:
        """What ``make`` returned."""
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]
