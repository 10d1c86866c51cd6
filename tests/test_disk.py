from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from indexer.disk import link_tree, replace, sync_tree


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "CURRENT"
    for text in ("one", "größer"):
        replace(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [path]


def test_a_replacement_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "CURRENT"
    replace(path, "old")

    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        replace(path, "new")
    assert path.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV, errno.EMLINK])
def test_where_links_cannot_be_had_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "file").write_text("content")
    link_tree(source, tmp_path / "linked")
    assert (tmp_path / "linked" / "deep" / "file").samefile(source / "deep" / "file")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "link", refuse)
    link_tree(source, tmp_path / "copied")
    copied = tmp_path / "copied" / "deep" / "file"
    assert copied.read_text() == "content"
    assert not copied.samefile(source / "deep" / "file")


def test_what_is_older_than_a_tree_need_not_be_synced_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "new").mkdir()
    os.link(tmp_path / "old", tmp_path / "new" / "old")
    (tmp_path / "new" / "file").write_text("new")
    synced: list[Path] = []
    monkeypatch.setattr(
        os, "fsync", lambda number: synced.append(Path(f"/proc/self/fd/{number}").readlink())
    )
    sync_tree(tmp_path / "new")
    assert synced == [tmp_path / "new" / "file", tmp_path / "new"]
