"""What the reader is trained on, in which order and how fast."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training.

    ``shares`` names the files and the share of their questions that each round draws. ``room`` is
    the most tokens of a pair, and ``negatives`` the share of the drawn questions that are also
    shown with a passage that does not answer them. Where ``compared`` is set, the two are read in
    one batch and the answer has to stand out from the tokens of both. The learning rate rises to
    ``rate`` in the first ``warm`` rounds.
    """

    name: str
    shares: dict[str, float]
    rounds: float
    room: int
    batch: int
    rate: float
    negatives: float
    compared: bool
    warm: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole training.

    The learning rate is constant and falls to nothing during the last ``falling`` part of the last
    stage (Zhai et al., CVPR 2022): more rounds can follow on what was learnt before it fell, which
    is kept as ``level.pt``. Each layer learns ``deeper`` times as fast as the one above it. The
    result is the moving average of the weights with factor ``average``. ``kept_every`` and
    ``logged_every`` are steps between checkpoints and between measurements. One context in
    ``held_out`` is kept from training, with all its questions.
    """

    stages: tuple[Stage, ...]
    seed: int = 7
    falling: float = 0.4
    deeper: float = 0.88
    average: float = 0.998
    decay: float = 0.01
    held_out: int = 25
    kept_every: int = 250
    logged_every: int = 500


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
            rounds=1,
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
