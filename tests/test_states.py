from __future__ import annotations

import errno
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEmbedder, write_article
from histories import Content, built_anew, content, results, text
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from killed import Worker

from indexer import build as build_module
from indexer.analysis import tokens
from indexer.build import build
from indexer.errors import SeedsError
from indexer.generations import Generations
from indexer.manifest import MANIFEST
from indexer.reports import BuildReport
from indexer.sentences import sentences
from indexer.settings import Settings
from indexer.types import Vectors
from service.library import Library
from service.retrieval import Ranked, rank
from service.snapshot import Snapshot

_STEPS = 115
"""A little more than a build has, so that some are not killed."""

_names = st.sampled_from(["a.txt", "b.txt", "c.txt", "deep/d.txt"])
_numbers = st.lists(st.integers(0, 12), min_size=1, max_size=3)
_records = st.sampled_from(["r1", "r2", "r3"])


Scores = dict[tuple[str, int], float]
"""By source and number of the paragraph."""


class Recorder(WordEmbedder):
    """Remembers what texts it was asked for while an index was written, not while checked."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self._writing = True

    def progress(self, stage: str, _done: int, _total: int) -> None:
        self._writing = stage not in ("verify", "publish")

    def encode(self, texts: list[str]) -> Vectors:  # type: ignore[override]
        if self._writing:
            self.texts.update(texts)
        return super().encode(texts)


def keyword_oracle(settings: Settings, held: Content, titles: dict[str, str], word: str) -> Scores:
    """BM25 of each paragraph for one word, from the texts alone."""
    rows = [(source, n, p) for source, ps in held.items() for n, p in enumerate(ps, start=1)]
    scores = dict.fromkeys(((source, n) for source, n, _ in rows), 0.0)
    (term,) = (token.term for token in tokens(word))
    for weight, pick in ((settings.title_weight, 0), (1.0, 1)):
        terms = [[t.term for t in tokens((titles[source], p)[pick])] for source, _, p in rows]
        holding = sum(term in each for each in terms)
        idf = np.log1p((len(rows) - holding + 0.5) / (holding + 0.5))
        mean = max(sum(map(len, terms)) / len(rows), 1.0)
        for (source, n, _), each in zip(rows, terms, strict=True):
            count = each.count(term)
            norm = settings.k1 * (1 - settings.b + settings.b * len(each) / mean)
            scores[source, n] += weight * idf * count * (settings.k1 + 1) / (count + norm)
    return {place: score for place, score in scores.items() if score}


def semantic_oracle(
    settings: Settings, held: Content, titles: dict[str, str], query: str
) -> Scores:
    """The mixed cosine of each paragraph, from the texts alone."""
    embedder = WordEmbedder()
    asked = embedder.encode([query])[0]

    def cosine(texts: list[str]) -> float:
        return float((embedder.encode(texts).astype(np.float16) @ asked).max(initial=-1.0))

    scores = {}
    for source, paragraphs in held.items():
        for number, paragraph in enumerate(paragraphs, start=1):
            whole = cosine([paragraph[start:end] for start, end in embedder.windows(paragraph)])
            parts = [paragraph[start:end] for start, end in sentences(paragraph)]
            nearest = cosine([*parts, titles[source]])
            share = settings.sentence_weight
            scores[source, number] = min((1 - share) * whole + share * nearest, 1.0)
    return scores


@dataclass(slots=True)
class Reading:
    """A generation that somebody has open."""

    snapshot: Snapshot
    held: Content
    opened: ExitStack = field(default_factory=ExitStack)


class IndexFolder(RuleBasedStateMachine):
    """An index folder and what it should hold, whatever is done to it in whatever order."""

    worker: Worker

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.settings = Settings(
            seeds=self.root / "seeds", index=self.root / "index", generations=2
        )
        self.settings.seeds.mkdir()
        self.generations = Generations(self.settings.index)
        self.files: dict[str, list[int]] = {}
        self.records: dict[str, int] = {}
        self.held: dict[str, Content] = {}  # by generation
        self.manifests: dict[str, bytes] = {}  # likewise
        self.embedded: set[str] = set()  # and remembered, unless the cache is damaged
        self.damaged = False
        self.reading: list[Reading] = []
        self.expected_live: set[str | None] = {None}

    # The seeds

    @property
    def content(self) -> Content:
        files = {name: tuple(map(text, numbers)) for name, numbers in self.files.items()}
        return files | {f"bulk.jsonl#{id_}": (text(n),) for id_, n in self.records.items()}

    @rule(name=_names, numbers=_numbers)
    def write(self, name: str, numbers: list[int]) -> None:
        self.files[name] = numbers
        write_article(self.settings.seeds, name, *map(text, numbers), byline=None)

    @precondition(lambda self: self.files)
    @rule(data=st.data(), to=_names)
    def rename(self, data: st.DataObject, to: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.files)))
        self.files[to] = self.files.pop(name)
        (self.settings.seeds / "deep").mkdir(exist_ok=True)
        (self.settings.seeds / name).rename(self.settings.seeds / to)

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.files)))
        del self.files[name]
        (self.settings.seeds / name).unlink()

    @rule(id_=_records, number=st.integers(0, 12))
    def write_record(self, id_: str, number: int) -> None:
        self.records[id_] = number
        self._write_records()

    @rule(id_=_records)
    def delete_record(self, id_: str) -> None:
        self.records.pop(id_, None)
        self._write_records()

    def _write_records(self) -> None:
        lines = [
            json.dumps({"_id": id_, "title": "Record", "text": text(number)}) + "\n"
            for id_, number in self.records.items()
        ]
        (self.settings.seeds / "bulk.jsonl").write_text("".join(lines))

    # The index

    @initialize(built=st.sampled_from([True, True, False]))
    def begin(self, built: bool) -> None:
        for name, numbers in (("a.txt", [1, 2]), ("b.txt", [3]), ("c.txt", [2])):
            self.write(name, numbers)
        self.write_record("r1", 4)
        if built:
            self._build(full=False)
            self.write("a.txt", [1, 5])
            self._build(full=False)

    @rule()
    def build(self) -> None:
        self._build(full=False)

    @rule()
    def build_anew(self) -> None:
        self._build(full=True)

    def _build(self, *, full: bool) -> None:
        embedder = Recorder()
        run: Callable[[], BuildReport] = partial(
            build, self.settings, embedder, full=full, progress=embedder.progress
        )
        if not self.content:
            with pytest.raises(SeedsError):
                run()
            return
        went_on = self._is_live() and not full
        report = run()
        if not self.damaged:
            assert not embedder.texts & self.embedded
            if went_on and not report.added and not report.changed:
                assert not embedder.texts
        self.embedded |= embedder.texts
        self._learn()
        self.expected_live = {report.generation}
        assert self.held[report.generation] == self.content
        anew = built_anew(self.settings, self.root / "anew")
        assert results(self.settings) == results(anew)
        shutil.rmtree(anew.index)

    @rule(
        at=st.integers(0, _STEPS),
        error=st.sampled_from([None, None, errno.ENOSPC, errno.EIO]),
        lasting=st.booleans(),
        full=st.booleans(),
    )
    def fail_to_build(self, at: int, error: int | None, lasting: bool, full: bool) -> None:
        work = "full" if full else "build"
        outcome = self.worker.run(self.settings, work, at=at, error=error, lasting=lasting)
        if outcome.error is not None:
            kinds = {"IndexNotWritable"} if self.content else {"IndexNotWritable", "SeedsError"}
            assert outcome.error[0] in kinds
        self.expected_live |= self._learn()

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(self.generations.ids()))
        with self.generations.writing():
            self.generations.activate(id_)
        self.expected_live = {id_}

    @precondition(lambda self: self._is_live())
    @rule(keep=st.integers(1, 3))
    def prune(self, keep: int) -> None:
        with self.generations.writing():
            gone = self.generations.prune(keep)
        assert not set(gone) & set(self.generations.ids())
        reading = {each.snapshot.manifest.id for each in self.reading}
        assert len(set(self.generations.ids()) - reading) <= keep

    @rule()
    def delete_cache(self) -> None:
        shutil.rmtree(self.generations.cache.parent, ignore_errors=True)
        self.embedded.clear()
        self.damaged = False

    @precondition(lambda self: self.files)
    @rule()
    def move_without_a_cache(self) -> None:
        self._build(full=False)
        self.delete_cache()
        name = min(self.files)
        to = f"moved/{len(self.held)}.txt"
        (self.settings.seeds / "moved").mkdir(exist_ok=True)
        (self.settings.seeds / name).rename(self.settings.seeds / to)
        self.files[to] = self.files.pop(name)
        self._build(full=False)

    @precondition(lambda self: self.generations.cache.is_file())
    @rule(data=st.data())
    def damage_cache(self, data: st.DataObject) -> None:
        held = bytearray(self.generations.cache.read_bytes())
        for _ in range(5):
            held[data.draw(st.integers(0, len(held) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        self.generations.cache.write_bytes(held)
        self.damaged = True

    @precondition(lambda self: self._is_live() and len(self.reading) < 3)
    @rule()
    def open_reader(self) -> None:
        reading = ExitStack()
        library = reading.enter_context(closing(Library(self.settings, WordEmbedder())))
        snapshot = reading.enter_context(library.borrow())
        held = self.held[snapshot.manifest.id]
        self.reading.append(Reading(snapshot, held, reading))

    @precondition(lambda self: self.reading)
    @rule()
    def close_reader(self) -> None:
        self.reading.pop(0).opened.close()

    # What holds at any time

    @invariant()
    def every_generation_is_as_it_was_made(self) -> None:
        for id_ in self.generations.ids():
            assert (self.generations.path(id_) / MANIFEST).read_bytes() == self.manifests[id_]
            self.generations.verify(self.generations.manifest(id_))

    @invariant()
    def current_names_a_generation(self) -> None:
        if self._is_live():
            live = self.generations.live().id
            assert live in self.expected_live
            self.expected_live = {live}
        else:
            assert None in self.expected_live

    @invariant()
    def readers_read_on(self) -> None:
        for each in self.reading:
            assert each.snapshot.manifest.id in self.generations.ids()
            assert content(each.snapshot) == each.held

    @invariant()
    def searching_finds_what_the_live_files_say(self) -> None:
        if not self._is_live():
            return
        settings = self.settings
        with closing(Library(settings, WordEmbedder())) as library, library.borrow() as snapshot:
            held = self.held[snapshot.manifest.id]
            assert snapshot.degraded("hybrid") == ()
            assert content(snapshot) == held
            titles = {each: "Record" if "#" in each else "A headline" for each in held}
            for word in ("storm", "headline"):
                ranked = rank(snapshot, settings, word, "keyword", collapse=False).ranked
                require_equal(ranked, snapshot, keyword_oracle(settings, held, titles, word))
            query = "ferry market"
            ranked = rank(snapshot, settings, query, "semantic", collapse=False).ranked
            require_equal(ranked, snapshot, semantic_oracle(settings, held, titles, query))

    def teardown(self) -> None:
        for each in self.reading:
            each.opened.close()
        shutil.rmtree(self.root)

    def _is_live(self) -> bool:
        return (self.settings.index / "CURRENT").exists()

    def _learn(self) -> set[str]:
        """What builds made since is of the seeds as they are; returns its ids."""
        new = set(self.generations.ids()) - self.held.keys()
        for id_ in new:
            self.held[id_] = self.content
            self.manifests[id_] = (self.generations.path(id_) / MANIFEST).read_bytes()
        return new


def require_equal(ranked: Sequence[Ranked], snapshot: Snapshot, expected: Scores) -> None:
    """The same places with the same scores but for rounding, best first."""
    passages = snapshot.store.passages([each.paragraph for each in ranked])
    places = [(passage.article.source, passage.paragraph.number) for passage in passages]
    assert set(places) == set(expected)
    scores = [each.score for each in ranked]
    assert scores == sorted(scores, reverse=True)
    raw = [each.contributions[0].raw for each in ranked]
    assert np.allclose(raw, [expected[place] for place in places], atol=1e-5)


def test_whatever_is_done_in_whatever_order_the_index_is_sound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So small an index would make the cache forget soon, which is not what this is about.
    monkeypatch.setattr(build_module, "_REMEMBERED", 10**6)
    with Worker() as IndexFolder.worker:
        run_state_machine_as_test(
            IndexFolder,
            settings=hypothesis_settings(
                max_examples=8,
                stateful_step_count=24,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
