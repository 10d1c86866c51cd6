from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.trust import Signals, Trust, weighting

TRUST = Trust(semantic=0.45, foreign=0.15, lead=1.0)


def test_a_language_that_the_model_reads_gives_meaning_its_share() -> None:
    assert weighting(TRUST, Signals(readable=1, lead=0)).share == pytest.approx(0.45)
    assert weighting(TRUST, Signals(readable=0, lead=0)).share == pytest.approx(0.15)
    assert weighting(TRUST, Signals(readable=0.5, lead=0)).share == pytest.approx(0.3)


def test_a_lead_in_meaning_counts_only_where_the_model_reads_the_language() -> None:
    assert weighting(TRUST, Signals(readable=1, lead=0.1)).share == pytest.approx(0.55)
    assert weighting(TRUST, Signals(readable=0, lead=0.1)).share == pytest.approx(0.15)


def test_words_have_a_say_however_far_meaning_is_ahead() -> None:
    assert weighting(TRUST, Signals(1, 2)).share == weighting(TRUST, Signals(1, 0.25)).share < 1


@given(
    st.builds(Trust, st.floats(0, 1), st.floats(0, 1), st.floats(0, 10)),
    st.builds(Signals, st.floats(0, 1), st.floats(0, 2)),
)
def test_the_share_is_a_share(trust: Trust, signals: Signals) -> None:
    assert 0 <= weighting(trust, signals).share <= 1


@pytest.mark.parametrize(
    ("readable", "lead", "words"),
    [
        (1, 0, "in English, which the model reads"),
        (0, 0.02, "languages that the model does not read; in meaning, the nearest is 0.020 ahead"),
        (0.5, 0, "50% of what the words find best is in English"),
    ],
)
def test_a_weighting_tells_why(readable: float, lead: float, words: str) -> None:
    told = str(weighting(TRUST, Signals(readable, lead)))
    assert words in told
    assert told.startswith(f"meaning counts {weighting(TRUST, Signals(readable, lead)).share:.2f}")
