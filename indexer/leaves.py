"""What a query means: which of its leaves are scored, where they stand, what is required."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from indexer.analysis import Token, fold, of_word, tokens, without_function_words
from indexer.nodes import (
    All,
    Any_,
    Constraint,
    Field,
    Leaf,
    Not,
    Phrase,
    Prefix,
    Query,
    Similar,
    Wildcard,
    Word,
)
from indexer.types import Span

Pattern: TypeAlias = Prefix | Wildcard


def resolved(leaf: Leaf) -> Leaf:
    """A prefix in a script without spaces is several pairs of characters, side by side."""
    if isinstance(leaf, Prefix) and len(tokens(leaf.text)) > 1:
        return Phrase(leaf.text)
    return leaf


@lru_cache(256)
def scored(query: Query, field: str) -> tuple[Leaf | Similar, ...]:
    """What of ``query`` is scored in ``field``; function words only where there is nothing else."""
    return tuple(_scored(query, field))


def _scored(query: Query, field: str) -> Iterator[Leaf | Similar]:
    bare = [term.text for term in query.terms if isinstance(term, Word | Similar)]
    content = set(without_function_words(bare))
    terms = [t for t in query.terms if not isinstance(t, Word) or t.text in content]
    for term in terms or query.terms:
        if isinstance(term, Similar):
            yield term
        elif not isinstance(term, Field):
            yield resolved(term)
        elif term.name == field:
            yield resolved(term.leaf)


def has_wishes(query: Query) -> bool:
    """Whether some word of ``query`` is scored but in no required part."""
    return bool(set(query.terms) - set(required(query.constraint)))


def required(constraint: Constraint | None) -> Iterator[Leaf | Field]:
    """The leaves of ``constraint`` that are not negated."""
    match constraint:
        case All(parts) | Any_(parts):
            for part in parts:
                yield from required(part)
        case Word() | Phrase() | Prefix() | Wildcard() | Field():
            yield constraint


def spans(query: Query, field: str, text: str, language: str | None) -> tuple[Span, ...]:
    """Where ``text``, the content of ``field``, holds what of ``query`` is scored there.

    In order and without overlap. A phrase is one span, and marked only where all of it stands.
    """
    found = tokens(text, language)
    return _merged(
        span for leaf in scored(query, field) for span in _standing(leaf, found, language)
    )


def _standing(leaf: Leaf | Similar, found: list[Token], language: str | None) -> Iterator[Span]:
    """Where ``leaf`` stands among the tokens of a text in ``language``."""
    if isinstance(leaf, Phrase):
        terms = [token.term for token in tokens(leaf.text, language)]
        for first in range(len(found) - len(terms) + 1):
            here = found[first : first + len(terms)]
            if here and [token.term for token in here] == terms:
                yield Span(here[0].start, here[-1].end)
    elif isinstance(leaf, Word | Similar):
        texts = leaf.words if isinstance(leaf, Similar) else (leaf.text,)
        asked = {token.term for text in texts for token in of_word(text, language)}
        yield from (Span(token.start, token.end) for token in found if token.term in asked)
    else:
        fits = matcher(fold(shape_of(leaf)))
        yield from (Span(token.start, token.end) for token in found if fits(token.form))


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """``spans`` in order, those that overlap made one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return tuple(merged)


def shape_of(pattern: Pattern) -> str:
    """The words of a pattern with ``*`` and ``?``."""
    return f"{pattern.text}*" if isinstance(pattern, Prefix) else pattern.pattern


def matcher(shape: str) -> Callable[[str | bytes], bool]:
    """Whether a word, as text or in UTF-8, has ``shape``.

    fnmatch's expressions do not backtrack; a plain translation of ``a*b*c*`` would without end.
    """
    fits = re.compile(fnmatch.translate(shape.replace("[", "[[]"))).match
    return lambda word: bool(fits(word if isinstance(word, str) else word.decode()))


def describe(constraint: Constraint) -> str:  # noqa: PLR0911 - one for each kind of node
    """The constraint in the grammar's own words.

    >>> describe(All((Phrase("north sea"), Not(Word("gas")))))
    '("north sea" AND NOT gas)'
    """
    match constraint:
        case All(parts):
            return f"({' AND '.join(map(describe, parts))})"
        case Any_(parts):
            return f"({' OR '.join(map(describe, parts))})"
        case Not(part):
            return f"NOT {describe(part)}"
        case Field(name, leaf):
            return f"{name}:{describe(leaf)}"
        case Phrase(text):
            return f'"{text}"'
        case Prefix(text):
            return f"{text}*"
        case Wildcard(pattern):
            return pattern
        case Word(text):
            return text
