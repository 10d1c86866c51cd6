"""Sets of judged questions, in the folder layout of BEIR.

A folder holds ``corpus.jsonl``, ``queries.jsonl``, ``qrels/test.tsv`` and, where questions have
known answers, ``answers.jsonl``. What is wrong with one is told with the file and the line: a
measurement on half a set would pass for one on the whole.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import SeedsError


@dataclass(frozen=True, slots=True)
class Judged:
    """A set of judged questions.

    ``qrels`` maps question to document to grade; documents are named by the ``_id`` of the corpus.
    ``answers`` maps question to acceptable texts. ``unjudged`` counts the questions left out
    because nothing is judged for them, ``wordless`` those judged whose words are not there.
    """

    name: str
    corpus: Path
    questions: dict[str, str]
    qrels: dict[str, dict[str, int]]
    answers: dict[str, list[str]]
    unjudged: int = 0
    wordless: int = 0

    @property
    def label(self) -> str:
        """The name with a mark of the place, so that two sets of one name have two labels."""
        return f"{self.name}-{hashlib.sha256(str(self.corpus).encode()).hexdigest()[:8]}"


def read_judged(folder: Path) -> Judged:
    """Read a set; questions without a judgment are left out and counted.

    Raises:
        SeedsError: A file is missing or malformed.
    """
    try:
        qrels = _qrels(folder / "qrels" / "test.tsv")
        questions = _texts(folder / "queries.jsonl")
        answers = folder / "answers.jsonl"
        judged = Judged(
            name=folder.resolve().name,
            corpus=(folder / "corpus.jsonl").resolve(strict=True),
            questions={id_: text for id_, text in questions.items() if id_ in qrels},
            qrels={id_: grades for id_, grades in qrels.items() if id_ in questions},
            answers=_answers(answers) if answers.exists() else {},
            unjudged=len(questions.keys() - qrels.keys()),
            wordless=len(qrels.keys() - questions.keys()),
        )
    except (OSError, UnicodeError, _MalformedError) as error:
        raise SeedsError(
            f"{folder} is not a set of judged questions: {error}",
            hint="It needs corpus.jsonl, queries.jsonl and qrels/test.tsv as in BEIR.",
        ) from error
    if not judged.questions:
        raise SeedsError(
            f"{folder} has no question with a judgment",
            hint="The query-id column of qrels/test.tsv names the _id of queries.jsonl.",
        )
    return judged


def read_all(folders: Sequence[Path]) -> list[Judged]:
    """Read several sets, before any is measured.

    Raises:
        SeedsError: One cannot be read, or two have the same name, by which results are told apart.
    """
    sets: dict[str, Judged] = {}
    for folder in folders:
        judged = read_judged(folder)
        if judged.name in sets:
            raise SeedsError(
                f"two sets are called {judged.name}: {sets[judged.name].corpus.parent} and "
                f"{judged.corpus.parent}",
                hint="Name each set once, and rename a folder where two differ.",
            )
        sets[judged.name] = judged
    return list(sets.values())


class _MalformedError(Exception):
    """What is wrong with a file, and where."""


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        lost = {"query-id", "corpus-id", "score"}.difference(rows.fieldnames or ())
        if lost:
            raise _MalformedError(f"{path} has no column {', '.join(sorted(lost))}")
        for row in rows:
            try:
                grade = int(row["score"])
            except (TypeError, ValueError):
                raise _MalformedError(
                    f"{path}, line {rows.line_num}: the score is no whole number"
                ) from None
            qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = grade
    return qrels


def _texts(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for where, row in _lines(path):
        id_, text = row.get("_id"), row.get("text")
        if not isinstance(id_, str) or not isinstance(text, str) or not text.strip():
            raise _MalformedError(f"{where}: a question needs _id and text")
        if id_ in texts:
            raise _MalformedError(f"{where}: question {id_} is there twice")
        texts[id_] = text
    return texts


def _answers(path: Path) -> dict[str, list[str]]:
    answers: dict[str, list[str]] = {}
    for where, row in _lines(path):
        id_, accepted = row.get("_id"), row.get("answers")
        texts = isinstance(accepted, list) and all(isinstance(each, str) for each in accepted)
        if not isinstance(id_, str) or not texts:
            raise _MalformedError(f"{where}: it needs _id and a list of answers")
        if accepted:
            answers[id_] = accepted
    return answers


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects in a file of JSON lines, each with the place where it stands."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                raise _MalformedError(f"{where} is not JSON") from None
            if not isinstance(row, dict):
                raise _MalformedError(f"{where} is no JSON object")
            yield where, row
