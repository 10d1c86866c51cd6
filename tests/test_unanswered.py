from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.build import build
from indexer.errors import UnansweredError
from indexer.settings import Settings
from service.engine import Engine
from service.requests import AnswerQuery, DraftQuery
from service.results import Shape
from service.unanswered import FILE, Unanswered

WRITER = """
import sys
from pathlib import Path
from service.unanswered import Unanswered
log = Unanswered(Path(sys.argv[1]))
for number in range(10_000):
    log.add(f"question {number}", "no_hits", None, "g")
    print(number, flush=True)
"""


def test_a_question_is_counted_and_kept_as_it_was_asked_last(tmp_path: Path) -> None:
    log = Unanswered(tmp_path)
    log.add("Who sang?", "no_hits", None, "g1")
    log.add("who  sang?", "below_threshold", 0.09, "g2")
    log.add("who danced?", "no_hits", None, "g2")
    sang, danced = log.questions()
    assert (sang.question, sang.reason, sang.surest) == ("who  sang?", "below_threshold", 0.09)
    assert (sang.generation, sang.times) == ("g2", 2)
    assert sang.first < sang.last
    assert (danced.times, danced.surest) == (1, None)


def test_those_not_asked_for_longest_make_room(tmp_path: Path) -> None:
    log = Unanswered(tmp_path, kept=3)
    for question in "abacd":
        log.add(question, "no_hits", None, "g")
    assert {each.question: each.times for each in log.questions()} == {"a": 2, "c": 1, "d": 1}


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    log = Unanswered(tmp_path, kept=10)
    sizes = []
    for number in range(40):
        log.add(f"{number:04d}" + "ä" * 996, "no_hits", 0.1, "g" * 30)
        sizes.append((tmp_path / FILE).stat().st_size)
    assert sizes[-1] == sizes[20] <= 10 * 5_000 + 20_000


@given(st.lists(st.sampled_from(["a", "A", " a ", "b", "é", "E\u0301", ""]), max_size=8))
@hypothesis_settings(max_examples=10, deadline=None)
def test_every_question_is_counted_once_each_time(
    tmp_path_factory: pytest.TempPathFactory, asked: list[str]
) -> None:
    log = Unanswered(tmp_path_factory.mktemp("index"))
    for question in asked:
        log.add(question, "no_hits", None, "g")
    counts = Counter(" ".join(each.casefold().split()) for each in asked)
    kept = log.questions()
    assert sorted(each.times for each in kept) == sorted(counts.values())
    assert [each.times for each in kept] == sorted(counts.values(), reverse=True)


def test_threads_of_two_services_lose_no_question(tmp_path: Path) -> None:
    logs = [Unanswered(tmp_path), Unanswered(tmp_path)]

    def ask(thread: int) -> None:
        for number in range(10):
            log = logs[thread % 2]
            log.add(f"question {number if thread < 2 else 0}", "no_hits", None, "g")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    assert sum(each.times for each in Unanswered(tmp_path).questions()) == 40


def test_a_kill_leaves_what_was_kept(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as writer:
        assert writer.stdout is not None
        for _ in range(5):
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
    log = Unanswered(tmp_path)
    log.add("after it", "no_hits", None, "g")
    kept = {each.question for each in log.questions()}
    assert {f"question {number}" for number in range(last + 1)} | {"after it"} <= kept


def test_a_file_that_cannot_be_used_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"x" * 5000)
    log = Unanswered(tmp_path)
    with pytest.raises(UnansweredError, match="cannot be used") as error:
        log.questions()
    assert "--clear" in error.value.hint
    with pytest.raises(UnansweredError):
        log.add("who sang", "no_hits", None, "g")
    log.clear()
    assert log.questions() == []


def test_half_a_question_is_none(settings: Settings) -> None:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    build(settings, WordEmbedder(), progress=silent)
    logged = settings.model_copy(update={"unanswered_log": True})
    with closing(Engine(logged, WordEmbedder())) as engine:
        assert engine.answer(DraftQuery(q="who is xerx")).answer is None
        assert engine.answer(AnswerQuery(q="who is xerxes")).answer is None
    kept = Unanswered(settings.index).questions()
    assert [each.question for each in kept] == ["who is xerxes"]


def test_other_results_than_answers_are_none_of_its_business(tmp_path: Path) -> None:
    Unanswered(tmp_path).note(Shape(), Shape())
    assert not (tmp_path / FILE).exists()
