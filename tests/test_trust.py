from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.trust import Signals, Trust, semantic_share

TRUST = Trust(semantic=0.45, foreign=0.15, lead=1.0)


def test_a_language_that_the_model_reads_gives_meaning_its_share() -> None:
    assert semantic_share(TRUST, Signals(readable=1, lead=0)) == pytest.approx(0.45)
    assert semantic_share(TRUST, Signals(readable=0, lead=0)) == pytest.approx(0.15)
    assert semantic_share(TRUST, Signals(readable=0.5, lead=0)) == pytest.approx(0.3)


def test_a_lead_in_meaning_counts_only_where_the_model_reads_the_language() -> None:
    assert semantic_share(TRUST, Signals(readable=1, lead=0.1)) == pytest.approx(0.55)
    assert semantic_share(TRUST, Signals(readable=0, lead=0.1)) == pytest.approx(0.15)


@given(
    st.builds(Trust, st.floats(0, 1), st.floats(0, 1), st.floats(0, 10)),
    st.builds(Signals, st.floats(0, 1), st.floats(0, 2)),
)
def test_the_share_is_a_share(trust: Trust, signals: Signals) -> None:
    assert 0 <= semantic_share(trust, signals) <= 1
