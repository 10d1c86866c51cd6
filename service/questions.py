"""Saved questions: those whose right article the user knows, each with the rank of that article.

They are the user's own test of the search. Ranks are those of the hybrid search with the settings
in force. Without the model there are none: by keywords alone they would mean something else, and
could not be compared. The file is JSON lines, for the user to read and edit, and is never rewritten
while a line of it cannot be read.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from indexer.articles import identify
from indexer.disk import replace
from indexer.errors import ModelError, NotFound, QuestionsError
from indexer.generations import Generations
from indexer.settings import Settings
from indexer.store import Passage
from service.requests import Question
from service.retrieval import rank
from service.snapshot import Snapshot


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class SavedQuestion:
    """A question, and the ``source`` of the article that is right for it.

    ``rank`` is the place, from 1, of that article's best paragraph among the hits when it was last
    recorded; None stands for a question that was accepted although it did not find the article.
    """

    question: Question
    source: str
    rank: Annotated[int, Field(ge=1)] | None
    saved: dt.datetime


_LINE = TypeAdapter(SavedQuestion)


def read(index: Path) -> tuple[SavedQuestion, ...]:
    """The questions saved in the folder ``index``, in the order of their lines.

    Raises:
        QuestionsError: The file cannot be read, or lines of it, which the message names.
    """
    path = Generations(index).questions
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise QuestionsError(
            f"{path} cannot be read: {error.strerror}", hint="Make it a readable file."
        ) from error
    saved: dict[str, SavedQuestion] = {}
    damage = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            each = _LINE.validate_json(line)
        except ValidationError as error:
            damage.append(f"line {number}: {_reason(error)}")
            continue
        if each.question in saved:
            damage.append(f"line {number}: the question of an earlier line")
        saved[each.question] = each
    if damage:
        raise QuestionsError(
            f"{path} is damaged: {'; '.join(damage)}", hint="Mend these lines or delete them."
        )
    return tuple(saved.values())


def add(index: Path, saved: SavedQuestion) -> None:
    """Save a question; one that was saved before is replaced in its place.

    Only for who holds the right to write the index, as for all that changes it.
    """
    questions = {each.question: each for each in read(index)}
    _write(index, [*(questions | {saved.question: saved}).values()])


def remove(index: Path, question: str) -> None:
    """Forget a saved question; NotFound if there is none in these words.

    Only for who holds the right to write the index.
    """
    saved = read(index)
    left = [each for each in saved if each.question != question]
    if len(left) == len(saved):
        raise NotFound(f"no saved question reads {question!r}", hint="Run: winnow questions")
    _write(index, left)


def record(index: Path, changes: Mapping[SavedQuestion, SavedQuestion]) -> None:
    """Put ``changes`` into the file as it is by now: its user may have edited it meanwhile.

    Only for who holds the right to write the index.
    """
    if changes:
        _write(index, [changes.get(each, each) for each in read(index)])


def rerecord(snapshot: Snapshot, settings: Settings) -> dict[SavedQuestion, SavedQuestion]:
    """Record the ranks as they are now, fallen ones too; returns the questions whose rank changed.

    For what the user has decided to be better on the whole. Only for who holds the right to write
    the index.

    Raises:
        ModelError: There is no model, so that questions are answered by keywords only.
        QuestionsError: The file of questions cannot be read.
    """
    there = [each for each in read(settings.index) if holds(snapshot, each.source)]
    now = zip(there, ranks(snapshot, settings, there), strict=True)
    changes = {each: replace_fields(each, rank=rank_) for each, rank_ in now if each.rank != rank_}
    record(settings.index, changes)
    return changes


def find(
    snapshot: Snapshot, settings: Settings, question: str, source: str | None = None
) -> tuple[int, Passage]:
    """The best paragraph of the article ``source``, by default of the first hit, and its rank.

    An article that only has a copy of a hit's paragraph is found at that hit's place.

    Raises:
        ModelError: There is no model, so that questions are answered by keywords only.
        NotFound: There is no such article, or the question does not find it.
    """
    today = dt.datetime.now().astimezone().date()
    for place, passage in _hits(snapshot, settings, question, today):
        if source in {None, passage.article.source}:
            return place, passage
    if source is not None and not holds(snapshot, source):
        raise NotFound(
            f"no article {source!r} is indexed",
            hint="Take the source from the hits of winnow search, or run: winnow build",
        )
    raise NotFound(
        f"the question does not find article {source}" if source else "the question finds nothing",
        hint="Save a question with words or a meaning that the article has.",
    )


def ranks(
    snapshot: Snapshot, settings: Settings, questions: Sequence[SavedQuestion]
) -> list[int | None]:
    """The rank of the right article of each question; None where no candidate is of that article.

    Raises:
        ModelError: There is no model, so that questions are answered by keywords only.
    """
    return [_rank(snapshot, settings, each) for each in questions]


def holds(snapshot: Snapshot, source: str) -> bool:
    """Whether the article ``source`` is indexed."""
    try:
        snapshot.store.article(identify(source))
    except NotFound:
        return False
    return True


def fell(recorded: int | None, now: int | None) -> bool:
    """Whether rank ``now`` is worse than the ``recorded`` one; None is the worst there is."""
    return (now or math.inf) > (recorded or math.inf)


def _write(index: Path, questions: Sequence[SavedQuestion]) -> None:
    lines = [_LINE.dump_json(each).decode() + "\n" for each in questions]
    replace(Generations(index).questions, "".join(lines))


def _hits(
    snapshot: Snapshot, settings: Settings, question: str, today: dt.date
) -> list[tuple[int, Passage]]:
    """All that the question finds when it is asked on the day ``today``, each with its rank.

    Best first; copies have their leader's rank.
    """
    if snapshot.without_meaning:
        raise ModelError(
            f"saved questions cannot be asked: {snapshot.without_meaning}",
            hint="Bring the model back, or run: winnow build",
        )
    ranked = rank(snapshot, settings, question, today=today).ranked
    places = {key: each.rank for each in ranked for key in each.paragraphs}
    return list(zip(places.values(), snapshot.store.passages([*places]), strict=True))


def _rank(snapshot: Snapshot, settings: Settings, saved: SavedQuestion) -> int | None:
    # "Last week" goes on to mean the week that its user knows the right article of.
    day = saved.saved.astimezone().date()
    hits = _hits(snapshot, settings, saved.question, day)
    return next((place for place, hit in hits if hit.article.source == saved.source), None)


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return "it is not JSON in UTF-8"
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
