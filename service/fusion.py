"""Merging two searches into one ranking, each hit with what it owes to which side.

The default is the convex combination of scores normalised by their theoretical minimum and the
query's best score (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval",
ACM TOIS 42(1), 2023, where it is called TM2C2). It needs the score of every candidate on both
sides; with that it beats rank fusion wherever one side is weak. Reciprocal rank fusion (Cormack,
Clarke and Büttcher, SIGIR 2009) is the alternative.
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
    is the lowest score that the search could give: 0 for BM25, -1 for a cosine.
    """

    source: str
    scores: Scores
    ranks: Ids
    minimum: float
    weight: float


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
    """Each side's scores on a scale from its theoretical minimum (0) to the query's best (1)."""
    return [_from_minimum(side) for side in sides]


def reciprocal_rank(sides: list[Side]) -> list[Scores]:
    """Each side's reciprocal ranks on a scale on which the first rank has 1; 0 where unlisted."""
    return [
        np.where(side.ranks > 0, (RRF_K + 1) / (RRF_K + np.maximum(side.ranks, 1)), 0.0)
        for side in sides
    ]


FUSIONS = {"convex": convex, "rrf": reciprocal_rank}
"""Ways to put the sides on one scale, by the name of the setting."""


def contributions(sides: list[Side], normalised: list[Scores]) -> list[tuple[Contribution, ...]]:
    """What every side adds to every candidate; the sum of its points is a candidate's score."""
    return [
        tuple(
            Contribution(
                source=side.source,
                rank=int(side.ranks[i]) or None,
                raw=float(side.scores[i]),
                normalised=float(scale[i]),
                weight=side.weight,
                points=float(scale[i]) * side.weight,
            )
            for side, scale in zip(sides, normalised, strict=True)
        )
        for i in range(len(sides[0].scores))
    ]


def _from_minimum(side: Side) -> Scores:
    if not len(side.scores):
        return side.scores
    best = side.scores.max()
    if best <= side.minimum:  # nothing matched: the side has no say
        return np.zeros_like(side.scores)
    return np.asarray((side.scores - side.minimum) / (best - side.minimum))
