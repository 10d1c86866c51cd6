from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes import WordEmbedder, WordExtractor, silent, write_article
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from indexer.build import build
from indexer.settings import Settings
from service.api import create_app
from service.engine import Engine
from service.requests import SearchQuery
from service.tuned import Tuning, write

READ = [
    "/",
    "/?q=operator",
    "/v1/search?q=operator",
    "/v1/answers?q=operator",
    "/v1/suggest?q=opera",
    "/v1/articles",
]


class Desk:
    """A service over a few articles, and the ways to change what it stands on."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(seeds=folder / "seeds", index=folder / "index")
        self.day = dt.date(2025, 7, 4)
        for number in range(3):
            self.write(number, f"Brussels proposed operator {number}.")
        self.build()
        self.engine = Engine(self.settings, WordEmbedder(), clock=lambda: self.day)
        self.client: FlaskClient = create_app(self.engine).test_client()

    def write(self, number: int, text: str) -> None:
        write_article(
            self.settings.seeds, f"{number}.txt", text, published=f"2025-07-{number + 2:02}"
        )

    def build(self) -> None:
        build(self.settings, WordEmbedder(), progress=silent)

    def again(self, path: str, tag: str) -> TestResponse:
        return self.client.get(path, headers={"If-None-Match": tag})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.engine.close()


def test_what_a_client_has_is_not_sent_again_nor_searched(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = desk.client.get("/v1/articles").get_json()["articles"]
    id_ = articles[0]["id"]
    more = [f"/v1/articles/{id_}", f"/v1/paragraphs/{id_}-1", f"/articles/{id_}"]
    tags = {}
    for path in [*READ, *more]:
        response = desk.client.get(path)
        tags[path] = response.headers["ETag"]
        assert tags[path].startswith('W/"')
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert "Accept-Encoding" in response.headers["Vary"]
    assert len(set(tags.values())) == len(tags)

    def fail(*_: object) -> None:
        raise AssertionError("searched again")

    for method in ("search", "answer", "suggest", "articles", "article", "paragraph"):
        monkeypatch.setattr(Engine, method, fail)
    for path, tag in tags.items():
        for sent in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
            response = desk.again(path, sent)
            assert (response.status_code, response.data) == (304, b"")
            assert response.headers["ETag"] == tag
            assert response.headers["Cache-Control"] == "private, no-cache"
            assert "Accept-Encoding" in response.headers["Vary"]
            assert "Content-Type" not in response.headers
        assert desk.client.head(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", READ)
def test_another_tag_or_none_gets_the_result(desk: Desk, path: str) -> None:
    assert desk.again(path, '"other"').status_code == 200
    assert desk.again(path, "").status_code == 200
    assert desk.again(path, "*").status_code == 304
    assert desk.client.head(path).headers["ETag"] == desk.client.get(path).headers["ETag"]


@pytest.mark.parametrize("path", READ)
def test_a_new_generation_is_another_result_and_the_old_one_again_is_the_old_result(
    desk: Desk, path: str
) -> None:
    first = desk.client.get(path)
    generation = desk.engine.readiness().generation
    assert generation
    desk.write(1, "Nothing at all was proposed.")
    desk.build()
    second = desk.again(path, first.headers["ETag"])
    assert second.status_code == 200
    desk.engine.activate(generation)
    # Otherwise it would be behind the seeds, which results tell.
    desk.write(1, "Brussels proposed operator 1.")
    assert desk.again(path, second.headers["ETag"]).status_code == 200
    assert desk.again(path, first.headers["ETag"]).status_code == 304


def test_the_next_day_is_another_result(desk: Desk) -> None:
    path = "/v1/search?q=operator+yesterday"
    first = desk.client.get(path)
    assert [hit["article"]["published"] for hit in first.get_json()["hits"]] == ["2025-07-03"]
    tag = first.headers["ETag"]
    assert desk.again(path, tag).status_code == 304
    desk.day += dt.timedelta(days=1)
    later = desk.again(path, tag)
    assert [hit["article"]["published"] for hit in later.get_json()["hits"]] == ["2025-07-04"]


def test_fitted_weights_make_another_result(desk: Desk) -> None:
    path = "/v1/search?q=operator&explain=1"
    tag = desk.client.get(path).headers["ETag"]
    when = dt.datetime.now(dt.UTC)
    tuning = Tuning({"semantic_weight": 0.9}, ("saved",), 20, 0.1, 0.05, 0.2, "words:1", when)
    write(desk.settings.index, tuning)
    again = desk.again(path, tag)
    assert again.get_json()["explanation"]["tuned"] == {"semantic_weight": 0.9}


def test_a_change_that_comes_while_a_result_is_made_leaves_it_without_a_tag(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Engine.search

    def slow(self: Engine, query: object) -> object:
        result = search(self, query)  # type: ignore[arg-type]  # handed on as it came
        desk.day += dt.timedelta(days=1)
        return result

    monkeypatch.setattr(Engine, "search", slow)
    assert "ETag" not in desk.client.get("/v1/search?q=operator").headers


@pytest.mark.parametrize(
    "path",
    [
        "/v1/search?q=who+proposed+an+operator",
        "/v1/answers?q=operator",
        "/?q=operator",
    ],
)
def test_a_result_for_which_there_was_no_time_has_no_tag(desk: Desk, path: str) -> None:
    extractor = WordExtractor({"Brussels": 0.9}, patience=1)
    with closing(Engine(desk.settings, WordEmbedder(), extractor=extractor)) as engine:
        client = create_app(engine).test_client()
        response = client.get(path)
        assert "the reader read 1 of the first 3" in response.text
        assert "ETag" not in response.headers
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert client.get(path, headers={"If-None-Match": "*"}).status_code == 200
        assert "ETag" in client.get("/").headers


def test_errors_and_what_changes_by_itself_have_no_tag_and_are_not_kept(desk: Desk) -> None:
    for path in ("/v1/search", "/v1/nothing", "/nothing", "/health/ready", "/?mode=psychic"):
        response = desk.client.get(path, headers={"If-None-Match": "*"})
        assert response.status_code != 304
        assert "ETag" not in response.headers
        assert response.headers["Cache-Control"] == "no-store"
    posted = desk.client.post("/v1/answers", json={"question": "operator"})
    assert posted.status_code == 200
    assert "ETag" not in posted.headers


def test_another_process_has_other_tags(desk: Desk) -> None:
    path = "/v1/articles"
    tag = desk.client.get(path).headers["ETag"]
    other = create_app(desk.engine).test_client()
    assert other.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_tag_is_for_all_ways_to_send_the_same(desk: Desk) -> None:
    path = "/v1/search?q=operator"
    tags = {
        desk.client.get(path, headers={"Accept-Encoding": coding}).headers["ETag"]
        for coding in ("", "gzip", "br")
    }
    assert len(tags) == 1


def test_a_result_of_another_generation_than_the_live_one_has_no_tag(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/v1/search?q=operator"
    late = desk.engine.search(SearchQuery(q="operator"))
    desk.write(7, "An operator of another kind.")
    desk.build()
    assert desk.client.get(path).headers["ETag"]
    monkeypatch.setattr(desk.engine, "search", lambda _: late)
    assert "ETag" not in desk.client.get(path).headers
