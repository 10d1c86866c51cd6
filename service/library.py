"""The snapshot in use, exchanged for the next one without a pause.

When a new generation is published, the first request to notice has it opened and warmed beside the
old one, which all go on with until that is done. The old snapshot is closed when the last request
that began on it has ended. A generation that is damaged is never lent.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from indexer.errors import (
    IndexCorrupt,
    IndexMissing,
    ModelError,
    NotFound,
    StoredIndexError,
)
from indexer.generations import Generations
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.extracts import Extractor
from service.snapshot import Snapshot

_PATIENCE = 0.2
"""Seconds that the request which notices a new generation waits for it; small ones take less."""


@dataclass(slots=True, eq=False)
class _Loan:
    """A snapshot and how many requests are using it."""

    snapshot: Snapshot
    readers: int = 0


class Library:
    """Lends snapshots of an index folder: the live one, or an older one that a page goes on from.

    One older snapshot is kept open at most, until the live one is exchanged.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder | ModelError,
        extractor: Extractor | ModelError | None = None,
    ) -> None:
        self._settings = settings
        self._embedder = embedder
        self._extractor = extractor
        self._generations = Generations(settings.index)
        self._loan: _Loan | None = None
        self._past: _Loan | None = None
        self._refused: tuple[str | None, StoredIndexError] | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._opening = threading.Lock()

    @contextmanager
    def borrow(self, generation: str | None = None) -> Iterator[Snapshot]:
        """The live snapshot, or that of ``generation``, kept open until the block ends.

        Where the live generation cannot be opened, the one opened before goes on being lent, else
        the newest that is sound, with the reason in its ``outdated``.

        Raises:
            IndexMissing: Nothing has been built yet.
            IndexCorrupt: No generation is sound.
            NotFound: ``generation`` has been removed.
        """
        loan, reason = self._take()
        if generation is not None and generation != loan.snapshot.manifest.id:
            self._give_back(loan)
            loan, reason = self._take_past(generation), None
        try:
            yield replace(loan.snapshot, outdated=reason) if reason else loan.snapshot
        finally:
            self._give_back(loan)

    def refresh(self) -> None:
        """Lend the live generation from now on, if it is sound, however long opening it takes."""
        live = self._current()
        with self._opening:
            self._open(live)

    def close(self) -> None:
        """Close what is open as soon as nobody uses it."""
        with self._lock:
            loans, self._loan, self._past = (self._loan, self._past), None, None
            self._closed = True
            for loan in loans:
                self._close_if_done(loan)

    def _current(self) -> str | None:
        try:
            return self._generations.current()
        except IndexCorrupt as error:
            self._refused = (None, error)
            return None

    def _take(self) -> tuple[_Loan, str | None]:
        live = self._current()
        reason = None
        if self._loan is None or self._loan.snapshot.manifest.id != live:
            reason = self._follow(live)
        with self._lock:
            loan = self._loan
            if loan is None:  # closed in between, or never opened: tell why
                raise self._refused[1] if self._refused else RuntimeError("the library is closed")
            loan.readers += 1
            return loan, reason

    def _follow(self, live: str | None) -> str | None:
        """Open generation ``live``; returns why that failed where an older one is in use."""
        if self._loan is None:
            with self._opening:
                if self._loan is None:
                    self._open(live)
        elif self._refused is not None and self._refused[0] == live:
            pass  # It was tried; what is written there never changes.
        # With an older snapshot at hand nobody waits long for the one thread that opens the new.
        elif self._opening.acquire(blocking=False):
            opener = threading.Thread(target=self._open_and_release, args=(live,), daemon=True)
            opener.start()
            opener.join(_PATIENCE)
        if self._loan and self._loan.snapshot.manifest.id == live:
            return None
        return f"an older index is in use: {self._refused[1]}" if self._refused else None

    def _open_and_release(self, live: str | None) -> None:
        try:
            self._open(live)
        finally:
            self._opening.release()

    def _open(self, live: str | None) -> None:
        """Make ``live`` what is lent, or note why not; where nothing is lent yet, make the best.

        Only for who holds ``_opening``.
        """
        if self._loan is not None and self._loan.snapshot.manifest.id == live:
            return
        refused = self._attempt(live)
        if refused is None:
            self._refused = None
            return
        self._refused = live, refused
        if self._loan is None:
            any(self._attempt(id_) is None for id_ in self._generations.ids() if id_ != live)

    def _attempt(self, id_: str | None) -> StoredIndexError | None:
        """Open generation ``id_`` and lend it from now on; returns why that cannot be."""
        try:
            if id_ is None:
                id_ = self._generations.live().id  # raises, and says why there is none
            fresh = _Loan(self._opened(id_))
            fresh.snapshot.warm()
            if self._loan is not None:
                fresh.snapshot.keep_up_with(self._loan.snapshot)
        except NotFound as error:
            return IndexMissing(str(error), hint="Run: winnow build")
        except StoredIndexError as error:
            return error
        with self._lock:
            old, self._loan, past, self._past = self._loan, fresh, self._past, None
            if self._closed:
                self._loan = None
            for loan in (old, past, fresh):
                self._close_if_done(loan)
        return None

    def _take_past(self, id_: str) -> _Loan:
        with self._opening:
            with self._lock:
                if self._past is not None and self._past.snapshot.manifest.id == id_:
                    self._past.readers += 1
                    return self._past
            if id_ not in self._generations.ids():  # it comes from outside, and is no path
                raise NotFound(f"generation {id_} has been removed")
            fresh = _Loan(self._opened(id_), readers=1)
            with self._lock:
                old, self._past = self._past, None if self._closed else fresh
                self._close_if_done(old)
            return fresh

    def _opened(self, id_: str) -> Snapshot:
        return Snapshot.open(
            self._generations, id_, self._settings, self._embedder, self._extractor
        )

    def _give_back(self, loan: _Loan) -> None:
        with self._lock:
            loan.readers -= 1
            self._close_if_done(loan)

    def _close_if_done(self, loan: _Loan | None) -> None:
        if loan is not None and not loan.readers and loan not in (self._loan, self._past):
            loan.snapshot.close()
