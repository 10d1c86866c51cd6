from __future__ import annotations

import click
from hypothesis import given
from hypothesis import strategies as st

from indexer.reports import BuildReport
from indexer.types import Span
from service.results import ArticleShape, HitShape, ParagraphShape, SearchResult
from service.terminal import build_lines, printable, search_lines


def result(text: str, best: Span | None) -> SearchResult:
    return SearchResult(
        query="q",
        mode="hybrid",
        generation="g",
        took_ms={"total": 1.0},
        degraded=["keywords only: no model"],
        pending=2,
        next_cursor=None,
        hits=[
            HitShape(
                rank=1,
                score=1.0,
                paragraph=ParagraphShape(id="a-1", number=1, text=text, start=0, end=len(text)),
                article=ArticleShape(
                    id="a",
                    title="Talks\x1b[31m red",
                    published="2025-07-03",
                    byline=None,
                    source="a.txt",
                    publisher=None,
                    language=None,
                    encoding="utf-8",
                ),
                matches=[],
                best_sentence=best,
                contributions=[],
            )
        ],
    )


@given(st.text())
def test_no_text_can_steer_the_terminal(text: str) -> None:
    shown = printable(text)
    assert "\x1b" not in shown
    assert "\n" not in shown
    assert "\u202e" not in shown


def test_the_best_sentence_alone_is_underlined() -> None:
    text = "First one here. Second one there. " + "Third " * 40
    lines = "\n".join(search_lines(result(text, Span(16, 33)), explain=False))
    for word in ("Second", "one", "there."):
        assert click.style(word, underline=True) in lines
    assert click.style("First", underline=True) not in lines
    assert click.style("Third", underline=True) not in lines


def test_lines_keep_to_the_width_whatever_is_styled() -> None:
    text = "word " * 200
    lines = search_lines(result(text, Span(0, 900)), explain=False)
    assert max(len(click.unstyle(line)) for line in lines) <= 100


def test_what_was_degraded_and_what_is_pending_comes_first() -> None:
    first, second, headline, *_ = search_lines(result("Text.", None), explain=False)
    assert "keywords only: no model" in first
    assert "2 seed files" in second
    assert click.unstyle(headline) == "1. Talks[31m red"


def test_a_build_names_what_it_left_for_later() -> None:
    report = BuildReport(
        generation="g",
        published=True,
        articles=1,
        paragraphs=1,
        added=1,
        changed=0,
        moved=0,
        removed=0,
        unsettled=("half\x1b.txt",),
        embedded=0,
        windowed=0,
        skipped=(),
        notices=(),
        seconds={"total": 1.0},
    )
    assert "left for later, still being written: half.txt" in list(build_lines(report))
