"""Answers in the words that the trained reader marked.

Where a passage was read, its spans are proposed, each within one sentence. Where it was not, as it
is in a language that the reader does not know or time ran out, a whole sentence is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from indexer.types import Span
from service.confidence import Calibration
from service.metrics import normalised
from service.reading import Evidence, Reading, SentenceReader


class SpanReader:
    """A :class:`~service.reading.Reader` whose ``calibration`` says what its scores are worth."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration
        self._sentences = SentenceReader()

    def read(self, question: str, evidence: Sequence[Evidence]) -> list[Reading]:
        """See :class:`Reader`; a passage may give several answers."""
        readings = self._sentences.read(question, [each for each in evidence if not each.extract])
        proposed = [reading for each in evidence for reading in _proposed(each)]
        best = _best_scores(proposed)
        for reading, score in proposed:
            features = {**reading.features, "lead": score - _rival(reading, best)}
            confidence = self._calibration.probability(features)
            readings.append(replace(reading, confidence=confidence, features=features))
        return sorted(readings, key=lambda reading: -reading.confidence)


def _proposed(evidence: Evidence) -> Iterator[tuple[Reading, float]]:
    """Readings of a passage, each with its score above that of there being no answer."""
    if evidence.extract is None:
        return
    paragraph = evidence.passage.paragraph
    for span, score in evidence.extract.spans:
        number = _sentence_at(paragraph.sentences, span.start)
        sentence = paragraph.sentences[number]
        answer = Span(max(span.start, sentence.start), min(span.end, sentence.end))
        features = {"answerable": evidence.extract.answerable, "score": evidence.score}
        if evidence.cosines is not None:
            features["cosine"] = float(evidence.cosines[number])
        yield Reading(evidence.passage, answer, sentence, 0.0, features), score


def _sentence_at(sentences: Sequence[Span], place: int) -> int:
    """The number of the sentence that ``place`` is in, or of the last one before it."""
    return max((n for n, sentence in enumerate(sentences) if sentence.start <= place), default=0)


def _best_scores(proposed: Sequence[tuple[Reading, float]]) -> Mapping[str, float]:
    """The best score of each distinct answer."""
    best: dict[str, float] = {}
    for reading, score in proposed:
        text = normalised(reading.text)
        best[text] = max(score, best.get(text, score))
    return best


def _rival(reading: Reading, best: Mapping[str, float]) -> float:
    """The best score of any other answer, or that of there being none, which is 0."""
    own = normalised(reading.text)
    return max([0.0, *(score for text, score in best.items() if text != own)])
