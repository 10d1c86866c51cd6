from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from indexer.deadlines import within
from indexer.errors import DeadlineExceeded, Overloaded
from indexer.stopwatch import Stopwatch
from service.admission import Admission


def until(waiting: int, admission: Admission) -> None:
    limit = time.monotonic() + 10
    while admission.waiting != waiting:
        assert time.monotonic() < limit
        threading.Event().wait(0.001)


def test_who_finds_neither_place_nor_room_to_wait_is_refused_at_once() -> None:
    admission = Admission(2, 0, 60)
    with admission.place(), admission.place():
        assert admission.serving == 2
        begun = time.perf_counter()
        with pytest.raises(Overloaded, match="2 requests are being served and 0 wait") as refused:
            admission.place().__enter__()
        assert time.perf_counter() - begun < 0.5
        assert refused.value.retry_after == 1
    assert admission.serving == 0
    with admission.place():
        assert admission.serving == 1


def test_those_who_wait_are_served_in_the_order_of_their_coming() -> None:
    admission = Admission(1, 3, 60)
    served: list[int] = []

    def ask(number: int) -> None:
        with admission.place():
            served.append(number)

    with ThreadPoolExecutor(3) as pool:
        asked: list[Future[None]] = []
        with admission.place():
            for number in range(3):
                asked.append(pool.submit(ask, number))
                until(number + 1, admission)
            with pytest.raises(Overloaded):
                admission.place().__enter__()
        for each in asked:
            each.result(10)
    assert served == [0, 1, 2]
    assert (admission.serving, admission.waiting) == (0, 0)


def test_who_has_waited_as_long_as_may_be_is_refused_and_leaves_the_queue() -> None:
    admission = Admission(1, 1, 0.05)
    with admission.place():
        with pytest.raises(Overloaded, match=r"for 0\.05 s there was no place"):
            admission.place().__enter__()
        assert admission.waiting == 0
    with admission.place():
        assert admission.serving == 1


def test_a_failure_gives_its_place_back() -> None:
    admission = Admission(1, 0, 0)
    with pytest.raises(ZeroDivisionError), admission.place():
        raise ZeroDivisionError
    assert admission.serving == 0


def test_no_more_than_there_are_places_are_served_whatever_the_crowd() -> None:
    admission = Admission(3, 5, 0.002)
    lock = threading.Lock()
    inside, most, outcomes = 0, 0, {"served": 0, "refused": 0}

    def ask(_: int) -> None:
        nonlocal inside, most
        try:
            with admission.place():
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.0005)
                with lock:
                    inside -= 1
                    outcomes["served"] += 1
        except Overloaded:
            with lock:
                outcomes["refused"] += 1

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(ask, range(500)))
    assert most <= 3
    assert sum(outcomes.values()) == 500
    assert outcomes["served"]
    assert (admission.serving, admission.waiting) == (0, 0)


def test_a_stage_is_not_begun_when_time_is_over() -> None:
    watch, begun = Stopwatch(), []
    with within(0.01):
        with watch.stage("first"):
            begun.append("first")
            time.sleep(0.02)
        late = r"longer than 0\.01 s .* stage 'second'"
        with pytest.raises(DeadlineExceeded, match=late), watch.stage("second"):
            begun.append("second")
    with watch.stage("third"):  # of a request without a limit
        begun.append("third")
    assert begun == ["first", "third"]
    assert watch.seconds().keys() == {"total", "first", "third"}


def test_each_thread_has_its_own_time() -> None:
    def stage() -> None:
        with Stopwatch().stage("any"):
            pass

    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        stack.enter_context(within(-1))
        pool.submit(stage).result(10)
        with pytest.raises(DeadlineExceeded):
            stage()
