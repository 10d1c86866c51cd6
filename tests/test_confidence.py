from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import ModelError
from service import confidence
from service.confidence import Calibration, Fit, Weight

WITH = Fit(-1.0, {"span": Weight(0.5, -4.0, 8.0), "cosine": Weight(2.0, 0.0, 1.0)}, 100, 40)
WITHOUT = Fit(-2.0, {"span": Weight(1.0, -4.0, 8.0)}, 100, 40)
BOTH = Calibration((WITH, WITHOUT))

_ANY = st.floats(allow_nan=False)


def test_a_probability_is_that_of_the_logistic_curve() -> None:
    # -1 + 0.5 * 2 + 2 * 0.5 = 1
    assert BOTH.probability({"span": 2.0, "cosine": 0.5}) == pytest.approx(1 / (1 + math.exp(-1)))


def test_the_fit_is_the_one_to_the_measures_that_a_reading_has() -> None:
    assert BOTH.probability({"span": 2.0}) == pytest.approx(0.5)
    with pytest.raises(ModelError, match="not fitted to readings with coverage, span"):
        BOTH.probability({"span": 2.0, "coverage": 0.1})


def test_what_lies_beyond_what_was_fitted_counts_as_its_end() -> None:
    assert WITHOUT.probability({"span": math.inf}) == WITHOUT.probability({"span": 8.0})
    assert WITHOUT.probability({"span": -1e9}) == WITHOUT.probability({"span": -4.0})


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ModelError, match="no number for span"):
        BOTH.probability({"span": math.nan})


@given(_ANY, _ANY, st.floats(-1e3, 1e3), st.floats(0, 1e3))
def test_more_of_what_speaks_for_a_reading_is_never_less_sure(
    one: float, other: float, bias: float, weight: float
) -> None:
    fit = Fit(bias, {"span": Weight(weight, -50.0, 50.0)}, 1, 0)
    less, more = (fit.probability({"span": value}) for value in sorted((one, other)))
    assert 0 <= less <= more <= 1


def test_a_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    confidence.write(BOTH, path)
    assert confidence.read(path) == BOTH


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Invalid JSON"),
        ('{"fits": [{"bias": "x"}]}', "fits.0.bias"),
        ('{"fits": [], "more": 1}', "more"),
        ('{"fits": [{"bias": NaN, "weights": {}, "readings": 1, "right": 0}]}', "bias"),
    ],
)
def test_what_is_no_calibration_is_refused_with_the_place(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(ModelError, match=r"calibration\.json is no calibration") as refused:
        confidence.read(path)
    assert reason in str(refused.value)


def test_a_calibration_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        confidence.read(tmp_path / "gone.json")
