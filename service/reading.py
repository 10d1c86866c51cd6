"""Reading: from ranked passages to the words in them that answer.

A :class:`Reader` is a seam: the trained one is in :mod:`service.spanning`. The one here needs no
training: it takes the sentence that is nearest to the question in meaning and shares most of its
words, and is as sure of it as those two measures justify.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from indexer.analysis import tokens, without_function_words
from indexer.store import Passage
from indexer.types import Scores, Span
from service.extracts import Extract


@dataclass(frozen=True, slots=True)
class Evidence:
    """A ranked passage to read: its fused score, and the cosine of each of its sentences.

    ``cosines`` has shape (sentences,); it is None where there is no embedding model. ``extract`` is
    what the trained reader made of the passage; None where it did not read it.
    """

    passage: Passage
    score: float
    cosines: Scores | None
    extract: Extract | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A proposed answer: ``answer`` and its ``sentence`` are spans of the passage's text.

    ``confidence`` estimates the probability that the sentence holds the answer. ``features`` are
    the measures that it was made from, by name, so that it can be fitted to what readings proved to
    be worth.
    """

    passage: Passage
    answer: Span
    sentence: Span
    confidence: float
    features: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The answer, verbatim."""
        return self.passage.paragraph.text[self.answer.start : self.answer.end]


def overlapping(one: Reading, other: Reading) -> bool:
    """Whether two readings have words of a passage in common."""
    apart = one.answer.end <= other.answer.start or other.answer.end <= one.answer.start
    return not apart and one.passage == other.passage


class Reader(Protocol):
    """Proposes answers from evidence."""

    def read(self, question: str, evidence: Sequence[Evidence]) -> list[Reading]:
        """Candidates from the passages, by falling confidence; a passage may give several or none.

        They may overlap and begin or end anywhere within their sentences: what is shown is cut and
        put together by :mod:`service.assembly`.
        """


class SentenceReader:
    """Answers with a whole sentence, verbatim."""

    def read(self, question: str, evidence: Sequence[Evidence]) -> list[Reading]:
        """One sentence a passage; equal confidences keep the order of the evidence."""
        asked = content_words(question)
        readings = []
        for item in evidence:
            spans = item.passage.paragraph.sentences
            cosines, coverage = sentence_features(asked, item)
            best = int(np.argmax(cosines + coverage))
            features = {"score": item.score, "coverage": float(coverage[best])}
            if item.cosines is not None:
                features["cosine"] = float(cosines[best])
            confidence = _confidence(item, cosines[best], coverage[best])
            readings.append(Reading(item.passage, spans[best], spans[best], confidence, features))
        return sorted(readings, key=lambda reading: -reading.confidence)


def content_words(question: str) -> str:
    """A question without the words that every question has."""
    return " ".join(without_function_words(question.split()))


def sentence_features(asked: str, evidence: Evidence) -> tuple[Scores, Scores]:
    """Of every sentence, its cosine with the question and the share of the words ``asked`` in it.

    Where one sentence is to be chosen both count the same: it is the one with the highest sum.
    """
    text, spans = evidence.passage.paragraph.text, evidence.passage.paragraph.sentences
    language = evidence.passage.article.language
    terms = {token.term for token in tokens(asked, language)}
    coverage = np.zeros(len(spans))
    if terms:
        for i, (start, end) in enumerate(spans):
            held = {token.term for token in tokens(text[start:end], language)}
            coverage[i] = len(terms & held) / len(terms)
    cosines = evidence.cosines if evidence.cosines is not None else np.zeros(len(spans))
    return cosines, coverage


_WITH_MEANING = (-6.62, 0.0, 6.51, 3.68)
_WITHOUT_MEANING = (-4.32, 6.58, 0.0, 3.41)
"""Bias, and what a point of score, cosine and coverage adds; see benchmarks/results/answers.md."""


def _confidence(evidence: Evidence, cosine: float, coverage: float) -> float:
    """Logistic regression of "this sentence holds an accepted answer" on what was measured."""
    fit = _WITHOUT_MEANING if evidence.cosines is None else _WITH_MEANING
    bias, of_score, of_cosine, of_coverage = fit
    logit = bias + of_score * evidence.score + of_cosine * cosine + of_coverage * coverage
    return 1 / (1 + math.exp(-logit))
