"""Measurements as lines of text for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.bootstrap import Estimate
from service.comparison import Change, Comparison, Difference, Standing
from service.lines import printable
from service.metrics import ANSWERS, MAIN, METRICS
from service.questions import SavedQuestion
from service.runs import Hit
from service.tuning import LEAST, Fit
from service.wording import ordinal

_LEFT_OUT = {
    "unjudged": "questions left out: nothing is judged for them",
    "wordless": "judged questions left out: their words are not in queries.jsonl",
    "skipped": "documents skipped: they cannot be read",
    "missing": "judged documents are not in the corpus: they count as not found",
}


def evaluation_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One line a set and mode with metrics in columns, then what is to be known of them."""
    names = [name for name in METRICS if any(name in row for row in rows)]
    table = [["set", "mode", "queries", *names]]
    for row in rows:
        cells = (_cell(name, row) for name in names)
        table.append([printable(row["set"]), row["mode"], str(row["queries"]), *cells])
    yield from aligned(table)
    for row in rows:
        if over := row.get("over_better_half"):
            shown = _interval(over["interval"], signed=True)
            yield (
                f"{printable(row['set'])}: hybrid {over[MAIN]:+.4f}{shown} {MAIN} against "
                f"{over['half']}, the better of its halves"
            )
    for name, reason in _LEFT_OUT.items():
        counts = {row["set"]: row[name] for row in rows if name in row}
        yield from (f"{printable(of)}: {count} {reason}" for of, count in counts.items())


def comparison_lines(comparison: Comparison, changes: int) -> Iterator[str]:
    """What changed since the run compared with; of each set and mode ``changes`` either way."""
    for name, (then, now) in comparison.settings.items():
        yield f"{name} was {then} and is {now}"
    if comparison.alone:
        yield f"in one run only: {', '.join(map(printable, comparison.alone))}"
    for each in comparison.differences:
        yield ""
        yield from _difference(each, changes)


def fit_lines(
    result: Fit, start: Mapping[str, float], origin: Sequence[str], *, kept: bool
) -> Iterator[str]:
    """What a fit came to, and whether its values are in use from now on, ``kept``."""
    questions = f"{result.questions} questions of {', '.join(map(printable, origin))}"
    yield f"{MAIN} {result.start:.4f} with {_values(start)}, on {questions}"
    if result.verdict == "too few":
        yield f"Nothing is fitted: it takes at least {LEAST} questions."
        return
    if result.verdict != "unchanged":
        yield f"{MAIN} {result.end:.4f} with {_values(result.values)}, fitted to them"
    if result.gain is not None:
        yield f"{signed(result.gain)} on questions that were not fitted to"
    if result.verdict == "unchanged":
        yield "Nothing is changed: no other value is better."
    elif result.verdict == "not significant":
        yield "Nothing is changed: the gain may be luck, as its interval is not wholly above 0."
    elif kept:
        yield f"Changed: {_values(result.values)} from now on; winnow tune --reset takes it back."
    else:
        yield "Nothing is changed: without --dry-run it would be."


def moved_lines(changes: Mapping[SavedQuestion, SavedQuestion]) -> Iterator[str]:
    """Saved questions whose recorded rank is another since the weights are."""
    for before, now in changes.items():
        ranks = f"{ordinal(before.rank)} -> {ordinal(now.rank)}"
        yield f"recorded anew: {printable(before.question)}: {ranks}"


def aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows of ``table`` in columns."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def signed(estimate: Estimate) -> str:
    """A difference with its interval."""
    low, high = estimate.low, estimate.high
    interval = None if low is None or high is None else [low, high]
    return f"{estimate.mean:+.4f}{_interval(interval, signed=True)}"


def _cell(name: str, row: Mapping[str, Any]) -> str:
    if name not in row:
        return ""
    if name in ANSWERS:
        return f"{row[name]:.2f}"
    return f"{row[name]:.4f}" + (_interval(row["intervals"][name]) if name == MAIN else "")


def _interval(bounds: Sequence[float] | None, *, signed: bool = False) -> str:
    if bounds is None:
        return ""
    low, high = (f"{each:+.4f}" if signed else f"{each:.4f}" for each in bounds)
    return f" [{low}, {high}]"


def _difference(each: Difference, changes: int) -> Iterator[str]:
    yield f"{printable(each.set)} {each.mode}, {each.questions} questions"
    if each.unlike:
        yield f"   {each.unlike} questions are not compared: only one run has them as they are"
    yield from aligned(
        [
            ["  ", name, f"{then:.4f} -> {now:.4f}", signed(estimate)]
            for name, (then, now, estimate) in each.metrics.items()
        ]
    )
    better = [change for change in each.changes if change.difference > 0]
    worse = [change for change in each.changes if change.difference < 0]
    same = each.questions - len(each.changes)
    yield f"   {len(better)} better, {len(worse)} worse, {same} as they were"
    for name, found in (("worse", worse), ("better", better)):
        for change in found[:changes]:
            yield from _change(name, change)


def _change(name: str, change: Change) -> Iterator[str]:
    yield (
        f"   {name}: {printable(change.id)} “{printable(change.text)}” "
        f"{MAIN} {change.then:.4f} -> {change.now:.4f}"
    )
    if change.relevant is not None:
        yield from _standing("relevant", change.relevant)
    if change.rival is not None:
        role = "now before it" if name == "worse" else "before it then"
        yield from _standing(role, change.rival)


def _standing(role: str, standing: Standing) -> Iterator[str]:
    title = f" “{printable(standing.title)}”" if standing.title else ""
    yield f"      {role}: {printable(standing.document)}{title}"
    yield f"         then {_hit(standing.then)}"
    yield f"         now  {_hit(standing.now)}"


def _values(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def _hit(hit: Hit | None) -> str:
    if hit is None:
        return "not among the hits that are kept"
    parts = (
        f"{part.points:.4f} {part.source} "
        f"({f'rank {part.rank}' if part.rank else 'unranked'}, raw {part.raw:.3f})"
        for part in hit.parts
    )
    return f"{ordinal(hit.place)}, paragraph {hit.paragraph}: {hit.score:.4f} = {' + '.join(parts)}"
