"""Whose words a hit or an answer is, of all who say something in its paragraph."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.quotations import overlap
from indexer.types import Attribution, Span


def of_sentence(attributions: Sequence[Attribution], sentence: Span) -> Attribution | None:
    """The one who says most of ``sentence``; None where nobody says any of it.

    Of several who say the same, that is who says the least besides.
    """
    shares = [(_share(each, sentence), -_length(each), each) for each in attributions]
    most = max(shares, key=lambda share: share[:2], default=None)
    return most[2] if most is not None and most[0] else None


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
