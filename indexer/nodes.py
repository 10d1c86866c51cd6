"""What a typed query is made of: the nodes that :mod:`indexer.grammar` builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from indexer.filters import Period

FieldName: TypeAlias = Literal["title", "body", "by", "source"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word in any of its forms: ``price`` also finds ``prices``."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side in this order."""

    text: str


@dataclass(frozen=True, slots=True)
class Prefix:
    """Every word that starts with ``text``."""

    text: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Every word of the shape ``pattern``: ``*`` is any characters, ``?`` is one."""

    pattern: str


Leaf: TypeAlias = Word | Phrase | Prefix | Wildcard


@dataclass(frozen=True, slots=True)
class Similar:
    """A word that is nowhere as it was typed, ``text``; any of ``words`` may stand for it."""

    text: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A leaf that counts in one field only. In ``source`` it is compared with the whole path."""

    name: FieldName
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class All:
    """Fulfilled by a paragraph that fulfils every part; without parts, by any paragraph."""

    parts: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - the name Any means typing's
    """Fulfilled by a paragraph that fulfils at least one part."""

    parts: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Fulfilled by a paragraph that does not fulfil ``part``."""

    part: Constraint


Constraint: TypeAlias = Word | Phrase | Prefix | Wildcard | Field | All | Any_ | Not


@dataclass(frozen=True, slots=True)
class Query:
    """What a typed text asks for.

    ``text`` is the typed text without the space around it. ``words`` are its positive words in
    order, without operators and without those scoped to ``by:`` and ``source:``. ``terms`` are the
    leaves that score a paragraph. ``constraint`` is what every hit must fulfil; None in a plain
    question, where any word may match. ``problem`` says why broken syntax was searched as plain
    words; positions in it count characters of ``text`` from 1. ``periods`` are the days that
    ``after:`` and ``before:`` limit the articles to.
    """

    text: str
    words: tuple[str, ...]
    terms: tuple[Leaf | Field | Similar, ...]
    constraint: Constraint | None = None
    problem: str | None = None
    periods: tuple[Period, ...] = ()

    @property
    def question(self) -> str:
        """The positive words as one line: what an embedding model is asked."""
        return " ".join(self.words)
