from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import WordEmbedder, silent, write_article
from flask import Flask, Response
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from indexer.build import build
from indexer.errors import ModelError, SeedsError
from indexer.settings import Settings
from service import problems, telemetry
from service.api import create_app
from service.builds import Builds
from service.engine import Engine
from service.unanswered import FILE, Unanswered


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    seeds = tmp_path_factory.mktemp("seeds")
    for number in range(3):
        write_article(seeds, f"{number}.txt", f"Brussels proposed operator {number}.", "It rained.")
    settings = Settings(seeds=seeds, index=tmp_path_factory.mktemp("index"))
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture
def engine(collection: Settings) -> Iterator[Engine]:
    engine = Engine(collection, WordEmbedder())
    yield engine
    engine.close()


@pytest.fixture
def app(engine: Engine) -> Flask:
    return create_app(engine)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


class Metrics:
    """What /metrics says now, by name and labels."""

    def __init__(self, client: FlaskClient) -> None:
        response = client.get("/metrics", buffered=True)
        assert response.status_code == 200
        assert response.content_type.startswith("text/plain; version=")
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))

    def labels(self, label: str) -> set[str]:
        return {dict(labels)[label] for _, labels in self.samples if label in dict(labels)}


def test_requests_are_counted_and_timed_by_template_and_status(client: FlaskClient) -> None:
    for path in ("/v1/articles/0000000000000000", "/v1/articles/1111111111111111", "/v1/articles"):
        client.get(path, buffered=True)
    now = Metrics(client)
    assert now("winnow_requests_total", route="/v1/articles/<id>", status="404") == 2
    assert now("winnow_requests_total", route="/v1/articles", status="200") == 1
    assert now("winnow_request_seconds_count", route="/v1/articles/<id>") == 2
    bounds = {float(bound) for bound in now.labels("le")} - {float("inf")}
    assert {0.001, 10.0} <= bounds


def test_nothing_that_is_sent_becomes_a_label(client: FlaskClient) -> None:
    before = len(Metrics(client).samples)
    for number in range(50):
        client.get(f"/nowhere/{number}?secret={number}", buffered=True)
        client.open(f"/v1/articles/{number:016x}", method=f"METHOD{number}", buffered=True)
        client.get(f"/v1/search?q=word{number}&mode=m{number}", buffered=True)
    now = Metrics(client)
    assert now("winnow_requests_total", route="none", status="404") == 50
    assert now("winnow_requests_total", route="none", status="405") == 50
    assert not any(re.search(r"secret|word|METHOD", str(key)) for key in now.samples)
    assert len(now.samples) - before < 100


def test_stages_and_answers_are_counted_whoever_asks(client: FlaskClient) -> None:
    client.get("/v1/answers?q=who+proposed+operator+1", buffered=True)
    client.get("/v1/answers?q=xyzzy", buffered=True)
    client.get("/?q=who+proposed+operator+2", buffered=True)
    now = Metrics(client)
    assert now("winnow_answers_total", reason="found") == 2
    unanswered = [now("winnow_answers_total", reason=r) for r in ("no_hits", "below_threshold")]
    assert sum(each or 0 for each in unanswered) == 1
    stages = now.labels("stage")
    assert {"total", "keyword", "embed", "semantic", "fusion", "copies", "read", "hits"} <= stages
    assert now("winnow_stage_seconds_count", stage="total") == 3


def test_the_state_of_the_index_is_told(client: FlaskClient, collection: Settings) -> None:
    now = Metrics(client)
    assert now("winnow_ready") == 1
    assert (now("winnow_articles"), now("winnow_paragraphs")) == (3, 6)
    assert now("winnow_pending_seeds") == 0
    age = now("winnow_generation_age_seconds")
    assert age is not None
    assert 0 < age < 3600
    assert now("process_resident_memory_bytes")


def test_without_an_index_there_is_no_age_but_all_else(settings: Settings) -> None:
    client = create_app(Engine(settings, WordEmbedder())).test_client()
    assert client.get("/v1/search?q=x", buffered=True).status_code == 503
    assert client.get("/?q=x", buffered=True).status_code == 503
    assert client.get("/health/ready", buffered=True).status_code == 503
    now = Metrics(client)
    assert (now("winnow_ready"), now("winnow_articles")) == (0, 0)
    assert now("winnow_generation_age_seconds") is None
    assert now("winnow_refusals_total", reason="index_missing") == 2


def test_refusals_are_counted_by_their_code(app: Flask) -> None:
    app.add_url_rule(
        "/busy", "busy", lambda: problems.problem(429, "too much", code="too_many_requests")
    )
    client = app.test_client()
    client.get("/busy", buffered=True)
    client.get("/v1/search?q=", buffered=True)  # 400: a mistake, no refusal
    now = Metrics(client)
    assert now("winnow_refusals_total", reason="too_many_requests") == 1
    assert now.labels("reason") == {"too_many_requests"}


def test_requests_in_flight_are_those_not_fully_sent(app: Flask) -> None:
    app.add_url_rule("/stream", "stream", lambda: Response(iter(["a", "b"])))
    client = app.test_client()
    assert Metrics(client)("winnow_requests_in_flight") == 1
    stream = client.get("/stream")
    assert Metrics(client)("winnow_requests_in_flight") == 2
    stream.close()
    assert Metrics(client)("winnow_requests_in_flight") == 1


def test_degraded_results_are_counted_by_kind(collection: Settings) -> None:
    engine = Engine(collection, ModelError("no model"), extractor=ModelError("no reader"))
    client = create_app(engine).test_client()
    client.get("/v1/search?q=operator+(", buffered=True)
    client.get("/v1/search?q=operator&mode=keyword", buffered=True)
    now = Metrics(client)
    assert now("winnow_degraded_results_total", kind="model") == 1
    assert now("winnow_degraded_results_total", kind="reader") == 2
    assert not now.labels("kind") & {"other"}
    engine.close()


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("an older index is in use: a file is damaged", "index"),
        ("in 150 ms the reader read 3 of the first 20 paragraphs", "time"),
        ("fitted weights are not used: the file is damaged", "tuning"),
        ("changes to the seeds are not seen: gone", "seeds"),
        ("nothing was found since 1 July 2025, so these are articles of all days", "dates"),
        ("something new", "other"),
    ],
)
def test_reasons_have_kinds(reason: str, kind: str) -> None:
    assert telemetry.kind_of(reason) == kind


def test_builds_are_counted_by_outcome(engine: Engine, collection: Settings) -> None:
    def builder(full: bool, _settle: float, _progress: Any) -> Any:
        if full:
            raise SeedsError("there are none", hint="Make some.")
        return build(collection, WordEmbedder(), progress=silent)

    builds = Builds(builder)
    client = create_app(engine, builds).test_client()
    # Told after the state has changed, so waiting for the build is not enough.
    ended = threading.Semaphore(0)
    builds.listeners.append(lambda state: ended.release() if state.finished else None)
    for full in (False, True, True):
        builds.wait(builds.submit(full).id)
        assert ended.acquire(timeout=10)
    now = Metrics(client)
    builds.close()
    assert now("winnow_builds_total", outcome="unchanged") == 1
    assert now("winnow_builds_total", outcome="failed") == 2
    assert now("winnow_build_seconds_count", outcome="failed") == 2


def test_applications_share_no_counts(collection: Settings) -> None:
    one, other = (create_app(Engine(collection, WordEmbedder())).test_client() for _ in range(2))
    one.get("/health/live", buffered=True)
    assert Metrics(one)("winnow_requests_total", route="/health/live", status="200") == 1
    assert Metrics(other)("winnow_requests_total", route="/health/live", status="200") is None


def test_openmetrics_is_served_to_who_asks_for_it(client: FlaskClient) -> None:
    accept = "application/openmetrics-text; version=1.0.0"
    response = client.get("/metrics", headers={"Accept": accept}, buffered=True)
    assert response.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert response.text.endswith("# EOF\n")


def test_what_is_served_is_what_is_documented(client: FlaskClient) -> None:
    client.get("/v1/answers?q=who+proposed+operator+1", buffered=True)
    families = re.findall(r"^# TYPE (winnow_\S+) (\w+)", client.get("/metrics").text, re.MULTILINE)
    served = {(name, kind) for name, kind in families if not name.endswith("_created")}
    described = telemetry.Telemetry(lambda: pytest.fail("not asked")).described()
    assert served == {(each.name, each.kind) for each in described}


def test_a_failing_listener_fails_no_request(
    engine: Engine, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    engine.listeners.insert(0, lambda *_: 1 / 0)  # type: ignore[arg-type, return-value]
    assert client.get("/v1/search?q=operator", buffered=True).status_code == 200
    assert "ZeroDivisionError" in caplog.text
    assert Metrics(client)("winnow_stage_seconds_count", stage="total") == 1


def test_the_log_of_unanswered_questions_hears_of_the_page_too(collection: Settings) -> None:
    on = collection.model_copy(update={"unanswered_log": True})
    engine = Engine(on, WordEmbedder())
    client = create_app(engine).test_client()
    client.get("/?q=xyzzy", buffered=True)
    client.get("/v1/answers?q=Xyzzy", buffered=True)
    client.get("/v1/answers?q=who+proposed+operator+1", buffered=True)
    (kept,) = Unanswered(collection.index).questions()
    assert (kept.question, kept.times) == ("Xyzzy", 2)
    (collection.index / FILE).write_bytes(b"damaged" * 1000)
    assert client.get("/v1/answers?q=xyzzy", buffered=True).status_code == 200
    (collection.index / FILE).unlink()
    engine.close()
