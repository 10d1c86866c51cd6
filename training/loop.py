"""The training itself: steps, the moving average of the weights, and checkpoints to go on from."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from service.network import Network
from training.batches import Batch, Source, drawn
from training.recipe import Recipe, Stage

_CLIP = 1.0
"""Norm that gradients are cut to."""

Evaluate = Callable[[Network], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the training is: the next batch is ``step`` of ``round`` of ``stage``."""

    stage: int = 0
    round: int = 0
    step: int = 0


class Trainer:
    """Trains a network, from its last checkpoint if there is one in ``folder``."""

    def __init__(self, network: Network, recipe: Recipe, folder: Path, device: str = "cpu") -> None:
        self.network = network.to(device)
        factor = get_ema_multi_avg_fn(recipe.average)  # type: ignore[no-untyped-call]  # published so
        self._average = AveragedModel(self.network, multi_avg_fn=factor)
        self._recipe, self._folder, self._device = recipe, folder, device
        self._optimizer = self._fresh_optimizer(recipe.stages[0])
        self._place = Place()
        self._seen, self._seconds = 0, 0.0
        self._losses: list[float] = []

    @property
    def average(self) -> Network:
        """The result: the moving average of the weights."""
        return cast("Network", self._average.module)

    def train(self, sources: list[list[Source]], evaluate: Evaluate) -> None:
        """Go through all stages from the last checkpoint on; ``sources`` has a list for each."""
        self._resume()
        for number, stage in enumerate(self._recipe.stages):
            if number < self._place.stage:
                continue
            for round_ in range(self._place.round, math.ceil(stage.rounds)):
                batches = list(drawn(sources[number], stage, self._seed(number, round_)))
                end = round(len(batches) * min(1.0, stage.rounds - round_))
                for step in range(self._place.step, end):
                    began = time.monotonic()
                    progress = (round_ + step / len(batches)) / stage.rounds
                    if self._falls(number, progress) and not self._file("level").exists():
                        self._save("level")
                    self._step(stage, batches[step], self._rate(number, progress))
                    self._seconds += time.monotonic() - began
                    self._place = Place(number, round_, step + 1)
                    if (step + 1) % self._recipe.kept_every == 0:
                        self._save("checkpoint")
                    if (step + 1) % self._recipe.logged_every == 0:
                        self._log(stage, evaluate)
                self._place = Place(number, round_ + 1)
                self._save("checkpoint")
            self._log(stage, evaluate)
            if number + 1 < len(self._recipe.stages):
                self.network.load_state_dict(self.average.state_dict())
                self._optimizer = self._fresh_optimizer(self._recipe.stages[number + 1])
            self._place = Place(number + 1)
            self._save("checkpoint")

    def _step(self, stage: Stage, batch: Batch, rate: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = stage.rate * rate * group["pace"]
        with torch.autocast(self._device, torch.bfloat16):
            loss = loss_of(self.network, batch, self._device, compared=stage.compared)
        loss.backward()  # type: ignore[no-untyped-call]  # published so
        nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._average.update_parameters(self.network)
        self._seen += len(batch.first)
        self._losses.append(loss.item())

    def _falls(self, stage: int, progress: float) -> bool:
        last = stage + 1 == len(self._recipe.stages)
        return last and progress > 1 - self._recipe.falling

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.pt"

    def _rate(self, stage: int, progress: float) -> float:
        if self._falls(stage, progress):
            return (1 - progress) / self._recipe.falling
        of_stage = self._recipe.stages[stage]
        return min(1.0, progress * of_stage.rounds / of_stage.warm + 0.025)

    def _fresh_optimizer(self, stage: Stage) -> torch.optim.Optimizer:
        depth = len(self.network.layers)
        groups = [
            {
                "params": list(layer.parameters()),
                "pace": self._recipe.deeper ** (depth - 1 - number),
            }
            for number, layer in enumerate(self.network.layers)
        ]
        outputs = [*self.network.spans.parameters(), *self.network.answerable.parameters()]
        groups.append({"params": outputs, "pace": 1.0})
        return torch.optim.AdamW(groups, lr=stage.rate, weight_decay=self._recipe.decay, fused=True)

    def _seed(self, stage: int, round_: int) -> int:
        return self._recipe.seed * 10_000 + stage * 100 + round_

    def _log(self, stage: Stage, evaluate: Evaluate) -> None:
        line = {
            "stage": stage.name,
            "seen": self._seen,
            "seconds": round(self._seconds),
            "loss": round(sum(self._losses) / max(1, len(self._losses)), 4),
            **{name: round(value, 2) for name, value in evaluate(self.average).items()},
        }
        self._losses = []
        with (self._folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _save(self, name: str) -> None:
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "place": (self._place.stage, self._place.round, self._place.step),
            "seen": self._seen,
            "seconds": self._seconds,
            "losses": self._losses,
        }
        path = self._file(name)
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def _resume(self) -> None:
        path = self._file("checkpoint")
        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        self._place = Place(*state["place"])
        stages = self._recipe.stages
        self._optimizer = self._fresh_optimizer(stages[min(self._place.stage, len(stages) - 1)])
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._average.n_averaged.fill_(1)  # only whether there was one before matters
        self._optimizer.load_state_dict(state["optimizer"])
        self._seen, self._seconds = state["seen"], state["seconds"]
        self._losses = state["losses"]


def loss_of(network: Network, batch: Batch, device: str, *, compared: bool) -> Tensor:
    """Mean cross-entropy of both ends and of whether there is an answer at all.

    Where pairs are ``compared``, half of the first is over the tokens of all pairs of a question
    instead of over those of one and ``[CLS]``: the shared normalisation of Clark and Gardner
    (ACL 2018), which makes the scores of passages comparable.
    """
    scores = network(batch.tokens.to(device), batch.segments.to(device), batch.there.to(device))
    first, last = batch.first.to(device), batch.last.to(device)
    ends = functional.cross_entropy(scores.first, first) + functional.cross_entropy(
        scores.last, last
    )
    if compared:
        asked = batch.asked.to(device)
        among = _among(scores.first, first, asked) + _among(scores.last, last, asked)
        ends = (ends + among) / 2
    answered = functional.binary_cross_entropy_with_logits(scores.answerable, (first > 0).float())
    return ends / 2 + answered / 2


def _among(scores: Tensor, at: Tensor, asked: Tensor) -> Tensor:
    """Mean cross-entropy of the tokens ``at`` among all tokens of their question."""
    of_pairs = scores[:, 1:].logsumexp(1)
    others = asked[:, None] != asked[None, :]
    of_questions = of_pairs.expand(len(asked), -1).masked_fill(others, float("-inf")).logsumexp(1)
    answered = at > 0
    right = scores.gather(1, at[:, None]).squeeze(1)
    return (of_questions - right)[answered].sum() / answered.sum().clamp(min=1)
