from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from service.spans import LONGEST, best_spans

LOGITS = st.integers(1, 60).flatmap(
    lambda n: st.tuples(*(arrays(np.float32, n, elements=st.floats(-20, 20, width=32)),) * 2)
)


@given(LOGITS, st.integers(1, 5))
def test_the_best_spans_are_those_that_trying_every_span_finds(
    logits: tuple[np.ndarray, np.ndarray], count: int
) -> None:
    first, last = logits
    every = sorted(
        (
            float(first[i] + last[j])
            for i in range(len(first))
            for j in range(i, len(first))
            if j - i < LONGEST
        ),
        reverse=True,
    )
    found = best_spans(first, last, count)
    assert [span.score for span in found] == every[:count]
    assert all(0 <= span.last - span.first < LONGEST for span in found)
    assert all(span.score == float(first[span.first] + last[span.last]) for span in found)


def test_a_passage_of_no_tokens_has_no_span() -> None:
    assert best_spans(np.empty(0, np.float32), np.empty(0, np.float32), 3) == []
