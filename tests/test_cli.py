from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import WordEmbedder, write_article

from service import cli

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``winnow`` in a folder of its own, with the quick stand-in for the model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_embedder", lambda _settings: WordEmbedder())
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


@pytest.fixture
def built(run: Run, tmp_path: Path) -> Run:
    write_article(tmp_path / "seeds", "a.txt", "Brussels proposed an operator. It was refused.")
    write_article(tmp_path / "seeds", "b.txt", "The harvest was poor.", published="2024-01-01")
    assert run("build").exit_code == 0
    return run


def test_a_build_tells_what_it_did_and_then_that_nothing_is_to_do(run: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "One.")
    (tmp_path / "seeds" / "bad.txt").write_bytes(b"\x00\x01" * 50)
    first = run("build")
    assert first.exit_code == 0
    assert "1 articles, 1 paragraphs" in first.stdout
    assert "skipped bad.txt: " in first.stdout
    assert "index: 100 %" in first.stderr
    assert "Nothing to do" in run("build").stdout
    assert "Published" in run("build", "--full").stdout


def test_a_build_as_json_ends_with_one_object(run: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "One.")
    report = json.loads(run("build", "--json").stdout)
    assert {
        *("generation", "articles", "paragraphs", "added", "changed", "moved", "removed"),
        *("skipped", "seconds"),
    } <= report.keys()
    assert report["added"] == 1


def test_search_prints_hits_best_first(built: Run) -> None:
    shown = built("search", "operator", "--explain").stdout
    assert shown.startswith("1. A headline")
    assert "Brussels proposed an operator." in shown
    assert "a.txt, paragraph 1" in shown
    assert "keyword (rank 1" in shown


def test_search_as_json_is_what_http_returns(built: Run) -> None:
    body = json.loads(built("search", "operator", "--limit", "1", "--json").stdout)
    assert [hit["rank"] for hit in body["hits"]] == [1]
    assert body["hits"][0]["article"]["source"] == "a.txt"
    assert body["next_cursor"]


def test_dates_and_mode_are_passed_on(built: Run) -> None:
    body = json.loads(built("search", "was", "--before", "2024-12-31", "--json").stdout)
    assert {hit["article"]["source"] for hit in body["hits"]} == {"b.txt"}
    body = json.loads(built("search", "harvest", "--mode", "keyword", "--json").stdout)
    assert [part["source"] for part in body["hits"][0]["contributions"]] == ["keyword"]


def test_ask_quotes_the_sentence_or_says_that_there_is_none(built: Run) -> None:
    answer = built("ask", "who proposed an operator").stdout
    assert "“Brussels proposed an operator.”" in answer
    assert "confidence" in answer
    body = json.loads(built("ask", "who proposed an operator", "--json").stdout)
    assert body["answer"]["text"] == "Brussels proposed an operator."
    none = built("ask", "zzzz yyyy xxxx")
    assert none.exit_code == 0
    assert "The articles do not say." in none.stdout


def test_broken_syntax_is_searched_and_said(built: Run) -> None:
    shown = built("search", 'operator "unfinished').stdout
    assert "Note: query syntax: unbalanced" in shown
    assert "Brussels" in shown


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("build", "--seeds", "nowhere"), 1, "the seeds folder nowhere"),
        (("build", "--seeds", "empty"), 1, "holds no article"),
        (("search", "x"), 1, "there is no index"),
        (("ask", "x"), 1, "there is no index"),
        (("search", ""), 2, "q: "),
        (("search", "x" * 10_000), 2, "q: "),
        (("search", "a\0b"), 2, "NUL"),
        (("search", "x", "--limit", "0"), 2, "--limit"),
        (("search", "x", "--after", "yesterday"), 2, "--after"),
        (("search", "x", "--mode", "psychic"), 2, "--mode"),
        (("search",), 2, "QUERY"),
        (("eval", "nowhere"), 2, "nowhere"),
        (("eval", "empty"), 1, "is not a set of judged questions"),
        (("build", "--config", "none.toml"), 2, "none.toml"),
        (("serve", "--port", "99999"), 2, "--port"),
    ],
)
def test_wrong_use_is_an_error_in_a_sentence(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    (tmp_path / "empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == status
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert not result.stdout


def test_an_unknown_setting_is_refused_by_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_COLOUR", "red")
    result = run("build")
    assert result.exit_code == 2
    assert "WINNOW_COLOUR: there is no setting named 'colour'" in result.stderr


@pytest.mark.parametrize("command", ["build", "search", "ask", "serve", "eval"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    for option in ("--seeds", "--index", "--config"):
        assert option in shown.stdout


def test_an_index_folder_that_is_not_writable_is_said(run: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "One.")
    (tmp_path / "file").touch()
    result = run("build", "--index", "file")
    assert result.exit_code == 1
    assert "file cannot be written" in result.stderr
