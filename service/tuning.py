"""Fitting the parameters of the merge to judged questions, and telling luck from gain.

Neither search depends on how their results are merged, so each question is searched once and its
candidates are then weighed again for every value that is tried. What a fit is worth is measured on
questions that it has not seen, by cross-validation; only a gain whose whole interval is above 0
counts. The fit itself climbs along one parameter at a time, which finds the best of few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np

from indexer.types import Ids, Scores
from service.bootstrap import Estimate, estimate
from service.parameters import Range, shares
from service.trust import Signals

LEAST = 20
"""Questions under which nothing is fitted: an interval over fewer is not to be relied on."""

_CUTOFF = 10
_FOLDS = 5
_SEED = 20250703
_ROUNDS = 10
_SMALLEST = 1e-9
"""A difference in nDCG under which two values are as good as each other."""

Values: TypeAlias = Mapping[str, float]
Objective: TypeAlias = Callable[[Values], Scores]
"""From values of the parameters to what each question gains by them, shape (questions,)."""


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates of one question: aligned arrays of shape (n,), in the order found.

    ``words`` and ``meaning`` are what each side gives on its scale from 0 to 1; where only one side
    was asked, both are that one's. ``keys`` order candidates with equal scores. ``documents`` are
    their documents, and ``grades`` those of all documents judged. ``signals`` are the question's.
    """

    words: Scores
    meaning: Scores
    keys: Ids
    documents: Sequence[str]
    grades: Mapping[str, int]
    signals: Signals


class Pool:
    """The candidates of many questions, to be ranked all at once."""

    def __init__(self, found: Sequence[Found]) -> None:
        self.questions = len(found)
        counts = [len(each.keys) for each in found]
        self._question = np.repeat(np.arange(len(found)), counts)
        self._words = np.concatenate([each.words for each in found])
        self._meaning = np.concatenate([each.meaning for each in found])
        self._keys = np.concatenate([each.keys for each in found])
        numbers: dict[tuple[int, str], int] = {}
        self._document = np.array(
            [
                numbers.setdefault((number, name), len(numbers))
                for number, each in enumerate(found)
                for name in each.documents
            ],
            dtype=np.int64,
        )
        self._gains = np.array(
            [max(found[number].grades.get(name, 0), 0) for number, name in numbers], dtype=float
        )
        self._readable = np.array([each.signals.readable for each in found])
        self._lead = np.array([each.signals.lead for each in found])
        self._ideal = np.array([_ideal(each.grades) for each in found])

    def ndcg(self, values: Values) -> Scores:
        """nDCG@10 of each question, shape (questions,), as trec_eval has it.

        A document counts where its best paragraph stands.
        """
        return self.ndcg_with(shares(values, self._readable, self._lead))

    def ndcg_with(self, shares_: Scores) -> Scores:
        """The same for a share of meaning of each question's own, shape (questions,)."""
        share = shares_[self._question]
        totals = self._words * (1 - share) + self._meaning * share
        order = np.lexsort((self._keys, -totals, self._question))
        _, first = np.unique(self._document[order], return_index=True)
        ranked = order[np.sort(first)]  # one candidate a document, question by question
        question = self._question[ranked]
        place = np.arange(len(ranked)) - np.searchsorted(question, question)
        gains = self._gains[self._document[ranked]] / np.log2(place + 2) * (place < _CUTOFF)
        reached = np.bincount(question, gains, minlength=self.questions)
        # Without a relevant document nothing is gained, and the ideal is nothing too.
        return np.asarray(reached / np.where(self._ideal > 0, self._ideal, 1.0))


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit came to.

    ``values`` are the best for all questions. ``gain`` is what values fitted without a question do
    for it, against those in force; ``start`` and ``end`` are the means with the values in force and
    with those fitted. ``verdict`` says whether to make the change, or why not.
    """

    verdict: Literal["better", "too few", "not significant", "unchanged"]
    questions: int
    values: dict[str, float]
    start: float
    end: float
    gain: Estimate | None


def fit(objective: Objective, ranges: Mapping[str, Range], start: Values, questions: int) -> Fit:
    """Fit the parameters in ``ranges``, beginning at ``start``, to ``questions`` questions."""
    asked = _remembered(objective, start)
    before = asked(start)
    mean = float(before.mean())
    if questions < LEAST:
        return Fit("too few", questions, dict(start), mean, mean, None)
    gains = np.zeros(questions)
    for fold in _folds(questions):
        others = np.setdiff1d(np.arange(questions), fold)
        values = climb(asked, ranges, start, others)
        gains[fold] = asked(values)[fold] - before[fold]
    gain = estimate(gains)
    values = climb(asked, ranges, start, np.arange(questions))
    if values == dict(start):
        return Fit("unchanged", questions, values, mean, mean, gain)
    verdict: Literal["better", "not significant"] = "better" if gain.above else "not significant"
    return Fit(verdict, questions, values, mean, float(asked(values).mean()), gain)


def climb(
    objective: Objective, ranges: Mapping[str, Range], start: Values, questions: Ids
) -> dict[str, float]:
    """The values best on the mean over ``questions``, found along one parameter after the other.

    Of values that are as good as each other it is the nearest to ``start``.
    """
    best = dict(start)
    reached = objective(best)[questions].mean()
    for _ in range(_ROUNDS):
        before = reached
        for name, of in ranges.items():
            for value in sorted(of.values(), key=lambda each: abs(each - start[name])):
                tried = best | {name: value}
                mean = objective(tried)[questions].mean()
                if mean > reached + _SMALLEST:
                    best, reached = tried, mean
        if reached == before:
            break
    return best


def _folds(questions: int) -> list[Ids]:
    """The questions in parts of nearly one size, drawn the same way each time."""
    order = np.random.default_rng(_SEED).permutation(questions)
    return [np.sort(part) for part in np.array_split(order, _FOLDS)]


def _remembered(objective: Objective, start: Values) -> Objective:
    """``objective`` asked once for each set of values: every fold tries much the same."""
    names = tuple(start)
    known = lru_cache(None)(lambda values: objective(dict(zip(names, values, strict=True))))
    return lambda values: known(tuple(values[name] for name in names))


def _ideal(grades: Mapping[str, int]) -> float:
    """The most that the first ten places can gain."""
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:_CUTOFF]
    return float(sum(grade / np.log2(place + 2) for place, grade in enumerate(best)))
