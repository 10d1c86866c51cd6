"""Assembly: from what was read in several paragraphs to distinct answers, each with its sources.

Readings that say the same are one answer. What is not surely the same stays apart: two answers side
by side tell the user to look, while one that mixes two misleads.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from indexer.analysis import Token, tokens
from indexer.signatures import Wording
from service.boundaries import settled
from service.reading import Reading, overlapping


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with its sources.

    ``best`` is the surest reading. ``support`` are readings of other paragraphs that say the same,
    the surest first: one a paragraph, and none of a copy of a paragraph that counts already.
    """

    best: Reading
    support: tuple[Reading, ...] = ()

    @property
    def text(self) -> str:
        """The answer, verbatim."""
        return self.best.text

    @property
    def confidence(self) -> float:
        """Estimated probability that the answer is right: its best reading's."""
        return self.best.confidence

    @property
    def sources(self) -> tuple[Reading, ...]:
        """All readings that count, the best first."""
        return (self.best, *self.support)

    @property
    def articles(self) -> int:
        """In how many articles the sources stand."""
        return len({reading.passage.article.id for reading in self.sources})

    @property
    def days(self) -> tuple[dt.date, dt.date] | None:
        """The days on which the first and the last source were published; None if none says."""
        dates = [reading.passage.article.published for reading in self.sources]
        days = [dt.date.fromisoformat(date[:10]) for date in dates if date]
        return (min(days), max(days)) if days else None


def well_cut(readings: Sequence[Reading]) -> list[Reading]:
    """The readings at sensible boundaries, without those that hold no word."""
    spans = [settled(each.passage.paragraph.text, each.answer, each.sentence) for each in readings]
    return [
        replace(reading, answer=span)
        for reading, span in zip(readings, spans, strict=True)
        if span is not None
    ]


def assembled(readings: Sequence[Reading]) -> list[Answer]:
    """The distinct answers that the readings give, by falling confidence.

    Equal is what differs only in case, accents, punctuation, articles and a possessive ending. A
    person's last names also support the full name where nobody else among the readings has them.
    Of readings that overlap in a paragraph only the surest counts.
    """
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda reading: -reading.confidence):
        if not any(overlapping(reading, other) for other in kept):
            kept.append(reading)
    names = [_Name.of(reading) for reading in kept]
    people = {name.words for name in names if name.titled}
    alike: dict[Hashable, list[Reading]] = {}
    for reading, name in zip(kept, names, strict=True):
        identity = _full_name(name.words, people) or _normalised(reading.text)
        alike.setdefault(identity, []).append(reading)
    return [Answer(best, _independent(best, others)) for best, *others in alike.values()]


def _independent(best: Reading, others: Sequence[Reading]) -> tuple[Reading, ...]:
    """Those of ``others`` whose paragraphs are neither the same nor copies of one before."""
    if not others:
        return ()
    found: list[Reading] = []
    seen = [Wording.of(best.passage.paragraph.text)]
    for reading in others:
        wording = Wording.of(reading.passage.paragraph.text)
        if not any(wording.is_copy_of(each) for each in seen):
            found.append(reading)
            seen.append(wording)
    return tuple(found)


_PERCENT = re.compile(r"%|\bper\s+cent\b", re.IGNORECASE)
_SIGNS = re.compile(r"(?<!\w)[-−](?=[\d$€£])|[‰°$€£¥₽+#]")
"""Signs that are no punctuation: "$5" is not "5", nor "C#" "C"."""

_ARTICLES = frozenset({"a", "an", "the"})


def _normalised(text: str) -> Hashable:
    """Equal of texts that say the same."""
    forms = tuple(token.form for token in tokens(_PERCENT.sub(" percent ", text)))
    content = tuple(form for form in forms if form not in _ARTICLES)
    return content or forms, tuple(_SIGNS.findall(text.replace("−", "-")))


_TITLE = re.compile(
    r"\b(?:president(?:-elect)?|(?:prime )?minister|chancellor|senator|governor|mayor|ambassador"
    r"|secretary(?: of state| of defense|[- ]general)?|congress(?:man|woman)|chair(?:man|woman)"
    r"|spokes(?:man|woman|person)|commissioner|professor|pope|archbishop|sir"
    r"|(?:mr|mrs|ms|dr|prof|sen|rep|gov)\b\.?)\s+",
    re.IGNORECASE,
)
"""What a person's name follows; no title that also begins other names ("King Kong")."""

_PARTICLES = frozenset("al bin da de del den der di dos du el ibn van von".split())  # noqa: SIM905 - words in a string read better
_NAME = re.compile(r"[^\W\d_][^\d,;:()\"“”„«»/&]*")


class _Name(NamedTuple):
    """A name's folded words without the title; ``titled`` if a title shows that it is a person's.

    Without words it is no name.
    """

    words: tuple[str, ...]
    titled: bool

    @classmethod
    def of(cls, reading: Reading) -> _Name:
        """The name that a reading may be, with a title in it or right before it."""
        text, (start, end) = reading.passage.paragraph.text, reading.answer
        titles = _TITLE.finditer(text, reading.sentence.start, end)
        begins = [title.end() for title in titles if start <= title.end() < end]
        name = text[begins[-1] if begins else start : end]
        found = tokens(name)
        if not _NAME.fullmatch(name) or not all(_in_name(name, token) for token in found):
            return cls((), False)
        return cls(tuple(token.form for token in found), bool(begins))


def _in_name(name: str, token: Token) -> bool:
    return name[token.start].isupper() or token.form in _PARTICLES


def _full_name(words: tuple[str, ...], people: set[tuple[str, ...]]) -> Hashable | None:
    """The longest name of the one person whose last names are ``words``; None where in doubt.

    Only people: "Korea" is no short form of "North Korea".
    """
    fitting = [name for name in people if words and name[-len(words) :] == words]
    longest = max(fitting, key=len, default=None)
    if longest is None or any(longest[-len(name) :] != name for name in fitting):
        return None
    return longest
