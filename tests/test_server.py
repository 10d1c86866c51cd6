from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from fakes import write_article

from indexer.generations import Generations
from indexer.settings import Settings

WINNOW = Path(sys.executable).with_name("winnow")


def start(settings: Settings, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start the service on a free port and wait until it says where it is."""
    process = subprocess.Popen(
        [
            *(WINNOW, "serve", "--port", "0"),
            *("--seeds", settings.seeds, "--index", settings.index, *arguments),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Winnow is at " in line:
            return process, line.split()[-1]
    raise AssertionError(f"the service ended with {process.wait()}")


@pytest.fixture(scope="module")
def service(real_index: Settings) -> Iterator[str]:
    process, address = start(real_index)
    yield address
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert process.stderr is not None
    process.stderr.close()


def ask(address: str, **headers: str) -> tuple[int, Any, Message]:
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - our own loopback service
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - likewise
            return response.status, json.load(response), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers


def get(address: str, **headers: str) -> tuple[int, Any]:
    return ask(address, **headers)[:2]


def post(address: str, **body: Any) -> Any:
    """Post as curl does: without a body there is no content type either."""
    request = urllib.request.Request(address, method="POST")  # noqa: S310 - our own loopback service
    if body:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - likewise
        return json.load(response)


def children(process: int) -> list[int]:
    """The processes that any thread of ``process`` has started."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text().split()]


def command(process: int) -> str:
    """What it was started as; nothing where it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return ""


def test_the_example_question_is_answered_over_http(service: str) -> None:
    status, body = get(f"{service}/v1/answers?q=who+proposed+a+third-party+operator")
    assert status == 200
    assert body["reason"] == "found"
    assert "Brussels" in body["answer"]["text"]
    assert "Brussels proposed a third-party operator" in body["answer"]["sentence"]


def test_an_address_too_long_to_read_has_our_shape_of_error(service: str) -> None:
    for length in (5_000, 10_000, 200_000):
        status, body, headers = ask(f"{service}/v1/search?q={'x' * length}")
        assert status in {400, 414}
        assert body["code"] in {"bad_query", "bad_request"}
        assert "1,000 characters" in body["hint"]
        assert headers["X-Request-ID"] == body["request_id"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
    assert get(f"{service}/health/live")[0] == 200


def test_a_response_names_no_version_of_what_serves_it(service: str) -> None:
    for path in ("/health/live", "/v1/nothing"):
        headers = ask(f"{service}{path}")[2]
        assert not re.search(r"\d", headers.get("Server", ""))
        assert "X-Powered-By" not in headers


def test_a_page_that_has_another_name_point_here_reads_nothing(service: str) -> None:
    status, body = get(f"{service}/v1/articles", Host="evil.example")
    assert (status, body["code"]) == (421, "unknown_host")


@pytest.mark.parametrize(
    "rubbish", [b"\x00\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01"]
)
def test_rubbish_on_the_wire_leaves_the_service_up(service: str, rubbish: bytes) -> None:
    host, port = service.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(rubbish)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1000)
    assert get(f"{service}/health/ready")[1]["status"] == "ready"


def test_requests_that_are_never_finished_do_not_keep_others_out(service: str) -> None:
    host, port = service.removeprefix("http://").split(":")
    halves = [socket.create_connection((host, int(port)), timeout=5) for _ in range(12)]
    for half in halves:
        half.sendall(b"GET /health/live HTTP/1.1\r\nHost: ")
    try:
        assert get(f"{service}/health/live")[0] == 200
    finally:
        for half in halves:
            half.close()


def test_a_port_in_use_is_said_in_a_sentence(real_index: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = subprocess.run(
            [WINNOW, "serve", "--port", port, "--index", real_index.index],
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert f"port {port}: Address already in use" in refused.stderr
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_host_that_is_none_is_said_in_a_sentence(real_index: Settings) -> None:
    refused = subprocess.run(
        [WINNOW, "serve", "--host", "256.0.0.1", "--index", real_index.index],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "cannot listen on 256.0.0.1" in refused.stderr


def test_a_missing_model_leaves_a_service_that_searches_by_keywords(
    real_index: Settings, tmp_path: Path
) -> None:
    os.environ["WINNOW_MODEL"] = str(tmp_path / "none")
    try:
        process, address = start(real_index)
    finally:
        del os.environ["WINNOW_MODEL"]
    status, body = get(f"{address}/v1/search?q=third-party+operator")
    assert status == 200
    assert body["hits"]
    assert "no embedding model" in body["degraded"][0]
    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)
    assert process.stderr is not None
    process.stderr.close()


def test_a_build_over_http_is_followed_to_its_end_and_the_next_dies_with_the_service(
    settings: Settings,
) -> None:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    process, address = start(settings)
    id_ = post(f"{address}/v1/builds")["id"]
    with urllib.request.urlopen(f"{address}/v1/builds/{id_}/events", timeout=30) as stream:  # noqa: S310 - our own loopback service
        told = [json.loads(line[6:]) for line in stream if line.startswith(b"data: ")]
    assert {"queued", "running"} >= {state["state"] for state in told[:-1]} != set()
    assert {"index", "publish"} <= {state["stage"] for state in told}
    assert told[-1]["state"] == "succeeded", told[-1]
    status, body = get(f"{address}/v1/search?q=operator")
    assert (status, body["generation"]) == (200, told[-1]["report"]["generation"])

    (worker,) = children(process.pid)
    id_ = post(f"{address}/v1/builds", full=True)["id"]
    with urllib.request.urlopen(f"{address}/v1/builds/{id_}/events", timeout=30) as stream:  # noqa: S310 - likewise
        while b"running" not in stream.readline():
            pass
        until = time.monotonic() + 10
        while not any("service.building" in command(each) for each in children(worker)):
            assert time.monotonic() < until
        begun = children(worker)  # the build, and where the processes of the pool come from
        process.terminate()
        stopped = time.monotonic()
        rest = stream.read()
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - stopped < 5
    assert b"the service was stopped" in rest
    while any(Path(f"/proc/{each}").exists() for each in begun):
        assert time.monotonic() - stopped < 5
    assert Generations(settings.index).current() == told[-1]["report"]["generation"]
    assert process.stderr is not None
    process.stderr.close()


def test_a_killed_worker_is_replaced(real_index: Settings) -> None:
    process, address = start(real_index)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    for _ in range(300):
        try:
            if get(f"{address}/health/ready")[0] == 200:
                break
        except OSError:
            time.sleep(0.1)
    assert get(f"{address}/v1/search?q=operator")[1]["hits"]
    process.terminate()
    process.wait(timeout=10)
    assert process.stderr is not None
    process.stderr.close()
