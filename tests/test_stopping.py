from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEmbedder, silent, write_article
from test_server import WINNOW, children

from indexer.build import build
from indexer.settings import Settings
from service.keys import Keys

SERVER = """
import sys
from pathlib import Path
from fakes import SlowEmbedder
from indexer.settings import Settings
from service.server import serve
serve(
    Settings(
        seeds=Path(sys.argv[1]), index=Path(sys.argv[2]), host=sys.argv[3],
        port=0, workers=2, threads=2, waiting=1, wait_ms=60_000, deadline_ms=int(sys.argv[4]),
    ),
    SlowEmbedder(Path(sys.argv[5])),
)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    seconds: float


class Service:
    """A service over one small article, and clients that ask it in threads of their own."""

    def __init__(self, process: subprocess.Popen[str], port: int, gate: int) -> None:
        self.process = process
        self.port = port
        self.at_work: list[int] = []
        self._gate = gate
        self._numbers = itertools.count()
        self._clients = ThreadPoolExecutor(16)

    def connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, path: str, **headers: str) -> Answer:
        with closing(self.connected()) as connection:
            return asked(connection, path, **headers)

    def asking(self, path: str) -> Future[Answer]:
        return self._clients.submit(self.ask, path)

    def asking_slowly(self) -> Future[Answer]:
        """Ask what is not answered before :meth:`let_go`.

        On return it is being worked at, by the last of the processes ``at_work``.
        """
        number = next(self._numbers)  # what was asked before is remembered
        asked = self.asking(f"/v1/search?q=operator+slowly+{number}")
        assert self.process.stdout
        self.at_work.append(int(self.process.stdout.readline()))
        return asked

    def let_go(self) -> None:
        os.write(self._gate, b"\n")


def asked(connection: http.client.HTTPConnection, path: str, **headers: str) -> Answer:
    begun = time.perf_counter()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = json.load(response)
    seconds = time.perf_counter() - begun
    return Answer(response.status, body, dict(response.getheaders()), seconds)


@contextmanager
def serving(
    settings: Settings, host: str = "127.0.0.1", deadline_ms: int = 600_000
) -> Iterator[Service]:
    pipe = settings.index.with_name("gate")
    os.mkfifo(pipe)
    gate = os.open(pipe, os.O_RDWR)
    with subprocess.Popen(
        [
            *(sys.executable, "-c", SERVER, settings.seeds, settings.index),
            *(host, str(deadline_ms), pipe),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    ) as process:
        try:
            assert process.stderr
            line = next((each for each in process.stderr if "Winnow is at" in each), None)
            assert line is not None, f"the service ended with {process.wait()}"
            yield Service(process, int(line.rpartition(":")[2]), gate)
        finally:
            process.terminate()
            os.close(gate)


def build_one(folder: Path) -> Settings:
    settings = Settings(seeds=folder / "seeds", index=folder / "index")
    settings.seeds.mkdir(exist_ok=True)
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture
def built(tmp_path: Path) -> Settings:
    return build_one(tmp_path)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests that it survives."""
    with serving(build_one(tmp_path_factory.mktemp("lasting"))) as service:
        yield service


@pytest.fixture
def service(built: Settings) -> Iterator[Service]:
    with serving(built) as service:
        yield service


def wait_until_refused(port: int) -> None:
    limit = time.monotonic() + 3
    while time.monotonic() < limit:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            return
        threading.Event().wait(0.01)
    raise AssertionError("connections are still taken")


def wait_until_gone(process: int) -> None:
    limit = time.monotonic() + 5
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < limit
        threading.Event().wait(0.01)


def test_what_comes_on_top_is_refused_while_the_rest_is_served(lasting: Service) -> None:
    served = [lasting.asking_slowly(), lasting.asking_slowly()]
    crowd = [lasting.asking(f"/v1/search?q=operator+{number}") for number in range(10)]
    limit = time.monotonic() + 60
    while sum(each.done() for each in crowd) < 9:  # one waits
        assert time.monotonic() < limit
        threading.Event().wait(0.01)
    refused = [each.result() for each in crowd if each.done()]
    for each in refused:
        assert (each.status, each.body["code"]) == (503, "overloaded")
        assert each.headers["Retry-After"] == "1"
    assert lasting.ask("/health/ready").status == 200
    assert not any(each.done() for each in served)
    lasting.let_go()
    lasting.let_go()
    assert [each.result(10).status for each in served] == [200, 200]
    (waited,) = (each.result(10) for each in crowd if each.result(10) not in refused)
    assert waited.status == 200
    assert lasting.ask("/v1/search?q=operator").status == 200


def test_who_is_being_served_when_the_service_is_stopped_gets_an_answer(service: Service) -> None:
    idle = service.connected()
    assert asked(idle, "/health/live").status == 200
    assert idle.sock is not None  # it is kept alive
    served = service.asking_slowly()
    # As when a whole group of processes is told.
    told = [service.process.pid, *children(service.process.pid)]
    for each in told * 2:
        os.kill(each, signal.SIGTERM)
    stopped = time.monotonic()
    wait_until_refused(service.port)
    assert not served.done()
    # This connection was open before, so that what comes over it is answered, and is the last.
    late = asked(idle, "/v1/search?q=operator")
    assert (late.status, late.headers["Connection"]) == (200, "close")
    idle.close()
    service.let_go()
    assert served.result(10).status == 200
    assert service.process.wait(timeout=10) == 0
    assert time.monotonic() - stopped < 5


def test_a_stop_waits_for_nobody_longer_than_five_seconds(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as silence:
        never = service.asking_slowly()
        service.process.send_signal(signal.SIGTERM)
        stopped = time.monotonic()
        assert service.process.wait(timeout=10) == 0
        assert time.monotonic() - stopped < 5
        assert isinstance(never.exception(10), OSError | http.client.HTTPException)
        silence.close()


def test_a_crash_loses_what_is_being_answered_and_nothing_else(lasting: Service) -> None:
    lost = lasting.asking_slowly()
    (worker,) = children(lasting.process.pid)
    os.kill(worker, signal.SIGKILL)
    wait_until_gone(lasting.at_work[-1])
    # Asked while nobody is there: the port stays, and the next worker answers.
    after = [lasting.asking(f"/v1/search?q=operator+{number}") for number in range(2)]
    assert [each.result(60).status for each in after] == [200, 200]
    assert isinstance(lost.exception(10), OSError | http.client.HTTPException)
    assert children(lasting.process.pid) != [worker]


def test_a_crash_where_a_question_is_answered_loses_that_question_only(lasting: Service) -> None:
    lost, kept = lasting.asking_slowly(), lasting.asking_slowly()
    first, second = lasting.at_work[-2:]
    assert first != second
    waiting = lasting.asking("/v1/search?q=operator")
    os.kill(first, signal.SIGKILL)
    answer = lost.result(10)
    assert (answer.status, answer.body["code"]) == (503, "worker_lost")
    assert "ended with -9" in answer.body["detail"]
    # Where that one was there is soon another.
    assert waiting.result(30).status == 200
    assert not kept.done()
    lasting.let_go()
    assert kept.result(10).status == 200
    assert lasting.ask("/health/ready").body["status"] == "ready"


def test_who_was_to_answer_next_and_is_gone_is_not_asked(lasting: Service) -> None:
    asked = lasting.asking_slowly()
    lasting.let_go()
    assert asked.result(10).status == 200
    os.kill(lasting.at_work[-1], signal.SIGKILL)
    wait_until_gone(lasting.at_work[-1])
    assert lasting.ask("/v1/search?q=operator+slowing+1").status == 200


def test_what_hangs_is_given_up_and_its_process_replaced(built: Settings) -> None:
    with serving(built, deadline_ms=500) as service:
        answer = service.asking_slowly().result(10)
        assert (answer.status, answer.body["code"]) == (503, "deadline_exceeded")
        assert "0.5 s" in answer.body["detail"]
        wait_until_gone(service.at_work[-1])
        assert service.ask("/v1/search?q=operator").status == 200


def test_a_service_on_all_addresses_starts_with_a_key_only_and_asks_for_it(
    built: Settings,
) -> None:
    refused = subprocess.run(
        [WINNOW, "serve", "--host", "0.0.0.0", "--port", "0", "--index", built.index],  # noqa: S104 - refused
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "no API key" in refused.stderr
    assert "winnow keys add NAME" in refused.stderr
    assert "Traceback" not in refused.stderr
    secret = Keys(built.index).add("reader")
    with serving(built, "0.0.0.0") as service:  # noqa: S104 - for as long as the test takes
        assert service.ask("/v1/articles").status == 401
        assert service.ask("/v1/articles", Authorization=f"Bearer {secret}").status == 200
        Keys(built.index).revoke("reader")
        assert service.ask("/v1/articles", Authorization=f"Bearer {secret}").status == 401
        assert service.ask("/health/live").status == 200
