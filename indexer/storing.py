"""Writing the store: articles and paragraphs go to SQLite, their vectors to a segment beside it.

A key is derived from what it names, so a paragraph has the same one in every generation, and
nothing that is ordered by key depends on how an index came about.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from indexer import voices
from indexer.outlets import outlet
from indexer.segments import Place, Segments, SegmentWriter, discard, numbers, worn
from indexer.signatures import Signer
from indexer.types import Article, Attribution, Ids, Paragraph, Vectors

_SCHEMA = """
CREATE TABLE vectors (dimensions INTEGER NOT NULL);
CREATE TABLE articles (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL UNIQUE,
    seed TEXT NOT NULL,
    title TEXT NOT NULL,
    published TEXT,
    byline TEXT,
    publisher TEXT,
    outlet TEXT,              -- what of publisher and seed is counted and chosen by
    language TEXT,
    encoding TEXT NOT NULL,
    digest BLOB NOT NULL,     -- sha256 of all of this and its paragraphs
    segment INTEGER NOT NULL, -- of the title's vector
    row INTEGER NOT NULL,
    vectors INTEGER NOT NULL  -- 1, or 0 where the title is empty
);
CREATE INDEX articles_of_seed ON articles (seed);
CREATE INDEX articles_by_day ON articles (substr(published, 1, 10));
CREATE INDEX articles_by_outlet ON articles (outlet COLLATE NOCASE);
CREATE INDEX articles_by_author ON articles (byline COLLATE NOCASE);
CREATE TABLE paragraphs (
    key INTEGER PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles (key),
    number INTEGER NOT NULL,
    signature BLOB NOT NULL,  -- before the text, which may fill pages of its own
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    text TEXT NOT NULL,
    sentences BLOB NOT NULL,  -- int32 pairs, little endian
    segment INTEGER NOT NULL, -- of the sentences' vectors
    row INTEGER NOT NULL,
    vectors INTEGER NOT NULL, -- one a sentence
    windows INTEGER NOT NULL, -- rows that the vector index has of it
    UNIQUE (article, number)
);
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """Texts of an article that were embedded, with their vectors as they are stored.

    ``whole`` has the key and text of each paragraph, whose vectors the vector index has.
    """

    texts: tuple[str, ...]
    vectors: Vectors
    whole: tuple[tuple[int, str], ...]


class StoreWriter:
    """Fills the store in ``path`` and the folder ``segments``, or goes on with what is there.

    A crash leaves a staging folder that is thrown away, so nothing here needs to survive one.
    """

    def __init__(self, path: Path, segments: Path, dimensions: int) -> None:
        new = not path.exists()
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        if new:
            self._connection.executescript(_SCHEMA + voices.SCHEMA)
            self._connection.execute("INSERT INTO vectors VALUES (?)", (dimensions,))
        segments.mkdir(exist_ok=True)
        self._folder = segments
        self._older = numbers(segments)
        self._segments = Segments(segments, dimensions)
        self._signer = Signer()
        self._writer = SegmentWriter(segments, (self._older or [0])[-1] + 1)

    def add_article(self, article: Article, seed: str, vectors: Vectors) -> None:
        """Add the article, from the file ``seed``, without its paragraphs.

        ``vectors`` has one row, the title's, or none if the title is empty.
        """
        self._connection.execute(
            "INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _key(article.id),
                article.id,
                article.source,
                seed,
                article.title,
                article.published,
                article.byline,
                article.publisher,
                outlet(article.publisher, article.source, seed),
                article.language,
                article.encoding,
                content_digest(article),
                *self._writer.append(vectors),
            ),
        )

    def add_paragraph(
        self,
        article: Article,
        paragraph: Paragraph,
        vectors: Vectors,
        windows: int,
        attributions: Sequence[Attribution] = (),
    ) -> int:
        """Add a paragraph of ``article`` with one vector a sentence; returns its key.

        ``windows`` is how many vectors the vector index gets of it, ``attributions`` who says what.
        """
        key = paragraph_key(article.id, paragraph.number)
        self._connection.execute(
            "INSERT INTO paragraphs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                _key(article.id),
                paragraph.number,
                self._signer.sign(paragraph.text),
                paragraph.start,
                paragraph.end,
                paragraph.text,
                np.asarray(paragraph.sentences, dtype="<i4").tobytes(),
                *self._writer.append(vectors),
                windows,
            ),
        )
        voices.record(self._connection, key, paragraph.text, attributions)
        return key

    def digests(self, seed: str) -> dict[str, bytes]:
        """The id and content digest of each article from the file ``seed``."""
        query = "SELECT id, digest FROM articles WHERE seed = ?"
        return dict(self._connection.execute(query, (seed,)).fetchall())

    def stored(self, id_: str) -> Stored:
        """What of article ``id_`` need not be embedded again."""
        key = _key(id_)
        query = "SELECT title, segment, row, vectors FROM articles WHERE key = ?"
        title, *place = self._connection.execute(query, (key,)).fetchone()
        titled = Place(*place)
        texts, rows, whole = [title] * titled.length, [self._segments.rows(titled)], []
        query = (
            "SELECT key, text, sentences, segment, row, vectors FROM paragraphs WHERE article = ?"
        )
        for paragraph, text, sentences, *place in self._connection.execute(query, (key,)):
            whole.append((paragraph, text))
            spans = np.frombuffer(sentences, dtype="<i4").reshape(-1, 2)
            texts += [text[start:end] for start, end in spans]
            rows.append(self._segments.rows(Place(*place)))
        return Stored(tuple(texts), np.concatenate(rows), tuple(whole))

    def remove(self, id_: str) -> Ids:
        """Delete article ``id_``; returns the keys that its paragraphs had."""
        key = _key(id_)
        query = "DELETE FROM paragraphs WHERE article = ? RETURNING key"
        keys = [row[0] for row in self._connection.execute(query, (key,))]
        voices.forget(self._connection, keys)
        self._connection.execute("DELETE FROM articles WHERE key = ?", (key,))
        return np.array(keys, dtype=np.int64)

    def counts(self) -> tuple[int, int, int]:
        """How many articles, paragraphs and paragraphs of several windows there are."""
        articles, paragraphs, windowed = self._connection.execute(
            "SELECT (SELECT count(*) FROM articles), count(*), count(*) FILTER (WHERE windows > 1)"
            "FROM paragraphs"
        ).fetchone()
        return articles, paragraphs, windowed

    def attributions(self) -> int:
        """How many attributions there are."""
        return voices.count(self._connection)

    def languages(self) -> dict[str, int]:
        """How many articles there are in each language that could be told."""
        query = "SELECT language, count(*) FROM articles WHERE language IS NOT NULL GROUP BY 1"
        return dict(self._connection.execute(query).fetchall())

    def finish(self) -> None:
        """Copy what is live of worn segments, and commit."""
        live = {segment: self._live(segment) for segment in self._older}
        stored = {segment: self._segments.stored(segment) for segment in self._older}
        for segment in worn(live, stored, self._writer.rows):
            for table in ("articles", "paragraphs"):
                self._copy(table, segment)
            discard(self._folder, segment)
        self._writer.close()
        self._connection.commit()

    def close(self) -> None:
        """Close the files; what was not finished is lost."""
        self._connection.close()
        self._writer.close()

    def _live(self, segment: int) -> int:
        query = (
            "SELECT (SELECT total(vectors) FROM articles WHERE segment = ?1)"
            " + (SELECT total(vectors) FROM paragraphs WHERE segment = ?1)"
        )
        return int(self._connection.execute(query, (segment,)).fetchone()[0])

    def _copy(self, table: str, segment: int) -> None:
        query = (
            f"SELECT key, segment, row, vectors FROM {table} "  # noqa: S608 - one of two constants
            "WHERE segment = ? AND vectors > 0 ORDER BY row"
        )
        for key, *place in self._connection.execute(query, (segment,)).fetchall():
            new = self._writer.append(self._segments.halves(Place(*place)))
            self._connection.execute(
                f"UPDATE {table} SET segment = ?, row = ? WHERE key = ?",  # noqa: S608 - likewise
                (new.segment, new.row, key),
            )


def content_digest(article: Article) -> bytes:
    """The sha256 of everything that is stored of an article."""
    return hashlib.sha256(json.dumps(asdict(article)).encode()).digest()


def paragraph_key(article: str, number: int) -> int:
    """The key of paragraph ``number`` of the article with id ``article``."""
    return _key(f"{article}-{number}")


def _key(name: str) -> int:
    """63 bits, as SQLite and FAISS take them; at a million names, 5 in 10^8 that two are equal.

    Equal ones would fail the build, as a key is unique in the store.
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1
