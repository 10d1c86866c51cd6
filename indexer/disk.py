"""Putting files on disk so that a crash leaves the old or the new, and carrying them over."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

_UNLINKABLE = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS}
"""What systems say that have no hard links, or have no more for this file; see link(2)."""


def replace(path: Path, text: str, *, mode: int | None = None) -> None:
    """Give ``path`` new content so that a crash leaves the old or the new, never a part.

    Where ``mode`` is given, nobody whom it shuts out can read the text at any moment.
    """
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        if mode is not None:
            os.chmod(file.fileno(), mode)  # noqa: PTH101 - a Path cannot be of an open file
        file.write(text)
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or what is named in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """:func:`sync` for ``folder`` and all below it but files that are older links."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.stat().st_nlink == 1:
            sync(path)
    sync(folder)


def link_tree(source: Path, target: Path) -> None:
    """Make the files below ``source`` appear below ``target``, without copying where it can be."""
    shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _UNLINKABLE:
            raise
        shutil.copyfile(source, target)
