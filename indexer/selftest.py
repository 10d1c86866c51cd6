"""The check that a generation must pass before it is published."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from indexer.analysis import tokens
from indexer.errors import IndexCorrupt
from indexer.generations import ARTICLES, KEYWORD, VECTORS
from indexer.grammar import Query, Word
from indexer.keyword import WhooshIndex
from indexer.protocols import Embedder
from indexer.store import ArticleStore, Passage
from indexer.types import Ids
from indexer.vectors import FaissIndex

_SAMPLE = 8
"""Paragraphs that must find themselves, evenly spread over the generation."""

_SAME = 0.99
"""Cosine of a text with itself when embedded in another batch, at the very least."""


def check(folder: Path, embedder: Embedder, articles: int, paragraphs: int) -> None:
    """Compare the three stores with what was written and with each other.

    Raises:
        IndexCorrupt: A count differs, or a sampled paragraph does not find itself.
    """
    store = ArticleStore(folder / ARTICLES)
    keyword = WhooshIndex.open(folder / KEYWORD)
    vectors = FaissIndex(folder / VECTORS)
    try:
        _require(store.counts() == (articles, paragraphs), "the store has lost articles")
        keys = store.keys()
        _require(vectors.dimensions == embedder.dimensions, "the vectors have another length")
        _require(np.array_equal(vectors.paragraphs, keys), "vectors and store differ")
        _require(np.array_equal(keyword.paragraphs, keys), "keyword index and store differ")
        for passage in store.passages(_spread(keys)):
            found = _finds_itself(passage, keyword, vectors, embedder)
            _require(found, f"{_name(passage)} is lost")
    finally:
        keyword.close()
        store.close()


def _finds_itself(
    passage: Passage, keyword: WhooshIndex, vectors: FaissIndex, embedder: Embedder
) -> bool:
    text, key = passage.paragraph.text, np.array([passage.key])
    start, end = embedder.windows(text)[0]
    near = vectors.score(embedder.encode([text[start:end]])[0], key)[0]
    words = tuple(text[token.start : token.end] for token in tokens(text)[:20])
    # Made by hand: the grammar would read syntax into a paragraph's words.
    query = Query(" ".join(words), words, tuple(Word(word) for word in words))
    return near > _SAME and (not words or keyword.score(query, key)[0] > 0)


def _spread(keys: Ids) -> list[int]:
    chosen = np.linspace(0, len(keys) - 1, min(_SAMPLE, len(keys))).astype(int)
    return [int(key) for key in keys[chosen]]


def _name(passage: Passage) -> str:
    return f"paragraph {passage.paragraph.number} of {passage.article.source}"


def _require(holds: bool, complaint: str) -> None:
    if not holds:
        raise IndexCorrupt(
            f"the new index failed its self-test: {complaint}",
            hint="The index in use is untouched. Run: winnow build --full",
        )
