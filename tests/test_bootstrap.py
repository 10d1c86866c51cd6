from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from service.bootstrap import estimate

samples = st.lists(st.floats(0, 1), min_size=2, max_size=40)


@hypothesis_settings(deadline=None, max_examples=30)
@given(values=samples)
def test_an_interval_holds_the_mean_and_lies_within_the_values(values: list[float]) -> None:
    found = estimate(values)
    assert found.mean == pytest.approx(sum(values) / len(values))
    assert found.low is not None
    assert found.high is not None
    assert min(values) - 1e-9 <= found.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.high <= max(values) + 1e-9


def test_an_interval_is_that_of_the_normal_law_where_questions_are_many() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 400)
    found = estimate(values)
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.0005)
    assert found.high == pytest.approx(values.mean() + half, abs=0.0005)


def test_the_same_values_have_the_same_interval() -> None:
    values = [0.1, 0.5, 0.9, 0.2]
    assert estimate(values) == estimate(values)


def test_one_question_has_a_mean_and_no_interval() -> None:
    found = estimate([0.5])
    assert (found.mean, found.low, found.high) == (0.5, None, None)
    assert not found.above
    assert not found.below


def test_every_set_counts_the_same_in_a_mean_of_means() -> None:
    found = estimate([1.0] * 90, [0.0] * 10)
    assert (found.mean, found.low, found.high) == (0.5, 0.5, 0.5)


def test_a_difference_is_known_only_where_its_interval_leaves_out_0() -> None:
    assert estimate([0.1, 0.2, 0.1, 0.3]).above
    assert estimate([-0.1, -0.2, -0.1, -0.3]).below
    luck = estimate([0.1, -0.2, 0.1, 0.05])
    assert not luck.above
    assert not luck.below
