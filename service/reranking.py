"""A second look at the first hits, by a model that reads the question and a paragraph together.

What it believes about a paragraph, from 0 to 1, is one more contribution to its score beside those
of words and meaning. It was trained on questions and English paragraphs: others are left where the
searches put them, and so are those it had no time for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from service.extracts import Extract
from service.fusion import Contribution
from service.ranked import Ranked


def reranked(
    ranked: Sequence[Ranked], extracts: Mapping[int, Extract], weight: float
) -> tuple[Ranked, ...]:
    """The paragraphs by ``1 - weight`` of their scores and ``weight`` of their extracts' belief.

    Equal scores keep their order. A paragraph without an extract gets nothing from that side.
    """
    if not extracts:
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
