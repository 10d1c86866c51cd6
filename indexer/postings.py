"""Postings as arrays: which paragraphs hold a word, decoded from Whoosh's files when asked for.

This is the only place that reads Whoosh's files after opening, so it is where damage is noticed,
where threads wait for each other and where memory is bounded.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.analysis import fold
from indexer.columns import path_term
from indexer.errors import IndexCorrupt, QueryError
from indexer.leaves import Pattern, matcher, shape_of
from indexer.nodes import Prefix, Wildcard

MAX_EXPANSION = 10_000
"""Words that a pattern may stand for: enough for two letters and a star in 200,000 paragraphs."""

MAX_CACHED = 8_000_000
"""Decoded postings kept in memory, 8 bytes each."""

_ENTRY = 100  # what remembering a word costs besides its postings, in postings

Rows: TypeAlias = npt.NDArray[np.int32]
"""Whoosh's document numbers, which are good for one opened index only."""

Counts: TypeAlias = npt.NDArray[np.float32]
"""How often each of some rows holds a word."""

Terms: TypeAlias = tuple[str, ...]
"""Words that stand side by side."""


@contextmanager
def reading(folder: str) -> Iterator[None]:
    """Turn whatever Whoosh raises on damaged files into IndexCorrupt."""
    try:
        yield
    except MemoryError:
        raise
    # Whoosh unpickles, unpacks and slices what it reads: damage shows as any error at all.
    except Exception as error:
        raise IndexCorrupt(
            f"{folder} is not a readable keyword index: {error!r}", hint="Run: winnow build --full"
        ) from error


class Postings:
    """The postings of one opened index; threads may share them."""

    def __init__(self, searcher: Any, folder: str) -> None:
        self._searcher = searcher
        self._folder = folder
        # One Searcher behind a lock instead of one a thread: decoding is Python and would hold the
        # interpreter anyway, and nothing is left behind by threads that end.
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[str, str | Pattern | Terms], tuple[Rows, Counts]]
        self._cache = OrderedDict()
        self._cached = 0

    def of(self, field: str, word: str | Pattern | Terms) -> tuple[Rows, Counts]:
        """Rows that hold ``word`` in ``field``, sorted, and how often each does.

        A pattern is taken as one word, and so are terms that stand side by side. Raises
        QueryError where a pattern stands for too many words.
        """
        with self._lock:
            if found := self._cache.get((field, word)):
                self._cache.move_to_end((field, word))
                return found
            if isinstance(word, Prefix | Wildcard):
                found = self._decoded(field, self._expanded(field, word))
            elif isinstance(word, tuple):
                found = self._phrase(field, word)
            else:
                found = self._decoded(field, [word.encode()])
            self._cache[field, word] = found
            self._cached += len(found[0]) + _ENTRY
            while self._cached > MAX_CACHED:
                _, (rows, _) = self._cache.popitem(last=False)
                self._cached -= len(rows) + _ENTRY
            return found

    def exist(self, field: str, word: str) -> bool:
        """Whether any row has ``word`` in ``field``; no posting is decoded but the first."""
        term = word.encode()
        with self._lock, reading(self._folder):
            return any(
                (field, term) in leaf and leaf.postings(field, term).is_active()
                for leaf, _ in self._searcher.reader().leaf_readers()
            )

    def lexicon(self, field: str) -> list[tuple[str, int]]:
        """Every word of ``field``, sorted, with its rows' number, deleted ones included."""
        with self._lock, reading(self._folder):
            stored = self._searcher.reader().iter_field(field)
            return [(word.decode(), info.doc_frequency()) for word, info in stored]

    def _phrase(self, field: str, terms: Terms) -> tuple[Rows, Counts]:
        found: list[int] = []
        with reading(self._folder):
            for leaf, offset in self._searcher.reader().leaf_readers():
                words = [(place, term.encode()) for place, term in enumerate(terms)]
                if all((field, word) in leaf for _, word in words):
                    # From the rarest word on, so that few positions are read.
                    words.sort(key=lambda word: leaf.doc_frequency(field, word[1]))
                    found.extend(row + offset for row in _standing(leaf, field, words))
        return np.array(found, np.int32), np.ones(len(found), np.float32)

    def _expanded(self, field: str, pattern: Pattern) -> list[bytes]:
        shape = (path_term if field == "source" else fold)(shape_of(pattern))
        literal = re.split(r"[*?]", shape, maxsplit=1)[0]
        # Sources are not bounded: together they hold every paragraph once.
        limit = None if field == "source" else MAX_EXPANSION + 1
        with reading(self._folder):
            candidates = self._searcher.reader().expand_prefix(field, literal)
            words = list(islice(filter(matcher(shape), candidates), limit))
        if len(words) == limit:
            raise QueryError(
                f"{shape} stands for more than {MAX_EXPANSION} words",
                parameter="q",
                hint="Write more letters of the word.",
            )
        return words

    def _decoded(self, field: str, words: Iterable[bytes]) -> tuple[Rows, Counts]:
        rows: list[int] = []
        counts: list[float] = []
        with reading(self._folder):
            for leaf, offset in self._searcher.reader().leaf_readers():
                for word in words:
                    if (field, word) not in leaf:
                        continue
                    postings = leaf.postings(field, word)
                    while postings.is_active():
                        rows.append(postings.id() + offset)
                        counts.append(postings.weight())
                        postings.next()
        unique, place = np.unique(np.array(rows, dtype=np.int32), return_inverse=True)
        return unique, np.bincount(place, counts, len(unique)).astype(np.float32)


def _standing(leaf: Any, field: str, words: Iterable[tuple[int, bytes]]) -> list[int]:
    """Rows of a segment in which all ``words``, each with its place, stand side by side."""
    starts: dict[int, set[int]] | None = None
    for place, word in words:
        rows = leaf.postings(field, word).all_ids() if starts is None else sorted(starts)
        postings = leaf.postings(field, word)
        found: dict[int, set[int]] = {}
        for row in rows:
            if postings.is_active():
                postings.skip_to(row)
            if postings.is_active() and postings.id() == row:
                here = {position - place for position in postings.value_as("positions")}
                if here := here if starts is None else here & starts[row]:
                    found[row] = here
        starts = found
    return sorted(starts or ())
