from __future__ import annotations

import pytest

from service.metrics import MAIN, METRICS, RELEVANCE, agreement, relevance


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
    ("given", "exact", "overlap"),
    [
        ("Brussels", 100, 100),
        ("the brussels!", 100, 100),
        ("An EU", 100, 100),
        ("Brussels proposed a model", 0, 50),
        ("Paris", 0, 0),
        ("", 0, 0),
    ],
)
def test_agreement_follows_squads_definition(given: str, exact: float, overlap: float) -> None:
    assert agreement(given, ["Brussels", "the EU"]) == {"EM": exact, "F1": overlap}
    assert set(METRICS) == {*RELEVANCE, "EM", "F1"}
