from __future__ import annotations

import datetime as dt

import click
from hypothesis import given
from hypothesis import strategies as st

from indexer.filters import Filters, Period
from indexer.reports import BuildReport
from indexer.store import Passage
from indexer.types import Article, Paragraph, Span
from service.answers import AnswerResult, AnswerShape
from service.assembly import Answer
from service.filtering import FacetsShape, FiltersShape
from service.hints import CorrectedWord, DidYouMean, SuggestionList, SuggestionShape
from service.lines import printable
from service.reading import Reading
from service.results import (
    ArticleShape,
    ContributionShape,
    HitShape,
    ParagraphShape,
    SearchResult,
)
from service.terminal import answer_lines, build_lines, search_lines, suggestion_lines


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


def reading(text: str, answer: Span, published: str | None, number: int = 1) -> Reading:
    paragraph = Paragraph(number, 0, len(text), text, (Span(0, len(text)),))
    id_ = f"{number:016}"
    article = Article(
        id_, f"{number}.txt", f"News {number}", published, None, None, None, "utf-8", ()
    )
    return Reading(Passage(number, paragraph, article), answer, paragraph.sentences[0], 0.814)


def answered(
    *answers: Answer, detail: str | None = None, copies: dict[int, list[Passage]] | None = None
) -> list[str]:
    shapes = [AnswerShape.of(answer, copies or {}, None) for answer in answers]
    found = AnswerResult(
        question="q",
        answer=shapes[0] if shapes else None,
        reason="found" if shapes else "below_threshold",
        detail=detail,
        alternatives=shapes[1:],
        **result("Text.", None).model_dump(
            include={"generation", "took_ms", "filters", "hits", "next_cursor"}
        ),
        degraded=[],
        pending=0,
        did_you_mean=None,
    )
    return list(answer_lines(found))


def test_an_answer_is_shown_in_its_sentence_with_its_places() -> None:
    best = reading("So the “Silk Road” fund said.", Span(8, 17), "2025-07-03T05:32:00")
    support = reading("Ask the Silk Road.", Span(8, 17), "2025-05-03", number=2)
    copy = reading("So it is.", Span(0, 2), "2024-01-01", number=3).passage
    lines = answered(Answer(best, (support,)), copies={1: [copy]})
    words = [click.style(word, underline=True) for word in ("“Silk", "Road”")]
    assert f"   So the {' '.join(words)} fund said." in lines
    assert [click.unstyle(line) for line in lines] == [
        "   “Silk Road”",
        "   So the “Silk Road” fund said.",
        "   News 1",
        "   2025-07-03T05:32:00, 1.txt, paragraph 1 (0000000000000001-1)",
        "   likely (confidence 81 %), said by 2 articles, 3 May to 3 July 2025",
        "   also in: 2025-05-03, 2.txt, paragraph 2 (0000000000000002-2)",
        "   copied in: 2024-01-01, 3.txt, paragraph 3 (0000000000000003-3)",
        "",
    ]


def test_each_other_answer_is_one_line_with_counts_and_dates() -> None:
    best = Answer(reading("It was Baku.", Span(7, 11), "2025-07-03"))
    other = Answer(reading("Rome.", Span(0, 4), None, number=2))
    text = "so on " * 50
    endless = Answer(reading(text, Span(0, len(text)), "2025-07-03", number=3))
    *_, title, line, long = map(click.unstyle, answered(best, other, endless))
    assert title == "Other answers:"
    assert line == "   1 article, undated: “Rome” likely (81 %), 0000000000000002-2"
    assert long.startswith("   1 article, 3 July 2025: “so on so on")
    assert len(long) <= 96


def test_no_answer_says_why_and_shows_the_nearest_paragraph() -> None:
    said, why, *rest = answered(detail="The best candidate is 9 % sure; the threshold is 15 %.")
    assert said == "The articles do not say."
    assert why == "The best candidate is 9 % sure; the threshold is 15 %."
    assert any("Text." in line for line in rest)
