"""What every KeywordIndex must do; an implementation's test module provides ``make``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.analysis import fold, tokens, without_function_words
from indexer.grammar import parse
from indexer.leaves import has_wishes
from indexer.nodes import (
    All,
    Any_,
    Constraint,
    Field,
    FieldName,
    Leaf,
    Not,
    Prefix,
    Query,
    Similar,
    Wildcard,
    Word,
)
from indexer.protocols import KeywordIndex


@dataclass(frozen=True)
class Document:
    """A paragraph as an index is given it."""

    key: int
    title: str
    body: str
    byline: str = ""
    source: str = ""


FIELDS: tuple[FieldName, ...] = ("title", "body")

Make = Callable[[Sequence[Document]], KeywordIndex]

_VOCABULARY = [
    *("oil", "price", "prices", "priced", "north", "sea", "the", "The", "who", "WHO", "woman"),
    *("women", "négocié", "negotiates", "U.S.", "us", "third-party", "third", "party", "Ёлка"),
    *("елки", "北京大学", "京", "1,000", "1000", "don't"),
]
_TEXTS = st.lists(st.sampled_from(_VOCABULARY), max_size=12).map(" ".join)
_DOCUMENTS = st.lists(
    st.tuples(_TEXTS, _TEXTS, st.sampled_from(["Anna Kern", "Kern", ""]), st.sampled_from("abc")),
    max_size=12,
).flatmap(
    lambda rows: st.permutations(range(len(rows))).map(
        lambda keys: [
            Document(3 * key, title, body, byline, f"{source}/{key}.txt")
            for key, (title, body, byline, source) in zip(keys, rows, strict=True)
        ]
    )
)
_PARTS = [*_VOCABULARY, "pric*", "w*men", "wom?n", "北京*", '"third party"', '"the who"', "by:kern"]
_PARTS += ['"north sea"', '"北京大"', "title:price", "body:oil", "source:a/0.txt", "source:*1*"]
_PLAIN = st.lists(
    st.tuples(st.sampled_from(["", "", "+", "-", "NOT ", "a OR "]), st.sampled_from(_PARTS)),
    min_size=1,
    max_size=5,
).map(lambda parts: parse(" ".join(mark + part for mark, part in parts)))


_SIMILAR = st.builds(
    Similar,
    st.just("prcie"),
    st.lists(st.sampled_from(["price", "woman", "party"]), min_size=1, max_size=3).map(tuple),
)
_QUERIES = _PLAIN | st.builds(
    lambda query, similar: replace(query, terms=(*query.terms, similar)), _PLAIN, _SIMILAR
)


def fulfils(document: Document, constraint: Constraint) -> bool:
    """The meaning of a constraint, from its definition alone."""
    match constraint:
        case All(parts):
            return all(fulfils(document, part) for part in parts)
        case Any_(parts):
            return any(fulfils(document, part) for part in parts)
        case Not(part):
            return not fulfils(document, part)
        case Field(name, leaf):
            return holds(document, leaf, name)
        case leaf:
            return holds(document, leaf, "title") or holds(document, leaf, "body")


def holds(document: Document, leaf: Leaf, field: FieldName) -> bool:
    if field == "source":
        shape = leaf.pattern if isinstance(leaf, Wildcard) else leaf.text
        return fits(document.source.casefold(), shape.casefold())
    text = {"title": document.title, "body": document.body, "by": document.byline}[field]
    held = tokens(text)
    if isinstance(leaf, Wildcard):
        return any(fits(token.form, fold(leaf.pattern)) for token in held)
    asked = tokens(leaf.text)
    if isinstance(leaf, Prefix) and len(asked) == 1:
        return any(token.form.startswith(fold(leaf.text)) for token in held)
    terms, wanted = [token.term for token in held], [token.term for token in asked]
    return any(terms[i : i + len(wanted)] == wanted for i in range(len(terms)))


def touches(document: Document, term: Leaf | Field | Similar) -> bool:
    """Whether a leaf lends ``document`` a score: of a phrase, each word does."""
    if isinstance(term, Similar):
        return any(touches(document, Word(word)) for word in term.words)
    leaf, names = (term.leaf, (term.name,)) if isinstance(term, Field) else (term, FIELDS)
    if isinstance(leaf, Wildcard | Prefix):
        return any(holds(document, leaf, name) for name in names)
    asked = {token.term for token in tokens(leaf.text)}
    return any(asked & {token.term for token in tokens(getattr(document, n))} for n in names)


def fits(word: str, shape: str) -> bool:
    parts = {"*": ".*", "?": "."}
    return bool(re.fullmatch("".join(parts.get(c) or re.escape(c) for c in shape), word))


class KeywordIndexContract:
    """Compares an implementation with definitions applied to every paragraph."""

    make: Make

    @settings(deadline=None, max_examples=60)
    @given(documents=_DOCUMENTS, constraint=_QUERIES.map(lambda query: query.constraint))
    def test_matching_is_what_the_constraint_means(
        self, documents: list[Document], constraint: Constraint | None
    ) -> None:
        if constraint is not None:
            wanted = sorted(d.key for d in documents if fulfils(d, constraint))
            found = self.make(documents).matching(constraint)
            assert found.tolist() == wanted
            assert found.dtype == np.int64

    @settings(deadline=None, max_examples=60)
    @given(documents=_DOCUMENTS, query=_QUERIES, depth=st.integers(1, 14), data=st.data())
    def test_search_is_the_best_of_what_matches_by_score_and_then_key(
        self, documents: list[Document], query: Query, depth: int, data: st.DataObject
    ) -> None:
        index = self.make(documents)
        keys = np.array(sorted(d.key for d in documents), dtype=np.int64)
        scores = dict(zip(keys.tolist(), index.score(query, keys).tolist(), strict=True))
        matching = set(scores)
        if query.constraint is not None:
            matching &= {d.key for d in documents if fulfils(d, query.constraint)}
        if query.constraint is None or has_wishes(query):
            matching &= {key for key in scores if scores[key] > 0}
        allowed = np.array([key for key in keys if data.draw(st.booleans())], dtype=np.int64)
        for choice in (None, allowed):
            chosen = matching if choice is None else matching & set(choice.tolist())
            wanted = sorted((-scores[key], key) for key in chosen)[:depth]
            found = index.search(query, depth, choice)
            assert [(-c.score, c.paragraph) for c in found] == wanted
            assert [c.rank for c in found] == [
                1 + sum(other.score > c.score for other in found) for c in found
            ]

    @settings(deadline=None, max_examples=60)
    @given(documents=_DOCUMENTS, query=_QUERIES)
    def test_a_paragraph_scores_where_it_holds_a_word_of_the_query(
        self, documents: list[Document], query: Query
    ) -> None:
        bare = [t.text for t in query.terms if isinstance(t, Word | Similar)]
        content = without_function_words(bare)
        terms = [t for t in query.terms if not isinstance(t, Word) or t.text in content]
        keys = np.array([document.key for document in documents], dtype=np.int64)
        for document, score in zip(documents, self.make(documents).score(query, keys), strict=True):
            held = any(touches(document, term) for term in terms or query.terms)
            assert (score > 0) == held

    @settings(deadline=None, max_examples=60)
    @given(documents=_DOCUMENTS, query=_QUERIES)
    def test_no_score_exceeds_the_bound(self, documents: list[Document], query: Query) -> None:
        index = self.make(documents)
        keys = np.array([document.key for document in documents], dtype=np.int64)
        assert index.score(query, keys).max(initial=0.0) <= index.bound(query)

    def test_a_word_like_the_one_asked_for_counts_less_than_that_word(self) -> None:
        index = self.make([Document(1, "", "oil price"), Document(2, "", "gas tax")])
        scores = [
            index.score(replace(parse("x"), terms=(term,)), np.array([1]))[0]
            for term in (Word("price"), Similar("prcie", ("price",)))
        ]
        assert 0 < scores[1] < scores[0]

    def test_words_that_stand_for_one_score_as_one_and_are_marked(self) -> None:
        text = "prices of coal"
        index = self.make([Document(1, "", text), Document(2, "", "prize"), Document(3, "", "oil")])
        query = replace(parse("prcie"), terms=(Similar("prcie", ("price", "prize")),))
        assert {found.paragraph for found in index.search(query, 5)} == {1, 2}
        assert [text[start:end] for start, end in index.matches(query, text, "en")] == ["prices"]

    def test_an_unknown_paragraph_scores_nothing(self) -> None:
        index = self.make([Document(5, "", "oil")])
        scores = index.score(parse("oil"), np.array([9, 5, 1, 9]))
        assert scores[1] > 0
        assert scores[[0, 2, 3]].tolist() == [0, 0, 0]

    def test_more_words_rarer_words_and_shorter_texts_score_higher(self) -> None:
        texts = ["oil gas", "oil", "gas", "oil and a lot of other things besides", "oil", "tax"]
        index = self.make([Document(key, "", text) for key, text in enumerate(texts)])
        found = [c.paragraph for c in index.search(parse("oil gas"), 10)]
        assert found == [0, 2, 1, 4, 3]

    def test_an_index_of_nothing_finds_nothing(self) -> None:
        index = self.make([])
        assert index.search(parse("oil"), 5) == []
        assert index.search(parse("-oil"), 5) == []
        assert index.score(parse("oil"), np.array([1])).tolist() == [0]
        assert index.matching(Word("oil")).tolist() == []

    @settings(deadline=None, max_examples=60)
    @given(words=st.lists(st.sampled_from(_VOCABULARY), min_size=1, max_size=4), text=_TEXTS)
    def test_every_form_of_a_bare_word_is_marked(self, words: list[str], text: str) -> None:
        query = parse(" ".join(words))
        asked = {t.term for word in without_function_words(words) or words for t in tokens(word)}
        wanted = [token for token in tokens(text) if token.term in asked]
        marks = self.make([]).matches(query, text, None)
        assert all(mark.start < mark.end for mark in marks)
        assert all(one.end <= other.start for one, other in pairwise(marks))
        covered = {place for mark in marks for place in range(mark.start, mark.end)}
        assert covered == {place for t in wanted for place in range(t.start, t.end)}

    def test_marks(self) -> None:
        text = "The price of North Sea oil; the sea north of it. Prices, women: 北京大学"
        for asked, marked in {
            "price": ["price", "Prices"],
            '"price"': ["price", "Prices"],
            '"sea price"': [],
            '"north sea"': ["North Sea"],
            'sea "north sea"': ["North Sea", "sea"],
            "pric*": ["price", "Prices"],
            "w*n": ["women"],
            "oil -price": ["oil"],
            "title:price": [],
            "body:price": ["price", "Prices"],
            "by:price oil": ["oil"],
            "what is the price": ["price", "Prices"],
            "京大": ["京大"],
            "北京大": ["北京大"],
            '"京大学"': ["京大学"],
        }.items():
            spans = self.make([]).matches(parse(asked), text, None)
            assert [text[start:end] for start, end in spans] == marked, asked
