from __future__ import annotations

import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.paragraphs import Layout, lines, split
from indexer.punctuation import SPACE
from indexer.types import Span

LONG = (
    (
        "The foreign minister said on Monday that the talks about the corridor would resume in the "
        "autumn, after both sides had agreed to share data on freight and customs control."
    ),
    (
        "“We are ready for a compromise,” he told reporters in Vienna. Experts doubt, however, "
        "that an agreement can be signed before the end of the year, given their long mistrust."
    ),
    (
        "According to the Carnegie Endowment, a third-party guarantor would be needed. Washington "
        "and Brussels have both offered to act as one, but neither has said on which terms."
    ),
)
GERMAN = (
    (
        "Der Außenminister erklärte am Montag in Wien, die Gespräche über den Korridor würden im "
        "Herbst fortgesetzt, nachdem beide Seiten sich auf den Austausch von Daten geeinigt hätten."
    ),
    (
        "Experten bezweifeln jedoch, dass das Abkommen noch vor Ende des Jahres unterzeichnet "
        "werden kann, weil das Misstrauen zwischen den Regierungen nach dem Krieg groß ist."
    ),
)
LINE_ENDS = ("\n", "\r\n", "\r", "\f", "\x85", "\u2028", "\u2029")


def parts(text: str) -> tuple[str, str | None, str | None, list[str]]:
    layout = split(text)
    return (
        at(text, layout.title) or "",
        at(text, layout.published),
        at(text, layout.byline),
        [text[start:end] for start, end in layout.paragraphs],
    )


def at(text: str, span: Span | None) -> str | None:
    return None if span is None else text[span.start : span.end]


def body(text: str) -> list[str]:
    """The paragraphs of an article with that body, white space collapsed."""
    return [" ".join(paragraph.split()) for paragraph in parts("Title\n\n" + text)[3]]


def wrapped(paragraphs: tuple[str, ...], width: int, indent: str = "") -> str:
    return "\n\n".join(textwrap.fill(p, width, initial_indent=indent) for p in paragraphs)


# The native form.


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize("blank", ["", "   ", "\ufeff\u200b"])
def test_the_native_form_has_one_paragraph_a_line_under_any_line_ends(end: str, blank: str) -> None:
    text = end.join(
        ["Title", "Published: 2025-07-03 05:32", blank, LONG[0], "Short one.", blank, LONG[1]]
    )
    text += f"{end}By Reuters"
    assert parts(text) == ("Title", "2025-07-03 05:32", "Reuters", [LONG[0], "Short one.", LONG[1]])


def test_short_paragraphs_on_neighbouring_lines_stay_apart() -> None:
    short = [
        "The talks in Vienna ended on Monday without any result.",
        "“We were so close to an agreement,” the minister said.",
        "Nobody expects another round before the autumn of 2026.",
        "Then what?",
    ]
    assert body("\n".join(short)) == short
    assert body("\n".join(short[:2])) == short[:2]


def test_headlines_on_neighbouring_lines_stay_apart() -> None:
    headlines = [
        "Trump says he will meet Putin in Alaska on Friday",
        "Russia hits Kyiv with drones in big attack since May",
        "EU leaders agree on a package",
    ]
    assert body("\n".join(headlines)) == headlines


@pytest.mark.parametrize("bullet", ["- ", "• ", "* "])
def test_the_items_of_a_list_stay_apart_also_among_wrapped_paragraphs(bullet: str) -> None:
    items = [f"{bullet}a corridor through the south", f"{bullet}customs", f"{bullet}data for all"]
    listed = "The plan has three parts:\n" + "\n".join(items)
    expected = ["The plan has three parts:", *items]
    assert body(listed) == expected
    assert body(f"{wrapped(LONG, 72)}\n\n{listed}") == [*LONG, *expected]


def test_the_wrapped_items_of_a_list_are_one_paragraph_each() -> None:
    items = (f"1. {LONG[0]}", f"2. {LONG[1]}", f"3. {LONG[2]}")
    listed = "\n".join(textwrap.fill(item, 70, subsequent_indent="   ") for item in items)
    assert body(listed) == list(items)


# Hard-wrapped text.


@pytest.mark.parametrize("paragraphs", [LONG, GERMAN, LONG[:1]])
@pytest.mark.parametrize("width", [60, 66, 72, 80])
@pytest.mark.parametrize("indent", ["", "    "])
def test_hard_wrapped_paragraphs_are_one_each(
    paragraphs: tuple[str, ...], width: int, indent: str
) -> None:
    assert body(wrapped(paragraphs, width, indent)) == list(paragraphs)


def test_a_wrapped_paragraph_is_the_raw_slice_with_its_line_ends() -> None:
    raw = wrapped(LONG[:2], 70).replace("\n", "\r\n")
    text = f"Title\r\nPublished: 2025-07-03\r\n\r\n{raw}\r\nBy Reuters\r\n"
    assert parts(text) == ("Title", "2025-07-03", "Reuters", raw.split("\r\n\r\n"))


def test_a_two_line_block_is_wrapped_if_its_first_line_stops_in_mid_sentence() -> None:
    assert len(body(textwrap.fill(LONG[0][:110] + ".", 72))) == 1
    assert len(body("The first one ends with its line, near column sixty-six.\nSo it does.")) == 2


def test_a_two_line_block_in_a_wrapped_file_is_judged_by_the_width_of_the_file() -> None:
    near = "The session was opened by the president at about nine o'clock. It\nended."
    far = "The session was opened by the president.\nIt ended."
    assert body(f"{wrapped(LONG, 70)}\n\n{near}\n\n{far}") == [
        *LONG,
        near.replace("\n", " "),
        *far.split("\n"),
    ]


def test_an_address_too_long_for_any_line_does_not_change_the_width() -> None:
    address = "https://example.org/" + "a" * 90
    text = f"{LONG[0]} See {address} for the whole of the statement by the minister."
    raw = textwrap.fill(text, 72, break_long_words=False)
    assert body(f"{raw}\n\n{wrapped(LONG, 72)}") == [text, *LONG]


def test_words_broken_at_hyphens_belong_to_one_paragraph() -> None:
    text = "A long-standing, much-discussed and never-resolved post-war dispute " * 4 + "ended."
    raw = textwrap.fill(text, 64)
    assert "-\n" in raw
    assert parts(f"Title\n\n{raw}")[3] == [raw]


def test_a_first_line_indented_begins_a_paragraph_without_a_blank_line() -> None:
    assert body(wrapped(LONG, 66, "   ").replace("\n\n", "\n")) == list(LONG)


def test_capitals_throughout_can_be_wrapped_too() -> None:
    shouted = tuple(paragraph.upper() for paragraph in LONG)
    assert body(wrapped(shouted, 72)) == list(shouted)


def test_a_wrapped_title_is_one_title_in_a_wrapped_file() -> None:
    title = "Carnegie Endowment: U.S. may pressure Azerbaijan, perhaps by inviting its President"
    text = f"{textwrap.fill(title, 60)}\nPublished: 2025-07-03\n\n{wrapped(LONG, 60)}\n"
    found, published, _, paragraphs = parts(text)
    assert (" ".join(found.split()), published, len(paragraphs)) == (title, "2025-07-03", 3)


# The marks.


@pytest.mark.parametrize("mark", ["Published:", "PUBLISHED: ", "published:\t"])
def test_published_is_read_on_the_line_behind_the_title_only(mark: str) -> None:
    assert parts(f"Title\n\n{mark}2025-07-03\nBody.")[1] == "2025-07-03"
    assert parts(f"Title\nBody.\n{mark}2025-07-03")[1] is None
    assert parts(f"{mark}2025-07-03\nBody.")[1] is None


def test_published_without_a_value_is_no_paragraph() -> None:
    assert parts("Title\nPublished:\nBody.") == ("Title", "", None, ["Body."])


@pytest.mark.parametrize(
    "names",
    [
        "Azerbaijani-Israeli Alliance Global News",
        "The Associated Press",
        "John A. Smith Jr.",
        "Ursula von der Leyen and Charles de Gaulle in Brussels",
        "staff writers",
        "Maria Ivanova, special correspondent (ivanova@example.org)",
        "eBay Newsroom",
        "新华社",
    ],
)
@pytest.mark.parametrize("by", ["By ", "BY ", "By\xa0"])
def test_a_closing_line_of_names_is_the_byline(by: str, names: str) -> None:
    assert parts(f"Title\nBody.\n{by}{names}\n\n") == ("Title", None, names, ["Body."])


@pytest.mark.parametrize(
    "line",
    [
        "By then the talks had collapsed.",
        "By then the talks had collapsed",
        "By whom?",
        "By the end of March",
        "By land, by sea and" + " Air" * 40,
        "Bystanders Everywhere",
        "by Reuters",
    ],
)
def test_a_closing_sentence_is_a_paragraph(line: str) -> None:
    assert parts(f"Title\nBody.\n{line}") == ("Title", None, None, ["Body.", line])


def test_a_byline_is_not_the_only_text() -> None:
    assert parts("Title\nBy Reuters") == ("Title", None, None, ["By Reuters"])


def test_a_title_alone_is_its_own_paragraph_so_that_it_can_be_found() -> None:
    assert parts("\n  Title \nPublished: 2025-07-03\n") == ("Title", "2025-07-03", None, ["Title"])


@pytest.mark.parametrize("text", ["", " \n\t\r\n", "\ufeff\u200b\xa0\x1a"])
def test_a_blank_text_has_no_parts(text: str) -> None:
    assert split(text) == Layout(Span(0, 0), None, None, ())


# For every text.

WORDS = st.sampled_from(
    [
        "Title",
        "by",
        "By",
        "Published:",
        "2025-07-03",
        "the",
        "“Yes.”",
        "- ",
        "1.",
        "x" * 70,
        "Ende;",
    ]
)
PIECES = st.one_of(
    WORDS,
    st.sampled_from([*LINE_ENDS, *SPACE, "\n\n", " "]),
    st.text(max_size=20),
    st.just("word "),
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=60).map("".join),
    st.lists(st.lists(WORDS, max_size=20).map(" ".join), max_size=12).map("\n".join),
)


@given(TEXTS)
def test_the_parts_hold_every_visible_character_once_and_in_order(text: str) -> None:
    layout = split(text)
    apart = [span for span in layout.paragraphs if span != layout.title]
    spans = [layout.title, layout.published, *apart, layout.byline]
    between, last = [], 0
    for start, end in (span for span in spans if span is not None):
        assert last <= start <= end
        assert text[start:end] == text[start:end].strip(SPACE)
        between.append(text[last:start].strip(SPACE))
        last = end
    between.append(text[last:].strip(SPACE))
    assert all(start < end for start, end in layout.paragraphs)
    marks = [piece.lower() for piece in between if piece]
    assert marks == ["published:"] * (layout.published is not None) + ["by"] * bool(layout.byline)


@given(TEXTS)
def test_lines_hold_every_visible_character(text: str) -> None:
    found = lines(text)
    assert "".join(text[start:end] for start, end in found).split() == text_without_edges(text)
    assert found == sorted(found)


def text_without_edges(text: str) -> list[str]:
    return "".join(line.strip(SPACE) for line in text.splitlines()).split()


@pytest.mark.parametrize(
    "text",
    ["x" * 2**20, "word " * 2**18, "\t" * 2**20 + "x", "Title\n" + "- . " * 2**18, "Of\n" * 2**16],
    ids=["letters", "words", "tabs", "dashes", "lines"],
)
def test_a_megabyte_takes_linear_time(text: str) -> None:
    started = time.perf_counter()
    assert split(text).paragraphs
    assert time.perf_counter() - started < 5
