"""A ranking's paragraphs: each in its place, with what put it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from indexer.types import Ids
from service.copies import Groups
from service.fusion import FUSIONS, Contribution, Side, contributions


@dataclass(frozen=True, slots=True)
class Ranked:
    """A paragraph in its place, from 1: the score is the sum of the contributions' points.

    ``copies`` are near-identical paragraphs that have no place of their own.
    """

    paragraph: int
    rank: int
    score: float
    contributions: tuple[Contribution, ...]
    copies: tuple[int, ...] = ()

    @property
    def paragraphs(self) -> tuple[int, ...]:
        """The paragraph and its copies."""
        return (self.paragraph, *self.copies)


def merged(keys: Ids, sides: list[Side], weights: list[float], fusion: str) -> tuple[Ranked, ...]:
    """The paragraphs ``keys`` by what the sides add up to; see :data:`~service.fusion.FUSIONS`."""
    parts = contributions(sides, weights, FUSIONS[fusion](sides))
    totals = np.array([sum(part.points for part in each) for each in parts])
    order = np.lexsort((keys, -totals))
    return tuple(
        Ranked(int(keys[i]), place, float(totals[i]), parts[i])
        for place, i in enumerate(order, start=1)
    )


def gathered(ranked: Sequence[Ranked], groups: Groups) -> tuple[Ranked, ...]:
    """The first of each group with the others as its copies, places counted anew."""
    return tuple(
        replace(ranked[first], rank=place, copies=tuple(ranked[i].paragraph for i in copies))
        if copies or ranked[first].rank != place
        else ranked[first]
        for place, (first, *copies) in enumerate(groups, start=1)
    )
