"""How well the network reads when it is given the right passage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from service.metrics import AGREEMENT, agreement
from service.network import Network
from service.pairs import joined
from service.spans import best_spans
from training.batches import Pair, batch_of
from training.examples import Context, Example

_ROOM = 384
_BATCH = 16


def reading(
    network: Network, contexts: Sequence[Context], asked: Sequence[Example]
) -> dict[str, float]:
    """Mean exact match and F1, in percent, over ``asked``; texts over 384 tokens are cut."""
    given: list[str] = [""] * len(asked)
    pairs = []
    for example in asked:
        room = _ROOM - len(example.tokens) - 3
        tokens, passage = joined(example.tokens, contexts[example.context].tokens[:room])
        pairs.append(Pair(tokens, passage, 0, 0))
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].tokens))
    network.eval()
    for at in range(0, len(order), _BATCH):
        rows = order[at : at + _BATCH]
        batch = batch_of([[pairs[row]] for row in rows])
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            scores = network(batch.tokens, batch.segments, batch.there)
        first, last = scores.first.numpy(), scores.last.numpy()
        for i, row in enumerate(rows):
            inside = slice(pairs[row].passage, len(pairs[row].tokens) - 1)
            span = best_spans(first[i, inside], last[i, inside], 1)[0]
            context = contexts[asked[row].context]
            start, end = context.offsets[span.first, 0], context.offsets[span.last, 1]
            given[row] = context.text[start:end]
    network.train()
    measured = [
        agreement(text, example.answers) for text, example in zip(given, asked, strict=True)
    ]
    return {name: float(np.mean([each[name] for each in measured])) for name in AGREEMENT}
