"""Ranking paragraphs for a question: both searches, every candidate scored by both, then merged.

The candidates are those that either search puts among its first ``depth``, whatever the caller
wants to see of them, so a ranking never depends on the limit. The searches run one after the other:
``took_ms`` shows that the keyword search costs a fraction of embedding the question, and on two
cores a thread for it would be taken from another request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce

import numpy as np

from indexer.errors import ModelError
from indexer.filters import Filters
from indexer.grammar import parse
from indexer.nodes import Query
from indexer.settings import Settings
from indexer.speakers import NOBODY
from indexer.stopwatch import Stopwatch
from indexer.types import Candidate, Ids, Scores, Vectors
from service.copies import copies_among
from service.extracts import Extract, Extractor
from service.fusion import Side
from service.narrowing import narrowed, phrase
from service.ranked import Ranked, gathered, merged
from service.requests import Mode
from service.reranking import aptness, merits, reranked
from service.snapshot import Snapshot
from service.spelling import Correction, corrected, corrections
from service.trust import Signals, Trust, Weighting, weighting

_NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Ranking:
    """All candidates, best first; equal scores in the order of their paragraphs' keys.

    ``query`` is what was searched: ``corrections`` have been made of what was typed, and a phrase
    that became one of the ``filters`` is not in it. ``vector`` is the question's, None where
    meaning was not searched; ``weighting`` is None where fewer than both searches took part.
    ``extracts`` has what the reader made of the paragraphs that it read, by their keys.
    """

    query: Query
    filters: Filters
    vector: Vectors | None
    weighting: Weighting | None
    ranked: tuple[Ranked, ...]
    degraded: tuple[str, ...]
    corrections: tuple[Correction, ...] = ()
    extracts: Mapping[int, Extract] = field(default_factory=dict)


def rank(  # noqa: PLR0913 - a question has this many sides
    snapshot: Snapshot,
    settings: Settings,
    text: str,
    mode: Mode = "hybrid",
    filters: Filters = _NO_FILTERS,
    *,
    today: dt.date | None = None,
    among: Ids | None = None,
    collapse: bool | None = None,
    rerank: bool = True,
    answering: bool = True,
    watch: Stopwatch | None = None,
) -> Ranking:
    """Rank the paragraphs of the articles that ``filters`` let through for ``text``.

    A phrase such as "last week" is one more filter, as seen from ``today``; without that it is
    words, and so it is where it would leave nothing.

    Where ``among`` is given, only paragraphs with these keys, sorted, are found. What is rare among
    all paragraphs stays so: it is a filter like any other.

    ``collapse`` gathers copies behind the best of them; None leaves it to the settings. The reader
    changes the order where ``rerank`` lets it; where no answer is wanted (``answering``), only what
    can change the order is read.

    Raises:
        ModelError: Mode ``semantic`` was asked for and no model is there.
    """
    watch = watch or Stopwatch()
    settings = snapshot.tuned.over(settings)
    query = parse(text)
    degraded = snapshot.degraded(mode)
    if query.problem:
        degraded += (f"query syntax: {query.problem}",)
    if mode == "semantic" and snapshot.without_meaning:
        raise ModelError(
            snapshot.without_meaning, hint="Search with mode=keyword until the model is back."
        )
    asked = filters
    with watch.stage("filter"):
        query, filters, notes = narrowed(snapshot.store, query, asked, today)
        degraded += notes
        allowed = _allowed(snapshot, query, filters, among)
    if filters.said_by is not None and snapshot.manifest.identity["attributor"] == NOBODY:
        degraded += ("the index was built without looking for speakers",)
    # The reader knows more words than the collection has, and reads the question as it was asked.
    question = query.question
    with watch.stage("spelling"):
        misspelled = corrections(
            query, snapshot.keyword.has_word, lambda form: snapshot.speller().nearest(form)
        )
        query = corrected(query, misspelled)
    vector, found = None, {}
    # A query of conditions alone has nothing to be near to: what fulfils it is found by keywords.
    if mode != "semantic" or not query.question:
        with watch.stage("keyword"):
            found["keyword"] = snapshot.keyword.search(query, settings.depth, allowed)
    if mode != "keyword" and snapshot.semantic is not None and query.question:
        with watch.stage("embed"):
            vector = snapshot.semantic.embed(query.question)
        with watch.stage("semantic"):
            found["semantic"] = snapshot.semantic.search(vector, settings.depth, allowed)
    with watch.stage("fusion"):
        weighed, ranked = _merge(snapshot, settings, query, vector, found)
    if settings.collapse if collapse is None else collapse:
        with watch.stage("copies"):
            keys, scores = [each.paragraph for each in ranked], [each.score for each in ranked]
            ranked = gathered(ranked, copies_among(snapshot.store, keys, scores))
    extracts: Mapping[int, Extract] = {}
    reading = query.question and (rerank or answering)
    if reading and not isinstance(snapshot.extractor, ModelError | None):
        with watch.stage("read"):
            texts = _readable(snapshot, ranked[: settings.read_depth])
            weight = rerank * settings.rerank_weight * aptness(question, list(texts.values()))
            if weight or answering:
                extracts, unread = _read(snapshot.extractor, settings, question, texts)
                ranked = reranked(ranked, merits(extracts, texts), weight)
                degraded += unread
    if not ranked and (said := phrase(query, filters)):
        wider = rank(
            snapshot,
            settings,
            text,
            mode,
            asked,
            among=among,
            collapse=collapse,
            rerank=rerank,
            answering=answering,
            watch=watch,
        )
        reason = f"nothing was found {said}, so these are articles of all days"
        return replace(wider, degraded=(*wider.degraded, reason)) if wider.ranked else wider
    return Ranking(query, filters, vector, weighed, ranked, degraded, misspelled, extracts)


def _readable(snapshot: Snapshot, ranked: Sequence[Ranked]) -> dict[int, str]:
    """The texts of those that are in the reader's language, in their order."""
    keys = np.array([each.paragraph for each in ranked], dtype=np.int64)
    passages = snapshot.store.passages(keys[snapshot.keyword.readable(keys)].tolist())
    return {passage.key: passage.paragraph.text for passage in passages}


def _read(
    extractor: Extractor, settings: Settings, question: str, texts: Mapping[int, str]
) -> tuple[Mapping[int, Extract], tuple[str, ...]]:
    """Extracts of ``texts``, and why some are missing."""
    found = extractor.read(question, list(texts.values()), settings.read_ms / 1000)
    extracts = {key: extract for key, extract in zip(texts, found, strict=True) if extract}
    if len(extracts) == len(texts):
        return extracts, ()
    reached = f"{len(extracts)} of the first {len(texts)} paragraphs"
    return extracts, (f"in {settings.read_ms} ms the reader read {reached}",)


def _allowed(snapshot: Snapshot, query: Query, filters: Filters, among: Ids | None) -> Ids | None:
    """What every hit must be among; None where nothing is asked of it."""
    asked = [
        among,
        snapshot.store.matching(filters),
        None if query.constraint is None else snapshot.keyword.matching(query.constraint),
    ]
    sets = [each for each in asked if each is not None]
    return reduce(np.intersect1d, sets) if sets else None


def _merge(
    snapshot: Snapshot,
    settings: Settings,
    query: Query,
    vector: Vectors | None,
    found: dict[str, list[Candidate]],
) -> tuple[Weighting | None, tuple[Ranked, ...]]:
    keys = np.unique([c.paragraph for side in found.values() for c in side]).astype(np.int64)
    if not len(keys):
        return None, ()
    sides = []
    if "keyword" in found:
        scores = _scored(found["keyword"], keys, partial(snapshot.keyword.score, query))
        bound = snapshot.keyword.bound(query)
        sides.append(Side("keyword", scores, ranks_of(found["keyword"], keys), 0.0, bound))
    if snapshot.semantic is not None and vector is not None:
        scores = _scored(found["semantic"], keys, partial(snapshot.semantic.score, vector))
        sides.append(Side("semantic", scores, ranks_of(found["semantic"], keys), -1.0, 1.0))
    if len(sides) < 2:
        return None, merged(keys, sides, [1.0], settings.fusion)
    weighed = weighting(Trust.of(settings), _signals(snapshot, keys, *sides))
    return weighed, merged(keys, sides, [1 - weighed.share, weighed.share], settings.fusion)


_BEST = 10
"""Paragraphs whose language is asked."""


def _signals(snapshot: Snapshot, keys: Ids, keyword: Side, semantic: Side) -> Signals:
    """What both lists show; where words found nothing, meaning's own list tells the language."""
    found = keyword if keyword.ranks.any() else semantic
    best = found.ranks.argsort(kind="stable")
    best = best[found.ranks[best] > 0]
    lead = semantic.scores.max() - semantic.scores[best[0]]
    return Signals(
        readable=float(snapshot.keyword.readable(keys[best[:_BEST]]).mean()), lead=float(lead)
    )


def _scored(candidates: list[Candidate], keys: Ids, score: Callable[[Ids], Scores]) -> Scores:
    """The score of each of ``keys``; ``score`` is asked only for those not among ``candidates``."""
    known = {candidate.paragraph: candidate.score for candidate in candidates}
    missing = np.array([key for key in keys.tolist() if key not in known], dtype=np.int64)
    if len(missing):
        known.update(zip(missing.tolist(), score(missing).tolist(), strict=True))
    return np.array([known[key] for key in keys.tolist()])


def ranks_of(candidates: list[Candidate], keys: Ids) -> Ids:
    """The rank of each of ``keys`` among ``candidates``, 0 where it is not one of them."""
    ranks = {candidate.paragraph: candidate.rank for candidate in candidates}
    return np.array([ranks.get(key, 0) for key in keys.tolist()], dtype=np.int64)
