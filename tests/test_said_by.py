"""Who says what, from the seeds to those who ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article
from flask.testing import FlaskClient

from indexer.build import build
from indexer.consistency import disagreements, open_stores
from indexer.generations import Generations
from indexer.settings import Settings
from service.api import create_app
from service.engine import Engine
from service.requests import AnswerQuery, SearchQuery
from service.terminal import answer_lines, search_lines

KERN = "The mayor, Anna Kern, said that the ferry will stop in May."
VOSS = "“The ferry must go on,” said Peter Voss, who leads the harbour office."
TOLD = "The ferry carries nine hundred people a day and stops at two islands."


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    seeds = tmp_path_factory.mktemp("seeds")
    write_article(seeds, "ferry.txt", KERN, VOSS, TOLD, title="Ferry in doubt")
    write_article(
        seeds,
        "fähre.txt",
        "Die Fähre wird eingestellt, sagte Anna Kern am Montag vor dem Rat der Stadt.",
        title="Fähre in Gefahr",
    )
    settings = Settings(seeds=seeds, index=tmp_path_factory.mktemp("index"))
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture(scope="module")
def engine(collection: Settings) -> Iterator[Engine]:
    engine = Engine(collection, WordEmbedder())
    yield engine
    engine.close()


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return create_app(engine).test_client()


def test_a_hit_says_who_says_its_best_sentence(client: FlaskClient) -> None:
    hits = client.get("/v1/search?q=ferry").get_json()["hits"]
    said = {hit["paragraph"]["text"]: hit["attributed_to"] for hit in hits}
    assert said[TOLD] is None
    kern = said[KERN]
    assert kern["text"] == "The mayor, Anna Kern"
    assert KERN[kern["start"] : kern["end"]] == kern["text"]
    assert kern["cue"] == "said"
    assert [KERN[start:end] for start, end in kern["content"]] == [
        "that the ferry will stop in May."
    ]


def test_only_those_who_are_named_are_found(client: FlaskClient) -> None:
    for route in ("search", "answers"):
        body = client.get(f"/v1/{route}?q=ferry&said_by=peter+voss").get_json()
        assert [hit["paragraph"]["text"] for hit in body["hits"]] == [VOSS]
        assert body["filters"]["said_by"] == "peter voss"
    body = client.post("/v1/answers", json={"question": "ferry", "said_by": "Brecht"}).get_json()
    assert body["hits"] == []


def test_a_name_of_nothing_is_refused(client: FlaskClient) -> None:
    response = client.get("/v1/search?q=ferry&said_by=")
    assert response.status_code == 400
    assert response.get_json()["parameter"] == "said_by"
    assert "as the articles write it" in response.get_json()["hint"]


def test_an_answer_says_whose_it_is(engine: Engine) -> None:
    result = engine.answer(AnswerQuery(q="ferry must go on", said_by="Voss"))
    assert result.answer is not None
    assert result.answer.attributed_to is not None
    assert result.answer.attributed_to.text == "Peter Voss, who leads the harbour office"
    assert "   said by Peter Voss, who leads the harbour office" in answer_lines(result)


def test_the_terminal_says_who_says_it(engine: Engine) -> None:
    lines = list(search_lines(engine.search(SearchQuery(q="ferry")), explain=False))
    assert "   said by The mayor, Anna Kern" in lines
    assert sum("said by" in line for line in lines) == 2


def test_the_page_says_who_says_it_and_narrows_by_it(client: FlaskClient) -> None:
    page = client.get("/?q=ferry").text
    assert 'Said by <bdi lang="en">The mayor, Anna Kern</bdi>' in page
    assert '<input type="text" form="ask" name="said_by"' in page
    narrowed = client.get("/?q=ferry&said_by=Kern").text
    assert "quoting Kern" in narrowed
    assert "Peter Voss" not in narrowed


def test_the_cursor_of_one_speaker_is_not_anothers(client: FlaskClient) -> None:
    first = client.get("/v1/search?q=ferry&limit=1").get_json()
    address = f"/v1/search?q=ferry&limit=1&cursor={first['next_cursor']}"
    assert client.get(address).status_code == 200
    assert client.get(f"{address}&said_by=Kern").status_code != 200


def test_changed_articles_say_what_they_say_now(tmp_path: Path) -> None:
    settings = Settings(seeds=tmp_path / "seeds", index=tmp_path / "index")
    write_article(settings.seeds, "a.txt", KERN, TOLD)
    write_article(settings.seeds, "b.txt", VOSS, TOLD)
    build(settings, WordEmbedder(), progress=silent)
    write_article(settings.seeds, "a.txt", TOLD, VOSS, KERN)
    (settings.seeds / "b.txt").unlink()
    build(settings, WordEmbedder(), progress=silent)
    generations = Generations(settings.index)
    manifest = generations.live()
    assert manifest.counts["attributions"] == 2
    with open_stores(generations.path(manifest.id)) as stores:
        assert disagreements(stores, manifest) == []
        said = [
            [each.speaker for each in stores.articles.attributions(key)]
            for key in stores.articles.keys().tolist()
        ]
    fresh = Settings(seeds=settings.seeds, index=tmp_path / "fresh")
    build(fresh, WordEmbedder(), progress=silent)
    generations = Generations(fresh.index)
    with open_stores(generations.path(generations.live().id)) as stores:
        assert said == [
            [each.speaker for each in stores.articles.attributions(key)]
            for key in stores.articles.keys().tolist()
        ]


def test_where_nobody_was_looked_for_that_is_said(tmp_path: Path) -> None:
    settings = Settings(seeds=tmp_path / "seeds", index=tmp_path / "index", speakers=False)
    write_article(settings.seeds, "ferry.txt", KERN)
    build(settings, WordEmbedder(), progress=silent)
    engine = Engine(settings, WordEmbedder())
    (hit,) = engine.search(SearchQuery(q="ferry")).hits
    asked = engine.search(SearchQuery(q="ferry", said_by="kern"))
    engine.close()
    assert hit.attributed_to is None
    assert asked.hits == []
    assert asked.degraded == ["the index was built without looking for speakers"]
