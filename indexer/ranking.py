"""Cutting a list of scores to its best, in the one order that every search here uses."""

from __future__ import annotations

import numpy as np

from indexer.types import Candidate, Ids, Scores


def best(paragraphs: Ids, scores: Scores, depth: int) -> list[Candidate]:
    """The ``depth`` best by (-score, key); equal scores share the rank of the first of them."""
    if len(scores) > depth:
        # Sorting only what can be among the best is what makes a common word cheap.
        near = scores >= np.partition(scores, -depth)[-depth]
        paragraphs, scores = paragraphs[near], scores[near]
    order = np.lexsort((paragraphs, -scores))[:depth]
    paragraphs, scores = paragraphs[order], scores[order]
    ranks = np.searchsorted(-scores, -scores) + 1
    return [
        Candidate(int(key), float(score), int(rank))
        for key, score, rank in zip(paragraphs, scores, ranks, strict=True)
    ]
