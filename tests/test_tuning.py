from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.settings import Settings
from indexer.types import Scores
from service.metrics import MAIN, relevance
from service.parameters import PARAMETERS, Range, current
from service.trust import Signals
from service.tuning import LEAST, Found, Objective, Pool, Values, fit

NAME = "semantic_weight"
DEFAULTS = current(Settings())
START = DEFAULTS | {NAME: 0.4}
RANGES = {NAME: PARAMETERS[NAME]}

grades = st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(-1, 3), max_size=12)
scores = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
candidates = st.lists(st.tuples(scores, scores, st.sampled_from("abcdefghijklmnop")), max_size=25)
questions = st.lists(st.tuples(candidates, grades), min_size=1, max_size=5)


def found(rows: list[tuple[float, float, str]], judged: dict[str, int]) -> Found:
    return Found(
        words=np.array([row[0] for row in rows], dtype=float),
        meaning=np.array([row[1] for row in rows], dtype=float),
        keys=np.arange(len(rows), dtype=np.int64),
        documents=[row[2] for row in rows],
        grades=judged,
        signals=Signals(readable=1, lead=0),
    )


@hypothesis_settings(deadline=None)
@given(asked=questions, weight=st.sampled_from(PARAMETERS[NAME].values()))
def test_ndcg_of_a_pool_is_that_of_ir_measures(
    asked: list[tuple[list[tuple[float, float, str]], dict[str, int]]], weight: float
) -> None:
    pool = Pool([found(*each) for each in asked])
    run, qrels = {}, {}
    for number, (rows, judged) in enumerate(asked):
        totals = [words * (1 - weight) + meaning * weight for words, meaning, _ in rows]
        order = sorted(range(len(rows)), key=lambda i: (-totals[i], i))
        run[str(number)] = list(dict.fromkeys(rows[i][2] for i in order))
        qrels[str(number)] = judged
    expected = relevance(qrels, run)
    assert pool.ndcg(DEFAULTS | {NAME: weight}) == pytest.approx(
        [expected[str(number)][MAIN] for number in range(len(asked))]
    )


def drawn(count: int, *, noise: bool) -> Pool:
    """Questions whose right document meaning finds, and words do not; by luck alone in noise."""
    rng = np.random.default_rng(5)
    made = []
    for _ in range(count):
        rows = [(float(rng.random()), float(rng.random()), f"d{i}") for i in range(12)]
        right = rng.integers(12)
        if not noise:
            rows[right] = (rows[right][0], 0.95, rows[right][2])
        made.append(found(rows, {f"d{right}": 1}))
    return Pool(made)


def test_a_planted_better_weight_is_found() -> None:
    pool = drawn(120, noise=False)
    result = fit(pool.ndcg, RANGES, START, 120)
    assert result.verdict == "better"
    assert result.values[NAME] >= 0.8
    assert result.end > result.start + 0.1
    assert result.gain is not None
    assert result.gain.above
    assert result.start == pytest.approx(pool.ndcg(START).mean())
    assert result.end == pytest.approx(pool.ndcg(result.values).mean())


def test_noise_is_refused_though_it_can_be_fitted_to() -> None:
    result = fit(drawn(60, noise=True).ndcg, RANGES, START, 60)
    assert result.verdict == "not significant"
    assert result.end > result.start
    assert result.gain is not None
    assert result.gain.mean < result.end - result.start


def test_a_fit_comes_out_the_same_each_time() -> None:
    first, second = (fit(drawn(60, noise=True).ndcg, RANGES, START, 60) for _ in range(2))
    assert first == second


def test_the_best_there_is_stays() -> None:
    pool = drawn(60, noise=False)
    best = fit(pool.ndcg, RANGES, START, 60).values
    result = fit(pool.ndcg, RANGES, best, 60)
    assert result.verdict == "unchanged"
    assert result.values == best


def test_too_few_questions_are_not_fitted_to() -> None:
    few = LEAST - 1
    result = fit(drawn(few, noise=False).ndcg, RANGES, START, few)
    assert (result.verdict, result.values, result.gain) == ("too few", START, None)
    assert fit(drawn(LEAST, noise=False).ndcg, RANGES, START, LEAST).verdict == "better"


def hill(*top: float) -> Objective:
    """What is best at ``top``, for parameters a, b ..., and the worse the farther from it."""

    def height(values: Values) -> Scores:
        far = sum(abs(values[name] - at) for name, at in zip("ab", top, strict=True))
        return np.full(30, 1 - far / 4) + np.linspace(0, 0.01, 30)

    return height


def counted(objective: Objective) -> tuple[Objective, Callable[[], int]]:
    calls: list[Values] = []

    def asked(values: Values) -> Scores:
        calls.append(values)
        return objective(values)

    return asked, lambda: len(calls)


def test_several_parameters_are_fitted_together_and_each_value_is_tried_once() -> None:
    ranges = {"a": Range(0, 1, 10), "b": Range(0, 2, 10)}
    objective, calls = counted(hill(0.7, 1.4))
    result = fit(objective, ranges, {"a": 0.0, "b": 0.0}, 30)
    assert result.values == {"a": 0.7, "b": 1.4}
    assert result.verdict == "better"
    # All folds climb the same way: about two rounds of 22 values, not six times as many.
    assert calls() < 60


def test_a_parameter_that_is_not_to_be_fitted_stays() -> None:
    result = fit(hill(0.7, 1.4), {"a": Range(0, 1, 10)}, {"a": 0.0, "b": 0.2}, 30)
    assert result.values == {"a": 0.7, "b": 0.2}


def test_of_values_that_are_as_good_the_nearest_to_what_is_in_force_is_taken() -> None:
    def plateau(values: Values) -> Scores:
        return np.full(30, float(values[NAME] >= 0.6))

    assert fit(plateau, RANGES, START, 30).values == START | {NAME: 0.6}
