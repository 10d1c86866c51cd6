from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.signatures import DIGEST, SIZE, Signer, Wording

AGENCY = (
    "The council approved the budget for the new bridge over the river on Monday after a debate "
    "of six hours, officials said, although the ferry company had asked for more time."
)

COPIES = {
    "case and punctuation": (AGENCY, AGENCY.upper().replace(",", " –")),
    "straight and curly": ("It wasn't the mayor's bridge.", "“It wasn’t the mayor’s bridge”"),
    "a dateline": (AGENCY, f"TBILISI (Agency) – {AGENCY}"),
    "a word left out": (AGENCY, AGENCY.replace("new ", "")),
    "a word changed": (AGENCY.replace("said", "announced"), AGENCY),
    "a name added": (AGENCY.replace("council", "Tbilisi council"), AGENCY),
    "a short line": ("Read more about this", "READ MORE ABOUT THIS:"),
    "no words": ("* * *", "* * *"),
}

STATEMENTS = {
    "other figures": ("Shares rose 3% on Monday.", "Shares fell 4% on Monday."),
    "another number": (AGENCY.replace("six", "6"), AGENCY.replace("six", "7")),
    "another name": (AGENCY.replace("ferry", "Poti"), AGENCY.replace("ferry", "Batumi")),
    "another day": (AGENCY, AGENCY.replace("Monday", "Friday")),
    "another end": (
        "Shares of the railway company closed on the local exchange slightly higher.",
        "Shares of the railway company closed on the local exchange slightly lower.",
    ),
    "another sign": ("Change from last year: -14.9", "Change from last year: 14.9"),
    "another currency": ("It costs $30", "It costs €30"),
    "very short": ("Read more about this", "Read more about this bridge"),
    "Chinese figures": ("经济增长了三点五个百分点官员说", "经济增长了三点六个百分点官员说"),
    "other signs": ("* * *", "- - -"),
    "nothing in common": (AGENCY, "The harvest was poor in all of the valleys to the south of it."),
}

words = st.sampled_from(["peace", "corridor", "Brussels", "2025", "border", "treaty"])
texts = st.lists(words, max_size=30).map(" ".join)


def sign(text: str) -> bytes:
    return Signer().sign(text)


def is_copy(one: str, other: str) -> bool:
    found = Wording.of(one).is_copy_of(Wording.of(other))
    assert found == Wording.of(other).is_copy_of(Wording.of(one))
    return found


@pytest.mark.parametrize("pair", COPIES.values(), ids=COPIES)
def test_small_edits_make_a_copy_and_leave_part_of_the_signature(pair: tuple[str, str]) -> None:
    assert is_copy(*pair)
    one, other = (sign(text) for text in pair)
    assert any(one[at : at + 4] == other[at : at + 4] for at in range(0, SIZE, 4))


@pytest.mark.parametrize("pair", STATEMENTS.values(), ids=STATEMENTS)
def test_what_says_something_else_is_no_copy(pair: tuple[str, str]) -> None:
    assert not is_copy(*pair)
    assert sign(pair[0])[:DIGEST] != sign(pair[1])[:DIGEST]


@given(one=texts, other=texts)
def test_being_a_copy_goes_both_ways_and_equal_words_have_equal_signatures(
    one: str, other: str
) -> None:
    is_copy(one, other)
    assert is_copy(one, one)
    assert len(sign(one)) == SIZE
    assert (sign(one) == sign(other)) == (one.casefold() == other.casefold())
    assert sign(one) == sign(f"«{one.upper()}»") or not one


@given(text=st.text())
def test_any_text_has_a_signature(text: str) -> None:
    assert len(sign(text)) == SIZE
    assert is_copy(text, text)


def test_signatures_are_those_that_indexes_hold() -> None:
    """If this fails, raise the format of a generation, so that indexes are built anew."""
    assert sign(AGENCY).hex() == (
        "0a42f96510dd3b113db1daf19558d229aa87ab4ec888ce19d654282ee1a81dd5"
        "01e69887ca0025d8fac0675870e88ff0b4a9cb12738b75e1f6eb446ab0ea58c2"
    )
    assert sign("Read more about this").hex() == (
        "57fe9d4b9c754f1d58b7f928a6e7e5aa2d3e50cfbc3709e90891fc1fa1f71dd5"
        "7618d45c4c8d87429f2840ef1044fd97f039d3018e69dec59844d45bd6f0c69f"
    )
