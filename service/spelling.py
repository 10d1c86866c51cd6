"""Words of a question that no paragraph has, and the words of the collection most like them.

Only such words are corrected, so a question whose words all occur is searched as it stands. What
is looked for instead comes from the collection alone: there is no dictionary, and names are
corrected as well as other words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer.analysis import FUNCTION_WORDS, Token, tokens
from indexer.leaves import required
from indexer.nodes import Field, Leaf, Phrase, Query, Similar, Word
from indexer.protocols import KeywordIndex
from indexer.vocabulary import Vocabulary

ALTERNATIVES = 2
"""Words that are searched in place of one that is nowhere; see benchmarks/results/typos.md."""

_MOST = 5
"""Missing words of a question that are looked at; one with more is about something else."""

_ONE_EDIT, _TWO_EDITS = 4, 8
"""Letters from which a word may be so many edits off; shorter ones resemble too many others."""


@dataclass(frozen=True, slots=True)
class Correction:
    """``word``, characters ``start`` to ``end`` of a question, and what it may have meant.

    ``words`` are folded forms that the collection has, the likeliest first.
    """

    word: str
    start: int
    end: int
    words: tuple[str, ...]

    @property
    def likeliest(self) -> str:
        """The first of ``words``, with the capitals that were typed."""
        if len(self.word) > 1 and self.word.isupper():
            return self.words[0].upper()
        return self.words[0].capitalize() if self.word[0].isupper() else self.words[0]


class Speller:
    """A vocabulary by script and length; threads may share it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._words: dict[tuple[str, int], dict[int, str]] = {}
        for place, word in enumerate(vocabulary.words):
            if _is_wordlike(word):
                self._words.setdefault((_script(word), len(word)), {})[place] = word

    def nearest(self, form: str) -> list[str]:
        """Words of the vocabulary that are one or two edits from ``form``, the likeliest first.

        An edit adds, drops or replaces a letter, or swaps two neighbours. Fewer edits come first,
        then swapped and doubled letters, the commonest slips, then more frequent words.
        """
        edits = (len(form) >= _ONE_EDIT) + (len(form) >= _TWO_EDITS)
        if not edits or not _is_wordlike(form):
            return []
        found = [
            (off, not _is_slip(form, word), place, word)
            for length in range(len(form) - edits, len(form) + edits + 1)
            for word, off, place in process.extract(
                form,
                self._words.get((_script(form), length), {}),
                scorer=OSA.distance,
                score_cutoff=edits,
                limit=None,
            )
        ]
        return [word for *_, word in sorted(found)]


def corrections(
    query: Query, holds: Callable[[str], bool], nearest: Callable[[str], list[str]]
) -> tuple[Correction, ...]:
    """What is misspelled in ``query``, in order: words that nothing holds but that resemble some.

    Patterns and what is negated count for nothing here, nor do bylines and sources. ``nearest`` is
    asked for missing words only, and for none where many are missing.
    """
    asked = {token.form: _of(text, token) for text in _texts(query) for token in tokens(text)}
    missing = [
        form for form, word in asked.items() if form not in FUNCTION_WORDS and not holds(word)
    ]
    if len(missing) > _MOST:
        return ()
    found = {form: tuple(islice(filter(holds, nearest(form)), ALTERNATIVES)) for form in missing}
    return tuple(
        Correction(_of(query.text, token), token.start, token.end, found[token.form])
        for token in tokens(query.text)
        if found.get(token.form)
    )


def corrected(query: Query, found: Sequence[Correction]) -> Query:
    """``query`` with what is misspelled searched as the words that resemble it.

    What is required stays as it was typed, as a hit is promised to hold it.
    """
    if not found:
        return query
    meant = {tokens(each.word)[0].form: each for each in found}
    promised = set(required(query.constraint))
    terms: list[Leaf | Field | Similar] = []
    for term in query.terms:
        if isinstance(term, Word) and term not in promised:
            terms += _resolved(term, meant)
        else:
            terms.append(term)
    words = tuple(rewritten(word, _within(word, meant)) for word in query.words)
    return replace(query, words=words, terms=tuple(terms))


def rewritten(text: str, found: Sequence[Correction]) -> str:
    """``text`` with each correction's likeliest word in its place, all else as it was typed."""
    parts, end = [], 0
    for each in found:
        parts += [text[end : each.start], each.likeliest]
        end = each.end
    return "".join([*parts, text[end:]])


def _texts(query: Query) -> Iterator[str]:
    for term in query.terms:
        leaf = term.leaf if isinstance(term, Field) else term
        if isinstance(leaf, Word | Phrase):
            yield leaf.text


def _resolved(word: Word, meant: Mapping[str, Correction]) -> Iterator[Word | Similar]:
    """``word``, or where a part of it is misspelled, its parts."""
    parts = tokens(word.text)
    if not any(part.form in meant for part in parts):
        yield word
        return
    for part in parts:
        text = _of(word.text, part)
        yield Similar(text, meant[part.form].words) if part.form in meant else Word(text)


def _within(word: str, meant: Mapping[str, Correction]) -> list[Correction]:
    return [
        replace(meant[part.form], start=part.start, end=part.end)
        for part in tokens(word)
        if part.form in meant
    ]


def _of(text: str, token: Token) -> str:
    return text[token.start : token.end]


def _is_slip(typed: str, word: str) -> bool:
    """Whether the two differ in the order or the doubling of letters alone."""
    return sorted(typed) == sorted(word) or _undoubled(typed) == _undoubled(word)


def _undoubled(word: str) -> list[str]:
    return [letter for letter, _ in groupby(word)]


def _is_wordlike(form: str) -> bool:
    return len(form) >= _ONE_EDIT - 1 and not any(map(str.isdigit, form))


def _script(form: str) -> str:
    """The script of a word, by its first letter."""
    return "LATIN" if form[0].isascii() else unicodedata.name(form[0], "").partition(" ")[0]


def taken_for(
    keyword: KeywordIndex, query: Query, paragraphs: Sequence[int]
) -> list[dict[str, list[str]]]:
    """Of each paragraph, the words that it has only as ones spelled nearly alike, and these."""
    keys = np.array(paragraphs, dtype=np.int64)
    taken: list[dict[str, list[str]]] = [{} for _ in paragraphs]
    for term in dict.fromkeys(term for term in query.terms if isinstance(term, Similar)):
        for word in term.words:
            for place in np.flatnonzero(np.isin(keys, keyword.matching(Word(word)))):
                taken[place].setdefault(term.text, []).append(word)
    return taken
