from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import abstaining
import numpy as np
import pytest
import reading
from abstaining import Measured
from asking import Asked, Outcome, ask_all, keep, kept
from calibration import by_measures, fit, report
from fakes import WordEmbedder, silent
from judged import write_set
from sets import document_of, laid_out, only, relevant, sampled

from indexer.settings import Settings
from service.evaluation import Indexed, indexed, kept_in
from service.judgments import Judged, read_judged
from service.reading import SentenceReader

DOCUMENTS = {
    "peace#1": ("Peace", "Brussels proposed an operator."),
    "peace#2": ("Peace", "The operator was refused."),
    "grain#1": ("Grain", "The harvest was poor."),
}


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    folder = write_set(
        tmp_path / "small",
        DOCUMENTS,
        {"q1": "who proposed an operator", "q2": "how was the harvest"},
        [("q1", "peace#1", 1), ("q1", "grain#1", 0), ("q2", "grain#1", 1)],
        {"q1": ["Brussels"], "q2": ["poor"]},
    )
    return read_judged(folder)


@pytest.fixture
def index(judged: Judged, settings: Settings) -> Iterator[Indexed]:
    with indexed(judged, settings, WordEmbedder(), silent, kept_in(settings)) as opened:
        yield opened


def asked_of(judged: Judged, index: Indexed) -> Asked:
    left_out = {id_: relevant(judged, id_) for id_ in judged.questions}
    return ask_all(judged, index, SentenceReader(), "hybrid", left_out, silent)


def test_a_question_is_asked_with_what_answers_it_and_without(
    judged: Judged, index: Indexed
) -> None:
    able, unable = asked_of(judged, index).outcomes[:2]
    assert (able.question, able.answerable, able.answer) == (
        *("q1", True),
        "Brussels proposed an operator.",
    )
    assert able.right
    assert able.features.keys() == {"score", "coverage", "cosine"}
    assert not unable.answerable
    assert unable.answer == "The operator was refused."
    assert not unable.right
    assert able.confidence > unable.confidence > 0


def test_a_question_without_its_article_finds_none_of_its_paragraphs(
    judged: Judged, index: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abstaining, "WHOLE_ARTICLES", (judged.name,))
    left_out = abstaining.left_out(judged)
    assert left_out == {"q1": {"peace#1", "peace#2"}, "q2": {"grain#1"}}
    outcomes = ask_all(judged, index, SentenceReader(), "hybrid", left_out, silent).outcomes
    assert outcomes[1].answer == "The harvest was poor."


def test_an_answer_that_is_there_by_chance_is_not_right() -> None:
    assert outcome(0.5, answerable=True, right=True).right
    assert not outcome(0.5, answerable=False, right=True).right


def test_outcomes_are_kept_as_they_were(judged: Judged, index: Indexed, tmp_path: Path) -> None:
    asked = asked_of(judged, index)
    keep(asked, tmp_path / "asked" / "small.json")
    assert kept(tmp_path / "asked" / "small.json") == asked


def outcome(
    confidence: float, *, answerable: bool = True, right: bool = False, span: float = 0.0
) -> Outcome:
    return Outcome("q", answerable, "an answer", confidence, {"span": span}, holds=right, f1=40.0)


def test_a_row_has_what_a_threshold_leaves() -> None:
    found = Measured.of(
        [
            *(outcome(0.9, right=True), outcome(0.6), outcome(0.5, right=True), outcome(0.1)),
            *(outcome(confidence, answerable=False) for confidence in (0.7, 0.4, 0.0, 0.2)),
        ]
    )
    assert found.row(0.5) == pytest.approx((0.75, 0.75, 2 / 3, 40))
    # Nothing at all is no answer, even where every answer is given.
    assert found.row(0.0)[0] == 0.25


def test_the_report_says_whether_the_target_is_met(judged: Judged, index: Indexed) -> None:
    asked = asked_of(judged, index)
    lines = "\n".join(abstaining.report(asked))
    assert "2 questions, asked both ways of SentenceReader" in lines
    assert "100.0% of the answerable are answered, 100.0% of these rightly" in lines
    assert "the target is met" in lines


def test_the_curves_are_drawn_the_same_each_time(tmp_path: Path) -> None:
    found = {"small": Measured.of([outcome(0.9, right=True), outcome(0.2, answerable=False)])}
    for name in ("one.svg", "two.svg"):
        abstaining.draw(found, tmp_path / name)
    one = (tmp_path / "one.svg").read_text()
    assert one == (tmp_path / "two.svg").read_text()
    assert "small, answerable" in one


def test_the_right_passage_is_read_whatever_the_search_finds(
    judged: Judged, index: Indexed
) -> None:
    odd = only(judged, ["q1"])
    odd.questions["q1"] = '"no such phrase" who'
    (measured,) = reading.read_all(odd, index, SentenceReader(), silent)
    assert measured["Contains"] == 100
    assert measured["EM"] == 0


def test_a_fit_knows_what_speaks_for_an_answer() -> None:
    chance = np.random.default_rng(7)
    spans = chance.normal(size=600)
    right = chance.random(600) < 1 / (1 + np.exp(-(2 * spans - 1)))
    rows = [
        (f"file{number % 2}", outcome(0.5, right=bool(is_right), span=float(span)))
        for number, (span, is_right) in enumerate(zip(spans, right, strict=True))
    ]
    found = fit(rows)
    assert found.weights["span"].weight == pytest.approx(2, abs=0.5)
    assert found.bias == pytest.approx(-1, abs=0.35)
    assert (found.readings, found.right) == (600, right.sum())
    lines = list(report(rows))
    assert [line.split(" | ")[0] for line in lines[-2:]] == ["| file0", "| file1"]


def test_measures_without_end_do_not_spoil_a_fit() -> None:
    rows = [
        ("file", outcome(0.5, right=span > 0, span=span))
        for span in (-2.0, -1.0, 1.0, 2.0, float("inf"))
    ]
    weight = fit(rows).weights["span"]
    assert (weight.low, weight.high) == (-2, 2)
    assert weight.weight > 0


def test_readings_with_other_measures_are_fitted_apart_and_no_answer_not_at_all() -> None:
    with_meaning = Outcome("q", True, "a", 0.5, {"span": 1.0, "cosine": 0.3}, True, 1.0)
    none = Outcome("q", True, "", 0.0, {}, False, 0.0)
    groups = by_measures(iter([("f", outcome(0.5)), ("f", with_meaning), ("f", none)]))
    assert {tuple(sorted(names)): len(rows) for names, rows in groups.items()} == {
        ("span",): 1,
        ("cosine", "span"): 1,
    }


def test_a_training_file_is_laid_out_as_a_judged_set(tmp_path: Path) -> None:
    context = "The harvest\nwas poor."
    rows = [
        {"id": "x", "question": "how was it", "context": context, "answers": [{"text": "poor"}]},
        {"id": "x", "question": "what was poor", "context": context, "answers": [{"text": "it"}]},
    ]
    path = tmp_path / "file.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    judged = read_judged(laid_out(path, tmp_path / "file"))
    assert list(judged.questions.values()) == ["how was it", "what was poor"]
    assert [judged.answers[id_] for id_ in judged.questions] == [["poor"], ["it"]]
    assert {relevant(judged, id_) for id_ in judged.questions} == {
        frozenset({document_of(context)})
    }
    (line,) = judged.corpus.read_text().splitlines()
    assert json.loads(line)["text"] == "The harvest was poor."


def test_a_sample_is_from_all_over_and_has_known_answers(judged: Judged) -> None:
    unknown = only(judged, judged.questions)
    del unknown.answers["q1"]
    assert list(sampled(unknown, 5).questions) == ["q2"]
    assert list(sampled(judged, 1).questions) == ["q1"]
    assert sampled(judged, None) == judged
