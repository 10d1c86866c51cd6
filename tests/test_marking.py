from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.types import Span
from service.web.marking import Segment, excerpt, first_words, in_words, segments

WORDS = st.text(alphabet="ab é\n<\u202e", max_size=60)


class Marks(TypedDict):
    matches: list[Span]
    sentence: Span | None
    answer: Span | None


Case = tuple[str, Marks]


@st.composite
def marked(draw: st.DrawFn) -> Case:
    """A text with any spans inside it: overlapping, empty, in any order."""
    text = draw(WORDS)
    edge = st.integers(0, len(text))
    span = st.tuples(edge, edge).map(lambda edges: Span(*sorted(edges)))
    return text, {
        "matches": draw(st.lists(span, max_size=8)),
        "sentence": draw(st.none() | span),
        "answer": draw(st.none() | span),
    }


@given(marked())
def test_segments_joined_are_the_text(case: Case) -> None:
    text, marks = case

    assert "".join(segment.text for segment in segments(text, **marks)) == text


@given(marked())
def test_every_character_has_exactly_the_marks_of_the_spans_over_it(case: Case) -> None:
    text, marks = case
    layers: dict[str, list[Span]] = {
        "match": marks["matches"],
        "sentence": [marks["sentence"]] if marks["sentence"] else [],
        "answer": [marks["answer"]] if marks["answer"] else [],
    }

    cut = segments(text, **marks)

    for name, spans in layers.items():
        got = [getattr(segment, name) for segment in cut for _ in segment.text]
        assert got == [any(s.start <= i < s.end for s in spans) for i in range(len(text))]


@given(marked())
def test_segments_are_as_long_as_can_be(case: Case) -> None:
    text, marks = case

    cut = segments(text, **marks)

    assert all(segment.text for segment in cut)
    for one, next_ in pairwise(cut):
        assert (one.match, one.sentence, one.answer) != (next_.match, next_.sentence, next_.answer)


def test_a_match_inside_the_answer_inside_the_sentence_carries_all_three_marks() -> None:
    cut = segments(
        "Yes. In Brussels it was.",
        matches=[Span(8, 16)],
        sentence=Span(5, 24),
        answer=Span(5, 16),
    )

    assert cut == (
        Segment("Yes. "),
        Segment("In ", sentence=True, answer=True),
        Segment("Brussels", match=True, sentence=True, answer=True),
        Segment(" it was.", sentence=True),
    )


@pytest.mark.parametrize("span", [Span(-1, 2), Span(2, 1), Span(0, 5), Span(5, 5)])
def test_a_span_that_leaves_the_text_is_refused(span: Span) -> None:
    with pytest.raises(ValueError, match="not within a text of 4 characters"):
        segments("text", matches=[span])


def test_many_matches_in_a_very_long_text_take_no_time() -> None:
    text = "ab" * 50_000

    cut = segments(text, matches=[Span(i, i + 1) for i in range(0, len(text), 2)])

    assert len(cut) == len(text)


@given(marked(), st.integers(4, 40))
def test_an_excerpt_is_the_text_or_a_part_of_it_within_the_limit(case: Case, limit: int) -> None:
    text, marks = case

    cut = excerpt(text, **marks, limit=limit)

    shown = "".join(segment.text for segment in cut.segments)
    assert shown in text
    assert len(shown) <= limit
    assert (cut.starts and cut.ends) == (shown == text)
    assert text.startswith(shown) or not cut.starts
    assert text.endswith(shown) or not cut.ends


@given(marked(), st.integers(4, 40))
def test_an_excerpt_shows_the_answer_whole_if_the_limit_allows(case: Case, limit: int) -> None:
    text, marks = case
    answer = marks["answer"]

    cut = excerpt(text, **marks, limit=limit)

    marked_text = "".join(segment.text for segment in cut.segments if segment.answer)
    if answer is not None and answer.end - answer.start <= limit:
        assert marked_text == text[answer.start : answer.end]


def test_an_excerpt_is_cut_between_words() -> None:
    text = "one two three four five six seven eight nine ten"

    cut = excerpt(text, sentence=Span(24, 27), limit=20)

    assert "".join(segment.text for segment in cut.segments) == "five six seven eight"
    assert not cut.starts
    assert not cut.ends


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2025-07-03", "3 July 2025"),
        ("2025-07-03T05:32:00", "3 July 2025, 05:32"),
        ("2025-07-03T05:32", "3 July 2025, 05:32"),
        ("2025-07-03T00:00:00Z", "3 July 2025, 00:00 UTC"),
        ("2025-07-03T05:32:00+02:00", "3 July 2025, 05:32 UTC+02:00"),
        ("20251122T181002.123456Z", "22 November 2025, 18:10 UTC"),
        ("July 2025", "July 2025"),
        ("", ""),
    ],
)
def test_a_moment_in_words(moment: str, words: str) -> None:
    assert in_words(moment) == words


@given(st.dates())
def test_every_date_keeps_its_day_and_year_in_words(day: dt.date) -> None:
    first, month, last = in_words(day.isoformat()).split()

    assert (int(first), int(last)) == (day.day, day.year)
    assert month.isalpha()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("All \n of it", "All of it"),
        ("one two three four", "one two…"),
        ("withoutanyspaces", "withoutany…"),
        ("  ", ""),
    ],
)
def test_first_words_end_at_a_space_where_there_is_one(text: str, words: str) -> None:
    assert first_words(text, limit=10) == words
