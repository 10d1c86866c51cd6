"""The speakers of a generation's paragraphs in its store: who is quoted where, and for what.

A speaker is looked up by words, as "Kern" is the "Anna Kern, the mayor" of another paragraph.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from indexer.analysis import tokens
from indexer.types import Attribution, Ids, Span

SCHEMA = """
CREATE TABLE attributions (
    paragraph INTEGER NOT NULL REFERENCES paragraphs (key),
    number INTEGER NOT NULL,  -- by the order of the cues
    said_by TEXT NOT NULL,    -- words of the speaker, folded, each between two spaces
    speaker_start INTEGER NOT NULL,
    speaker_end INTEGER NOT NULL,
    cue_start INTEGER NOT NULL,
    cue_end INTEGER NOT NULL,
    odds REAL NOT NULL,
    content BLOB NOT NULL,    -- int32 pairs, little endian
    PRIMARY KEY (paragraph, number)
) WITHOUT ROWID;
CREATE INDEX attributions_by_speaker ON attributions (said_by);
"""


def record(
    connection: sqlite3.Connection, key: int, text: str, attributions: Sequence[Attribution]
) -> None:
    """Store the attributions of the paragraph ``key``, whose text is ``text``."""
    connection.executemany(
        "INSERT INTO attributions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                key,
                number,
                f" {' '.join(_words(text[slice(*each.speaker)]))} ",
                *each.speaker,
                *each.cue,
                each.odds,
                np.asarray(each.content, dtype="<i4").tobytes(),
            )
            for number, each in enumerate(attributions)
        ],
    )


def forget(connection: sqlite3.Connection, keys: Sequence[int]) -> None:
    """Delete the attributions of these paragraphs."""
    connection.executemany("DELETE FROM attributions WHERE paragraph = ?", [(key,) for key in keys])


def count(connection: sqlite3.Connection) -> int:
    """How many attributions there are."""
    return int(connection.execute("SELECT count(*) FROM attributions").fetchone()[0])


def attributions_of(connection: sqlite3.Connection, key: int) -> tuple[Attribution, ...]:
    """Who says what in the paragraph ``key``, in the order of the cues."""
    query = (
        "SELECT speaker_start, speaker_end, cue_start, cue_end, odds, content "
        "FROM attributions WHERE paragraph = ? ORDER BY number"
    )
    return tuple(
        Attribution(
            content=tuple(
                Span(int(start), int(end))
                for start, end in np.frombuffer(content, dtype="<i4").reshape(-1, 2)
            ),
            speaker=Span(*speaker),
            cue=Span(*cue),
            odds=odds,
        )
        for *edges, odds, content in connection.execute(query, (key,))
        for speaker, cue in [(edges[:2], edges[2:])]
    )


def quoting(connection: sqlite3.Connection, name: str) -> Ids:
    """Sorted keys of the paragraphs with a speaker that has all words of ``name``.

    Capitals and accents make no difference; a name without words is nobody's.
    """
    words = _words(name)
    if not words:
        return np.empty(0, dtype=np.int64)
    conditions = " AND ".join(["instr(said_by, ?)"] * len(words))
    query = f"SELECT DISTINCT paragraph FROM attributions WHERE {conditions} ORDER BY paragraph"  # noqa: S608 - constants only
    rows = connection.execute(query, [f" {word} " for word in words])
    return np.fromiter((row[0] for row in rows), dtype=np.int64)


def _words(name: str) -> list[str]:
    return [token.form for token in tokens(name)]
