"""What changed between two runs, by how much, and why.

Every difference is paired: the same question, asked then and now. Of a question that got better or
worse, the relevant document that made most of the difference is shown beside the one that it
passed or that passed it, with what each side gave them then and now.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from service.bootstrap import Estimate, estimate
from service.metrics import MAIN, METRICS
from service.runs import Asked, Hit, ModeRun, Run, SetRun


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a document stood and stands; None where it was not among the hits that are kept."""

    document: str
    title: str
    then: Hit | None
    now: Hit | None


@dataclass(frozen=True, slots=True)
class Change:
    """A question whose nDCG@10 changed from ``then`` to ``now``.

    ``relevant`` is the relevant document behind most of it, ``rival`` the one nearest to it that
    is now on its other side; None where there is none among the hits that are kept.
    """

    id: str
    text: str
    then: float
    now: float
    first_then: int | None
    first_now: int | None
    relevant: Standing | None
    rival: Standing | None

    @property
    def difference(self) -> float:
        """Above 0 where the question got better."""
        return self.now - self.then


@dataclass(frozen=True, slots=True)
class Difference:
    """A set in a mode, then and now.

    ``metrics`` has each metric then, now, and the difference over the questions that both runs
    have, now above then. ``changes`` are the questions that got better or worse, by how much. Of
    ``unlike`` questions the words or judgments are not those of then: they are not compared.
    """

    set: str
    mode: str
    questions: int
    unlike: int
    metrics: dict[str, tuple[float, float, Estimate]]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    ``settings`` has what was another then, model and reader included: the name with its value then
    and now. ``alone`` names
    sets, modes and metrics that only one of the runs has.
    """

    settings: dict[str, tuple[object, object]]
    alone: tuple[str, ...]
    differences: tuple[Difference, ...]


def compare(then: Run, now: Run) -> Comparison:
    """What is different in ``now``."""
    before, after = _by_name(then), _by_name(now)
    measured = _metrics(then), _metrics(now)
    known = [{**run.settings, "model": run.model, "reader": run.reader} for run in (then, now)]
    return Comparison(
        settings={
            name: (known[0].get(name), known[1].get(name))
            for name in sorted({*known[0], *known[1]})
            if known[0].get(name) != known[1].get(name)
        },
        alone=tuple(
            f"{name} {mode} ({'then' if (name, mode) in before else 'now'})"
            for name, mode in sorted(before.keys() ^ after.keys())
        )
        + tuple(
            f"{name} ({'then' if name in measured[0] else 'now'})"
            for name in METRICS
            if (name in measured[0]) != (name in measured[1])
        ),
        differences=tuple(
            _difference(of_set, before[key][1], each)
            for key, (of_set, each) in after.items()
            if key in before
        ),
    )


def _by_name(run: Run) -> dict[tuple[str, str], tuple[SetRun, ModeRun]]:
    return {(of_set.name, each.mode): (of_set, each) for of_set, each in run.modes()}


def _metrics(run: Run) -> frozenset[str]:
    return frozenset(name for _, each in run.modes() for name in each.estimates)


def _difference(of_set: SetRun, then: ModeRun, now: ModeRun) -> Difference:
    both = [(then.by_id[each.id], each) for each in now.questions if each.id in then.by_id]
    pairs = [(a, b) for a, b in both if (a.text, a.judged) == (b.text, b.judged)]
    changes = [_change(a, b) for a, b in pairs if a.metrics[MAIN] != b.metrics[MAIN]]
    return Difference(
        set=of_set.name,
        mode=now.mode,
        questions=len(pairs),
        unlike=len({*then.by_id, *now.by_id}) - len(pairs),
        metrics={name: found for name in METRICS if (found := _metric(name, pairs)) is not None},
        changes=tuple(sorted(changes, key=lambda each: -abs(each.difference))),
    )


def _metric(name: str, pairs: list[tuple[Asked, Asked]]) -> tuple[float, float, Estimate] | None:
    values = [
        (then.metrics[name], now.metrics[name])
        for then, now in pairs
        if name in then.metrics and name in now.metrics
    ]
    if not values:
        return None
    before, after = (math.fsum(column) / len(values) for column in zip(*values, strict=True))
    return before, after, estimate([now - then for then, now in values])


def _change(then: Asked, now: Asked) -> Change:
    better = now.metrics[MAIN] > then.metrics[MAIN]
    relevant = _mover(then, now, better=better)
    return Change(
        id=now.id,
        text=now.text,
        then=then.metrics[MAIN],
        now=now.metrics[MAIN],
        first_then=then.first,
        first_now=now.first,
        relevant=relevant,
        rival=_rival(then, now, relevant, better=better) if relevant else None,
    )


def _mover(then: Asked, now: Asked, *, better: bool) -> Standing | None:
    """The relevant document whose move changed nDCG most in the direction that it took."""
    moves = {}
    for document, grade in now.judged.items():
        if grade > 0:
            standing = _standing(document, then, now)
            gained = grade * (_discount(standing.now) - _discount(standing.then))
            moves[document] = gained if better else -gained, standing
    gain, standing = max(moves.values(), key=lambda each: each[0])
    return standing if gain > 0 else None


def _rival(then: Asked, now: Asked, relevant: Standing, *, better: bool) -> Standing | None:
    """The first document before the relevant one at its worse time that was not at its better."""
    worse, good = (then, now) if better else (now, then)
    there, then_good = worse.hit(relevant.document), good.hit(relevant.document)
    for hit in worse.hits:
        if hit.document == relevant.document or (there is not None and hit.place > there.place):
            break
        other = good.hit(hit.document)
        if other is None or then_good is None or other.place > then_good.place:
            return _standing(hit.document, then, now)
    return None


def _standing(document: str, then: Asked, now: Asked) -> Standing:
    before, after = then.hit(document), now.hit(document)
    title = next((hit.title for hit in (after, before) if hit is not None), "")
    return Standing(document, title, before, after)


def _discount(hit: Hit | None) -> float:
    return 1 / math.log2(hit.place + 1) if hit is not None and hit.place <= 10 else 0.0
