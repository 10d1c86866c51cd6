"""From examples to batches of one length or nearly, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from service.pairs import joined, padded
from training.examples import Context, Example, Examples, Tokens
from training.recipe import Stage

_POOL = 64
"""Batches among which pairs are sorted by length."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with a window of a passage; tokens ``first`` to ``last`` are the answer.

    A pair without an answer has both at ``[CLS]``, which is 0.
    """

    tokens: npt.NDArray[np.int64]
    passage: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of n pairs of t tokens, see :class:`service.network.Network`.

    ``asked`` numbers their questions: pairs that are to be compared have the same number.
    """

    tokens: Tensor
    segments: Tensor
    there: Tensor
    first: Tensor
    last: Tensor
    asked: Tensor


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
    groups: list[list[Pair]] = []
    for source in sources:
        count = round(source.share * len(source.asked))
        for at in random.permutation(len(source.asked))[:count].tolist():
            example = source.asked[at]
            context = source.examples.contexts[example.context]
            groups.append([_answered(example, context, stage, random)])
            if source.negatives and source.negatives[at] and random.random() < stage.negatives:
                other = int(random.choice(source.negatives[at]))
                empty = _unanswered(example, source.examples.contexts[other], stage, random)
                groups += [[groups.pop()[0], empty]] if stage.compared else [[empty]]
    order = random.permutation(len(groups)).tolist()
    size = stage.batch * _POOL
    batches: list[list[list[Pair]]] = []
    for at in range(0, len(order), size):
        pool = sorted((groups[i] for i in order[at : at + size]), key=_longest)
        cut = list(_cut(pool, stage.batch))
        batches += [cut[i] for i in random.permutation(len(cut)).tolist()]
    return map(batch_of, batches)


def _longest(group: list[Pair]) -> int:
    return max(len(pair.tokens) for pair in group)


def _cut(groups: list[list[Pair]], count: int) -> Iterator[list[list[Pair]]]:
    """Parts with ``count`` pairs, or just more where a group would have to be cut."""
    part: list[list[Pair]] = []
    for group in groups:
        part.append(group)
        if sum(map(len, part)) >= count:
            yield part
            part = []
    if part:
        yield part


def batch_of(groups: list[list[Pair]]) -> Batch:
    """The tensors of pairs; those of a group share their question."""
    pairs = [pair for group in groups for pair in group]
    arrays = padded([(pair.tokens, pair.passage) for pair in pairs])
    tokens, segments, there = map(torch.from_numpy, arrays)
    return Batch(
        tokens,
        segments,
        there,
        torch.tensor([pair.first for pair in pairs]),
        torch.tensor([pair.last for pair in pairs]),
        torch.tensor([number for number, group in enumerate(groups) for _ in group]),
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
