"""Merging two searches into one ranking, each hit with what it owes to which side.

The default is a convex combination of scores normalised by what each side could give at least and
at most: 0 and BM25's bound for the query's words, -1 and 1 for a cosine. Normalising by theoretical
minima is due to Bruch, Gai and Ingber ("An Analysis of Fusion Functions for Hybrid Retrieval", ACM
TOIS 42(1), 2023); they take the query's best score for the maximum, which makes the best of a few
chance matches as good as a perfect one. With both bounds a score means the same for every query.
Every candidate needs its score on both sides. Reciprocal rank fusion (Cormack, Clarke and Büttcher,
SIGIR 2009), here with the same weights, is the alternative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.types import Ids, Scores

RRF_K = 60
"""Cormack et al.'s constant: how little the first rank counts above the second."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one search says of every candidate: aligned arrays of shape (n,).

    ``ranks`` are those in that search's own list, 0 where the candidate is not in it. ``minimum``
    and ``maximum`` are the lowest and the highest score that the search could give for the query.
    """

    source: str
    scores: Scores
    ranks: Ids
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one side adds to a hit: ``points = weight * normalised``; points sum to the score."""

    source: str
    rank: int | None
    raw: float
    normalised: float
    weight: float
    points: float


def convex(sides: list[Side]) -> list[Scores]:
    """Each side's scores on a scale from its minimum (0) to its maximum (1)."""
    return [
        (side.scores - side.minimum) / (side.maximum - side.minimum)
        if side.maximum > side.minimum
        else np.zeros_like(side.scores)  # the side has nothing to go by
        for side in sides
    ]


def reciprocal_rank(sides: list[Side]) -> list[Scores]:
    """Each side's reciprocal ranks on a scale on which the first rank has 1; 0 where unlisted."""
    return [
        np.where(side.ranks > 0, (RRF_K + 1) / (RRF_K + np.maximum(side.ranks, 1)), 0.0)
        for side in sides
    ]


FUSIONS = {"convex": convex, "rrf": reciprocal_rank}
"""Ways to put the sides on one scale, by the name of the setting."""


def contributions(
    sides: list[Side], weights: list[float], normalised: list[Scores]
) -> list[tuple[Contribution, ...]]:
    """What every side adds to every candidate; the sum of its points is a candidate's score."""
    each_side = [
        [
            Contribution(side.source, rank or None, raw, scaled, weight, scaled * weight)
            for rank, raw, scaled in zip(
                side.ranks.tolist(), side.scores.tolist(), scale.tolist(), strict=True
            )
        ]
        for side, weight, scale in zip(sides, weights, normalised, strict=True)
    ]
    return list(zip(*each_side, strict=True))
