"""What every Embedder must do; an implementation's test module provides a fixture ``subject``."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.protocols import Embedder

# Words of several scripts and lengths, so that windows end in every kind of place.
_WORD = st.sampled_from(
    [
        "peace",
        "corridor",
        "U.S.",
        "third-party",
        "переговоры",
        "Զանգեզուր",
        "交渉",
        "x" * 120,
        "—",
        "3.5",
    ]
)
_SPACE = st.sampled_from([" ", "\n", "\r\n", "\t", "\u00a0", "  "])
_TEXT = st.lists(st.tuples(_WORD, _SPACE), min_size=1, max_size=300).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


class EmbedderContract:
    """Vectors are unit length and depend on the text alone; windows cover every word."""

    def test_vectors_have_unit_length_and_the_stated_dimensions(self, subject: Embedder) -> None:
        vectors = subject.encode(["peace talks", "a" * 5000, "переговоры " * 400])
        assert vectors.shape == (3, subject.dimensions)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)

    def test_no_texts_give_no_vectors(self, subject: Embedder) -> None:
        assert subject.encode([]).shape == (0, subject.dimensions)

    def test_a_text_has_nearly_the_same_vector_in_any_company(self, subject: Embedder) -> None:
        alone = subject.encode(["peace talks in Brussels"])[0]
        others = ["word " * n for n in range(1, 60, 7)]
        among = subject.encode([*others, "peace talks in Brussels"])[-1]
        assert alone @ among > 0.999

    def test_the_end_of_a_long_text_counts(self, subject: Embedder) -> None:
        long = "the weather was fine in the valley . " * 100
        one, other = subject.encode([long, long + "Brussels proposed a corridor . " * 10])
        assert one @ other < 0.999

    @settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
    @given(text=_TEXT)
    def test_windows_are_in_order_overlap_and_leave_no_word_out(
        self, subject: Embedder, text: str
    ) -> None:
        windows = subject.windows(text)
        covered = 0
        for start, end in windows:
            assert start < end
            assert not text[covered:start].strip()
            covered = max(covered, end)
        assert not text[covered:].strip()
        assert all(a.start < b.start and a.end < b.end for a, b in pairwise(windows))
