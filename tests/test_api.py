from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes import PhraseReader, WordEmbedder, silent, write_article
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.build import build
from indexer.errors import ModelError
from indexer.settings import Settings
from service.api import create_app
from service.engine import Engine


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    seeds = tmp_path_factory.mktemp("seeds")
    for number in range(15):
        write_article(
            seeds,
            f"{number:02}.txt",
            f"Brussels proposed operator {number} for the corridor. The talks went on.",
            "Nothing else was said about it. The weather was fine.",
            published=f"2025-07-{number + 1:02}",
        )
    settings = Settings(seeds=seeds, index=tmp_path_factory.mktemp("index"))
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture(scope="module")
def app(collection: Settings) -> Iterator[Flask]:
    engine = Engine(collection, WordEmbedder())
    yield create_app(engine)
    engine.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    assert {"type", "title", "status", "detail", "code", "hint", "request_id"} <= body.keys()
    assert body["status"] == status
    assert body["code"] == code
    assert body["detail"]
    assert response.headers["X-Request-ID"] == body["request_id"]
    return body


def test_a_search_has_the_shape_of_the_contract(client: FlaskClient, collection: Settings) -> None:
    body = client.get("/v1/search?q=who+proposed+the+corridor&limit=3").get_json()
    assert body.keys() == {
        *("query", "mode", "generation", "took_ms", "degraded", "pending", "hits", "next_cursor"),
        "did_you_mean",
        "filters",
    }
    assert body["did_you_mean"] is None
    assert body["degraded"] == []
    assert body["pending"] == 0
    assert {"total", "keyword", "embed", "semantic", "fusion"} <= body["took_ms"].keys()
    assert len(body["hits"]) == 3
    hit = body["hits"][0]
    assert hit.keys() == {
        *("rank", "score", "paragraph", "article", "matches", "best_sentence", "contributions"),
        *("also_in", "attributed_to"),
    }
    paragraph = hit["paragraph"]
    source = (collection.seeds / hit["article"]["source"]).read_bytes()
    decoded = source.decode(hit["article"]["encoding"])
    assert decoded[paragraph["start"] : paragraph["end"]] == paragraph["text"]
    words = {paragraph["text"][s:e].casefold() for s, e in hit["matches"]}
    assert words == {"proposed", "corridor"}
    start, end = hit["best_sentence"]
    assert paragraph["text"][start:end].endswith("for the corridor.")
    assert sum(part["points"] for part in hit["contributions"]) == pytest.approx(hit["score"])
    assert hit["contributions"][0].keys() == {
        *("source", "rank", "raw", "normalised", "weight", "points")
    }


def test_an_answer_is_a_verbatim_slice(client: FlaskClient) -> None:
    asked = client.get("/v1/answers?q=who+proposed+operator+7+for+the+corridor").get_json()
    posted = client.post(
        "/v1/answers", json={"question": "who proposed operator 7 for the corridor"}
    ).get_json()
    for body in (asked, posted):
        assert body["reason"] == "found"
        answer = body["answer"]
        text = answer["paragraph"]["text"]
        assert text[answer["start"] : answer["end"]] == answer["text"]
        assert answer["sentence"] in text
        assert "operator 7" in answer["text"]
        assert 0 <= answer["confidence"] <= 1
        assert len(body["hits"]) == 5
        assert all(other["text"] != answer["text"] for other in body["alternatives"])
    del asked["took_ms"], posted["took_ms"]
    assert asked == posted


def test_an_answer_comes_with_all_its_sources(tmp_path: Path) -> None:
    settings = Settings(seeds=tmp_path / "seeds", index=tmp_path / "index")
    told = "Brussels proposed a third-party operator of the railway, which the parliament in "
    told += "Yerevan will vote on in the autumn, the minister told reporters on Monday."
    write_article(settings.seeds, "a.txt", told, published="2025-05-03")
    write_article(settings.seeds, "b.txt", told.replace(" on Mon", " late on Mon"))
    write_article(settings.seeds, "c.txt", "It was brussels' operator.", published="2025-07-07")
    write_article(settings.seeds, "d.txt", "Moscow wants an operator.", published=None)
    build(settings, WordEmbedder(), progress=silent)
    reader = PhraseReader({"russels": 0.8, "Moscow": 0.4, "operator": 0.01})
    with closing(Engine(settings, WordEmbedder(), reader)) as engine:
        client = create_app(engine).test_client()
        body = client.get("/v1/answers?q=who+wants+an+operator").get_json()
        apart = client.get("/v1/answers?q=who+wants+an+operator&collapse=0").get_json()
        paragraphs = {
            source["id"]: client.get(f"/v1/paragraphs/{source['id']}").get_json()["paragraph"]
            for source in body["answer"]["sources"]
        }

    answer = body["answer"]
    assert (answer["text"].casefold(), answer["articles"]) == ("brussels", 2)
    assert (answer["first"], answer["last"]) == ("2025-05-03", "2025-07-07")
    assert {source["article"]["source"] for source in answer["sources"]} == {"a.txt", "c.txt"}
    for source in answer["sources"]:
        text = paragraphs[source["id"]]["text"]
        assert text[source["start"] : source["end"]] == source["text"]
        assert text[source["sentence_start"] : source["sentence_end"]] == source["sentence"]
        copies = [copy["article"]["source"] for copy in source["also_in"]]
        assert copies == (["b.txt"] if source["article"]["source"] == "a.txt" else [])
    (other,) = body["alternatives"]
    assert (other["text"], other["articles"], other["first"]) == ("Moscow", 1, None)
    assert body["detail"] is None
    # Shown each by itself, copies still count once.
    assert apart["answer"]["articles"] == 2


def test_a_word_with_a_typo_is_searched_as_the_one_it_resembles(client: FlaskClient) -> None:
    body = client.get("/v1/search?q=+the+Coridor+-operator+&mode=keyword").get_json()
    assert body["hits"] == []
    assert body["did_you_mean"] == {
        "query": "the Corridor -operator",
        "words": [{"word": "Coridor", "start": 4, "end": 11, "words": ["corridor"]}],
    }
    body = client.get("/v1/search?q=brussles+operator+7&explain=1").get_json()
    assert body["explanation"]["words"] == "brussels operator 7"
    first = body["hits"][0]
    assert first["paragraph"]["text"].startswith("Brussels proposed operator 7 ")
    assert {first["paragraph"]["text"][s:e] for s, e in first["matches"]} == {
        *("Brussels", "operator", "7")
    }
    assert first["contributions"][0]["corrected"] == {"brussles": ["brussels"]}
    assert "corrected" not in first["contributions"][1]
    others = [hit for hit in body["hits"] if "Brussels" not in hit["paragraph"]["text"]]
    assert not any("corrected" in part for hit in others for part in hit["contributions"])


def test_a_question_whose_words_all_occur_is_left_as_it_is(client: FlaskClient) -> None:
    typed = client.get("/v1/answers?q=who+proposed+operator+7").get_json()
    assert typed["did_you_mean"] is None
    assert not any("corrected" in part for hit in typed["hits"] for part in hit["contributions"])


def test_what_is_required_is_not_found_as_something_else(client: FlaskClient) -> None:
    body = client.get('/v1/search?q=%2Bbrussles+"the+coridor"').get_json()
    assert body["hits"] == []
    assert body["did_you_mean"]["query"] == '+brussels "the corridor"'


def test_a_beginning_is_completed(client: FlaskClient) -> None:
    body = client.get("/v1/suggest?q=who+prop").get_json()
    assert body.keys() == {"generation", "query", "suggestions", "took_ms"}
    assert body["suggestions"] == [
        {"kind": "term", "text": "who proposed", "count": 15, "article": None}
    ]
    found = client.get("/v1/suggest?q=hea&limit=8").get_json()["suggestions"]
    assert [(each["kind"], each["text"], each["count"]) for each in found] == [
        *(("term", "headline", 30), ("title", "A headline", 2))
    ]
    assert client.get(f"/v1/articles/{found[1]['article']}").status_code == 200
    assert client.get("/v1/suggest?q=zz").get_json()["suggestions"] == []
    problem(client.get("/v1/suggest?q="), 400, "bad_query")
    problem(client.get("/v1/suggest?q=a&limit=51"), 400, "bad_query")


def test_no_hits_is_said_in_so_many_words(client: FlaskClient) -> None:
    body = client.get("/v1/answers?q=zzzz&mode=keyword").get_json()
    assert (body["answer"], body["reason"], body["hits"]) == (None, "no_hits", [])


def test_what_nothing_supports_has_no_answer(client: FlaskClient) -> None:
    body = client.get("/v1/answers?q=zzzz+yyyy+xxxx+wwww").get_json()
    assert (body["answer"], body["reason"]) == (None, "below_threshold")
    assert body["alternatives"] == []
    assert re.fullmatch(r"The best candidate is .+ % sure; the threshold is 8 %\.", body["detail"])
    assert body["hits"]


def test_pages_continue_each_other_and_do_not_depend_on_the_limit(client: FlaskClient) -> None:
    whole = client.get("/v1/search?q=corridor+talks&limit=100").get_json()
    assert whole["next_cursor"] is None
    paged, cursor = [], ""
    while cursor is not None:
        body = (
            client.get(f"/v1/search?q=corridor+talks&limit=7&cursor={cursor}").get_json()
            if (cursor)
            else client.get("/v1/search?q=corridor+talks&limit=7").get_json()
        )
        paged += body["hits"]
        cursor = body["next_cursor"]
    assert paged == whole["hits"]


@hypothesis_settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    words=st.lists(
        st.sampled_from(
            ["corridor", "operator", "talks", "weather", "Brussels", "nothing", "fine"]
        ),
        min_size=1,
        max_size=4,
    ),
    limit=st.integers(1, 40),
    mode=st.sampled_from(["hybrid", "keyword", "semantic"]),
)
def test_a_ranking_does_not_depend_on_the_limit(
    client: FlaskClient, words: list[str], limit: int, mode: str
) -> None:
    address = f"/v1/search?q={'+'.join(words)}&mode={mode}&limit="
    whole = client.get(f"{address}100").get_json()["hits"]
    assert client.get(f"{address}{limit}").get_json()["hits"] == whole[:limit]


def test_explain_tells_how_the_ranking_came_about(client: FlaskClient) -> None:
    body = client.get("/v1/search?q=corridor+-weather&explain=1").get_json()
    assert body["explanation"]["fusion"] == "convex"
    assert body["explanation"]["constraint"] == "NOT weather"


def test_dates_limit_the_hits(client: FlaskClient) -> None:
    body = client.get("/v1/search?q=corridor&after=2025-07-03&before=2025-07-04").get_json()
    assert {hit["article"]["published"] for hit in body["hits"]} == {"2025-07-03", "2025-07-04"}
    assert body["filters"] == {
        "periods": [
            {"after": "2025-07-03", "before": "2025-07-04", "origin": "parameter"}
            | {"phrase": None, "span": None}
        ],
        "month": None,
        "source": None,
        "author": None,
        "said_by": None,
    }


def test_days_in_the_query_are_told_with_their_place(client: FlaskClient) -> None:
    body = client.get("/v1/search?q=++corridor+after:2025-07-14").get_json()
    assert {hit["article"]["published"] for hit in body["hits"]} == {"2025-07-14", "2025-07-15"}
    (period,) = body["filters"]["periods"]
    assert period == {
        "after": "2025-07-14",
        "before": None,
        "origin": "grammar",
        "phrase": "after:2025-07-14",
        "span": [9, 25],
    }


@pytest.mark.parametrize("route", ["search", "answers"])
def test_a_phrase_limits_the_days_and_can_be_taken_back(client: FlaskClient, route: str) -> None:
    asked = f"/v1/{route}?q=who+proposed+the+corridor+on+3+July+2025"
    body = client.get(asked).get_json()
    assert {hit["article"]["published"] for hit in body["hits"]} == {"2025-07-03"}
    (period,) = body["filters"]["periods"]
    assert (period["origin"], period["phrase"]) == ("phrase", "on 3 July 2025")
    assert [period["after"], period["before"]] == ["2025-07-03"] * 2
    ignored = client.get(f"{asked}&dates=ignore").get_json()
    assert ignored["filters"]["periods"] == []
    assert len({hit["article"]["published"] for hit in ignored["hits"]}) > 1


def test_relative_days_are_those_before_the_engines_day_on_every_page(
    collection: Settings,
) -> None:
    day = dt.date(2025, 7, 4)
    engine = Engine(collection, WordEmbedder(), clock=lambda: day)
    client = create_app(engine).test_client()
    found: dict[str, Any] = {"next_cursor": ""}
    for _ in range(2):
        parameters = {"cursor": found["next_cursor"]} if found["next_cursor"] else {}
        found = client.get(
            "/v1/search", query_string={"q": "corridor yesterday", "limit": "1", **parameters}
        ).get_json()
        assert {hit["article"]["published"] for hit in found["hits"]} == {"2025-07-03"}
        day += dt.timedelta(days=1)
    assert found["next_cursor"] is None
    engine.close()


def test_facets_count_all_that_was_found_and_lead_to_it(client: FlaskClient) -> None:
    asked = "/v1/search?q=corridor&limit=1&mode=keyword"
    assert "facets" not in client.get(asked).get_json()
    body = client.get(f"{asked}&facets=1").get_json()
    assert body["facets"] == {
        "source": [],
        "author": [{"value": "A desk", "count": 15}],
        "month": [{"value": "2025-07", "count": 15}],
    }
    narrowed = client.get(f"{asked}&facets=1&author=a+DESK&month=2025-07").get_json()
    assert narrowed["facets"] == body["facets"]
    assert narrowed["filters"]["author"] == "a DESK"
    assert narrowed["filters"]["month"] == "2025-07"
    answered = client.get("/v1/answers?q=corridor&facets=1").get_json()
    assert answered["facets"]["month"] == [{"value": "2025-07", "count": 30}]


@pytest.mark.parametrize("filters", ["source=x", "author=Nobody", "month=2025-08"])
def test_a_filter_that_no_article_fulfils_leaves_nothing(client: FlaskClient, filters: str) -> None:
    body = client.get(f"/v1/answers?q=corridor&facets=1&{filters}").get_json()
    assert (body["hits"], body["reason"]) == ([], "no_hits")
    assert body["facets"] == {"source": [], "author": [], "month": []}


def test_filters_can_be_posted(client: FlaskClient) -> None:
    asked = {"question": "corridor", "month": "2025-07", "facets": True, "dates": "ignore"}
    body = client.post("/v1/answers", json=asked).get_json()
    assert body["filters"]["month"] == "2025-07"
    assert body["facets"]["author"]


def test_articles_and_paragraphs_can_be_fetched(client: FlaskClient) -> None:
    listed = client.get("/v1/articles?limit=2&offset=1").get_json()
    assert listed["total"] == 15
    assert [a["published"] for a in listed["articles"]] == ["2025-07-14", "2025-07-13"]
    article = client.get(f"/v1/articles/{listed['articles'][0]['id']}").get_json()
    assert len(article["paragraphs"]) == listed["articles"][0]["paragraphs"] == 2
    paragraph = client.get(f"/v1/paragraphs/{article['paragraphs'][1]['id']}").get_json()
    assert paragraph["paragraph"] == article["paragraphs"][1]
    assert paragraph["article"] == article["article"]


REFUSED = [
    ("q=", "q"),
    ("q=%20", "q"),
    ("", "q"),
    (f"q={'x' * 10_000}", "q"),
    (f"q={'x' * 1_001}", "q"),
    ("q=a%00b", "q"),
    ("q=a&limit=0", "limit"),
    ("q=a&limit=1000000000", "limit"),
    ("q=a&limit=ten", "limit"),
    ("q=a&mode=psychic", "mode"),
    ("q=a&after=yesterday", "after"),
    ("q=a&after=2025-02-30", "after"),
    ("q=a&before=2025-13-01", "before"),
    ("q=a&q=b", "q"),
    ("q=a&colour=red", "colour"),
    ("q=a&cursor=rubbish", "cursor"),
    ("q=a&after=1751500800", "after"),
    ("q=a&after=2025-07-03&before=2025-07-02", "after"),
    ("q=a&month=2025-13", "month"),
    ("q=a&month=July", "month"),
    ("q=a&source=", "source"),
    ("q=a&author=a%00b", "author"),
    (f"q=a&author={'x' * 201}", "author"),
    ("q=a&dates=maybe", "dates"),
    ("q=a&facets=several", "facets"),
]


@pytest.mark.parametrize(("query", "parameter"), REFUSED)
def test_bad_parameters_are_refused_by_name(
    client: FlaskClient, query: str, parameter: str
) -> None:
    body = problem(client.get(f"/v1/search?{query}"), 400, "bad_query")
    assert body["parameter"] == parameter
    assert parameter in body["detail"] or "query" in body["detail"]
    assert body["hint"]
    assert "pydantic" not in body["detail"]


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (b'{"question": ""}', "question"),
        (b'{"question": "a\\u0000b"}', "question"),
        (b'{"question": "a\\ud800b"}', "question"),
        (b'{"question": 7}', "question"),
        (b'{"question": "a", "limit": 0}', "limit"),
        (b'{"question": "a", "colour": "red"}', "colour"),
        (b"{}", "question"),
        (b'{"question": "a", "after": 0}', "after"),
        (b'{"question": "a", "limit": true}', "limit"),
        (b"[]", "body"),
        (b'"text"', "body"),
        (b"null", "body"),
    ],
)
def test_bad_bodies_are_refused_by_name(client: FlaskClient, body: bytes, parameter: str) -> None:
    response = client.post("/v1/answers", data=body, content_type="application/json")
    assert problem(response, 400, "bad_query")["parameter"] == parameter


def test_a_body_that_is_no_json_is_refused(client: FlaskClient) -> None:
    response = client.post("/v1/answers", data=b'{"question": ', content_type="application/json")
    problem(response, 400, "bad_json")


def test_a_body_nested_without_end_is_refused(client: FlaskClient) -> None:
    response = client.post("/v1/answers", data=b"[" * 30_000, content_type="application/json")
    problem(response, 400, "bad_json")


@pytest.mark.parametrize(
    "path", ["/v1/articles/0000000000000000", "/v1/paragraphs/0000000000000000-1", "/health/live"]
)
def test_routes_without_parameters_refuse_any(client: FlaskClient, path: str) -> None:
    assert problem(client.get(f"{path}?colour=red"), 400, "bad_query")["parameter"] == "colour"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(client: FlaskClient, kind: str) -> None:
    response = client.post("/v1/answers", data=b'{"question": "a"}', content_type=kind)
    problem(response, 415, "bad_content_type")


def test_a_huge_body_is_refused(client: FlaskClient) -> None:
    body = b'{"question": "' + b"x" * 70_000 + b'"}'
    response = client.post("/v1/answers", data=body, content_type="application/json")
    problem(response, 413, "request_entity_too_large")


@pytest.mark.parametrize(
    "path",
    ["/v1/articles/0000000000000000", "/v1/paragraphs/0000000000000000-1"],
)
def test_what_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    problem(client.get(path), 404, "not_found")


@pytest.mark.parametrize("path", ["/v1/articles/..%2f..", "/v1/articles/xyz", "/v1/paragraphs/1"])
def test_an_id_that_cannot_be_is_refused(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code in {400, 404}
    assert client.get(path).content_type == "application/problem+json"


def test_unknown_routes_and_methods_have_the_same_shape(client: FlaskClient) -> None:
    problem(client.get("/v1/nothing"), 404, "not_found")
    problem(client.post("/v1/nothing"), 404, "not_found")
    problem(client.post("/v1/search"), 405, "method_not_allowed")
    response = client.delete("/v1/search")
    problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


def test_a_request_id_is_kept_if_harmless_and_made_otherwise(client: FlaskClient) -> None:
    kept = client.get("/health/live", headers={"X-Request-ID": "abc-1"})
    assert kept.headers["X-Request-ID"] == "abc-1"
    made = client.get("/health/live", headers={"X-Request-ID": "<script>"})
    assert "<" not in made.headers["X-Request-ID"]


def test_a_cursor_stays_on_its_generation_until_that_is_gone(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    for number in range(5):
        write_article(seeds, f"{number}.txt", f"Corridor {number}.")
    settings = Settings(seeds=seeds, index=tmp_path / "index", generations=2)
    build(settings, WordEmbedder(), progress=silent)
    engine = Engine(settings, WordEmbedder())
    client = create_app(engine).test_client()
    first = client.get("/v1/search?q=corridor&limit=2").get_json()
    address = f"/v1/search?q=corridor&limit=3&cursor={first['next_cursor']}"
    before = client.get(address).get_json()
    for number in range(5):
        write_article(seeds, f"{number}.txt", f"Another text {number}.")
    build(settings, WordEmbedder(), progress=silent)
    assert not client.get("/v1/search?q=corridor&mode=keyword").get_json()["hits"]
    again = client.get(address).get_json()
    assert again["generation"] == first["generation"]
    assert again["hits"] == before["hits"]
    for title in ("A", "B", "C"):
        write_article(seeds, "0.txt", "Another text.", title=title)
        build(settings, WordEmbedder(), progress=silent)
        client.get("/v1/search?q=corridor")
    problem(client.get(address), 410, "stale_cursor")
    engine.close()


def test_without_an_index_the_service_is_up_but_not_ready(settings: Settings) -> None:
    engine = Engine(settings, WordEmbedder())
    client = create_app(engine).test_client()
    body = problem(client.get("/v1/search?q=a"), 503, "index_missing")
    assert "winnow build" in body["hint"]
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert ready.get_json()["status"] == "not_ready"
    assert client.get("/").status_code == 503
    write_article(settings.seeds, "a.txt", "A corridor.")
    build(settings, WordEmbedder(), progress=silent)
    assert client.get("/v1/search?q=corridor").get_json()["hits"]
    assert client.get("/health/ready").get_json()["status"] == "ready"
    engine.close()


def test_without_a_model_keywords_still_answer_and_the_loss_is_said(collection: Settings) -> None:
    engine = Engine(collection, ModelError("no embedding model at /nowhere"))
    client = create_app(engine).test_client()
    body = client.get("/v1/answers?q=who+proposed+operator+7").get_json()
    assert "operator 7" in body["hits"][0]["paragraph"]["text"]
    assert "keywords only" in body["degraded"][0]
    assert client.get("/health/ready").get_json()["status"] == "degraded"
    problem(client.get("/v1/search?q=a&mode=semantic"), 503, "model_unavailable")
    engine.close()


def test_new_seeds_are_pending_until_the_next_build(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    write_article(seeds, "a.txt", "Corridor.")
    settings = Settings(seeds=seeds, index=tmp_path / "index")
    build(settings, WordEmbedder(), progress=silent)
    write_article(seeds, "b.txt", "Another.")
    write_article(seeds, "a.txt", "Corridors.")
    engine = Engine(settings, WordEmbedder())
    client = create_app(engine).test_client()
    assert client.get("/v1/search?q=corridor").get_json()["pending"] == 2
    assert client.get("/health/ready").get_json()["pending"] == 2
    engine.close()


def test_a_seeds_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    write_article(tmp_path / "seeds", "a.txt", "Corridor.")
    settings = Settings(seeds=tmp_path / "seeds", index=tmp_path / "index")
    build(settings, WordEmbedder(), progress=silent)
    (tmp_path / "seeds").rename(tmp_path / "elsewhere")
    engine = Engine(settings, WordEmbedder())
    client = create_app(engine).test_client()
    body = client.get("/v1/search?q=corridor").get_json()
    assert body["hits"]
    assert "changes to the seeds are not seen" in body["degraded"][0]
    engine.close()


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
def test_conditions_alone_find_in_every_mode(client: FlaskClient, mode: str) -> None:
    body = client.get(f"/v1/search?q=-corridor&mode={mode}").get_json()
    assert body["hits"]
    assert not any("corridor" in hit["paragraph"]["text"] for hit in body["hits"])


def test_the_openapi_document_names_every_route_and_is_served_with_its_reader(
    client: FlaskClient, app: Flask
) -> None:
    document = client.get("/openapi.json").get_json()
    routes = {
        str(rule).replace("<id>", "{id}")
        for rule in app.url_map.iter_rules()
        if str(rule).startswith(("/v1", "/health"))
    }
    assert document["paths"].keys() == routes
    search = document["paths"]["/v1/search"]["get"]
    assert {p["name"] for p in search["parameters"]} == {
        *("q", "limit", "mode", "after", "before", "collapse", "cursor", "explain"),
        *("month", "source", "author", "said_by", "dates", "facets", "rerank"),
    }
    assert "application/problem+json" in search["responses"]["400"]["content"]
    page = client.get("/docs", follow_redirects=True)
    assert page.status_code == 200
    assert "/openapi.json" in page.text
    with client.get("/docs/swagger/js/swagger-ui-bundle.js") as script:
        assert script.status_code == 200


def test_an_unexpected_error_is_logged_and_not_shown(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret path /etc/shadow")

    monkeypatch.setattr(Engine, "search", fail)
    body = problem(client.get("/v1/search?q=a"), 500, "internal_error")
    assert "secret" not in str(body)
    assert "secret" in caplog.text
    assert body["request_id"] in caplog.text
