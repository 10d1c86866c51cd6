"""Acting whenever something below a folder changes, and missing nothing.

Events of the system are only a reason to look. They are lost when too many come at once, they know
nothing of a folder that was filled before it was watched, and they end without a word when the
folder is moved away. So the folders watched are listed here and compared with what is there after
every event, and the watch begins before the look that it is for. Folders are watched one by one
because a recursive watch would follow links, be it to the whole disk.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import watchfiles
from watchfiles.main import FileChange

from indexer.seeds import SETTLE, ignored

_STEP = 50
"""Milliseconds of quiet that end a burst; an event waits for one to two of them."""

_BURST = 250
"""Milliseconds after which a burst that goes on is looked at all the same."""

_TICK = 100
"""Milliseconds between two looks at whether the folder is still the one that is watched."""

_POLL, _POLLS = 5.0, 12
"""Seconds between looks where the system refuses to watch, and how many until it is asked again."""

_REFUSED = (
    "%s cannot be watched and is looked at every %g seconds instead: %s (on Linux, raise "
    "fs.inotify.max_user_watches or fs.inotify.max_user_instances with sysctl)"
)

_LOG = logging.getLogger(__name__)

_Identity = tuple[int, int]
"""Device and inode: what stays the same when a folder is renamed."""


def watch(
    folder: Path,
    act: Callable[[], bool],
    stop: threading.Event,
    *,
    settle: float = SETTLE,
) -> None:
    """Call ``act`` now and after each change below ``folder``, until ``stop`` is set.

    A folder that is missing, unreadable, moved away or replaced is waited for; ``act`` is called
    when it goes and when it comes back. Names that :func:`~indexer.seeds.ignored` passes over are
    no change, unless links may lead to them. Where the system cannot watch, a warning is logged
    and ``act`` is called every few seconds instead.

    Args:
        folder: The folder, or a link to it.
        act: Returns whether it left out files that were still being written; then it is called
            again after ``settle`` seconds, change or no change. What it raises ends the watch.
        stop: Ends the watch within a tenth of a second, though not a call of ``act``.
        settle: Seconds.
    """
    due = math.inf
    for changed in _reasons(folder, stop):
        if not stop.is_set() and (changed or time.monotonic() >= due):
            due = time.monotonic() + settle if act() else math.inf


@dataclass(frozen=True, slots=True)
class _Tree:
    """The folders to watch by their real paths, the top first, each with its identity.

    ``linked`` tells that there are links, which may lead to what is hidden.
    """

    folders: dict[str, _Identity]
    linked: bool

    @property
    def top(self) -> _Identity:
        return next(iter(self.folders.values()))

    def concerned(self, changes: set[FileChange]) -> bool:
        """Whether any of the changes may be to what is watched for."""
        return any(
            self.linked or path in self.folders or not ignored(path.rpartition(os.sep)[2])
            for _, path in changes
        )

    def outlived(self, changes: set[FileChange]) -> bool:
        """Whether a folder was removed; one made in its place often has the same inode."""
        return any(
            change == watchfiles.Change.deleted and path in self.folders for change, path in changes
        )


def _reasons(folder: Path, stop: threading.Event) -> Iterator[bool]:
    """Yield several times a second whether there is a reason to look; at first there is."""
    warned = False
    while not stop.is_set():
        tree = _tree(folder)
        if tree is None:
            yield True
            while _tree(folder) is None and not stop.is_set():
                _rest()
                yield False
            continue
        begun = False
        try:
            for reason in _events(folder, tree, stop):
                begun = True
                yield reason
        except (OSError, RuntimeError, UnicodeError) as error:
            if begun:  # Such as an event about a name that is not valid UTF-8.
                continue
            if isinstance(error, FileNotFoundError):  # One of the folders has just gone.
                yield True
                _rest()
                continue
            if not warned:
                _LOG.warning(_REFUSED, folder, _POLL, error)
                warned = True
            yield from _poll(stop)


def _events(folder: Path, tree: _Tree, stop: threading.Event) -> Iterator[bool]:
    """Yield as :func:`_reasons` does, as long as ``tree`` is what there is to watch."""
    events = watchfiles.watch(
        *tree.folders,
        watch_filter=None,  # Else nothing is heard while only what is filtered out changes.
        debounce=_BURST,
        step=_STEP,
        stop_event=stop,
        rust_timeout=_TICK,
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=False,
    )
    first = True
    with closing(events):
        for changes in events:
            concerned = tree.concerned(changes)
            if first:  # Not put off by folders that come and go without end.
                yield True
            stale = (
                _identity(folder) != tree.top
                or tree.outlived(changes)
                or ((first or concerned) and _tree(folder) != tree)
            )
            if stale:  # What is new is watched before it is looked at.
                return
            if not first:
                yield concerned
            first = False


def _poll(stop: threading.Event) -> Iterator[bool]:
    """Yield every few seconds that there is a reason, for a minute or until ``stop`` is set."""
    for _ in range(_POLLS):
        yield True
        until = time.monotonic() + _POLL
        while time.monotonic() < until and not stop.is_set():
            _rest()
            yield False


def _rest() -> None:
    # Not by stop.wait: it locks the event, which a signal's handler may have to set meanwhile.
    time.sleep(_TICK / 1000)


def _tree(folder: Path, *, hidden: bool = False) -> _Tree | None:
    """What there is to watch, of what is hidden only if asked; None where nothing can be read."""
    folders: dict[str, _Identity] = {}
    linked = False
    try:
        pending = [os.path.realpath(folder, strict=True)]
    except OSError:
        return None
    while pending:
        path = pending.pop()
        try:
            with os.scandir(path) as entries:
                shown = [entry for entry in entries if hidden or not ignored(entry.name)]
            identity = _identity(path)
            below = [e.path for e in shown if e.is_dir(follow_symlinks=False) and _utf8(e.name)]
            linked = linked or any(entry.is_symlink() for entry in shown)
        except OSError:  # Gone, or not readable: its parent is told when it can be read again.
            continue
        if identity is not None:
            folders[path] = identity
            pending += below
    if linked and not hidden:
        return _tree(folder, hidden=True)
    return _Tree(folders, linked) if folders else None


def _identity(path: str | Path) -> _Identity | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _utf8(name: str) -> bool:
    """Whether the name can be passed on; files below any other are no seeds."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
