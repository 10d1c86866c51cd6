"""Articles and paragraphs of one generation in SQLite, with the vectors of their sentences.

The store is the source of truth of a generation: both indexes know a paragraph only by its key
here. :mod:`indexer.storing` writes it.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from indexer import voices
from indexer.errors import IndexCorrupt, NotFound
from indexer.filters import Coverage, Filters, Period
from indexer.segments import Place, Segments
from indexer.signatures import SIZE, Signatures
from indexer.types import Article, Attribution, Ids, Paragraph, Span, Vectors

_ARTICLE = "a.id, a.source, a.title, a.published, a.byline, a.publisher, a.language, a.encoding"
_DAY = "substr(published, 1, 10)"
_FACETS = {"source": "outlet", "author": "byline", "month": "substr(published, 1, 7)"}
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


@dataclass(frozen=True, slots=True)
class Embedded:
    """Of each paragraph in ``keys``: its windows, its sentences and the sentences' vectors."""

    keys: Ids
    windows: Ids
    sentences: Ids
    vectors: Ids


class ArticleStore:
    """The store of a published generation, read-only; threads may share it.

    Each thread gets a connection of its own: sharing one between threads mixes up their rows.
    ``segments`` is the folder with the vectors.
    """

    def __init__(self, path: Path, segments: Path) -> None:
        if not path.is_file():
            raise IndexCorrupt(f"{path} is missing", hint="Run: winnow build --full")
        # Immutable spares SQLite looking for a journal, and lets it be read from any medium.
        self._uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._folder = segments
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

    @cached_property
    def _segments(self) -> Segments:
        query = "SELECT dimensions FROM vectors"
        return Segments(self._folder, self._connection.execute(query).fetchone()[0])

    def counts(self) -> tuple[int, int]:
        """How many articles and paragraphs there are."""
        query = "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM paragraphs)"
        articles, paragraphs = self._connection.execute(query).fetchone()
        return articles, paragraphs

    def keys(self) -> Ids:
        """The keys of all paragraphs, sorted."""
        rows = self._connection.execute("SELECT key FROM paragraphs ORDER BY key")
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def embedded(self) -> Embedded:
        """What was embedded of each paragraph, ordered by key.

        Raises:
            IndexCorrupt: A file with vectors is missing or too short.
        """
        query = (
            "SELECT segment, max(row + vectors) FROM (SELECT segment, row, vectors FROM articles "
            "UNION ALL SELECT segment, row, vectors FROM paragraphs) WHERE vectors GROUP BY segment"
        )
        for segment, end in self._connection.execute(query):
            self._segments.halves(Place(segment, end - 1, 1))
        query = "SELECT key, windows, length(sentences) / 8, vectors FROM paragraphs ORDER BY key"
        rows = self._connection.execute(query).fetchall()
        return Embedded(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)

    def seeds(self) -> set[str]:
        """The seed files that articles come from."""
        return {row[0] for row in self._connection.execute("SELECT DISTINCT seed FROM articles")}

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """The source, seed file and text of each paragraph, article by article, in their order."""
        query = (
            "SELECT a.source, a.seed, p.text FROM paragraphs p "
            "JOIN articles a ON a.key = p.article ORDER BY p.article, p.number"
        )
        yield from self._connection.execute(query)

    def longest(self, limit: int) -> list[tuple[int, str]]:
        """Key and text of the longest paragraphs of one window, the longest first."""
        query = (
            "SELECT key, text FROM paragraphs WHERE windows = 1 ORDER BY length(text) DESC, key "
            "LIMIT ?"
        )
        return self._connection.execute(query, (limit,)).fetchall()

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

    def titles(self) -> list[tuple[str, str, int]]:
        """Id, title and number of paragraphs of each article that has a title, newest first."""
        query = (
            "SELECT a.id, a.title, count(*) FROM articles a JOIN paragraphs p ON p.article = a.key "
            "WHERE a.title > '' GROUP BY a.key "
            "ORDER BY a.published IS NULL, a.published DESC, a.source"
        )
        return self._connection.execute(query).fetchall()

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

    def sentence_vectors(self, keys: Sequence[int]) -> list[SentenceVectors]:
        """Vectors of each paragraph's sentences and of its article's title."""
        query = (
            "SELECT p.key, p.segment, p.row, p.vectors, a.segment, a.row, a.vectors "  # noqa: S608 - marks only
            "FROM paragraphs p JOIN articles a ON a.key = p.article "
            f"WHERE p.key IN ({_marks(keys)})"
        )
        places = {row[0]: row[1:] for row in self._connection.execute(query, tuple(keys))}
        return [
            SentenceVectors(
                self._segments.rows(Place(*places[key][:3])),
                self._segments.rows(Place(*places[key][3:])),
            )
            for key in keys
        ]

    def bodies(self, keys: Sequence[int]) -> list[str]:
        """The texts of the paragraphs with these keys, in no order."""
        query = f"SELECT text FROM paragraphs WHERE key IN ({_marks(keys)})"  # noqa: S608 - marks only
        return [row[0] for row in self._connection.execute(query, tuple(keys))]

    def attributions(self, key: int) -> tuple[Attribution, ...]:
        """Who says what in the paragraph ``key``."""
        return voices.attributions_of(self._connection, key)

    def attributed(self) -> int:
        """How many attributions there are."""
        return voices.count(self._connection)

    def keys_of(self, article: str) -> list[int]:
        """The keys of the paragraphs of the article with id ``article``."""
        query = "SELECT p.key FROM paragraphs p JOIN articles a ON a.key = p.article WHERE a.id = ?"
        return [row[0] for row in self._connection.execute(query, (article,))]

    def signatures(self, keys: Sequence[int]) -> Signatures:
        """The signature of each paragraph's words: see :mod:`indexer.signatures`."""
        query = f"SELECT key, signature FROM paragraphs WHERE key IN ({_marks(keys)})"  # noqa: S608 - marks only
        found = dict(self._connection.execute(query, tuple(keys)).fetchall())
        return np.frombuffer(b"".join(found[key] for key in keys), np.uint8).reshape(-1, SIZE)

    def matching(self, filters: Filters) -> Ids | None:
        """Sorted keys of the paragraphs that ``filters`` let through.

        None where there is nothing to filter by. A day is one in the time zone that the article
        itself is dated in; articles without a date are in no period.
        """
        conditions: list[str] = []
        values: list[str] = []
        if days := filters.days():
            conditions.append(f"{_DAY} BETWEEN ? AND ?")
            values += days
        if filters.source is not None:
            conditions.append("outlet = ? COLLATE NOCASE")
            values.append(filters.source)
        if filters.author is not None:
            conditions.append("byline = ? COLLATE NOCASE")
            values.append(filters.author)
        quoting = (
            None if filters.said_by is None else voices.quoting(self._connection, filters.said_by)
        )
        if not conditions:
            return quoting
        query = f"SELECT key FROM articles WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants only
        rows = self._connection.execute(query, values)
        chosen = np.fromiter((row[0] for row in rows), dtype=np.int64)
        articles, paragraphs, places = self._owners
        mask = np.zeros(len(articles), dtype=np.bool_)
        mask[np.searchsorted(articles, chosen)] = True
        found = paragraphs[mask[places]]
        return found if quoting is None else np.intersect1d(found, quoting)

    def coverage(self, period: Period) -> Coverage:
        """How ``period`` lies among the dates of the articles."""
        # Each of the three is read from the index of days alone.
        query = (
            f"SELECT (SELECT count(*) FROM articles WHERE {_DAY} BETWEEN ? AND ?), "  # noqa: S608 - constants only
            f"(SELECT count(*) FROM articles WHERE {_DAY} > ''), (SELECT min({_DAY}) FROM articles)"
        )
        days = [day.isoformat() for day in period.bounds()]
        within, dated, first = self._connection.execute(query, days).fetchone()
        return Coverage(within, dated, first and dt.date.fromisoformat(first))

    def facets(self, keys: Sequence[int], limit: int) -> dict[str, list[tuple[str, int]]]:
        """How many of the paragraphs ``keys`` are of each source, author and month.

        The ``limit`` most frequent each, equal ones in the order of their names. A paragraph of an
        article that states no such thing is not counted.
        """
        return {name: self._counted(column, keys, limit) for name, column in _FACETS.items()}

    def warm(self) -> None:
        """Read what every filter needs."""
        _ = self._owners

    @cached_property
    def _owners(self) -> tuple[Ids, Ids, Ids]:
        """Keys of all articles, of all paragraphs, and the place of each paragraph's article.

        Both sorted. In memory, as SQLite takes some 100 ms for 200,000 paragraphs.
        """
        # In no order, SQLite reads the index of articles alone, and none of the texts.
        pairs = self._connection.execute("SELECT key, article FROM paragraphs")
        rows = np.fromiter(chain.from_iterable(pairs), dtype=np.int64).reshape(-1, 2)
        rows = rows[rows[:, 0].argsort()]
        found = self._connection.execute("SELECT key FROM articles ORDER BY key")
        articles = np.fromiter((row[0] for row in found), dtype=np.int64)
        return articles, rows[:, 0].copy(), np.searchsorted(articles, rows[:, 1])

    def _counted(self, column: str, keys: Sequence[int], limit: int) -> list[tuple[str, int]]:
        query = (
            f"SELECT min({column}), count(*) FROM paragraphs p "  # noqa: S608 - constants only
            f"JOIN articles a ON a.key = p.article WHERE p.key IN ({_marks(keys)}) "
            f"AND {column} IS NOT NULL GROUP BY {column} COLLATE NOCASE ORDER BY 2 DESC, 1 LIMIT ?"
        )
        return self._connection.execute(query, (*keys, limit)).fetchall()


def _marks(keys: Sequence[int]) -> str:
    return ",".join("?" * len(keys))


def _passage(row: Sequence[Any]) -> Passage:
    key, number, start, end, text, sentences, *article = row
    return Passage(key, _paragraph((number, start, end, text, sentences)), _article(article))


def _article(row: Sequence[Any], paragraphs: tuple[Paragraph, ...] = ()) -> Article:
    id_, source, title, published, byline, publisher, language, encoding = row
    return Article(id_, source, title, published, byline, publisher, language, encoding, paragraphs)


def _paragraph(row: Sequence[Any]) -> Paragraph:
    number, start, end, text, sentences = row
    spans = np.frombuffer(sentences, dtype="<i4").reshape(-1, 2)
    return Paragraph(number, start, end, text, tuple(Span(int(s), int(e)) for s, e in spans))
