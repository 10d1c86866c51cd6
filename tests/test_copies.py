from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEmbedder, silent, write_article
from histories import built_anew
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.build import build
from indexer.errors import QueryError
from indexer.generations import Generations
from indexer.settings import Settings
from indexer.signatures import SIZE, Signer, Wording
from service.copies import copies_among, grouped
from service.engine import Engine
from service.evaluation import evaluate
from service.judgments import read_judged
from service.questions import SavedQuestion, find, ranks
from service.requests import AnswerQuery, SearchQuery
from service.results import HitShape
from service.snapshot import Snapshot

AGENCY = (
    "The council approved the budget for the new bridge over the river on Monday after a debate "
    "of six hours, officials said, although the ferry company had asked for more time."
)
PAPERS = {  # and what each made of it
    "a.txt": ("2025-07-04", f"TBILISI (Agency) – {AGENCY}"),
    "b.txt": ("2025-07-03", AGENCY),
    "c.txt": ("2025-07-05", AGENCY),
    "d.txt": ("2025-07-06", AGENCY.replace("Monday", "Friday")),
    "e.txt": ("2025-07-07", "The harvest was poor, but the bridge was opened."),
}
QUESTION = "budget for the new bridge"

drops = st.lists(st.integers(0, 31), max_size=4)
days = st.sampled_from(["Monday", "Friday"])


@st.composite
def edited(draw: st.DrawFn) -> str:
    """The agency's paragraph with some words left out and perhaps another day."""
    left_out = set(draw(drops))
    words = AGENCY.replace("Monday", draw(days)).split()
    return " ".join(word for place, word in enumerate(words) if place not in left_out)


def groups_of(texts: list[str]) -> list[list[int]]:
    signatures = np.frombuffer(b"".join(map(Signer().sign, texts)), np.uint8).reshape(-1, SIZE)
    return grouped(signatures, lambda row: Wording.of(texts[row]))


@given(texts=st.lists(edited() | st.sampled_from(["Read more", "READ MORE:", "Read less"])))
@example(texts=[])
def test_groups_are_a_partition_that_keeps_the_order_and_gathering_again_changes_nothing(
    texts: list[str],
) -> None:
    groups = groups_of(texts)
    assert sorted(place for group in groups for place in group) == list(range(len(texts)))
    assert all(group == sorted(group) for group in groups)
    leaders = [group[0] for group in groups]
    assert leaders == sorted(leaders)
    for leader, *others in groups:
        assert all(Wording.of(texts[leader]).is_copy_of(Wording.of(texts[i])) for i in others)
    again = groups_of([texts[leader] for leader in leaders])
    assert again == [[place] for place in range(len(leaders))]


def test_nothing_is_chained_to_what_it_does_not_resemble() -> None:
    words = [first + second for first in "abcdef" for second in "ghijklm"]
    first, between, last = (" ".join(words[start : start + 34]) for start in (0, 3, 6))
    assert groups_of([first, between, last]) == [[0, 1], [2]]
    assert groups_of([between, first, last]) == [[0, 1, 2]]


@pytest.fixture
def printed(settings: Settings) -> Settings:
    """An index of what five papers printed."""
    for name, (day, text) in PAPERS.items():
        write_article(settings.seeds, name, text, title="News", published=day)
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture
def engine(printed: Settings) -> Iterator[Engine]:
    opened = Engine(printed, WordEmbedder())
    yield opened
    opened.close()


@pytest.fixture
def snapshot(printed: Settings) -> Iterator[Snapshot]:
    generations = Generations(printed.index)
    opened = Snapshot.open(generations, generations.live().id, printed, WordEmbedder())
    yield opened
    opened.close()


def sources(hit: HitShape) -> tuple[str, ...]:
    return (hit.article.source, *(copy.article.source for copy in hit.also_in))


def test_copies_share_the_hit_of_the_best_and_are_listed_oldest_first(engine: Engine) -> None:
    hits = engine.search(SearchQuery(q=QUESTION)).hits
    assert [hit.rank for hit in hits] == [1, 2, 3]
    found = {hit.article.source: hit for hit in hits}
    assert found.keys() == {"b.txt", "d.txt", "e.txt"}
    assert sources(found["b.txt"]) == ("b.txt", "a.txt", "c.txt")
    assert [copy.article.published for copy in found["b.txt"].also_in] == [
        *("2025-07-04", "2025-07-05")
    ]
    for copy in found["b.txt"].also_in:
        text = engine.paragraph(copy.id).paragraph.text
        assert text == PAPERS[copy.article.source][1]
        assert copy.number == 1


def test_of_equal_scores_the_one_published_first_leads(snapshot: Snapshot) -> None:
    passages = {
        passage.article.source: passage.key
        for passage in snapshot.store.passages(snapshot.store.keys().tolist())
    }
    keys = [passages[name] for name in ("c.txt", "d.txt", "b.txt", "a.txt")]
    assert copies_among(snapshot.store, keys, [0.5, 0.5, 0.5, 0.4]) == [[1], [2, 0, 3]]
    assert copies_among(snapshot.store, keys, [0.5, 0.4, 0.4, 0.4]) == [[0, 2, 3], [1]]
    assert copies_among(snapshot.store, [], []) == []


def test_gathering_can_be_switched_off_by_request_and_by_setting(
    engine: Engine, printed: Settings
) -> None:
    apart = engine.search(SearchQuery(q=QUESTION, collapse=False)).hits
    assert sorted(map(sources, apart)) == [(name,) for name in PAPERS]
    off = Engine(printed.model_copy(update={"collapse": False}), WordEmbedder())
    assert off.search(SearchQuery(q=QUESTION)).hits == apart
    assert len(off.search(SearchQuery(q=QUESTION, collapse=True)).hits) == 3
    off.close()


def test_pages_continue_the_gathered_ranking(engine: Engine) -> None:
    whole = engine.search(SearchQuery(q=QUESTION)).hits
    query = SearchQuery(q=QUESTION, limit=1)
    pages = []
    while True:
        result = engine.search(query)
        pages += result.hits
        if result.next_cursor is None:
            break
        query = query.model_copy(update={"cursor": result.next_cursor})
    assert pages == whole


def test_a_cursor_of_gathered_hits_does_not_continue_others(engine: Engine) -> None:
    cursor = engine.search(SearchQuery(q=QUESTION, limit=1)).next_cursor
    with pytest.raises(QueryError, match="does not belong"):
        engine.search(SearchQuery(q=QUESTION, limit=1, collapse=False, cursor=cursor))


def test_an_explanation_counts_copies_among_the_candidates(engine: Engine) -> None:
    explanation = engine.search(SearchQuery(q=QUESTION, explain=True)).explanation
    assert explanation is not None
    assert explanation.candidates == len(PAPERS)


def test_alternatives_to_an_answer_are_of_other_texts(settings: Settings) -> None:
    for name, (day, text) in PAPERS.items():
        write_article(settings.seeds, name, text, title="News", published=day)
    build(settings, WordEmbedder(), progress=silent)
    sure = settings.model_copy(update={"answer_threshold": 0.0})
    engine = Engine(sure, WordEmbedder())
    result = engine.answer(AnswerQuery(q=QUESTION))
    assert result.answer is not None
    read = {result.answer.article.source, *(each.article.source for each in result.alternatives)}
    assert read == {"b.txt", "d.txt"}  # e.txt is less than half as sure
    engine.close()


def test_a_saved_question_finds_an_article_that_only_has_a_copy(
    snapshot: Snapshot, printed: Settings
) -> None:
    places = {name: find(snapshot, printed, QUESTION, name)[0] for name in PAPERS}
    assert places["a.txt"] == places["b.txt"] == places["c.txt"]
    assert set(places.values()) == {1, 2, 3}
    saved = SavedQuestion(QUESTION, "c.txt", None, Generations(printed.index).live().created)
    assert ranks(snapshot, printed, [saved]) == [places["b.txt"]]


def test_judged_documents_that_are_copies_are_not_lost(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": name, "title": "News", "text": text} for name, (_, text) in PAPERS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": QUESTION}))
    judgments = [f"q\t{name}\t1" for name in ("a.txt", "b.txt", "c.txt")]
    lines = ["query-id\tcorpus-id\tscore", *judgments]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    run = evaluate([read_judged(folder)], ["keyword"], settings, WordEmbedder(), silent)
    assert run.sets[0].modes[0].estimates["Recall@10"].mean == 1


def test_an_index_that_was_gone_on_with_gathers_what_one_from_nothing_does(
    printed: Settings, tmp_path: Path
) -> None:
    (printed.seeds / "b.txt").unlink()
    write_article(printed.seeds, "c.txt", AGENCY.replace("Monday", "Friday"), title="News")
    write_article(printed.seeds, "f.txt", AGENCY, title="News")
    build(printed, WordEmbedder(), progress=silent)
    engines = [
        Engine(each, WordEmbedder()) for each in (printed, built_anew(printed, tmp_path / "anew"))
    ]
    here, there = (engine.search(SearchQuery(q=QUESTION)).hits for engine in engines)
    assert here == there
    assert {frozenset(sources(hit)) for hit in here} == {
        *(frozenset({"a.txt", "f.txt"}), frozenset({"c.txt", "d.txt"}), frozenset({"e.txt"}))
    }
    for engine in engines:
        engine.close()
