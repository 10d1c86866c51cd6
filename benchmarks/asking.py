"""Asks judged questions as the service does, with what answers them in the collection and without.

Nothing is indexed anew for a question without an answer: the paragraphs that answer it are left out
of those that may be found. There is no threshold; what comes of one is told by the confidences. Nor
is there a limit to the time for reading: what is measured must not depend on what else is running.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass
from sets import WORK

from indexer.build import Progress
from indexer.settings import Settings
from indexer.types import Ids
from service.answering import read_answer
from service.evaluation import Indexed, unhurried
from service.judgments import Judged
from service.metrics import agreement
from service.reading import Reader
from service.requests import Mode
from service.retrieval import rank


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question; with no answer at all, an empty one of which nothing is sure.

    ``holds`` says that an accepted answer is in the given one. That is ``right`` if the collection
    had what answers the question, and luck if that was left out.
    """

    question: str
    answerable: bool
    answer: str
    confidence: float
    features: dict[str, float]
    holds: bool
    f1: float

    @property
    def right(self) -> bool:
        """Whether it is the answer, or at least half of what it says and should say is the same."""
        return self.answerable and (self.holds or self.f1 >= 50)


@dataclass(frozen=True, slots=True)
class Asked:
    """The outcomes of a set, and by which reader and when."""

    name: str
    reader: str
    when: dt.datetime
    outcomes: tuple[Outcome, ...]


_FILE = TypeAdapter(Asked)


def ask_all(  # noqa: PLR0913, PLR0917 - what is asked, where, of whom, and without what
    judged: Judged,
    index: Indexed,
    reader: Reader,
    mode: Mode,
    left_out: Mapping[str, frozenset[str]],
    progress: Progress,
) -> Asked:
    """Ask each question twice: of the whole set, and without its ``left_out`` documents."""
    outcomes: list[Outcome] = []
    documents = index.documents()
    everything = index.snapshot.store.keys()
    for done, id_ in enumerate(judged.questions):
        progress(f"{judged.name} {mode}", done, len(judged.questions))
        gone = [documents[each] for each in left_out[id_] if each in documents]
        rest = np.setdiff1d(everything, np.concatenate(gone)) if gone else everything
        outcomes += [_ask(judged, id_, index, reader, mode, among) for among in (None, rest)]
    progress(f"{judged.name} {mode}", len(judged.questions), len(judged.questions))
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    return Asked(judged.name, type(reader).__name__, now, tuple(outcomes))


def unlimited(settings: Settings) -> Settings:
    """``settings`` with all the time for reading that is needed, and an answer in any case."""
    return unhurried(settings).model_copy(update={"answer_threshold": 0.0})


def _ask(  # noqa: PLR0913, PLR0917 - see ask_all
    judged: Judged, id_: str, index: Indexed, reader: Reader, mode: Mode, among: Ids | None
) -> Outcome:
    settings = unlimited(index.settings)
    ranking = rank(index.snapshot, settings, judged.questions[id_], mode, among=among)
    _, decision = read_answer(index.snapshot, settings, reader, ranking)
    if decision.answer is None:
        return Outcome(id_, among is None, "", 0.0, {}, holds=False, f1=0.0)
    agreed = agreement(decision.answer.text, judged.answers[id_])
    return Outcome(
        id_,
        among is None,
        decision.answer.text,
        decision.answer.confidence,
        dict(decision.answer.best.features),
        holds=agreed["Contains"] > 0,
        f1=agreed["F1"],
    )


def path_of(name: str, sample: int | None) -> Path:
    """Where the outcomes called ``name`` are kept; those of a sample are no others' place."""
    return WORK / "asked" / (f"{name}-{sample}.json" if sample else f"{name}.json")


def keep(asked: Asked, path: Path) -> None:
    """Write the outcomes to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_FILE.dump_json(asked, indent=0))


def kept(path: Path) -> Asked:
    """The outcomes that :func:`keep` wrote."""
    return _FILE.validate_json(path.read_bytes())
