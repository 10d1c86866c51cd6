"""Weights fitted to the user's own questions, as ``winnow tune`` keeps them beside the index.

The file belongs to the user, like the saved questions: builds leave it alone, and it holds for
every generation that the same model made. What the user has set otherwise wins over it. It is
looked at for every search, so that a service follows it at once; one that cannot be used changes
nothing, and is said with every result that it would have changed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass as plain_dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from indexer.disk import replace
from indexer.errors import TuningError
from indexer.generations import Generations
from indexer.settings import Settings
from service.parameters import PARAMETERS, chosen

_RESET = "Run: winnow tune --reset"


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Tuning:
    """Fitted ``parameters``, and what they were found to be worth.

    ``gain`` is what they add to the mean nDCG@10 of ``questions`` questions of ``origin`` on which
    they were not fitted, ``low`` and ``high`` are the ends of its interval. ``model`` is the
    fingerprint of the embedding model whose scores they weigh.
    """

    parameters: dict[str, float]
    origin: tuple[str, ...]
    questions: Annotated[int, Field(ge=1)]
    gain: float
    low: float
    high: float
    model: str
    when: dt.datetime

    def __str__(self) -> str:
        values = ", ".join(f"{name} {value:g}" for name, value in self.parameters.items())
        questions = f"{self.questions} questions of {', '.join(self.origin)}"
        gain = f"nDCG@10 {self.gain:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"
        return f"{values}: fitted on {self.when.date()} to {questions}, {gain}"


_FILE = TypeAdapter(Tuning)


def read(index: Path) -> Tuning | None:
    """What is kept for the folder ``index``; None where nothing was fitted.

    Raises:
        TuningError: The file cannot be read, or is not as it was written.
    """
    path = Generations(index).tuning
    try:
        tuning = _FILE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TuningError(f"{path} cannot be read: {error.strerror}", hint=_RESET) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        raise TuningError(f"{path} is damaged: {reason}", hint=_RESET) from error
    for name, value in tuning.parameters.items():
        if name not in PARAMETERS:
            raise TuningError(f"{path} is damaged: nothing called {name!r} is fitted", hint=_RESET)
        if not PARAMETERS[name].low <= value <= PARAMETERS[name].high:
            raise TuningError(f"{path} is damaged: {name} cannot be {value}", hint=_RESET)
    return tuning


def write(index: Path, tuning: Tuning) -> None:
    """Keep ``tuning``; only for who holds the right to write the index."""
    replace(Generations(index).tuning, _FILE.dump_json(tuning, indent=1).decode() + "\n")


def remove(index: Path) -> bool:
    """Forget what was fitted, readable or not; returns whether there was anything.

    Only for who holds the right to write the index.
    """
    path = Generations(index).tuning
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


@plain_dataclass(frozen=True, slots=True)
class InForce:
    """What was fitted and is used, ``parameters`` by name, or why it is not."""

    parameters: dict[str, float]
    problem: str | None = None


class Tuned:
    """What was fitted for the index folder of ``settings`` and the model ``model``, as of now."""

    def __init__(self, settings: Settings, model: str) -> None:
        self._index = settings.index
        self._path = Generations(settings.index).tuning
        self._model = model
        self._chosen = chosen(settings)
        self._seen: tuple[object, InForce] | None = None

    def now(self) -> InForce:
        """What is in force; the file is read again when it has changed."""
        stamp = self._stamp()
        seen = self._seen
        if seen is None or seen[0] != stamp:
            # Threads may both do this; they find the same.
            seen = self._seen = stamp, self._read()
        return seen[1]

    def over(self, settings: Settings) -> Settings:
        """``settings`` with what is in force."""
        parameters = self.now().parameters
        return settings.model_copy(update=parameters) if parameters else settings

    def _stamp(self) -> object:
        try:
            status = self._path.stat()
        except OSError as error:
            return error.errno
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> InForce:
        try:
            tuning = read(self._index)
        except TuningError as error:
            return InForce({}, f"fitted weights are not used: {error}. {error.hint}")
        if tuning is None:
            return InForce({})
        if tuning.model != self._model:
            reason = "they were fitted with another embedding model. Run: winnow tune"
            return InForce({}, f"fitted weights are not used: {reason}")
        used = {n: value for n, value in tuning.parameters.items() if n not in self._chosen}
        return InForce(used)
