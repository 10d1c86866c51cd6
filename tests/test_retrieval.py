from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.build import build
from indexer.errors import ModelError
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
    ranking = rank(
        snapshot, collection, "peace corridor", mode, after="2025-07-20", before="2025-07-20"
    )
    found = of(ranking, snapshot)
    assert found
    assert set(found) == {"19.txt"}


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
