from __future__ import annotations

import errno
import fcntl
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.errors import IndexBusy, IndexCorrupt, IndexMissing, IndexNotWritable, NotFound
from indexer.generations import Generations
from indexer.manifest import READABLE, Manifest, SeedRecord, digests


def manifest(id_: str, files: dict[str, str]) -> Manifest:
    return Manifest(
        id=id_,
        parent=None,
        identity={"model": "m", **READABLE},
        settings={"precision": "auto"},
        versions={"python": "3.11"},
        counts={"articles": 1, "paragraphs": 2},
        seeds=(SeedRecord("größe/a.txt", "00", 5),),
        files=files,
    )


def publish(generations: Generations, id_: str) -> Manifest:
    with generations.writing():
        staged = generations.stage(id_)
        (staged / "keyword").mkdir()
        (staged / "keyword" / "words").write_bytes(id_.encode())
        generations.publish(made := manifest(id_, digests(staged)), keep=3)
    return made


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    return Generations(tmp_path / "index")


def test_nothing_is_live_before_the_first_publication(generations: Generations) -> None:
    assert generations.current() is None
    with pytest.raises(IndexMissing):
        generations.live()


def test_a_published_generation_is_live_and_verified(generations: Generations) -> None:
    made = publish(generations, "g1")
    assert generations.current() == "g1"
    assert generations.live() == made
    generations.verify(made)
    assert not (generations.folder / "staging").exists()


def test_a_manifest_survives_its_json() -> None:
    made = manifest("g1", {"a": "b"})
    assert Manifest.from_json(made.to_json()) == made


def test_the_two_before_the_live_one_are_kept(generations: Generations) -> None:
    for number in range(5):
        publish(generations, f"g{number}")
    kept = sorted(path.name for path in (generations.folder / "generations").iterdir())
    assert kept == ["g2", "g3", "g4"]


@pytest.mark.parametrize("harm", ["flip", "delete", "add"])
def test_verification_names_the_file_that_differs(generations: Generations, harm: str) -> None:
    made = publish(generations, "g1")
    words = generations.path("g1") / "keyword" / "words"
    if harm == "flip":
        words.write_bytes(bytes([words.read_bytes()[0] ^ 1]) + words.read_bytes()[1:])
    elif harm == "delete":
        words.unlink()
    else:
        words = words.with_name("more")
        words.touch()
    with pytest.raises(IndexCorrupt, match=words.name):
        generations.verify(made)


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"seeds": []}), "\udcff"])
def test_a_damaged_manifest_is_an_error_that_says_how_to_mend_it(
    generations: Generations, content: str
) -> None:
    publish(generations, "g1")
    path = generations.path("g1") / "manifest.json"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(IndexCorrupt, match=r"manifest\.json") as caught:
        generations.live()
    assert "winnow build" in caught.value.hint


def test_what_a_killed_build_left_behind_is_removed_by_the_next(generations: Generations) -> None:
    leftover = generations.folder / "staging" / "dead" / "half"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    with generations.writing():
        assert list(generations.stage("g1").iterdir()) == []
        assert not leftover.exists()


def test_what_failed_takes_up_no_space(generations: Generations) -> None:
    with pytest.raises(RuntimeError), generations.writing():
        generations.stage("g1").joinpath("half").touch()
        raise RuntimeError
    assert not (generations.folder / "staging").exists()


def test_a_second_writer_is_told_who_the_first_is(generations: Generations) -> None:
    with (
        generations.writing(),
        pytest.raises(IndexBusy, match=r"process \d+"),
        Generations(generations.folder).writing(),
    ):
        pass
    with generations.writing():
        pass


def test_what_is_removed_while_it_is_being_held_is_said_to_be_gone(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(generations, "g1")
    lock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        shutil.rmtree(generations.path("g1"))
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(NotFound, match="g1 has been removed"):
        generations.hold("g1")


def test_a_writer_that_is_killed_leaves_no_lock(generations: Generations) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from indexer.generations import Generations\n"
        "with Generations(Path(sys.argv[1])).writing():\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run([sys.executable, "-c", code, str(generations.folder)], check=False)
    assert died.returncode < 0
    with generations.writing():
        pass


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EROFS])
def test_a_disk_that_refuses_is_one_kind_of_error(
    generations: Generations, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    publish(generations, "g1")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    with (
        pytest.raises(IndexNotWritable, match="cannot be written") as caught,
        generations.writing(),
    ):
        staged = generations.stage("g2")
        monkeypatch.setattr(Path, "rename", refuse)
        generations.publish(manifest("g2", digests(staged)), keep=3)
    assert "--index" in caught.value.hint
    assert generations.current() == "g1"


def test_an_index_folder_that_is_a_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexNotWritable), Generations(tmp_path / "file").writing():
        pass


def test_current_is_switched_only_after_the_generation_is_in_place(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(generations, "g1")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), generations.writing():
        staged = generations.stage("g2")
        made = manifest("g2", digests(staged))
        monkeypatch.setattr(Path, "replace", die)
        generations.publish(made, keep=3)
    assert generations.current() == "g1"
    assert replace(generations.live(), id="g1") == generations.live()
