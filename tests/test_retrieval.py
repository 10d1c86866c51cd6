from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.build import build
from indexer.errors import ModelError
from indexer.filters import Filters, Period
from indexer.generations import Generations
from indexer.manifest import READABLE
from indexer.settings import Settings
from service.requests import Mode
from service.retrieval import Ranking, rank
from service.snapshot import Snapshot

WORDS = ["peace", "corridor", "Brussels", "operator", "border", "treaty", "grain", "rail"]
MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Sixty paragraphs over few words, so that ties and crowds are common."""
    seeds = tmp_path_factory.mktemp("seeds")
    for number in range(20):
        paragraphs = [
            " ".join(WORDS[(number * 3 + place * step) % 8] for place in range(2 + number % 4))
            for step in (1, 2, 3)
        ]
        day = f"2025-07-{number + 1:02}"
        write_article(seeds, f"{number:02}.txt", *paragraphs, title="Headline", published=day)
    index = tmp_path_factory.mktemp("index")
    settings = Settings(seeds=seeds, index=index, depth=10, collapse=False)
    build(settings, WordEmbedder(), progress=silent)
    return settings


def open_live(settings: Settings, embedder: WordEmbedder | ModelError) -> Snapshot:
    generations = Generations(settings.index)
    return Snapshot.open(generations, generations.live().id, settings, embedder)


@pytest.fixture(scope="module")
def snapshot(collection: Settings) -> Iterator[Snapshot]:
    opened = open_live(collection, WordEmbedder())
    yield opened
    opened.close()


questions = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions, mode=st.sampled_from(MODES), fusion=st.sampled_from(["convex", "rrf"]))
def test_points_sum_to_the_score_and_order_the_hits(
    snapshot: Snapshot, collection: Settings, question: str, mode: Mode, fusion: str
) -> None:
    settings = collection.model_copy(update={"fusion": fusion})
    ranked = rank(snapshot, settings, question, mode).ranked
    assert ranked
    for hit in ranked:
        assert hit.score == pytest.approx(sum(part.points for part in hit.contributions), abs=1e-12)
        assert sum(part.weight for part in hit.contributions) == pytest.approx(1)
        assert 0 <= hit.score <= 1 + 1e-9
    assert [hit.rank for hit in ranked] == list(range(1, len(ranked) + 1))
    order = [(-hit.score, hit.paragraph) for hit in ranked]
    assert order == sorted(order)


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions)
def test_every_candidate_of_either_side_is_scored_by_both(
    snapshot: Snapshot, collection: Settings, question: str
) -> None:
    both = {hit.paragraph: hit for hit in rank(snapshot, collection, question).ranked}
    for mode in ("keyword", "semantic"):
        alone = rank(snapshot, collection, question, mode).ranked
        assert {hit.paragraph for hit in alone} <= both.keys()
        for hit in alone:
            (part,) = hit.contributions
            fused = {p.source: p for p in both[hit.paragraph].contributions}[mode]
            assert (fused.raw, fused.rank) == (part.raw, part.rank)
    assert all(len(hit.contributions) == 2 for hit in both.values())


def of(ranking: Ranking, snapshot: Snapshot) -> list[str]:
    passages = snapshot.store.passages([hit.paragraph for hit in ranking.ranked])
    return [passage.article.source for passage in passages]


@pytest.mark.parametrize("mode", MODES)
def test_dates_limit_the_candidates_and_not_only_the_hits(
    snapshot: Snapshot, collection: Settings, mode: Mode
) -> None:
    day = dt.date(2025, 7, 20)
    ranking = rank(snapshot, collection, "peace corridor", mode, Filters((Period(day, day),)))
    found = of(ranking, snapshot)
    assert found
    assert set(found) == {"19.txt"}


TODAY = dt.date(2025, 7, 20)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("text", "question", "sources"),
    [
        ("peace corridor on 19 July 2025", "peace corridor", {"18.txt"}),
        ("on 19 July 2025, peace corridor", "peace corridor", {"18.txt"}),
        ("peace yesterday border?", "peace border?", {"18.txt"}),
        ("peace border since 19 July", "peace border", {"18.txt", "19.txt"}),
        ("peace border after:2025-07-19", "peace border", {"18.txt", "19.txt"}),
    ],
)
def test_days_in_the_question_limit_the_articles_and_leave_its_words(  # noqa: PLR0917 - fixtures are parameters
    snapshot: Snapshot,
    collection: Settings,
    mode: Mode,
    text: str,
    question: str,
    sources: set[str],
) -> None:
    ranking = rank(snapshot, collection, text, mode, today=TODAY)
    assert set(of(ranking, snapshot)) == sources
    assert ranking.query.question == question
    assert ranking.query.text == text
    assert len(ranking.filters.periods) == 1
    assert not ranking.degraded


@pytest.mark.parametrize(
    "text",
    [
        "peace in 1966",  # No article is of that year.
        "peace in July 2025",  # All of them are of that month.
        "peace since 2020",
        "peace between 2020 and 19 July 2025",  # So much was never collected.
        '"peace on 19 July 2025"',
        "(peace on 19 July) OR treaty",
        "peace on 19 July OR treaty",
        "NOT on 19 July 2025",
        "peace (on 19 July 2025",
        "peace on 19 July 2025 after:2025-07-02",
    ],
)
def test_a_phrase_that_tells_nothing_apart_or_is_marked_stays_among_the_words(
    snapshot: Snapshot, collection: Settings, text: str
) -> None:
    ranking = rank(snapshot, collection, text, "keyword", today=TODAY)
    assert ranking == rank(snapshot, collection, text, "keyword")
    assert all(period.origin == "grammar" for period in ranking.filters.periods)


@pytest.mark.parametrize(
    ("phrase", "days"),
    [
        ("last month", "from 1 June 2025 to 30 June 2025"),
        ("on 19 July 2024", "of 19 July 2024"),
    ],
)
def test_that_nothing_is_of_the_days_asked_for_is_said(
    snapshot: Snapshot, collection: Settings, phrase: str, days: str
) -> None:
    ranking = rank(snapshot, collection, f"peace {phrase}", today=TODAY)
    assert ranking.ranked
    assert ranking.filters == Filters()
    assert ranking.query.question == f"peace {phrase}"
    assert ranking.degraded == (
        f"there is no article {days}; “{phrase}” is searched as plain words",
    )


def test_days_that_a_parameter_names_win_over_a_phrase(
    snapshot: Snapshot, collection: Settings
) -> None:
    text = "peace on 19 July 2025"
    day = Filters((Period(dt.date(2025, 7, 2), dt.date(2025, 7, 2)),))
    ranking = rank(snapshot, collection, text, "semantic", day, today=TODAY)
    assert set(of(ranking, snapshot)) == {"01.txt"}
    assert ranking.filters == day
    assert ranking.query.question == text


def test_without_a_day_to_be_seen_from_a_phrase_is_words(
    snapshot: Snapshot, collection: Settings
) -> None:
    ranking = rank(snapshot, collection, "peace on 19 July 2025")
    assert ranking.filters == Filters()
    assert len(set(of(ranking, snapshot))) > 1


def test_other_filters_go_together_with_a_phrase(snapshot: Snapshot, collection: Settings) -> None:
    text = "peace corridor on 19 July 2025"
    desk = rank(snapshot, collection, text, filters=Filters(author="a DESK"), today=TODAY)
    assert set(of(desk, snapshot)) == {"18.txt"}
    assert {period.origin for period in desk.filters.periods} == {"phrase"}
    nobody = rank(snapshot, collection, text, filters=Filters(author="Nobody"), today=TODAY)
    assert not nobody.ranked
    assert not nobody.degraded


def test_a_question_of_nothing_but_a_phrase_keeps_its_words(
    snapshot: Snapshot, collection: Settings
) -> None:
    ranking = rank(snapshot, collection, "on 19 July 2025", "semantic", today=TODAY)
    assert set(of(ranking, snapshot)) == {"18.txt"}
    assert ranking.query.question == "on 19 July 2025"


@pytest.mark.parametrize("mode", MODES)
def test_a_query_of_nothing_but_days_finds_all_that_is_of_them(
    snapshot: Snapshot, collection: Settings, mode: Mode
) -> None:
    ranking = rank(snapshot, collection, "after:2025-07-19 before:2025-07-19", mode)
    assert of(ranking, snapshot) == ["18.txt"] * 3


def test_a_phrase_that_leaves_nothing_is_not_applied_and_that_is_said(
    snapshot: Snapshot, collection: Settings
) -> None:
    wider = rank(snapshot, collection, "source:00.txt peace on 19 July 2025", today=TODAY)
    assert set(of(wider, snapshot)) == {"00.txt"}
    assert wider.filters == Filters()
    assert wider.degraded == (
        "nothing was found on 19 July 2025, so these are articles of all days",
    )


def test_a_constraint_holds_for_every_hit_of_both_sides(
    snapshot: Snapshot, collection: Settings
) -> None:
    ranking = rank(snapshot, collection, "peace -corridor +border")
    texts = [
        p.paragraph.text for p in snapshot.store.passages([h.paragraph for h in ranking.ranked])
    ]
    assert texts
    assert all("border" in text and "corridor" not in text for text in texts)


def test_only_exclusions_find_what_is_left(snapshot: Snapshot, collection: Settings) -> None:
    ranking = rank(snapshot, collection, "-corridor")
    texts = [
        p.paragraph.text for p in snapshot.store.passages([h.paragraph for h in ranking.ranked])
    ]
    assert texts
    assert not any("corridor" in text for text in texts)


def test_broken_syntax_is_searched_as_words_and_said(
    snapshot: Snapshot, collection: Settings
) -> None:
    ranking = rank(snapshot, collection, 'peace "corridor')
    assert ranking.ranked
    assert any(reason.startswith("query syntax: unbalanced") for reason in ranking.degraded)


def test_words_that_nobody_wrote_still_find_by_meaning(
    snapshot: Snapshot, collection: Settings
) -> None:
    assert not rank(snapshot, collection, "zzzz", "keyword").ranked
    for hit in rank(snapshot, collection, "zzzz").ranked:
        assert {part.source: part.points for part in hit.contributions}["keyword"] == 0


@pytest.mark.parametrize("embedder", [ModelError("no model at /nowhere"), WordEmbedder("other")])
def test_without_its_model_an_index_answers_by_keywords_and_says_so(
    collection: Settings, embedder: WordEmbedder | ModelError
) -> None:
    snapshot = open_live(collection, embedder)
    hybrid = rank(snapshot, collection, "peace")
    keyword = rank(snapshot, collection, "peace", "keyword")
    assert hybrid.ranked == keyword.ranked
    assert "keywords only" in hybrid.degraded[0]
    assert not keyword.degraded
    with pytest.raises(ModelError, match="keywords only"):
        rank(snapshot, collection, "peace", "semantic")
    snapshot.close()


def test_an_index_of_another_analyzer_is_refused(
    collection: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(READABLE, "format", "0")
    with pytest.raises(Exception, match="needs '0'"):
        open_live(collection, WordEmbedder())


@pytest.mark.parametrize("mode", MODES)
def test_only_paragraphs_that_are_among_those_asked_for_are_found(
    snapshot: Snapshot, collection: Settings, mode: Mode
) -> None:
    first = rank(snapshot, collection, "peace corridor", mode).ranked[0].paragraph
    keys = snapshot.store.keys()
    without = rank(snapshot, collection, "peace corridor", mode, among=keys[keys != first])
    assert without.ranked
    assert first not in {each.paragraph for each in without.ranked}
    alone = rank(snapshot, collection, "peace corridor", mode, among=keys[keys == first])
    assert [each.paragraph for each in alone.ranked] == [first]


def test_what_is_asked_for_is_among_what_the_filters_let_through(
    snapshot: Snapshot, collection: Settings
) -> None:
    day = dt.date(2025, 7, 3)
    filters = Filters((Period(day, day),))
    there = snapshot.store.matching(filters)
    assert there is not None
    ranking = rank(snapshot, collection, "peace corridor", filters=filters, among=there[1:])
    assert {each.paragraph for each in ranking.ranked} == set(there[1:].tolist())
