"""What a build did: told to whoever asked for it, and kept with the generation that it made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from indexer.articles import Notice
from indexer.errors import IndexCorrupt
from indexer.types import Skipped


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    ``added`` to ``removed`` count seed files; ``unsettled`` names those that were left as they were
    because they seemed to be still being written. ``embedded`` counts the texts (windows, sentences
    and titles) that the model had to read, ``windowed`` the paragraphs too long for it to read at
    once, which were read in overlapping windows. ``seconds`` has one entry a stage and the total.
    A build with nothing to do has ``published`` False and reports the live generation.
    """

    generation: str
    published: bool
    articles: int
    paragraphs: int
    added: int
    changed: int
    moved: int
    removed: int
    unsettled: tuple[str, ...]
    embedded: int
    windowed: int
    skipped: tuple[Skipped, ...]
    notices: tuple[Notice, ...]
    seconds: dict[str, float]


def write_report(path: Path, report: BuildReport) -> None:
    """Write the report as indented JSON."""
    text = json.dumps(asdict(report), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read_report(path: Path) -> BuildReport:
    """Read what :func:`write_report` wrote; IndexCorrupt if it is missing or damaged."""
    try:
        return TypeAdapter(BuildReport).validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IndexCorrupt(
            f"{path} is missing or damaged: {error}", hint="Run: winnow build --full"
        ) from error
