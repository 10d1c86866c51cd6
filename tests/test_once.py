from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from service.once import Once


def test_what_many_threads_ask_for_is_made_once() -> None:
    made: list[object] = []
    together = threading.Barrier(4)

    def make() -> object:
        made.append(object())
        return made[-1]

    once = Once(make)
    assert not once.made

    def ask() -> object:
        together.wait()
        return once()

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result() for future in [pool.submit(ask) for _ in range(4)]]
    assert once.made
    assert len(made) == 1
    assert set(map(id, answers)) == {id(made[0])}


def test_what_failed_is_tried_again() -> None:
    attempts = iter([0, 2])
    once = Once(lambda: 1 // next(attempts))
    try:
        once()
    except ZeroDivisionError:
        assert not once.made
    assert once() == 0
