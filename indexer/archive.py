"""A generation as one file, to keep elsewhere or to carry to another machine.

It is a plain tar of the generation's folder, the manifest first. What comes in is checked against
that manifest, file by file, before it is given its place. That shows damage, not malice: opening an
index runs what is in it, so only what one has exported oneself should be imported.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from indexer.errors import ArchiveError, NotFound
from indexer.generations import Generations
from indexer.manifest import MANIFEST, Manifest, require_readable

_HINT = "Export the generation again and import that file."


def export_generation(generations: Generations, id_: str, target: Path) -> None:
    """Write generation ``id_`` to the file ``target``, which must not exist yet.

    Raises:
        NotFound: There is no such generation.
        IndexCorrupt: It is damaged.
        ArchiveError: The file cannot be written.
    """
    if id_ not in generations.ids():
        raise NotFound(f"there is no generation {id_!r}", hint="Run: winnow generations")
    with generations.hold(id_):
        manifest = generations.manifest(id_)
        generations.verify(manifest)
        folder = generations.path(id_)
        try:
            with tarfile.open(target, "x") as archive:
                for name in (MANIFEST, *sorted(manifest.files)):
                    archive.add(folder / name, f"{id_}/{name}", filter=_anonymous)
        except FileExistsError as error:
            raise ArchiveError(f"{target} exists already", hint="Choose another name.") from error
        except OSError as error:
            target.unlink(missing_ok=True)
            raise ArchiveError(
                f"{target} cannot be written: {error.strerror}",
                hint="Choose a folder that is writable and has space left.",
            ) from error


def import_generation(generations: Generations, source: Path) -> Manifest:
    """Take in the generation in the file ``source``; it becomes the live one if there is none.

    Raises:
        ArchiveError: The file is no export, is damaged, or holds what is here already.
        IndexCorrupt: It was exported by another version, and cannot be read by this one.
        IndexBusy: Another process is building.
    """
    with generations.writing(), _opened(source) as archive:
        manifest = _manifest(archive, source)
        require_readable(manifest)
        present = generations.ids()
        if manifest.id in present:
            raise ArchiveError(
                f"generation {manifest.id} is here already",
                hint=f"Run: winnow rollback {manifest.id}",
            )
        staged = generations.stage(manifest.id)
        for name in manifest.files:
            path = staged / name
            path.parent.mkdir(parents=True, exist_ok=True)
            content = _member(archive, f"{manifest.id}/{name}", source)
            with content, path.open("xb") as file:
                shutil.copyfileobj(content, file)
        generations.verify(manifest, staged)
        generations.place(manifest)
        if not present:
            generations.activate(manifest.id)
    return manifest


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source) as archive:
            yield archive
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveError(f"{source} is no exported generation: {error}", hint=_HINT) from error
    except FileNotFoundError as error:
        if error.filename != str(source):
            raise
        raise ArchiveError(f"there is no file {source}", hint="Name an exported file.") from error


def _manifest(archive: tarfile.TarFile, source: Path) -> Manifest:
    first = archive.next()
    if first is None or first.name.rpartition("/")[2] != MANIFEST:
        raise ArchiveError(f"{source} is no exported generation", hint=_HINT)
    try:
        manifest = Manifest.from_json(_member(archive, first.name, source).read().decode())
        if f"{manifest.id}/{MANIFEST}" != first.name or not manifest.created:
            raise ValueError("it is another generation's")  # noqa: TRY301 - as the others
    except ValueError as error:
        raise ArchiveError(f"the manifest in {source} is damaged: {error}", hint=_HINT) from error
    for name in manifest.files:
        if ".." in name.split("/") or name.startswith("/"):
            raise ArchiveError(f"{source} would write outside of its folder: {name}", hint=_HINT)
    return manifest


def _member(archive: tarfile.TarFile, name: str, source: Path) -> IO[bytes]:
    """The content of a regular file in the archive."""
    try:
        member = archive.getmember(name)
        content = archive.extractfile(member) if member.isreg() else None
    except KeyError:
        content = None
    if content is None:
        raise ArchiveError(f"{source} lacks {name}", hint=_HINT)
    return content


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without whose file it was here; that is nobody's business elsewhere."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
