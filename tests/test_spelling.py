from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis import tokens
from indexer.grammar import parse
from indexer.nodes import Similar, Word
from indexer.vocabulary import vocabulary
from service.spelling import Speller, corrected, corrections, rewritten

COUNTS = {
    "azerbaijan": 9,
    "azerbaijani": 4,
    "operator": 7,
    "form": 90,
    "from": 80,
    "oil": 50,
    "corridor": 30,
    "third": 12,
    "party": 8,
    "party2": 5,
    "ереван": 3,
    "farm": 99,
}
SPELLER = Speller(vocabulary([], COUNTS.items(), []))


def holds(word: str) -> bool:
    return tokens(word)[0].form in COUNTS


def meant(text: str, nearest: Callable[[str], list[str]] = SPELLER.nearest) -> str:
    return rewritten(text, corrections(parse(text), holds, nearest))


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("azerbajan", "azerbaijan"),
        ("zaerbaijan", "azerbaijan"),
        ("ajerbajan", "azerbaijan"),
        ("coridor", "corridor"),
        ("frmo", "from"),
        ("forrm", "form"),
        ("fxrm", "farm"),
        ("еревап", "ереван"),
    ],
)
def test_the_nearest_word_comes_first(typed: str, first: str) -> None:
    assert SPELLER.nearest(typed)[0] == first


@pytest.mark.parametrize("typed", ["oli", "a", "partz2", "oprtr", "epebah", "zzzzzzzz", "操作"])
def test_a_word_that_resembles_none_has_no_neighbours(typed: str) -> None:
    assert SPELLER.nearest(typed) == []


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("Azerbajan's OPERATR", "Azerbaijan's OPERATOR"),
        ('+coridor "azerbajan operator" -oil', '+corridor "azerbaijan operator" -oil'),
        ("title:coridor AND (oil OR azerbajan)", "title:corridor AND (oil OR azerbaijan)"),
        ("who is the thrd-party operatro?", "who is the third-party operator?"),
        ("coridor, coridor", "corridor, corridor"),
        ("Ереван и Ереванн", "Ереван и Ереван"),
        ("-coridor", "-coridor"),
        ("by:operatr source:operatr.txt", "by:operatr source:operatr.txt"),
        ("coridor* cor?dar", "coridor* cor?dar"),
        ("thrid 12346", "third 12346"),
    ],
)
def test_words_are_corrected_and_operators_kept(typed: str, wanted: str) -> None:
    assert meant(typed) == wanted


@given(st.lists(st.sampled_from([*COUNTS, "the", "2025", "+", '"']), max_size=6).map(" ".join))
def test_where_every_word_occurs_nobody_asks_for_its_neighbours(text: str) -> None:
    def nearest(form: str) -> list[str]:
        assert form == "2025"
        return []

    query = parse(text)
    assert corrections(query, holds, nearest) == ()
    assert corrected(query, ()) == query


@given(st.text())
def test_offsets_slice_the_question(text: str) -> None:
    query = parse(text)
    found = corrections(query, lambda word: word == "oil", lambda _: ["oil", "gas"])
    for each in found:
        assert query.text[each.start : each.end] == each.word
        assert each.words == ("oil",)
    assert [each.start for each in found] == sorted({each.start for each in found})


def test_a_text_of_other_words_is_left_alone() -> None:
    words = "coridor operatr azerbajan thrid fomr partyy"
    assert meant(words) == words
    assert meant(words.rsplit(" ", 1)[0]) == "corridor operator azerbaijan third form"


def test_only_words_that_are_there_are_meant() -> None:
    assert meant("coridor", lambda _: ["corridors", "corridor", "oil"]) == "corridor"


def test_the_words_of_a_wish_are_searched_and_those_required_are_not() -> None:
    query = parse("thrd-party +operatr azerbajan")
    found = corrections(query, holds, SPELLER.nearest)
    searched = corrected(query, found)
    assert searched.terms == (
        *(Similar("thrd", ("third",)), Word("party"), Word("operatr")),
        Similar("azerbajan", ("azerbaijan", "azerbaijani")),
    )
    assert searched.constraint == query.constraint
    assert searched.text == query.text
    assert searched.question == "third-party operator azerbaijan"
