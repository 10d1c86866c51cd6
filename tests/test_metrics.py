from __future__ import annotations

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from service.metrics import AGREEMENT, MAIN, METRICS, RELEVANCE, agreement, relevance


def test_metrics_are_those_of_trec_eval() -> None:
    (found,) = relevance({"q": {"a": 2, "b": 1, "c": 0}}, {"q": ["c", "b", "x", "a"]}).values()
    # By hand: gains 1 at the second place and 2 at the fourth, of 2 and 1 at the first two.
    gained = 1 / 1.5849625 + 2 / 2.3219281
    assert found[MAIN] == pytest.approx(gained / (2 + 1 / 1.5849625))
    assert found["MRR@10"] == 0.5
    assert (found["Recall@10"], found["Success@1"]) == (1, 0)
    assert tuple(found) == RELEVANCE


def test_a_question_that_finds_nothing_counts_as_nothing() -> None:
    found = relevance({"q": {"a": 1}, "lost": {"a": 1}}, {"q": []})
    assert found == {"q": dict.fromkeys(RELEVANCE, 0), "lost": dict.fromkeys(RELEVANCE, 0)}


@pytest.mark.parametrize(
    ("given", "exact", "overlap", "contains"),
    [
        ("Brussels", 100, 100, 100),
        ("the brussels!", 100, 100, 100),
        ("An EU", 100, 100, 100),
        ("Brussels proposed a model", 0, 50, 100),
        ("Paris", 0, 0, 0),
        ("", 0, 0, 0),
    ],
)
def test_agreement_follows_squads_definition(
    given: str, exact: float, overlap: float, contains: float
) -> None:
    measured = agreement(given, ["Brussels", "the EU"])
    assert measured == {"EM": exact, "F1": overlap, "Contains": contains}
    assert list(METRICS[len(RELEVANCE) :]) == ["EM", "F1", "Contains", "Answered"]


@pytest.mark.parametrize(
    ("given", "accepted", "contains"),
    [
        ("It fell to 1308 points.", "308", False),
        ("It gave up just 308 points, the sixth.", "308 points", True),
        ("points, 308 of them", "308 points", False),
        ("308 of the points", "308 of points", True),
        ("308", "308 points", False),
        ("anything", "The", False),
        ("the", "The", True),
        ("", "The", False),
    ],
)
def test_an_answer_contains_whole_words_in_their_order(
    given: str, accepted: str, contains: bool
) -> None:
    assert agreement(given, [accepted])["Contains"] == 100 * contains


_TEXTS = st.text(st.sampled_from("ab the,-"), max_size=12)


@drawn(_TEXTS, st.lists(_TEXTS, min_size=1, max_size=3))
def test_an_exact_answer_agrees_in_every_way(given: str, accepted: list[str]) -> None:
    measured = agreement(given, accepted)
    assert tuple(measured) == AGREEMENT
    assert measured["EM"] <= min(measured["F1"], measured["Contains"])
