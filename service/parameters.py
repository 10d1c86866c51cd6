"""The parameters of the merge that can be fitted to judged questions, and what they stand for.

This is the one place that knows them: a further one needs its range and settings field here and its
part in :func:`shares`. All else, from the search for the best to the file that keeps them, deals in
names and values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from indexer.settings import Settings
from indexer.types import Scores
from service.trust import Trust, semantic_shares


@dataclass(frozen=True, slots=True)
class Range:
    """The values from ``low`` to ``high`` that are tried, in ``steps`` steps of the same size."""

    low: float
    high: float
    steps: int

    def values(self) -> list[float]:
        """They, rising."""
        values = np.linspace(self.low, self.high, self.steps + 1).round(6)
        return [float(value) for value in values]


PARAMETERS = {
    "semantic_weight": Range(0.0, 1.0, 20),
    "foreign_weight": Range(0.0, 1.0, 20),
    "lead_weight": Range(0.0, 3.0, 20),
}
"""What can be fitted, by the names of the settings."""


def current(settings: Settings) -> dict[str, float]:
    """The values in ``settings``."""
    return {name: float(getattr(settings, name)) for name in PARAMETERS}


def chosen(settings: Settings) -> frozenset[str]:
    """The parameters that the user has set, in a file or the environment: they are not fitted."""
    return frozenset(PARAMETERS.keys() & settings.model_fields_set)


def shares(values: Mapping[str, float], readable: Scores, lead: Scores) -> Scores:
    """The share of meaning in each question's ranking, from its signals, shape (questions,)."""
    trust = Trust(values["semantic_weight"], values["foreign_weight"], values["lead_weight"])
    return semantic_shares(trust, readable, lead)
