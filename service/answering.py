"""From a ranking to an answer, or to an honest none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from service.reading import Evidence, Reader, Reading

READ = 10
"""Passages read for an answer, whatever the number of hits shown."""

_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer with others that are supported too; none of them if ``reason`` is not found."""

    reason: Literal["found", "no_hits", "below_threshold"]
    answer: Reading | None
    alternatives: tuple[Reading, ...]


def decide(
    reader: Reader, question: str, evidence: Sequence[Evidence], threshold: float
) -> Decision:
    """Read the evidence and keep what is at least ``threshold`` sure; equal texts count once."""
    if not evidence:
        return Decision("no_hits", None, ())
    supported: dict[str, Reading] = {}
    for reading in reader.read(question, evidence):
        if reading.confidence >= threshold:
            supported.setdefault(_words(reading), reading)
    if not supported:
        return Decision("below_threshold", None, ())
    answer, *others = supported.values()
    return Decision("found", answer, tuple(others[:_ALTERNATIVES]))


def _words(reading: Reading) -> str:
    text = reading.passage.paragraph.text[reading.answer.start : reading.answer.end]
    return " ".join(text.casefold().split())
