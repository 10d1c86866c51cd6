from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import WordEmbedder, write_article

from indexer.settings import Settings
from service import cli, commands
from service.unanswered import FILE, Unanswered

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``winnow`` in a folder of its own, with the quick stand-in for the model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "embedder", lambda _settings: WordEmbedder())
    for name in os.environ:
        if name.startswith("WINNOW_"):
            monkeypatch.delenv(name)
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def test_config_shows_every_setting_with_its_origin(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "winnow.toml").write_text("depth = 30\n\nport = 81\n")
    monkeypatch.setenv("WINNOW_THREADS", "5")
    shown = run("config", "--seeds", "mine", "--set", "port=82", "--set", "log_questions=yes")
    assert shown.exit_code == 0
    rows = [line.split(maxsplit=2) for line in shown.stdout.splitlines()]
    assert rows[0] == ["setting", "value", "from"]
    assert [row[0] for row in rows[1:]] == list(Settings.model_fields)
    for row in (
        ["seeds", "mine", "--seeds"],
        ["depth", "30", "winnow.toml line 1"],
        ["port", "82", "--set port"],
        ["threads", "5", "WINNOW_THREADS"],
        ["log_questions", "true", "--set log_questions"],
        ["k1", "0.8", "default"],
    ):
        assert row in rows


def test_config_as_json_can_be_given_back(run: Run) -> None:
    rows = json.loads(run("config", "--json", "--set", "k1=0.7").stdout)["settings"]
    values = {row["name"]: row["value"] for row in rows}
    assert Settings.model_validate(values) == Settings(k1=0.7)
    assert {row["name"] for row in rows if row["origin"] != "default"} == {"k1"}


def test_config_shows_what_was_fitted_as_such(run: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "Brussels proposed an operator.")
    assert run("build").exit_code == 0
    tuning = {
        "parameters": {"semantic_weight": 0.3, "lead_weight": 2.0},
        "origin": ["mine"],
        "questions": 20,
        "gain": 0.1,
        "low": 0.05,
        "high": 0.2,
        "model": WordEmbedder().fingerprint,
        "when": "2026-01-01T00:00:00Z",
    }
    (tmp_path / "index_data" / "tuning.json").write_text(json.dumps(tuning))
    shown = run("config", "--set", "lead_weight=1").stdout
    assert [line.split() for line in shown.splitlines() if "_weight" in line][:3:2] == [
        ["semantic_weight", "0.3", "winnow", "tune"],
        ["lead_weight", "1.0", "--set", "lead_weight"],
    ]


def test_a_setting_given_with_set_is_in_force_in_every_command(run: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "Brussels proposed an operator.")
    assert run("build", "--set", "index=elsewhere").exit_code == 0
    assert (tmp_path / "elsewhere" / "CURRENT").exists() or any((tmp_path / "elsewhere").iterdir())
    assert not (tmp_path / "index_data").exists()
    refused = run("search", "x", "--set", "dept=3")
    assert refused.exit_code == 2
    assert "Did you mean depth?" in refused.stderr


def test_what_the_terminal_could_not_answer_is_shown_and_cleared(run: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "Brussels proposed an operator.")
    assert run("build").exit_code == 0
    on = ("--set", "unanswered_log=1")
    for question in ("who sang", "Who  sang", "who proposed an operator"):
        assert run("ask", question, "--set", "answer_threshold=0.3", *on).exit_code == 0
    assert run("ask", "who danced").exit_code == 0
    shown = run("unanswered").stdout.splitlines()
    assert shown[0].split() == ["times", "last", "asked", "(UTC)", "best", "question"]
    assert [line.split()[0] for line in shown[1:]] == ["2"]
    assert shown[1].endswith("Who sang")
    (kept,) = json.loads(run("unanswered", "--json", "--clear").stdout)["questions"]
    assert (kept["question"], kept["times"]) == ("Who  sang", 2)
    assert kept["first"] <= kept["last"]
    assert "unanswered_log is off" in run("unanswered").stderr
    assert json.loads(run("unanswered", "--json").stdout) == {"questions": []}


def test_a_damaged_log_of_unanswered_questions_is_told_and_can_be_cleared(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "index_data").mkdir()
    (tmp_path / "index_data" / FILE).write_bytes(b"no database" * 100)
    refused = run("unanswered")
    assert refused.exit_code == 1
    assert "winnow unanswered --clear" in refused.stderr
    assert run("unanswered", "--clear").exit_code == 0
    assert Unanswered(tmp_path / "index_data").questions() == []
