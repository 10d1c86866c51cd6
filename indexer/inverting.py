"""Writing the keyword index: a paragraph's words, their forms, the names in it and its language."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from whoosh import analysis, columns, fields, formats, index
from whoosh.reading import SegmentReader

from indexer.analysis import grams, tokens
from indexer.columns import (
    KEY,
    LANGUAGE,
    LENGTH,
    SCORED,
    code_of,
    forms_of,
    length_of,
    live_column,
    path_term,
)
from indexer.errors import IndexBusy
from indexer.languages import MODEL_LANGUAGE
from indexer.names import names, stored_name
from indexer.postings import reading
from indexer.storage import Codec, Storage
from indexer.types import Ids

_BUFFER_MB = 128  # postings a writer keeps in memory before it sorts them into a file

_ANALYSED = (*SCORED, "by")


def _schema() -> fields.Schema:
    """Terms answer words and phrases, forms answer patterns; see the analysis module."""
    listed = analysis.IDAnalyzer()  # never called: fields are given lists of words
    positions, frequency, existence = formats.Positions(), formats.Frequency(), formats.Existence()
    stored = {"key": fields.COLUMN(columns.NumericColumn(KEY, default=-1))}
    stored["source"] = fields.FieldType(existence, listed)
    stored["name"] = fields.FieldType(existence, listed)
    for name in _ANALYSED:
        stored[name] = fields.FieldType(positions, listed)
        stored[forms_of(name)] = fields.FieldType(frequency, listed)
        # Whoosh's own lengths have one byte and are off by up to a tenth.
        stored[length_of(name)] = fields.COLUMN(columns.NumericColumn(LENGTH))
    stored["grams"] = fields.FieldType(frequency, listed)
    stored[length_of("grams")] = fields.COLUMN(columns.NumericColumn(LENGTH))
    stored["language"] = fields.COLUMN(columns.NumericColumn(LANGUAGE))
    return fields.Schema(**stored)


class KeywordWriter:
    """Adds and deletes paragraphs in a folder; nothing shows before :meth:`commit`.

    As a context manager it commits at the end, or cancels when an error passes through.
    """

    def __init__(self, folder: Path) -> None:
        """Go on with the index in ``folder``, or start one there."""
        folder.mkdir(exist_ok=True)
        self._lock = folder / "MAIN_WRITELOCK"
        self._deleted: list[int] = []
        with reading(str(folder)):
            known = index.exists_in(str(folder))
        if not known:
            index.create_in(str(folder), _schema())
        with reading(str(folder)):
            stored = Storage(str(folder)).open_index()
            with stored.reader() as reader:
                self._keys = live_column(reader, "key", KEY, default=-1)
        try:
            codec = Codec(stored.latest_generation() + 1)
            self._writer = stored.writer(limitmb=_BUFFER_MB, codec=codec)
        except index.LockError as error:
            raise IndexBusy(f"{folder} is being written") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.cancel()

    def add(  # noqa: PLR0913 - the fields that a paragraph has
        self,
        key: int,
        title: str,
        body: str,
        byline: str,
        source: str,
        *,
        language: str | None = None,
    ) -> None:
        """Add a paragraph under ``key``, which is not negative and which no other one has."""
        stored: dict[str, Any] = {"key": key, "source": [path_term(source)]}
        stored["language"] = code_of(language)
        # A name is no word of the article's language.
        texts = (("title", title, language), ("body", body, language), ("by", byline, None))
        named: set[str] = set()
        for name, text, spoken in texts:
            found = tokens(text, spoken)
            if name != "title":  # headlines put capitals anywhere
                named.update(names(text, found))
            stored[name] = [token.term for token in found]
            stored[forms_of(name)] = [token.form for token in found]
            stored[length_of(name)] = len(found)
        stored["name"] = sorted(map(stored_name, named))
        if language not in {MODEL_LANGUAGE, None}:
            stored["grams"] = list(grams(body))
            stored[length_of("grams")] = len(stored["grams"])
        self._writer.add_document(**stored)

    def delete(self, keys: Ids) -> None:
        """Remove what earlier commits stored under ``keys``; unknown keys are ignored."""
        self._deleted += keys.tolist()

    def commit(self) -> None:
        """Write everything; a folder filled by one writer gets a single segment."""
        for row in np.flatnonzero(np.isin(self._keys, np.array(self._deleted, dtype=np.int64))):
            self._writer.delete_document(int(row))
        self._writer.commit(mergetype=_merge)
        self._unlock()

    def cancel(self) -> None:
        """Leave the folder as it was."""
        self._writer.cancel()
        self._unlock()

    def _unlock(self) -> None:
        # It is part of no index, and hard links would share it between generations.
        self._lock.unlink(missing_ok=True)


def _merge(writer: Any, segments: Iterable[Any]) -> list[Any]:
    """Whoosh's hook: copy some segments into the one being written, return the others.

    What is at most twice as large as the segments being copied anyway is copied too, so both the
    number of segments and the copies of a paragraph stay logarithmic (O'Neil et al.: The
    log-structured merge-tree, 1996); and so is a segment of which half is deleted.
    """
    size, kept = writer.doc_count(), []
    for segment in sorted(segments, key=lambda segment: segment.doc_count()):
        live = segment.doc_count()
        if live > 2 * size and segment.deleted_count() < live:
            kept.append(segment)
            continue
        size += live
        reader = SegmentReader(writer.storage, writer.schema, segment)
        writer.add_reader(reader)
        reader.close()
    return kept
