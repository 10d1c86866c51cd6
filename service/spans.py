"""Spans of tokens that the reader's scores favour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LONGEST = 30
"""Tokens of an answer at most, as in BERT's own reader."""


class TokenSpan(NamedTuple):
    """The answer from token ``first`` to token ``last``, both included, and its score."""

    first: int
    last: int
    score: float


def best_spans(
    first: npt.NDArray[np.floating], last: npt.NDArray[np.floating], count: int
) -> list[TokenSpan]:
    """The ``count`` best spans of a passage by the sum of the scores of their ends.

    ``first`` and ``last`` have shape (tokens,). Spans may overlap.
    """
    sums = first[:, None] + last[None, :]
    sums[np.tri(len(first), k=-1, dtype=bool)] = -np.inf
    sums[~np.tri(len(first), k=LONGEST - 1, dtype=bool)] = -np.inf
    flat = sums.ravel()
    top = np.argpartition(-flat, min(count, len(flat) - 1))[:count]
    top = top[np.argsort(-flat[top], kind="stable")]
    return [
        TokenSpan(int(at // len(first)), int(at % len(first)), float(flat[at]))
        for at in top
        if np.isfinite(flat[at])
    ]
