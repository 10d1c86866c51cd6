"""The words and names of an index with how many paragraphs have them, as plain sequences.

Looking for similar words and completing what is typed both go through all of them, which Whoosh's
files are too slow for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from indexer.names import SEPARATOR


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``words`` are folded forms, ``names`` are as written; both the most frequent first.

    ``folded`` has what each name is looked up by. A count is that of paragraphs, those deleted
    included until Whoosh merges them away: it is good for an order, and no proof that there is one.
    """

    words: tuple[str, ...]
    word_counts: tuple[int, ...]
    names: tuple[str, ...]
    folded: tuple[str, ...]
    name_counts: tuple[int, ...]


def vocabulary(
    titles: Iterable[tuple[str, int]],
    bodies: Iterable[tuple[str, int]],
    names: Iterable[tuple[str, int]],
) -> Vocabulary:
    """From forms of titles, forms of bodies and stored names, each sorted, with their counts.

    Every paragraph repeats its title, so a word counts in the one or the other. Names that differ
    in case and accents alone are one, shown as most paragraphs write it.

    >>> found = vocabulary([("oil", 3)], [("oil", 2), ("gas", 4)], [])
    >>> dict(zip(found.words, found.word_counts))
    {'gas': 4, 'oil': 3}
    """
    counts = dict(titles)
    for form, count in bodies:
        counts[form] = max(count, counts.get(form, 0))
    words = sorted(counts.items(), key=lambda word: (-word[1], word[0]))
    totals: Counter[str] = Counter()
    written: dict[str, tuple[int, str]] = {}
    for stored, count in names:
        folded, _, name = stored.partition(SEPARATOR)
        totals[folded] += count
        written[folded] = max(written.get(folded, (0, "")), (count, name))
    ordered = sorted(totals.items(), key=lambda name: (-name[1], name[0]))
    return Vocabulary(
        words=tuple(word for word, _ in words),
        word_counts=tuple(count for _, count in words),
        names=tuple(written[folded][1] for folded, _ in ordered),
        folded=tuple(folded for folded, _ in ordered),
        name_counts=tuple(count for _, count in ordered),
    )
