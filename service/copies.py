"""Copies: near-identical paragraphs of a ranking, gathered behind the best of them.

The same paragraph printed in ten papers would fill a page with one statement. Signatures from the
store say which of the ranked paragraphs may be copies, and those few are compared by their words.
Going down the ranking, a paragraph joins the first leader that it is a copy of, or leads: so
nothing is chained to what it does not resemble, and a ranking of leaders stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.signatures import DIGEST, Signatures, Wording
from indexer.store import ArticleStore, Passage

Groups: TypeAlias = list[list[int]]
"""Places in a ranking, counted from 0, each once: leaders in order, each followed by its copies."""

_UNDATED = "~"
"""Later than any date."""


def copies_among(store: ArticleStore, keys: Sequence[int], scores: Sequence[float]) -> Groups:
    """Gather the copies among the paragraphs ``keys``, which are ranked by falling ``scores``.

    Of copies with equal scores the one that was published first leads.
    """
    signatures = store.signatures(keys)
    suspects = np.flatnonzero(suspected(signatures)).tolist()
    found = store.passages([keys[place] for place in suspects])
    passages = dict(zip(suspects, found, strict=True))

    def age(place: int) -> tuple[float, str]:
        dated = passages[place].article.published if place in passages else None
        return -scores[place], dated or _UNDATED

    @cache
    def wording(row: int) -> Wording:
        return Wording.of(passages[order[row]].paragraph.text)

    order = sorted(range(len(keys)), key=age)
    groups = grouped(signatures[order], wording)
    return sorted([order[row] for row in group] for group in groups)


def grouped(signatures: Signatures, wording: Callable[[int], Wording]) -> Groups:
    """Gather the rows of ``signatures`` whose words are copies of an earlier row's.

    ``wording`` is asked only for rows that share a part of their signatures, and not where the
    digests say that all words are equal.
    """
    parts = _parts(signatures)
    groups: dict[int, list[int]] = {}
    leaders: dict[tuple[int, int], list[int]] = {}  # by a part of their signatures
    known: dict[bytes, int] = {}  # the leader of what has these words
    for row, suspect in enumerate(suspected(signatures).tolist()):
        if not suspect:
            groups[row] = [row]
            continue
        digest = signatures[row, :DIGEST].tobytes()
        own = list(enumerate(parts[row].tolist()))
        if digest not in known:
            near = sorted({leader for part in own for leader in leaders.get(part, ())})
            alike = (each for each in near if wording(row).is_copy_of(wording(each)))
            known[digest] = next(alike, row)
        if known[digest] == row:
            for part in own:
                leaders.setdefault(part, []).append(row)
        groups.setdefault(known[digest], []).append(row)
    return list(groups.values())


def suspected(signatures: Signatures) -> npt.NDArray[np.bool_]:
    """Which rows share a part of their signature with another row, shape (n,)."""
    parts = _parts(signatures)
    order = np.argsort(parts, axis=0)
    ordered = np.take_along_axis(parts, order, axis=0)
    shared = ordered[1:] == ordered[:-1]
    found = np.zeros(len(signatures), dtype=np.bool_)
    found[order[1:][shared]] = True
    found[order[:-1][shared]] = True
    return found


def _parts(signatures: Signatures) -> npt.NDArray[np.uint32]:
    """Four bytes at a time, shape (n, SIZE / 4).

    Of pairs that are just alike enough to be copies, 99.9 % share one (locality-sensitive hashing
    by bands: Leskovec, Rajaraman and Ullman: Mining of massive datasets, 2014, chapter 3).
    """
    return np.ascontiguousarray(signatures).view(np.uint32)


def also_in(store: ArticleStore, copies: Sequence[Sequence[int]]) -> list[list[Passage]]:
    """The paragraphs of each list, those that were published first first."""
    keys = list(dict.fromkeys(key for each in copies for key in each))
    found = dict(zip(keys, store.passages(keys), strict=True))
    return [sorted((found[key] for key in each), key=_age) for each in copies]


def _age(passage: Passage) -> tuple[str, str, int]:
    return passage.article.published or _UNDATED, passage.article.source, passage.paragraph.number
