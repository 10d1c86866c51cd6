"""What a confidence is worth: how well it tells right from wrong, and whether it is true.

All take ``confidence``, shape (n,), and ``right``, booleans of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence is from ``low`` to ``high``: how many, how sure and how right."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


def risk_coverage(confidence: Numbers, right: Flags) -> tuple[Numbers, Numbers]:
    """Coverage and risk with the k surest answered, for each k from 1 to n.

    Coverage is the share that is answered, risk the share of those that is wrong (El-Yaniv and
    Wiener, JMLR 2010). No threshold parts equal confidences: between them risk is what it would be
    on average if one were drawn by lot.
    """
    order = np.argsort(-confidence, kind="stable")
    sure, wrong = confidence[order], np.cumsum(~right[order])
    last = np.flatnonzero(np.append(np.diff(sure) != 0, True))
    answered = np.arange(1, len(sure) + 1)
    risked = np.interp(answered, np.append(0, last + 1), np.append(0, wrong[last])) / answered
    return answered / len(sure), risked


def area(confidence: Numbers, right: Flags) -> float:
    """The area under the curve of risk and coverage: the mean risk over all coverages."""
    return float(risk_coverage(confidence, right)[1].mean())


def reliability(confidence: Numbers, right: Flags) -> list[Bin]:
    """Ten bins of equal width, those with no answer left out."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        Bin(
            number / BINS,
            (number + 1) / BINS,
            int(inside.sum()),
            float(confidence[inside].mean()),
            float(right[inside].mean()),
        )
        for number in range(BINS)
        if (inside := place == number).any()
    ]


def calibration_error(confidence: Numbers, right: Flags) -> float:
    """Expected calibration error: by how much bins are surer or less sure than right, on average.

    Each bin counts as many times as it has answers (Guo et al., ICML 2017).
    """
    bins = reliability(confidence, right)
    return sum(each.count * abs(each.confidence - each.right) for each in bins) / len(right)


def brier(confidence: Numbers, right: Flags) -> float:
    """Brier score: the mean square of what lies between confidence and truth."""
    return float(np.mean((confidence - right) ** 2))


def threshold_for(confidence: Numbers, share: float) -> float:
    """The highest threshold that at least ``share`` of the confidences reach."""
    needed = int(np.ceil(share * len(confidence) - 1e-9))
    return float(np.sort(confidence)[::-1][needed - 1])
