"""How much meaning counts against words for a question, from what both searches found.

The embedding model reads English. Where the paragraphs that fit the words best are in other
languages, meaning is left a small share. In English it counts more, the further the nearest
paragraph in meaning is ahead of the best one by words: words then miss what the question is about.
Other signals were tried and did not hold on sets that they were not fitted to; see
``benchmarks/results/fusion.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

from indexer.settings import Settings


@dataclass(frozen=True, slots=True)
class Trust:
    """The parameters: all of a query's weight that is not fixed by what it finds.

    ``semantic`` is the share of meaning where the model reads the language, ``foreign`` where it
    does not. ``lead`` is what each point of cosine adds by which the best by meaning is ahead.
    """

    semantic: float
    foreign: float
    lead: float

    @classmethod
    def of(cls, settings: Settings) -> Trust:
        """The parameters that are set."""
        return cls(settings.semantic_weight, settings.foreign_weight, settings.lead_weight)


@dataclass(frozen=True, slots=True)
class Signals:
    """What a query shows.

    ``readable`` is the share of the best paragraphs by words that are in the model's language.
    ``lead`` is by how much the cosine of the best by meaning exceeds that of the best by words.
    """

    readable: float
    lead: float


def semantic_share(trust: Trust, signals: Signals) -> float:
    """The share of meaning in the fused score, from 0 to 1."""
    told = trust.semantic + trust.lead * signals.lead
    share = signals.readable * told + (1 - signals.readable) * trust.foreign
    return min(max(share, 0.0), 1.0)
