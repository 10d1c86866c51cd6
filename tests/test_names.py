from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis import tokens
from indexer.names import SEPARATOR, names, stored_name


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Yesterday the talks went on.", []),
        ("Talks in Yerevan. Baku waits; it said no.", ["Yerevan"]),
        ("NATO met.", ["NATO"]),
        ("The European Union and the Council of Europe", ["European Union", "Council of Europe"]),
        ("said Ursula von der Leyen on Monday", ["Ursula von der Leyen"]),
        ("a ride to Nagorno-Karabakh's north", ["Nagorno-Karabakh"]),
        ("by J. K. Rowling and J.K. Galbraith", ["J. K. Rowling", "J.K. Galbraith"]),
        ("he saw Mr. Aliyev, Pashinyan and others", ["Aliyev", "Pashinyan"]),
        ("THE WHOLE TEXT SHOUTS", []),
        ("he reads BREAKING NEWS TODAY aloud", []),
        ("the U.S. and the U.S. Senate", ["U.S.", "U.S. Senate"]),
        ("встреча в Ереване с Николом Пашиняном", ["Ереване", "Николом Пашиняном"]),
        ("one Two\nThree four", ["Two Three"]),
        ("of Bank of, and", ["Bank"]),
        ("北京大学", []),
    ],
)
def test_names_are_runs_of_capitals(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


@given(st.text())
def test_every_name_stands_in_the_text_and_can_be_stored(text: str) -> None:
    for name in names(text):
        assert name in " ".join(text.split())
        folded, separator, written = stored_name(name).partition(SEPARATOR)
        assert (separator, written) == (SEPARATOR, name)
        assert folded == " ".join(token.form for token in tokens(name))
