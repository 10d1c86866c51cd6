"""The learning curve as a picture, from the log of a training."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

Point = dict[str, Any]
"""A line of the log."""

_INK = "#767676"
"""A grey that is legible on white and on black alike."""


def draw(log: Path, picture: Path) -> None:
    """Draw F1 of each set over the pairs seen, as SVG, legible on light and dark ground.

    Broken lines are branches, on which the learning rate falls; the level line is the mean of their
    ends, which is the last line of the log.
    """
    points = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    mpl.rcParams["svg.hashsalt"] = "winnow"  # else the file differs each time
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    names = [name for name in points[0] if name.endswith(" F1")]
    *learnt, mean = points
    trunk = [point for point in learnt if not point["falling"]]
    for number, name in enumerate(names):
        look: dict[str, Any] = {"color": f"C{number}", "marker": "o", "markersize": 3}
        label = f"{name}: {mean[name]:.1f} for the mean"
        axes.plot(*_line(trunk, name), **look, label=label)
        for branch in _branches(learnt):
            axes.plot(*_line(branch, name), **look, linestyle="--", linewidth=1)
        axes.axhline(mean[name], color=f"C{number}", linewidth=0.7)
    for before, after in pairwise(trunk):
        if before["stage"] != after["stage"]:
            axes.axvline(before["seen"], color=_INK, linestyle=":", linewidth=1)
            axes.annotate(f" {after['stage']}", (before["seen"], axes.get_ylim()[0]), color=_INK)
    hours = mean["seconds"] / 3600
    axes.set_xlabel(f"questions with a passage on the way, {hours:.1f} hours in all", color=_INK)
    axes.set_ylabel("F1, %", color=_INK)
    axes.tick_params(colors=_INK)
    axes.legend(frameon=False, labelcolor=_INK)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_INK)
    figure.savefig(picture, transparent=True, metadata={"Date": None})


def _branches(points: list[Point]) -> Iterator[list[Point]]:
    """The points of each branch, after the one at which it leaves the trunk."""
    leaves = points[0]
    branch: list[Point] = []
    for point in points:
        if point["falling"]:
            branch = [*(branch or [leaves]), point]
            continue
        if branch:
            yield branch
        branch, leaves = [], point
    if branch:
        yield branch


def _line(points: list[Point], name: str) -> tuple[list[int], list[float]]:
    return [point["seen"] for point in points], [point[name] for point in points]
