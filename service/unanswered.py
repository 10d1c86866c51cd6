"""The questions that had no answer, kept beside the index where the user wants that.

They show what the collection lacks, or what the reader misses. The log is opt-in, as it keeps the
questions in plain words, and it never leaves the machine. It is an SQLite database: several
processes may write to it, a kill leaves it as it was before or after a question, and the questions
that were not asked for longest make room for new ones.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from indexer.errors import UnansweredError
from service.answers import AnswerResult
from service.requests import DraftQuery

FILE = "unanswered.sqlite"
"""Its name in the folder of the index."""

KEPT = 1000
"""Questions that are kept; with a thousand characters each at most, the file stays below 5 MB."""

_PATIENCE = 5.0
"""Seconds that a question waits for other processes to write, which is rare; then it is lost."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS unanswered (
    key BLOB PRIMARY KEY,    -- by which the same question is known again
    question TEXT NOT NULL,  -- as it was asked last
    reason TEXT NOT NULL,    -- as of the last time, like the next two
    surest REAL,
    generation TEXT NOT NULL,
    times INTEGER NOT NULL,
    first REAL NOT NULL,     -- seconds since 1970
    last REAL NOT NULL
) WITHOUT ROWID
"""

_ADD = """
INSERT INTO unanswered VALUES (:key, :question, :reason, :surest, :generation, 1, :now, :now)
ON CONFLICT (key) DO UPDATE SET question = :question, reason = :reason, surest = :surest,
    generation = :generation, times = times + 1, last = max(last, :now)
"""

_MAKE_ROOM = """
DELETE FROM unanswered WHERE key IN
    (SELECT key FROM unanswered ORDER BY last DESC LIMIT -1 OFFSET :kept)
"""

_LIST = """
SELECT question, reason, surest, generation, times, first, last FROM unanswered
ORDER BY times DESC, last DESC
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UnansweredQuestion:
    """A question without an answer: all but ``times`` and ``first`` as when it was asked last.

    ``surest`` is the best candidate's confidence, where there was one; ``first`` and ``last`` are
    seconds since 1970.
    """

    question: str
    reason: str
    surest: float | None
    generation: str
    times: int
    first: float
    last: float


class Unanswered:
    """The log in the folder ``index``, of ``kept`` questions at most."""

    def __init__(self, index: Path, kept: int = KEPT) -> None:
        self._path = index / FILE
        self._kept = kept
        self._turn = threading.Lock()  # SQLite lets writers poll, and some may starve

    def note(self, query: BaseModel, result: BaseModel) -> None:
        """Keep the question of ``result`` if it has no answer; a file that refuses is logged.

        Half a question, which the page asks while it is typed, is none.
        """
        if not isinstance(result, AnswerResult) or result.answer is not None:
            return
        if isinstance(query, DraftQuery):
            return
        try:
            self.add(result.question, result.reason, result.surest, result.generation)
        except UnansweredError as error:
            _log.warning("%s. %s", error, error.hint)

    def add(self, question: str, reason: str, surest: float | None, generation: str) -> None:
        """Keep a question or count it once more; letters' case and spaces make no other question.

        Raises:
            UnansweredError: The file cannot be written.
        """
        folded = " ".join(question.casefold().split())
        values = {
            "key": hashlib.blake2b(folded.encode(), digest_size=16).digest(),
            "question": question,
            "reason": reason,
            "surest": surest,
            "generation": generation,
            "now": time.time(),
        }
        with self._turn, self._opened() as connection:
            connection.execute(_ADD, values)
            connection.execute(_MAKE_ROOM, {"kept": self._kept})

    def questions(self) -> list[UnansweredQuestion]:
        """What is kept, the most frequent first; UnansweredError where it cannot be read."""
        if not self._path.exists():
            return []
        with self._opened() as connection:
            return [UnansweredQuestion(*row) for row in connection.execute(_LIST)]

    def clear(self) -> None:
        """Forget everything, damaged or not; UnansweredError where the file cannot be removed."""
        try:
            for suffix in ("", "-journal"):
                self._path.with_name(FILE + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise UnansweredError(
                f"{self._path} cannot be removed: {error.strerror}",
                hint="See who may write to the folder of the index.",
            ) from error

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            # A connection a question: they are few, and none is left open when a thread ends.
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as connection:
                connection.execute(_SCHEMA)
                with connection:
                    yield connection
        except sqlite3.Error as error:
            raise UnansweredError(
                f"the log of unanswered questions, {self._path}, cannot be used: {error}",
                hint="If it is damaged, winnow unanswered --clear removes it.",
            ) from error
