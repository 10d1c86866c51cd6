"""The keyword index: Whoosh keeps the words, numpy scores them.

Whoosh stores which paragraph holds which word, how often and where. The scores are computed here
from its postings, decoded once into arrays, because Whoosh scores one posting at a time in Python,
counts deleted paragraphs until they are merged away, and is wrong when threads share a Searcher.
So a score depends on the live paragraphs alone, however the index came about, and every
paragraph's score is at hand, not only those of the best.

A paragraph's words are stemmed in its article's language, a query's in each language there is; what
they find counts in the paragraphs of that language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, reduce
from operator import and_, or_
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.analysis import FUNCTION_WORDS, grams, tokens
from indexer.columns import (
    KEY,
    LANGUAGE,
    LENGTH,
    SCORED,
    code_of,
    forms_of,
    language_of_code,
    length_of,
    live_column,
    path_term,
)
from indexer.languages import MODEL_LANGUAGE
from indexer.leaves import has_wishes, resolved, scored, spans
from indexer.names import stored_name
from indexer.nodes import (
    All,
    Any_,
    Constraint,
    Field,
    Leaf,
    Not,
    Prefix,
    Query,
    Similar,
    Wildcard,
    Word,
)
from indexer.postings import Counts, Postings, Rows, Terms, reading
from indexer.ranking import best
from indexer.settings import K1, TITLE_WEIGHT, B
from indexer.storage import Storage
from indexer.types import Candidate, Ids, Scores, Span
from indexer.vocabulary import Vocabulary, vocabulary

SIMILAR = 0.8
"""What a word that is spelled nearly as one of the query counts, against 1 for the very word.

With 0.5, questions with a typo lose .004 nDCG@10 (xquad-en), and those without gain nothing.
"""

_REMEMBERED = 4
"""Queries whose scores are kept, 8 bytes a paragraph each."""

GRAM_SHARE = 0.6
"""What a word's runs of characters count against its stem, where there are any; see
``benchmarks/results/fusion.md``."""

_Mask: TypeAlias = npt.NDArray[np.bool_]  # one truth value a row

# A word's weight, what a match is worth (1 for the very word), its field and its postings.
_Weighed: TypeAlias = tuple[float, float, str, Rows, Counts]


class WhooshIndex:
    """One generation's keyword index, read-only, as a :class:`~indexer.protocols.KeywordIndex`.

    A paragraph's score is the sum, over the query's words and the fields title and body, of BM25
    (as in ``whoosh.scoring.bm25``) times the field's weight; field by field, so not quite the
    BM25F of Zaragoza et al. (TREC 2004), which measured the same. The idf is Lucene's,
    log(1 + (N - n + 0.5) / (n + 0.5)), because Whoosh's never falls below 1 and lets words count
    that every paragraph has. Where a paragraph has grams, its BM25 over those of the query's words
    takes a share of what the words themselves could give. Threads may share an index.
    """

    def __init__(
        self, searcher: Any, folder: str, title_weight: float, k1: float, b: float
    ) -> None:
        reader = searcher.reader()
        self._searcher = searcher
        self._postings = Postings(searcher, folder)
        self._weights = {"title": title_weight, "body": 1.0}
        self._k1 = k1
        self._keys = live_column(reader, "key", KEY, default=-1)
        self._live: _Mask = self._keys >= 0
        self._total = int(self._live.sum())
        self._order = np.argsort(self._keys, kind="stable")
        self._sorted = self._keys[self._order]
        self._codes = live_column(reader, "language", LANGUAGE, default=0)
        self._spoken = np.unique(self._codes[self._live]).tolist()
        # A hybrid search asks for a query's scores twice.
        self._scores = lru_cache(_REMEMBERED)(self._scored)
        self._norms = {}
        for field in (*SCORED, "grams"):
            lengths = live_column(reader, length_of(field), LENGTH, default=0)
            if field == "grams":
                self._gram_rows = np.flatnonzero(lengths)
            having = self._total if field != "grams" else len(self._gram_rows)
            mean = lengths.sum() / max(having, 1)
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

    def has_word(self, word: str) -> bool:
        """Whether any paragraph or title has ``word``, as somebody types it, in any form."""
        terms = {term for code in self._spoken for term in _terms(word, code)}
        return any(self._postings.exist(field, term) for field in SCORED for term in terms)

    def has_name(self, name: str) -> bool:
        """Whether any paragraph has ``name``, written just so."""
        return self._postings.exist("name", stored_name(name))

    def vocabulary(self) -> Vocabulary:
        """Every word and name: half a second for 200,000 paragraphs, so call it once."""
        title, body = (self._postings.lexicon(forms_of(field)) for field in SCORED)
        return vocabulary(title, body, self._postings.lexicon("name"))

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

    def telling(self, text: str, language: str | None, count: int) -> tuple[str, ...]:
        """The ``count`` words of ``text`` of the highest tf idf in bodies, the highest first.

        Words come as they are folded, each once in any of its forms. Function words are left out,
        and so are words that no two paragraphs have: ``text`` is in one, and they lead nowhere.
        """
        words: dict[str, list[str]] = {}
        for token in tokens(text, language):
            if token.form not in FUNCTION_WORDS:
                words.setdefault(token.term, []).append(token.form)
        rows = {term: self._postings.of("body", term)[0] for term in words}
        merits = {
            term: len(words[term]) * self._idf(held) for term, held in rows.items() if len(held) > 1
        }
        chosen = sorted(merits, key=lambda term: (-merits[term], term))[:count]
        return tuple(words[term][0] for term in chosen)

    def matches(self, query: Query, text: str, language: str | None) -> tuple[Span, ...]:
        """Spans of ``text``, a paragraph's body, that hold what of ``query`` is scored."""
        return spans(query, "body", text, language)

    def bound(self, query: Query) -> float:
        """What no score for ``query`` exceeds: BM25 with every word as often as can be."""
        return self._bound(self._weighed(query))

    def readable(self, paragraphs: Ids) -> _Mask:
        """Whether the embedding model reads each of ``paragraphs``, shape (n,).

        One whose language could not be told counts as readable.
        """
        codes = np.append(self._codes, 0)[self._rows(paragraphs)]
        return np.isin(codes, [0, code_of(MODEL_LANGUAGE)])

    def _scored(self, query: Query) -> Scores:
        """The score of every row; not to be written to."""
        scores = np.zeros(len(self._keys))
        self._add(scores, self._weighed(query))
        grams_ = list(self._weighed_grams(query)) if len(self._gram_rows) else []
        if bound := self._bound(grams_):
            words, runs = np.zeros(len(self._keys)), np.zeros(len(self._keys))
            bare = list(self._weighed(query, words_of="body"))
            self._add(words, bare)
            self._add(runs, grams_)
            runs *= self._bound(bare) / bound
            rows = self._gram_rows
            scores[rows] += GRAM_SHARE * (runs[rows] - words[rows])
            # What is left where the grams take all may be a rounding error.
            np.maximum(scores, 0.0, out=scores)
        scores.flags.writeable = False
        return scores

    def _add(self, scores: Scores, weighed: Iterable[_Weighed]) -> None:
        for weight, worth, field, rows, counts in weighed:
            saturated = counts * (self._k1 + 1) / (counts + self._norms[field][rows])
            scores[rows] += weight * worth * saturated

    def _bound(self, weighed: Iterable[_Weighed]) -> float:
        return sum((self._k1 + 1) * weight for weight, _, _, _, _ in weighed)

    def _weighed(self, query: Query, words_of: str | None = None) -> Iterator[_Weighed]:
        """Each scored word in each field: its idf times the field's weight, and its postings.

        ``words_of`` limits this to the bare words in one field.
        """
        for field in SCORED if words_of is None else (words_of,):
            for leaf in scored(query, field):
                if isinstance(leaf, Word | Similar) or words_of is None:
                    for rows, counts in self._found(leaf, field):
                        weight = self._weights[field] * self._idf(rows)
                        yield weight, _worth(leaf), field, rows, counts

    def _weighed_grams(self, query: Query) -> Iterator[_Weighed]:
        """The runs of characters of the bare words that are scored in the body."""
        for leaf in scored(query, "body"):
            if isinstance(leaf, Word | Similar):
                for gram in grams(leaf.words[0] if isinstance(leaf, Similar) else leaf.text):
                    rows, counts = self._postings.of("grams", gram)
                    yield self._idf(rows), _worth(leaf), "grams", rows, counts

    def _idf(self, rows: Rows) -> float:
        return float(np.log1p((self._total - len(rows) + 0.5) / (len(rows) + 0.5)))

    def _found(self, leaf: Leaf | Similar, field: str) -> Iterator[tuple[Rows, Counts]]:
        """Where each of the words is that are scored for ``leaf`` in ``field``."""
        if isinstance(leaf, Similar):
            yield self._any_of(leaf.words, field)
            return
        if isinstance(leaf, Prefix | Wildcard):
            yield self._postings.of(forms_of(field), leaf)
            return
        readings = [_terms(leaf.text, code) for code in self._spoken]
        for reading_ in zip(*readings, strict=True):  # a word, as each language has it
            yield self._spoken_as(field, [(term,) for term in reading_])

    def _any_of(self, words: Sequence[str], field: str) -> tuple[Rows, Counts]:
        """Rows that hold any of ``words``, taken as one; words of the same terms count once."""
        readings = {tuple(_terms(word, code) for code in self._spoken) for word in words}
        found = [self._spoken_as(field, reading_) for reading_ in sorted(readings)]
        rows, place = np.unique(np.concatenate([rows for rows, _ in found]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([each for _, each in found]), len(rows))
        return rows, counts.astype(np.float32)

    def _spoken_as(self, field: str, readings: Sequence[Terms]) -> tuple[Rows, Counts]:
        """Rows that hold the terms which their language has for some words, side by side."""
        codes: dict[Terms, list[int]] = {}
        for code, terms in zip(self._spoken, readings, strict=True):
            codes.setdefault(terms, []).append(code)
        found = [
            self._postings.of(field, terms[0] if len(terms) == 1 else terms) for terms in codes
        ]
        if len(found) <= 1:
            return found[0] if found else self._postings.of(field, "")
        masks = [
            np.isin(self._codes[rows], spoken)
            for (rows, _), spoken in zip(found, codes.values(), strict=True)
        ]
        rows = np.concatenate([rows[mask] for (rows, _), mask in zip(found, masks, strict=True)])
        counts = np.concatenate([each[mask] for (_, each), mask in zip(found, masks, strict=True)])
        order = np.argsort(rows)
        return rows[order], counts[order]

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
                return reduce(and_, map(self._fulfilling, parts), self._live)
            case Any_(parts):
                return reduce(or_, map(self._fulfilling, parts))
            case Not(part):
                return self._live & ~self._fulfilling(part)
            case Field(name, leaf):
                return self._mask(self._holding(leaf, name))
            case leaf:
                return reduce(or_, (self._mask(self._holding(leaf, field)) for field in SCORED))

    def _holding(self, leaf: Leaf, field: str) -> Rows:
        """Rows that hold ``leaf`` in ``field``."""
        leaf = resolved(leaf)
        if isinstance(leaf, Prefix | Wildcard):
            return self._postings.of(field if field == "source" else forms_of(field), leaf)[0]
        if field == "source":
            return self._postings.of(field, path_term(leaf.text))[0]
        if field == "by":
            terms = _terms(leaf.text, 0)
            return self._postings.of(field, terms[0] if len(terms) == 1 else terms)[0]
        return self._spoken_as(field, [_terms(leaf.text, code) for code in self._spoken])[0]


def _worth(leaf: Leaf | Similar) -> float:
    return SIMILAR if isinstance(leaf, Similar) else 1.0


@lru_cache(4096)
def _terms(text: str, code: int) -> Terms:
    """The terms of ``text`` in a language; remembered, as each field asks for them in each."""
    return tuple(token.term for token in tokens(text, language_of_code(code)))
