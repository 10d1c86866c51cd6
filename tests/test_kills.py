from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article
from histories import Content, Results, built_anew, copied, prepare, results, served, text
from killed import Outcome, Worker

from indexer.build import build
from indexer.errors import IndexCorrupt, IndexMissing
from indexer.generations import Generations
from indexer.settings import Settings
from service.engine import Engine
from service.library import Library
from service.requests import SearchQuery

_LASTING = {"CURRENT", "cache", "failure.json", "generations", "write.lock"}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


@dataclass(frozen=True, slots=True)
class Story:
    """An index folder and what it must hold before and after a build; ``old`` is None if new."""

    settings: Settings
    old: Content | None
    new: Content
    expected: Results


def story(settings: Settings, folder: Path) -> Story:
    old = served(settings)[1] if settings.index.exists() else None
    elsewhere = built_anew(settings, folder)
    return Story(settings, old, served(elsewhere)[1], results(elsewhere))


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("change")
    return story(prepare(folder / "base"), folder / "full")


def require_sound(told: Story, settings: Settings, where: str) -> None:
    """Whoever serves now serves the old or the new, and the next build ends on the new."""
    generations = Generations(settings.index)
    try:
        live = generations.live().id
    except (IndexMissing, IndexCorrupt):
        # Nothing was live before, so a complete generation may be there that is not yet.
        assert told.old is None, where
        assert not (settings.index / "CURRENT").exists(), where
        with suppress(IndexMissing):
            assert served(settings)[1] == told.new, where
    else:
        generations.verify(generations.live())
        id_, content, degraded = served(settings)
        assert (id_, degraded) == (live, ()), where
        assert content in (told.old, told.new), where
        with closing(Engine(settings, WordEmbedder())) as engine:
            assert engine.search(SearchQuery(q="storm")).hits, where
    build(settings, WordEmbedder(), progress=silent)
    generations.verify(generations.live())
    assert served(settings)[1] == told.new, where
    assert results(settings) == told.expected, where
    assert {path.name for path in settings.index.iterdir()} <= _LASTING, where
    for id_ in generations.ids():
        generations.verify(generations.manifest(id_))


def kill_at_each(worker: Worker, told: Story, folder: Path, work: str, apart: int) -> list[str]:
    """Kill ``work`` at many steps; returns the names of all."""
    whole = worker.run(copied(told.settings, folder), work)
    assert not whole.killed
    assert whole.error is None
    some = chosen(whole.steps, apart)
    assert len(some) > 25
    for at in some:
        settings = copied(told.settings, folder)
        outcome = worker.run(settings, work, at=at)
        assert outcome.killed, whole.steps[at]
        require_sound(told, settings, f"killed at step {at}, {whole.steps[at]}")
    return whole.steps


def chosen(steps: list[str], apart: int) -> list[int]:
    """Every step from the first fsync on, which begins the publication, and some before."""
    publication = next(at for at, step in enumerate(steps) if step.startswith("fsync"))
    return [*range(0, publication, apart), *range(publication, len(steps))]


def test_a_build_killed_at_any_step_leaves_the_old_or_the_new(
    worker: Worker, change: Story, tmp_path: Path
) -> None:
    steps = kill_at_each(worker, change, tmp_path / "copy", "build", 2)
    kinds = {step.split()[0] for step in steps}
    assert kinds >= {"open", "os.rename", "os.link", "os.mkdir", "os.remove", "fcntl.flock"}
    assert kinds >= {"fsync", "write_index", "sqlite3.connect", "sqlite3.commit", "shutil.rmtree"}


def test_a_full_build_killed_at_any_step_leaves_the_old_or_the_new(
    worker: Worker, change: Story, tmp_path: Path
) -> None:
    kill_at_each(worker, change, tmp_path / "copy", "full", 6)


def test_a_first_build_killed_at_any_step_leaves_nothing_or_all(
    worker: Worker, change: Story, tmp_path: Path
) -> None:
    bare = copied(change.settings, tmp_path / "bare")
    shutil.rmtree(bare.index)
    kill_at_each(
        worker, Story(bare, None, change.new, change.expected), tmp_path / "copy", "build", 6
    )


def test_a_build_killed_at_any_moment_leaves_the_old_or_the_new(
    worker: Worker, tmp_path: Path
) -> None:
    settings = prepare(tmp_path / "base", articles=40)
    for number in range(20):
        write_article(settings.seeds, f"more/{number}.txt", text(200 + number))
    told = story(settings, tmp_path / "full")
    whole = min(worker.run(copied(settings, tmp_path / "copy")).seconds for _ in range(3))
    chance = random.Random(7)  # noqa: S311 - chosen to be the same every time
    killed = 0
    for _ in range(50):
        delay = chance.uniform(0, whole)
        copy = copied(settings, tmp_path / "copy")
        killed += worker.run(copy, after=delay).killed
        require_sound(told, copy, f"killed after {delay:.4f} s")
    assert killed > 10


@pytest.mark.parametrize("work", ["activate", "prune"])
def test_a_rollback_or_pruning_killed_at_any_step_loses_no_generation_but_old_ones(
    worker: Worker, change: Story, tmp_path: Path, work: str
) -> None:
    settings = copied(change.settings, tmp_path / "base")
    (settings.seeds / "deep" / "new.txt").unlink()
    build(settings.model_copy(update={"generations": 9}), WordEmbedder(), progress=silent)
    one = settings.model_copy(update={"generations": 1}) if work == "prune" else settings
    generations = Generations(settings.index)
    contents = {}
    for id_ in generations.ids():
        with Library(settings, WordEmbedder()).borrow(id_) as snapshot:
            contents[id_] = snapshot.manifest
    newest, _, oldest = contents
    whole = worker.run(copied(one, tmp_path / "copy"), work, id_=oldest)
    assert whole.error is None
    for at, step in enumerate(whole.steps):
        copy = copied(one, tmp_path / "copy")
        assert worker.run(copy, work, id_=oldest, at=at).killed
        left = Generations(copy.index)
        live = left.live()
        assert live.id == newest or (work, live.id) == ("activate", oldest), step
        assert served(copy)[0] == live.id, step
        if work == "activate":
            assert left.ids() == list(contents), step
        for id_ in left.ids():
            assert left.manifest(id_) == contents[id_], step
            left.verify(contents[id_])
        again = worker.run(copy, work, id_=oldest)
        assert again.error is None, step
        assert left.live().id == (oldest if work == "activate" else newest), step
        assert left.ids() == (list(contents) if work == "activate" else [newest]), step
        assert not (copy.index / "staging").exists(), step


def test_a_name_counts_only_when_what_it_names_is_on_the_disk(
    worker: Worker, change: Story, tmp_path: Path
) -> None:
    def require_order(outcome: Outcome) -> None:
        assert outcome.unsynced == []
        switch = outcome.steps.index("os.rename CURRENT")
        assert outcome.steps[switch + 1] == "fsync ."

    for work in ("build", "full"):
        require_order(worker.run(copied(change.settings, tmp_path / "copy"), work))
    settings = copied(change.settings, tmp_path / "copy")
    require_order(worker.run(settings, "activate", id_=Generations(settings.index).ids()[-1]))


def test_a_killed_build_makes_the_next_one_embed_nothing_twice(
    worker: Worker, change: Story, tmp_path: Path
) -> None:
    settings = copied(change.settings, tmp_path / "copy")
    steps = worker.run(settings).steps
    settings = copied(change.settings, tmp_path / "copy")
    assert worker.run(settings, at=steps.index("open CURRENT.new")).killed
    embedder = WordEmbedder()
    assert build(settings, embedder, progress=silent).embedded == embedder.encoded == 0
