"""From what a seed holds to an article: the text of a file, or one record of a bulk file.

Both kinds end in the same :class:`~indexer.types.Article`, so nothing behind this module needs to
know which it was. Nothing is read here; :mod:`indexer.seeds` does that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from indexer.dates import date_in_name, timestamp
from indexer.languages import language_of
from indexer.paragraphs import lines, split
from indexer.punctuation import SPACE
from indexer.sentences import sentences
from indexer.types import Article, Paragraph, Span

_BY = re.compile(r"by\s+", re.IGNORECASE)


class Unusable(ValueError):
    """A file or record holds no article; the message says why."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An article that was indexed, but not quite as its seed may have meant it."""

    file: str
    line: int | None
    reason: str


def identify(source: str) -> str:
    """The id of the article from ``source``: 16 hexadecimal digits, the same in every build."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def from_text(text: str, encoding: str, *, file: str) -> tuple[Article, list[Notice]]:
    """The article in the text of ``file``, decoded with ``encoding``.

    Its date is that of its ``Published:`` line, else one in the file's name; a line that holds no
    date is noticed.

    Raises:
        Unusable: ``text`` has no visible character.
    """
    layout = split(text)
    if not layout.paragraphs:
        raise Unusable("empty")
    notices = []
    published = None
    if layout.published is None:
        published = date_in_name(PurePosixPath(file).name)
    else:
        try:
            published = timestamp(_slice(text, layout.published))
        except ValueError as error:
            line = len(text[: layout.published.end].splitlines())
            notices.append(Notice(file, line, f"Published: {error}"))
    article = Article(
        id=identify(file),
        source=file,
        title=_one_line(_slice(text, layout.title)),
        published=published,
        byline=_one_line(_slice(text, layout.byline)) if layout.byline else None,
        publisher=None,
        language=_language(text, layout.paragraphs),
        encoding=encoding,
        paragraphs=_paragraphs(text, layout.paragraphs),
    )
    return article, notices


def from_record(record: object, *, file: str, line: int) -> tuple[Article, list[Notice]]:
    """The article in ``record``, the JSON value on ``line`` of ``file``.

    Each line of its ``text`` is a paragraph. A record without an id has its line number for one.
    Keys that are not known are ignored, but for the date in BEIR's ``metadata``.

    Raises:
        Unusable: ``record`` is no object, has no text, or a value of the wrong type.
    """
    if not isinstance(record, dict):
        raise Unusable("not a JSON object")
    text = _string(record, "text")
    # A record of only a headline is found by it, as a file of only a headline is.
    text = text if text.strip() else _string(record, "title")
    spans = lines(text)
    if not spans:
        raise Unusable("text is missing or empty")
    source = f"{file}#{_record_id(record) or line}"
    published, notices = None, []
    if value := _string(record, "published").strip() or _metadata_date(record):
        try:
            published = timestamp(value)
        except ValueError as error:
            notices.append(Notice(file, line, f"published: {error}"))
    article = Article(
        id=identify(source),
        source=source,
        title=_one_line(_string(record, "title")),
        published=published,
        byline=_BY.sub("", _one_line(_string(record, "byline")), count=1) or None,
        publisher=_one_line(_string(record, "source")) or None,
        language=_language(text, spans, _one_line(_string(record, "language"))),
        encoding="utf-8",
        paragraphs=_paragraphs(text, spans),
    )
    return article, notices


def _paragraphs(text: str, spans: Iterable[Span]) -> tuple[Paragraph, ...]:
    return tuple(
        Paragraph(number, start, end, text[start:end], sentences(text[start:end]))
        for number, (start, end) in enumerate(spans, start=1)
    )


def _language(text: str, paragraphs: Iterable[Span], stated: str = "") -> str | None:
    """Told by the paragraphs, not by a title, which is short and often a name."""
    return language_of(" ".join(_slice(text, span) for span in paragraphs), stated)


def _slice(text: str, span: Span) -> str:
    return text[span.start : span.end]


def _one_line(value: str) -> str:
    return " ".join(value.strip(SPACE).split())


def _string(record: dict[str, object], key: str) -> str:
    """The value of ``key``, or nothing where it is absent or null."""
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unusable(f"{key} is not a string")
    if "\0" in value:
        raise Unusable(f"{key} is binary: it has a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unusable(f"{key} has half a surrogate pair at character {error.start}") from error
    return value


def _record_id(record: dict[str, object]) -> str:
    key = "id" if record.get("_id") is None else "_id"
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _string(record, key)


def _metadata_date(record: dict[str, object]) -> str:
    metadata = record.get("metadata")
    return _string(metadata, "date").strip() if isinstance(metadata, dict) else ""
