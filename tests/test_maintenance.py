from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import WordEmbedder, Workshop, silent, write_article
from flask import Flask
from flask.testing import FlaskClient
from test_api import problem

from indexer.build import build
from indexer.generations import Generations
from indexer.settings import Settings
from service.api import create_app
from service.builds import Builds
from service.engine import Engine
from service.maintenance import events

STREAMS = 2


@pytest.fixture
def workshop(settings: Settings) -> Workshop:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    return Workshop(settings, step=("plan", 0, 1))


@pytest.fixture
def app(settings: Settings, builds: Builds) -> Iterator[Flask]:
    engine = Engine(settings, WordEmbedder())
    yield create_app(engine, builds, streams=STREAMS)
    engine.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def start(client: FlaskClient) -> str:
    return str(client.post("/v1/builds").get_json()["id"])


def test_a_build_is_accepted_and_found_where_location_says(
    client: FlaskClient, builds: Builds, workshop: Workshop
) -> None:
    accepted = client.post("/v1/builds")
    assert accepted.status_code == 202
    state = accepted.get_json()
    assert state.keys() == {
        *("id", "state", "full", "stage", "done", "total", "created", "started", "finished"),
        *("report", "problem"),
    }
    assert (state["state"], state["full"], state["report"]) == ("queued", False, None)
    assert accepted.headers["Location"] == f"/v1/builds/{state['id']}"
    workshop.go_on.release()
    builds.wait(state["id"])
    ended = client.get(accepted.headers["Location"]).get_json()
    assert (ended["state"], ended["problem"]) == ("succeeded", None)
    assert ended["report"]["articles"] == ended["report"]["added"] == 1
    assert ended["report"]["skipped"] == []
    assert ended["report"]["seconds"]["total"] > 0
    assert ended["finished"].endswith("Z")
    answer = client.get("/v1/search?q=operator").get_json()
    assert answer["generation"] == ended["report"]["generation"]


def test_builds_are_listed_newest_first(client: FlaskClient, workshop: Workshop) -> None:
    assert client.get("/v1/builds").get_json() == {"builds": []}
    first = start(client)
    assert workshop.begun.acquire(timeout=10)  # until then, another joins it
    second = start(client)
    listed = client.get("/v1/builds").get_json()["builds"]
    assert [state["id"] for state in listed] == [second, first]


def test_a_failed_build_says_what_and_how_to_mend_it(
    client: FlaskClient, builds: Builds, workshop: Workshop, settings: Settings
) -> None:
    (settings.seeds / "a.txt").unlink()
    workshop.go_on.release()
    id_ = start(client)
    builds.wait(id_)
    body = client.get(f"/v1/builds/{id_}").get_json()
    assert (body["state"], body["report"]) == ("failed", None)
    assert body["problem"]["code"] == "bad_seeds"
    assert "no article" in body["problem"]["detail"]
    assert body["problem"]["hint"]


@pytest.mark.parametrize("full", [True, False])
def test_a_body_chooses_the_kind_of_build(client: FlaskClient, full: bool) -> None:
    assert client.post("/v1/builds", json={"full": full}).get_json()["full"] is full


def test_an_empty_object_stands_for_the_defaults(client: FlaskClient) -> None:
    assert client.post("/v1/builds", json={}).get_json()["full"] is False


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ('{"colour": "red"}', "colour"),
        ('{"full": "yes"}', "full"),
        ('{"full": 1}', "full"),
        ("[]", "body"),
        ("null", "body"),
    ],
)
def test_bad_bodies_are_refused_by_name(
    client: FlaskClient, builds: Builds, body: str, parameter: str
) -> None:
    response = client.post("/v1/builds", data=body, content_type="application/json")
    refused = problem(response, 400, "bad_query")
    assert refused["parameter"] == parameter
    assert refused["hint"]
    assert builds.newest_first() == []


def test_what_is_not_json_is_refused(client: FlaskClient, builds: Builds) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        response = client.post("/v1/builds", data="full=1", content_type=kind)
        problem(response, 415, "bad_content_type")
    problem(client.post("/v1/builds", content_type="text/plain"), 415, "bad_content_type")
    response = client.post("/v1/builds", data="{", content_type="application/json")
    problem(response, 400, "bad_json")
    assert builds.newest_first() == []


def test_a_parameter_in_the_address_is_refused(client: FlaskClient, builds: Builds) -> None:
    assert problem(client.post("/v1/builds?full=1"), 400, "bad_query")["parameter"] == "full"
    problem(client.get("/v1/builds?limit=1"), 400, "bad_query")
    assert builds.newest_first() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:8081"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_starts_no_build(
    client: FlaskClient, builds: Builds, headers: dict[str, str]
) -> None:
    refused = problem(client.post("/v1/builds", headers=headers), 403, "cross_site")
    assert refused["hint"]
    assert builds.newest_first() == []
    assert client.get("/v1/builds", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"},
        {"Origin": "https://LOCALHOST"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_page_of_this_service_may_start_one(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/v1/builds", headers=headers).status_code == 202


def test_an_unknown_build_is_not_found_and_an_id_that_cannot_be_is_refused(
    client: FlaskClient,
) -> None:
    for path in ("/v1/builds/0000000000000000", "/v1/builds/0000000000000000/events"):
        assert "/v1/builds" in problem(client.get(path), 404, "not_found")["hint"]
        wrong = problem(client.get(path.replace("0" * 16, "xyz")), 400, "bad_query")
        assert wrong["parameter"] == "id"


def told(stream: Any) -> dict[str, Any]:
    """The state in the next event of a stream."""
    lines = next(stream).decode().splitlines()
    assert lines[0].startswith("id: ")
    assert lines[1] == "event: build"
    assert lines[3] == ""
    body: dict[str, Any] = json.loads(lines[2].removeprefix("data: "))
    return body


def test_a_build_is_followed_from_event_to_event_until_it_has_ended(
    client: FlaskClient, workshop: Workshop
) -> None:
    id_ = start(client)
    response = client.get(f"/v1/builds/{id_}/events")
    assert response.content_type == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Request-ID"]
    stream = iter(response.response)
    while told(stream)["stage"] != "plan":
        pass
    workshop.go_on.release()
    last = told(stream)
    assert (last["state"], last["id"]) == ("succeeded", id_)
    assert list(stream) == []
    assert client.get(f"/v1/builds/{id_}").get_json() == last


def test_who_has_seen_the_end_is_told_not_to_come_back(
    client: FlaskClient, builds: Builds, workshop: Workshop
) -> None:
    workshop.go_on.release()
    id_ = start(client)
    builds.wait(id_)
    address = f"/v1/builds/{id_}/events"
    (event,) = client.get(address).text.split("\n\n")[:-1]
    seen = event.splitlines()[0].removeprefix("id: ")
    assert client.get(address, headers={"Last-Event-ID": seen}).status_code == 204
    again = client.get(address, headers={"Last-Event-ID": "running-1"})
    assert again.status_code == 200
    assert "succeeded" in again.text


def test_only_so_many_streams_are_open_and_a_closed_one_makes_room(client: FlaskClient) -> None:
    address = f"/v1/builds/{start(client)}/events"
    streams = [client.get(address) for _ in range(STREAMS)]
    refused = client.get(address)
    body = problem(refused, 503, "too_many_streams")
    assert int(refused.headers["Retry-After"]) > 0
    assert address.removesuffix("/events") in body["hint"]
    streams[0].close()  # before anything of it was read
    streams[0] = client.get(address)
    assert streams[0].status_code == 200
    next(iter(streams[0].response))
    streams[0].close()
    client.head(address).close()
    assert client.get(address).status_code == 200


def test_silence_is_filled_with_comments(builds: Builds) -> None:
    id_ = builds.submit().id
    states = builds.follow(id_, beat=0.01)
    assert ":\n\n" in events(states)


def test_nothing_can_be_started_while_the_service_stops(
    client: FlaskClient, builds: Builds
) -> None:
    builds.close()
    problem(client.post("/v1/builds"), 503, "build_failed")


def test_without_builds_the_index_cannot_be_changed(settings: Settings) -> None:
    engine = Engine(settings, WordEmbedder())
    problem(create_app(engine).test_client().post("/v1/builds"), 404, "not_found")
    engine.close()


def test_the_openapi_document_describes_the_routes(client: FlaskClient, app: Flask) -> None:
    document = client.get("/openapi.json").get_json()
    rules = {str(rule).replace("<id>", "{id}") for rule in app.url_map.iter_rules()}
    paths = {path for path in document["paths"] if path.startswith("/v1/builds")}
    assert paths == {rule for rule in rules if rule.startswith("/v1/builds")}
    post = document["paths"]["/v1/builds"]["post"]
    assert post["requestBody"]["required"] is False
    refusals = {"400", "401", "403", "421", "429", "500", "503"}
    assert post["responses"].keys() == {"202", "413", "415"} | refusals
    assert "Location" in post["responses"]["202"]["headers"]
    assert "application/problem+json" in post["responses"]["403"]["content"]
    assert post["responses"]["403"]["description"] == "Forbidden"
    stream = document["paths"]["/v1/builds/{id}/events"]["get"]
    assert "text/event-stream" in stream["responses"]["200"]["content"]
    assert stream["responses"].keys() == {"200", "204", "404"} | refusals
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    assert {"BuildBody", "BuildState", "BuildList", "BuildReport", "BuildProblem"} <= schemas.keys()
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= schemas.keys()


def test_generations_are_listed_and_activated(client: FlaskClient, settings: Settings) -> None:
    ids = []
    for text in ("A corridor.", "A road."):
        write_article(settings.seeds, "a.txt", text)
        ids.append(build(settings, WordEmbedder(), progress=silent).generation)
    listed = client.get("/v1/generations").get_json()["generations"]
    assert [(each["id"], each["live"], each["parent"]) for each in listed] == [
        (ids[1], True, ids[0]),
        (ids[0], False, None),
    ]
    assert not client.get("/v1/search?q=corridor&mode=keyword").get_json()["hits"]
    activated = client.post(f"/v1/generations/{ids[0]}/activate")
    assert activated.status_code == 200
    assert activated.get_json()["live"]
    found = client.get("/v1/search?q=corridor&mode=keyword").get_json()
    assert found["generation"] == ids[0]
    assert found["hits"]
    assert found["pending"] == 1


def test_what_cannot_be_activated_is_refused_and_changes_nothing(
    client: FlaskClient, settings: Settings
) -> None:
    write_article(settings.seeds, "a.txt", "A corridor.")
    first = build(settings, WordEmbedder(), progress=silent).generation
    write_article(settings.seeds, "b.txt", "A road.")
    second = build(settings, WordEmbedder(), progress=silent).generation
    address = f"/v1/generations/{first}/activate"
    assert client.post(address, headers={"Origin": "http://elsewhere"}).status_code == 403
    assert client.post("/v1/generations/latest/activate").status_code == 400
    gone = client.post("/v1/generations/20200101T000000.000000Z/activate")
    assert (gone.status_code, gone.get_json()["code"]) == (404, "not_found")
    generations = Generations(settings.index)
    with generations.writing():
        busy = client.post(address)
    assert (busy.status_code, busy.get_json()["code"]) == (409, "index_busy")
    (generations.path(first) / "vectors.faiss").write_bytes(b"rubbish")
    damaged = client.post(address)
    assert (damaged.status_code, damaged.get_json()["code"]) == (503, "index_corrupt")
    assert generations.current() == second
