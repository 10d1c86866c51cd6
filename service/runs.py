"""A run: what ``winnow eval`` measured, question by question, to be kept and compared with.

A run holds what is needed to say later not only that a question got worse but why: its first hits
and its relevant documents, with what each side contributed to them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from indexer.disk import replace
from indexer.errors import RunError
from service.bootstrap import Estimate
from service.requests import Mode


class _Saved(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Saved):
    """What one side gave a document: its ``points`` of the score, for ``raw`` at its ``rank``."""

    source: str
    rank: int | None
    raw: float
    points: float


class Hit(_Saved):
    """A document at its place, from 1, by its best paragraph, which is its ``paragraph``-th."""

    document: str
    title: str
    paragraph: int
    place: int
    score: float
    parts: tuple[Part, ...]


class Asked(_Saved):
    """A question with its metrics.

    ``judged`` are the grades of the documents judged for it, ``first`` is the place of the first
    relevant one, ``hits`` are the first ten documents and the relevant ones below them. ``answer``
    is the text that was given, empty where none was; None where answers were not measured.
    """

    id: str
    text: str
    judged: dict[str, int]
    first: int | None
    metrics: dict[str, float]
    hits: tuple[Hit, ...]
    answer: str | None = None

    def hit(self, document: str) -> Hit | None:
        """The document's hit, where it is among those kept."""
        return next((hit for hit in self.hits if hit.document == document), None)


class ModeRun(_Saved):
    """All questions of a set in one mode, with the means of their metrics."""

    mode: Mode
    estimates: dict[str, Estimate]
    questions: tuple[Asked, ...]

    @cached_property
    def by_id(self) -> dict[str, Asked]:
        """The questions by their ids."""
        return {each.id: each for each in self.questions}

    def values(self, metric: str) -> list[float]:
        """``metric`` of each question that has it."""
        return [each.metrics[metric] for each in self.questions if metric in each.metrics]


class SetRun(_Saved):
    """One set in all modes.

    ``unjudged`` counts the questions left out for want of a judgment, ``wordless`` those that are
    judged but whose words are not there, ``skipped`` the documents that could not be read, and
    ``missing`` the judged documents that the corpus does not have.
    """

    name: str
    documents: int
    paragraphs: int
    unjudged: int
    wordless: int
    skipped: int
    missing: int
    modes: tuple[ModeRun, ...]

    def mode(self, name: str) -> ModeRun | None:
        """The run in mode ``name``."""
        return next((each for each in self.modes if each.mode == name), None)


class Run(_Saved):
    """What was measured, when and with what; ``reader`` is the kind of who answered, if any did."""

    format: Literal[1] = 1
    when: dt.datetime
    versions: dict[str, str]
    model: str
    reader: str | None = None
    settings: dict[str, str | int | float | None]
    sets: tuple[SetRun, ...]

    def modes(self) -> Iterator[tuple[SetRun, ModeRun]]:
        """Every mode of every set."""
        return ((of_set, each) for of_set in self.sets for each in of_set.modes)


def read(path: Path) -> Run:
    """The run saved at ``path``.

    Raises:
        RunError: It cannot be read, or is no saved run of this version.
    """
    try:
        return Run.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RunError(
            f"{path} cannot be read: {error.strerror}", hint="Name a file that --save wrote."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(
            f"{path} is no saved run of this version: {where + ': ' if where else ''}"
            f"{first['msg']}",
            hint="Save a run anew with: winnow eval --save",
        ) from error


def save(run: Run, path: Path) -> None:
    """Write ``run`` to ``path``; RunError where that cannot be."""
    _write(path, run.model_dump_json() + "\n")


def save_questions(run: Run, path: Path) -> None:
    """Write each question in each mode as a line of JSON; RunError where that cannot be."""
    lines = [
        json.dumps(
            {"set": of_set.name, "mode": each.mode, **asked.model_dump(mode="json")},
            ensure_ascii=False,
        )
        + "\n"
        for of_set, each in run.modes()
        for asked in each.questions
    ]
    _write(path, "".join(lines))


def require_writable(path: Path) -> None:
    """RunError where nothing can be written to ``path``: better known before than after."""
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise RunError(f"{path} cannot be written", hint="Name a file in a folder of yours.")


def _write(path: Path, text: str) -> None:
    try:
        replace(path, text)
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror}", hint="Name a file in a folder of yours."
        ) from error
