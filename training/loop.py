"""The training itself: steps, the moving average of the weights, and checkpoints to go on from."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from service.network import Network
from training.batches import Batch, Source, drawn
from training.recipe import Leg, Recipe, Stage

_CLIP = 1.0
"""Norm that gradients are cut to."""

Evaluate = Callable[[Network], dict[str, float]]


class Trainer:
    """Trains a network, from its last checkpoint if there is one in ``folder``."""

    def __init__(self, network: Network, recipe: Recipe, folder: Path, device: str = "cpu") -> None:
        self.network = network.to(device)
        factor = get_ema_multi_avg_fn(recipe.average)  # type: ignore[no-untyped-call]  # published so
        self._average = AveragedModel(self.network, multi_avg_fn=factor)
        self._recipe, self._folder, self._device = recipe, folder, device
        self._optimizer = self._fresh_optimizer(recipe.stages[0])
        self._leg, self._done = 0, 0
        self._seen, self._seconds = 0, 0.0
        self._losses: list[float] = []

    @property
    def average(self) -> Network:
        """The moving average of the weights; after the training, the mean of the branches' ends."""
        return cast("Network", self._average.module)

    def train(self, sources: list[list[Source]], evaluate: Evaluate) -> None:
        """Go through all legs from the last checkpoint on; ``sources`` has a list for each stage.

        Raises:
            ValueError: There is no branch in the recipe, and so nothing to come of it.
        """
        legs = list(self._recipe.legs())
        ends = [number for number, leg in enumerate(legs) if leg.falling]
        if not ends:
            raise ValueError("no stage of the recipe has a fall, whose end could be the result")
        if (self._folder / "checkpoint.pt").exists():
            self._load("checkpoint")
        for number, leg in list(enumerate(legs))[self._leg :]:
            self._go(leg, sources[leg.stage], evaluate)
            if leg.falling:
                self._write(f"end-{number}", self.average.trained())
                spent = self._seconds
                self._load("trunk")
                self._seconds = spent
            self._leg, self._done = number + 1, 0
            self._save("checkpoint")
        self._load_mean([f"end-{number}" for number in ends])
        if self._leg == len(legs):
            self._log("mean", evaluate, falling=False)
            self._leg += 1
            self._save("checkpoint")

    def _go(self, leg: Leg, sources: list[Source], evaluate: Evaluate) -> None:
        stage = self._recipe.stages[leg.stage]
        if not self._done and leg.falling:
            self._save("trunk")
        if not self._done and leg.stage and not leg.begin:
            self.network.load_trained(self.average.trained())
            self._optimizer = self._fresh_optimizer(stage)
        steps = list(self._steps(leg, sources))
        for progress, batch in steps[self._done :]:
            began = time.monotonic()
            self._step(stage, batch, rate_at(stage, leg, progress))
            self._seconds += time.monotonic() - began
            self._done += 1
            if self._done % self._recipe.kept_every == 0:
                self._save("checkpoint")
            if self._done % self._recipe.logged_every == 0:
                self._log(stage.name, evaluate, falling=leg.falling)
        self._log(stage.name, evaluate, falling=leg.falling)

    def _steps(self, leg: Leg, sources: list[Source]) -> Iterator[tuple[float, Batch]]:
        """The batches of a leg, each with its place in rounds."""
        stage = self._recipe.stages[leg.stage]
        for round_ in range(math.floor(leg.begin), math.ceil(leg.end)):
            batches = list(drawn(sources, stage, self._seed(leg.stage, round_)))
            first, last = (
                math.ceil(len(batches) * min(1.0, max(0.0, place - round_)))
                for place in (leg.begin, leg.end)
            )
            for step in range(first, last):
                yield round_ + step / len(batches), batches[step]

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

    def _log(self, stage: str, evaluate: Evaluate, *, falling: bool) -> None:
        line = {
            "stage": stage,
            "falling": falling,
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
            "network": self.network.trained(),
            "average": self.average.trained(),
            "optimizer": self._optimizer.state_dict(),
            "leg": self._leg,
            "done": self._done,
            "seen": self._seen,
            "seconds": self._seconds,
            "losses": self._losses,
        }
        self._write(name, state)

    def _load(self, name: str) -> None:
        state = self._read(name)
        self._leg, self._done = state["leg"], state["done"]
        legs = list(self._recipe.legs())
        of = legs[min(self._leg, len(legs) - 1)].stage
        self._optimizer = self._fresh_optimizer(self._recipe.stages[of])
        self.network.load_trained(state["network"])
        self.average.load_trained(state["average"])
        self._average.n_averaged.fill_(1)  # only whether there was one before matters
        self._optimizer.load_state_dict(state["optimizer"])
        self._seen, self._seconds = state["seen"], state["seconds"]
        self._losses = state["losses"]

    def _load_mean(self, ends: list[str]) -> None:
        states = [self._read(name) for name in ends]
        mean = {name: torch.stack([each[name] for each in states]).mean(0) for name in states[0]}
        self.average.load_trained(mean)

    def _write(self, name: str, state: Mapping[str, Any]) -> None:
        path = self._folder / f"{name}.pt"
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def _read(self, name: str) -> dict[str, Any]:
        path = self._folder / f"{name}.pt"
        state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        return state


def rate_at(stage: Stage, leg: Leg, progress: float) -> float:
    """The share of the stage's learning rate at a place in rounds."""
    if leg.falling:
        return (leg.end - progress) / (leg.end - leg.begin)
    return min(1.0, progress / stage.warm + 0.025)


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
