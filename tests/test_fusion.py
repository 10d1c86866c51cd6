from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fusion import FUSIONS, Side, contributions, convex, reciprocal_rank

BOUND = 50.0


WEIGHTS = [0.3, 0.7]


def sides(keyword: list[float], semantic: list[float]) -> list[Side]:
    def ranks(scores: list[float]) -> np.ndarray:
        order = sorted(scores, reverse=True)
        return np.array([order.index(score) + 1 if score else 0 for score in scores])

    return [
        Side("keyword", np.array(keyword), ranks(keyword), 0.0, BOUND),
        Side("semantic", np.array(semantic), ranks(semantic), -1.0, 1.0),
    ]


scores = st.lists(st.tuples(st.floats(0, 50), st.floats(-1, 1)), min_size=1, max_size=20).map(
    lambda pairs: sides([a for a, _ in pairs], [b for _, b in pairs])
)


@pytest.mark.parametrize("name", FUSIONS)
@given(both=scores)
def test_points_are_weight_times_normalised_and_stay_between_0_and_the_weight(
    name: str, both: list[Side]
) -> None:
    for parts in contributions(both, WEIGHTS, FUSIONS[name](both)):
        for part, weight in zip(parts, WEIGHTS, strict=True):
            assert part.points == part.weight * part.normalised
            assert -1e-9 <= part.points <= weight + 1e-9


def test_convex_puts_the_bounds_at_0_and_1() -> None:
    keyword, semantic = convex(sides([0, BOUND / 2, BOUND], [-1, 0, 1]))
    assert keyword.tolist() == semantic.tolist() == [0, 0.5, 1]


@given(both=scores)
def test_convex_keeps_the_order_of_each_side(both: list[Side]) -> None:
    for side, scale in zip(both, convex(both), strict=True):
        order = np.argsort(side.scores)
        assert (np.diff(scale[order]) >= 0).all()


def test_a_side_with_nothing_to_go_by_adds_nothing() -> None:
    nothing = Side("keyword", np.zeros(2), np.zeros(2, dtype=int), 0.0, 0.0)
    assert convex([nothing])[0].tolist() == [0, 0]


def test_reciprocal_rank_follows_the_published_formula_up_to_its_scale() -> None:
    keyword, _ = reciprocal_rank(sides([9, 4, 0], [0.1, 0.2, 0.3]))
    assert keyword.tolist() == pytest.approx([61 / 61, 61 / 62, 0])


def test_a_candidate_outside_a_sides_list_has_no_rank_there() -> None:
    parts = contributions(both := sides([9, 0], [0.1, 0.2]), WEIGHTS, convex(both))
    assert [part.rank for part in parts[1]] == [None, 1]
