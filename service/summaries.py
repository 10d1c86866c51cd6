"""A run in few numbers: one row for each set and mode, and one for the mean of the sets.

A row is what ``winnow eval --json`` prints and what the tables show. That of the hybrid search also
says by how much it is better than the better of its halves, which is what merging them is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.bootstrap import Estimate, estimate
from service.metrics import ANSWERS, MAIN, METRICS, RELEVANCE
from service.runs import ModeRun, Run, SetRun

MEAN = "mean"
"""The set of a row that is the mean of all sets, each of which counts the same."""

_HALVES = ("keyword", "semantic")


@dataclass(frozen=True, slots=True)
class Margin:
    """What the hybrid search has above the better of its halves, in nDCG@10."""

    half: str
    estimate: Estimate


def margin(sets: Sequence[SetRun]) -> Margin | None:
    """The margin over ``sets``, each counting the same; None where a mode was not measured."""
    if any(of_set.mode(mode) is None for of_set in sets for mode in ("hybrid", *_HALVES)):
        return None
    differences = {half: [_differences(each, half) for each in sets] for half in _HALVES}
    smallest = min(differences, key=lambda half: sum(sum(d) / len(d) for d in differences[half]))
    return Margin(smallest, estimate(*differences[smallest]))


def rows(run: Run) -> list[dict[str, object]]:
    """A row for each set and mode, then one for each mode over all sets where there are several.

    Metrics are rounded, relevance to four decimals and the rest to two; ``intervals`` has the 95 %
    interval of each. What was left out is counted only where something was.
    """
    found = [
        _row(of_set.name, each, len(each.questions), each.estimates, [of_set], _left_out(of_set))
        for of_set, each in run.modes()
    ]
    return found + list(_means(run)) if len(run.sets) > 1 else found


def _means(run: Run) -> Iterator[dict[str, object]]:
    modes = dict.fromkeys(each.mode for _, each in run.modes())
    for mode in modes:
        runs = [each for _, each in run.modes() if each.mode == mode]
        estimates = {name: estimate(*(each.values(name) for each in runs)) for name in RELEVANCE}
        asked = sum(len(each.questions) for each in runs)
        yield _row(MEAN, runs[0], asked, estimates, run.sets, {})


def _row(  # noqa: PLR0913, PLR0917 - a row has this many sources
    name: str,
    run: ModeRun,
    questions: int,
    estimates: dict[str, Estimate],
    sets: Sequence[SetRun],
    left_out: dict[str, int],
) -> dict[str, object]:
    row: dict[str, object] = {"set": name, "mode": run.mode, "queries": questions, **left_out}
    shown = {metric: estimates[metric] for metric in METRICS if metric in estimates}
    row |= {metric: _rounded(metric, each.mean) for metric, each in shown.items()}
    row["intervals"] = {
        metric: None
        if each.low is None or each.high is None
        else [_rounded(metric, each.low), _rounded(metric, each.high)]
        for metric, each in shown.items()
    }
    over = margin(sets) if run.mode == "hybrid" else None
    if over is not None:
        row["over_better_half"] = {
            "half": over.half,
            MAIN: _rounded(MAIN, over.estimate.mean),
            "interval": None
            if over.estimate.low is None or over.estimate.high is None
            else [_rounded(MAIN, over.estimate.low), _rounded(MAIN, over.estimate.high)],
        }
    return row


def _left_out(of_set: SetRun) -> dict[str, int]:
    counts = {
        "unjudged": of_set.unjudged,
        "wordless": of_set.wordless,
        "skipped": of_set.skipped,
        "missing": of_set.missing,
    }
    return {name: count for name, count in counts.items() if count}


def _differences(of_set: SetRun, half: str) -> list[float]:
    """Of each question, what the hybrid search has above ``half``."""
    hybrid, other = of_set.mode("hybrid"), of_set.mode(half)
    assert hybrid is not None  # noqa: S101 - seen to by margin()
    assert other is not None  # noqa: S101 - likewise
    return [each.metrics[MAIN] - other.by_id[each.id].metrics[MAIN] for each in hybrid.questions]


def _rounded(metric: str, value: float) -> float:
    return round(value, 2 if metric in ANSWERS else 4)
