"""What the reader is trained on, in which order and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training.

    ``shares`` names the files and the share of their questions that each round draws. ``room`` is
    the most tokens of a pair, and ``negatives`` the share of the drawn questions that are also
    shown with a passage that does not answer them. Where ``compared`` is set, the two are read in
    one batch and the answer has to stand out from the tokens of both. The learning rate rises to
    ``rate`` in the first ``warm`` rounds and stays there. ``falls`` are the places, in rounds,
    where a branch leaves, and for how many more rounds: on it the rate falls to nothing.
    """

    name: str
    shares: dict[str, float]
    rounds: float
    falls: tuple[tuple[float, float], ...]
    room: int
    batch: int
    rate: float
    negatives: float
    compared: bool
    warm: float


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a stage, from one place to another, in rounds: of the trunk, or a branch."""

    stage: int
    begin: float
    end: float
    falling: bool


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole training.

    The learning rate is constant but on branches (Zhai et al., CVPR 2022), and what is learnt on
    them does not come back to the trunk. The result is the mean of the ends of all branches, which
    reads better than each (Wortsman et al., ICML 2022). Each layer learns ``deeper`` times as fast
    as the one above it; what counts as an end is the moving average of the weights with factor
    ``average``. ``kept_every`` and ``logged_every`` are steps between checkpoints and between
    measurements. One context in ``held_out`` is kept from training, with all its questions.
    """

    stages: tuple[Stage, ...]
    seed: int = 7
    deeper: float = 0.88
    average: float = 0.998
    decay: float = 0.01
    held_out: int = 25
    kept_every: int = 250
    logged_every: int = 500

    def legs(self) -> Iterator[Leg]:
        """All that is to be done, in order; what follows a branch goes on where it left."""
        for number, stage in enumerate(self.stages):
            begin = 0.0
            for at, over in stage.falls:
                if at > begin:
                    yield Leg(number, begin, at, falling=False)
                yield Leg(number, at, at + over, falling=True)
                begin = at
            if stage.rounds > begin:
                yield Leg(number, begin, stage.rounds, falling=False)


_PARAGRAPHS = {
    "squad-train-part": 1.0,
    "tydiqa-en-train": 1.0,
    "qed-dev": 1.0,
    "mlqa-en-dev": 1.0,
    "squadshifts-amazon": 0.45,
    "squadshifts-reddit": 0.45,
}

RECIPE = Recipe(
    stages=(
        Stage(
            name="sentences",
            shares={"qasrl-filled": 0.42, "qamr": 0.33},
            rounds=1,
            falls=(),
            room=88,
            batch=48,
            rate=3e-4,
            negatives=0.0,
            compared=False,
            warm=0.04,
        ),
        Stage(
            name="paragraphs",
            shares=_PARAGRAPHS,
            rounds=0.84,
            falls=((0.84, 0.56),),
            room=256,
            batch=16,
            rate=2e-4,
            negatives=0.22,
            compared=False,
            warm=0.08,
        ),
        Stage(
            name="comparisons",
            shares=_PARAGRAPHS,
            rounds=0.96,
            falls=((0.6, 0.4), (0.96, 0.64)),
            room=256,
            batch=16,
            rate=2e-4,
            negatives=0.6,
            compared=True,
            warm=0.04,
        ),
    )
)
"""The one behind the weights that ship."""
