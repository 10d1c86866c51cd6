"""The snapshot in use, exchanged for the next one without a pause.

When a new generation is published, the first request to notice opens it while the others go on
with the old one. The old snapshot is closed when the last request that began on it has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from indexer.errors import IndexCorrupt, ModelError, StoredIndexError
from indexer.generations import Generations
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.snapshot import Snapshot


@dataclass(slots=True, eq=False)
class _Loan:
    """A snapshot and how many requests are using it."""

    snapshot: Snapshot
    readers: int = 0


class Library:
    """Lends the live snapshot of an index folder."""

    def __init__(self, settings: Settings, embedder: Embedder | ModelError) -> None:
        self._settings = settings
        self._embedder = embedder
        self._generations = Generations(settings.index)
        self._loan: _Loan | None = None
        self._refused: tuple[str | None, StoredIndexError] | None = None
        self._lock = threading.Lock()
        self._opening = threading.Lock()

    @contextmanager
    def borrow(self) -> Iterator[Snapshot]:
        """The live snapshot, kept open until the block ends.

        Where the live generation cannot be opened, the one opened before goes on being lent, with
        the reason in its ``outdated``.

        Raises:
            IndexMissing: Nothing has been built yet.
            IndexCorrupt: The live generation is damaged and no other was open.
        """
        loan, reason = self._take()
        try:
            yield replace(loan.snapshot, outdated=reason) if reason else loan.snapshot
        finally:
            with self._lock:
                loan.readers -= 1
                self._close_if_done(loan)

    def close(self) -> None:
        """Close the snapshot as soon as nobody uses it."""
        with self._lock:
            loan, self._loan = self._loan, None
            if loan is not None:
                self._close_if_done(loan)

    def _take(self) -> tuple[_Loan, str | None]:
        try:
            live = self._generations.current()
        except IndexCorrupt as error:
            live, self._refused = None, (None, error)
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
        """Open generation ``live``; returns why that failed where an older one is still open."""
        # With an older snapshot at hand nobody waits for the one thread that opens the new one.
        if not self._opening.acquire(blocking=self._loan is None):
            return None
        try:
            if self._loan is not None and self._loan.snapshot.manifest.id == live:
                return None
            if self._refused is None or self._refused[0] != live or self._loan is None:
                self._open(live)
            return f"an older index is in use: {self._refused[1]}" if self._refused else None
        finally:
            self._opening.release()

    def _open(self, live: str | None) -> None:
        try:
            fresh = _Loan(Snapshot.open(self._generations, self._settings, self._embedder))
        except StoredIndexError as error:
            self._refused = (live, error)
            return
        with self._lock:
            old, self._loan, self._refused = self._loan, fresh, None
            if old is not None:
                self._close_if_done(old)

    def _close_if_done(self, loan: _Loan) -> None:
        if loan is not self._loan and not loan.readers:
            loan.snapshot.close()
