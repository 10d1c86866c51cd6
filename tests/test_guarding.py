from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article
from flask.testing import FlaskClient
from test_api import problem

from indexer.build import Progress, build
from indexer.errors import BuildError, ServeError
from indexer.reports import BuildReport
from indexer.settings import Settings
from indexer.types import Vectors
from service import guarding
from service.api import create_app
from service.builds import Builds
from service.engine import Engine
from service.guarding import Guard, require_keys
from service.keys import Keys

SEARCH = "/v1/search?q=operator"


class Slow(WordEmbedder):
    """Takes its time over questions that ask for that."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        if any("slowly" in text for text in texts):
            time.sleep(0.15)
        return super().encode(texts)


class Desk:
    """A service over a small collection, and the keys that it goes by."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self.keys = keys
        self._settings = settings
        self._engine = Engine(settings, Slow())

    def opened(self, *, remote: bool = False, **changes: object) -> tuple[FlaskClient, Guard]:
        settings = self._settings.model_copy(update=changes)
        guard = Guard(settings, self.keys, remote=remote)
        return create_app(self._engine, Builds(failing), guard=guard).test_client(), guard

    def client(self, *, remote: bool = False, **changes: object) -> FlaskClient:
        return self.opened(remote=remote, **changes)[0]

    def close(self) -> None:
        self._engine.close()


def failing(_full: bool, _settle: float, _progress: Progress) -> BuildReport:
    raise BuildError("nothing is built here")


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    seeds = tmp_path_factory.mktemp("seeds")
    write_article(seeds, "a.txt", "Brussels proposed an operator.", "The talks went on.")
    settings = Settings(seeds=seeds, index=tmp_path_factory.mktemp("index"))
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture
def desk(collection: Settings, tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(collection, Keys(tmp_path))) as desk:
        yield desk


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_without_keys_loopback_is_open(desk: Desk) -> None:
    client = desk.client()
    assert client.get(SEARCH).get_json()["hits"]
    assert client.get("/").status_code == 200
    assert client.get("/health/ready").get_json()["articles"] == 1
    assert client.post("/v1/builds").status_code == 202
    assert client.get(SEARCH, headers=bearer("anything")).status_code == 200


def test_with_keys_everybody_needs_one(desk: Desk) -> None:
    client = desk.client()
    secret = desk.keys.add("reader")
    refused = client.get(SEARCH)
    assert "API key" in problem(refused, 401, "key_needed")["detail"]
    challenge = refused.headers["WWW-Authenticate"]
    assert "Basic realm=" in challenge
    assert "Bearer realm=" in challenge
    wrong = client.get(SEARCH, headers=bearer(secret[:-1]))
    assert "not valid" in problem(wrong, 401, "key_needed")["detail"]
    assert client.get(SEARCH, headers=bearer(secret)).get_json()["hits"]
    assert client.get(SEARCH, auth=("anybody", secret)).get_json()["hits"]
    assert client.get(SEARCH, auth=(secret, "")).status_code == 401
    for odd in ("Basic \x80", "Basic", "Bearer", "Bearer ", "Digest a=b", "Bearer a=b", "\xff"):
        problem(client.get(SEARCH, headers={"Authorization": odd}), 401, "key_needed")
    for path in ("/v1/articles", "/v1/suggest?q=op", "/openapi.json", "/v1/nothing"):
        problem(client.get(path), 401, "key_needed")


def test_the_page_asks_for_the_key_as_a_password(desk: Desk) -> None:
    client = desk.client()
    secret = desk.keys.add("reader")
    for path in ("/", "/?q=operator", "/articles/x", "/docs", "/nothing"):
        refused = client.get(path)
        assert (refused.status_code, refused.mimetype) == (401, "text/html"), path
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
        assert "default-src 'none'" in refused.headers["Content-Security-Policy"]
        assert "your key as the password" in refused.text
        style = re.findall(r'"(/assets/[^"]+\.css)"', refused.text)[0]
        with client.get(style) as sheet:
            assert sheet.status_code == 200
    assert "Brussels" in client.get("/?q=operator", auth=("", secret)).text


def test_health_is_told_to_strangers_without_what_the_index_holds(desk: Desk) -> None:
    client = desk.client(remote=True)
    secret = desk.keys.add("reader")
    assert client.get("/health/live").get_json() == {"status": "ok"}
    for headers in ({}, bearer("wrong")):
        ready = client.get("/health/ready", headers=headers)
        assert (ready.status_code, ready.get_json()) == (200, {"status": "ready"})
    assert client.get("/health/ready", headers=bearer(secret)).get_json()["articles"] == 1


def test_only_an_admin_changes_the_index(desk: Desk) -> None:
    client = desk.client()
    reader, admin = desk.keys.add("reader"), desk.keys.add("desk", admin=True)
    for ask in (client.get, client.post):
        refused = ask("/v1/builds", headers=bearer(reader))
        assert "--admin" in problem(refused, 403, "key_too_weak")["hint"]
        problem(ask("/v1/builds"), 401, "key_needed")
    problem(client.get("/v1/generations", headers=bearer(reader)), 403, "key_too_weak")
    problem(client.post("/v1/generations/x/activate", headers=bearer(reader)), 403, "key_too_weak")
    assert client.post("/v1/builds", headers=bearer(admin)).status_code == 202
    assert client.get("/v1/generations", headers=bearer(admin)).status_code == 200
    assert client.get(SEARCH, headers=bearer(admin)).status_code == 200
    # However the address is spelled, it is the route that counts.
    assert client.get("/v1//builds", headers=bearer(reader)).status_code in {308, 403, 404}


def test_the_page_offers_a_rebuild_to_who_may_and_refuses_it_to_others(desk: Desk) -> None:
    client = desk.client()
    assert 'action="/builds"' in client.get("/").text
    reader, admin = desk.keys.add("reader"), desk.keys.add("desk", admin=True)
    read = client.get("/", auth=("", reader))
    assert 'action="/builds"' not in read.text
    # A browser may have kept the page from when it was somebody else's.
    again = client.get("/", auth=("", admin), headers={"If-None-Match": read.headers["ETag"]})
    assert 'action="/builds"' in again.text
    for ask, path in ((client.post, "/builds"), (client.get, "/builds/0123456789abcdef")):
        refused = ask(path, auth=("", reader))
        assert (refused.status_code, refused.mimetype) == (403, "text/html")
        assert "This key may not do that" in refused.text
        assert ask(path).status_code == 401
    started = client.post("/builds", auth=("", admin))
    assert started.status_code == 303
    shown = client.get(started.headers["Location"], auth=("", admin))
    assert shown.status_code == 200


def test_a_revoked_key_stops_working_at_the_next_request(desk: Desk) -> None:
    client, remote = desk.client(), desk.client(remote=True)
    secret = desk.keys.add("reader")
    assert client.get(SEARCH, headers=bearer(secret)).status_code == 200
    Keys(desk.keys.path.parent).revoke("reader")
    for each in (client, remote):
        problem(each.get(SEARCH, headers=bearer(secret)), 401, "key_needed")
        problem(each.get(SEARCH), 401, "key_needed")
    desk.keys.path.unlink()
    assert client.get(SEARCH).status_code == 200
    problem(remote.get(SEARCH), 401, "key_needed")


def test_a_damaged_file_of_keys_shuts_the_service_and_says_why(desk: Desk) -> None:
    client = desk.client()
    secret = desk.keys.add("reader")
    desk.keys.path.write_text("nonsense")
    failed = problem(client.get(SEARCH, headers=bearer(secret)), 500, "bad_keys")
    assert "line 1" in failed["detail"]
    assert client.get("/health/live").status_code == 200


def test_loopback_can_be_left_open_beside_keys_but_nothing_else_can(desk: Desk) -> None:
    desk.keys.add("reader")
    assert desk.client(open_loopback=True).get(SEARCH).status_code == 200
    problem(desk.client(open_loopback=True, remote=True).get(SEARCH), 401, "key_needed")


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        *(("127.0.0.1", False), ("127.8.9.1", False), ("::1", False)),
        *(("0.0.0.0", True), ("::", True), ("192.168.1.4", True), ("fe80::1%eth0", True)),  # noqa: S104 - nothing is bound
    ],
)
def test_what_others_can_reach_is_not_served_without_a_key(
    tmp_path: Path, address: str, remote: bool
) -> None:
    keys = Keys(tmp_path)
    if remote:
        with pytest.raises(ServeError, match="no API key") as refused:
            require_keys(keys, address)
        assert "winnow keys add NAME" in refused.value.hint
    keys.add("reader")
    assert require_keys(keys, address) is remote
    keys.revoke("reader")
    if remote:
        with pytest.raises(ServeError):
            require_keys(keys, address)


def test_each_key_may_ask_so_often_and_then_is_told_when_again(desk: Desk) -> None:
    client = desk.client(rate_limit="3/hour")
    often, seldom = desk.keys.add("often"), desk.keys.add("seldom")
    for _ in range(3):
        assert client.get(SEARCH, headers=bearer(often)).status_code == 200
    refused = client.get("/v1/articles", headers=bearer(often))
    body = problem(refused, 429, "asked_too_often")
    assert "more than 3 requests an hour came from key often" in body["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    page = client.get("/?q=operator", auth=("", often))
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert "You have asked too often" in page.text
    assert int(page.headers["Retry-After"]) > 0
    assert client.get(SEARCH, headers=bearer(seldom)).status_code == 200
    assert client.get("/health/ready", headers=bearer(often)).status_code == 200


def test_where_no_key_is_needed_an_address_is_limited_only_if_a_limit_is_set(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "_USUAL_RATE", "2/hour")
    usual, limited = desk.client(), desk.client(rate_limit="1/hour")
    for _ in range(4):
        assert usual.get("/v1/articles").status_code == 200
    assert limited.get("/v1/articles").status_code == 200
    refused = problem(limited.get("/v1/articles"), 429, "asked_too_often")
    assert "from address 127.0.0.1" in refused["detail"]
    headers = bearer(desk.keys.add("reader"))
    free = desk.client(rate_limit="off")
    statuses = [usual.get("/v1/articles", headers=headers).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    for _ in range(4):
        assert free.get("/v1/articles", headers=headers).status_code == 200


def test_when_all_places_are_taken_the_rest_is_refused_at_once_but_health_is_told(
    desk: Desk,
) -> None:
    client, guard = desk.opened(threads=1, waiting=0)
    client.get("/v1/articles")  # the first request of an application takes longer
    with guard.admission.place():
        begun = time.perf_counter()
        refused = client.get(SEARCH)
        assert time.perf_counter() - begun < 0.5
        assert "1 requests are being served" in problem(refused, 503, "overloaded")["detail"]
        assert refused.headers["Retry-After"] == "1"
        page = client.get("/?q=operator")
        assert (page.status_code, page.mimetype) == (503, "text/html")
        assert page.headers["Retry-After"] == "1"
        assert "Too many are asking" in page.text
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").get_json()["status"] == "ready"
        with client.get("/assets/winnow.css") as sheet:
            assert sheet.status_code == 200
        desk.keys.add("reader")
        problem(client.get(SEARCH), 401, "key_needed")
    desk.keys.path.unlink()
    assert client.get(SEARCH).status_code == 200


def test_every_request_gives_its_place_back_however_it_ends(desk: Desk) -> None:
    client, guard = desk.opened(threads=1, waiting=0)
    paths = (
        "/v1/search",
        "/v1/nothing",
        "/?mode=x&q=y",
        "/v1/articles/0000000000000000",
        "/docs",
        SEARCH,
        "/",
    )
    statuses = [client.get(path).status_code for path in paths]
    assert statuses == [400, 404, 400, 404, 302, 200, 200]
    assert guard.admission.serving == 0


def test_a_request_that_takes_too_long_is_given_up_and_takes_nothing_with_it(desk: Desk) -> None:
    client, guard = desk.opened(deadline_ms=100)
    late = problem(client.get("/v1/search?q=operator+slowly"), 503, "deadline_exceeded")
    assert "longer than 0.1 s" in late["detail"]
    assert "deadline_ms" in late["hint"]
    page = client.get("/?q=operator+more+slowly")
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert "This took too long" in page.text
    assert guard.admission.serving == 0
    assert desk.client().get(SEARCH).get_json()["hits"]


def test_what_a_guard_answers_is_documented_for_every_route_it_guards(desk: Desk) -> None:
    paths = desk.client().get("/openapi.json").get_json()["paths"]
    for path, methods in paths.items():
        for described in methods.values():
            if path.startswith("/health/"):
                assert not {"401", "429"} & described["responses"].keys(), path
            else:
                assert {"401", "429", "503"} <= described["responses"].keys(), path
