from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes import WINDOW, WordEmbedder, silent, write_article
from flask.testing import FlaskClient
from histories import built_anew

from indexer.articles import identify
from indexer.build import build
from indexer.errors import ModelError, NotFound
from indexer.protocols import Embedder
from indexer.settings import Settings
from service import cli, commands
from service.api import create_app
from service.engine import Engine
from service.requests import SimilarQuery
from service.results import SimilarResult

BRIDGE = (
    "The council approved the budget for the new bridge over the river on Monday after a debate "
    "of six hours, officials said, although the ferry company had asked for more time."
)
LONG = " ".join(f"ferry timetable number{number}" for number in range(WINDOW))
SEEDS = {
    "asked.txt": (BRIDGE, "The mayor thanked the council for the budget of the bridge."),
    "copy.txt": ("The grain harvest was poor.", f"(Agency) {BRIDGE}"),
    "near.txt": ("A bridge over the river needs a budget, the ferry company told the council.",),
    "nearer.txt": (BRIDGE.replace("six", "6").replace("Monday", "Friday"),),
    "nearer copy.txt": (BRIDGE.replace("six", "6").replace("Monday", "Friday"),),
    "far.txt": ("Grain is cheap this year.",),
    "long.txt": (LONG,),
    "signs.txt": ("* * *",),
}


def id_of(source: str, number: int = 1) -> str:
    return f"{identify(source)}-{number}"


ASKED = id_of("asked.txt")


@pytest.fixture
def built(settings: Settings) -> Settings:
    for name, paragraphs in SEEDS.items():
        write_article(settings.seeds, name, *paragraphs)
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture
def engine(built: Settings) -> Iterator[Engine]:
    opened = Engine(built, WordEmbedder())
    yield opened
    opened.close()


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return create_app(engine).test_client()


def found(result: SimilarResult) -> list[tuple[str, ...]]:
    """The source of each hit and of its copies."""
    return [
        (hit.article.source, *(copy.article.source for copy in hit.also_in)) for hit in result.hits
    ]


def test_the_nearest_come_first_without_itself_its_article_and_its_copies(engine: Engine) -> None:
    result = engine.similar(ASKED, SimilarQuery())
    assert (result.paragraph.id, result.article.source) == (ASKED, "asked.txt")
    assert [copy.id for copy in result.also_in] == [id_of("copy.txt", 2)]
    assert sorted(found(result)[0]) == ["nearer copy.txt", "nearer.txt"]
    assert found(result)[1] == ("near.txt",)
    assert not {"asked.txt"} & {source for hit in found(result) for source in hit}
    assert id_of("copy.txt", 2) not in {hit.paragraph.id for hit in result.hits}
    assert [hit.rank for hit in result.hits] == list(range(1, len(result.hits) + 1))


def test_points_sum_to_the_score_and_name_what_a_hit_has_in_common(engine: Engine) -> None:
    for hit in engine.similar(ASKED, SimilarQuery()).hits:
        assert hit.score == pytest.approx(sum(part.points for part in hit.contributions))
        assert {part.source for part in hit.contributions} == {"keyword", "semantic"}
        assert sum(part.weight for part in hit.contributions) == pytest.approx(1)
        matched = {hit.paragraph.text[start:end].casefold() for start, end in hit.matches}
        assert matched <= set(re.findall(r"\w+", BRIDGE.casefold()))
    first = engine.similar(ASKED, SimilarQuery()).hits[0]
    assert [part.rank for part in first.contributions] == [1, 1]
    assert first.matches


def test_the_same_article_takes_part_where_it_is_asked_for(engine: Engine) -> None:
    result = engine.similar(ASKED, SimilarQuery(same_article=True))
    assert id_of("asked.txt", 2) in {hit.paragraph.id for hit in result.hits}
    assert ASKED not in {hit.paragraph.id for hit in result.hits}


def test_a_limit_cuts_the_same_ranking(engine: Engine) -> None:
    whole = engine.similar(ASKED, SimilarQuery()).hits
    assert engine.similar(ASKED, SimilarQuery(limit=2)).hits == whole[:2]


@pytest.mark.parametrize("embedder", [ModelError("no model"), WordEmbedder("another")])
def test_meaning_is_compared_without_the_model(
    built: Settings, engine: Engine, embedder: Embedder | ModelError
) -> None:
    without = Engine(built, embedder)
    result, wanted = (each.similar(ASKED, SimilarQuery()) for each in (without, engine))
    assert result.hits == wanted.hits
    assert result.degraded == []
    without.close()


def test_the_model_is_not_asked(built: Settings) -> None:
    embedder = WordEmbedder()
    engine = Engine(built, embedder)
    engine.warm()
    before = embedder.encoded
    assert engine.similar(ASKED, SimilarQuery()).hits
    assert embedder.encoded == before
    engine.close()


def test_a_paragraph_with_nothing_beside_it_has_no_neighbours(settings: Settings) -> None:
    write_article(settings.seeds, "asked.txt", BRIDGE)
    write_article(settings.seeds, "copy.txt", BRIDGE)
    build(settings, WordEmbedder(), progress=silent)
    engine = Engine(settings, WordEmbedder())
    result = engine.similar(ASKED, SimilarQuery())
    assert result.hits == []
    assert [copy.id for copy in result.also_in] == [id_of("copy.txt")]
    engine.close()


@pytest.mark.parametrize("source", ["long.txt", "signs.txt"])
def test_a_paragraph_of_many_windows_or_of_no_words_has_neighbours_too(
    engine: Engine, source: str
) -> None:
    result = engine.similar(id_of(source), SimilarQuery())
    assert len(result.hits) >= 5
    assert source not in {hit.article.source for hit in result.hits}


def test_an_unknown_paragraph_is_not_found(engine: Engine) -> None:
    for id_ in (id_of("asked.txt", 9), id_of("gone.txt")):
        with pytest.raises(NotFound, match="there is no paragraph"):
            engine.similar(id_, SimilarQuery())


def test_an_index_that_was_gone_on_with_finds_what_one_from_nothing_does(
    built: Settings, tmp_path: Path
) -> None:
    (built.seeds / "near.txt").unlink()
    write_article(built.seeds, "new.txt", "The ferry company thanked the council for more time.")
    build(built, WordEmbedder(), progress=silent)
    engines = [
        Engine(each, WordEmbedder()) for each in (built, built_anew(built, tmp_path / "anew"))
    ]
    here, there = (each.similar(ASKED, SimilarQuery()) for each in engines)
    assert here.hits == there.hits
    assert "new.txt" in {hit.article.source for hit in here.hits}
    for each in engines:
        each.close()


def test_http_gives_hits_of_the_shape_of_a_search(client: FlaskClient) -> None:
    body = client.get(f"/v1/paragraphs/{ASKED}/similar?limit=2").get_json()
    assert body.keys() == {
        *("generation", "took_ms", "degraded", "pending", "paragraph", "article", "also_in", "hits")
    }
    search = client.get("/v1/search?q=bridge").get_json()
    assert body["hits"][0].keys() == search["hits"][0].keys()
    assert len(body["hits"]) == 2
    assert body["also_in"][0].keys() == {"id", "number", "article"}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{id_of('gone.txt')}/similar", 404),
        (f"{ASKED}/similar?limit=0", 400),
        (f"{ASKED}/similar?mode=hybrid", 400),
        ("nonsense/similar", 400),
    ],
)
def test_http_refuses_what_cannot_be(client: FlaskClient, address: str, status: int) -> None:
    response = client.get(f"/v1/paragraphs/{address}")
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.get_json()["hint"]


def test_the_page_shows_the_paragraph_where_else_it_stands_and_its_neighbours(
    client: FlaskClient,
) -> None:
    article = client.get(f"/articles/{identify('asked.txt')}").get_data(as_text=True)
    assert f'href="/paragraphs/{ASKED}/similar"' in article
    hits = client.get("/?q=bridge").get_data(as_text=True)
    assert f'href="/paragraphs/{id_of("near.txt")}/similar"' in hits
    page = client.get(f"/paragraphs/{ASKED}/similar").get_data(as_text=True)
    assert BRIDGE in page
    assert f'Also in <a class="place" href="/articles/{identify("copy.txt")}#p2"' in page
    assert re.search(f'href="/articles/{identify("near.txt")}[?]mark=1:[0-9-]+#p1"', page)
    for address in ("/paragraphs/nonsense/similar", f"/paragraphs/{id_of('gone.txt')}/similar"):
        assert client.get(address).status_code == 404
    assert client.get(f"/paragraphs/{ASKED}/similar?limit=3").status_code == 400


def winnow(*arguments: str) -> Any:
    return CliRunner().invoke(cli.main, arguments)


def test_the_terminal_shows_the_same_without_loading_the_model(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(commands, "embedder")
    folders = ("--seeds", str(built.seeds), "--index", str(built.index))
    shown = winnow("similar", ASKED, *folders)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("Like paragraph 1 of A headline:")
    assert f"also in: 2025-07-03T05:32:00, copy.txt, paragraph 2 ({id_of('copy.txt', 2)})" in (
        shown.stdout
    )
    assert f"near.txt, paragraph 1 ({id_of('near.txt')})" in shown.stdout
    body = json.loads(winnow("similar", ASKED, "--limit", "1", "--json", *folders).stdout)
    assert len(body["hits"]) == 1
    assert winnow("similar", "nonsense", *folders).exit_code == 2
    assert winnow("similar", id_of("gone.txt"), *folders).exit_code == 1


def test_the_terminal_names_copies_and_can_show_each_by_itself(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "embedder", lambda _settings: WordEmbedder())
    folders = ("--seeds", str(built.seeds), "--index", str(built.index))
    assert "also in: " in winnow("search", "ferry company", *folders).stdout
    assert "also in: " not in winnow("search", "ferry company", "--no-collapse", *folders).stdout
