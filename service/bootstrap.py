"""How far a mean over questions can be relied on: the bootstrap's percentile intervals.

Questions are drawn again and again with replacement; between the 2.5th and the 97.5th percentile of
the means lies the interval (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993). The
percentile method is taken as it has a result for metrics that are the same for every question,
where BCa has none. Differences are paired: of each question, one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

from indexer.types import Scores

LEVEL = 0.95
"""The share of intervals that hold the true mean, in the long run."""

_RESAMPLES = 9999
_SEED = 20250703
"""Any constant: the same numbers must give the same interval."""

_NUMBERS = 500_000
"""Numbers drawn at a time, which bounds the memory."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, and the interval in which it is known to lie; None where two questions are lacking.

    It tells from 0 only what excludes 0.
    """

    mean: float
    low: float | None
    high: float | None

    @property
    def above(self) -> bool:
        """Whether the mean is known to be above 0."""
        return self.low is not None and self.low > 0

    @property
    def below(self) -> bool:
        """Whether the mean is known to be below 0."""
        return self.high is not None and self.high < 0


def estimate(*samples: Sequence[float] | Scores) -> Estimate:
    """The mean of a sample, or of the means of several, each of which counts the same.

    Samples have shape (questions,), and questions are drawn anew within each.
    """
    drawn = tuple(np.asarray(each, dtype=np.float64) for each in samples)
    mean = float(np.mean([each.mean() for each in drawn]))
    if min(map(len, drawn)) < 2:
        return Estimate(mean, None, None)
    found = bootstrap(
        drawn,
        _mean_of_means,
        n_resamples=_RESAMPLES,
        batch=max(1, _NUMBERS // max(map(len, drawn))),
        vectorized=True,
        confidence_level=LEVEL,
        method="percentile",
        rng=_SEED,
    ).confidence_interval
    return Estimate(mean, float(found.low), float(found.high))


def _mean_of_means(*samples: Scores, axis: int) -> Scores:
    return np.asarray(np.mean([each.mean(axis=axis) for each in samples], axis=0))
