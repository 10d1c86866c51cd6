"""Fields and columns of the keyword index: what Whoosh keeps of a paragraph, and as what."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from whoosh import columns

KEY, LENGTH, LANGUAGE = "q", "i", "H"
"""Types of columns, in struct's letters."""

SCORED = ("title", "body")
"""Fields whose words are scored."""


def forms_of(field: str) -> str:
    """The stored field with the forms of ``field``'s words."""
    return f"{field}_forms"


def length_of(field: str) -> str:
    """The stored column with the number of words in ``field``."""
    return f"{field}_length"


def path_term(path: str) -> str:
    """A source as it is indexed; a file name may hold bytes that are no text."""
    return path.casefold().encode("utf-8", "replace").decode("utf-8")


class _Array(columns.Column):  # type: ignore[misc]  # Whoosh publishes no types
    """A numeric column that is read at once; Whoosh's own gives each number by itself, slowly."""

    def __init__(self, kind: str) -> None:
        self._kind = np.dtype(kind).newbyteorder(">")

    def reader(
        self, dbfile: Any, basepos: int, length: int, _doccount: int
    ) -> npt.NDArray[np.integer[Any]]:
        return np.frombuffer(dbfile.get(basepos, length), dtype=self._kind)


def live_column(reader: Any, name: str, kind: str, default: int) -> npt.NDArray[np.int64]:
    """The number that every row has in the column ``name``, ``default`` where it is deleted.

    ``kind`` is the column's type, in the letter that struct and numpy have for it, and ``default``
    is the column's own: Whoosh writes nothing for rows at the end that have it.
    """
    values = np.full(reader.doc_count_all(), default, dtype=np.int64)
    for leaf, offset in reader.leaf_readers():
        if leaf.has_column(name):
            of_leaf = values[offset : offset + leaf.doc_count_all()]
            stored = leaf.column_reader(name, column=_Array(kind), translate=False)
            of_leaf[: len(stored)] = stored
            of_leaf[list(leaf.segment().deleted_docs())] = default
    return values


def code_of(language: str | None) -> int:
    """An ISO 639-1 code as the number that stands for it in a column, 0 for None."""
    return int.from_bytes((language or "").encode())


def language_of_code(code: int) -> str | None:
    """The language that :func:`code_of` made ``code`` of."""
    return code.to_bytes(2).decode() if code else None
