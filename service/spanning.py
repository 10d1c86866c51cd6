"""Answers in the words that the trained reader marked.

Where a passage was read, its spans are proposed, each within one sentence. Where it was not, as it
is in a language that the reader does not know or time ran out, a whole sentence is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from indexer.sentences import sentence_at
from indexer.types import Span
from service.confidence import Calibration
from service.metrics import normalised
from service.reading import (
    Evidence,
    Reading,
    SentenceReader,
    overlapping,
)

_TOGETHER = 0.2
"""How much a logit counts where several say the same: 0.1 to 0.3 do alike."""


class SpanReader:
    """A :class:`~service.reading.Reader` whose ``calibration`` says what its scores are worth."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration
        self._sentences = SentenceReader()

    def read(self, question: str, evidence: Sequence[Evidence]) -> list[Reading]:
        """See :class:`Reader`; a passage may give several answers."""
        readings = self._sentences.read(question, [each for each in evidence if not each.extract])
        proposed = _pooled([reading for each in evidence for reading in _proposed(each)])
        for reading, lead in zip(proposed, _leads(proposed), strict=True):
            features = {**reading.features, "lead": lead}
            confidence = self._calibration.probability(features)
            readings.append(replace(reading, confidence=confidence, features=features))
        return sorted(readings, key=lambda reading: -reading.confidence)


def _proposed(evidence: Evidence) -> Iterator[Reading]:
    if evidence.extract is None:
        return
    paragraph = evidence.passage.paragraph
    for span, margin in evidence.extract.spans:
        number = sentence_at(paragraph.sentences, span.start)
        sentence = paragraph.sentences[number]
        answer = Span(max(span.start, sentence.start), min(span.end, sentence.end))
        yield Reading(evidence.passage, answer, sentence, 0.0, {"margin": margin})


def _pooled(proposed: Sequence[Reading]) -> list[Reading]:
    """With the margins of the passages that say the same put together, one for each passage.

    The sum is of powers, so that many passages together lift what they say a little and one that is
    sure of something else is still ahead of many that are not.
    """
    votes: dict[str, dict[int, float]] = {}
    for reading in proposed:
        margins = votes.setdefault(normalised(reading.text), {})
        key, margin = reading.passage.key, reading.features["margin"]
        margins[key] = max(margin, margins.get(key, margin))
    sums = {
        text: float(np.logaddexp.reduce([_TOGETHER * each for each in margins.values()]))
        / _TOGETHER
        for text, margins in votes.items()
    }
    return [
        replace(each, features={**each.features, "margin": sums[normalised(each.text)]})
        for each in proposed
    ]


def _leads(proposed: Sequence[Reading]) -> list[float]:
    """By how much the margin of each is above that of the best other answer.

    Other is what says something else elsewhere: two cuts of the same words are no rivals, but a cut
    so long that it holds a rival of the passage's best one has that rival too. With none, the rival
    is that there is no answer.
    """
    tops: dict[int, Reading] = {}
    for reading in proposed:
        tops.setdefault(reading.passage.key, reading)
    texts = [normalised(reading.text) for reading in proposed]
    margins = [reading.features["margin"] for reading in proposed]
    order = sorted(range(len(proposed)), key=lambda place: -margins[place])
    leads = []
    for place, reading in enumerate(proposed):
        rival = next(
            (
                margins[other]
                for other in order
                if texts[other] != texts[place]
                and not (
                    overlapping(reading, proposed[other])
                    and overlapping(tops[reading.passage.key], proposed[other])
                )
            ),
            0.0,
        )
        leads.append(margins[place] - rival)
    return leads
