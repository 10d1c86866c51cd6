"""Articles and paragraphs of one generation in SQLite, with the vectors of their sentences.

The store is the source of truth of a generation: both indexes know a paragraph only by its key
here. Sentence vectors are not searched, only looked up for a few candidates a query, so they live
beside their paragraph as half-precision rows.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.errors import IndexCorrupt, NotFound
from indexer.types import Article, Ids, Paragraph, Span, Vectors

_SCHEMA = """
CREATE TABLE articles (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    published TEXT,
    byline TEXT,
    publisher TEXT,
    language TEXT,
    encoding TEXT NOT NULL,
    vector BLOB NOT NULL -- float16, one row for the title, none where it is empty
);
CREATE TABLE paragraphs (
    key INTEGER PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles (key),
    number INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    text TEXT NOT NULL,
    sentences BLOB NOT NULL, -- int32 pairs, little endian
    vectors BLOB NOT NULL,   -- float16, one row a sentence
    UNIQUE (article, number)
);
"""

_ARTICLE = "a.id, a.source, a.title, a.published, a.byline, a.publisher, a.language, a.encoding"
_PARAGRAPH = 'p.number, p.start, p."end", p.text, p.sentences'


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph with the article it stands in; that article's ``paragraphs`` is left empty."""

    key: int
    paragraph: Paragraph
    article: Article


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """Vectors of a paragraph's ``sentences``, shape (sentences, dimensions), and of its ``title``.

    ``title`` has one row, or none if the article's title is empty.
    """

    sentences: Vectors
    title: Vectors


class StoreWriter:
    """Fills the store of a new generation. Keys count up from 1 in the order of adding."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        # A crash leaves a staging folder that is thrown away, so nothing need survive it.
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)
        self._articles = 0
        self._paragraphs = 0

    def add_article(self, article: Article, vectors: Vectors) -> int:
        """Add the article without its paragraphs; returns its key.

        ``vectors`` has one row, the title's, or none if the title is empty.
        """
        self._articles += 1
        self._connection.execute(
            "INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._articles,
                article.id,
                article.source,
                article.title,
                article.published,
                article.byline,
                article.publisher,
                article.language,
                article.encoding,
                _halved(vectors),
            ),
        )
        return self._articles

    def add_paragraph(self, article: int, paragraph: Paragraph, vectors: Vectors) -> int:
        """Add a paragraph of ``article`` with one vector a sentence; returns its key."""
        self._paragraphs += 1
        self._connection.execute(
            "INSERT INTO paragraphs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._paragraphs,
                article,
                paragraph.number,
                paragraph.start,
                paragraph.end,
                paragraph.text,
                np.asarray(paragraph.sentences, dtype="<i4").tobytes(),
                _halved(vectors),
            ),
        )
        return self._paragraphs

    def close(self) -> None:
        """Commit and close."""
        self._connection.commit()
        self._connection.close()


class ArticleStore:
    """The store of a published generation, read-only; threads may share it.

    Each thread gets a connection of its own: sharing one between threads mixes up their rows.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise IndexCorrupt(f"{path} is missing", hint="Run: winnow build --full")
        # Immutable spares SQLite looking for a journal, and lets it be read from any medium.
        self._uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._closed = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file; no thread can read from it afterwards."""
        with self._lock:
            self._closed = True
            for connection in self._connections:
                connection.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._thread, "connection", None)
        if found is None:
            with self._lock:
                if self._closed:
                    raise sqlite3.ProgrammingError("the store is closed")
                # Another thread may be the one that closes it, once no reader is left.
                found = sqlite3.connect(self._uri, uri=True, check_same_thread=False)
                self._connections.append(found)
            self._thread.connection = found
        return found

    def counts(self) -> tuple[int, int]:
        """How many articles and paragraphs there are."""
        query = "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM paragraphs)"
        articles, paragraphs = self._connection.execute(query).fetchone()
        return articles, paragraphs

    def keys(self) -> Ids:
        """The keys of all paragraphs, sorted."""
        rows = self._connection.execute("SELECT key FROM paragraphs ORDER BY key")
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def article(self, id_: str) -> Article:
        """The article with all its paragraphs.

        Raises:
            NotFound: No article has this id.
        """
        query = f"SELECT a.key, {_ARTICLE} FROM articles a WHERE a.id = ?"  # noqa: S608 - constants only
        row = self._connection.execute(query, (id_,)).fetchone()
        if row is None:
            raise NotFound(f"there is no article {id_!r}", hint="See /v1/articles for those here.")
        query = f"SELECT {_PARAGRAPH} FROM paragraphs p WHERE p.article = ? ORDER BY p.number"  # noqa: S608 - constants only
        paragraphs = self._connection.execute(query, (row[0],))
        return _article(row[1:], tuple(_paragraph(p) for p in paragraphs))

    def articles(self, limit: int, offset: int = 0) -> list[tuple[Article, int]]:
        """Articles, newest first, each with its number of paragraphs (themselves left out)."""
        query = (
            f"SELECT {_ARTICLE}, (SELECT count(*) FROM paragraphs p WHERE p.article = a.key) "  # noqa: S608 - constants only
            "FROM articles a ORDER BY a.published IS NULL, a.published DESC, a.source "
            "LIMIT ? OFFSET ?"
        )
        rows = self._connection.execute(query, (limit, offset))
        return [(_article(row[:-1]), row[-1]) for row in rows]

    def passages(self, keys: Sequence[int]) -> list[Passage]:
        """The paragraphs with these keys, in the order asked for."""
        query = (
            f"SELECT p.key, {_PARAGRAPH}, {_ARTICLE} FROM paragraphs p "  # noqa: S608 - constants only
            f"JOIN articles a ON a.key = p.article WHERE p.key IN ({_marks(keys)})"
        )
        rows = {row[0]: row for row in self._connection.execute(query, tuple(keys))}
        return [_passage(rows[key]) for key in keys]

    def passage(self, article: str, number: int) -> Passage:
        """Paragraph ``number`` of the article with id ``article``.

        Raises:
            NotFound: There is no such paragraph.
        """
        query = (
            f"SELECT p.key, {_PARAGRAPH}, {_ARTICLE} FROM paragraphs p "  # noqa: S608 - constants only
            "JOIN articles a ON a.key = p.article WHERE a.id = ? AND p.number = ?"
        )
        row = self._connection.execute(query, (article, number)).fetchone()
        if row is None:
            raise NotFound(
                f"there is no paragraph {number} in article {article!r}",
                hint="See /v1/articles for the articles here.",
            )
        return _passage(row)

    def sentence_vectors(self, keys: Sequence[int], dimensions: int) -> list[SentenceVectors]:
        """Vectors of each paragraph's sentences and of its article's title."""
        query = (
            "SELECT p.key, p.vectors, a.vector FROM paragraphs p "  # noqa: S608 - marks only
            f"JOIN articles a ON a.key = p.article WHERE p.key IN ({_marks(keys)})"
        )
        rows = {key: blobs for key, *blobs in self._connection.execute(query, tuple(keys))}
        return [
            SentenceVectors(
                *(
                    np.frombuffer(blob, dtype="<f2").reshape(-1, dimensions).astype(np.float32)
                    for blob in rows[key]
                )
            )
            for key in keys
        ]

    def published_within(self, after: str | None, before: str | None) -> Ids:
        """Keys of paragraphs whose article's date lies in the days from ``after`` to ``before``.

        Both ends count, in the time zone that the article itself is dated in. Articles without a
        date are in no range.
        """
        query = (
            "SELECT p.key FROM paragraphs p JOIN articles a ON a.key = p.article "
            "WHERE substr(a.published, 1, 10) BETWEEN ? AND ? ORDER BY p.key"
        )
        rows = self._connection.execute(query, (after or "0000-01-01", before or "9999-12-31"))
        return np.fromiter((row[0] for row in rows), dtype=np.int64)


def _halved(vectors: Vectors) -> bytes:
    return vectors.astype("<f2").tobytes()


def _marks(keys: Sequence[int]) -> str:
    return ",".join("?" * len(keys))


def _passage(row: Sequence[Any]) -> Passage:
    key, number, start, end, text, sentences, *article = row
    return Passage(
        key=key,
        paragraph=_paragraph((number, start, end, text, sentences)),
        article=_article(article),
    )


def _article(row: Sequence[Any], paragraphs: tuple[Paragraph, ...] = ()) -> Article:
    id_, source, title, published, byline, publisher, language, encoding = row
    return Article(id_, source, title, published, byline, publisher, language, encoding, paragraphs)


def _paragraph(row: Sequence[Any]) -> Paragraph:
    number, start, end, text, sentences = row
    spans = np.frombuffer(sentences, dtype="<i4").reshape(-1, 2)
    return Paragraph(
        number=number,
        start=start,
        end=end,
        text=text,
        sentences=tuple(Span(int(s), int(e)) for s, e in spans),
    )
