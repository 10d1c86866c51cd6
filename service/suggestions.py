"""Completions of what somebody has typed so far, from the words, names and titles of an index.

All entries of a kind stand in one text, the best first, and a lookup searches it from its start for
a word that begins as typed: the first finds are the best ones, so a short beginning, which fits
much, ends soon, and a long one, which may fit nothing, is as fast as memory is read. That needs no
more memory than the text, and no structure to keep up to date.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Literal

from indexer.analysis import FUNCTION_WORDS, Token, tokens
from indexer.vocabulary import Vocabulary

_NAME_WORDS = 4
"""Words behind the last space, at most, that may be the beginning of a name."""

_SAMPLE = 80
"""Paragraphs with the word before that are read for how they go on; each takes some 50 us."""

_TITLES = 4
"""One in so many suggestions is kept for titles, which words and names would crowd out."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``text`` completes what was typed; ``count`` paragraphs have what was added.

    ``article`` is the id of a title's article, None for other kinds.
    """

    kind: Literal["term", "name", "title"]
    text: str
    count: int
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Title:
    """The title of the article with id ``article``, which has so many ``paragraphs``."""

    article: str
    text: str
    paragraphs: int


class Completer:
    """Completes from a ``vocabulary`` and ``titles``, newest first; threads may share it.

    ``has_word`` and ``has_name`` tell whether anything of the vocabulary is still there, and
    ``holding`` gives the texts of some paragraphs, so many at most, that hold a word.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        titles: Sequence[Title],
        has_word: Callable[[str], bool],
        has_name: Callable[[str], bool],
        holding: Callable[[str, int], Sequence[str]],
    ) -> None:
        self._vocabulary = vocabulary
        self._shown = titles
        self._has_word = has_word
        self._has_name = has_name
        self._holding = holding
        self._words = _Beginnings(vocabulary.words)
        self._names = _Beginnings(vocabulary.folded)
        self._titles = _Beginnings([folded(title.text) for title in titles])

    def complete(self, typed: str, limit: int) -> list[Suggestion]:
        """At most ``limit`` completions of ``typed``, whose last word may be unfinished.

        Words and names come first, the most frequent first, or where several words are the
        beginning of a name, such names alone; then titles, the newest first. A word that is gone on
        from is completed by those that stand behind it somewhere, or else near it.
        """
        titles = _unique(self._of_titles(typed), limit)
        others = _unique(self._of_words(typed, limit), limit)
        kept = min(len(titles), max(limit // _TITLES, limit - len(others)))
        return _unique([*others[: limit - kept], *titles[:kept]], limit)

    def _of_titles(self, typed: str) -> Iterator[Suggestion]:
        for place in self._titles.matching(folded(typed)):
            title = self._shown[place]
            yield Suggestion("title", title.text, title.paragraphs, title.article)

    def _of_words(self, typed: str, limit: int) -> list[Suggestion]:
        """Names of the longest beginning that is one, and words where that has one word."""
        found = tokens(typed)[-_NAME_WORDS:]
        for token in found:
            names = list(islice(self._names_from(typed, token.start), limit))
            if names and token is not found[-1]:
                return names  # words would go on from the last word alone, and make no sense
        if not found:
            return []
        written = {folded(each.text): each.count for each in names}
        before = [token for token in found[:-1] if token.form not in FUNCTION_WORDS]
        if before:
            return [*islice(self._words_after(typed, before[-1], found[-1]), limit), *names]
        words = [
            word
            for word in islice(self._words_from(typed, found[-1]), limit)
            # A word that is mostly a name is shown as one, for its capitals.
            if word.count > 2 * written.get(folded(word.text), 0)
        ]
        return sorted(names + words, key=lambda each: -each.count)

    def _names_from(self, typed: str, start: int) -> Iterator[Suggestion]:
        known = self._vocabulary
        for place in self._names.matching(folded(typed[start:])):
            if self._has_name(known.names[place]):
                text = typed[:start] + known.names[place]
                yield Suggestion("name", text, known.name_counts[place])

    def _words_from(self, typed: str, last: Token) -> Iterator[Suggestion]:
        known = self._vocabulary
        for place in self._words.matching(last.form):
            word = known.words[place]
            if word not in FUNCTION_WORDS and self._has_word(word):
                yield Suggestion("term", typed[: last.start] + word, known.word_counts[place])

    def _words_after(self, typed: str, before: Token, last: Token) -> Iterator[Suggestion]:
        known = self._vocabulary
        for word in _going_on(self._holding(before.form, _SAMPLE), before, last):
            places = self._words.matching(word)
            for place in (each for each in places if known.words[each] == word):
                yield Suggestion("term", typed[: last.start] + word, known.word_counts[place])


def _going_on(texts: Sequence[str], before: Token, last: Token) -> list[str]:
    """Words that begin as ``last`` in ``texts``: those right behind ``before``, then the others."""
    behind: Counter[str] = Counter()
    near: Counter[str] = Counter()
    for text in texts:
        found = tokens(text)
        fitting = {each.form for each in found if each.form.startswith(last.form)}
        near.update(fitting - FUNCTION_WORDS)
        behind.update(
            second.form
            for first, second in pairwise(found)
            if second.form in fitting and first.form == before.form
        )
    return list(dict.fromkeys(word for word, _ in behind.most_common() + near.most_common()))


class _Beginnings:
    """Entries, each some words with a space between, by the beginning of any word of theirs."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._text = "".join(f"\n {entry}" for entry in entries) + "\n"
        self._starts = array("Q")
        start = 0
        for entry in entries:
            self._starts.append(start)
            start += len(entry) + 2

    def matching(self, beginning: str) -> Iterator[int]:
        """Places of the entries that have words beginning so, in order."""
        place = -1
        while beginning and (at := self._text.find(f" {beginning}", place + 1)) >= 0:
            yield bisect_right(self._starts, at) - 1
            place = self._text.find("\n", at)


def folded(text: str) -> str:
    """The words of ``text`` as they are looked up.

    >>> folded("Łódź's «Nagorno-K")
    'lodz nagorno k'
    """
    return " ".join(token.form for token in tokens(text))


def _unique(
    suggestions: Iterator[Suggestion] | Sequence[Suggestion], limit: int
) -> list[Suggestion]:
    """The first ``limit`` suggestions whose words differ."""
    kept: dict[str, Suggestion] = {}
    for each in suggestions:
        kept.setdefault(folded(each.text), each)
        if len(kept) == limit:
            break
    return list(kept.values())
