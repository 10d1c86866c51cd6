"""The learning curve as a picture, from the log of a training."""

from __future__ import annotations

import json
from itertools import groupby, pairwise
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

_INK = "#767676"
"""A grey that is legible on white and on black alike."""


def draw(log: Path, picture: Path) -> None:
    """Draw F1 of each set over the pairs seen, as SVG, legible on light and dark ground."""
    points = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    mpl.rcParams["svg.hashsalt"] = "winnow"  # else the file differs each time
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    names = [name for name in points[0] if name.endswith(" F1")]
    for name in names:
        seen, values = [p["seen"] for p in points], [p[name] for p in points]
        axes.plot(seen, values, marker="o", markersize=3, label=f"{name}: {values[-1]:.1f} at last")
    stages = [list(of_stage) for _, of_stage in groupby(points, key=lambda p: p["stage"])]
    for before, after in pairwise(stages):
        axes.axvline(before[-1]["seen"], color=_INK, linestyle=":", linewidth=1)
        axes.annotate(f" {after[0]['stage']}", (before[-1]["seen"], axes.get_ylim()[0]), color=_INK)
    hours = points[-1]["seconds"] / 3600
    axes.set_xlabel(f"questions with a passage, {hours:.1f} hours in all", color=_INK)
    axes.set_ylabel("F1, %", color=_INK)
    axes.tick_params(colors=_INK)
    axes.legend(frameon=False, labelcolor=_INK)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_INK)
    figure.savefig(picture, transparent=True, metadata={"Date": None})
