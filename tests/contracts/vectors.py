"""What every VectorIndex must do; an implementation's test module provides ``make``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.protocols import VectorIndex
from indexer.types import Ids, Vectors

Make = Callable[[Ids, Ids, Vectors], VectorIndex]


@st.composite
def windows(draw: st.DrawFn) -> tuple[Ids, Ids, Vectors, Vectors]:
    """Paragraph keys and window numbers with unit vectors, and a query vector."""
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=25))
    keys = np.repeat(np.arange(1, len(counts) + 1), counts)
    numbers = np.concatenate([np.arange(count) for count in counts])
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Few distinct values, so that equal scores are common.
    vectors = random.integers(-1, 2, (len(keys) + 1, 8)) + 0.25
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return keys, numbers, unit[:-1], unit[-1]


class VectorIndexContract:
    """Compares an implementation with brute force."""

    make: Make

    @settings(deadline=None)
    @given(case=windows(), depth=st.integers(1, 30), data=st.data())
    def test_finds_the_nearest_paragraphs_by_their_best_window(
        self, case: tuple[Ids, Ids, Vectors, Vectors], depth: int, data: st.DataObject
    ) -> None:
        keys, numbers, vectors, query = case
        allowed = np.array(
            sorted(data.draw(st.sets(st.sampled_from(keys.tolist())))), dtype=np.int64
        )
        best: dict[int, float] = {}
        for key, vector in zip(keys.tolist(), vectors, strict=True):
            best[key] = max(best.get(key, -1.0), float(vector @ query))
        for choice in (None, allowed):
            chosen = [k for k in best if choice is None or k in choice]
            found = self.make(keys, numbers, vectors).search(query, depth, choice)
            assert len(found) == min(depth, len(chosen))
            wanted = sorted((best[k] for k in chosen), reverse=True)[:depth]
            np.testing.assert_allclose([c.score for c in found], wanted, atol=1e-6)
            assert all(abs(best[c.paragraph] - c.score) < 1e-6 for c in found)
            assert [(-c.score, c.paragraph) for c in found] == sorted(
                (-c.score, c.paragraph) for c in found
            )
            assert [c.rank for c in found] == [
                1 + sum(other.score > c.score for other in found) for c in found
            ]

    @settings(deadline=None)
    @given(case=windows(), depth=st.integers(1, 30))
    def test_scores_any_paragraph_exactly_as_search_does(
        self, case: tuple[Ids, Ids, Vectors, Vectors], depth: int
    ) -> None:
        keys, numbers, vectors, query = case
        index = self.make(keys, numbers, vectors)
        found = index.search(query, depth)
        again = index.score(query, np.array([c.paragraph for c in found]))
        assert again.tolist() == [c.score for c in found]

    def test_a_paragraph_without_vectors_scores_the_minimum(self) -> None:
        index = self.make(np.array([1]), np.array([0]), np.array([[1, 0]], dtype=np.float32))
        assert index.score(np.array([1, 0], dtype=np.float32), np.array([7])).tolist() == [-1]
