"""The check that a generation must pass before it is published."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from indexer.analysis import tokens
from indexer.consistency import Stores, disagreements, open_stores
from indexer.errors import SelfTestFailed
from indexer.manifest import Manifest
from indexer.nodes import Query, Word
from indexer.protocols import Embedder
from indexer.store import Passage
from indexer.types import Ids

_SAMPLE = 8
"""Paragraphs that must find themselves, evenly spread over the generation."""

_WORDS = 3
"""Words that a sampled paragraph is searched by: its longest, which few others have. Looking up
common ones would take longer the larger the collection is, and prove no more."""

_SAME = 0.99
"""Cosine of a text with itself when embedded in another batch, at the very least."""


def check(folder: Path, manifest: Manifest, embedder: Embedder) -> None:
    """Compare the three stores with the manifest and with each other, and try a sample.

    Raises:
        SelfTestFailed: They disagree, or a sampled paragraph does not find itself.
        IndexCorrupt: A file cannot be read.
    """
    with open_stores(folder) as stores:
        for complaint in disagreements(stores, manifest):
            raise _failed(complaint)
        sample = stores.articles.passages(_spread(stores.articles.keys()))
        sentences = stores.articles.sentence_vectors([passage.key for passage in sample])
        for passage, stored in zip(sample, sentences, strict=True):
            if len(stored.sentences) != len(passage.paragraph.sentences):
                raise _failed(f"{_name(passage)} has lost sentences")
            if not _finds_itself(passage, stores, embedder):
                raise _failed(f"{_name(passage)} is lost")


def _finds_itself(passage: Passage, stores: Stores, embedder: Embedder) -> bool:
    text, key = passage.paragraph.text, np.array([passage.key])
    start, end = embedder.windows(text)[0]
    vector = embedder.encode([text[start:end]])[0]
    if len(vector) != stores.vectors.dimensions:
        raise _failed("the vectors have another length")
    near = stores.vectors.score(vector, key)[0]
    found = {text[token.start : token.end] for token in tokens(text)}
    words = tuple(sorted(found, key=lambda word: (-len(word), word))[:_WORDS])
    # Made by hand: the grammar would read syntax into a paragraph's words.
    query = Query(" ".join(words), words, tuple(Word(word) for word in words))
    return near > _SAME and (not words or stores.keyword.score(query, key)[0] > 0)


def _spread(keys: Ids) -> list[int]:
    chosen = np.linspace(0, len(keys) - 1, min(_SAMPLE, len(keys))).astype(int)
    return [int(key) for key in keys[chosen]]


def _name(passage: Passage) -> str:
    return f"paragraph {passage.paragraph.number} of {passage.article.source}"


def _failed(complaint: str) -> SelfTestFailed:
    return SelfTestFailed(
        f"the new index failed its self-test: {complaint}",
        hint="The index in use is untouched. Run: winnow build --full",
    )
