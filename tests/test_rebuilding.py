from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes import WordEmbedder, Workshop, unworthy, write_article
from flask.testing import FlaskClient

from indexer.settings import Settings
from service.api import create_app
from service.builds import Builds
from service.engine import Engine

REFRESH = '<noscript><meta http-equiv="refresh" content="2"></noscript>'


@pytest.fixture
def workshop(settings: Settings) -> Workshop:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.", title="The first")
    return Workshop(settings)


@pytest.fixture
def client(settings: Settings, builds: Builds) -> Iterator[FlaskClient]:
    engine = Engine(settings, WordEmbedder())
    yield create_app(engine, builds).test_client()
    engine.close()


def ended(client: FlaskClient, builds: Builds, place: str) -> str:
    builds.wait(place.rpartition("/")[2])
    page = client.get(place)
    assert page.status_code == 200
    assert "ETag" not in page.headers
    return " ".join(page.text.split())


def test_a_form_starts_a_build_whose_page_comes_again_until_it_has_ended(
    client: FlaskClient, builds: Builds, workshop: Workshop
) -> None:
    missing = client.get("/")
    assert missing.status_code == 503
    assert "Nothing has been indexed yet" in missing.text
    assert "Build the index" in missing.text
    started = client.post("/builds")
    assert started.status_code == 303
    place = started.headers["Location"]
    assert workshop.begun.acquire(timeout=10)
    running = client.get(place)
    assert "ETag" not in running.headers
    assert REFRESH in running.text
    assert "Reading what is new" in running.text
    assert 'value="43"' in running.text
    assert f'href="{place}"' in client.get("/").text
    workshop.go_on.release()
    page = ended(client, builds, place)
    assert REFRESH not in page
    assert "Of the seed files 1 was added. It took" in page
    assert "The first" in page
    assert "1 article, 1 paragraph" in page


def test_who_asks_while_one_waits_joins_it_and_home_follows_the_one_that_runs(
    client: FlaskClient, workshop: Workshop
) -> None:
    running = client.post("/builds").headers["Location"]
    assert workshop.begun.acquire(timeout=10)
    waiting = client.post("/builds").headers["Location"]
    assert running != waiting == client.post("/builds").headers["Location"]
    assert "Waiting for its turn" in client.get(waiting).text


def test_a_build_that_publishes_nothing_says_why_and_can_be_tried_again(
    client: FlaskClient, builds: Builds, workshop: Workshop
) -> None:
    workshop.go_on.release(3)
    ended(client, builds, client.post("/builds").headers["Location"])
    idle = ended(client, builds, client.post("/builds").headers["Location"])
    assert "there was nothing to do" in idle
    write_article(workshop.settings.seeds, "b.txt", "More.")
    workshop.examine = unworthy
    failed = ended(client, builds, client.post("/builds").headers["Location"])
    assert "This build failed" in failed
    assert "fell to rank 9" in failed
    assert "The index in use is untouched." in failed
    assert "Build again" in failed


def test_a_build_that_there_is_not_is_a_page_with_the_way_back(client: FlaskClient) -> None:
    page = client.get("/builds/0123456789abcdef")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "there is no build 0123456789abcdef" in page.text


def test_a_page_of_another_site_cannot_have_anything_built(client: FlaskClient) -> None:
    refused = client.post("/builds", headers={"Origin": "https://other.example"})
    assert (refused.status_code, refused.mimetype) == (403, "text/html")
    assert client.post("/builds", headers={"Origin": "http://localhost"}).status_code == 303
