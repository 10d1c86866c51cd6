"""What a trained reader makes of passages, and the seam behind which it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.types import Span


@dataclass(frozen=True, slots=True)
class Extract:
    """What the reader makes of a passage; all scores are logits.

    ``spans`` are of its text, best first, each with its margin: the sum of the scores of its ends
    above that of there being no answer, which is ``nothing``.
    """

    spans: tuple[tuple[Span, float], ...]
    nothing: float = 0.0

    @property
    def merit(self) -> float:
        """How much speaks for the passage answering: half of what speaks against it is taken off.

        Of the best span's score alone, its margin and their means, this one put relevant paragraphs
        first most often.
        """
        return self.spans[0][1] + self.nothing / 2 if self.spans else NONE


NONE = -15.0
"""The merit of a passage without a word: as little as there is."""


class Extractor(Protocol):
    """Finds in passages what may answer a question."""

    def read(self, question: str, passages: Sequence[str], seconds: float) -> list[Extract | None]:
        """An extract of each passage, in order; None for those not reached within ``seconds``."""
