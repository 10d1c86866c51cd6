"""Reading the seeds folder: which files there are, and the articles in each.

Other people's folders hold everything: links in circles, pipes that never end, half-written files,
gigabytes on one line. Each file therefore ends in articles or in a reason why not, memory does not
grow with a file of many records, and nothing but a regular file is ever opened.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, TypeAlias

from indexer.articles import Notice, Unusable, from_record, from_text
from indexer.decoding import Undecodable, binary_kind, decode, mark_of
from indexer.errors import SeedsError
from indexer.types import Article, Skipped

_MIB = 2**20
TEXT_LIMIT = 16 * _MIB
"""Bytes that an article may have, a file or a line of a bulk file."""
BULK_LIMIT = 4096 * _MIB
"""Bytes that a bulk file may have."""
SETTLE = 1.0
"""Seconds of rest after which a file counts as finished: longer than the pauses of a program that
writes it, or of a network that it comes by, and short enough to wait for."""

_LEFTOVERS = ("~", ".swp", ".tmp", ".part")
_BULK = ".jsonl"

Item: TypeAlias = Article | Skipped | Notice


@dataclass(frozen=True, slots=True)
class SeedFile:
    """A file of the seeds: ``name`` is its path below the folder, with ``/`` on every system.

    ``size`` in bytes, ``mtime_ns``, the time of its last write, and ``ctime_ns``, that of its last
    change of any kind, are those of the listing.
    """

    name: str
    path: Path
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in the seeds folder, by name: files to read, and what cannot be one, with reasons."""

    files: tuple[SeedFile, ...]
    skipped: tuple[Skipped, ...]


def list_seeds(seeds_dir: Path) -> Listing:
    """List ``seeds_dir`` in any depth.

    Hidden entries and what editors and downloads leave behind (``~``, ``.swp``, ``.tmp``,
    ``.part``) are ignored. A link to a file is followed if that file is in the folder as well;
    a link to a folder never is, because its files would be there twice, or without end.

    Raises:
        SeedsError: ``seeds_dir`` does not exist, is no folder or cannot be read.
    """
    try:
        root = Path(os.path.realpath(seeds_dir, strict=True))
        pending = [("", _entries(root))]
    except OSError as error:
        raise SeedsError(
            f"the seeds folder {seeds_dir} {_reason(error)}",
            hint="Create it and put articles there, or name another folder with --seeds.",
        ) from error
    files: list[SeedFile] = []
    skipped: list[Skipped] = []
    while pending:
        prefix, entries = pending.pop()
        for entry in entries:
            if ignored(entry.name):
                continue
            name = prefix + entry.name
            try:
                _check_name(name)
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{name}/", _entries(entry.path)))
                else:
                    files.append(_seed_file(name, entry, root))
            except (OSError, Unusable) as error:
                printable = os.fsencode(name).decode("utf-8", "backslashreplace")
                skipped.append(Skipped(printable, None, _reason(error)))
    return Listing(
        tuple(sorted(files, key=lambda file: file.name)),
        tuple(sorted(skipped, key=lambda item: item.file)),
    )


def ignored(name: str) -> bool:
    """Whether a file or folder of this name is passed over without a word."""
    return name.startswith(".") or name.lower().endswith(_LEFTOVERS)


def settled(seed: SeedFile, now: float, settle: float) -> bool:
    """Whether the file seems complete and may be read.

    A write sets both times of a file to the same moment, so while they are equal and recent,
    another write may follow. They differ once something else was done to it after its last write:
    it was renamed into place, which moves the change time alone, or stamped with another time,
    which ``cp -p``, rsync, tar and wget do when they have finished.

    The file itself thus tells all that is needed, and no event has to: events can be missed, and
    there are none for what happened before the program was started. What no time shows is a writer
    that pauses for longer than ``settle``; its next write makes the file unsettled again.

    Args:
        seed: The file, freshly listed.
        now: The time of the listing, in seconds since 1970.
        settle: Seconds that the last write must be away. In either direction, because the clock of
            a file server may be ahead.
    """
    return seed.ctime_ns != seed.mtime_ns or abs(now - seed.mtime_ns / 1e9) >= settle


def untouched(seed: SeedFile) -> bool:
    """Whether the file is still as it was listed, so that what was read since is one state."""
    try:
        status = seed.path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_ctime_ns) == (seed.size, seed.ctime_ns)


def any_unsettled(seeds_dir: Path, now: float) -> bool:
    """Whether a seed was still being written at ``now``; no for a folder that cannot be read."""
    try:
        seeds = list_seeds(seeds_dir).files
    except SeedsError:
        return False
    return not all(settled(seed, now, SETTLE) for seed in seeds)


def digest(seed: SeedFile) -> str:
    """The sha256 of the file's bytes, as hexadecimal digits.

    Raises:
        OSError: The file is gone or cannot be read.
    """
    with _open(seed.path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_seed(
    seed: SeedFile, *, text_limit: int = TEXT_LIMIT, bulk_limit: int = BULK_LIMIT
) -> Iterator[Item]:
    """Read one file, article by article; whatever is not read yields its reason instead.

    A file whose name ends in ``.jsonl`` is a bulk file, every other is one article. No error of
    the file or the system is raised.

    Args:
        seed: The file.
        text_limit: Bytes that an article may have, a file or a line of a bulk file.
        bulk_limit: Bytes that a bulk file may have.
    """
    try:
        with _open(seed.path) as stream:
            if seed.name.lower().endswith(_BULK):
                _check_size(stream, bulk_limit)
                yield from _read_bulk(stream, seed.name, text_limit)
            else:
                _check_size(stream, text_limit)
                yield from _read_text(stream, seed.name)
    except (OSError, Unusable) as error:
        yield Skipped(seed.name, None, _reason(error))


def _read_text(stream: BinaryIO, file: str) -> Iterator[Item]:
    try:
        decoded = decode(stream.read())
    except Undecodable as error:
        raise Unusable(str(error)) from error
    article, notices = from_text(decoded.text, decoded.encoding, file=file)
    if decoded.guessed:
        yield Notice(file, None, f"encoding guessed: {decoded.encoding}")
    yield from notices
    yield article


def _read_bulk(stream: BinaryIO, file: str, line_limit: int) -> Iterator[Item]:
    _check_head(stream.read(64))
    stream.seek(0)
    seen: set[str] = set()
    number = 0
    for number, line in _lines(stream, line_limit):
        try:
            article, notices = from_record(_parsed(line, line_limit), file=file, line=number)
        except Unusable as error:
            yield Skipped(file, number, str(error))
            continue
        if article.id in seen:
            yield Skipped(file, number, f"an earlier line has the same id: {article.source}")
            continue
        seen.add(article.id)
        yield from notices
        yield article
    if not number:
        raise Unusable("empty")


def _check_head(head: bytes) -> None:
    """Refuse a bulk file at its beginning where every line of it would be refused."""
    if kind := binary_kind(head):
        raise Unusable(f"{kind}, not text")
    mark = mark_of(head)
    if mark not in (None, "utf-8-sig"):
        raise Unusable(f"encoded as {mark}; JSON lines are UTF-8")


def _lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, bytes]]:
    """Number and content of each line that is not blank; of one over ``limit``, its beginning."""
    number = 0
    while line := stream.readline(limit + 2):  # Room for the line's end.
        number += 1
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(_MIB)
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if line.strip():
            yield number, line.rstrip(b"\r\n")


def _parsed(line: bytes, limit: int) -> object:
    if len(line) > limit:
        raise Unusable(f"longer than the limit of {limit / _MIB:g} MiB")
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise Unusable(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise Unusable(f"malformed JSON: {error.msg} at character {error.pos}") from error
    except ValueError as error:  # A number of thousands of digits.
        raise Unusable(f"malformed JSON: {error}") from error
    except RecursionError as error:
        raise Unusable("malformed JSON: nested too deeply") from error


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _check_name(name: str) -> None:
    """Refuse names that cannot be written down, or that an article of a bulk file could have."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Unusable("its name is not valid UTF-8") from error
    if f"{_BULK}#" in name.lower():
        raise Unusable(f"its name looks like a record of a {_BULK} file")


def _seed_file(name: str, entry: os.DirEntry[str], root: Path) -> SeedFile:
    path = Path(entry.path)
    if entry.is_symlink():
        path = Path(os.path.realpath(path, strict=True))
        if not path.is_relative_to(root):
            raise Unusable("a link to outside the seeds folder")
        if path.is_dir():
            raise Unusable("a link to a folder; only links to files are followed")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("not a regular file")
    return SeedFile(name, path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _open(path: Path) -> BufferedReader:
    """Open ``path`` unless it has become something else since it was listed; pipes would block."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("not a regular file")
    return path.open("rb")


def _check_size(stream: BinaryIO, limit: int) -> None:
    if os.fstat(stream.fileno()).st_size > limit:
        raise Unusable(f"larger than the limit of {limit / _MIB:g} MiB")


def _reason(error: Exception) -> str:
    return (
        f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)
    )
