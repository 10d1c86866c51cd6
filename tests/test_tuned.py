from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article

from indexer.build import build
from indexer.errors import TuningError
from indexer.generations import Generations
from indexer.settings import Settings
from service.doctor import Finding, examine
from service.engine import Engine
from service.requests import SearchQuery
from service.terminal import search_lines
from service.tuned import Tuned, Tuning, read, remove, write

TUNING = Tuning(
    parameters={"semantic_weight": 0.9},
    origin=("your own",),
    questions=40,
    gain=0.05,
    low=0.01,
    high=0.09,
    model="words:1",
    when=dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
)


@pytest.fixture
def built(settings: Settings) -> Settings:
    settings = settings.model_copy(update={"lead_weight": 0.0})
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator. It was refused.")
    write_article(settings.seeds, "b.txt", "The harvest was poor. An operator said so.")
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture
def engine(built: Settings) -> Iterator[Engine]:
    with closing(Engine(built, WordEmbedder())) as opened:
        yield opened


def weights(engine: Engine) -> set[tuple[str, float]]:
    hits = engine.search(SearchQuery(q="operator")).hits
    return {(part.source, round(part.weight, 6)) for hit in hits for part in hit.contributions}


def finding(settings: Settings) -> Finding:
    (found,) = (e for e in examine(settings, WordEmbedder()) if e.check == "tuning")
    return found


def test_what_was_written_is_read(settings: Settings) -> None:
    settings.index.mkdir()
    assert read(settings.index) is None
    write(settings.index, TUNING)
    assert read(settings.index) == TUNING
    assert remove(settings.index)
    assert not remove(settings.index)
    assert read(settings.index) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "Invalid JSON"),
        ("{}", "parameters: Field required"),
        ('"semantic_weight": 0.9', "Invalid JSON"),
        ("semantic_weight -> depth", "nothing called 'depth' is fitted"),
        ("0.9 -> 1.5", "semantic_weight cannot be 1.5"),
        ("0.9 -> NaN", "semantic_weight cannot be nan"),
        ('"questions": 40 -> "questions": 0', "questions"),
    ],
)
def test_a_damaged_file_is_told_and_not_used(built: Settings, written: str, said: str) -> None:
    write(built.index, TUNING)
    path = Generations(built.index).tuning
    old, arrow, new = written.partition(" -> ")
    path.write_text(path.read_text().replace(old, new) if arrow else written)
    with pytest.raises(TuningError, match=said):
        read(built.index)
    with closing(Engine(built, WordEmbedder())) as engine:
        assert ("semantic", 0.45) in weights(engine)
        (note,) = engine.search(SearchQuery(q="operator")).degraded
        assert said in note
        assert engine.readiness().degraded == [note]
        # Where meaning takes no part there is nothing to weigh.
        assert engine.search(SearchQuery(q="operator", mode="keyword")).degraded == []
    found = finding(built)
    assert found.level == "problem"
    assert said in found.message
    assert found.mend == "winnow tune --reset"
    assert remove(built.index)


def test_a_folder_in_its_place_is_told(built: Settings) -> None:
    Generations(built.index).tuning.mkdir()
    with pytest.raises(TuningError, match="cannot be read"):
        read(built.index)
    assert finding(built).level == "problem"


def test_an_open_engine_follows_the_file(engine: Engine, built: Settings) -> None:
    assert weights(engine) == {("keyword", 0.55), ("semantic", 0.45)}
    write(built.index, TUNING)
    assert weights(engine) == {("keyword", 0.1), ("semantic", 0.9)}
    write(built.index, replace(TUNING, parameters={"semantic_weight": 0.7}))
    assert weights(engine) == {("keyword", 0.3), ("semantic", 0.7)}
    remove(built.index)
    assert weights(engine) == {("keyword", 0.55), ("semantic", 0.45)}


def test_it_holds_for_the_next_generation(engine: Engine, built: Settings) -> None:
    write(built.index, TUNING)
    write_article(built.seeds, "c.txt", "Another operator.")
    build(built, WordEmbedder(), full=True, progress=silent)
    engine.library.refresh()
    assert weights(engine) == {("keyword", 0.1), ("semantic", 0.9)}


def test_a_ranking_says_what_was_fitted(engine: Engine, built: Settings) -> None:
    query = SearchQuery(q="operator", explain=True)
    explanation = engine.search(query).explanation
    assert explanation is not None
    assert explanation.tuned == {}
    write(built.index, TUNING)
    result = engine.search(query)
    assert result.explanation is not None
    assert result.explanation.tuned == {"semantic_weight": 0.9}
    assert "Fitted by winnow tune: semantic_weight 0.9" in search_lines(result, explain=True)


def test_what_the_user_has_set_wins_and_the_doctor_says_so(built: Settings) -> None:
    write(built.index, TUNING)
    own = built.model_copy(update={"semantic_weight": 0.2})
    with closing(Engine(own, WordEmbedder())) as engine:
        assert weights(engine) == {("keyword", 0.8), ("semantic", 0.2)}
    found = finding(own)
    assert found.level == "note"
    assert "the setting of semantic_weight wins" in found.message


def test_weights_fitted_with_another_model_are_not_used(built: Settings) -> None:
    write(built.index, replace(TUNING, model="words:0"))
    with closing(Engine(built, WordEmbedder())) as engine:
        assert ("semantic", 0.45) in weights(engine)
        (note,) = engine.search(SearchQuery(q="operator")).degraded
    assert "another embedding model" in note
    assert finding(built).level == "note"


def test_the_doctor_says_what_was_fitted_and_how_to_be_rid_of_it(built: Settings) -> None:
    assert finding(built).message == "no weights were fitted to your questions"
    write(built.index, TUNING)
    found = finding(built)
    assert found.level == "ok"
    assert found.message == (
        "semantic_weight 0.9: fitted on 2026-01-02 to 40 questions of your own, nDCG@10 +0.0500 "
        "[+0.0100, +0.0900]; to be rid of it: winnow tune --reset"
    )


def test_builds_leave_the_file_alone(built: Settings) -> None:
    write(built.index, TUNING)
    for number in range(4):
        write_article(built.seeds, f"{number}.txt", f"Article {number}.")
        build(built, WordEmbedder(), full=True, progress=silent)
    assert read(built.index) == TUNING


def test_threads_that_ask_while_it_changes_get_the_old_or_the_new(settings: Settings) -> None:
    settings.index.mkdir()
    tuned = Tuned(settings, "words:1")
    values = (0.2, 0.9)
    seen: set[float | None] = set()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            now = tuned.now()
            assert now.problem is None
            seen.add(now.parameters.get("semantic_weight"))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(40):
        write(settings.index, replace(TUNING, parameters={"semantic_weight": values[number % 2]}))
    done.set()
    for thread in threads:
        thread.join()
    assert seen <= {None, *values}
    assert tuned.over(settings).semantic_weight == values[1]


def test_a_setting_stays_the_users_own_in_a_build_of_its_own_process(tmp_path: Path) -> None:
    from service.building import Order  # noqa: PLC0415 - only for this test
    from service.parameters import chosen  # noqa: PLC0415 - likewise

    def sent(settings: Settings) -> Settings:
        order = Order(settings=settings, full=False, settle=0.0)
        return Order.model_validate_json(order.line()).settings

    assert chosen(sent(Settings(index=tmp_path))) == frozenset()
    assert chosen(sent(Settings(semantic_weight=0.4))) == {"semantic_weight"}
