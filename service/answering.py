"""From a ranking to an answer, or to an honest none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.settings import Settings
from indexer.types import Scores
from service.ranked import Ranked
from service.reading import Evidence, Reader, Reading
from service.retrieval import Ranking
from service.semantics import sentence_cosines
from service.snapshot import Snapshot

READ = 20
"""Passages read for an answer, whatever the number of hits shown."""

_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer with others that are supported too; none of them if ``reason`` is not found."""

    reason: Literal["found", "no_hits", "below_threshold"]
    answer: Reading | None
    alternatives: tuple[Reading, ...]


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
    """Read the evidence and keep what is at least ``threshold`` sure; equal texts count once."""
    if not evidence:
        return Decision("no_hits", None, ())
    supported: dict[str, Reading] = {}
    for reading in reader.read(question, evidence):
        if reading.confidence >= threshold:
            supported.setdefault(" ".join(reading.text.casefold().split()), reading)
    if not supported:
        return Decision("below_threshold", None, ())
    answer, *others = supported.values()
    return Decision("found", answer, tuple(others[:_ALTERNATIVES]))
