from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result
from fakes import WordEmbedder, write_article

from indexer.errors import SeedsError, WinnowError
from indexer.settings import Settings
from indexer.types import Vectors
from service import cli, commands, signals, upkeep

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``winnow`` in a folder of its own, with the quick stand-in for the model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "embedder", lambda _settings: WordEmbedder())
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
    merged, first, *_ = shown.splitlines()
    assert merged.startswith("Merged: meaning counts ")
    assert first.startswith("1. A headline")
    assert "Brussels proposed an operator." in shown
    assert "a.txt, paragraph 1" in shown
    assert "keyword (rank 1" in shown


def test_search_as_json_is_what_http_returns(built: Run) -> None:
    body = json.loads(built("search", "operator", "--limit", "1", "--json").stdout)
    assert [hit["rank"] for hit in body["hits"]] == [1]
    assert body["hits"][0]["article"]["source"] == "a.txt"
    assert body["next_cursor"]


def test_suggest_completes_in_lines_or_as_http_does(built: Run) -> None:
    assert built("suggest", "the har").stdout == "the harvest  term, 1 paragraph\n"
    body = json.loads(built("suggest", "bru", "--limit", "1", "--json").stdout)
    assert [each["text"] for each in body["suggestions"]] == ["brussels"]


def test_dates_and_mode_are_passed_on(built: Run) -> None:
    body = json.loads(built("search", "was", "--before", "2024-12-31", "--json").stdout)
    assert {hit["article"]["source"] for hit in body["hits"]} == {"b.txt"}
    body = json.loads(built("search", "harvest", "--mode", "keyword", "--json").stdout)
    assert [part["source"] for part in body["hits"][0]["contributions"]] == ["keyword"]


def test_days_in_the_question_are_told_and_can_be_left_alone(built: Run) -> None:
    told = "Only articles from 1 January 2024 to 31 December 2024 (in 2024); --no-dates searches"
    shown = built("search", "the harvest in 2024").stdout
    assert told in shown
    assert "Brussels" not in shown
    assert told in built("ask", "was the harvest poor in 2024").stdout
    assert "Only articles" not in built("search", "the harvest in 2024", "--no-dates").stdout
    grammar = built("search", "harvest before:2024-02").stdout
    assert "Only articles until 29 February 2024 (before:2024-02)\n" in grammar


def test_filters_and_facets_are_passed_on(built: Run) -> None:
    shown = built("search", "was", "--facets").stdout
    assert "By author: A desk (2)\nBy month: 2024-01 (1), 2025-07 (1)" in shown
    assert "By source" not in shown
    month = json.loads(built("search", "was", "--month", "2024-01", "--json").stdout)
    assert [hit["article"]["source"] for hit in month["hits"]] == ["b.txt"]
    assert built("search", "was", "--author", "nobody").stdout == "Nothing found.\n"
    assert built("search", "was", "--source", "nowhere").stdout == "Nothing found.\n"
    assert "By month: " in built("ask", "was the harvest poor", "--facets").stdout


def test_ask_quotes_the_sentence_or_says_that_there_is_none(built: Run) -> None:
    answer = built("ask", "who proposed an operator").stdout
    assert "Brussels proposed an operator." in answer
    assert "likely (confidence " in answer
    body = json.loads(built("ask", "who proposed an operator", "--json").stdout)
    assert body["answer"]["sentence"] == "Brussels proposed an operator."
    assert body["answer"]["text"].startswith("Brussels")
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
        (("search", "x", "--month", "July"), 2, "month: "),
        (("ask", "x", "--source", ""), 2, "source: "),
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


@pytest.mark.parametrize("command", ["build", "watch", "search", "ask", "serve", "eval"])
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


# watch


def finished(folder: Path, name: str, *paragraphs: str) -> Path:
    """An article that is taken for complete at once, as its times are not those of writing it."""
    path = write_article(folder, f".{name}", *paragraphs)
    os.utime(path, (1e9, 1e9))
    return path.rename(folder / name)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def live(index: Path) -> str:
    current = index / "CURRENT"
    return current.read_text() if current.exists() else ""


Watch = Callable[..., Result]


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Stands for the signal that ends ``winnow watch``."""
    event = threading.Event()
    monkeypatch.setattr(signals, "until_signal", lambda: nullcontext(event))
    return event


@pytest.fixture
def watch(run: Run, stop: threading.Event) -> Watch:
    """Runs ``winnow watch`` until a story told beside it has ended."""

    def watching(story: Callable[[], None], *arguments: str) -> Result:
        def tell() -> None:
            try:
                story()
            finally:
                stop.set()

        with ThreadPoolExecutor(1) as beside:
            told = beside.submit(tell)
            result = run("watch", *arguments)
            told.result()
        return result

    return watching


def test_a_watch_builds_at_once_and_after_each_change_and_is_silent_otherwise(
    watch: Watch, tmp_path: Path
) -> None:
    seeds, index = tmp_path / "seeds", tmp_path / "index_data"
    finished(seeds, "a.txt", "One.")

    def story() -> None:
        until(lambda: bool(live(index)))
        first = live(index)
        os.utime(seeds / "a.txt", (2e9, 2e9))  # The same text: nothing to do.
        finished(seeds, "b.txt", "Two.")
        until(lambda: live(index) != first)

    result = watch(story)
    assert result.exit_code == 0
    assert result.stdout.count("Published generation") == 2
    assert "Nothing to do" not in result.stdout
    assert "2 articles, 2 paragraphs" in result.stdout
    assert "Watching seeds" in result.stderr


def test_a_watch_says_first_that_nothing_is_to_do(watch: Watch, built: Run, tmp_path: Path) -> None:
    before = live(tmp_path / "index_data")

    def story() -> None:
        finished(tmp_path / "seeds", "c.txt", "Three.")
        until(lambda: live(tmp_path / "index_data") != before)

    shown = watch(story).stdout
    assert shown.count("Published") == 1
    assert shown.count("Nothing to do") <= 1


def test_a_watch_as_json_prints_an_object_a_line(watch: Watch, tmp_path: Path) -> None:
    seeds, index = tmp_path / "seeds", tmp_path / "index_data"
    finished(seeds, "a.txt", "One.")

    def story() -> None:
        until(lambda: bool(live(index)))
        first = live(index)
        finished(seeds, "b.txt", "Two.")
        until(lambda: live(index) != first)

    reports = [json.loads(line) for line in watch(story, "--json").stdout.splitlines()]
    assert [(report["published"], report["articles"]) for report in reports] == [
        *((True, 1), (True, 2)),
    ]


def test_a_watch_says_what_is_wrong_and_goes_on(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complain, told = commands.complain, threading.Event()

    def tell(error: WinnowError) -> None:
        complain(error)
        told.set()

    def story() -> None:
        until(told.is_set)
        finished(tmp_path / "seeds", "a.txt", "One.")
        until(lambda: bool(live(tmp_path / "index_data")))

    monkeypatch.setattr(commands, "complain", tell)
    result = watch(story)
    assert result.exit_code == 0
    assert "winnow: the seeds folder seeds cannot be read" in result.stderr
    assert "--seeds" in result.stderr
    assert "Published generation" in result.stdout


def test_a_watch_says_once_what_goes_on_being_wrong(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds: list[str] = []

    def fail(*_: object) -> NoReturn:
        builds.append("failed")
        raise WinnowError("the disk is full", hint="Make room.")

    def story() -> None:
        for number in range(3):
            until(lambda number=number: len(builds) > number)
            finished(tmp_path / "seeds", f"{number}.txt", "One.")

    monkeypatch.setattr(upkeep, "_build_settled", fail)
    result = watch(story)
    assert result.exit_code == 0
    assert result.stderr.count("winnow: the disk is full\nMake room.\n") == 1


def test_an_article_that_was_the_only_one_and_unfinished_is_looked_at_again(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, looks = upkeep._build_settled, 0

    def not_at_first(*arguments: object) -> object:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise SeedsError("seeds holds no article that can be read")
        return build(*arguments)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(upkeep, "_build_settled", not_at_first)
    write_article(tmp_path / "seeds", "a.txt", "One.")
    result = watch(lambda: until(lambda: bool(live(tmp_path / "index_data"))))
    assert "holds no article" in result.stderr
    assert "Published generation" in result.stdout


def test_a_build_that_is_interrupted_leaves_nothing_behind(
    watch: Watch, stop: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding = threading.Event()

    class Slow(WordEmbedder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            encoding.set()
            assert stop.wait(30)
            return super().encode(texts)

    monkeypatch.setattr(commands, "embedder", lambda _settings: Slow())
    finished(tmp_path / "seeds", "a.txt", "One.")
    result = watch(lambda: until(encoding.is_set))
    assert result.exit_code == 0
    assert not result.stdout
    assert not live(tmp_path / "index_data")
    assert not (tmp_path / "index_data" / "staging").exists()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What a terminal's foreground has; who runs tests in the background ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_first_signal_is_a_request_and_a_second_one_is_not(interruptible: None) -> None:
    before = signal.getsignal(signal.SIGINT)
    with signals.until_signal() as asked:
        signal.raise_signal(signal.SIGTERM)
        assert asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with signals.until_signal() as asked:
        assert not asked.is_set()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_idle_watch_within_a_second(
    real_index: Settings, number: signal.Signals
) -> None:
    command = Path(sys.executable).with_name("winnow")
    with subprocess.Popen(
        [command, "watch", "--seeds", real_index.seeds, "--index", real_index.index],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "Nothing to do" in process.stdout.readline()
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 1


def test_generations_are_listed_and_gone_back_to(run: Run, tmp_path: Path) -> None:
    assert "No generation" in run("generations").stdout
    write_article(tmp_path / "seeds", "a.txt", "A corridor.")
    first = json.loads(run("build", "--json").stdout)["generation"]
    refused = run("rollback")
    assert refused.exit_code == 1
    assert "no generation to go back to" in refused.stderr
    write_article(tmp_path / "seeds", "b.txt", "A road.")
    second = json.loads(run("build", "--json").stdout)["generation"]
    listed = json.loads(run("generations", "--json").stdout)["generations"]
    assert [(each["id"], each["live"]) for each in listed] == [(second, True), (first, False)]
    assert run("generations").stdout.startswith(f"* {second}  2 articles")
    assert json.loads(run("rollback", "--json").stdout)["id"] == first
    assert f"* {first}" in run("generations").stdout
    assert json.loads(run("rollback", second, "--json").stdout)["live"]
    assert run("rollback", "../x").exit_code == 1


def test_a_damaged_generation_is_listed_and_not_gone_back_to(built: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "c.txt", "A road.")
    assert built("build").exit_code == 0
    manifest = min((tmp_path / "index_data" / "generations").iterdir()) / "manifest.json"
    manifest.write_text("{}")
    assert "is missing or damaged" in built("generations").stdout
    assert built("rollback").exit_code == 1
    assert "A road." in built("search", "road").stdout


def test_a_generation_is_exported_and_imported(built: Run, tmp_path: Path) -> None:
    archive = str(tmp_path / "export.tar")
    assert built("export", archive).exit_code == 0
    assert built("import", archive, "--index", "elsewhere").exit_code == 0
    assert "2 articles" in built("generations", "--index", "elsewhere").stdout
    again = built("import", archive)
    assert again.exit_code == 1
    assert "is here already" in again.stderr
