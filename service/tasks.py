"""What :mod:`service.pool` and its processes say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from indexer.deadlines import Deadline
from indexer.errors import ModelError, WinnowError


@dataclass(frozen=True, slots=True)
class Ready:
    """A process's first word: why there is no embedding model, and why no reader."""

    without_model: ModelError | None
    without_reader: ModelError | None


@dataclass(frozen=True, slots=True)
class Task:
    """One of the engine's methods with what it is given, and how many cores it may use."""

    method: str
    arguments: tuple[Any, ...]
    deadline: Deadline | None
    cores: int


@dataclass(frozen=True, slots=True)
class Done:
    """What the method returned."""

    result: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """What it raised on purpose."""

    error: WinnowError


@dataclass(frozen=True, slots=True)
class Failed:
    """What it raised otherwise, and where, in words: not every error can be sent."""

    account: str


Outcome: TypeAlias = Done | Refused | Failed
