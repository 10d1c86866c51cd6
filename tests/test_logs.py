from __future__ import annotations

import json
import logging
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEmbedder, silent, write_article
from flask import Flask
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.build import build
from indexer.settings import Settings
from service import logs
from service.api import create_app
from service.engine import Engine
from service.observation import Questions

SERVER = """
import sys
from pathlib import Path
from fakes import WordEmbedder
from indexer.settings import Settings
from service.server import serve
serve(Settings(seeds=Path(sys.argv[1]), index=Path(sys.argv[2]), port=0), WordEmbedder())
"""

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def built(settings: Settings) -> Settings:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture
def lines() -> Iterator[Callable[..., Lines]]:
    """Starts logging with settings; what that returns has the lines so far."""
    ends = []

    def start(settings: Settings, **changes: Any) -> Lines:
        written: list[str] = []
        changed = settings.model_copy(update={"log_format": "json", **changes})
        ends.append(logs.configure(changed, written.append))
        return lambda: [json.loads(line) for line in written]

    yield start
    for end in reversed(ends):
        end()


def app_of(settings: Settings, **changes: Any) -> Flask:
    return create_app(Engine(settings.model_copy(update=changes), WordEmbedder()))


def test_a_request_is_one_line_that_says_what_came_of_it(
    built: Settings, lines: Callable[..., Lines]
) -> None:
    written = lines(built)
    client = app_of(built).test_client()
    asked = client.get(
        "/v1/answers?q=who+proposed+an+operator&limit=3", headers={"X-Request-ID": "mine-7"}
    )
    (line,) = written()
    assert list(line)[:3] == ["time", "level", "event"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line.pop("ms") > 0
    assert re.fullmatch(r"[0-9a-f]{16}", line.pop("question_hash"))
    body = asked.get_json()
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": "mine-7",
        "method": "GET",
        "route": "/v1/answers",
        "status": 200,
        "mode": "hybrid",
        "hits": 1,
        "reason": body["reason"],
        "generation": body["generation"],
    }


def test_an_error_is_found_again_by_its_id_and_code(
    built: Settings, lines: Callable[..., Lines]
) -> None:
    written = lines(built)
    client = app_of(built).test_client()
    problem = client.get("/v1/articles/0000000000000000").get_json()
    (line,) = written()
    assert (line["status"], line["problem"]) == (404, "not_found")
    assert line["request_id"] == problem["request_id"]
    assert line["route"] == "/v1/articles/<id>"


def test_a_failure_has_its_trace_under_the_same_id_and_no_path(
    built: Settings, lines: Callable[..., Lines]
) -> None:
    written = lines(built)
    app = app_of(built)

    def fail() -> str:
        raise OSError(2, "no such file", str(built.index / "secret" / "x.txt"))

    app.add_url_rule("/v1/fail", "fail", fail)
    body = app.test_client().get("/v1/fail").get_json()
    failed, request = written()
    assert failed["request_id"] == request["request_id"] == body["request_id"]
    assert (failed["level"], request["level"]) == ("error", "error")
    assert "FileNotFoundError: [Errno 2] no such file: '<index>/secret/x.txt'" in failed["error"]
    assert "test_logs:" in failed["trace"]
    assert str(built.index) not in json.dumps(failed)


def test_questions_are_hashed_unless_the_user_wants_them(
    built: Settings, lines: Callable[..., Lines]
) -> None:
    written = lines(built)
    client = app_of(built).test_client()
    for path in ("/v1/search?q=the+secret", "/v1/answers?q=the+secret", "/?q=the+other+secret"):
        client.get(path)
    first, second, third = (line["question_hash"] for line in written())
    assert first == second != third
    assert "secret" not in json.dumps(written())
    app_of(built, log_questions=True).test_client().get("/v1/search?q=the+secret")
    assert written()[-1]["question"] == "the secret"


def test_the_key_of_the_hashes_is_the_application_s_own() -> None:
    one, other = Questions(plain=False), Questions(plain=False)
    assert one.told("who") == one.told("who") != other.told("who")


def test_the_level_is_that_of_the_setting(built: Settings, lines: Callable[..., Lines]) -> None:
    written = lines(built, log_level="warning")
    app_of(built).test_client().get("/health/live")
    logging.getLogger("service.any").info("small talk")
    logging.getLogger("service.any").warning("trouble")
    logging.getLogger("urllib3").info("chatter")
    assert [line["event"] for line in written()] == ["trouble"]


def test_warnings_and_gunicorn_go_the_same_way(
    built: Settings, lines: Callable[..., Lines]
) -> None:
    from gunicorn.config import Config  # noqa: PLC0415 - only here

    written = lines(built)
    config = Config()
    config.set("loglevel", "warning")  # as the service has it
    gunicorn = logs.GunicornLog(config)
    gunicorn.error("Worker (pid:%s) was sent %s!", 7, "SIGKILL")
    gunicorn.info("Booting")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    said, warned = written()
    assert (said["logger"], said["event"]) == (
        "gunicorn.error",
        "Worker (pid:7) was sent SIGKILL!",
    )
    assert warned["logger"] == "py.warnings"
    assert warned["event"].startswith("…/test_logs.py:")
    logging.captureWarnings(capture=False)


def test_text_is_one_harmless_line(built: Settings) -> None:
    written: list[str] = []
    end = logs.configure(built.model_copy(update={"log_format": "text"}), written.append)
    try:
        logs.logger("service.test").info("request", status=200, question="a \x1b[31m\nb\u202e")
    finally:
        end()
    assert re.fullmatch(
        r'time=\S+ level=info event=request status=200 question="a .*b"', written[0]
    )
    assert not re.search(r"[\x00-\x1f\u202e]", written[0])


def test_auto_is_text_at_a_terminal_only(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, start in ((True, "time="), (False, "{")):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        written: list[str] = []
        end = logs.configure(built, written.append)
        logging.getLogger("service.test").warning("x")
        end()
        assert written[0].startswith(start)


def test_a_log_that_cannot_be_written_fails_no_request_and_is_counted(built: Settings) -> None:
    def full(_line: str) -> None:
        raise OSError(28, "no space left on device")

    end = logs.configure(built, full)
    try:
        client = app_of(built).test_client()
        assert client.get("/v1/search?q=operator").status_code == 200
        assert logs.lost() == 1
        assert "winnow_log_lines_lost_total 1.0" in client.get("/metrics").text
    finally:
        end()


def test_what_cannot_be_formatted_is_counted() -> None:
    written: list[str] = []
    outbox = logs.Outbox(written.append, background=False)
    for message, argument in (("%d", "no number"), ("lone %s surrogate", "\ud800")):
        outbox.handle(logging.LogRecord("any", 30, "any.py", 1, message, (argument,), None))
    assert written == ["lone \ud800 surrogate"]
    assert outbox.lost == 1


def test_a_writer_that_hangs_holds_up_nobody(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_WAITING", 3)
    monkeypatch.setattr(logs, "_PATIENCE", 0.01)
    begun, gate = threading.Event(), threading.Event()
    written: queue.Queue[str] = queue.Queue()

    def hang(line: str) -> None:
        begun.set()
        gate.wait(10)
        written.put(line)

    end = logs.configure(built, hang, background=True)
    log = logging.getLogger("service.test")
    log.warning("0")
    assert begun.wait(10)
    for number in range(1, 10):
        log.warning("%d", number)
    assert logs.lost() == 6  # one is being written and three wait
    gate.set()
    events = [json.loads(written.get(timeout=10))["event"] for _ in range(4)]
    assert events == ["0", "1", "2", "3"]
    end()


def test_lines_that_wait_are_written_at_the_end(built: Settings) -> None:
    written: list[str] = []
    end = logs.configure(built, written.append, background=True)
    for number in range(500):
        logging.getLogger("service.test").warning("%d", number)
    end()
    assert [json.loads(line)["event"] for line in written] == [str(n) for n in range(500)]


words = st.text("abcdefghijklmnopqrstuvwxyzäß0123456789_-", min_size=1, max_size=8)


@given(
    st.lists(words, min_size=2, max_size=5), st.sampled_from(["{}", "'{}'", "at {}: no", "x={}"])
)
@hypothesis_settings(max_examples=100, deadline=None)
def test_no_folder_of_an_absolute_path_is_logged(parts: list[str], sentence: str) -> None:
    told = logs.Anonymous(Settings()).words(sentence.format("/" + "/".join(parts)))
    assert told == sentence.format(f"…/{parts[-1]}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cannot listen on http://127.0.0.1:8080/v1/search", None),
        ("3/4 of a/b and and/or", None),
        ("~/a and …/b", None),
        (f"{Path.home()}/my articles/a.txt", "~/my articles/a.txt"),
        ("GET /v1/answers?q=the+secret&limit=3 failed", "GET …/answers?… failed"),
    ],
)
def test_what_is_no_path_stays(text: str, told: str | None) -> None:
    assert logs.Anonymous(Settings()).words(text) == (told or text)


def test_the_service_logs_json_lines_and_tells_metrics(built: Settings) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, built.seeds, built.index],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    ) as process:
        assert process.stderr is not None
        address = next(line.split()[-1] for line in process.stderr if "Winnow is at" in line)
        opened = urllib.request.urlopen  # our own loopback service
        with opened(f"{address}/v1/answers?q=who+proposed+an+operator", timeout=30) as response:
            identity = response.headers["X-Request-ID"]
        with opened(f"{address}/metrics", timeout=30) as response:
            metrics = response.read().decode()
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read().splitlines()
    assert process.returncode == 0
    said = [json.loads(line) for line in rest]
    assert [line["route"] for line in said if line["event"] == "request"] == [
        *("/v1/answers", "/metrics"),
    ]
    assert said[0]["request_id"] == identity
    assert 'winnow_requests_total{route="/v1/answers",status="200"} 1.0' in metrics
    assert "winnow_requests_in_flight 1.0" in metrics
