"""From examples to batches of one length or nearly, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.examples import Context, Example, Examples, Tokens
from training.recipe import Stage

CLS, SEP = 101, 102
"""Of BERT's vocabulary; padding is 0."""

_POOL = 64
"""Batches among which pairs are sorted by length."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with a window of a passage; tokens ``first`` to ``last`` are the answer.

    A pair without an answer has both at ``[CLS]``, which is 0.
    """

    tokens: Tokens
    passage: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of n pairs of t tokens, see :class:`service.network.Network`."""

    tokens: Tensor
    segments: Tensor
    there: Tensor
    first: Tensor
    last: Tensor


@dataclass(frozen=True, slots=True)
class Source:
    """What of a file is drawn from, and contexts that do not answer each of the questions."""

    examples: Examples
    asked: list[Example]
    negatives: list[tuple[int, ...]]
    share: float


def drawn(sources: list[Source], stage: Stage, seed: int) -> Iterator[Batch]:
    """The batches of one round."""
    random = np.random.default_rng(seed)
    pairs: list[Pair] = []
    for source in sources:
        count = round(source.share * len(source.asked))
        for at in random.permutation(len(source.asked))[:count].tolist():
            example = source.asked[at]
            pairs.append(
                _answered(example, source.examples.contexts[example.context], stage, random)
            )
            if source.negatives and source.negatives[at] and random.random() < stage.negatives:
                other = int(random.choice(source.negatives[at]))
                pairs.append(_unanswered(example, source.examples.contexts[other], stage, random))
    order = random.permutation(len(pairs)).tolist()
    size = stage.batch * _POOL
    batches: list[list[Pair]] = []
    for at in range(0, len(order), size):
        pool = sorted((pairs[i] for i in order[at : at + size]), key=lambda pair: len(pair.tokens))
        cut = [pool[i : i + stage.batch] for i in range(0, len(pool), stage.batch)]
        batches += [cut[i] for i in random.permutation(len(cut)).tolist()]
    return (batch_of(pairs) for pairs in batches)


def joined(question: Tokens, passage: Tokens) -> tuple[Tokens, int]:
    """The tokens of a pair, and where those of the passage begin."""
    parts = ([CLS], question, [SEP], passage, [SEP])
    return np.concatenate(parts).astype(np.int32), len(question) + 2


def batch_of(pairs: list[Pair]) -> Batch:
    """The tensors of ``pairs``."""
    longest = max(len(pair.tokens) for pair in pairs)
    tokens = np.zeros((len(pairs), longest), np.int64)
    segments, there = np.zeros_like(tokens), np.zeros(tokens.shape, bool)
    for row, pair in enumerate(pairs):
        tokens[row, : len(pair.tokens)] = pair.tokens
        there[row, : len(pair.tokens)] = True
        segments[row, pair.passage : len(pair.tokens)] = 1
    return Batch(
        torch.from_numpy(tokens),
        torch.from_numpy(segments),
        torch.from_numpy(there),
        torch.tensor([pair.first for pair in pairs]),
        torch.tensor([pair.last for pair in pairs]),
    )


def _question(example: Example, random: np.random.Generator) -> Tokens:
    """The question's tokens, now and then without its question mark: few searches have one."""
    bare = len(example.tokens) > 1 and example.question.endswith("?") and random.random() < 0.3
    return example.tokens[:-1] if bare else example.tokens


def _answered(
    example: Example, context: Context, stage: Stage, random: np.random.Generator
) -> Pair:
    first, last = example.spans[int(random.integers(len(example.spans)))]
    question = _question(example, random)
    room = stage.room - len(question) - 3
    last = min(last, first + room - 1)
    low = max(0, last + 1 - room)
    high = min(first, max(0, len(context.tokens) - room))
    begin = int(random.integers(low, max(low, high) + 1))
    tokens, passage = joined(question, context.tokens[begin : begin + room])
    return Pair(tokens, passage, first - begin + passage, last - begin + passage)


def _unanswered(
    example: Example, context: Context, stage: Stage, random: np.random.Generator
) -> Pair:
    question = _question(example, random)
    room = stage.room - len(question) - 3
    begin = int(random.integers(max(0, len(context.tokens) - room) + 1))
    tokens, passage = joined(question, context.tokens[begin : begin + room])
    return Pair(tokens, passage, 0, 0)
