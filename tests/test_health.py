from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, unworthy, write_article
from flask.testing import FlaskClient

from indexer.build import build
from indexer.errors import ModelError, SeedsError, SelfTestFailed
from indexer.generations import Generations
from indexer.locks import holder
from indexer.settings import Settings
from service.api import create_app
from service.engine import Engine


@pytest.fixture
def collection(settings: Settings) -> Settings:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    engine = Engine(settings, WordEmbedder())
    yield create_app(engine).test_client()
    engine.close()


def fail(settings: Settings) -> None:
    """A build that publishes nothing because what it made is not good enough."""
    write_article(settings.seeds, "b.txt", "More.")
    with pytest.raises(SelfTestFailed):
        build(settings, WordEmbedder(), examine=unworthy, progress=silent)


def test_a_ready_service_tells_operators_what_it_serves(
    collection: Settings, client: FlaskClient
) -> None:
    live = Generations(collection.index).live()
    body = client.get("/health/ready").get_json()
    created = body.pop("created")
    assert created == live.created.isoformat().replace("+00:00", "Z")
    assert body == {
        "status": "ready",
        "generation": live.id,
        "articles": 1,
        "paragraphs": 1,
        "pending": 0,
        "degraded": [],
        "model": True,
        "building": False,
        "last_failure": None,
    }


def test_why_the_last_build_published_nothing_is_told_until_one_succeeds(
    collection: Settings, client: FlaskClient
) -> None:
    fail(collection)
    body = client.get("/health/ready").get_json()
    failure = body["last_failure"]
    assert failure["reason"] == "'who proposed it' fell to rank 9"
    assert failure["hint"] == "The index in use is untouched."
    assert body["status"] == "degraded"
    assert body["degraded"] == [
        f"the build of {failure['when']} failed: {failure['reason']}. {failure['hint']}"
    ]
    assert "fell to rank 9. The index in use is untouched." in client.get("/").text
    assert client.get("/v1/search?q=operator").get_json()["hits"]
    build(collection, WordEmbedder(), progress=silent)
    assert client.get("/health/ready").get_json()["last_failure"] is None
    assert client.get("/health/ready").get_json()["status"] == "ready"
    assert "failed" not in client.get("/").text


def test_a_build_with_nothing_to_do_takes_a_failure_back(
    collection: Settings, client: FlaskClient
) -> None:
    fail(collection)
    (collection.seeds / "b.txt").unlink()
    assert not build(collection, WordEmbedder(), progress=silent).published
    assert client.get("/health/ready").get_json()["last_failure"] is None


def test_before_the_first_index_the_failure_is_told_as_well(
    settings: Settings, client: FlaskClient
) -> None:
    with pytest.raises(SeedsError):
        build(settings, WordEmbedder(), progress=silent)
    response = client.get("/health/ready")
    assert response.status_code == 503
    body = response.get_json()
    assert (body["status"], body["created"], body["model"]) == ("not_ready", None, True)
    assert "holds no article" in body["last_failure"]["reason"]
    assert "winnow build" in body["degraded"][0]
    assert "holds no article" in body["degraded"][1]


def test_that_the_index_is_being_written_is_told(collection: Settings, client: FlaskClient) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def stop_there(stage: str, _done: int, _total: int) -> None:
        if stage == "verify":
            begun.set()
            assert go_on.wait(10)

    writer = threading.Thread(
        target=build, args=(collection, WordEmbedder()), kwargs={"progress": stop_there}
    )
    write_article(collection.seeds, "b.txt", "More.")
    writer.start()
    assert begun.wait(10)
    assert client.get("/health/ready").get_json()["building"] is True
    go_on.set()
    writer.join()
    body = client.get("/health/ready").get_json()
    assert (body["building"], body["articles"]) == (False, 2)


def test_a_missing_model_is_told(collection: Settings) -> None:
    engine = Engine(collection, ModelError("no model"))
    assert engine.readiness().model is False
    engine.close()


def test_a_dead_writer_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from indexer.generations import Generations\n"
        "with Generations(Path(sys.argv[1])).writing():\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / "write.lock").read_text().startswith("process ")
    assert Generations(tmp_path).writer() is None
    assert holder(tmp_path / "never") is None
    with Generations(tmp_path).writing():
        assert "process " in str(Generations(tmp_path).writer())
