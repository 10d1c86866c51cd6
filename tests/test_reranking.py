from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.types import Span
from service.extracts import Extract
from service.fusion import Contribution
from service.ranked import Ranked
from service.reranking import aptness, merits, reranked, sureness

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=12, unique=True)


def ranking(scores: list[float]) -> list[Ranked]:
    return [
        Ranked(key, place, score, (Contribution("keyword", place, score, score, 1.0, score),))
        for place, (key, score) in enumerate(
            sorted(enumerate(scores), key=lambda each: -each[1]), start=1
        )
    ]


def read(text: str, answer: str, merit: float) -> tuple[Extract, str]:
    start = text.index(answer)
    return Extract(((Span(start, start + len(answer)), merit),)), text


def test_a_paragraph_that_answers_passes_one_that_does_not() -> None:
    first, second = ranking([0.62, 0.6])
    after = reranked([first, second], {0: -6.0, 1: 6.0}, 0.2)
    assert [(each.paragraph, each.rank) for each in after] == [(1, 1), (0, 2)]
    part = after[0].contributions[-1]
    assert (part.source, part.rank, part.raw) == ("rerank", 1, 6)
    assert part.points == pytest.approx(0.2 * 0.7)


@pytest.mark.parametrize(
    ("question", "words", "apt"),
    [
        ("who proposed an operator", 40, 1.0),
        ("Brussels proposed which operator", 130, 1.0),
        ("Has Brussels said who proposed an operator?", 40, 1.0),
        ("the operator was proposed by?", 40, 1.0),
        ("who proposed an operator", 145, 0.5),
        ("who proposed an operator", 160, 0.0),
        ("is there an operator", 40, 0.0),
        ("Was an operator proposed?", 40, 0.0),
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
    assert sureness([]) == 0


@pytest.mark.parametrize(("best", "sure"), [(-15.0, 0.0), (2.0, 0.0), (4.0, 0.5), (9.0, 1.0)])
def test_reranking_counts_as_far_as_anything_that_was_read_answers(
    best: float, sure: float
) -> None:
    extracts = [read("Brussels proposed it.", "Brussels", merit)[0] for merit in (best, -15.0)]
    assert sureness(extracts) == sure


def test_paragraphs_that_hold_the_answer_given_most_gain_by_it() -> None:
    said = [
        read("Brussels proposed it.", "Brussels", 3.0),
        read("It was the plan of Brussels.", "Brussels", 2.0),
        read("Brussels and Moscow spoke of it.", "Moscow", 4.0),
        read("Moscow rejected it.", "Moscow", -9.0),
    ]
    extracts = {key: extract for key, (extract, _) in enumerate(said)}
    texts = {key: text for key, (_, text) in enumerate(said)}
    found = merits(extracts, texts)
    assert found == pytest.approx({0: 8.0, 1: 7.0, 2: 9.0, 3: -9.0})


def test_an_answer_that_nobody_is_sure_of_gains_little() -> None:
    extract, text = read("Moscow rejected it.", "Moscow", -6.0)
    assert merits({0: extract}, {0: text})[0] == pytest.approx(-6.0, abs=0.02)


def test_what_has_no_word_to_mark_has_the_least_merit() -> None:
    assert merits({0: Extract(())}, {0: "!"}) == {0: -15.0}


def test_without_extracts_nothing_changes() -> None:
    before = ranking([0.4, 0.9])
    assert reranked(before, {}, 0.5) == tuple(before)


@given(SCORES, st.data())
def test_contributions_still_sum_to_the_score_which_stays_within_0_and_1(
    scores: list[float], data: st.DataObject
) -> None:
    before = ranking(scores)
    chosen = data.draw(st.sets(st.sampled_from(range(len(scores)))))
    found = {key: data.draw(st.floats(-30, 30)) for key in chosen}
    after = reranked(before, found, 0.2)
    assert {each.paragraph for each in after} == set(range(len(scores)))
    assert [each.rank for each in after] == list(range(1, len(after) + 1))
    assert [each.score for each in after] == sorted((e.score for e in after), reverse=True)
    for each in after:
        assert sum(part.points for part in each.contributions) == pytest.approx(each.score)
        assert 0 <= each.score <= 1
        assert (each.contributions[-1].source == "rerank") == (each.paragraph in found)


@given(SCORES)
def test_paragraphs_of_the_same_merit_keep_their_order(scores: list[float]) -> None:
    before = ranking(scores)
    after = reranked(before, {each.paragraph: 1.0 for each in before}, 0.3)
    kept = [each.paragraph for each in before]
    # Scores a rounding apart may become equal, which keeps the order too.
    assert [each.paragraph for each in after] == kept
