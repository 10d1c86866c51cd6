"""A second look at the first hits, by a model that reads the question and a paragraph together.

What speaks for a paragraph is how well the best span in it answers, and that it holds the answer
which most of what was read gives. Scaled from 0 to 1, that is one more contribution to its score
beside those of words and meaning. The model was trained on questions that a few words of a
paragraph answer: what is no such question it does not rerank, nor paragraphs as long as abstracts
of research, which are relevant as wholes, nor where nothing that it reads answers.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from service.extracts import Extract
from service.fusion import Contribution
from service.metrics import normalised
from service.ranked import Ranked

_INTERROGATIVE = re.compile(
    r"\?\s*$|\b(?:who|whom|whose|what|when|where|which|why|how)\b", re.IGNORECASE
)
_YES_OR_NO = re.compile(
    r"^\W*(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might)\b"
    r"(?!.*\b(?:who|whom|whose|what|when|where|which|why|how)\b)",
    re.IGNORECASE | re.DOTALL,
)

_SHORT, _LONG = 130, 160
"""Words of the median paragraph up to which reranking counts whole, and from which not at all."""

_NO_ANSWER, _ANSWER = 2.0, 6.0
"""Merits of the best up to which reranking does not count, and from which it counts whole."""

_MOST = 15.0
"""Merits beyond which, up or down, nothing counts more."""

_AGREED = 5.0
"""What it adds to a paragraph's merit to hold the answer that is surely the one given most."""


def aptness(question: str, passages: Sequence[str]) -> float:
    """How far ``question`` and ``passages`` are such as the reader was trained on, from 0 to 1."""
    if not passages or not _INTERROGATIVE.search(question) or _YES_OR_NO.search(question):
        return 0.0
    words = float(np.median([len(text.split()) for text in passages]))
    return min(max((_LONG - words) / (_LONG - _SHORT), 0.0), 1.0)


def sureness(extracts: Iterable[Extract]) -> float:
    """How far any of what was read answers, from 0 to 1: where nothing does, merits tell little."""
    best = max((extract.merit for extract in extracts), default=_NO_ANSWER)
    return min(max((best - _NO_ANSWER) / (_ANSWER - _NO_ANSWER), 0.0), 1.0)


def merits(extracts: Mapping[int, Extract], texts: Mapping[int, str]) -> dict[int, float]:
    """What speaks for each paragraph that was read, in logits; ``texts`` are theirs.

    Paragraphs whose best spans say the same vote for it, each with the probability that its merit
    stands for. Whatever holds the answer with the most votes gains, the more the surer that is.
    """
    votes: dict[str, float] = defaultdict(float)
    for key, extract in extracts.items():
        if extract.spans:
            answer = normalised(texts[key][slice(*extract.spans[0][0])])
            votes[answer] += 1 / (1 + math.exp(-max(extract.merit, -_MOST)))
    agreed = max(votes, key=lambda answer: votes[answer], default="")
    gain = _AGREED * min(1.0, votes[agreed]) if agreed else 0.0
    return {
        key: extract.merit + gain * (f" {agreed} " in f" {normalised(texts[key])} ")
        for key, extract in extracts.items()
    }


def reranked(
    ranked: Sequence[Ranked], merits: Mapping[int, float], weight: float
) -> tuple[Ranked, ...]:
    """The paragraphs by ``1 - weight`` of their scores and ``weight`` of their merits.

    Equal scores keep their order. A paragraph without a merit gets nothing from that side.
    """
    if not merits or not weight:
        return tuple(ranked)
    order = sorted(merits, key=lambda paragraph: -merits[paragraph])
    places = {paragraph: place for place, paragraph in enumerate(order, start=1)}
    scored = [
        _with(each, merits.get(each.paragraph), places.get(each.paragraph), weight)
        for each in ranked
    ]
    scored.sort(key=lambda each: -each.score)
    return tuple(replace(each, rank=place) for place, each in enumerate(scored, start=1))


def _with(each: Ranked, merit: float | None, place: int | None, weight: float) -> Ranked:
    parts = [
        replace(part, weight=part.weight * (1 - weight), points=part.points * (1 - weight))
        for part in each.contributions
    ]
    if merit is not None:
        # Linear: a probability would lose most of what tells the better of two good ones apart.
        scaled = (min(max(merit, -_MOST), _MOST) + _MOST) / (2 * _MOST)
        parts.append(Contribution("rerank", place, merit, scaled, weight, weight * scaled))
    return replace(each, score=sum(part.points for part in parts), contributions=tuple(parts))
