"""Atom feeds (RFC 4287): the newest articles, and the paragraphs that a search finds.

A feed of a search has what is ranked first, in the order of the articles' days: whoever follows it
sees a new article when it comes near enough to the question. Articles without a zone in their date
are taken to be of UTC; feeds know no moment without one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, url_for

from indexer.errors import NotFound, QueryError
from service import conditional
from service.requests import ArticlesQuery, SearchQuery
from service.web.forms import KEPT, kept, sent, validated
from service.web.marking import excerpt
from service.web.markup import document, put

if TYPE_CHECKING:
    from service.results import ArticleList, ArticleShape, FullParagraph, HitShape, SearchResult

MEDIA_TYPE = "application/atom+xml"

_LENGTH = 30
"""Entries of a feed."""

_SUMMARY = 600
"""Characters of a paragraph that are shown."""

_UNDATED = "1970-01-01T00:00:00Z"
"""When an article without a date was updated: entries must say, and must not seem new again."""

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class Engine(Protocol):
    """What feeds need of the engine. Every method may raise a :class:`WinnowError`."""

    def articles(self, query: ArticlesQuery) -> ArticleList:
        """Articles, newest first."""

    def paragraph(self, id_: str) -> FullParagraph:
        """A paragraph with its article."""

    def search(self, query: SearchQuery) -> SearchResult:
        """A page of hits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article, or a paragraph of one: ``id`` is a URN and ``address`` the page it is on."""

    id: str
    article: ArticleShape
    address: str
    summary: str | None


@dataclass(frozen=True, slots=True)
class Feed:
    """Entries, newest first, with the addresses of the feed and of the page that shows the same.

    ``updated`` is when the index was built.
    """

    id: str
    title: str
    updated: str
    address: str
    page: str
    entries: tuple[Entry, ...]


def install(pages: Blueprint, engine: Engine) -> None:
    """Add the feeds to ``pages``: without a question that of the newest articles."""

    @pages.get("/feed.atom")
    def feed() -> Response:
        asked = sent(*KEPT)
        query = validated(SearchQuery, {**asked, "limit": _LENGTH})
        if query is None and asked:
            raise QueryError(
                "this limits a search, and there is no question",
                parameter=next(iter(asked)),
                hint="Give a question too, or nothing at all for the newest articles.",
            )
        found = _newest(engine) if query is None else _found(engine, query, asked)
        return Response(atom(found), content_type=f"{MEDIA_TYPE}; charset=utf-8")

    @pages.app_context_processor
    def vocabulary() -> dict[str, object]:
        return {"feed_address": lambda: url_for("pages.feed", **kept())}


def atom(feed: Feed) -> bytes:
    """The feed as a file."""
    root = ET.Element("feed", xmlns="http://www.w3.org/2005/Atom")
    put(root, "id", feed.id)
    put(root, "title", feed.title)
    put(root, "updated", feed.updated)
    put(root, "link", rel="self", type=MEDIA_TYPE, href=feed.address)
    put(root, "link", rel="alternate", type="text/html", href=feed.page)
    put(root, "generator", "Winnow")
    for each in feed.entries:
        _add(root, each)
    return document(root)


def instant(published: str | None) -> str:
    """When an article was published, as RFC 3339 has it.

    >>> [instant(day) for day in ("2025-07-03", "2025-07-03T05:32:00+02:00", None)]
    ['2025-07-03T00:00:00Z', '2025-07-03T03:32:00Z', '1970-01-01T00:00:00Z']
    """
    if published is None:
        return _UNDATED
    try:
        time = dt.datetime.fromisoformat(published)
        zoned = time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)
    except (ValueError, OverflowError):  # what an article says of its date is shown in any case
        return _UNDATED
    return f"{zoned.isoformat(timespec='seconds').removesuffix('+00:00')}Z"


def _add(root: ET.Element, entry: Entry) -> None:
    article = entry.article
    element = put(root, "entry")
    put(element, "id", entry.id)
    title = put(element, "title", " ".join(article.title.split()) or article.source)
    put(element, "updated", instant(article.published))
    if article.published and instant(article.published) != _UNDATED:
        put(element, "published", instant(article.published))
    author = put(element, "author")
    put(author, "name", article.byline or article.publisher or article.source)
    put(element, "link", rel="alternate", type="text/html", href=entry.address)
    summary = None if entry.summary is None else put(element, "summary", entry.summary)
    for each in (title, summary):
        if each is not None and article.language:
            each.set(_LANGUAGE, article.language)


def _newest(engine: Engine) -> Feed:
    result = engine.articles(ArticlesQuery(limit=_LENGTH))
    return Feed(
        id="urn:winnow:articles",
        title="Newest articles – Winnow",
        updated=instant(result.generation),
        address=url_for("pages.feed", _external=True),
        page=url_for("pages.search", _external=True),
        entries=tuple(
            Entry(
                id=f"urn:winnow:article:{article.id}",
                article=article,
                address=url_for("pages.article", id_=article.id, _external=True),
                summary=_opening(engine, article.id),
            )
            for article in result.articles
        ),
    )


def _opening(engine: Engine, article: str) -> str | None:
    """The first paragraph; None where the article has none, or has just been removed."""
    with suppress(NotFound):
        return _cut(engine.paragraph(f"{article}-1").paragraph.text)
    return None


def _found(engine: Engine, query: SearchQuery, asked: dict[str, Any]) -> Feed:
    result = engine.search(query)
    conditional.note(result)
    name = hashlib.sha256(urlencode(sorted(asked.items())).encode()).hexdigest()[:16]
    return Feed(
        id=f"urn:winnow:search:{name}",
        title=f"{' '.join(query.q.split())} – Winnow",
        updated=instant(result.generation),
        address=url_for("pages.feed", **asked, _external=True),
        page=url_for("pages.search", **asked, _external=True),
        entries=tuple(_entries(result.hits)),
    )


def _entries(hits: list[HitShape]) -> Iterator[Entry]:
    """Of the same moment, the better ranked come first."""
    for hit in sorted(hits, key=lambda each: instant(each.article.published), reverse=True):
        anchor = f"p{hit.paragraph.number}"
        yield Entry(
            id=f"urn:winnow:paragraph:{hit.paragraph.id}",
            article=hit.article,
            address=url_for("pages.article", id_=hit.article.id, _anchor=anchor, _external=True),
            summary=_cut(hit.paragraph.text, hit),
        )


def _cut(text: str, hit: HitShape | None = None) -> str:
    shown = excerpt(text, sentence=hit.best_sentence if hit else None, limit=_SUMMARY)
    cut = "".join(segment.text for segment in shown.segments).strip()
    return f"{'' if shown.starts else '… '}{cut}{'' if shown.ends else ' …'}"
