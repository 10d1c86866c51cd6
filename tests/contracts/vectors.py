"""What every VectorIndex must do; an implementation's test module provides ``make``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.protocols import VectorIndex
from indexer.types import Ids, Vectors

Make = Callable[[Ids, Vectors], VectorIndex]


@st.composite
def windows(draw: st.DrawFn) -> tuple[Ids, Vectors, Vectors]:
    """A paragraph's key for each unit vector, and a query vector."""
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=25))
    keys = np.repeat(np.arange(1, len(counts) + 1), counts)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Few distinct values, so that equal scores are common.
    vectors = random.integers(-1, 2, (len(keys) + 1, 8)) + 0.25
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    return keys, unit[:-1].astype(np.float32), unit[-1].astype(np.float32)


class VectorIndexContract:
    """Compares an implementation with brute force."""

    make: Make

    @settings(deadline=None)
    @given(case=windows(), depth=st.integers(1, 30), data=st.data())
    def test_finds_the_nearest_paragraphs_by_their_best_window(
        self, case: tuple[Ids, Vectors, Vectors], depth: int, data: st.DataObject
    ) -> None:
        keys, vectors, query = case
        allowed = np.array(
            sorted(data.draw(st.sets(st.sampled_from(keys.tolist())))), dtype=np.int64
        )
        best: dict[int, float] = {}
        for key, vector in zip(keys.tolist(), vectors, strict=True):
            best[key] = max(best.get(key, -1.0), float(vector @ query))
        for choice in (None, allowed):
            chosen = [k for k in best if choice is None or k in choice]
            found = self.make(keys, vectors).search(query, depth, choice)
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
        self, case: tuple[Ids, Vectors, Vectors], depth: int
    ) -> None:
        keys, vectors, query = case
        index = self.make(keys, vectors)
        found = index.search(query, depth)
        again = index.score(query, np.array([c.paragraph for c in found]))
        assert again.tolist() == [c.score for c in found]

    @settings(deadline=None)
    @given(case=windows())
    def test_gives_back_the_windows_of_a_paragraph_in_their_order(
        self, case: tuple[Ids, Vectors, Vectors]
    ) -> None:
        keys, vectors, _ = case
        index = self.make(keys, vectors)
        for key in np.unique(keys).tolist():
            np.testing.assert_array_equal(index.of(key), vectors[keys == key])

    def test_a_paragraph_without_vectors_scores_the_minimum(self) -> None:
        index = self.make(np.array([1]), np.array([[1, 0]], dtype=np.float32))
        assert index.score(np.array([1, 0], dtype=np.float32), np.array([7])).tolist() == [-1]

    @settings(deadline=None)
    @given(case=windows(), depth=st.integers(1, 30), seed=st.integers(0, 99))
    def test_the_order_of_adding_plays_no_part(
        self, case: tuple[Ids, Vectors, Vectors], depth: int, seed: int
    ) -> None:
        keys, vectors, query = case
        shuffled = np.random.default_rng(seed).permutation(len(keys))
        found = self.make(keys, vectors).search(query, depth)
        assert self.make(keys[shuffled], vectors[shuffled]).search(query, depth) == found
