"""What a generation holds against itself: the three stores, the texts and their vectors.

Digests tell that files are as they were written; this tells that what was written is right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from indexer.keyword import WhooshIndex
from indexer.manifest import ARTICLES, KEYWORD, SENTENCES, VECTORS, Manifest
from indexer.protocols import Embedder
from indexer.store import ArticleStore
from indexer.types import Ids
from indexer.vectors import FaissIndex

_LONGEST = 200
"""Paragraphs that are cut anew: the longest are the likeliest to be too long."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The three stores of a generation, open."""

    articles: ArticleStore
    keyword: WhooshIndex
    vectors: FaissIndex


@contextmanager
def open_stores(folder: Path) -> Iterator[Stores]:
    """The stores of the generation in ``folder``; IndexCorrupt where one cannot be opened."""
    with ExitStack() as opened:
        articles = opened.enter_context(
            closing(ArticleStore(folder / ARTICLES, folder / SENTENCES))
        )
        keyword = opened.enter_context(closing(WhooshIndex.open(folder / KEYWORD)))
        yield Stores(articles, keyword, FaissIndex(folder / VECTORS))


def disagreements(stores: Stores, manifest: Manifest) -> list[str]:
    """Where the stores differ from each other or from the manifest: by paragraph, not in number."""
    articles, paragraphs = stores.articles.counts()
    counts = {
        "articles": articles,
        "paragraphs": paragraphs,
        "attributions": stores.articles.attributed(),
    }
    found = [
        f"the store has {count} {name}, the manifest {manifest.counts.get(name)}"
        for name, count in counts.items()
        if count != manifest.counts.get(name)
    ]
    keys = stores.articles.keys()
    for name, others in (
        ("keyword index", stores.keyword.paragraphs),
        ("vector index", stores.vectors.paragraphs),
    ):
        found += _difference(name, keys, others)
    if strays := stores.articles.seeds() - {seed.path for seed in manifest.seeds}:
        found.append(f"the store has articles of a file that the manifest lacks: {min(strays)}")
    return found


def truncations(stores: Stores) -> list[str]:
    """Which paragraphs lack the vector of a window or of a sentence."""
    embedded = stores.articles.embedded()
    ids, counts = stores.vectors.counts()
    place = np.searchsorted(ids, embedded.keys)
    there = np.append(ids, -1)[place] == embedded.keys
    windows = np.where(there, np.append(counts, 0)[place], 0)
    found = []
    for what, wrong in (
        ("windows", (windows != embedded.windows) | (embedded.windows < 1)),
        ("sentences", embedded.vectors != embedded.sentences),
    ):
        if wrong.any():
            keys = [int(key) for key in embedded.keys[wrong][:1]]
            first = stores.articles.passages(keys)[0]
            found.append(
                f"{wrong.sum()} paragraphs have another number of vectors than of {what}, the "
                f"first is paragraph {first.paragraph.number} of {first.article.source}"
            )
    return found


def cut_short(stores: Stores, embedder: Embedder) -> list[str]:
    """Paragraphs that the model read at once although it cannot, among the longest of those."""
    keys = [
        key for key, text in stores.articles.longest(_LONGEST) if len(embedder.windows(text)) > 1
    ]
    return [
        f"paragraph {passage.paragraph.number} of {passage.article.source} is too long for the "
        "model to be read at once"
        for passage in stores.articles.passages(keys)
    ]


def duplicates(articles: ArticleStore, manifest: Manifest) -> list[tuple[str, str]]:
    """Pairs of seed files of the same bytes, then of other articles with the same paragraphs."""
    files: dict[str, list[str]] = {}
    for seed in manifest.seeds:
        if seed.sha256:
            files.setdefault(seed.sha256, []).append(seed.path)
    pairs = _pairs(files.values())
    copies = {copy for _, copy in pairs}
    same: dict[bytes, list[str]] = {}
    for (source, seed), rows in groupby(articles.texts(), key=itemgetter(0, 1)):
        if seed not in copies:
            content = hashlib.sha256()
            for *_, text in rows:
                content.update(text.encode() + b"\0")
            same.setdefault(content.digest(), []).append(source)
    return pairs + _pairs(same.values())


def _pairs(groups: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    """Each member but the first of a group with that first, by name."""
    return sorted((first, other) for first, *others in map(sorted, groups) for other in others)


def _difference(name: str, keys: Ids, others: Ids) -> list[str]:
    missing, surplus = np.setdiff1d(keys, others), np.setdiff1d(others, keys)
    found = []
    if len(others) > len(np.unique(others)):
        found.append(f"the {name} has a paragraph twice")
    if len(missing):
        found.append(f"the {name} lacks {len(missing)} paragraphs")
    if len(surplus):
        found.append(f"the {name} has {len(surplus)} paragraphs that are no longer there")
    return found
