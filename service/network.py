"""The reader's network: the embedding model's encoder, trained further, with three outputs.

It reads a question and a passage together and gives every token a score as the first of the answer
and one as the last, and the pair one for holding an answer at all. The encoder is BERT's (Devlin et
al., NAACL 2019) in the size of MiniLM-L6-H384 (Wang et al., NeurIPS 2020). Its embedding tables are
the packaged embedding model's and stay as they are, so only the layers above them are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

_WIDTH, _HEADS, _LAYERS, _INNER = 384, 12, 6, 1536
_EPSILON = 1e-12

POSITIONS = 512
"""Tokens that can be read at once."""


class Scores(NamedTuple):
    """Of n pairs of t tokens: shapes (n, t), (n, t) and (n,); padding has minus infinity."""

    first: Tensor
    last: Tensor
    answerable: Tensor


class Network(nn.Module):
    """Scores pairs of question and passage, given as tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = _Embeddings()
        self.layers = nn.ModuleList(_Layer() for _ in range(_LAYERS))
        self.spans = nn.Linear(_WIDTH, 2)
        self.answerable = nn.Linear(_WIDTH, 1)

    def forward(self, tokens: Tensor, segments: Tensor, there: Tensor) -> Scores:
        """Score n pairs; all arguments have shape (n, t).

        Args:
            tokens: Ids, the first of each pair that of ``[CLS]``.
            segments: 0 for the question, 1 for the passage.
            there: True for tokens, False for padding.
        """
        state = self.embeddings(tokens, segments)
        mask = torch.zeros_like(there, dtype=state.dtype).masked_fill(~there, float("-inf"))
        for layer in self.layers:
            state = layer(state, mask[:, None, None, :])
        first, last = self.spans(state).float().unbind(-1)
        return Scores(
            first.masked_fill(~there, float("-inf")),
            last.masked_fill(~there, float("-inf")),
            self.answerable(state[:, 0]).float().squeeze(-1),
        )

    def start_from(self, base: Path) -> None:
        """Take embeddings and encoder from the ``model.safetensors`` of an embedding model."""
        with safe_open(base, "pt") as stored:
            self.embeddings.load_state_dict(
                {
                    "words.weight": stored.get_tensor("embeddings.word_embeddings.weight"),
                    "positions.weight": stored.get_tensor("embeddings.position_embeddings.weight"),
                    "segments.weight": stored.get_tensor("embeddings.token_type_embeddings.weight"),
                    "norm.weight": stored.get_tensor("embeddings.LayerNorm.weight"),
                    "norm.bias": stored.get_tensor("embeddings.LayerNorm.bias"),
                }
            )
            for number, layer in enumerate(self.layers):
                prefix = f"encoder.layer.{number}"
                state = {}
                for kind in ("weight", "bias"):
                    parts = [
                        stored.get_tensor(f"{prefix}.attention.self.{part}.{kind}")
                        for part in ("query", "key", "value")
                    ]
                    state[f"attended.{kind}"] = torch.cat(parts)
                    for ours, theirs in _NAMES.items():
                        state[f"{ours}.{kind}"] = stored.get_tensor(f"{prefix}.{theirs}.{kind}")
                layer.load_state_dict(state)

    def trained(self) -> dict[str, Tensor]:
        """What training changes, by name: all but the embeddings."""
        return {
            name: value
            for name, value in self.state_dict().items()
            if not name.startswith("embeddings.")
        }

    def load_trained(self, weights: Mapping[str, Tensor]) -> None:
        """Take what :meth:`trained` gives; ValueError if a part is missing or is not one."""
        if weights.keys() != self.trained().keys():
            raise ValueError("its parts are not those of this network")
        self.load_state_dict({name: each.float() for name, each in weights.items()}, strict=False)


_NAMES = {
    "gathered": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "widened": "intermediate.dense",
    "narrowed": "output.dense",
    "norm": "output.LayerNorm",
}
"""The parts of a layer, and what BERT's published weights call them."""


class _Embeddings(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30_522, _WIDTH)
        self.positions = nn.Embedding(POSITIONS, _WIDTH)
        self.segments = nn.Embedding(2, _WIDTH)
        self.norm = nn.LayerNorm(_WIDTH, _EPSILON)
        self.requires_grad_(requires_grad=False)

    def forward(self, tokens: Tensor, segments: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        summed = self.words(tokens) + self.segments(segments) + self.positions(places)
        normed: Tensor = self.norm(summed)
        return normed


class _Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attended = nn.Linear(_WIDTH, 3 * _WIDTH)
        self.gathered = nn.Linear(_WIDTH, _WIDTH)
        self.attention_norm = nn.LayerNorm(_WIDTH, _EPSILON)
        self.widened = nn.Linear(_WIDTH, _INNER)
        self.narrowed = nn.Linear(_INNER, _WIDTH)
        self.norm = nn.LayerNorm(_WIDTH, _EPSILON)

    def forward(self, state: Tensor, mask: Tensor) -> Tensor:
        n, t, width = state.shape
        parts = self.attended(state).view(n, t, 3, _HEADS, width // _HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4).contiguous().unbind(0)
        # Written out: in bfloat16 on a processor without matrix units, torch's fused attention
        # takes two to three times as long, forwards and backwards together.
        scores = query @ key.transpose(-1, -2) * (width // _HEADS) ** -0.5
        weights = (scores + mask.to(scores.dtype)).softmax(-1).to(value.dtype)
        mixed = (weights @ value).transpose(1, 2).reshape(n, t, width)
        state = self.attention_norm(state + self.gathered(mixed))
        inner = functional.gelu(self.widened(state))
        normed: Tensor = self.norm(state + self.narrowed(inner))
        return normed
