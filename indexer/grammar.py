"""The query grammar: turns whatever somebody types into a :class:`Query`.

Whoosh's own query parser raises on some inputs, guesses on others and knows no positions, so the
grammar is parsed here by hand. The parser is total: broken syntax is searched as plain words, and
``Query.problem`` says what was broken and where. ``docs/query-grammar.md`` is the user's page.

    query   := (clause | period)*          bare words are wishes, everything marked is required
    period  := ("after" | "before") ":" (year | month | day)
    clause  := both ("OR" both)*
    both    := unary ("AND" unary)*
    unary   := ("NOT" | "+" | "-")* atom
    atom    := "(" clause+ ")" | [field ":"] (phrase | prefix | wildcard | word)
    field   := "title" | "body" | "by" | "source"
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast, get_args

from indexer.filters import Period, extent
from indexer.nodes import (
    All,
    Any_,
    Constraint,
    Field,
    FieldName,
    Leaf,
    Not,
    Phrase,
    Prefix,
    Query,
    Wildcard,
    Word,
)
from indexer.types import Span

MAX_DEPTH = 32  # parentheses inside each other; more is a mistake or an attack, not a question


def parse(text: str) -> Query:
    """Parse any text at all; never raises.

    >>> parse('say "hello').problem
    'unbalanced " at character 5; searched as plain words'
    """
    text = text.strip()
    try:
        parser = _Parser(_lexemes(text))
        constraint = parser.query()
    except _BrokenSyntax as broken:
        return _plain(text, f"{broken}; searched as plain words")
    if constraint is None and not parser.periods:
        return _plain(text)
    words = tuple(word for term in parser.terms for word in _words_of(term))
    if not words and constraint is None:
        constraint = All(())  # Nothing but days: whatever was published then is found.
    return Query(text, words, tuple(parser.terms), constraint, periods=tuple(parser.periods))


def _plain(text: str, problem: str | None = None) -> Query:
    words = tuple(text.split())
    return Query(text, words, tuple(Word(w) for w in words if _has_word(w)), problem=problem)


def _words_of(term: Leaf | Field) -> list[str]:
    match term:
        case Field(_, leaf):
            return _words_of(leaf)
        case Wildcard(pattern):
            return [re.sub(r"[*?]", "", pattern)]
        case Word(text) | Phrase(text) | Prefix(text):
            return text.split()


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


_QUOTES = '"“”„«»'
_LEXEME = re.compile(
    rf"""
    (?P<space> \s+ )
    | (?P<open> \( )
    | (?P<close> \) )
    # A sign counts only where a word could start, so "U.S.-led" and "- dash" stay plain.
    | (?P<sign> (?<! [^\s(] ) [+-] (?= [\w({_QUOTES}] ) )
    | (?P<period> (?: after | before ) : )
    | (?P<field> (?: {"|".join(get_args(FieldName))} ) : )
    | (?P<quote> [{_QUOTES}] )
    # Hebrew writes acronyms with a quotation mark inside the word.
    | (?P<word> (?: [^\s(){_QUOTES}] | (?<= [א-ת] ) " (?= [א-ת] ) )+ )
    """,
    re.VERBOSE,
)
_OPERATORS = frozenset({"AND", "OR", "NOT"})


class _BrokenSyntax(Exception):
    """What is wrong and where; never leaves this module."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(f"{what} at character {position + 1}")


class _Lexeme(NamedTuple):
    kind: str
    text: str
    start: int


def _lexemes(text: str) -> list[_Lexeme]:
    """Cut ``text`` into lexemes; a quoted phrase becomes one, without its quotes."""
    shouted = _is_shouted(text)
    found: list[_Lexeme] = []
    position = 0
    while match := _LEXEME.match(text, position):
        kind, value = str(match.lastgroup), match.group()
        position = match.end()
        if kind == "quote":
            start = position
            while (close := _LEXEME.search(text, position)) and close.lastgroup != "quote":
                position = close.end()
            if close is None:
                raise _BrokenSyntax(f"unbalanced {value}", start - 1)
            kind, value, position = "phrase", text[start : close.start()].strip(), close.end()
            if not _has_word(value):
                raise _BrokenSyntax("empty phrase", start - 1)
        elif kind == "word" and value in _OPERATORS and not shouted:
            kind = value
        if kind != "space":
            found.append(_Lexeme(kind, value, match.start()))
    return found


def _is_shouted(text: str) -> bool:
    """Whether all but the operators is in capitals too, so that capitals mean nothing."""
    words = (word for word in text.split() if word.strip("()") not in _OPERATORS)
    letters = [letter for letter in "".join(words) if letter.isalpha()]
    return bool(letters) and all(map(str.isupper, letters))


class _Clause(NamedTuple):
    """A part of the query; ``marked`` when the user asked for more than bare words."""

    constraint: Constraint
    marked: bool


class _Parser:
    """Recursive descent over the lexemes.

    ``terms`` collects the leaves outside negations, ``periods`` the days that are asked for.
    """

    def __init__(self, lexemes: list[_Lexeme]) -> None:
        self.terms: list[Leaf | Field] = []
        self.periods: list[Period] = []
        self._lexemes = lexemes
        self._next = 0
        self._depth = 0
        self._positive = True

    def query(self) -> Constraint | None:
        clause = self._sequence()  # None when there is no word at all
        if extra := self._take("close"):
            raise _BrokenSyntax("unbalanced )", extra.start)
        return clause.constraint if clause and clause.marked else None

    def _peek(self) -> str:
        return self._lexemes[self._next].kind if self._next < len(self._lexemes) else "end"

    def _take(self, *kinds: str) -> _Lexeme | None:
        if self._peek() not in kinds:
            return None
        self._next += 1
        return self._lexemes[self._next - 1]

    def _sequence(self) -> _Clause | None:
        """Clauses side by side: the marked ones are all required; without any, one word is."""
        clauses: list[_Clause] = []
        while self._peek() not in {"end", "close"}:
            if clause := self._operands("OR", Any_, self._both):
                clauses.append(clause)
        if marked := [clause for clause in clauses if clause.marked]:
            return _Clause(_join(All, marked), marked=True)
        return _Clause(_join(Any_, clauses), marked=False) if clauses else None

    def _operands(
        self, operator: str, join: type[All | Any_], operand: Callable[[], _Clause | None]
    ) -> _Clause | None:
        clauses = [operand()]
        while sign := self._take(operator):
            if clauses[-1] is None:
                raise _BrokenSyntax(f"no word before {operator}", sign.start)
            clauses.append(self._required(operand, sign))
        parts = [clause for clause in clauses if clause]
        return _Clause(_join(join, parts), marked=True) if len(parts) > 1 else clauses[0]

    def _both(self) -> _Clause | None:
        return self._operands("AND", All, self._unary)

    def _required(self, operand: Callable[[], _Clause | None], after: _Lexeme) -> _Clause:
        clause = operand()
        if clause is None:
            raise _BrokenSyntax(f"no word after {after.text}", after.start)
        return clause

    def _unary(self) -> _Clause | None:
        signs: list[_Lexeme] = []
        while sign := self._take("NOT", "sign"):
            signs.append(sign)
        if not signs:
            return self._atom()
        negated = sum(sign.text != "+" for sign in signs) % 2 == 1
        self._positive ^= negated
        operand = self._required(self._atom, signs[-1]).constraint
        self._positive ^= negated
        return _Clause(Not(operand) if negated else operand, marked=True)

    def _atom(self) -> _Clause | None:
        if opening := self._take("open"):
            return self._group(opening)
        if field := self._take("field"):
            return self._field(field)
        if period := self._take("period"):
            self._period(period)
            return None
        if phrase := self._take("phrase"):
            return self._leaf(Phrase(phrase.text))
        word = self._take("word")
        return self._leaf(_word_leaf(word.text)) if word and _has_word(word.text) else None

    def _group(self, opening: _Lexeme) -> _Clause:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _BrokenSyntax(f"more than {MAX_DEPTH} parentheses deep", opening.start)
        inside = self._sequence()
        self._depth -= 1
        if not self._take("close"):
            raise _BrokenSyntax("unbalanced (", opening.start)
        if inside is None:
            raise _BrokenSyntax("empty parentheses", opening.start)
        return inside

    def _field(self, field: _Lexeme) -> _Clause:
        name = cast("FieldName", field.text[:-1])
        value = self._value(field, "phrase", "word")
        if not value or not _has_word(value.text):
            raise _BrokenSyntax(f"no word after {field.text}", field.start)
        if value.kind == "phrase":
            return self._leaf(Field(name, Phrase(value.text)))
        if name == "source" and re.search(r"[*?]", value.text):
            return self._leaf(Field(name, Wildcard(value.text)))  # one path, not words
        return self._leaf(Field(name, _word_leaf(value.text)))

    def _period(self, period: _Lexeme) -> None:
        """A period is no clause, so an operator or a sign beside it finds that a word is missing.

        It holds for the whole query, as an index of words could not say which days are left.
        """
        value = self._value(period, "word")
        text = value.text.rstrip("?!.,;:") if value else ""
        try:
            first, last = extent(text)
        except ValueError:
            raise _BrokenSyntax(f"no date after {period.text}", period.start) from None
        if self._depth:
            raise _BrokenSyntax(f"{period.text} within parentheses", period.start)
        span = Span(period.start, period.start + len(period.text) + len(text))
        after = period.text == "after:"
        self.periods.append(
            Period(first if after else None, None if after else last, "grammar", span)
        )

    def _value(self, field: _Lexeme, *kinds: str) -> _Lexeme | None:
        """What stands right behind a field's colon."""
        value = self._take(*kinds)
        adjacent = value and value.start == field.start + len(field.text)
        return value if adjacent else None

    def _leaf(self, leaf: Leaf | Field) -> _Clause:
        # A byline or a source selects paragraphs and says nothing of what they are about.
        filters = isinstance(leaf, Field) and leaf.name in {"by", "source"}
        if self._positive and not filters:
            self.terms.append(leaf)
        return _Clause(leaf, marked=not isinstance(leaf, Word))


def _join(node: type[All | Any_], clauses: Sequence[_Clause]) -> Constraint:
    parts = tuple(clause.constraint for clause in clauses)
    return parts[0] if len(parts) == 1 else node(parts)


def _word_leaf(text: str) -> Word | Prefix | Wildcard:
    """A bare token; only a pattern that starts with a letter and has two letters is expanded.

    Anything looser would expand to much of the vocabulary. Punctuation at the end is no part of a
    pattern, and neither is ``?`` there or twice in a row: "who is he?" asks, it does not match.
    """
    pattern = re.sub(r"\*+", "*", text.rstrip("?!.,;:'’…"))
    literals = re.sub(r"[*?]", "", pattern)
    is_pattern = (
        2 <= len(literals) < len(pattern)
        and pattern[0].isalnum()
        and "??" not in pattern
        and all(c.isalnum() or unicodedata.category(c).startswith("M") for c in literals)
    )
    if not is_pattern:
        return Word(text)
    return Prefix(literals) if pattern == f"{literals}*" else Wildcard(pattern)
