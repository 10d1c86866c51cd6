"""How much meaning counts against words for a question, from what both searches found.

The embedding model reads English. Where the paragraphs that fit the words best are in other
languages, meaning is left a small share. In English it counts more, the further the nearest
paragraph in meaning is ahead of the best one by words: words then miss what the question is about.
Other signals were tried and did not hold on sets that they were not fitted to; see
``benchmarks/results/fusion.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.settings import Settings
from indexer.types import Scores

LEAD = 0.25
"""The most of a lead that counts, in cosine: words always have a say."""


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


@dataclass(frozen=True, slots=True)
class Weighting:
    """The ``share`` of meaning in a ranking, from 0 to 1, and what it follows from."""

    share: float
    signals: Signals

    def __str__(self) -> str:
        readable, lead = self.signals.readable, self.signals.lead
        if readable == 1:
            language = "what the words find is in English, which the model reads"
        elif readable == 0:
            language = "what the words find is in languages that the model does not read"
        else:
            language = f"{readable:.0%} of what the words find best is in English"
        ahead = f"; in meaning, the nearest is {lead:.3f} ahead of that" if lead else ""
        return f"meaning counts {self.share:.2f}, words {1 - self.share:.2f}: {language}{ahead}"


def weighting(trust: Trust, signals: Signals) -> Weighting:
    """How much meaning counts for a query that shows ``signals``."""
    share = semantic_shares(trust, np.array([signals.readable]), np.array([signals.lead]))
    return Weighting(float(share[0]), signals)


def semantic_shares(trust: Trust, readable: Scores, lead: Scores) -> Scores:
    """The share of meaning in each of several queries' scores, from 0 to 1, shape (queries,)."""
    told = trust.semantic + trust.lead * np.minimum(lead, LEAD)
    return np.clip(readable * told + (1 - readable) * trust.foreign, 0.0, 1.0)
