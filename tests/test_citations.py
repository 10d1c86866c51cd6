from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from service.lines import printable
from service.web.citations import Citation, bibtex, markdown, plain, ris

CITATION = Citation(
    key="6d57407f6c4ba910-2",
    quote="Brussels proposed a model\nwith an operator.",
    title="U.S. may pressure Azerbaijan",
    author="Alliance Global News",
    publisher="The Wire",
    published="2025-07-03T05:32:00",
    source="talks/A_1.txt",
    number=2,
    address="http://127.0.0.1:8080/articles/6d57407f6c4ba910#p2",
)

HOSTILE = '] }{ \\ ``` <b onclick="x()"> [a](javascript:alert(1)) ${\x1b[31m}\u202e@misc{ %&#_^~ "'

TEXTS = st.text(st.sampled_from("ab 1.)-+#>*_`[]()<>!&|~$\\{}%^\"'@=\n\t\x1b\u202eé汉"), min_size=1)


class Seen(HTMLParser):
    """What a reader of a page sees, and the elements that it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_citation_is_one_line_of_text_with_its_place() -> None:
    assert plain(CITATION) == (
        "“Brussels proposed a model with an operator.” – Alliance Global News, “U.S. may pressure "
        "Azerbaijan”, The Wire, 3 July 2025. Paragraph 2 of talks/A_1.txt: "
        "http://127.0.0.1:8080/articles/6d57407f6c4ba910#p2"
    )


def test_what_an_article_does_not_say_is_left_out() -> None:
    bare = replace(CITATION, title=" ", author=None, publisher=None, published=None)

    assert "operator.” – “talks/A_1.txt”, undated. Paragraph 2" in plain(bare)
    assert "> – [talks/A\\_1.txt](http://127.0.0.1" in markdown(bare)
    assert set(re.findall(r"^  (\w+) = ", bibtex(bare), re.MULTILINE)) == {
        *("title", "url", "note", "abstract")
    }
    assert {line[:2] for line in ris(bare).splitlines()} == {
        "TY",
        "ID",
        "TI",
        "UR",
        "N1",
        "AB",
        "ER",
    }


def test_a_date_that_is_none_is_told_and_not_dated() -> None:
    odd = replace(CITATION, published="last summer")

    assert "The Wire, last summer." in plain(odd)
    assert "year" not in bibtex(odd)
    assert "PY" not in ris(odd)


def test_an_entry_for_bibtex_has_a_field_a_line() -> None:
    assert bibtex(CITATION).splitlines() == [
        "@misc{winnow-6d57407f6c4ba910-2,",
        "  title = {{U.S. may pressure Azerbaijan}},",
        "  author = {{Alliance Global News}},",
        "  howpublished = {The Wire},",
        "  year = {2025},",
        "  month = {7},",
        "  date = {2025-07-03},",
        "  url = {http://127.0.0.1:8080/articles/6d57407f6c4ba910#p2},",
        r"  note = {Paragraph 2 of talks/A\_1.txt},",
        "  abstract = {Brussels proposed a model with an operator.},",
        "}",
    ]


@pytest.mark.parametrize("write", [plain, bibtex, ris, markdown])
def test_nothing_that_steers_a_terminal_or_turns_text_around_is_cited(write: object) -> None:
    assert callable(write)
    written = write(replace(CITATION, quote=HOSTILE, title=HOSTILE, author=HOSTILE))
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\u202e]", written)


@given(TEXTS, TEXTS)
def test_markdown_shows_the_words_as_they_are(quote: str, title: str) -> None:
    cited = replace(CITATION, quote=quote, title=f"x{title}", author=quote, publisher=None)
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    seen = Seen(reader.render(markdown(cited)))

    author = f"{printable(quote)}, " if printable(quote) else ""
    wanted = f"{printable(quote)} – {author}{printable(f'x{title}')}, 3 July 2025"
    assert " ".join(seen.text.split()) == " ".join(wanted.split())
    assert {tag for tag, _ in seen.elements} <= {"blockquote", "p", "a"}
    assert [attributes for tag, attributes in seen.elements if tag == "a"] == [
        {"href": CITATION.address}
    ]


@given(TEXTS, TEXTS)
def test_bibtex_and_ris_hold_whatever_an_article_says(quote: str, title: str) -> None:
    cited = replace(CITATION, quote=quote, title=title, author=title, source=f"{title}.txt")

    entry = bibtex(cited)
    depths = [0]
    for brace in re.findall(r"[{}]", entry):  # as BibTeX counts them, which knows no backslash
        depths.append(depths[-1] + (1 if brace == "{" else -1))
    assert min(depths) == depths[-1] == 0
    assert depths[1:-1].count(0) == 0
    assert not re.search(r"(?<!\\)[$&%]", entry)
    lines = ris(cited).split("\r\n")
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines[:-1])
    assert [lines[0], *lines[-2:]] == ["TY  - NEWS", "ER  - ", ""]
