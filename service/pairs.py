"""A question and a passage as the network reads them: one row of tokens, padded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_CLS, _SEP = 101, 102
"""Of BERT's vocabulary; padding is 0."""

_STEP = 16
"""Rows are padded to a multiple of this. oneDNN makes kernels for each shape that is multiplied and
keeps them: for all lengths that come it had 400 MB after a hundred questions, and took longer.
"""

Ids = npt.NDArray[np.integer]


def joined(question: Ids, passage: Ids) -> tuple[npt.NDArray[np.int64], int]:
    """The tokens of a pair, and where those of the passage begin; they end before the last."""
    parts = ([_CLS], question, [_SEP], passage, [_SEP])
    return np.concatenate(parts).astype(np.int64), len(question) + 2


def padded(
    pairs: Sequence[tuple[Ids, int]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Tokens, segments and which are there, of pairs as :func:`joined` gives them.

    Each has shape (pairs, tokens of the longest and some padding); see
    :meth:`service.network.Network.forward`.
    """
    longest = max(len(row) for row, _ in pairs)
    tokens = np.zeros((len(pairs), longest + -longest % _STEP), np.int64)
    segments, there = np.zeros_like(tokens), np.zeros(tokens.shape, bool)
    for number, (row, passage) in enumerate(pairs):
        tokens[number, : len(row)] = row
        segments[number, passage : len(row)] = 1
        there[number, : len(row)] = True
    return tokens, segments, there
