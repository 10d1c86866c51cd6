from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from fakes import WordEmbedder, silent, write_article
from flask.testing import FlaskClient

from indexer.build import build
from indexer.settings import Settings
from service.api import create_app
from service.engine import Engine

ATOM = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

HOSTILE = "</title><script>alert(1)</script> &amp; ]]> \x01\x1b[31m\u202e\ufffe \U0001f642"


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("collection")
    settings = Settings(seeds=folder / "seeds", index=folder / "index", speakers=False)
    for month in (1, 3, 2):
        write_article(
            settings.seeds,
            f"{month}.txt",
            f"Brussels proposed operator {month}.",
            "Rain fell.",
            title=f"Talks {month}",
            published=f"2025-{month:02}-03 05:32",
        )
    undated = {"id": "a", "title": HOSTILE, "text": f"Brussels said {HOSTILE}", "byline": HOSTILE}
    (settings.seeds / "bulk.jsonl").write_text(json.dumps(undated), encoding="utf-8")
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture(scope="module")
def client(collection: Settings) -> Iterator[FlaskClient]:
    engine = Engine(collection, WordEmbedder())
    yield create_app(engine).test_client()
    engine.close()


def feed(client: FlaskClient, address: str) -> ET.Element:
    """The feed at an address, after checks of what RFC 4287 asks of every feed."""
    response = client.get(address)
    assert response.status_code == 200
    assert response.mimetype == "application/atom+xml"
    root = ET.fromstring(response.data)  # noqa: S314 - our own
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert (element.findtext(f"{ATOM}id") or "").startswith("urn:winnow:")
        assert MOMENT.fullmatch(element.findtext(f"{ATOM}updated") or "")
        assert element.find(f"{ATOM}link[@rel='alternate']") is not None
    for entry in entries:
        assert entry.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))
    own = root.find(f"{ATOM}link[@rel='self']")
    assert own is not None
    assert own.get("href") == f"http://localhost{address}"
    return root


def titles(root: ET.Element) -> list[str | None]:
    return [entry.findtext(f"{ATOM}title") for entry in root.findall(f"{ATOM}entry")]


def test_the_newest_articles_come_first_with_their_beginnings(client: FlaskClient) -> None:
    root = feed(client, "/feed.atom")

    assert titles(root)[:3] == ["Talks 3", "Talks 2", "Talks 1"]
    first = root.find(f"{ATOM}entry")
    assert first is not None
    assert first.findtext(f"{ATOM}summary") == "Brussels proposed operator 3."
    assert first.findtext(f"{ATOM}updated") == "2025-03-03T05:32:00Z"
    link = first.find(f"{ATOM}link")
    assert link is not None
    assert client.get(urlsplit(link.get("href", "")).path).status_code == 200


def test_what_a_search_finds_is_ordered_by_day(client: FlaskClient) -> None:
    root = feed(client, "/feed.atom?q=proposed+operator&mode=keyword")

    assert titles(root) == ["Talks 3", "Talks 2", "Talks 1"]
    assert root.findtext(f"{ATOM}title") == "proposed operator – Winnow"
    links = [link.get("href", "") for link in root.findall(f"{ATOM}entry/{ATOM}link")]
    assert all(re.fullmatch(r"http://localhost/articles/[0-9a-f]{16}#p1", link) for link in links)


def test_a_search_that_finds_nothing_is_a_feed_without_entries(client: FlaskClient) -> None:
    assert titles(feed(client, "/feed.atom?q=zzzz&mode=keyword")) == []


def test_a_feed_keeps_its_id_and_each_search_has_its_own(client: FlaskClient) -> None:
    addresses = ["/feed.atom", "/feed.atom?q=a", "/feed.atom?q=a&mode=keyword", "/feed.atom?q=b"]
    ids = [[feed(client, each).findtext(f"{ATOM}id") for _ in range(2)] for each in addresses]

    assert all(once == again for once, again in ids)
    assert len({once for once, _ in ids}) == len(addresses)


def test_what_xml_cannot_hold_is_replaced_and_the_rest_stands_as_it_is(client: FlaskClient) -> None:
    root = feed(client, "/feed.atom")

    held = HOSTILE.replace("\x01", "\ufffd").replace("\x1b", "\ufffd").replace("\ufffe", "\ufffd")
    entry = next(
        entry
        for entry in root.findall(f"{ATOM}entry")
        if "script" in (entry.findtext(f"{ATOM}title") or "")
    )
    assert entry.findtext(f"{ATOM}title") == held
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == held
    assert entry.findtext(f"{ATOM}summary") == f"Brussels said {held}"
    assert entry.find(f"{ATOM}published") is None
    assert len(entry.findall(".//")) == len(entry.findall("./")) + 1  # the author's name alone


def test_a_reader_that_has_the_feed_is_not_sent_it_again(client: FlaskClient) -> None:
    for address in ("/feed.atom", "/feed.atom?q=operator"):
        tag = client.get(address).headers["ETag"]
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_a_feed_says_where_it_was_asked_for(client: FlaskClient) -> None:
    body = client.get("/feed.atom", headers={"Host": "127.0.0.1:8080"}).text

    assert "http://127.0.0.1:8080/feed.atom" in body
    assert "localhost" not in body


def test_a_mistake_in_a_feed_s_address_is_refused_by_name(client: FlaskClient) -> None:
    for address in ("/feed.atom?limit=3", "/feed.atom?q=a&after=x", "/feed.atom?q=a&cursor=b"):
        assert client.get(address).status_code == 400
