from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import WordEmbedder, silent, write_article

from indexer.build import Progress, build
from indexer.errors import BuildError, NotFound, SeedsError
from indexer.reports import BuildReport
from indexer.settings import Settings
from service.builds import REMEMBERED, Builds


class Gate:
    """A build that begins when it is called and ends when it is let."""

    def __init__(self, report: BuildReport) -> None:
        self.report = report
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.calls: list[bool] = []
        self.settles: list[float] = []
        self.failure: Exception | None = None
        self.progress: Progress | None = None

    def __call__(self, full: bool, settle: float, progress: Progress) -> BuildReport:
        self.calls.append(full)
        self.settles.append(settle)
        self.progress = progress
        self.begun.release()
        assert self.may_end.acquire(timeout=10)
        if self.failure:
            raise self.failure
        return self.report

    def wait_until_begun(self) -> None:
        assert self.begun.acquire(timeout=10)

    def tell(self, *progress: Any) -> None:
        assert self.progress is not None
        self.progress(*progress)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> BuildReport:
    folder = tmp_path_factory.mktemp("collection")
    write_article(folder / "seeds", "a.txt", "Brussels proposed an operator.")
    settings = Settings(seeds=folder / "seeds", index=folder / "index")
    return build(settings, WordEmbedder(), progress=silent)


@pytest.fixture
def gate(report: BuildReport) -> Gate:
    return Gate(report)


@pytest.fixture
def builds(gate: Gate) -> Iterator[Builds]:
    builds = Builds(gate)
    yield builds
    builds.close()
    gate.may_end.release(10)
    for thread in workers():
        thread.join(10)


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "builds"]


def test_a_build_goes_from_queued_through_running_to_its_report(builds: Builds, gate: Gate) -> None:
    submitted = builds.submit()
    assert submitted.state == "queued"
    assert submitted.started is None
    gate.wait_until_begun()
    running = builds.get(submitted.id)
    assert running.state == "running"
    gate.may_end.release()
    ended = builds.wait(submitted.id)
    assert (ended.state, ended.report, ended.problem) == ("succeeded", gate.report, None)
    assert ended.started is not None
    assert ended.finished is not None
    assert ended.created <= ended.started <= ended.finished
    assert ended.created.utcoffset() is not None
    assert builds.get(submitted.id) == ended
    assert f'"generation":"{gate.report.generation}"' in ended.model_dump_json()


def test_no_thread_is_started_before_the_first_build(builds: Builds) -> None:
    assert not workers()
    builds.submit()
    assert len(workers()) == 1


def test_a_request_during_a_build_queues_and_a_third_joins_the_one_that_waits(
    builds: Builds, gate: Gate
) -> None:
    first = builds.submit()
    gate.wait_until_begun()
    second = builds.submit()
    third = builds.submit()
    assert first.id != second.id == third.id
    assert builds.get(second.id).state == "queued"
    gate.may_end.release(2)
    assert builds.wait(third.id).state == "succeeded"
    assert gate.calls == [False, False]
    assert [state.id for state in builds.newest_first()] == [second.id, first.id]


def test_a_full_request_makes_the_waiting_build_full_and_a_plain_one_leaves_it_so(
    builds: Builds, gate: Gate
) -> None:
    builds.submit()
    gate.wait_until_begun()
    waiting = builds.submit()
    assert not waiting.full
    assert builds.submit(full=True).full
    joined = builds.submit()
    assert joined.id == waiting.id
    assert joined.full
    gate.may_end.release(2)
    assert builds.wait(waiting.id).full
    assert gate.calls == [False, True]


def test_a_running_build_is_not_made_full(builds: Builds, gate: Gate) -> None:
    running = builds.submit()
    gate.wait_until_begun()
    assert builds.submit(full=True).id != running.id
    assert not builds.get(running.id).full


def test_a_failure_is_told_with_its_code_and_hint_and_the_next_build_runs(
    builds: Builds, gate: Gate
) -> None:
    gate.failure = SeedsError("there are no seeds", hint="Put some there.")
    gate.may_end.release()
    failed = builds.wait(builds.submit().id)
    assert (failed.state, failed.report) == ("failed", None)
    assert failed.problem is not None
    assert failed.problem.model_dump() == {
        "code": "bad_seeds",
        "detail": "there are no seeds",
        "hint": "Put some there.",
    }
    gate.failure = None
    gate.may_end.release()
    assert builds.wait(builds.submit().id).state == "succeeded"


def test_an_unexpected_error_is_logged_and_not_shown_and_the_next_build_runs(
    builds: Builds, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    gate.failure = RuntimeError("secret path /etc/shadow")
    gate.may_end.release()
    failed = builds.wait(builds.submit().id)
    assert failed.problem is not None
    assert failed.problem.code == "internal_error"
    assert "secret" not in failed.model_dump_json()
    assert "secret" in caplog.text
    assert failed.id in caplog.text
    gate.failure = None
    gate.may_end.release()
    assert builds.wait(builds.submit().id).state == "succeeded"


def test_who_follows_a_build_gets_each_change_up_to_the_end(builds: Builds, gate: Gate) -> None:
    builds.submit()
    gate.wait_until_begun()
    states = builds.follow(builds.submit().id)
    assert next(states).state == "queued"
    gate.may_end.release()
    gate.wait_until_begun()
    assert next(states).state == "running"
    gate.tell("index", 5, 10)
    state = next(states)
    assert (state.stage, state.done, state.total) == ("index", 5, 10)
    gate.may_end.release()
    assert next(states).state == "succeeded"
    assert list(states) == []


def test_who_is_slow_misses_states_between_but_not_the_last(builds: Builds, gate: Gate) -> None:
    id_ = builds.submit().id
    gate.wait_until_begun()
    states = builds.follow(id_)
    assert next(states).done == 0
    for done in range(1, 4):
        gate.tell("index", done, 3)
    assert next(states).done == 3
    gate.may_end.release()
    builds.wait(id_)
    assert [state.state for state in states] == ["succeeded"]


def test_changes_of_another_build_are_none_of_this_one(builds: Builds, gate: Gate) -> None:
    builds.submit()
    gate.wait_until_begun()
    seen = []
    waiting = builds.submit().id
    states = builds.follow(waiting)
    seen.append(next(states))
    listener = threading.Thread(target=lambda: seen.append(next(states)))
    listener.start()
    for done in range(100):
        gate.tell("index", done, 100)
    gate.may_end.release()
    listener.join(10)
    assert [state.state for state in seen] == ["queued", "running"]


def test_a_state_is_repeated_when_nothing_changes_for_a_beat(builds: Builds, gate: Gate) -> None:
    id_ = builds.submit().id
    gate.wait_until_begun()
    states = builds.follow(id_, beat=0.01)
    first = next(states)
    assert next(states) is first


def test_an_ended_build_is_followed_by_its_last_state_alone(builds: Builds, gate: Gate) -> None:
    gate.may_end.release()
    ended = builds.wait(builds.submit().id)
    assert list(builds.follow(ended.id)) == [ended]


def test_an_unknown_build_is_not_found_by_any_way(builds: Builds) -> None:
    for ask in (builds.get, builds.follow, builds.wait):
        with pytest.raises(NotFound, match="no build 0000000000000000"):
            ask("0000000000000000")


def test_the_oldest_ended_builds_are_forgotten_except_by_who_follows_them(
    builds: Builds, gate: Gate
) -> None:
    gate.may_end.release(REMEMBERED + 1)
    first = builds.submit().id
    states = builds.follow(first)
    next(states)
    builds.wait(first)
    for _ in range(REMEMBERED):
        builds.wait(builds.submit().id)
    assert len(builds.newest_first()) == REMEMBERED
    with pytest.raises(NotFound):
        builds.get(first)
    assert [state.state for state in states] == ["succeeded"]


def test_closing_releases_everybody_and_starts_no_build_any_more(
    builds: Builds, gate: Gate
) -> None:
    for _ in range(REMEMBERED):
        gate.may_end.release()
        builds.wait(builds.submit().id)
        gate.wait_until_begun()
    running = builds.submit().id
    gate.wait_until_begun()
    waiting = builds.submit().id
    following = builds.follow(running)
    next(following)
    builds.close()
    builds.close()
    (last,) = following
    assert last.state == "failed"
    assert last.problem is not None
    assert last.problem.code == "build_failed"
    assert builds.wait(waiting).state == "failed"
    with pytest.raises(BuildError, match="stopping"):
        builds.submit()
    (worker,) = workers()
    gate.may_end.release()
    worker.join(10)
    assert not worker.is_alive()
    assert builds.get(running).state == "failed"
    assert len(gate.calls) == REMEMBERED + 1
