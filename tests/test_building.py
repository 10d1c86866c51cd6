from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fakes import silent, write_article

from indexer.errors import BuildError, ModelError, SeedsError, WinnowError
from indexer.generations import Generations
from indexer.settings import Settings
from service import building
from service.building import Builder, Order, throttled


@pytest.fixture
def builder(settings: Settings) -> Iterator[Builder]:
    builder = Builder(settings)
    yield builder
    builder.close()


def stand_in(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have the child run ``code`` instead of a build."""
    monkeypatch.setattr(building, "_COMMAND", (sys.executable, "-c", code))


def test_a_child_builds_and_its_progress_and_report_arrive(
    builder: Builder, settings: Settings
) -> None:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    (settings.seeds / "b.txt").write_bytes(b"\0\1\2")
    told: list[tuple[str, int, int]] = []
    report = builder(False, 0.0, lambda *progress: told.append(progress))
    assert (report.articles, report.paragraphs, report.added) == (1, 1, 2)
    assert [item.file for item in report.skipped] == ["b.txt"]
    assert report.generation == Generations(settings.index).current()
    assert {stage for stage, _, _ in told} >= {"index", "verify", "publish"}
    assert told[-1] == ("publish", 1, 1)


def test_an_error_of_the_build_arrives_with_its_class_and_hint(tmp_path: Path) -> None:
    builder = Builder(Settings(seeds=tmp_path / "none", index=tmp_path / "index"))
    with pytest.raises(SeedsError, match="none") as caught:
        builder(False, 0.0, silent)
    assert "--seeds" in caught.value.hint


def test_a_missing_model_is_an_error_of_the_model(settings: Settings, tmp_path: Path) -> None:
    builder = Builder(settings.model_copy(update={"model": tmp_path / "none"}))
    with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
        builder(False, 0.0, silent)


def test_another_writer_is_waited_for(builder: Builder, settings: Settings) -> None:
    with ExitStack() as other:
        other.enter_context(Generations(settings.index).writing())
        stages: list[str] = []

        def progress(stage: str, _done: int, _total: int) -> None:
            stages.append(stage)
            other.close()

        with pytest.raises(SeedsError):
            builder(False, 0.0, progress)
        assert stages == ["wait"]


def test_every_code_is_of_one_class_only() -> None:
    def kinds(kind: type[WinnowError]) -> list[type[WinnowError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in kinds(child))]

    everything = kinds(WinnowError)
    family = building._family(WinnowError)
    assert len(family) == len(everything)
    assert all(family[kind.code] is kind for kind in everything)


def test_a_killed_child_is_told_by_the_name_of_the_signal(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(
        monkeypatch,
        "import os, signal, sys; sys.stderr.write('last words\\n'); sys.stderr.flush(); "
        "os.kill(os.getpid(), signal.SIGKILL)",
    )
    with pytest.raises(BuildError, match="SIGKILL: last words") as caught:
        builder(False, 0.0, silent)
    assert caught.value.code == "build_failed"
    assert "Memory may have run out" in caught.value.hint


def test_a_child_killed_in_the_middle_of_a_line_is_told_like_any_other(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(
        monkeypatch, """import os; os.write(1, b'{"report": {"gener'); os.kill(os.getpid(), 9)"""
    )
    with pytest.raises(BuildError, match="SIGKILL"):
        builder(False, 0.0, silent)


def test_a_signal_without_a_name_is_told_by_its_number(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = signal.SIGRTMIN + 3
    stand_in(monkeypatch, f"import os; os.kill(os.getpid(), {number})")
    with pytest.raises(BuildError, match=f"ended by signal {number}$"):
        builder(False, 0.0, silent)


def test_a_crash_is_told_with_the_last_lines_of_its_log(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(
        monkeypatch,
        "import sys; [print(f'line {n}.', file=sys.stderr) for n in range(50)]; 1 / 0",
    )
    with pytest.raises(BuildError, match="ended with 1") as caught:
        builder(False, 0.0, silent)
    assert str(caught.value).endswith("ZeroDivisionError: division by zero")
    assert "line 47." not in str(caught.value)


def test_a_process_that_cannot_be_started_is_said(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_COMMAND", ("/nonexistent",))
    with pytest.raises(BuildError, match="no process can be started"):
        builder(False, 0.0, silent)


def test_closing_ends_the_child_and_no_other_is_started(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It tells its process id as progress, and would run for an hour.
    stand_in(
        monkeypatch,
        "import json, os, time; "
        "print(json.dumps(dict(stage='x', done=os.getpid(), total=1)), flush=True); "
        "time.sleep(3600)",
    )
    begun, process_ids, caught = threading.Event(), [], []

    def progress(_stage: str, done: int, _total: int) -> None:
        process_ids.append(done)
        begun.set()

    def run() -> None:
        try:
            builder(False, 0.0, progress)
        except BuildError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(10)
    builder.close()
    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(process_ids[0], 0)
    assert "stopped" in str(caught[0])
    with pytest.raises(BuildError, match="stopped"):
        builder(False, 0.0, silent)


def test_nothing_is_left_of_a_child_whose_progress_cannot_be_told(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(
        monkeypatch,
        "import json, os, time; "
        "print(json.dumps(dict(stage='x', done=os.getpid(), total=1)), flush=True); "
        "time.sleep(3600)",
    )
    process_ids = []

    def progress(_stage: str, done: int, _total: int) -> None:
        process_ids.append(done)
        raise RuntimeError("nobody listens")

    with pytest.raises(RuntimeError, match="nobody listens"):
        builder(False, 0.0, progress)
    with pytest.raises(ProcessLookupError):
        os.kill(process_ids[0], 0)


def test_a_child_ends_without_publishing_when_its_parent_is_gone(settings: Settings) -> None:
    write_article(settings.seeds, "a.txt", "A corridor.")
    # The end of its input is all that a child sees of a parent that was killed.
    child = subprocess.run(
        building._COMMAND,
        input=Order(settings=settings, full=False, settle=0.0).model_dump_json().encode() + b"\n",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert child.returncode == 1
    assert b"report" not in child.stdout
    assert child.stderr == b""
    assert Generations(settings.index).current() is None


def test_a_child_gives_way_and_what_others_print_does_not_mix_with_its_lines() -> None:
    code = (
        "import os; from service import building as b; b._give_way(); say = b._speaker(); "
        "os.write(1, b'noise'); print('more', flush=True); say(nice=os.nice(0), text='\\udcff')"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert child.stdout == b'{"nice": 10, "text": "\\udcff"}\n'
    assert b"noise" in child.stderr
    assert b"more" in child.stderr


def test_the_child_takes_half_of_the_cores_and_at_least_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for cores, threads in ((None, 1), (1, 1), (2, 1), (3, 1), (8, 4)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert building._threads() == threads


def test_progress_is_thinned_but_the_ends_of_every_stage_are_told() -> None:
    told: list[Any] = []
    times = iter([0.0, 0.1, 0.15, 0.25, 0.26, 0.27, 0.28])
    tell = throttled(lambda *progress: told.append(progress), 0.2, lambda: next(times))
    for done in range(5):
        tell("index", done, 5)
    tell("index", 5, 5)
    tell("verify", 0, 1)
    assert told == [("index", 0, 5), ("index", 3, 5), ("index", 5, 5), ("verify", 0, 1)]
