from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.types import Span
from service.extracts import Extract
from service.fusion import Contribution
from service.ranked import Ranked
from service.reranking import aptness, reranked

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=12, unique=True)


def ranking(scores: list[float]) -> list[Ranked]:
    return [
        Ranked(key, place, score, (Contribution("keyword", place, score, score, 1.0, score),))
        for place, (key, score) in enumerate(
            sorted(enumerate(scores), key=lambda each: -each[1]), start=1
        )
    ]


def believed(answerable: float) -> Extract:
    return Extract(((Span(0, 1), answerable),), answerable)


def test_a_paragraph_that_answers_passes_one_that_does_not() -> None:
    first, second = ranking([0.62, 0.6])
    after = reranked([first, second], {0: believed(-6), 1: believed(6)}, 0.2)
    assert [(each.paragraph, each.rank) for each in after] == [(1, 1), (0, 2)]
    part = after[0].contributions[-1]
    assert (part.source, part.rank, part.raw) == ("rerank", 1, 6)
    assert part.points == pytest.approx(0.2 * 0.7)


@pytest.mark.parametrize(
    ("question", "words", "apt"),
    [
        ("who proposed an operator", 40, 1.0),
        ("Brussels proposed which operator", 120, 1.0),
        ("is there an operator", 40, 1.0),
        ("the operator was proposed by?", 40, 1.0),
        ("who proposed an operator", 135, 0.5),
        ("who proposed an operator", 150, 0.0),
        ("Brussels proposed an operator.", 40, 0.0),
        ("third-party operator", 40, 0.0),
        ("whole islands", 40, 0.0),
    ],
)
def test_questions_to_paragraphs_of_usual_length_are_what_reranking_is_for(
    question: str, words: int, apt: float
) -> None:
    assert aptness(question, ["word " * words] * 3) == apt


def test_nothing_read_is_nothing_to_rerank_by() -> None:
    assert aptness("who proposed an operator", []) == 0


def test_without_extracts_nothing_changes() -> None:
    before = ranking([0.4, 0.9])
    assert reranked(before, {}, 0.5) == tuple(before)


@given(SCORES, st.data())
def test_contributions_still_sum_to_the_score_which_stays_within_0_and_1(
    scores: list[float], data: st.DataObject
) -> None:
    before = ranking(scores)
    read = data.draw(st.sets(st.sampled_from(range(len(scores)))))
    extracts = {key: believed(data.draw(st.floats(-30, 30))) for key in read}
    after = reranked(before, extracts, 0.2)
    assert {each.paragraph for each in after} == set(range(len(scores)))
    assert [each.rank for each in after] == list(range(1, len(after) + 1))
    assert [each.score for each in after] == sorted((e.score for e in after), reverse=True)
    for each in after:
        assert sum(part.points for part in each.contributions) == pytest.approx(each.score)
        assert 0 <= each.score <= 1
        assert (each.contributions[-1].source == "rerank") == (each.paragraph in extracts)


@given(SCORES)
def test_paragraphs_that_are_believed_alike_keep_their_order(scores: list[float]) -> None:
    before = ranking(scores)
    extracts = {each.paragraph: believed(1.0) for each in before}
    after = reranked(before, extracts, 0.3)
    kept = [each.paragraph for each in before]
    # Scores a rounding apart may become equal, which keeps the order too.
    assert [each.paragraph for each in after] == kept
