"""Generations of the index on disk: immutable folders, and one line that names the live one.

A generation is built in ``staging/``, checked there, renamed into ``generations/`` and only then
named in ``CURRENT``. Whatever moment the power fails at, ``CURRENT`` names a complete generation
or the one before. One process writes at a time; a reader holds the generation it reads, and none
is removed while it is held. The system drops both locks when a process dies.

    index_data/
      CURRENT              the live generation's id
      write.lock           who is writing
      failure.json         why the last build failed, if it did
      questions.jsonl      the user's saved questions, one a line; not ours to delete
      tuning.json          weights fitted to the user's questions; not ours to delete
      keys.jsonl           digests of API keys, see the service; not ours to delete
      eval/                indexes of judged sets, see the service; may be deleted
      cache/               vectors by text, see the cache module; may be deleted
      generations/<id>/    manifest.json, articles.sqlite, sentences/, keyword/, vectors.faiss,
                           report.json
      staging/<id>/        a generation being built, or one being removed
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from indexer.disk import link_tree, replace, sync, sync_tree
from indexer.errors import (
    IndexCorrupt,
    IndexMissing,
    IndexNotWritable,
    NotFound,
    WinnowError,
)
from indexer.locks import Hold, holder, write_lock
from indexer.manifest import (
    ARTICLES,
    KEYWORD,
    MANIFEST,
    SENTENCES,
    Manifest,
    digests,
    require_readable,
)

_REBUILD = "Run: winnow build --full"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a build published nothing, and when (ISO 8601, UTC)."""

    when: str
    reason: str
    hint: str

    def __str__(self) -> str:
        build = f"the build of {self.when}" if self.when else "the last build"
        return f"{build} failed: {self.reason}. {self.hint}"


class Generations:
    """The generations in one index folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache" / "embeddings.sqlite"
        self.questions = folder / "questions.jsonl"
        self.tuning = folder / "tuning.json"
        self._current = folder / "CURRENT"
        self._lock = folder / "write.lock"
        self._failure = folder / "failure.json"
        self._generations = folder / "generations"
        self._staging = folder / "staging"

    def path(self, id_: str) -> Path:
        """The folder of generation ``id_``."""
        return self._generations / id_

    def ids(self) -> list[str]:
        """The ids of all complete generations, newest first."""
        if not self._generations.is_dir():
            return []
        found = (path.name for path in self._generations.iterdir() if (path / MANIFEST).is_file())
        return sorted(found, reverse=True)

    def current(self) -> str | None:
        """The id of the live generation; None before the first build.

        Raises:
            IndexCorrupt: Nothing or nonsense says which of the generations is live.
        """
        try:
            id_ = self._current.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if self.ids():
                raise IndexCorrupt(f"{self._current} is missing", hint=_REBUILD) from None
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise IndexCorrupt(f"{self._current} cannot be read: {error}", hint=_REBUILD) from error
        if id_ not in self.ids():
            raise IndexCorrupt(f"{self._current} names no generation", hint=_REBUILD)
        return id_

    def manifest(self, id_: str) -> Manifest:
        """The manifest of a complete generation.

        Raises:
            IndexCorrupt: It is missing, unreadable or altered.
        """
        path = self.path(id_) / MANIFEST
        try:
            manifest = Manifest.from_json(path.read_bytes().decode())
            if manifest.id != id_:
                raise ValueError("it is another generation's")  # noqa: TRY301 - as the others
        except (OSError, ValueError) as error:
            raise IndexCorrupt(f"{path} is missing or damaged: {error}", hint=_REBUILD) from error
        return manifest

    def live(self) -> Manifest:
        """The manifest of the live generation.

        Raises:
            IndexMissing: Nothing has been built yet.
            IndexCorrupt: The manifest is missing or unreadable.
        """
        id_ = self.current()
        if id_ is None:
            raise IndexMissing(f"there is no index in {self.folder} yet", hint="Run: winnow build")
        return self.manifest(id_)

    def verify(self, manifest: Manifest, folder: Path | None = None) -> None:
        """Compare every file with its digest, in the generation's own folder or in ``folder``.

        Raises:
            IndexCorrupt: A file is missing, unexpected or altered.
        """
        for complaint in self.damage(manifest, {}, folder):
            raise IndexCorrupt(complaint, hint=_REBUILD)

    def damage(
        self, manifest: Manifest, known: dict[int, str], folder: Path | None = None
    ) -> list[str]:
        """What :meth:`verify` has to complain of, about every file.

        ``known`` remembers what was read, for files that other generations have as well.
        """
        folder = folder or self.path(manifest.id)
        try:
            found = digests(folder, known)
        except OSError as error:
            raise IndexCorrupt(f"{folder} cannot be read: {error}", hint=_REBUILD) from error
        return [
            f"{folder / name} is {'damaged' if name in found else 'missing'}"
            for name in sorted(found.keys() | manifest.files.keys())
            if found.get(name) != manifest.files.get(name)
        ]

    def hold(self, id_: str) -> Hold:
        """Keep generation ``id_`` from being removed until the returned object is closed.

        Raises:
            NotFound: It is gone, or just being removed.
        """
        try:
            return Hold(self.path(id_))
        except (FileNotFoundError, BlockingIOError) as error:
            raise NotFound(
                f"generation {id_} has been removed", hint="Run: winnow generations"
            ) from error

    @contextmanager
    def writing(self, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the right to write.

        ``waiting`` is called again and again while another process holds it.

        Raises:
            IndexBusy: Another process holds it, and it is not waited for; the message names it.
            IndexNotWritable: The folder refuses writing, now or while the right is held.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with write_lock(self._lock, waiting):
                try:
                    yield
                finally:
                    # What failed would only take up space, which may be why it failed; what a
                    # killed build leaves is removed by the next.
                    shutil.rmtree(self._staging, ignore_errors=True)
        except BrokenPipeError:
            raise  # whoever read our output left; the folder is fine
        except (OSError, sqlite3.OperationalError) as error:
            raise IndexNotWritable(
                f"{self.folder} cannot be written: {error}",
                hint="Make the folder writable and check the space left, or choose another "
                "with --index.",
            ) from error

    def writer(self) -> str | None:
        """Who holds the right to write now; None where nobody does."""
        return holder(self._lock)

    def leftovers(self) -> list[Path]:
        """What is in ``staging/``: of use to nobody, unless somebody is writing."""
        return sorted(self._staging.iterdir()) if self._staging.is_dir() else []

    def fragments(self) -> list[Path]:
        """Folders of generations that have lost their manifest and so are no generations."""
        if not self._generations.is_dir():
            return []
        return sorted(
            path for path in self._generations.iterdir() if not (path / MANIFEST).is_file()
        )

    def stage(self, id_: str, parent: str | None = None) -> Path:
        """A folder to build generation ``id_`` in; what an earlier build left is removed.

        It has what ``parent`` has but the vector index: what is never changed in place as links,
        the store as a copy.
        """
        if self._staging.exists():
            shutil.rmtree(self._staging)
        path = self._staging / id_
        path.mkdir(parents=True)
        if parent is not None:
            for name in (KEYWORD, SENTENCES):
                link_tree(self.path(parent) / name, path / name)
            shutil.copyfile(self.path(parent) / ARTICLES, path / ARTICLES)
        return path

    def place(self, manifest: Manifest) -> None:
        """Move the staged generation, now complete, to its place among the others."""
        staged = self._staging / manifest.id
        sync_tree(staged)
        replace(staged / MANIFEST, manifest.to_json())
        self._generations.mkdir(exist_ok=True)
        staged.rename(self.path(manifest.id))
        sync(self._generations)

    def publish(self, manifest: Manifest, keep: int) -> None:
        """Make the staged generation the live one, then drop those beyond ``keep``."""
        self.place(manifest)
        replace(self._current, manifest.id + "\n")
        self.forget_failure()
        self.prune(keep)

    def previous(self) -> str:
        """The one to go back to: the live one's parent if it is kept, else the next older one.

        Raises:
            NotFound: There is none.
        """
        ids = self.ids()
        live, parent = None, None
        with suppress(IndexCorrupt):  # then the newest that can be had is what helps
            live = self.current()
            parent = self.manifest(live).parent if live else None
        if parent in ids:
            return str(parent)
        older = [id_ for id_ in ids if live is None or id_ < live]
        if not older:
            raise NotFound("there is no generation to go back to", hint="Run: winnow generations")
        return older[0]

    def activate(self, id_: str) -> Manifest:
        """Make generation ``id_`` the live one, once every file of it is checked.

        Only for who holds the right to write.

        Raises:
            NotFound: There is no such generation.
            IndexCorrupt: It is damaged, or not readable by this version.
        """
        if id_ not in self.ids():
            raise NotFound(f"there is no generation {id_!r}", hint="Run: winnow generations")
        manifest = self.manifest(id_)
        require_readable(manifest)
        self.verify(manifest)
        replace(self._current, id_ + "\n")
        return manifest

    def prune(self, keep: int) -> list[str]:
        """Remove all but the live and the newest others, ``keep`` in all; returns what went.

        One that somebody reads stays until a later time. Only for who holds the right to write.
        """
        live = self.current()
        gone = []
        for id_ in [other for other in self.ids() if other != live][max(keep - 1, 0) :]:
            with suppress(BlockingIOError), Hold(self.path(id_), alone=True):
                # Moved before it is taken apart: a half of it must never look like a whole.
                self._staging.mkdir(exist_ok=True)
                self.path(id_).rename(self._staging / id_)
                shutil.rmtree(self._staging / id_)
                gone.append(id_)
        return gone

    def record_failure(self, error: WinnowError) -> None:
        """Leave word of why a build published nothing, for whoever asks about the index."""
        when = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        failure = Failure(when, str(error), error.hint)
        replace(self._failure, json.dumps(asdict(failure), ensure_ascii=False) + "\n")

    def forget_failure(self) -> None:
        """The last build did what it should."""
        self._failure.unlink(missing_ok=True)

    def failure(self) -> Failure | None:
        """What :meth:`record_failure` left, if the last build failed."""
        try:
            return Failure(**json.loads(self._failure.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            return Failure("", f"{self._failure} cannot be read: {error}", "Run: winnow build")
