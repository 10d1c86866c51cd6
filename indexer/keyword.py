"""The keyword index: Whoosh keeps the words, numpy scores them.

Whoosh stores which paragraph holds which word, how often and where. The scores are computed here
from its postings, decoded once into arrays, because Whoosh scores one posting at a time in Python,
counts deleted paragraphs until they are merged away, and is wrong when threads share a Searcher.
So a score depends on the live paragraphs alone, however the index came about, and every
paragraph's score is at hand, not only those of the best.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import and_, or_
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from whoosh import analysis, columns, fields, formats, index
from whoosh.reading import SegmentReader

from indexer.analysis import FUNCTION_WORDS, tokens
from indexer.errors import IndexBusy
from indexer.grammar import (
    All,
    Any_,
    Constraint,
    Field,
    Leaf,
    Not,
    Prefix,
    Query,
    Wildcard,
)
from indexer.leaves import Pattern, has_wishes, resolved, scored, spans
from indexer.postings import (
    Counts,
    Postings,
    Rows,
    forms_of,
    length_of,
    live_column,
    path_term,
    reading,
)
from indexer.ranking import best
from indexer.settings import K1, TITLE_WEIGHT, B
from indexer.storage import Codec, Storage
from indexer.types import Candidate, Ids, Scores, Span

_BUFFER_MB = 128  # postings a writer keeps in memory before it sorts them into a file

_KEY, _LENGTH = "q", "i"  # types of columns, in struct's letters

_SCORED = ("title", "body")
_ANALYSED = (*_SCORED, "by")

_Mask: TypeAlias = npt.NDArray[np.bool_]  # one truth value a row


def _schema() -> fields.Schema:
    """Terms answer words and phrases, forms answer patterns; see the analysis module."""
    listed = analysis.IDAnalyzer()  # never called: fields are given lists of words
    positions, frequency, existence = formats.Positions(), formats.Frequency(), formats.Existence()
    stored = {"key": fields.COLUMN(columns.NumericColumn(_KEY, default=-1))}
    stored["source"] = fields.FieldType(existence, listed)
    for name in _ANALYSED:
        stored[name] = fields.FieldType(positions, listed)
        stored[forms_of(name)] = fields.FieldType(frequency, listed)
        # Whoosh's own lengths have one byte and are off by up to a tenth.
        stored[length_of(name)] = fields.COLUMN(columns.NumericColumn(_LENGTH))
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
                self._keys = live_column(reader, "key", _KEY, default=-1)
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

    def add(self, key: int, title: str, body: str, byline: str, source: str) -> None:
        """Add a paragraph under ``key``, which is not negative and which no other one has."""
        stored: dict[str, Any] = {"key": key, "source": [path_term(source)]}
        for name, text in (("title", title), ("body", body), ("by", byline)):
            found = tokens(text)
            stored[name] = [token.term for token in found]
            stored[forms_of(name)] = [token.form for token in found]
            stored[length_of(name)] = len(found)
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


class WhooshIndex:
    """One generation's keyword index, read-only, as a :class:`~indexer.protocols.KeywordIndex`.

    A paragraph's score is the sum, over the query's words and the fields title and body, of BM25
    (as in ``whoosh.scoring.bm25``) times the field's weight; field by field, so not quite the
    BM25F of Zaragoza et al. (TREC 2004), which measured the same. The idf is Lucene's,
    log(1 + (N - n + 0.5) / (n + 0.5)), because Whoosh's never falls below 1 and lets words count
    that every paragraph has. Threads may share an index.
    """

    def __init__(
        self, searcher: Any, folder: str, title_weight: float, k1: float, b: float
    ) -> None:
        reader = searcher.reader()
        self._searcher = searcher
        self._postings = Postings(searcher, folder)
        self._weights = {"title": title_weight, "body": 1.0}
        self._k1 = k1
        self._keys = live_column(reader, "key", _KEY, default=-1)
        self._live: _Mask = self._keys >= 0
        self._total = int(self._live.sum())
        self._order = np.argsort(self._keys, kind="stable")
        self._sorted = self._keys[self._order]
        self._norms = {}
        for field in _SCORED:
            lengths = live_column(reader, length_of(field), _LENGTH, default=0)
            mean = lengths.sum() / max(self._total, 1)
            self._norms[field] = k1 * (1 - b + b * lengths / max(mean, 1.0))

    @classmethod
    def open(
        cls, folder: Path, title_weight: float = TITLE_WEIGHT, k1: float = K1, b: float = B
    ) -> Self:
        """Open the index in ``folder``, which must be one's own: opening unpickles it.

        Raises IndexCorrupt where there is none or a file of it is damaged.
        """
        with reading(str(folder)):
            searcher = Storage(str(folder), readonly=True).open_index().searcher()
            return cls(searcher, str(folder), title_weight, k1, b)

    def close(self) -> None:
        """Close the files; the index cannot be asked afterwards."""
        self._searcher.close()

    @property
    def paragraphs(self) -> Ids:
        """Keys of all paragraphs in the index, sorted."""
        return np.sort(self._keys[self._live])

    def search(self, query: Query, depth: int, allowed: Ids | None = None) -> list[Candidate]:
        """The best ``depth`` paragraphs by (-score, key) that hold any word of the query.

        Under a constraint they fulfil it; if every word of the query is part of it, that is
        enough, be their score 0. ``allowed`` (sorted) limits the choice before the cut. Raises
        QueryError where a pattern stands for too many words, as the other methods do.
        """
        scores = self._scores(query)
        chosen = self._live.copy()
        if query.constraint is not None:
            chosen &= self._fulfilling(query.constraint)
        if query.constraint is None or has_wishes(query):
            chosen &= scores > 0
        if allowed is not None:
            chosen &= self._mask(self._rows(allowed))
        rows = np.flatnonzero(chosen)
        return best(self._keys[rows], scores[rows], depth)

    def score(self, query: Query, paragraphs: Ids) -> Scores:
        """The score :meth:`search` gives each of ``paragraphs``, shape (n,).

        0 where no word matches or the key is unknown; the constraint plays no part.
        """
        scores = np.append(self._scores(query), 0.0)
        return scores[self._rows(paragraphs)]

    def matching(self, constraint: Constraint) -> Ids:
        """Keys of all paragraphs that fulfil ``constraint``, sorted."""
        return np.sort(self._keys[self._fulfilling(constraint)])

    def telling(self, text: str, count: int) -> tuple[str, ...]:
        """The ``count`` words of ``text`` of the highest tf idf in bodies, the highest first.

        Words come as they are folded, each once in any of its forms; function words are left out.
        """
        words: dict[str, list[str]] = {}
        for token in tokens(text):
            if token.form not in FUNCTION_WORDS:
                words.setdefault(token.term, []).append(token.form)
        merits = {
            term: len(forms) * self._idf(len(self._postings.of("body", term)[0]))
            for term, forms in words.items()
        }
        chosen = sorted(merits, key=lambda term: (-merits[term], term))[:count]
        return tuple(words[term][0] for term in chosen)

    def matches(self, query: Query, text: str) -> tuple[Span, ...]:
        """Spans of ``text``, a paragraph's body, that hold what of ``query`` is scored."""
        return spans(query, "body", text)

    def bound(self, query: Query) -> float:
        """What no score for ``query`` exceeds: BM25 with every word as often as can be."""
        return sum((self._k1 + 1) * weight for weight, _, _, _ in self._weighed(query))

    def _scores(self, query: Query) -> Scores:
        """The score of every row."""
        scores = np.zeros(len(self._keys))
        for weight, field, rows, counts in self._weighed(query):
            saturated = counts * (self._k1 + 1) / (counts + self._norms[field][rows])
            scores[rows] += weight * saturated
        return scores

    def _weighed(self, query: Query) -> Iterator[tuple[float, str, Rows, Counts]]:
        """Each scored word in each field: its idf times the field's weight, and its postings."""
        for field in _SCORED:
            for leaf in scored(query, field):
                for name, word in _words(leaf, field):
                    rows, counts = self._postings.of(name, word)
                    yield self._weights[field] * self._idf(len(rows)), field, rows, counts

    def _idf(self, holding: int) -> float:
        """What a word weighs that so many paragraphs hold."""
        return float(np.log1p((self._total - holding + 0.5) / (holding + 0.5)))

    def _rows(self, keys: Ids) -> npt.NDArray[np.int64]:
        """The row of each of ``keys``; -1 where no paragraph has it."""
        place = np.searchsorted(self._sorted, keys)
        known = np.append(self._sorted, -1)[place] == keys
        return np.where(known, np.append(self._order, -1)[place], -1)

    def _mask(self, rows: npt.NDArray[np.integer[Any]]) -> _Mask:
        mask = np.zeros(len(self._keys), dtype=np.bool_)
        mask[rows[rows >= 0]] = True
        return mask

    def _fulfilling(self, constraint: Constraint) -> _Mask:
        match constraint:
            case All(parts):
                return reduce(and_, map(self._fulfilling, parts))
            case Any_(parts):
                return reduce(or_, map(self._fulfilling, parts))
            case Not(part):
                return self._live & ~self._fulfilling(part)
            case Field(name, leaf):
                return self._mask(self._holding(leaf, name))
            case leaf:
                return reduce(or_, (self._mask(self._holding(leaf, field)) for field in _SCORED))

    def _holding(self, leaf: Leaf, field: str) -> Rows:
        """Rows that hold ``leaf`` in ``field``."""
        leaf = resolved(leaf)
        if isinstance(leaf, Prefix | Wildcard):
            return self._postings.of(field if field == "source" else forms_of(field), leaf)[0]
        if field == "source":
            return self._postings.of(field, path_term(leaf.text))[0]
        terms = tuple(token.term for token in tokens(leaf.text))
        return self._postings.of(field, terms[0] if len(terms) == 1 else terms)[0]


def _words(leaf: Leaf, field: str) -> Iterator[tuple[str, str | Pattern]]:
    """The stored fields and words in which ``leaf`` is looked up to be scored in ``field``."""
    if isinstance(leaf, Prefix | Wildcard):
        yield forms_of(field), leaf
    else:
        yield from ((field, token.term) for token in tokens(leaf.text))
