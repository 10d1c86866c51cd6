from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.names import stored_name
from indexer.vocabulary import vocabulary
from service.suggestions import Completer, Suggestion, Title, folded

NAMES = {"Nagorno-Karabakh": 7, "Ilham Aliyev": 5, "ilham aliyev": 1, "Łódź": 4, "Zangezur": 3}
WORDS = {
    "nagorno": 7,
    "nation": 20,
    "lodz": 8,
    "the": 99,
    "theory": 1,
    "karabakh": 8,
    "zangezur": 4,
}
BODIES = [
    "The third nation, and a third nation of Zangezur.",
    "A third theory of the Karabakh nation.",
    "Oil of Karabakh.",
]
TITLES = [
    Title("b", "Nagorno talks go on", 3),
    Title("a", "Old talks", 2),
    Title("c", "Old talks", 1),
]


def completer(gone: frozenset[str] = frozenset()) -> Completer:
    names = sorted((stored_name(name), count) for name, count in NAMES.items())
    return Completer(
        vocabulary([], sorted(WORDS.items()), names),
        TITLES,
        has_word=lambda word: word not in gone,
        has_name=lambda name: name not in gone,
        holding=lambda word, most: [text for text in BODIES if word in text.casefold()][:most],
    )


def texts(typed: str, limit: int = 8, gone: frozenset[str] = frozenset()) -> list[str]:
    return [each.text for each in completer(gone).complete(typed, limit)]


def test_words_and_names_come_by_frequency_and_titles_last() -> None:
    assert completer().complete("na", 8) == [
        Suggestion("term", "nation", 20),
        Suggestion("name", "Nagorno-Karabakh", 7),
        Suggestion("term", "nagorno", 7),
        Suggestion("title", "Nagorno talks go on", 3, "b"),
    ]


def test_several_words_are_gone_on_from_as_a_name() -> None:
    assert texts("nagorno k") == ["Nagorno-Karabakh"]
    assert texts("who saw Ilham a") == ["who saw Ilham Aliyev"]


def test_what_stands_before_the_last_word_is_kept() -> None:
    assert texts("+oil OR kara") == ["+oil OR karabakh", "+oil OR Nagorno-Karabakh"]


def test_case_and_accents_make_no_difference_and_a_name_has_its_own() -> None:
    assert texts("LODZ") == ["Łódź"]
    assert texts("aliy") == ["Ilham Aliyev"]
    assert completer().complete("ilham", 1)[0].count == 6


def test_a_word_that_is_mostly_a_name_is_shown_as_one() -> None:
    assert texts("zang") == ["Zangezur"]


def test_words_that_every_text_has_complete_nothing() -> None:
    assert texts("the") == ["theory"]


def test_a_title_is_found_by_any_of_its_words_the_newest_first_and_once() -> None:
    assert texts("talks") == ["Nagorno talks go on", "Old talks"]
    assert texts("talks g") == ["Nagorno talks go on"]
    assert texts("alks") == []


def test_titles_keep_some_of_the_places() -> None:
    assert texts("na", limit=4) == ["nation", "Nagorno-Karabakh", "nagorno", "Nagorno talks go on"]
    assert texts("na", limit=1) == ["nation"]


def test_what_is_gone_is_not_suggested() -> None:
    assert texts("na", gone=frozenset({"nation", "Nagorno-Karabakh"})) == [
        *("nagorno", "Nagorno talks go on")
    ]


@given(st.text(max_size=12), st.integers(1, 10))
def test_any_text_is_completed_by_what_begins_so(typed: str, limit: int) -> None:
    found = completer().complete(typed, limit)
    assert len(found) <= limit
    assert len({folded(each.text) for each in found}) == len(found)
    for each in found:
        last = folded(typed).split(" ")[-1]
        assert any(word.startswith(last) for word in folded(each.text).split(" "))


def test_a_word_goes_on_as_it_does_in_the_paragraphs() -> None:
    assert texts("a third na")[:1] == ["a third nation"]
    assert texts("third-na")[:1] == ["third-nation"]
    assert texts("zangezur th") == []
    assert texts("karabakh th") == ["karabakh theory"]
    assert texts("oil zan") == ["oil Zangezur"]
