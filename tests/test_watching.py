from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
import watchfiles
from fakes import write_article

from indexer import watching
from indexer.errors import SeedsError
from indexer.seeds import SETTLE, SeedFile, list_seeds, settled
from indexer.watching import watch

DEADLINE = 20.0
"""Seconds until a test gives up: far more than anything here takes."""


class Looks:
    """``watch`` in a thread, and what each of its looks found, None where the folder was gone."""

    def __init__(self, folder: Path, *, settle: float = 0.0) -> None:
        self.folder = folder
        self.settle = settle
        self.found: list[tuple[SeedFile, ...] | None] = []
        self.stop = threading.Event()
        self._looked = threading.Condition()
        self._thread = threading.Thread(
            target=watch, args=(folder, self._act, self.stop), kwargs={"settle": settle}
        )

    def _act(self) -> bool:
        now = time.time()
        try:
            found = list_seeds(self.folder).files
        except SeedsError:
            found = None
        with self._looked:
            self.found.append(found)
            self._looked.notify_all()
        return not all(settled(seed, now, self.settle) for seed in found or ())

    def __enter__(self) -> Self:
        self._thread.start()
        return self.until(lambda: bool(self.found))

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        began = time.monotonic()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        assert time.monotonic() - began < 0.5

    def until(self, condition: Callable[[], bool], seconds: float = DEADLINE) -> Self:
        with self._looked:
            assert self._looked.wait_for(condition, seconds), self.found[-1:]
        return self

    def until_seen(self, *paths: Path) -> Self:
        """Wait for a look that finds ``paths`` as they are now."""
        wanted = {(path.stat().st_size, path.stat().st_ctime_ns) for path in paths}
        return self.until(
            lambda: wanted <= {(seed.size, seed.ctime_ns) for seed in self.found[-1] or ()}
        )

    def until_gone(self) -> Self:
        return self.until(lambda: self.found[-1] is None)

    def idle(self, seconds: float = 0.5) -> bool:
        """Whether no look comes any more."""
        with self._looked:
            count = len(self.found)
            return not self._looked.wait_for(lambda: len(self.found) > count, seconds)

    def until_idle(self) -> Self:
        until = time.monotonic() + DEADLINE
        while not self.idle():
            assert time.monotonic() < until
        return self


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    folder = tmp_path / "parent" / "seeds"
    folder.mkdir(parents=True)
    return folder


# What is a change.


def test_every_kind_of_change_is_acted_upon_soon(seeds: Path) -> None:
    with Looks(seeds) as looks:
        path = write_article(seeds, "a.txt", "One.")
        began = time.monotonic()
        looks.until_seen(path)
        assert time.monotonic() - began < 1.0  # 0.1 on a machine that has nothing else to do
        write_article(seeds, "a.txt", "Another.")
        looks.until_seen(path)
        looks.until_seen(path.rename(seeds / "b.txt"))
        os.utime(seeds / "b.txt", (1e9, 1e9))
        looks.until_seen(seeds / "b.txt")
        (seeds / "b.txt").unlink()
        looks.until(lambda: looks.found[-1] == ())


def test_a_folder_that_is_made_and_filled_at_once_is_seen_and_watched(seeds: Path) -> None:
    with Looks(seeds) as looks:
        deep = seeds / "node_modules" / "b" / "c"  # Not passed over, as it may be elsewhere.
        looks.until_seen(write_article(deep, "a.txt", "One."))
        looks.until_seen(write_article(deep, "b.txt", "Two."))
        shutil.copytree(seeds / "node_modules", seeds / "copy")
        looks.until_seen(seeds / "copy" / "b" / "c" / "b.txt")
        (seeds / "copy").rename(seeds / "moved")
        looks.until_seen(write_article(seeds / "moved" / "b", "c.txt", "Three."))


def test_a_folder_made_anew_in_the_place_of_another_is_watched(seeds: Path) -> None:
    write_article(seeds / "a", "a.txt", "One.")
    with Looks(seeds) as looks:
        for _ in range(5):
            shutil.rmtree(seeds / "a")
            looks.until_seen(write_article(seeds / "a", "a.txt", "One."))
            looks.until_seen(write_article(seeds / "a", "b.txt", "Two."))


def test_a_folder_made_just_before_the_watch_begins_is_watched(
    seeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = watchfiles.watch

    def begin_late(*paths: str, **options: Any) -> Iterator[set[Any]]:
        (seeds / "late").mkdir(exist_ok=True)
        return begin(*paths, **options)

    monkeypatch.setattr(watchfiles, "watch", begin_late)
    with Looks(seeds) as looks:
        looks.until_seen(write_article(seeds / "late", "a.txt", "One."))


def test_a_change_while_it_acts_leads_to_another_call(seeds: Path) -> None:
    calls: list[int] = []
    acting, go_on, twice, stop = (threading.Event() for _ in range(4))

    def act() -> bool:
        calls.append(len(list_seeds(seeds).files))
        acting.set()
        if len(calls) > 1:
            twice.set()
        assert go_on.wait(DEADLINE)
        return False

    thread = threading.Thread(target=watch, args=(seeds, act, stop))
    thread.start()
    assert acting.wait(DEADLINE)
    write_article(seeds, "a.txt", "One.")
    go_on.set()
    assert twice.wait(DEADLINE)
    stop.set()
    thread.join(DEADLINE)
    assert calls[:2] == [0, 1]


@pytest.mark.parametrize("name", [".hidden.txt", ".git/config.txt", "a.txt~", "a.part", ".a.swp"])
def test_what_is_passed_over_is_no_reason_to_act(seeds: Path, name: str) -> None:
    write_article(seeds, name, "One.")
    with Looks(seeds) as looks:
        for text in ("Two.", "Three."):
            write_article(seeds, name, text)
            assert looks.idle()
        looks.until_seen(write_article(seeds, "a.txt", "Four."))


def test_a_link_to_something_hidden_is_followed_to_its_changes(seeds: Path) -> None:
    hidden = write_article(seeds / ".data", "a.txt", "One.")
    (seeds / "a.txt").symlink_to(hidden)
    with Looks(seeds) as looks:
        looks.until_seen(write_article(seeds / ".data", "a.txt", "Another."))


def test_a_link_to_a_folder_elsewhere_is_not_watched(seeds: Path, tmp_path: Path) -> None:
    write_article(tmp_path / "elsewhere" / "below", "a.txt", "One.")
    (seeds / "link").symlink_to(tmp_path / "elsewhere")
    (seeds / "circle").symlink_to(seeds)
    with Looks(seeds) as looks:
        write_article(tmp_path / "elsewhere" / "below", "b.txt", "Two.")
        assert looks.idle()
        looks.until_seen(write_article(seeds, "c.txt", "Three."))


def test_names_that_are_not_utf8_do_not_end_the_watch(
    seeds: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Looks(seeds) as looks:
        Path(os.fsdecode(os.fsencode(seeds) + b"/caf\xe9.txt")).write_text("One.")
        Path(os.fsdecode(os.fsencode(seeds) + b"/caf\xe9")).mkdir()
        looks.until_seen(write_article(seeds, "a.txt", "Two."))
        looks.until_idle()
        looks.until_seen(write_article(seeds, "b.txt", "Three."))
    assert not caplog.messages


def test_a_burst_of_files_leads_to_few_calls(seeds: Path) -> None:
    with Looks(seeds) as looks:
        began = time.monotonic()
        for number in range(2000):
            (seeds / f"{number}.txt").write_text("One.")
        quarters = (time.monotonic() - began) / 0.25
        looks.until(lambda: len(looks.found[-1] or ()) == 2000).until_idle()
        assert len(looks.found) <= 4 + quarters


@pytest.mark.parametrize("seed", range(2))
def test_no_change_is_lost_in_a_storm_of_them(seeds: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a storm, no secret
    with Looks(seeds) as looks:
        for number in range(400):
            folders = [seeds, *(path for path in seeds.rglob("*") if path.is_dir())]
            folder, other = chance.choice(folders), chance.choice(folders)
            deed = chance.random()
            if deed < 0.5:
                write_article(folder, f"{chance.randrange(20)}.txt", "x" * number)
            elif deed < 0.8 or folder == seeds:
                write_article(folder / f"{number}" / "a" / "b", "a.txt", "One.")
            elif deed < 0.9 and not other.is_relative_to(folder):
                folder.rename(other / f"moved{number}")
            else:
                shutil.rmtree(folder)
        truth = list_seeds(seeds).files
        looks.until(lambda: looks.found[-1] == truth)
        for folder in [seeds, *(path for path in seeds.rglob("*") if path.is_dir())][:20]:
            looks.until_seen(write_article(folder, "last.txt", "Every folder is watched."))


# The folder itself.


def test_a_missing_folder_is_waited_for(seeds: Path) -> None:
    shutil.rmtree(seeds.parent)
    with Looks(seeds) as looks:
        assert looks.found == [None]
        assert looks.idle()
        looks.until_seen(write_article(seeds, "a.txt", "One."))
        looks.until_seen(write_article(seeds, "b.txt", "Two."))


def test_a_folder_that_vanishes_and_comes_back_is_watched_again(seeds: Path) -> None:
    with Looks(seeds) as looks:
        for _ in range(3):
            shutil.rmtree(seeds)
            looks.until_gone()
            seeds.mkdir()
            looks.until_seen(write_article(seeds, "a.txt", "One."))
            looks.until_seen(write_article(seeds, "b.txt", "Two."))


def test_a_folder_removed_and_made_again_at_once_is_watched_again(seeds: Path) -> None:
    with Looks(seeds) as looks:
        for number in range(5):
            shutil.rmtree(seeds)  # Its inode often goes to the next folder.
            looks.until_seen(write_article(seeds, f"{number}.txt", "One."))
            looks.until_seen(write_article(seeds, "b.txt", "Two."))


def replace(seeds: Path) -> None:
    write_article(seeds.with_name("other"), "other.txt", "Another.")
    seeds.rename(seeds.with_name("old"))
    seeds.with_name("other").rename(seeds)


def replace_parent(seeds: Path) -> None:
    parent = seeds.parent
    parent.rename(parent.with_name("old"))
    write_article(parent.with_name("other") / seeds.name, "other.txt", "Another.")
    parent.with_name("other").rename(parent)


@pytest.mark.parametrize("swap", [replace, replace_parent])
def test_a_folder_replaced_by_another_is_noticed_without_an_event_in_it(
    seeds: Path, swap: Callable[[Path], None]
) -> None:
    write_article(seeds, "a.txt", "One.")
    with Looks(seeds) as looks:
        swap(seeds)
        looks.until_seen(seeds / "other.txt")
        looks.until_seen(write_article(seeds, "b.txt", "Two."))


def test_a_parent_renamed_away_and_back_is_survived(seeds: Path) -> None:
    path = write_article(seeds, "a.txt", "One.")
    away = seeds.parent.with_name("away")
    with Looks(seeds) as looks:
        seeds.parent.rename(away)
        looks.until_gone()
        away.rename(seeds.parent)
        looks.until_seen(path)
        looks.until_seen(write_article(seeds, "b.txt", "Two."))


def test_a_link_to_the_folder_is_followed_also_when_it_is_set_anew(
    seeds: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(seeds)
    with Looks(link) as looks:
        looks.until_seen(write_article(seeds, "a.txt", "One."))
        other = write_article(tmp_path / "other", "b.txt", "Two.")
        (tmp_path / "next").symlink_to(other.parent)
        (tmp_path / "next").rename(link)
        looks.until_seen(other)
        looks.until_seen(write_article(other.parent, "c.txt", "Three."))


@contextmanager
def locked(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make ``folder`` unreadable, to the superuser as well; its events are those of chmod."""
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    with patch.context() as patched:
        patched.setattr(os, "scandir", refuse)
        folder.chmod(0)
        yield
    folder.chmod(0o755)


@pytest.mark.parametrize("below", ["", "locked"])
def test_an_unreadable_folder_is_waited_for(
    seeds: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    path = write_article(seeds / below, "a.txt", "One.")
    with Looks(seeds) as looks:
        looks.until_seen(path)
        with locked(seeds / below, monkeypatch):
            looks.until(lambda: not looks.found[-1])
            assert looks.idle()
        looks.until_seen(path)
        looks.until_seen(write_article(seeds / below, "b.txt", "Two."))


def test_where_the_system_refuses_to_watch_it_says_so_and_looks_every_few_seconds(
    seeds: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> Iterator[set[Any]]:
        raise OSError("OS file watch limit reached.")

    willing = watchfiles.watch
    monkeypatch.setattr(watching, "_POLL", 0.2)
    monkeypatch.setattr(watching, "_POLLS", 2)
    monkeypatch.setattr(watchfiles, "watch", refuse)
    with Looks(seeds) as looks:
        looks.until_seen(write_article(seeds, "a.txt", "One."))
        looks.until(lambda: len(looks.found) > 5)
        assert len(caplog.messages) == 1
        assert f"{seeds} cannot be watched" in caplog.text
        assert "OS file watch limit reached" in caplog.text
        assert "fs.inotify.max_user_watches" in caplog.text
        monkeypatch.setattr(watchfiles, "watch", willing)
        looks.until_idle().until_seen(write_article(seeds, "b.txt", "Two."))


# Time.


def test_what_is_unsettled_is_looked_at_again_without_a_change(seeds: Path) -> None:
    with Looks(seeds, settle=0.6) as looks:
        path = write_article(seeds, "a.txt", "One.")
        looks.until_seen(path)
        first = len(looks.found)
        looks.until(lambda: len(looks.found) > first).until_idle()
        assert time.time() - path.stat().st_mtime >= 0.6
        assert looks.idle(1.0)


def test_a_file_written_in_small_pieces_is_never_taken_for_settled(seeds: Path) -> None:
    taken: list[int] = []
    done, stop = threading.Event(), threading.Event()
    pieces = [b"A piece of it.\n"] * 100

    def act() -> bool:
        (seed,) = list_seeds(seeds).files
        if ready := settled(seed, time.time(), SETTLE):
            taken.append(seed.size)
            done.set()
        return not ready

    with (seeds / "a.txt").open("wb", buffering=0) as stream:
        thread = threading.Thread(target=watch, args=(seeds, act, stop))
        thread.start()
        for piece in pieces:
            stream.write(piece)
            time.sleep(0.02)
    assert done.wait(DEADLINE)
    stop.set()
    thread.join(DEADLINE)
    assert set(taken) == {sum(map(len, pieces))}


def test_nothing_is_done_while_nothing_changes(seeds: Path) -> None:
    for number in range(20):
        write_article(seeds / f"{number}", "a.txt", "One.")
    with Looks(seeds) as looks:
        used = time.process_time()
        assert looks.idle(2.0)
        assert time.process_time() - used < 0.1


def test_it_stops_at_once_also_while_it_waits_for_a_folder(seeds: Path) -> None:
    for folder in (seeds, seeds / "missing"):
        with Looks(folder):
            pass  # Looks.__exit__ measures it.


def test_a_stop_before_the_start_leads_to_no_call(seeds: Path) -> None:
    stop = threading.Event()
    stop.set()
    watch(seeds, lambda: pytest.fail("called"), stop)


def test_an_error_of_what_is_called_ends_the_watch(seeds: Path) -> None:
    def fail() -> bool:
        raise OSError("a bug")

    with pytest.raises(OSError, match="a bug"):
        watch(seeds, fail, threading.Event())
