from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from fakes import SlowEmbedder, WordEmbedder, silent, write_article

from indexer.build import build
from indexer.deadlines import within
from indexer.errors import (
    DeadlineExceeded,
    ModelError,
    NotFound,
    Overloaded,
    QueryError,
    ServeError,
    WinnowError,
    WorkerLost,
)
from indexer.settings import Settings
from service.engine import Engine
from service.pool import Pool
from service.pooled import PooledEngine
from service.requests import AnswerQuery, ArticlesQuery, SearchQuery, SimilarQuery
from service.unanswered import Unanswered

ARTICLE = (
    "Brussels proposed a third-party operator for the pipeline on Monday.",
    "The operator would have to be paid by both sides, the envoy said.",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("pool")
    (folder / "seeds").mkdir()
    settings = Settings(
        seeds=folder / "seeds", index=folder / "index", read_depth=0, unanswered_log=True
    )
    write_article(settings.seeds, "a.txt", *ARTICLE)
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gate") / "gate"
    os.mkfifo(path)
    return path


@pytest.fixture(scope="module")
def pool(settings: Settings, gate: Path) -> Iterator[Pool]:
    pool = Pool(settings, SlowEmbedder(gate))
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def engine(settings: Settings, pool: Pool) -> PooledEngine:
    return PooledEngine(settings, WordEmbedder(), pool)


def processes(pool: Pool) -> list[int]:
    return sorted(each.id or 0 for each in pool._alive)


def wait_until(so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_comes_out_is_what_the_engine_itself_finds(
    settings: Settings, engine: PooledEngine
) -> None:
    alone = Engine(settings, WordEmbedder())
    query, question = SearchQuery(q="operator", explain=True), AnswerQuery(q="who proposed it")
    for mine, theirs in (
        (engine.search(query), alone.search(query)),
        (engine.answer(question), alone.answer(question)),
    ):
        assert mine.model_dump(exclude={"took_ms"}) == theirs.model_dump(exclude={"took_ms"})
        assert mine.model_fields_set == theirs.model_fields_set
    id_ = alone.search(query).hits[0].paragraph.id
    found = engine.similar(id_, SimilarQuery(same_article=True))
    assert found.hits == alone.similar(id_, SimilarQuery(same_article=True)).hits != []
    alone.close()


def test_what_needs_no_model_is_found_without_the_pool(engine: PooledEngine) -> None:
    (entry,) = engine.articles(ArticlesQuery()).articles
    assert engine.article(entry.id).paragraphs[0].text == ARTICLE[0]
    assert engine.readiness().status == "ready"


def test_errors_come_out_as_they_were_raised(engine: PooledEngine, pool: Pool) -> None:
    with pytest.raises(QueryError) as refused:
        engine.search(SearchQuery(q="operator", cursor="rubbish"))
    assert refused.value.parameter == "cursor"
    assert refused.value.hint
    with pytest.raises(NotFound):
        engine.similar("0123456789abcdef-1", SimilarQuery())
    with pytest.raises(RuntimeError, match="has no attribute 'nothing'") as failed:
        pool.call("nothing")
    assert "worker.py" in str(failed.value)
    assert pool.missing == 0


def kinds(root: type[WinnowError]) -> Iterator[type[WinnowError]]:
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", [*kinds(WinnowError)], ids=lambda kind: kind.code)
def test_every_error_can_be_sent_to_another_process(kind: type[WinnowError]) -> None:
    options = {
        **({"parameter": "q"} if issubclass(kind, QueryError) else {}),
        **({"retry_after": 7} if issubclass(kind, Overloaded) else {}),
    }
    error = kind("what happened", hint="how to mend it", **options)
    sent = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(sent) is kind
    assert str(sent) == "what happened"
    assert vars(sent) == vars(error)


def test_a_question_goes_to_the_process_that_knows_it(pool: Pool) -> None:
    asked = []
    for word in ("one", "two"):
        query = SearchQuery(q=word)
        with within(60):
            pool.call("search", query, about=word)
        asked.append(next(each for each in pool._alive if each.about == word))
        pool._idle.reverse()  # as if the other had been at work since
    for word, worker in zip(("one", "two"), asked, strict=True):
        pool.call("search", SearchQuery(q=word), about=word)
        assert worker.about == word


def test_who_waits_for_a_process_waits_until_the_deadline(pool: Pool, gate: Path) -> None:
    queries = [SearchQuery(q=f"slowly {number}") for number in range(pool.size)]
    asking = [threading.Thread(target=pool.call, args=("search", each)) for each in queries]
    for each in asking:
        each.start()
    wait_until(lambda: not pool._idle)
    with within(0.2), pytest.raises(DeadlineExceeded, match="before a process was free"):
        pool.call("search", SearchQuery(q="operator"))
    opened = os.open(gate, os.O_RDWR)
    os.write(opened, b"\n" * len(queries))
    for each in asking:
        each.join(10)
    os.close(opened)
    assert pool.call("search", SearchQuery(q="operator")).hits


def test_a_process_that_dies_idle_is_replaced_and_loses_nothing(
    engine: PooledEngine, pool: Pool
) -> None:
    before = processes(pool)
    for each in before:
        os.kill(each, signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in before))
    assert engine.search(SearchQuery(q="operator")).hits
    wait_until(lambda: not pool.missing)
    assert not set(before) & set(processes(pool))


def test_readiness_tells_of_processes_that_are_missing(engine: PooledEngine, pool: Pool) -> None:
    with pool._changed:
        taken, pool._alive = pool._alive, pool._alive[:1]
        some = engine.readiness()
        pool._alive = []
        none = engine.readiness()
        pool._alive = taken
    assert some.status == "degraded"
    assert some.degraded == ["processes: 1 of 2 are being started anew"]
    assert none.status == "not_ready"
    assert engine.readiness().status == "ready"


def test_once_refreshed_every_process_searches_the_new_generation(
    settings: Settings, engine: PooledEngine, pool: Pool
) -> None:
    write_article(settings.seeds, "b.txt", "A dam is to be built at Nurek.")
    live = build(settings, WordEmbedder(), progress=silent).generation
    engine.refresh()
    for worker in tuple(pool._alive):
        pool._idle.sort(key=lambda each, last=worker: each is last)  # the last is taken
        assert pool.call("search", SearchQuery(q="dam at Nurek")).generation == live


def test_who_asks_keeps_the_unanswered_and_the_process_does_not(
    settings: Settings, engine: PooledEngine
) -> None:
    told = []
    engine.listeners.append(lambda query, _: told.append(query))
    question = AnswerQuery(q="how high is Everest")
    assert engine.answer(question).answer is None
    assert told == [question]
    kept = Unanswered(settings.index).questions()
    assert [(each.question, each.times) for each in kept if "Everest" in each.question] == [
        ("how high is Everest", 1)
    ]


def test_without_the_model_the_processes_say_why(settings: Settings) -> None:
    one = settings.model_copy(update={"workers": 1})
    pool = Pool(one, ModelError("there is none"))
    engine = PooledEngine(one, WordEmbedder(), pool)
    assert "keywords only: there is none" in engine.search(SearchQuery(q="operator")).degraded
    assert "keywords only: there is none" in engine.readiness().degraded
    engine.close()
    with pytest.raises(WorkerLost, match="being stopped"):
        engine.search(SearchQuery(q="operator"))


class Deadly(WordEmbedder):
    def encode(self, texts: Sequence[str]) -> NoReturn:  # noqa: ARG002 - it reads none
        os._exit(3)


def test_a_process_that_cannot_begin_keeps_the_service_from_it(settings: Settings) -> None:
    with pytest.raises(ServeError, match="ended with 3"):
        Pool(settings, Deadly())
