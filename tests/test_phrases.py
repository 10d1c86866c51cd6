from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.phrases import find_period
from service.wording import MONTHS

TODAY = dt.date(2025, 8, 20)
"""A Wednesday."""


@pytest.mark.parametrize(
    ("text", "phrase", "after", "before"),
    [
        ("who proposed it in July 2025?", "in July 2025", "2025-07-01", "2025-07-31"),
        ("In July 2025, who proposed it", "In July 2025", "2025-07-01", "2025-07-31"),
        ("talks during july of 2024", "during july of 2024", "2024-07-01", "2024-07-31"),
        ("talks in Sept. 2024", "in Sept. 2024", "2024-09-01", "2024-09-30"),
        ("talks in February 2024", "in February 2024", "2024-02-01", "2024-02-29"),
        ("talks in August", "in August", "2025-08-01", "2025-08-31"),
        ("talks in September", "in September", "2024-09-01", "2024-09-30"),
        ("talks in may", "in may", "2025-05-01", "2025-05-31"),
        ("what happened in 2024", "in 2024", "2024-01-01", "2024-12-31"),
        ("what in 2024 did Yerevan say", "in 2024", "2024-01-01", "2024-12-31"),
        ("talks in the year 2024", "in the year 2024", "2024-01-01", "2024-12-31"),
        ("talks on 4 July 2025", "on 4 July 2025", "2025-07-04", "2025-07-04"),
        ("talks on July 4th, 2025", "on July 4th, 2025", "2025-07-04", "2025-07-04"),
        ("talks on the 4th of July", "on the 4th of July", "2025-07-04", "2025-07-04"),
        ("talks on 25 December", "on 25 December", "2024-12-25", "2024-12-25"),
        ("talks on 2025-07-04", "on 2025-07-04", "2025-07-04", "2025-07-04"),
        ("what changed since March", "since March", "2025-03-01", None),
        ("what changed since 3 March 2024", "since 3 March 2024", "2024-03-03", None),
        ("what changed since yesterday", "since yesterday", "2025-08-19", None),
        ("talks until March 2025", "until March 2025", None, "2025-03-31"),
        ("talks before March 2025", "before March 2025", None, "2025-02-28"),
        ("talks after March 2025", "after March 2025", "2025-04-01", None),
        ("talks after 2024", "after 2024", "2025-01-01", None),
        ("talks before last week", "before last week", None, "2025-08-10"),
        ("between May and June 2025", "between May and June 2025", "2025-05-01", "2025-06-30"),
        ("from 2022 to 2024 who", "from 2022 to 2024", "2022-01-01", "2024-12-31"),
        ("what happened yesterday?", "yesterday", "2025-08-19", "2025-08-19"),
        ("Yesterday who said so", "Yesterday", "2025-08-19", "2025-08-19"),
        ("who said so last Friday", "last Friday", "2025-08-15", "2025-08-15"),
        ("who said so last Wednesday", "last Wednesday", "2025-08-13", "2025-08-13"),
        ("who said so last week", "last week", "2025-08-11", "2025-08-17"),
        ("who said so this week", "this week", "2025-08-13", "2025-08-20"),
        ("who said so last month", "last month", "2025-07-01", "2025-07-31"),
        ("who said so this month", "this month", "2025-08-01", "2025-08-31"),
        ("who said so last year", "last year", "2024-01-01", "2024-12-31"),
        ("talks in the past two weeks", "in the past two weeks", "2025-08-06", "2025-08-20"),
        ("talks over the last 3 days", "over the last 3 days", "2025-08-17", "2025-08-20"),
        ("talks during the past month", "during the past month", "2025-07-20", "2025-08-20"),
        ("who said so three days ago", "three days ago", "2025-08-17", "2025-08-17"),
        ("who said so two weeks ago", "two weeks ago", "2025-08-04", "2025-08-10"),
    ],
)
def test_a_phrase_means_the_days_it_names(
    text: str, phrase: str, after: str | None, before: str | None
) -> None:
    period = find_period(text, TODAY)
    assert period is not None
    assert period.span
    assert text[slice(*period.span)] == phrase
    days = tuple(str(day) if day else None for day in (period.after, period.before))
    assert days == (after, before)
    assert period.origin == "phrase"


@pytest.mark.parametrize(
    "text",
    [
        "who may march on the capital in a second",
        "why did May resign",
        "what happened before May resigned",
        "who has been prime minister since May",
        "who won the 1966 World Cup",
        "who won in the 1966 World Cup",
        "who won in 2022 World Cup qualifying",
        "what did it cost in 2022 dollars",
        "who fought in 1914-18",
        "who won the 2011-12 season, and in 2011-12 who lost",
        "who died in 2000 BC",
        "how many died in 2,000 raids",
        "the class of 2019",
        "the July 2025 talks",
        "what is on in August Wilson's theatre",
        "who wrote Yesterday",
        "who hosts Last Week Tonight",
        "WHO WON LAST WEEK",
        "what was in yesterday's paper",
        "what was in last week's budget",
        "in the last year of his reign",
        "how did he spend his last week",
        "what was its last month like",
        "what is the state of the talks today",
        "which shops are open on Sunday",
        "books on 2024",
        "what can be done in 2 months",
        "in 66 million years",
        "the dinosaurs of 66 million years ago",
        "on 31 February 2025",
        "in 2024 and 2025",
        "in July and August 2025",
        "in June 2024 and in July 2025",
        "from 2024 to 2022",
        "in May-June 2025",
        "Mayor of London in Marchfield",
        "by 2030",
    ],
)
def test_what_may_mean_something_else_is_left_alone(text: str) -> None:
    assert find_period(text, TODAY) is None


_PIECES = [
    *("in", "on", "since", "between", "and", "from", "to", "the", "last", "past", "this", "ago"),
    *("week", "days", "May", "march", "Sept.", "July", "Friday", "yesterday", "three", "of", "?"),
    *("0", "4th", "31", "99", "1600", "2024", "2025-07-03", "2025-99-99", ",", "İ", "\ud800"),
]


@given(
    st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join) | st.text(),
    st.dates(dt.date(1900, 1, 1)),
)
def test_any_text_is_read_and_what_is_found_stands_in_it(text: str, today: dt.date) -> None:
    period = find_period(text, today)
    if period is not None:
        assert period.span
        phrase = text[slice(*period.span)]
        assert phrase == phrase.strip() != ""
        assert period.after or period.before
        assert (period.after or dt.date.min) <= (period.before or dt.date.max)


@given(st.dates(dt.date(1600, 1, 1), dt.date(2099, 12, 31)), st.dates(dt.date(2000, 1, 1)))
def test_a_whole_date_means_the_same_on_any_day(day: dt.date, today: dt.date) -> None:
    name = MONTHS[day.month - 1]
    for text in (f"on {day.day} {name} {day.year}", f"on {name} {day.day}, {day.year}"):
        period = find_period(text, today)
        assert period is not None
        assert (period.after, period.before) == (day, day)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        *(("xquad-en", 46), ("xquad-de", 0), ("xquad-ru", 0)),
        *(("scifact", 1), ("cranfield", 0), ("time", 0)),
    ],
)
def test_questions_of_the_judged_sets_hold_few_phrases(shared: Path, name: str, most: int) -> None:
    lines = (shared / "data/eval" / name / "queries.jsonl").read_text("utf-8").splitlines()
    found = [find_period(json.loads(line)["text"], TODAY) for line in lines]
    assert len([period for period in found if period]) <= most


@pytest.mark.parametrize(
    "text", ["who proposed a third-party operator", "in the on since may after before " * 30]
)
def test_a_question_without_a_phrase_costs_next_to_nothing(text: str) -> None:
    spent = []
    for _ in range(20):
        start = time.perf_counter()
        assert find_period(text, TODAY) is None
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.001


def test_the_library_is_imported_only_for_a_phrase() -> None:
    program = (
        "import datetime, sys; from service import cli, engine, phrases; "
        "day = datetime.date(2025, 8, 20); phrases.find_period('who may it be', day); "
        "before = 'dateparser' in sys.modules; phrases.find_period('in July', day); "
        "print(before, 'dateparser' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "True"]
