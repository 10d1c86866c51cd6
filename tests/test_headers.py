from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import brotli  # type: ignore[import-untyped]  # it publishes none
import pytest
from fakes import WordEmbedder, silent, write_article
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.build import build
from indexer.reports import BuildReport
from indexer.settings import Settings
from service.api import create_app
from service.builds import Builds
from service.engine import Engine

EVERYWHERE = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("collection")
    settings = Settings(seeds=folder / "seeds", index=folder / "index")
    for number in range(12):
        write_article(settings.seeds, f"{number}.txt", f"Brussels proposed operator {number}.")
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    engine = Engine(settings, WordEmbedder())

    def rebuild(full: bool, _settle: float, progress: object) -> BuildReport:
        return build(settings, WordEmbedder(), full=full, progress=silent)

    builds = Builds(rebuild)
    yield create_app(engine, builds)
    builds.close()
    engine.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/?q=operator", 200),
        ("/nowhere", 404),
        ("/?mode=psychic&q=a", 400),
        ("/articles/0000000000000000", 404),
        ("/docs", 302),
        ("/docs/swagger", 200),
        ("/openapi.json", 200),
        ("/assets/winnow.css", 200),
        ("/assets/none.css", 404),
        ("/v1/search?q=operator", 200),
        ("/v1/search", 400),
        ("/v1/nothing", 404),
        ("/v1/builds", 200),
        ("/health/live", 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
def test_every_response_says_what_may_be_done_with_it(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    with client.open(path, method=method) as response:
        if method in {"GET", "HEAD"}:
            assert response.status_code == status
        headers = response.headers
        assert {name: headers[name] for name in EVERYWHERE} == EVERYWHERE
        assert "camera=()" in headers["Permissions-Policy"]
        assert headers["Cache-Control"]
        assert headers["X-Request-ID"]
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert not any("unsafe" in value or "*" in value for value in policy.values())
        scripts = {policy[each] for each in ("script-src", "connect-src") if each in policy}
        assert scripts <= (set() if path.startswith(("/v1", "/health")) else {"'self'"})
        assert not set(headers.keys()) & {"Server", "X-Powered-By"}


@pytest.mark.parametrize("path", ["/", "/?q=operator", "/docs/swagger"])
def test_pages_have_no_script_or_style_within_them(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    assert "<style" not in page
    assert " style=" not in page
    assert "onload" not in page
    assert page.count("<script") == page.count("<script src=")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_that_is_sent_to_answers_with_a_page(client: FlaskClient, method: str) -> None:
    response = client.open("/", method=method)
    assert (response.status_code, response.mimetype) == (405, "text/html")
    assert set(response.allow) == {"GET", "HEAD", "OPTIONS"}
    assert "A page can only be read" in response.text
    assert response.headers["X-Request-ID"] in response.text


def test_the_policy_of_what_is_not_sent_again_is_that_of_what_was(client: FlaskClient) -> None:
    for path in ("/", "/?q=operator", "/v1/search?q=operator", "/v1/articles", "/openapi.json"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        for name in ("Content-Security-Policy", "Cache-Control", "Vary", "ETag"):
            assert again.headers[name] == first.headers[name], (path, name)


def test_a_failure_of_a_page_is_a_page(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Engine, "answer", fail)
    response = client.get("/?q=operator", headers={"X-Request-ID": "mine"})
    assert (response.status_code, response.mimetype) == (500, "text/html")
    assert "mine" in response.text
    assert "secret" not in response.text


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", {"GET"}),
        ("/v1/search", {"GET"}),
        ("/v1/answers", {"GET", "POST"}),
        ("/v1/builds", {"GET", "POST"}),
        ("/v1/generations/20250703T053200.000000Z/activate", {"POST"}),
        ("/openapi.json", {"GET"}),
        ("/assets/winnow.css", {"GET"}),
    ],
)
def test_options_tells_the_methods_and_so_does_a_refusal(
    client: FlaskClient, path: str, methods: set[str]
) -> None:
    told = client.options(path)
    assert told.status_code == 200
    assert told.data == b""
    readable = {"HEAD"} if "GET" in methods else set()
    assert set(told.allow) == methods | readable | {"OPTIONS"}
    refused = client.delete(path)
    assert refused.status_code == 405
    assert set(refused.allow) == set(told.allow)


@pytest.mark.parametrize(
    "path", ["/", "/v1/articles", "/v1/search?q=operator", "/v1/nothing", "/assets/winnow.css"]
)
def test_head_has_the_headers_of_get_and_no_body(client: FlaskClient, path: str) -> None:
    with client.get(path) as got, client.head(path) as asked:
        assert asked.data == b""
        assert asked.status_code == got.status_code
        passing = {"X-Request-ID", "Date", "Content-Length"}  # took_ms has more digits or fewer
        kept = [name for name in got.headers.keys() if name not in passing]  # noqa: SIM118 - not a dict
        assert {n: asked.headers[n] for n in kept} == {n: got.headers[n] for n in kept}
        assert "Content-Length" in asked.headers


@hypothesis_settings(deadline=None, max_examples=50)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
@example("a" * 64)
@example("a" * 65)
def test_a_request_id_comes_back_if_it_is_well_formed_and_is_made_otherwise(
    app: Flask, given_id: str
) -> None:
    client = app.test_client()
    response = client.get("/v1/search", headers={"X-Request-ID": given_id})
    id_ = response.headers["X-Request-ID"]
    assert response.get_json()["request_id"] == id_
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    if 0 < len(given_id) <= 64 and set(given_id) <= allowed:
        assert id_ == given_id
    else:
        assert len(id_) == 32
        assert set(id_) <= allowed


LONG = ["/", "/?q=operator", "/v1/search?q=operator", "/openapi.json", "/assets/winnow.css"]


@pytest.mark.parametrize("path", LONG)
def test_what_is_long_is_compressed_for_those_who_can_read_it(
    client: FlaskClient, path: str
) -> None:
    with client.get(path) as plain:
        assert "Content-Encoding" not in plain.headers
        assert "Accept-Encoding" in plain.headers["Vary"]
        size = len(plain.data)
    for accepted, coding, read in (
        ("gzip, deflate, br", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress),
        ("gzip;q=1.0, br;q=0.5", "gzip", gzip.decompress),
    ):
        with client.get(path, headers={"Accept-Encoding": accepted}) as response:
            assert response.headers["Content-Encoding"] == coding
            assert "Accept-Encoding" in response.headers["Vary"]
            body = read(response.data)
            assert len(response.data) < size / 2
            if response.is_json:
                assert json.loads(body).keys()
            else:
                assert len(body) == pytest.approx(size, rel=0.02)


def test_what_is_short_and_what_is_read_in_parts_is_sent_as_it_is(client: FlaskClient) -> None:
    accepted = {"Accept-Encoding": "br, gzip"}
    assert "Content-Encoding" not in client.get("/health/live", headers=accepted).headers
    with client.get("/assets/winnow.css", headers=accepted | {"Range": "bytes=0-99"}) as part:
        assert part.status_code == 206
        assert len(part.data) == 100
        assert "Content-Encoding" not in part.headers


def test_a_stream_of_events_is_not_compressed(client: FlaskClient, settings: Settings) -> None:
    id_ = client.post("/v1/builds").get_json()["id"]
    with client.get(f"/v1/builds/{id_}/events", headers={"Accept-Encoding": "br, gzip"}) as stream:
        assert stream.mimetype == "text/event-stream"
        assert "Content-Encoding" not in stream.headers
        assert stream.headers["Cache-Control"] == "no-store"
        assert b"event: build" in stream.data


@pytest.mark.parametrize("path", ["/assets/winnow.css", "/openapi.json"])
@pytest.mark.parametrize("accepted", ["", "br"])
def test_assets_and_the_description_are_sent_once(
    client: FlaskClient, path: str, accepted: str
) -> None:
    headers = {"Accept-Encoding": accepted}
    with client.get(path, headers=headers) as first:
        tag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "no-cache"
    with client.get(path, headers=headers | {"If-None-Match": tag}) as second:
        assert (second.status_code, second.data) == (304, b"")


def test_nothing_of_the_reader_of_the_description_comes_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/docs", follow_redirects=True).text
    assert "http" not in page
    names = [part.split('"')[0] for part in page.split('src="')[1:] + page.split('href="')[1:]]
    assert len(names) == 4
    for name in names:
        assert name.startswith("/")
        with client.get(name) as file:
            assert file.status_code == 200
    assert "/assets/reference.js" in names
