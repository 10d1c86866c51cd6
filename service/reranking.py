"""A second look at the first hits, by a model that reads the question and a paragraph together.

What it believes about a paragraph, from 0 to 1, is one more contribution to its score beside those
of words and meaning. It was trained on questions that a few words of a paragraph answer: what is no
question it does not rerank, nor paragraphs as long as abstracts of research, which are relevant as
wholes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from service.extracts import Extract
from service.fusion import Contribution
from service.ranked import Ranked

_INTERROGATIVE = re.compile(
    r"\?\s*$|\b(?:who|whom|whose|what|when|where|which|why|how)\b"
    r"|^\W*(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might)\b",
    re.IGNORECASE,
)

_SHORT, _LONG = 120, 150
"""Words of the median paragraph up to which reranking counts whole, and from which not at all."""


def aptness(question: str, passages: Sequence[str]) -> float:
    """How far ``question`` and ``passages`` are such as the reader was trained on, from 0 to 1."""
    if not passages or not _INTERROGATIVE.search(question):
        return 0.0
    words = float(np.median([len(text.split()) for text in passages]))
    return min(max((_LONG - words) / (_LONG - _SHORT), 0.0), 1.0)


def reranked(
    ranked: Sequence[Ranked], extracts: Mapping[int, Extract], weight: float
) -> tuple[Ranked, ...]:
    """The paragraphs by ``1 - weight`` of their scores and ``weight`` of their extracts' belief.

    Equal scores keep their order. A paragraph without an extract gets nothing from that side.
    """
    if not extracts or not weight:
        return tuple(ranked)
    places = {
        paragraph: place
        for place, paragraph in enumerate(
            sorted(extracts, key=lambda paragraph: -extracts[paragraph].answerable), start=1
        )
    }
    scored = [
        _with(each, extracts.get(each.paragraph), places.get(each.paragraph), weight)
        for each in ranked
    ]
    scored.sort(key=lambda each: -each.score)
    return tuple(replace(each, rank=place) for place, each in enumerate(scored, start=1))


def _with(each: Ranked, extract: Extract | None, place: int | None, weight: float) -> Ranked:
    parts = [
        replace(part, weight=part.weight * (1 - weight), points=part.points * (1 - weight))
        for part in each.contributions
    ]
    if extract is not None:
        points = weight * extract.belief
        parts.append(
            Contribution("rerank", place, extract.answerable, extract.belief, weight, points)
        )
    return replace(each, score=sum(part.points for part in parts), contributions=tuple(parts))
