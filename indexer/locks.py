"""Locks that the system drops when their holder dies, however it dies (flock(2))."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from indexer.errors import IndexBusy

_RETRY = 0.1
"""Seconds between two attempts."""


@contextmanager
def write_lock(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the file ``path``, which then tells by whom it is held.

    ``waiting`` is called again and again until it can be had; what it raises ends the wait.

    Raises:
        IndexBusy: Another process holds it, and it is not waited for; the message names it.
    """
    with path.open("a+", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if waiting is None:
                    file.seek(0)
                    holder = file.read().strip() or "another process"
                    raise IndexBusy(
                        f"{path.parent} is being written by {holder}",
                        hint="Wait until that process has finished.",
                    ) from error
                waiting()
                time.sleep(_RETRY)
        file.truncate(0)
        file.write(f"process {os.getpid()}: {' '.join(sys.argv)}\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def holder(path: Path) -> str | None:
    """Who holds the file ``path``, as :func:`write_lock` has it.

    None where nobody does, or where we are not allowed to know.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            named = file.read().strip()
            if not named:
                return None
            # Asked only where somebody is named, perhaps by a dead process: asking is to hold it
            # for a moment, which another's attempt to write could fall into.
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return named
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    return None


class Hold:
    """A folder held until :meth:`close`: by any number of readers, or by one who removes it.

    Raises FileNotFoundError where it does not exist, BlockingIOError where the others hold it.
    """

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
            fcntl.flock(self._descriptor, how | fcntl.LOCK_NB)
            folder.stat()  # it may have been removed between these two
        except BaseException:
            os.close(self._descriptor)
            raise

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
