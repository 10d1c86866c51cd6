from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.grammar import MAX_DEPTH, parse
from indexer.nodes import (
    All,
    Any_,
    Constraint,
    Field,
    Not,
    Phrase,
    Prefix,
    Wildcard,
    Word,
)

PAGE = Path(__file__).resolve().parent.parent / "docs" / "query-grammar.md"

_SYNTAX = ['"', "“", "„", "»", "(", ")", " ", " ", "+", "-", "*", "?", "AND", "OR", "NOT", ":"]
_TROUBLE = ["\0", "\ud800", "\u202e", "\u200f", "🙂", "e\u0301", "title:", "by:", "source:", "ab"]
_TROUBLE += ["after:", "before:", "2025", "-07"]
_QUERIES = st.lists(st.sampled_from(_SYNTAX + _TROUBLE), max_size=25).map("".join) | st.text()


@given(_QUERIES)
def test_any_text_parses_and_broken_syntax_is_searched_as_plain_words(text: str) -> None:
    query = parse(text)
    assert query.text == text.strip()
    if query.problem:
        assert query.constraint is None
        assert query.words == tuple(text.split())
        assert query.periods == ()
        place = re.fullmatch(r".+ at character (\d+); searched as plain words", query.problem)
        assert place is not None
        assert 1 <= int(place[1]) <= len(query.text)


_LETTERS = st.from_regex(r"[a-zéя漢]{2,5}", fullmatch=True)
_WORDS = st.builds(Word, _LETTERS)
_LEAVES = (
    _WORDS
    | st.builds(Phrase, st.lists(_LETTERS, min_size=1, max_size=3).map(" ".join))
    | st.builds(Prefix, _LETTERS)
    | st.builds(Wildcard, st.tuples(_LETTERS, st.sampled_from("*?"), _LETTERS).map("".join))
)
_FIELDS = st.builds(Field, st.sampled_from(["title", "body", "by"]), _LEAVES) | st.builds(
    Field, st.just("source"), _WORDS | st.builds(Wildcard, _LETTERS.map("*{}".format))
)
_CONSTRAINTS: st.SearchStrategy[Constraint] = st.recursive(
    _LEAVES | _FIELDS,
    lambda parts: (
        st.builds(Not, parts)
        | st.builds(All, st.lists(parts, min_size=2, max_size=3).map(tuple))
        | st.builds(Any_, st.lists(parts, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


def typed(constraint: Constraint) -> str:
    match constraint:
        case All(parts) | Any_(parts):
            operator = " AND " if isinstance(constraint, All) else " OR "
            return f"({operator.join(map(typed, parts))})"
        case Not(part):
            return f"(NOT {typed(part)})"
        case Field(name, leaf):
            return f"{name}:{typed(leaf)}"
        case Phrase(text):
            return f'"{text}"'
        case Prefix(text):
            return f"{text}*"
        case Wildcard(text) | Word(text):
            return text


def scored(constraint: Constraint, *, positive: bool = True) -> list[Constraint]:
    match constraint:
        case All(parts) | Any_(parts):
            return [leaf for part in parts for leaf in scored(part, positive=positive)]
        case Not(part):
            return scored(part, positive=not positive)
        case Field("by" | "source", _):
            return []
        case leaf:
            return [leaf] if positive else []


@given(_CONSTRAINTS)
def test_a_constraint_typed_out_parses_back_and_scores_what_is_not_negated(
    constraint: Constraint,
) -> None:
    query = parse(f"wish +{typed(constraint)}")
    assert query.problem is None
    assert query.constraint == constraint
    assert list(query.terms) == [Word("wish"), *scored(constraint)]


@given(st.lists(st.from_regex(r"[a-z0-9é漢]{1,8}['’.,!?;…]?", fullmatch=True), max_size=30))
def test_plain_words_round_trip(words: list[str]) -> None:
    query = parse("  ".join(words))
    assert query.words == tuple(words)
    assert query.terms == tuple(Word(word) for word in words)
    assert query.question == " ".join(words)
    assert query.constraint is None
    assert query.problem is None


@pytest.mark.parametrize(
    "text",
    [
        "oil " * 2500,
        "NOT " * 2500,
        "+" * 10_000,
        '"' * 10_001,
        "(" * 10_000,
        "a OR " * 2000 + "b",
        "a*" * 5000,
        "title:" * 1500,
        "\ud800\0\u202e🙂" * 2500,
    ],
    ids=lambda text: text[:6].encode("ascii", "replace").decode(),
)
def test_ten_thousand_characters_parse(text: str) -> None:
    assert parse(text).text == text.strip()


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ('"north sea"', Phrase("north sea")),
        ("“north sea” oil", Phrase("north sea")),
        ("„Wir schaffen das“ Merkel", Phrase("Wir schaffen das")),
        ("«mer du nord»", Phrase("mer du nord")),
        ("+oil price", Word("oil")),
        ("oil -gas", Not(Word("gas"))),
        ('-"north sea"', Not(Phrase("north sea"))),
        ("-title:oil", Not(Field("title", Word("oil")))),
        ("oil -(gas OR coal)", Not(Any_((Word("gas"), Word("coal"))))),
        ("+(gas coal) oil", Any_((Word("gas"), Word("coal")))),
        ("oil AND gas", All((Word("oil"), Word("gas")))),
        ("oil NOT gas", Not(Word("gas"))),
        ("NOT NOT oil", Word("oil")),
        ("oil OR gas AND coal", Any_((Word("oil"), All((Word("gas"), Word("coal")))))),
        ("(oil OR gas) AND coal", All((Any_((Word("oil"), Word("gas"))), Word("coal")))),
        ("2024 AND 2025", All((Word("2024"), Word("2025")))),
        ("title:oil", Field("title", Word("oil"))),
        ('by:"Anna Kern"', Field("by", Phrase("Anna Kern"))),
        ("body:negot*", Field("body", Prefix("negot"))),
        ("source:a/b.txt", Field("source", Word("a/b.txt"))),
        ("source:*2025*", Field("source", Wildcard("*2025*"))),
        ("negot*", Prefix("negot")),
        ("negot**,", Prefix("negot")),
        ("wom?n", Wildcard("wom?n")),
        ("w*men?", Wildcard("w*men")),
        ("हिन्*", Prefix("हिन्")),
        ("-oil -gas", All((Not(Word("oil")), Not(Word("gas"))))),
    ],
)
def test_marked_parts_are_required(text: str, constraint: Constraint) -> None:
    query = parse(text)
    assert query.constraint == constraint
    assert query.problem is None


@pytest.mark.parametrize(
    "text",
    [
        "who is he?",
        "really??",
        "what??now",
        "U.S.-led third-party talks",
        "oil - gas",
        "a -- b",
        "foo:bar",
        "Title:oil",
        "subtitle:oil",
        "n* w*",
        "*tion",
        "the workers' rights, don't they",
        "What did the WHO (World Health Organization) say?",
        "and or not",
        "WAR AND PEACE",
        "(EU OR NATO)",
        'צה"ל',
        "C++ and 5-",
        "http://example.org/a*b",
    ],
)
def test_plain_questions_have_no_constraint(text: str) -> None:
    query = parse(text)
    assert query.constraint is None
    assert query.problem is None
    assert query.question == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('27" screen', 'unbalanced " at character 3'),
        ("say „hello", "unbalanced „ at character 5"),
        ("  oil (gas", "unbalanced ( at character 5"),
        ("hello :)", "unbalanced ) at character 8"),
        ("oil NOT", "no word after NOT at character 5"),
        ("oil AND - gas", "no word after AND at character 5"),
        ("oil (AND gas)", "no word before AND at character 6"),
        ("oil OR OR gas", "no word after OR at character 5"),
        ('"…"', "empty phrase at character 1"),
        ("what is the source: AFP", "no word after source: at character 13"),
        ("title:(oil)", "no word after title: at character 1"),
        ("title:body:oil", "no word after title: at character 1"),
        ("oil after:", "no date after after: at character 5"),
        ("after: 2025", "no date after after: at character 1"),
        ("before:Christmas oil", "no date after before: at character 1"),
        ("after:2025-02-30", "no date after after: at character 1"),
        ('after:"2025"', "no date after after: at character 1"),
        ("(oil after:2025) OR gas", "after: within parentheses at character 6"),
        ("oil OR after:2025", "no word after OR at character 5"),
        ("after:2025 OR oil", "no word before OR at character 12"),
        ("oil AND before:2025", "no word after AND at character 5"),
        ("oil -after:2025", "no word after - at character 5"),
        (
            "(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1),
            f"more than {MAX_DEPTH} parentheses deep at character {MAX_DEPTH + 1}",
        ),
    ],
)
def test_broken_syntax_is_named_with_its_place(text: str, problem: str) -> None:
    assert parse(text).problem == f"{problem}; searched as plain words"


def test_words_are_the_positive_ones_without_filters() -> None:
    query = parse('oil "north sea" -gas by:reuters source:a.txt title:price negot* wom?n NOT coal')
    assert query.question == "oil north sea price negot womn"
    assert query.terms == (
        Word("oil"),
        Phrase("north sea"),
        Field("title", Word("price")),
        Prefix("negot"),
        Wildcard("wom?n"),
    )


def test_a_query_of_negatives_scores_nothing() -> None:
    query = parse("-oil NOT gas")
    assert query.terms == ()
    assert query.question == ""


@pytest.mark.parametrize(
    ("text", "after", "before"),
    [
        ("after:2025-07-03 oil", "2025-07-03", None),
        ("oil after:2025-07", "2025-07-01", None),
        ("oil after:2025 gas", "2025-01-01", None),
        ("oil before:2025-07-03", None, "2025-07-03"),
        ("oil before:2024-02?", None, "2024-02-29"),
        ("oil before:2025", None, "2025-12-31"),
    ],
)
def test_days_limit_a_query_and_are_no_part_of_the_question(
    text: str, after: str | None, before: str | None
) -> None:
    query = parse(text)
    first, last = (dt.date.fromisoformat(day) if day else None for day in (after, before))
    (period,) = query.periods
    assert (period.after, period.before, period.origin) == (first, last, "grammar")
    assert period.span
    assert re.fullmatch(r"(after|before):[-\d]+", text[slice(*period.span)])
    assert query.question in {"oil", "oil gas"}
    assert query.constraint is None
    assert query.problem is None


def test_days_stand_beside_everything_else() -> None:
    query = parse("price +oil after:2025 before:2025-07 -(gas OR coal)")
    assert [(each.after, each.before) for each in query.periods] == [
        (dt.date(2025, 1, 1), None),
        (None, dt.date(2025, 7, 31)),
    ]
    assert query.constraint == All((Word("oil"), Not(Any_((Word("gas"), Word("coal"))))))
    assert query.question == "price oil"


def test_nothing_but_days_is_fulfilled_by_every_paragraph_of_them() -> None:
    query = parse("after:2025-07")
    assert (query.constraint, query.terms, query.words) == (All(()), (), ())


@given(_CONSTRAINTS, st.dates())
def test_days_change_nothing_else_of_a_query(constraint: Constraint, day: dt.date) -> None:
    alone = parse(f"wish +{typed(constraint)}")
    beside = parse(f"wish +{typed(constraint)} before:{day}")
    assert (beside.words, beside.terms, beside.constraint) == (
        *(alone.words, alone.terms, alone.constraint),
    )
    assert [each.before for each in beside.periods] == [day]


def test_the_problems_on_the_page_are_those_reported() -> None:
    section = PAGE.read_text("utf-8").split("## Broken syntax")[1].split("## ")[0]
    rows = re.findall(r"^\| `(.+)` \| (.+) \|$", section, re.MULTILINE)
    assert len(rows) >= 8
    for typed, told in rows:
        assert parse(typed).problem == told


def test_every_marked_query_on_the_page_is_understood() -> None:
    page = PAGE.read_text("utf-8").split("## Details")[0]
    queries = [
        q
        for row in re.findall(r"^\|(.+)\|.+\|$", page, re.MULTILINE)
        for q in re.findall("`(.+?)`", row)
    ]
    assert len(queries) >= 14
    plain = [query for query in queries if not parse(query).constraint]
    assert plain == ["oil prices", "oil after:2025-07-03", "oil before:2025-07"]
    assert not any(parse(query).problem for query in queries)
