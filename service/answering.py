"""From a ranking to an answer, or to an honest none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.settings import Settings
from indexer.types import Scores
from service.assembly import Answer, assembled, well_cut
from service.ranked import Ranked
from service.reading import Evidence, Reader
from service.retrieval import Ranking
from service.semantics import sentence_cosines
from service.snapshot import Snapshot
from service.wording import percent

READ = 20
"""Passages read for an answer, whatever the number of hits shown."""

_ALTERNATIVES = 3

_RIVAL = 0.5
"""Share of the answer's confidence that an alternative has at least."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer with others that are supported too; none of them if ``reason`` is not found.

    ``detail`` says in words how far the best candidate was from being one, where there was one,
    and ``surest`` is how sure it is.
    """

    reason: Literal["found", "no_hits", "below_threshold"]
    answer: Answer | None
    alternatives: tuple[Answer, ...]
    detail: str | None = None
    surest: float | None = None

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answer and the alternatives."""
        return (self.answer, *self.alternatives) if self.answer else ()


def read_answer(
    snapshot: Snapshot, settings: Settings, reader: Reader, ranking: Ranking, shown: int = 0
) -> tuple[list[Evidence], Decision]:
    """The answer to the question of ``ranking``, after the evidence for it.

    There is as much evidence as is read, and at least ``shown`` passages where so many were found.
    Whoever wants to know what the product answers, be it to measure it, asks here.
    """
    evidence = gather(snapshot, ranking, ranking.ranked[: max(READ, shown)])
    question, threshold = ranking.query.question, settings.answer_threshold
    return evidence, decide(reader, question, evidence[:READ], threshold)


def gather(snapshot: Snapshot, ranking: Ranking, ranked: Sequence[Ranked]) -> list[Evidence]:
    """What there is to read of the ``ranked`` paragraphs, in their order."""
    keys = [each.paragraph for each in ranked]
    cosines: Sequence[Scores | None] = [None] * len(keys)
    if ranking.vector is not None:
        of_each = sentence_cosines(snapshot.store, ranking.vector, keys)
        cosines = [of_sentences for _, of_sentences in of_each]
    return [
        Evidence(passage, each.score, of_sentences, ranking.extracts.get(each.paragraph))
        for passage, each, of_sentences in zip(
            snapshot.store.passages(keys), ranked, cosines, strict=True
        )
    ]


def decide(
    reader: Reader, question: str, evidence: Sequence[Evidence], threshold: float
) -> Decision:
    """Read the evidence and put together what is at least ``threshold`` sure."""
    if not evidence:
        return Decision("no_hits", None, ())
    readings = well_cut(reader.read(question, evidence))
    answers = assembled([each for each in readings if each.confidence >= threshold])
    if not answers:
        surest = max((each.confidence for each in readings), default=None)
        detail = None if surest is None else _shortfall(surest, threshold)
        return Decision("below_threshold", None, (), detail, surest)
    answer, *others = answers
    rivals = [each for each in others if each.confidence >= _RIVAL * answer.confidence]
    return Decision("found", answer, tuple(rivals[:_ALTERNATIVES]))


def _shortfall(surest: float, threshold: float) -> str:
    said, wanted = percent(surest), percent(threshold)
    if said == wanted:
        said, wanted = f"{100 * surest:.2f} %", f"{100 * threshold:.2f} %"
    return f"The best candidate is {said} sure; the threshold is {wanted}."
