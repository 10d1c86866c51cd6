from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import WordEmbedder, write_article
from judged import write_set

from service import cli, commands, questions
from service.questions import SavedQuestion
from service.tuned import read

Run = Callable[..., Result]

COUNT = 24
QUESTIONS = {f"q{number}": f"name{number} news" for number in range(COUNT)}

DOCUMENTS = {f"right{number}": ("", f"name{number} news") for number in range(COUNT)} | {
    f"wrong{number}": (
        "",
        f"name{number} " * 4 + "news " * 3 + " ".join(f"w{number * 7 + i}" for i in range(10)),
    )
    for number in range(COUNT)
}
"""Words prefer what repeats them, meaning what says nothing else: it deserves more than 0.45."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``winnow`` in a folder of its own, with the quick stand-in for the model."""
    monkeypatch.chdir(tmp_path)
    # What the user has set is not fitted: one weight is left, and a lead of the stand-in is none.
    monkeypatch.setenv("WINNOW_LEAD_WEIGHT", "0")
    monkeypatch.setenv("WINNOW_FOREIGN_WEIGHT", "0.2")
    monkeypatch.setattr(commands, "embedder", lambda _settings: WordEmbedder())
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


@pytest.fixture
def planted(tmp_path: Path) -> str:
    qrels = [(f"q{number}", f"right{number}", 1) for number in range(COUNT)]
    return str(write_set(tmp_path / "planted", DOCUMENTS, QUESTIONS, qrels))


def save_questions(run: Run, tmp_path: Path, count: int = COUNT) -> None:
    """Index the same documents as articles, and save ``count`` of the questions."""
    for name, (_, text) in DOCUMENTS.items():
        write_article(tmp_path / "seeds", f"{name}.txt", text, byline=None)
    assert run("build").exit_code == 0
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for number in range(count):
        saved = SavedQuestion(f"name{number} news", f"right{number}.txt", None, now)
        questions.add(tmp_path / "index_data", saved)


# eval


def test_eval_shows_a_table_with_intervals_and_the_margin(run: Run, planted: str) -> None:
    shown = run("eval", planted)
    assert shown.exit_code == 0
    header, *rows = shown.stdout.splitlines()
    assert header.split()[:4] == ["set", "mode", "queries", "nDCG@10"]
    assert [row.split()[1] for row in rows[:3]] == ["hybrid", "keyword", "semantic"]
    assert "[" in rows[0]
    assert rows[3].startswith("planted: hybrid ")
    assert "the better of its halves" in rows[3]


def test_eval_shows_how_answers_were(run: Run, tmp_path: Path) -> None:
    folder = write_set(
        tmp_path / "answered",
        {"d": ("", "Brussels proposed an operator.")},
        {"q1": "who proposed an operator", "q2": "who proposed the operator"},
        [("q1", "d", 1), ("q2", "d", 1)],
        {"q1": ["Brussels"], "q2": ["Moscow"]},
    )
    options = (str(folder), "--mode", "hybrid")
    header, row, *_ = run("eval", *options, "--save", "run.json").stdout.splitlines()
    assert header.split()[-4:] == ["EM", "F1", "Contains", "Answered"]
    assert row.split()[-2:] == ["50.00", "100.00"]
    shown = run("eval", *options, "--compare", "run.json", "--json", "--per-query", "each.jsonl")
    body = json.loads(shown.stdout)
    assert (body["results"][0]["Contains"], body["results"][0]["Answered"]) == (50, 100)
    assert body["comparison"]["differences"][0]["metrics"]["Contains"][:2] == [50, 50]
    first = json.loads((tmp_path / "each.jsonl").read_text().splitlines()[0])
    assert first["answer"] == "Brussels"


def test_eval_as_json_has_every_interval(run: Run, planted: str) -> None:
    body = json.loads(run("eval", planted, "--json", "--mode", "semantic").stdout)
    (row,) = body["results"]
    low, high = row["intervals"]["Recall@100"]
    assert low <= row["Recall@100"] <= high
    assert "comparison" not in body


def test_a_saved_run_is_compared_with_and_what_changed_is_explained(
    run: Run, planted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("eval", planted, "--mode", "hybrid", "--save", "before.json").exit_code == 0
    monkeypatch.setenv("WINNOW_SEMANTIC_WEIGHT", "0.6")
    options = ("--mode", "hybrid", "--compare", "before.json")
    shown = run("eval", planted, *options, "--changes", "1", "--per-query", "each.jsonl")
    assert "semantic_weight was 0.45 and is 0.6" in shown.stdout
    assert shown.stdout.count("   better: q") == 1
    assert "relevant: right" in shown.stdout
    assert "before it then: wrong" in shown.stdout
    assert len((tmp_path / "each.jsonl").read_text().splitlines()) == COUNT
    body = json.loads(run("eval", planted, *options, "--json").stdout)
    (difference,) = body["comparison"]["differences"]
    then, now, gain = difference["metrics"]["nDCG@10"]
    assert gain["mean"] == pytest.approx(now - then)
    assert gain["low"] > 0
    assert len(difference["changes"]) > 1


@pytest.mark.parametrize("option", ["--compare", "--save", "--per-query"])
def test_a_file_that_cannot_be_used_is_refused_before_measuring(
    run: Run, planted: str, option: str, tmp_path: Path
) -> None:
    shown = run("eval", planted, option, "no/such.json")
    assert shown.exit_code == 1
    assert "such.json cannot be" in shown.stderr
    assert not (tmp_path / "index_data").exists()


def test_indexes_of_sets_are_kept_where_the_user_says(
    run: Run, planted: str, tmp_path: Path
) -> None:
    assert run("eval", planted, "--mode", "keyword", "--work", "kept").exit_code == 0
    assert (tmp_path / "kept").is_dir()
    assert not (tmp_path / "index_data").exists()


# tune


def test_tune_finds_a_planted_weight_in_judged_sets_and_everything_follows(
    run: Run, planted: str, tmp_path: Path
) -> None:
    before = json.loads(run("eval", planted, "--mode", "hybrid", "--json").stdout)["results"][0]
    shown = run("tune", planted)
    assert shown.exit_code == 0
    assert f"with semantic_weight 0.45, on {COUNT} questions of planted" in shown.stdout
    assert "Changed: semantic_weight 0.55 from now on" in shown.stdout
    tuning = read(tmp_path / "index_data")
    assert tuning is not None
    assert tuning.parameters == {"semantic_weight": 0.55}
    assert (tuning.origin, tuning.questions, tuning.model) == (("planted",), COUNT, "words:1")
    after = json.loads(run("eval", planted, "--mode", "hybrid", "--json").stdout)["results"][0]
    assert after["nDCG@10"] == 1
    # What is measured before is what it began with.
    assert f"nDCG@10 {before['nDCG@10']:.4f} with semantic_weight 0.45" in shown.stdout
    again = run("tune", planted)
    assert "with semantic_weight 0.55, on" in again.stdout
    assert "no other value is better" in again.stdout
    assert read(tmp_path / "index_data") == tuning


def test_a_dry_run_changes_nothing(run: Run, planted: str, tmp_path: Path) -> None:
    shown = run("tune", planted, "--dry-run")
    assert "without --dry-run it would be" in shown.stdout
    body = json.loads(run("tune", planted, "--dry-run", "--json").stdout)
    assert (body["verdict"], body["changed"]) == ("better", False)
    assert body["from"] == {"semantic_weight": 0.45}
    assert body["values"] == {"semantic_weight": 0.55}
    assert body["gain"]["low"] > 0
    assert read(tmp_path / "index_data") is None


def test_saved_questions_are_fitted_to_and_recorded_anew(run: Run, tmp_path: Path) -> None:
    save_questions(run, tmp_path)
    search = ("search", "name3 news", "--json", "--explain")
    assert json.loads(run(*search).stdout)["explanation"]["tuned"] == {}
    shown = run("tune")
    assert f"{COUNT} questions of your own" in shown.stdout
    assert "Changed: semantic_weight" in shown.stdout
    assert "recorded anew: name0 news: not found -> 1st" in shown.stderr
    body = json.loads(run(*search).stdout)
    assert body["explanation"]["tuned"]["semantic_weight"] > 0.45
    assert body["hits"][0]["article"]["source"] == "right3.txt"
    assert {each.rank for each in questions.read(tmp_path / "index_data")} == {1}
    # A build goes on with the same weights, and so has nothing to complain of.
    write_article(tmp_path / "seeds", "another.txt", "Something else.")
    assert run("build").exit_code == 0


def test_a_reset_takes_it_back_and_builds_go_on(run: Run, tmp_path: Path) -> None:
    save_questions(run, tmp_path)
    assert run("tune", "--reset").stdout == "Nothing was fitted.\n"
    run("tune")
    shown = run("tune", "--reset")
    assert shown.exit_code == 0
    assert "Forgotten" in shown.stdout
    assert ": 1st -> 2nd" in shown.stderr
    assert read(tmp_path / "index_data") is None
    # The ranks that fell with the weights are no reason to refuse the next build.
    write_article(tmp_path / "seeds", "another.txt", "Something else.")
    assert run("build").exit_code == 0


def test_a_damaged_file_can_be_reset_even_without_an_index(run: Run, tmp_path: Path) -> None:
    (tmp_path / "index_data").mkdir()
    (tmp_path / "index_data" / "tuning.json").write_text("{")
    questions.add(
        tmp_path / "index_data",
        SavedQuestion("q", "a.txt", 1, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
    )
    shown = run("tune", "--reset")
    assert shown.exit_code == 0
    assert "could not be recorded anew" in shown.stderr
    assert not (tmp_path / "index_data" / "tuning.json").exists()


def test_a_damaged_file_is_said_where_it_would_count(
    run: Run, planted: str, tmp_path: Path
) -> None:
    (tmp_path / "index_data").mkdir()
    (tmp_path / "index_data" / "tuning.json").write_text("{")
    assert "fitted weights are not used" in run("eval", planted, "--mode", "hybrid").stderr


def test_too_few_questions_are_refused(run: Run, tmp_path: Path) -> None:
    save_questions(run, tmp_path, count=5)
    shown = run("tune")
    assert shown.exit_code == 0
    assert "Nothing is fitted: it takes at least 20 questions." in shown.stdout
    assert read(tmp_path / "index_data") is None


def test_questions_whose_article_is_gone_are_left_out_and_counted(run: Run, tmp_path: Path) -> None:
    save_questions(run, tmp_path)
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    questions.add(tmp_path / "index_data", SavedQuestion("q", "gone.txt", None, now))
    shown = run("tune", "--dry-run")
    assert "1 saved questions left out" in shown.stderr
    assert f"{COUNT} questions" in shown.stdout


def test_without_saved_questions_there_is_nothing_to_fit_to(run: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "Text.")
    run("build")
    shown = run("tune")
    assert shown.exit_code == 1
    assert "no questions are saved" in shown.stderr
    assert "winnow questions add" in shown.stderr


def test_a_weight_that_the_user_has_set_is_not_fitted(
    run: Run, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINNOW_SEMANTIC_WEIGHT", "0.4")
    shown = run("tune", planted)
    assert shown.exit_code == 2
    assert "semantic_weight" in shown.stderr
    assert "Leave it out there" in shown.stderr


def test_a_reset_goes_with_nothing_else(run: Run, planted: str) -> None:
    assert run("tune", "--reset", "--dry-run").exit_code == 2
    assert run("tune", "--reset", planted).exit_code == 2
