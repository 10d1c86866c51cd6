from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import IndexBusy
from indexer.locks import Hold, write_lock


def test_a_folder_is_held_by_many_readers_or_by_one_who_removes_it(tmp_path: Path) -> None:
    with Hold(tmp_path), Hold(tmp_path), pytest.raises(BlockingIOError):
        Hold(tmp_path, alone=True)
    with Hold(tmp_path, alone=True), pytest.raises(BlockingIOError):
        Hold(tmp_path)
    with pytest.raises(FileNotFoundError):
        Hold(tmp_path / "gone")


def test_a_lock_is_waited_for_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "write.lock"
    other = write_lock(path)
    other.__enter__()
    waits: list[int] = []

    def waiting() -> None:
        waits.append(1)
        if len(waits) == 2:
            other.__exit__(None, None, None)

    with write_lock(path, waiting), pytest.raises(IndexBusy), write_lock(path):
        pass
    assert len(waits) == 2


def test_what_is_raised_while_waiting_ends_the_wait(tmp_path: Path) -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    path = tmp_path / "write.lock"
    with write_lock(path), pytest.raises(KeyboardInterrupt), write_lock(path, give_up):
        pass
    with write_lock(path):
        assert path.read_text().startswith("process ")
    assert path.read_text() == ""
