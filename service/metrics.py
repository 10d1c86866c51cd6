"""What is measured of each question.

Relevance metrics come from ir-measures, which asks pytrec_eval and so trec_eval itself. Exact match
and F1 of answers follow the evaluation script of SQuAD 1.1 (Rajpurkar et al., EMNLP 2016), with its
removal of articles and punctuation; no library here has them. Whether an answer contains an
accepted one is told of the same words: it is what counts where a reader is free to quote more.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Mapping, Sequence

import ir_measures
from ir_measures import RR, R, Success, nDCG

MAIN = "nDCG@10"
"""The metric by which runs are compared question by question, and weights are fitted."""

_MEASURES = {
    MAIN: nDCG @ 10,
    "MRR@10": RR @ 10,
    "Recall@10": R @ 10,
    "Recall@100": R @ 100,
    "Success@1": Success @ 1,
}

RELEVANCE = tuple(_MEASURES)
"""Names of the relevance metrics: shares of 1."""

AGREEMENT = ("EM", "F1", "Contains")
"""Names of the metrics of what an answer says: percent."""

ANSWERED = "Answered"
"""Name of the share of questions that are answered at all: percent."""

ANSWERS = (*AGREEMENT, ANSWERED)
"""Names of all metrics of answers."""

METRICS = (*RELEVANCE, *ANSWERS)
"""All of them, in the order in which they are shown."""


def relevance(
    qrels: Mapping[str, Mapping[str, int]], found: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """The relevance metrics of each question of ``qrels``.

    ``found`` has each question's documents, best first, none of them twice.
    """
    # Metrics break equal scores in their own way, so they are given places instead.
    run = {
        id_: {document: -float(place) for place, document in enumerate(documents)}
        for id_, documents in found.items()
    }
    names = {measure: name for name, measure in _MEASURES.items()}
    measured: dict[str, dict[str, float]] = {id_: dict.fromkeys(_MEASURES, 0.0) for id_ in qrels}
    for each in ir_measures.iter_calc(list(names), qrels, run):
        measured[each.query_id][names[each.measure]] = float(each.value)
    return measured


def agreement(given: str, accepted: Sequence[str]) -> dict[str, float]:
    """What :data:`AGREEMENT` names, of an answer, in percent.

    ``Contains`` is 100 where the words of an accepted answer stand in the given one, in their order
    and with none between them. No answer, the empty text, is a wrong one.
    """
    if not given:
        return dict.fromkeys(AGREEMENT, 0.0)
    ours, theirs = _words(given), [_words(each) for each in accepted]
    return {
        "EM": 100.0 * (ours in theirs),
        "F1": 100.0 * max(_f1(ours, each) for each in theirs),
        "Contains": 100.0 * any(_contains(ours, each) for each in theirs),
    }


def normalised(text: str) -> str:
    """The text without case, punctuation, articles and surplus space, as SQuAD compares texts."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    """Words without case, punctuation and the articles a, an, the."""
    bare = text.casefold().translate(str.maketrans("", "", string.punctuation))
    return [word for word in bare.split() if word not in {"a", "an", "the"}]


def _contains(ours: list[str], theirs: list[str]) -> bool:
    """Whether ``theirs`` is a run of ``ours``; what has no words is only in its like."""
    starts = range(len(ours) - len(theirs) + 1) if theirs else ()
    return ours == theirs or any(ours[at : at + len(theirs)] == theirs for at in starts)


def _f1(ours: list[str], theirs: list[str]) -> float:
    """Harmonic mean of precision and recall over words, repeated words counted."""
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs)) if shared else float(ours == theirs)
