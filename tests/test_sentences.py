from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.punctuation import CLOSERS, GERMAN_CLOSERS, OPENERS, SPACE, STOPS
from indexer.sentences import LONGEST, sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_the_sentence_of_the_seed_article_is_found_inside_its_quotation(shared: Path) -> None:
    seed = next((shared / "seeds").glob("*.txt")).read_text(encoding="utf-8")
    paragraph = next(line for line in seed.splitlines() if "Brussels proposed" in line)
    found = [s for s in cut(paragraph) if s.startswith("Brussels proposed a model")]
    assert [s.endswith("shares data with all parties.") for s in found] == [True]


# Each case is written as the list of its sentences; they are joined by a space and split again.
ENGLISH = [
    ["The talks ended.", "Nobody won.", "Why?", "Nobody knows!"],
    # Titles, initials and other abbreviations.
    ["Mr. Smith met Gen. Lt. Ivanov, Sen. Warren and Dr. J. K. Rowling.", "He left."],
    ["The U.S. Senate and the U.N. Security Council disagree.", "So does Donald J. Trump."],
    ["He moved to the U.S.", "But she stayed in the U.K.", "The rest is known."],
    ["Apple Inc. Chairman Art Levinson spoke.", "Shares of Widget Corp. rose."],
    ["It happened on Jan. 5 vs. Sept. 11.", "That was No. 1 on p. 7 of Vol. 2."],
    ["He said no.", "They agreed."],
    ["Doors open at 5 p.m. Friday and 7 a.m. Eastern.", "We left at 8 p.m.", "Police came."],
    ["It rained, e.g. In Wales, i.e. The west."],
    ["Prices rose 3.5 percent, to $1.20.", "See example.com for more."],
    ["YORK, Pa. — When it snows, it pours."],
    ["Carl A. El-Erian wrote it.", "Sens. Merkley (D-Ore.) and King spoke."],
    # Quotations and brackets.
    ["“We tried.", "We failed,” he said.", "“Never again.”", "They left."],
    ['"Why?" he asked.', '"Really?!" Mr. Smith said.', '"Stop!"', "Everyone ran."],
    ["It failed.", "(Nobody was told.)", "[Editor's note: untrue.]", "The end."],
    ["It means “not 'that.' ”", "Then she laughed."],
    # Ellipses, lists, names in small letters, small letters throughout.
    ["He waited ... and left.", "Then it rained…", "“... But I stayed.”"],
    ["Well... I think so.", "And . . . that is it."],
    ["1. The first item.", "2. The second one."],
    ["Yahoo! users complained.", "iPhone sales fell.", "eBay rose."],
    ["nobody writes capitals.", "that is the style.", "e.g. here."],
    ["the flow is subsonic .", "the wing is swept ."],
    ["THE U.S . FIRST PROPOSED IT (TIME, DEC . 28) .", "MR. SMITH DID NOT ."],
]
OTHER = [
    [
        "Он приехал в 1999 г. в Москву.",
        "А. С. Пушкин писал…",
        "Потом перестал.",
        "«Нет!» — сказал он.",
    ],
    ["Er kam am 3. Juli mit Dr. Weiß, d.h. spät.", "„Ja.“", "»Nein.«", "Schluss."],
    ["Il a dit : « Oui. »", "« Non ! »", "M. Macron partit."],
    ["Γιατί;", "Δεν ξέρω· ίσως.", "Τι; ρώτησε."],
    ["هل هذا صحيح؟", "نعم.", "قال د. محمد ذلك.", "یہ اردو ہے۔", "ہاں۔"],
    ["यह है।", "वह था॥"],
    ["Սա է։", "Դա էր։"],
    ["외무장관은 말했다.", "회담은 끝났다."],
]


@pytest.mark.parametrize("expected", ENGLISH)
def test_english_news_is_cut_where_a_reader_would(expected: list[str]) -> None:
    assert cut(" ".join(expected)) == expected


@pytest.mark.parametrize("expected", OTHER)
def test_other_scripts_are_cut_at_their_own_stops(expected: list[str]) -> None:
    assert cut(" ".join(expected)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["我们同意。", "“你好。", "再见。”他说。", "真的吗？", "是的！"],
        ["「はい。」と言った。", "次の文。", "（終わり。）"],
        ["नहीं।", "हाँ।"],
    ],
)
def test_scripts_without_spaces_are_cut_at_their_stops(expected: list[str]) -> None:
    assert cut("".join(expected)) == expected


def test_a_semicolon_is_a_question_mark_in_greek_only() -> None:
    assert len(cut("Some left; Others stayed; Nobody spoke.")) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028"])
def test_the_line_ends_of_wrapped_text_do_not_cut(end: str) -> None:
    text = f"The talks in{end}Vienna ended.{end}Nobody{end}won."
    assert cut(text) == [f"The talks in{end}Vienna ended.", f"Nobody{end}won."]


def test_without_stops_a_sentence_is_cut_at_the_last_space_that_keeps_it_short() -> None:
    words = "word " * 500
    assert [len(piece) for piece in cut(words)] == [999, 999, 499]
    assert [len(piece) for piece in cut("x" * 2500)] == [LONGEST, LONGEST, 500]


PIECES = st.one_of(
    st.sampled_from(
        [*STOPS, *OPENERS, *CLOSERS, *GERMAN_CLOSERS, *SPACE, "...", "?!", "; ", ". ", "。", "\r\n"]
    ),
    st.sampled_from(
        ["Mr", "U.S", "J", "e.g", "The", "said", "a.m", "3", "x" * 400, "word ", "はい"]
    ),
    st.text(max_size=5),
)


@given(st.lists(PIECES, max_size=80).map("".join))
def test_sentences_are_trimmed_apart_short_and_hold_every_visible_character(text: str) -> None:
    last = 0
    for start, end in sentences(text):
        assert last <= start < end
        assert end - start <= LONGEST
        assert text[start:end] == text[start:end].strip(SPACE)
        assert not text[last:start].strip(SPACE)
        last = end
    assert not text[last:].strip(SPACE)


@pytest.mark.parametrize(
    "unit",
    [
        "Mr. ",
        "a.",
        ".",
        ". ",
        "x",
        '"',
        '."',
        "A B ",
        ";",
        "。",
        "-",
        "Aa Aa ? ",
        "1. ",
        "   ",
        "“”? A ",
    ],
)
def test_half_a_megabyte_of_anything_takes_linear_time(unit: str) -> None:
    started = time.perf_counter()
    sentences(unit * (2**19 // len(unit)))
    assert time.perf_counter() - started < 5
