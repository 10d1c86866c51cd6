"""What a trained reader makes of passages, and the seam behind which it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.types import Span

_SURE = 15.0
"""Scores beyond which nothing is surer."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What the reader makes of a passage.

    ``spans`` are of its text, best first, each with the sum of the scores of its ends above that
    of there being no answer. ``answerable`` is the score, a logit, for there being one.
    """

    spans: tuple[tuple[Span, float], ...]
    answerable: float

    @property
    def belief(self) -> float:
        """How much speaks for the passage answering, from 0 to 1; at .5 as much as against it.

        It is linear in the scores: most of what tells the better of two passages apart is lost
        where a probability is made of them.
        """
        best = max((score for _, score in self.spans), default=-_SURE)
        mean = (best + self.answerable) / 2
        return (min(max(mean, -_SURE), _SURE) + _SURE) / (2 * _SURE)


class Extractor(Protocol):
    """Finds in passages what may answer a question."""

    def read(self, question: str, passages: Sequence[str], seconds: float) -> list[Extract | None]:
        """An extract of each passage, in order; None for those not reached within ``seconds``."""
