"""Whose words a hit or an answer is, of all who say something in its paragraph."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.quotations import overlap
from indexer.types import Attribution, Span


def of_sentence(attributions: Sequence[Attribution], sentence: Span) -> Attribution | None:
    """The one who most clearly says much of ``sentence``; None where nobody says any of it.

    Much is half of what is said by whoever says most. Of equals it is who says most, then who says
    the least besides.
    """
    said = [(each.odds, _share(each, sentence), -_length(each), each) for each in attributions]
    most = max((share for _, share, _, _ in said), default=0)
    much = [each for each in said if most and 2 * each[1] >= most]
    return max(much, key=lambda each: each[:3])[3] if much else None


def of_answer(
    attributions: Sequence[Attribution], answer: Span, sentence: Span
) -> Attribution | None:
    """The one who says what ``answer`` is; of several, who is nearest to it.

    Where nobody says just that, it is who says most of its ``sentence``. An answer that only names
    somebody is not by that one: of "Kern said that it is late", "Kern" is nobody's word.
    """
    if answer == sentence:
        return of_sentence(attributions, sentence)
    others = [each for each in attributions if not _names(answer, each.speaker)]
    around = [each for each in others if any(_covers(span, answer) for span in each.content)]
    return min(around, key=_length, default=None) or of_sentence(others, sentence)


def _share(attribution: Attribution, sentence: Span) -> int:
    return sum(overlap(span, sentence) for span in attribution.content)


def _length(attribution: Attribution) -> int:
    return sum(end - start for start, end in attribution.content)


def _names(answer: Span, speaker: Span) -> bool:
    return 2 * overlap(answer, speaker) > answer.end - answer.start


def _covers(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
