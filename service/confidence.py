"""How sure a reading is: the probability that it is right, from what was measured of it.

A reader knows scores; what a score is worth has to be learnt from questions whose answers are
known. What was learnt are few numbers, made by ``benchmarks/calibration.py`` and kept in a JSON
file beside the weights that they belong to. There is one fit for each set of measures that a
reading can have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from indexer.disk import replace
from indexer.errors import ModelError

CALIBRATION = Path(__file__).resolve().parent / "weights" / "calibration.json"
"""The one that ships with the reader's weights."""

_MEND = "Reinstall Winnow, or fit it anew with benchmarks/calibration.py."
_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Weight:
    """What a point of a measure adds to the logit, from ``low`` to ``high``.

    Those are the least and the most that the fit was shown. What lies beyond counts as they do: a
    straight line is known to hold only where it was fitted.
    """

    weight: float
    low: float
    high: float

    def points(self, value: float) -> float:
        """What ``value`` adds to the logit; infinities are as good as any other number."""
        return self.weight * min(max(value, self.low), self.high)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Fit:
    """A logistic regression over the measures named in ``weights``.

    ``readings`` were shown to it, ``right`` of which are right.
    """

    bias: float
    weights: dict[str, Weight]
    readings: Annotated[int, Field(ge=1)]
    right: Annotated[int, Field(ge=0)]

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability that a reading with these measures is right."""
        points = (weight.points(features[name]) for name, weight in self.weights.items())
        logit = self.bias + math.fsum(points)
        # Either form alone overflows at one end.
        return 1 / (1 + math.exp(-logit)) if logit >= 0 else 1 - 1 / (1 + math.exp(logit))


@dataclass(frozen=True, slots=True, config=_STRICT)
class Calibration:
    """The fits, of which no two have the same measures."""

    fits: tuple[Fit, ...]

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability that a reading with exactly these measures is right.

        Raises:
            ModelError: There is no fit to these measures, or one of them is not a number.
        """
        if lost := [name for name, value in features.items() if math.isnan(value)]:
            raise ModelError(f"a reading has no number for {', '.join(lost)}", hint=_MEND)
        for fit in self.fits:
            if fit.weights.keys() == features.keys():
                return fit.probability(features)
        raise ModelError(
            f"the confidence was not fitted to readings with {', '.join(sorted(features))}",
            hint=_MEND,
        )


_FILE = TypeAdapter(Calibration)


def read(path: Path = CALIBRATION) -> Calibration:
    """The calibration in the JSON file ``path``, as :func:`write` wrote it.

    Raises:
        ModelError: It is not there, or is not as it was written.
    """
    try:
        return _FILE.validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}", hint=_MEND) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        raise ModelError(f"{path} is no calibration: {reason}", hint=_MEND) from error


def write(calibration: Calibration, path: Path = CALIBRATION) -> None:
    """Keep ``calibration`` in ``path``."""
    replace(path, _FILE.dump_json(calibration, indent=1).decode() + "\n")
