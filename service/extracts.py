"""What a trained reader makes of passages, and the seam behind which it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.types import Span


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
        """An estimate of the probability that the passage answers the question, from 0 to 1."""
        return 1 / (1 + math.exp(-self.answerable))


class Extractor(Protocol):
    """Finds in passages what may answer a question."""

    def read(self, question: str, passages: Sequence[str], seconds: float) -> list[Extract | None]:
        """An extract of each passage, in order; None for those not reached within ``seconds``."""
