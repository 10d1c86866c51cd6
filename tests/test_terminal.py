from __future__ import annotations

import datetime as dt

import click
from hypothesis import given
from hypothesis import strategies as st

from indexer.filters import Filters, Period
from indexer.reports import BuildReport
from indexer.types import Span
from service.filtering import FacetsShape, FiltersShape
from service.hints import CorrectedWord, DidYouMean, SuggestionList, SuggestionShape
from service.lines import printable
from service.results import (
    ArticleShape,
    ContributionShape,
    HitShape,
    ParagraphShape,
    SearchResult,
)
from service.terminal import build_lines, search_lines, suggestion_lines


def result(
    text: str,
    best: Span | None,
    period: Period | None = None,
    facets: FacetsShape | None = None,
) -> SearchResult:
    return SearchResult(
        query="q",
        mode="hybrid",
        generation="g",
        took_ms={"total": 1.0},
        filters=FiltersShape.of(Filters((period,) if period else ()), "q in July 2025"),
        facets=facets,
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


def test_what_a_word_may_have_meant_is_asked_and_said() -> None:
    words = [CorrectedWord(word="coridor\x1b", start=0, end=8, words=["corridor", "cordoba"])]
    part = ContributionShape(
        source="keyword",
        rank=1,
        raw=2.0,
        normalised=0.5,
        weight=0.5,
        points=0.25,
        corrected={"coridor\x1b": ["corridor"]},
    )
    found = result("Text.", None)
    hit = found.hits[0].model_copy(update={"contributions": [part]})
    meant = DidYouMean(query="corridor -oil", words=words)
    shown = list(
        search_lines(found.model_copy(update={"hits": [hit], "did_you_mean": meant}), explain=True)
    )
    assert "Nothing has coridor. Did you mean: corridor -oil" in shown
    assert any("raw 2.000, coridor taken for corridor" in line for line in shown)


def test_completions_are_one_a_line() -> None:
    def suggestion(text: str, count: int) -> SuggestionShape:
        return SuggestionShape(kind="name", text=text, count=count, article=None)

    found = SuggestionList(
        generation="g",
        query="b",
        suggestions=[suggestion("Brussels\x1b", 1), suggestion("Baku", 2)],
        took_ms={},
    )
    lines = [click.unstyle(line) for line in suggestion_lines(found)]
    assert lines == ["Brussels  name, 1 paragraph", "Baku  name, 2 paragraphs"]
    nothing = found.model_copy(update={"suggestions": []})
    assert list(suggestion_lines(nothing)) == ["Nothing begins so."]


def test_limits_that_the_question_names_are_told_and_counts_come_last() -> None:
    phrase = Period(dt.date(2025, 7, 1), dt.date(2025, 7, 31), "phrase", Span(2, 14))
    counts = FacetsShape.of({"source": [("a\x1bb", 2), ("c", 1)], "author": [], "month": []})
    lines = list(search_lines(result("Text.", None, phrase, counts), explain=False))
    assert lines[2] == (
        "Only articles from 1 July 2025 to 31 July 2025 (in July 2025); "
        "--no-dates searches all days"
    )
    assert lines[-1] == "By source: ab (2), c (1)"


def test_days_given_as_an_option_are_not_told_again() -> None:
    lines = search_lines(result("Text.", None, Period(dt.date(2025, 7, 1), None)), explain=False)
    assert not any("Only articles" in line for line in lines)
