from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes import WordEmbedder
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from test_api import problem

from indexer.errors import SettingsError
from indexer.gathering import load_settings
from indexer.settings import Settings
from service.api import create_app
from service.engine import Engine
from service.origins import host_name, is_ours

FRIEND = "https://friend.example"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("empty")
    engine = Engine(Settings(seeds=folder / "seeds", index=folder / "index"), WordEmbedder())
    yield engine
    engine.close()


def client(engine: Engine, **values: Any) -> FlaskClient:
    settings = Settings(**{**engine.settings.model_dump(), **values})
    return create_app(Engine(settings, WordEmbedder())).test_client()


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8080", "localhost.", "127.0.0.1:9000", "127.8.8.8", "[::1]:80"]
)
def test_this_machine_is_asked_by_its_own_names(engine: Engine, host: str) -> None:
    assert client(engine).get("/health/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "localhost.evil.example", "192.168.1.7", "[2001:db8::1]"],
)
def test_another_name_is_refused_by_every_route(engine: Engine, host: str) -> None:
    asked = client(engine)
    for path in ("/v1/search?q=a", "/health/live", "/openapi.json", "/v1/nothing"):
        refused = problem(asked.get(path, headers={"Host": host}), 421, "unknown_host")
        assert "allowed_hosts" in refused["hint"]
    page = asked.get("/", headers={"Host": host})
    assert (page.status_code, page.mimetype) == (421, "text/html")
    assert asked.get("/assets/winnow.css", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["", "a b", "user@localhost", "localhost:99999", "[::1"])
def test_a_host_that_is_none_is_refused(engine: Engine, host: str) -> None:
    problem(client(engine).get("/health/live", headers={"Host": host}), 400, "bad_host")


def test_names_can_be_allowed_and_so_can_all_below_one(engine: Engine) -> None:
    asked = client(engine, host="box.lan", allowed_hosts=("news.example", ".inside.example"))
    for host in ("box.lan", "NEWS.example:443", "a.inside.example", "localhost"):
        assert asked.get("/health/live", headers={"Host": host}).status_code == 200
    for host in ("inside.example", "a.news.example", "xinside.example"):
        problem(asked.get("/health/live", headers={"Host": host}), 421, "unknown_host")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - what it means is tested
def test_bound_everywhere_it_goes_by_every_number_but_by_no_other_name(
    engine: Engine, host: str
) -> None:
    asked = client(engine, host=host)
    for number in ("192.168.1.7:8080", "[2001:db8::1]"):
        assert asked.get("/health/live", headers={"Host": number}).status_code == 200
    problem(asked.get("/health/live", headers={"Host": "evil.example"}), 421, "unknown_host")


@given(st.from_regex(r"[a-z0-9]{1,10}(\.[a-z0-9]{1,10}){0,3}", fullmatch=True))
def test_no_name_is_ours_unless_it_is_known(name: str) -> None:
    known = frozenset({"winnow.example"})
    ours = name in {"localhost", "winnow.example"} or name.startswith("127.")
    assert is_ours(name, known, everywhere=False) <= ours


@given(st.text(max_size=40))
def test_any_host_header_is_a_name_or_none_and_never_breaks(header: str) -> None:
    name = host_name(header)
    assert name is None or (name and not set(name) & set(" @/[]"))


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:8081"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["post", "delete", "put", "patch"])
def test_pages_of_other_sites_can_send_nothing(
    engine: Engine, method: str, headers: dict[str, str]
) -> None:
    asked = client(engine)
    send = getattr(asked, method)
    problem(send("/v1/answers", headers=headers, json={"question": "a"}), 403, "cross_site")
    page = send("/", headers=headers)
    assert (page.status_code, page.mimetype) == (403, "text/html")


def test_pages_of_other_sites_are_told_nothing_unless_a_setting_names_them(engine: Engine) -> None:
    asked = client(engine)
    for headers in ({"Origin": FRIEND}, {}):
        response = asked.get("/v1/builds", headers=headers)
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" not in response.headers.get("Vary", "")
    preflight = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
    response = asked.options("/v1/answers", headers=preflight)
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
    assert set(response.allow) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_a_named_origin_is_echoed_exactly_and_others_are_not(engine: Engine) -> None:
    asked = client(engine, cors_origins=(FRIEND, "http://localhost:3000"))
    for origin in (FRIEND, "http://localhost:3000"):
        response = asked.get("/health/live", headers={"Origin": origin})
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert "X-Request-ID" in response.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in response.headers
    for origin in ("https://friend.example.evil.example", "http://friend.example", "null", None):
        headers = {} if origin is None else {"Origin": origin}
        response = asked.get("/health/live", headers=headers)
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.headers["Vary"]


def test_a_named_origin_may_send_and_is_shown_errors_too(engine: Engine) -> None:
    asked = client(engine, cors_origins=(FRIEND,))
    headers = {"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}
    response = asked.post("/v1/answers", headers=headers, json={"question": ""})
    assert problem(response, 400, "bad_query")["parameter"] == "question"
    assert response.headers["Access-Control-Allow-Origin"] == FRIEND
    evil = {"Origin": "http://evil.example"}
    refused = asked.post("/v1/answers", headers=evil, json={"question": "a"})
    problem(refused, 403, "cross_site")
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_a_preflight_says_what_the_route_takes(engine: Engine) -> None:
    asked = client(engine, cors_origins=(FRIEND,))
    preflight = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
    response = asked.options("/v1/answers", headers=preflight)
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == FRIEND
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS, POST"
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
    assert int(response.headers["Access-Control-Max-Age"]) > 0
    problem(asked.options("/v1/nothing", headers=preflight), 404, "not_found")
    foreign = asked.options("/v1/answers", headers=preflight | {"Origin": "http://evil.example"})
    assert "Access-Control-Allow-Methods" not in foreign.headers


def test_pages_are_not_shared_with_a_named_origin(engine: Engine) -> None:
    response = client(engine, cors_origins=(FRIEND,)).get("/", headers={"Origin": FRIEND})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_lists_are_set_with_commas_or_as_lists() -> None:
    settings = load_settings(
        environment={
            "WINNOW_ALLOWED_HOSTS": "a.example, .b.example,",
            "WINNOW_CORS_ORIGINS": "https://a.example,http://localhost:3000",
        }
    )
    assert settings.allowed_hosts == ("a.example", ".b.example")
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert Settings(cors_origins=["https://a.example"]).cors_origins == ("https://a.example",)  # type: ignore[arg-type]  # as TOML has it


@pytest.mark.parametrize(
    "origin", ["*", "null", "a.example", "https://a.example/", "https://A.example", "https://"]
)
def test_what_no_browser_sends_as_an_origin_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match="written as https://example"):
        load_settings(environment={"WINNOW_CORS_ORIGINS": origin})
