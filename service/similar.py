"""Paragraphs like a given one, by its own vectors and its own words.

The vectors are in the index already, so meaning is compared without the embedding model, even while
there is none. Words take part because the model knows English best: a paragraph is searched for by
those of its words that few others have.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from indexer.filters import Filters
from indexer.nodes import Query, Word
from indexer.ranking import best
from indexer.settings import Settings
from indexer.store import Passage
from indexer.types import Candidate, Vectors
from service.copies import copies_among
from service.fusion import Side
from service.ranked import gathered, merged
from service.retrieval import Ranking, ranks_of
from service.snapshot import Snapshot

_WORDS = 15
_MEANING = 0.6
"""Share of meaning: the vectors of a whole paragraph say more of it than a few of its words."""


def similar(
    snapshot: Snapshot, settings: Settings, passage: Passage, *, same_article: bool = False
) -> tuple[Ranking, tuple[int, ...]]:
    """Paragraphs like ``passage``, of other articles or also of the same, and its own copies.

    Neither it nor its copies are in the ranking; other copies share a place there.
    """
    left_out = {passage.key}
    if not same_article:
        left_out.update(snapshot.store.keys_of(passage.article.id))
    words = snapshot.keyword.telling(passage.paragraph.text, passage.article.language, _WORDS)
    query = Query(" ".join(words), words, tuple(map(Word, words)))
    vector = _centre(snapshot.vectors.of(passage.key))
    depth = settings.depth + len(left_out)
    by_words = _others(snapshot.keyword.search(query, depth), left_out, settings.depth)
    by_meaning = _others(snapshot.vectors.search(vector, depth), left_out, settings.depth)
    copies = _copies(snapshot, passage.key, by_words + by_meaning)
    by_words, by_meaning = (_others(each, copies, depth) for each in (by_words, by_meaning))
    keys = np.unique([each.paragraph for each in by_words + by_meaning]).astype(np.int64)
    if not len(keys):
        return Ranking(query, Filters(), vector, None, (), snapshot.degraded("keyword")), copies
    sides = [
        Side(
            "keyword",
            snapshot.keyword.score(query, keys),
            ranks_of(by_words, keys),
            0.0,
            snapshot.keyword.bound(query),
        ),
        Side(
            "semantic",
            snapshot.vectors.score(vector, keys),
            ranks_of(by_meaning, keys),
            -1.0,
            1.0,
        ),
    ]
    ranked = merged(keys, sides, [1 - _MEANING, _MEANING], settings.fusion)
    order, scores = [each.paragraph for each in ranked], [each.score for each in ranked]
    ranked = gathered(ranked, copies_among(snapshot.store, order, scores))
    return Ranking(query, Filters(), vector, None, ranked, snapshot.degraded("keyword")), copies


def _copies(snapshot: Snapshot, paragraph: int, candidates: Sequence[Candidate]) -> tuple[int, ...]:
    """Those of the candidates that are copies of ``paragraph``."""
    keys = [paragraph, *sorted({each.paragraph for each in candidates})]
    copies = copies_among(snapshot.store, keys, [1.0] + [0.0] * (len(keys) - 1))[0][1:]
    return tuple(keys[place] for place in copies)


def _centre(windows: Vectors) -> Vectors:
    """The unit vector between those of a paragraph's windows, shape (dimensions,)."""
    total: Vectors = windows.sum(axis=0)
    return total / np.linalg.norm(total)


def _others(candidates: list[Candidate], left_out: Collection[int], depth: int) -> list[Candidate]:
    """The first ``depth`` that are not left out, ranked anew."""
    others = [each for each in candidates if each.paragraph not in left_out]
    keys = np.array([each.paragraph for each in others], dtype=np.int64)
    return best(keys, np.array([each.score for each in others]), depth)
