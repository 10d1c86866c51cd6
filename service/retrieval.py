"""Ranking paragraphs for a question: both searches, every candidate scored by both, then merged.

The candidates are those that either search puts among its first ``depth``, whatever the caller
wants to see of them, so a ranking never depends on the limit. The searches run one after the other:
``took_ms`` shows that the keyword search costs a fraction of embedding the question, and on two
cores a thread for it would be taken from another request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from indexer.errors import ModelError
from indexer.grammar import Query, parse
from indexer.settings import Settings
from indexer.stopwatch import Stopwatch
from indexer.types import Candidate, Ids, Scores, Vectors
from service.fusion import FUSIONS, Contribution, Side, contributions
from service.requests import Mode
from service.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Ranked:
    """A paragraph in its place, from 1: the score is the sum of the contributions' points."""

    paragraph: int
    rank: int
    score: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """All candidates, best first; equal scores in the order of their paragraphs' keys.

    ``vector`` is the question's, None where meaning was not searched.
    """

    query: Query
    vector: Vectors | None
    ranked: tuple[Ranked, ...]
    degraded: tuple[str, ...]


def rank(  # noqa: PLR0913 - a question has this many sides
    snapshot: Snapshot,
    settings: Settings,
    text: str,
    mode: Mode = "hybrid",
    *,
    after: str | None = None,
    before: str | None = None,
    watch: Stopwatch | None = None,
) -> Ranking:
    """Rank paragraphs for ``text``, of articles of the days ``after`` to ``before``, both included.

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
    with watch.stage("filter"):
        allowed = _allowed(snapshot, query, after, before)
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
        ranked = _merge(snapshot, settings, query, vector, found)
    return Ranking(query, vector, ranked, degraded)


def _allowed(snapshot: Snapshot, query: Query, after: str | None, before: str | None) -> Ids | None:
    """What every hit must be among; None where nothing is asked of it."""
    allowed = None
    if after is not None or before is not None:
        allowed = snapshot.store.published_within(after, before)
    if query.constraint is not None:
        matching = snapshot.keyword.matching(query.constraint)
        allowed = matching if allowed is None else np.intersect1d(allowed, matching)
    return allowed


def _merge(
    snapshot: Snapshot,
    settings: Settings,
    query: Query,
    vector: Vectors | None,
    found: dict[str, list[Candidate]],
) -> tuple[Ranked, ...]:
    keys = np.unique([c.paragraph for side in found.values() for c in side]).astype(np.int64)
    if not len(keys):
        return ()
    share = settings.semantic_weight if len(found) == 2 else float("semantic" in found)
    sides = []
    if "keyword" in found:
        scores = _scored(found["keyword"], keys, partial(snapshot.keyword.score, query))
        bound = snapshot.keyword.bound(query)
        sides.append(Side("keyword", scores, _ranks(found["keyword"], keys), 0.0, bound, 1 - share))
    if snapshot.semantic is not None and vector is not None:
        scores = _scored(found["semantic"], keys, partial(snapshot.semantic.score, vector))
        sides.append(Side("semantic", scores, _ranks(found["semantic"], keys), -1.0, 1.0, share))
    parts = contributions(sides, FUSIONS[settings.fusion](sides))
    totals = np.array([sum(part.points for part in each) for each in parts])
    order = np.lexsort((keys, -totals))
    return tuple(
        Ranked(int(keys[i]), place, float(totals[i]), parts[i])
        for place, i in enumerate(order, start=1)
    )


def _scored(candidates: list[Candidate], keys: Ids, score: Callable[[Ids], Scores]) -> Scores:
    """The score of each of ``keys``; ``score`` is asked only for those not among ``candidates``."""
    known = {candidate.paragraph: candidate.score for candidate in candidates}
    missing = np.array([key for key in keys.tolist() if key not in known], dtype=np.int64)
    if len(missing):
        known.update(zip(missing.tolist(), score(missing).tolist(), strict=True))
    return np.array([known[key] for key in keys.tolist()])


def _ranks(candidates: list[Candidate], keys: Ids) -> Ids:
    """The rank of each of ``keys`` among ``candidates``, 0 where it is not one of them."""
    ranks = {candidate.paragraph: candidate.rank for candidate in candidates}
    return np.array([ranks.get(key, 0) for key in keys.tolist()], dtype=np.int64)
