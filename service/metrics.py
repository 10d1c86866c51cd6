"""What is measured of each question.

Relevance metrics come from ir-measures, which asks pytrec_eval and so trec_eval itself. Exact match
and F1 of answers follow the evaluation script of SQuAD 1.1 (Rajpurkar et al., EMNLP 2016), with its
removal of articles and punctuation; no library here has them.
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

AGREEMENT = ("EM", "F1")
"""Names of the metrics of answers: percent."""

METRICS = (*RELEVANCE, *AGREEMENT)
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
    """Exact match and F1 of an answer, in percent; no answer, the empty text, is a wrong one."""
    return {
        "EM": 100.0 * any(_words(given) == _words(each) for each in accepted),
        "F1": 100.0 * max(_f1(given, each) for each in accepted),
    }


def _words(text: str) -> list[str]:
    """Words without case, punctuation and the articles a, an, the."""
    bare = text.casefold().translate(str.maketrans("", "", string.punctuation))
    return [word for word in bare.split() if word not in {"a", "an", "the"}]


def _f1(given: str, accepted: str) -> float:
    """Harmonic mean of precision and recall over words, repeated words counted."""
    ours, theirs = _words(given), _words(accepted)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs)) if shared else float(ours == theirs)
