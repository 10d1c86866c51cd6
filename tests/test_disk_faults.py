from __future__ import annotations

import errno
import os
import random
import re
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEmbedder, silent, write_article
from histories import Content, Results, built_anew, copied, prepare, results, served, text
from killed import Outcome, Worker

from indexer.build import build
from indexer.cache import CachedEmbedder
from indexer.errors import IndexCorrupt
from indexer.generations import Generations
from indexer.settings import Settings
from indexer.vectors import VectorWriter
from service.library import Library

_NUMBERS = (errno.ENOSPC, errno.EROFS, errno.EACCES)

_HOUSEKEEPING = "shutil.rmtree staging"
"""From here on a build only clears up behind itself, and what is left the next one removes."""

_SPARED = re.compile("os.(remove|rmdir) staging/[^/]+/keyword/.*")


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


class Story:
    """An index folder, and what it must hold before and after the next build."""

    def __init__(self, folder: Path) -> None:
        self.settings = prepare(folder / "base")
        self.live, self.old, _ = served(self.settings)
        elsewhere = built_anew(self.settings, folder / "full")
        self.new: Content = served(elsewhere)[1]
        self.expected: Results = results(elsewhere)

    def require_next_build(self, settings: Settings, where: str) -> None:
        build(settings, WordEmbedder(), progress=silent)
        generations = Generations(settings.index)
        generations.verify(generations.live())
        assert served(settings)[1:] == (self.new, ()), where
        assert results(settings) == self.expected, where
        assert generations.failure() is None, where
        assert not (settings.index / "staging").exists(), where


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("story"))


def require_told(outcome: Outcome, reason: str, where: str) -> None:
    assert not outcome.killed, where
    assert outcome.error is not None, where
    kind, message, hint = outcome.error
    assert kind == "IndexNotWritable", f"{where}: {outcome.error}"
    assert reason in message, f"{where}: {outcome.error}"
    assert "--index" in hint, where


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
def test_a_disk_that_refuses_any_step_is_told_and_harms_nothing(
    worker: Worker, story: Story, tmp_path: Path, lasting: bool
) -> None:
    # That an error is to come changes which steps there are, so it comes after the last.
    steps = worker.run(copied(story.settings, tmp_path / "copy"), error=1, at=9999).steps
    switch = steps.index("os.rename CURRENT")
    housekeeping = len(steps) - 1 - steps[::-1].index(_HOUSEKEEPING)
    for at in range(0, len(steps), 3 if lasting else 1):
        step = steps[at]
        number = _NUMBERS[at % len(_NUMBERS)]
        where = f"{os.strerror(number)} at step {at}, {step}"
        settings = copied(story.settings, tmp_path / "copy")
        outcome = worker.run(settings, at=at, error=number, lasting=lasting)
        # Whoosh leaves behind what it cannot remove, and the next commit removes it.
        if at < housekeeping and not (outcome.error is None and _SPARED.fullmatch(step)):
            require_told(outcome, os.strerror(number), where)
        id_, content, degraded = served(settings)
        if at <= switch and outcome.error is not None:
            assert (id_, content, degraded) == (story.live, story.old, ()), where
        else:
            assert (content, degraded) == (story.new, ()), where
        Generations(settings.index).verify(Generations(settings.index).live())
        story.require_next_build(settings, where)


def test_no_file_may_grow_so_no_generation_is_published_in_part(
    worker: Worker, story: Story, tmp_path: Path
) -> None:
    sizes = [0, 1, 24, 300, 700, 1500, 3000, 4096, 5000, *range(8000, 60_000, 8000)]
    outcomes = []
    for work in ("build", "full"):
        for size in sizes:
            settings = copied(story.settings, tmp_path / "copy")
            outcome = worker.run(settings, work, largest=size)
            where = f"{work}, no file larger than {size}"
            outcomes.append(outcome.error is None)
            if outcome.error is not None:
                require_told(outcome, "", where)
                assert served(settings) == (story.live, story.old, ()), where
            story.require_next_build(settings, where)
    assert True in outcomes
    assert outcomes.count(False) > len(sizes)


@pytest.mark.parametrize("rows", [1, 30, 3000])
def test_vectors_that_do_not_fit_are_an_error(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "vectors.faiss"
    vectors = WordEmbedder().encode([text(number) for number in range(rows)])

    def save() -> None:
        with closing(VectorWriter(path, vectors.shape[1])) as writer:
            writer.add(np.arange(rows), vectors)
            writer.save()

    save()
    size = path.stat().st_size
    path.unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 10, size // 3, size // 2, size - 100, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(OSError, match="File too large"):
                save()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            path.unlink(missing_ok=True)


def private(script: str, folder: Path) -> list[str]:
    """A prefix to a command: ``script`` is run before it, and what that mounts nobody else sees.

    Skips the test where that is not allowed.
    """
    prefix = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid():
        prefix.insert(1, "--map-root-user")
    prefix += ["sh", "-ec", f'{script}; exec "$@"', folder]
    if (
        not shutil.which("unshare")
        or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this system lets nobody mount a file system of their own")
    return prefix


def test_a_full_disk_is_told_and_harms_nothing(story: Story, tmp_path: Path) -> None:
    outcomes = []
    with Worker(private('mount -t tmpfs -o size=2m tmpfs "$0"', tmp_path)) as worker:
        inside = Path(f"/proc/{worker.pid}/root{tmp_path}")
        for left in range(0, 280, 10):
            settings = copied(story.settings, inside / "copy")
            disk = os.statvfs(inside)
            filler = inside / "filler"
            filler.write_bytes(bytes(max(disk.f_bavail * disk.f_frsize - left * 1024, 0)))
            outcome = worker.run(placed(settings, tmp_path / "copy"))
            where = f"{left} KiB left"
            outcomes.append(outcome.error is None)
            outside = copied(settings, tmp_path / "outside")
            if outcome.error is not None:
                require_told(outcome, "", where)
                assert served(outside) == (story.live, story.old, ()), where
            filler.unlink()
            story.require_next_build(outside, where)
    assert outcomes == sorted(outcomes)
    assert not outcomes[0]
    assert outcomes[-1]


def placed(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"seeds": folder / "seeds", "index": folder / "index"})


@pytest.mark.parametrize("work", ["build", "activate", "prune"])
def test_a_read_only_disk_is_told_and_harms_nothing(
    story: Story, tmp_path: Path, work: str
) -> None:
    settings = copied(story.settings, tmp_path / "copy")
    mount = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"'
    with Worker(private(mount, settings.index)) as worker:
        require_told(worker.run(settings, work, id_=story.live), "Read-only file system", work)
    assert served(settings) == (story.live, story.old, ())
    story.require_next_build(settings, work)


# Damage to a generation


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def flip(path: Path, position: int, mask: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= mask
    path.write_bytes(data)


def harms(path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Ways to damage a file."""
    size = path.stat().st_size
    for position in sorted({0, size // 5, size // 2, size - 2, size - 1}):
        yield f"byte {position} flipped", lambda p=position: flip(path, p)  # type: ignore[misc]
    yield "cut in half", lambda: os.truncate(path, size // 2)
    yield "without its last byte", lambda: os.truncate(path, size - 1)
    yield "emptied", lambda: os.truncate(path, 0)
    yield "a byte longer", lambda: path.write_bytes(path.read_bytes() + b"\n")
    yield "missing", path.unlink


@pytest.fixture(scope="module")
def only(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An index of one generation."""
    folder = tmp_path_factory.mktemp("only")
    settings = Settings(seeds=folder / "seeds", index=folder / "index")
    for number in range(4):
        write_article(settings.seeds, f"{number}.txt", text(number), text(number + 1000))
    build(settings, WordEmbedder(), progress=silent)
    return settings


def damages(settings: Settings, folder: Path) -> Iterator[tuple[str, Settings]]:
    """Copies of ``settings`` with a file of the live generation damaged, each file in each way."""
    place = Path("generations") / (Generations(settings.index).current() or "")
    for name in files(settings.index / place):
        for number in range(10):
            copy = copied(settings, folder)
            damaged = list(harms(copy.index / place / name))
            if number < len(damaged):
                damaged[number][1]()
                yield f"{name} {damaged[number][0]}", copy


def test_a_damaged_file_is_never_served_and_an_older_generation_is(
    story: Story, tmp_path: Path
) -> None:
    older = Generations(story.settings.index).ids()[1]
    seen = set()
    for harm, settings in damages(story.settings, tmp_path / "copy"):
        id_, _, degraded = served(settings)
        assert id_ == older, harm
        assert len(degraded) == 1, harm
        assert harm.split()[0] in degraded[0] or "names no generation" in degraded[0], harm
        seen.add(harm.split()[0].split("/")[0])
    assert seen == {
        *("articles.sqlite", "keyword", "manifest.json", "report.json", "sentences"),
        "vectors.faiss",
    }


def test_a_damaged_only_generation_is_an_error_that_says_how_to_mend_it(
    only: Settings, tmp_path: Path
) -> None:
    for harm, settings in damages(only, tmp_path / "copy"):
        library = Library(settings, WordEmbedder())
        with closing(library), pytest.raises(IndexCorrupt) as caught, library.borrow():
            pytest.fail(f"served: {harm}")
        assert "winnow build" in caught.value.hint, harm


def test_a_byte_flipped_anywhere_in_a_manifest_is_noticed(only: Settings, tmp_path: Path) -> None:
    settings = copied(only, tmp_path / "copy")
    generations = Generations(settings.index)
    path = generations.path(generations.current() or "") / "manifest.json"
    whole = path.read_bytes()
    for position in range(len(whole)):
        # 7 makes a newline a carriage return.
        flip(path, position, 7 if whole[position] == 10 else 1 << position % 8)
        with pytest.raises(IndexCorrupt, match=r"manifest\.json"):
            generations.live()
        path.write_bytes(whole)


def test_whatever_current_holds_only_a_sound_generation_is_served(
    story: Story, tmp_path: Path
) -> None:
    whole = (story.settings.index / "CURRENT").read_bytes()
    cases = [whole[:length] for length in range(len(whole))]
    cases += [b".\n", b"..\n", b"../x\n", b"\x00\n", b"a\x00\n", b"x" * 5000, whole + whole]
    for position in range(len(whole)):
        for mask in (1, 8, 32, 128):
            flipped = bytearray(whole)
            flipped[position] ^= mask
            cases.append(bytes(flipped))
    settings = copied(story.settings, tmp_path / "copy")
    for case in cases:
        (settings.index / "CURRENT").write_bytes(case)
        id_, _, degraded = served(settings)
        assert id_ == story.live, case
        assert case.strip() == whole.strip() or "CURRENT" in "".join(degraded), case
    (settings.index / "CURRENT").unlink()
    id_, _, degraded = served(settings)
    assert id_ == story.live
    assert "CURRENT is missing" in "".join(degraded)


def test_the_next_build_heals_a_damaged_generation_and_says_so(
    story: Story, tmp_path: Path
) -> None:
    seen: set[str] = set()
    for harm, settings in damages(story.settings, tmp_path / "copy"):
        name, _, way = harm.partition(" ")
        if name in seen and way not in ("missing", "emptied"):
            continue
        seen.add(name)
        report = build(settings, WordEmbedder(), progress=silent)
        assert any("built anew" in notice.reason for notice in report.notices), harm
        assert served(settings)[1:] == (story.new, ()), harm
        assert results(settings) == story.expected, harm


@pytest.mark.parametrize("harm", [b"", b"rubbish\n", b"\xff", None])
def test_the_next_build_heals_what_current_says_and_says_so(
    story: Story, tmp_path: Path, harm: bytes | None
) -> None:
    settings = copied(story.settings, tmp_path / "copy")
    if harm is None:
        (settings.index / "CURRENT").unlink()
    else:
        (settings.index / "CURRENT").write_bytes(harm)
    report = build(settings, WordEmbedder(), progress=silent)
    assert any("CURRENT" in notice.reason for notice in report.notices)
    assert served(settings)[1:] == (story.new, ())
    assert results(settings) == story.expected


# Damage to the cache


def cache_of(settings: Settings) -> Path:
    return Generations(settings.index).cache


def test_a_byte_flipped_in_the_cache_never_reaches_a_vector_nor_fails(
    story: Story, tmp_path: Path
) -> None:
    whole = cache_of(story.settings).read_bytes()
    texts = [text(number).split(". ")[0] + "." for number in range(8)]
    expected = WordEmbedder().encode(texts).astype(np.float16)
    chance = random.Random(11)  # noqa: S311 - chosen to be the same every time
    positions = {*range(120), *chance.sample(range(len(whole)), 1200)}
    path = tmp_path / "cache" / "embeddings.sqlite"
    for position in sorted(positions):
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        path.write_bytes(whole)
        flip(path, position, 1 << chance.randrange(8))
        with CachedEmbedder(WordEmbedder(), path) as cached:
            for _ in range(2):
                assert np.array_equal(cached.encode(texts), expected), position
            cached.keep(["new"], cached.encode(["newer"]))
            cached.trim(1000)


@pytest.mark.parametrize("harm", ["rubbish", "empty", "half", "another database"])
def test_rubbish_for_a_cache_never_fails_a_build(story: Story, tmp_path: Path, harm: str) -> None:
    settings = copied(story.settings, tmp_path / "copy")
    path = cache_of(settings)
    if harm == "half":
        os.truncate(path, path.stat().st_size // 2)
    elif harm == "another database":
        path.unlink()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE vectors (a, b)")
    else:
        path.write_bytes(b"rubbish" * 1000 if harm == "rubbish" else b"")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).write_bytes(b"more rubbish" * 1000)
    report = build(settings, WordEmbedder(), progress=silent)
    assert served(settings)[1] == story.new
    assert results(settings) == story.expected
    # An empty file is a new cache.
    assert harm == "empty" or any(str(path) == notice.file for notice in report.notices)


def test_vectors_in_an_index_are_those_computed_whatever_the_cache_holds(
    story: Story, tmp_path: Path
) -> None:
    size = cache_of(story.settings).stat().st_size
    chance = random.Random(13)  # noqa: S311 - chosen to be the same every time
    for _ in range(25):
        settings = copied(story.settings, tmp_path / "copy")
        for _ in range(5):
            flip(cache_of(settings), chance.randrange(size), 1 << chance.randrange(8))
        build(settings, WordEmbedder(), full=True, progress=silent)
        assert results(settings) == story.expected
