from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import WordEmbedder, silent, write_article

from indexer import forecast as forecast_module
from indexer.build import build
from indexer.forecast import forecast
from indexer.generations import Generations
from indexer.plan import Move
from indexer.settings import Settings
from indexer.types import Vectors
from service import cli, commands

Plan = Callable[..., Result]


class Untouched(WordEmbedder):
    """A model that must not be asked for anything but its name."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        raise AssertionError(f"the model was asked for {texts}")


@pytest.fixture
def plan(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Runs ``winnow plan`` over the folders of the test."""
    monkeypatch.setattr(commands, "embedder", lambda _settings: Untouched())
    folders = ("--seeds", str(settings.seeds), "--index", str(settings.index))
    return lambda *options: CliRunner().invoke(cli.main, ["plan", *folders, *options])


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_plan_tells_what_a_build_then_does_and_writes_nothing(
    settings: Settings, plan: Plan
) -> None:
    for name in ("same", "edited", "renamed", "deleted"):
        write_article(settings.seeds, f"{name}.txt", f"Text of {name}.")
    build(settings, WordEmbedder(), progress=silent)
    write_article(settings.seeds, "edited.txt", "Other text.")
    write_article(settings.seeds, "new.txt", "New text.")
    (settings.seeds / "renamed.txt").rename(settings.seeds / "other name.txt")
    (settings.seeds / "deleted.txt").unlink()
    (settings.seeds / "loop").symlink_to("loop")
    before = contents(settings.index)
    said = plan()
    assert said.exit_code == 0
    assert said.stdout.splitlines()[1:] == [
        "added: new.txt",
        "changed: edited.txt",
        "removed: deleted.txt",
        "moved: renamed.txt -> other name.txt",
        "skipped loop: cannot be read: Too many levels of symbolic links",
    ]
    assert "1 files added, 1 changed, 1 moved, 1 removed" in said.stdout
    told = json.loads(plan("--json").stdout)
    assert contents(settings.index) == before
    report = build(settings, WordEmbedder(), progress=silent)
    counts = (report.added, report.changed, report.moved, report.removed)
    assert counts == tuple(len(told[name]) for name in ("added", "changed", "moved", "removed"))
    assert told["moved"] == [{"origin": "renamed.txt", "path": "other name.txt"}]
    assert told["skipped"][0]["file"] == report.skipped[0].file == "loop"
    assert plan().stdout.startswith(f"Nothing to do: generation {report.generation}")


def test_before_the_first_build_a_plan_makes_no_folder(settings: Settings, plan: Plan) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    said = plan()
    assert said.exit_code == 0
    assert said.stdout == ("Everything would be built anew: there is no index yet\nadded: a.txt\n")
    assert not settings.index.exists()


def test_a_plan_for_no_articles_says_that_a_build_would_be_refused(
    settings: Settings, plan: Plan
) -> None:
    path = write_article(settings.seeds, "a.txt", "One.")
    build(settings, WordEmbedder(), progress=silent)
    path.unlink()
    said = plan()
    assert said.exit_code == 0
    assert said.stdout.startswith("A build would be refused: ")
    assert "removed: a.txt" in said.stdout


@pytest.mark.parametrize("harm", ["file", "manifest", "CURRENT", "report"])
def test_a_damaged_index_would_be_built_anew_and_is(
    settings: Settings, plan: Plan, harm: str
) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    live = build(settings, WordEmbedder(), progress=silent).generation
    folder = Generations(settings.index).path(live)
    {
        "file": folder / "vectors.faiss",
        "manifest": folder / "manifest.json",
        "CURRENT": settings.index / "CURRENT",
        "report": folder / "report.json",
    }[harm].write_bytes(b"/")
    told = json.loads(plan("--json").stdout)
    assert told["generation"] is None
    assert str(settings.index) in told["anew"]
    report = build(settings, WordEmbedder(), progress=silent)
    assert report.notices[0].reason == f"built anew: {told['anew']}"
    assert json.loads(plan("--json").stdout)["anew"] is None


def test_speakers_that_were_not_looked_for_are_looked_for_when_that_is_wanted(
    settings: Settings,
) -> None:
    write_article(settings.seeds, "a.txt", "Anna Kern said that it is late.")
    without = settings.model_copy(update={"speakers": False})
    build(without, WordEmbedder(), progress=silent)
    assert forecast(without, "words:1").anew is None
    found = forecast(settings, "words:1")
    assert found.anew == "the index was built with another attributor"


@pytest.mark.parametrize("part", ["model", "analyzer", "format"])
def test_an_index_of_another_kind_would_be_built_anew_and_is(
    settings: Settings, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    build(settings, WordEmbedder(), progress=silent)
    write_article(settings.seeds, "b.txt", "Two.")
    embedder = WordEmbedder("words:2" if part == "model" else "words:1")
    if part != "model":
        needed = {**forecast_module.READABLE, part: "another"}
        monkeypatch.setattr(forecast_module, "READABLE", needed)
    found = forecast(settings, embedder.fingerprint)
    assert found.anew == f"the index was built with another {part}"
    assert found.base is None
    assert found.survey.plan.added == ("b.txt",)
    assert build(settings, embedder, progress=silent).articles == 2
    assert forecast(settings, embedder.fingerprint).anew is None


def test_a_forecast_compares_with_the_live_generation_alone(settings: Settings) -> None:
    path = write_article(settings.seeds, "a.txt", "One.")
    first = build(settings, WordEmbedder(), progress=silent).generation
    path.rename(settings.seeds / "b.txt")
    build(settings, WordEmbedder(), progress=silent)
    generations = Generations(settings.index)
    generations.activate(first)
    found = forecast(settings, "words:1").survey
    assert found.plan.moved == (Move("a.txt", "b.txt"),)
    assert replace(found.plan, moved=()).new == frozenset()
