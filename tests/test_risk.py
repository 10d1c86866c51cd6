from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk import (
    area,
    brier,
    calibration_error,
    reliability,
    risk_coverage,
    threshold_for,
)

_OUTCOMES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=20
)


def test_risk_grows_as_less_sure_answers_are_given() -> None:
    coverage, risked = risk_coverage(np.array([0.2, 0.9, 0.6, 0.4]), np.array([0, 1, 1, 0]) > 0)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risked.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2])
    # The mean of these.
    assert area(np.array([0.2, 0.9, 0.6, 0.4]), np.array([0, 1, 1, 0]) > 0) == pytest.approx(5 / 24)


def test_a_confidence_that_orders_answers_the_wrong_way_round_has_a_larger_area() -> None:
    right = np.array([1, 1, 0, 0]) > 0
    falling = np.array([0.9, 0.8, 0.2, 0.1])
    assert area(falling, right) < area(1 - falling, right)


def test_what_no_threshold_can_part_has_the_risk_of_the_whole() -> None:
    _, risked = risk_coverage(np.full(4, 0.5), np.array([1, 0, 0, 1]) > 0)
    assert risked.tolist() == [0.5] * 4


@given(_OUTCOMES, st.randoms())
def test_the_order_in_which_questions_were_asked_changes_nothing(
    outcomes: list[tuple[float, bool]], chance: object
) -> None:
    shuffled = list(outcomes)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    both = [tuple(map(np.array, zip(*each, strict=True))) for each in (outcomes, shuffled)]
    for measure in (area, brier, calibration_error):
        assert measure(*both[0]) == pytest.approx(measure(*both[1]))
    assert risk_coverage(*both[0])[1][-1] == pytest.approx(1 - np.mean(both[0][1]))


def test_bins_tell_how_sure_and_how_right_answers_are() -> None:
    confidence, right = np.array([0.91, 1.0, 0.05, 0.0]), np.array([1, 0, 0, 0]) > 0
    low, high = reliability(confidence, right)
    assert (low.low, low.high, low.count, low.right) == (0.0, 0.1, 2, 0.0)
    assert (high.low, high.high, high.count, high.right) == (0.9, 1.0, 2, 0.5)
    assert high.confidence == pytest.approx(0.955)
    assert calibration_error(confidence, right) == pytest.approx(0.5 * 0.025 + 0.5 * 0.455)
    assert brier(confidence, right) == pytest.approx((0.09**2 + 1 + 0.05**2) / 4)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.01, 1))
def test_at_the_threshold_for_a_share_that_share_is_answered_and_above_it_less(
    confidences: list[float], share: float
) -> None:
    confidence = np.array(confidences)
    threshold = threshold_for(confidence, share)
    assert (confidence >= threshold).mean() >= share - 1e-6
    assert (confidence > threshold).mean() < share
