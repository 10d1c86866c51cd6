"""Everything that Winnow raises on purpose.

Each error says what happened in its message and how to mend it in ``hint``; ``code`` names the
kind for scripts and stays the same between releases.

    WinnowError
     ├── SettingsError          a setting is unknown or has a value that cannot be
     ├── SeedsError             the seeds folder is missing, unreadable or holds no article
     ├── ModelError             the embedding model is missing, altered or not the index's own
     ├── StoredIndexError       something about a stored index
     │    ├── IndexMissing      nothing has been built yet
     │    ├── IndexCorrupt      a file of a generation is damaged or absent
     │    ├── SelfTestFailed    a new generation is not what it should be
     │    ├── IndexNotWritable  the index folder refuses writing
     │    ├── IndexBusy         another process is building
     │    └── BuildError        a build in its own process came to no proper end
     ├── QuestionsError         the file of saved questions cannot be read as such
     ├── UnansweredError        the log of unanswered questions cannot be read or cleared
     ├── TuningError            fitted weights cannot be read, or there is nothing to fit them to
     ├── RunError               a saved run of an evaluation cannot be read or written
     ├── QueryError             a question or one of its parameters cannot be used
     │    └── StaleCursor       the cursor belongs to another generation or another query
     ├── ArchiveError           a file to export to or to import from cannot be used
     ├── NotFound               no article, paragraph, build or generation has this id
     ├── ServeError             the service cannot start, such as on a port in use
     ├── KeysError              the file of API keys cannot be used, or a key cannot be so named
     ├── Refusal                a request that is sound is not served
     │    ├── KeyNeeded         it has no key, or one that is not valid
     │    ├── KeyTooWeak        its key may not do this
     │    ├── AskedTooOften     more requests came with its key, or from its address, than may
     │    └── Overloaded        more requests came than can be served
     ├── WorkerLost             the process that was at work for a request has ended
     └── DeadlineExceeded       a request took longer than it may
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class WinnowError(Exception):
    """The root of the tree. ``hint`` tells how to mend it, in one sentence."""

    code = "winnow_error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Be sent to another process whole; Python itself would lose what has a name only."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[WinnowError], arguments: tuple[Any, ...], state: Mapping[str, Any]
) -> WinnowError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class SettingsError(WinnowError):
    """A setting is unknown or has a value that cannot be."""

    code = "bad_setting"


class SeedsError(WinnowError):
    """The seeds folder is missing, unreadable or holds no article."""

    code = "bad_seeds"


class ModelError(WinnowError):
    """The embedding model is missing, altered or not the one the index was built with."""

    code = "model_unavailable"


class QuestionsError(WinnowError):
    """The file of saved questions cannot be read, or lines of it."""

    code = "bad_questions"


class UnansweredError(WinnowError):
    """The log of unanswered questions cannot be read or cleared."""

    code = "bad_unanswered"


class TuningError(WinnowError):
    """The file of fitted weights cannot be read, or there is nothing to fit weights to."""

    code = "bad_tuning"


class RunError(WinnowError):
    """A saved run of an evaluation cannot be read or written."""

    code = "bad_run"


class StoredIndexError(WinnowError):
    """Something about a stored index."""

    code = "index_error"


class IndexMissing(StoredIndexError):
    """Nothing has been built yet."""

    code = "index_missing"


class IndexCorrupt(StoredIndexError):
    """A file of a generation is damaged or absent."""

    code = "index_corrupt"


class SelfTestFailed(StoredIndexError):
    """A new generation is not what it should be; it was not published."""

    code = "self_test_failed"


class IndexNotWritable(StoredIndexError):
    """The index folder refuses writing."""

    code = "index_not_writable"


class IndexBusy(StoredIndexError):
    """Another process is building in the same index folder."""

    code = "index_busy"


class BuildError(StoredIndexError):
    """A build in its own process came to no proper end: it was killed, stopped or crashed."""

    code = "build_failed"


class QueryError(WinnowError):
    """A question or one of its parameters cannot be used. ``parameter`` names which."""

    code = "bad_query"

    def __init__(self, message: str, *, parameter: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.parameter = parameter


class StaleCursor(QueryError):
    """The cursor belongs to another generation or another query."""

    code = "stale_cursor"


class ArchiveError(WinnowError):
    """A file to export a generation to, or to import one from, cannot be used."""

    code = "bad_archive"


class NotFound(WinnowError):
    """No article, paragraph, build or generation has this id."""

    code = "not_found"


class ServeError(WinnowError):
    """The service cannot start, such as on a port in use."""

    code = "cannot_serve"


class KeysError(WinnowError):
    """The file of API keys cannot be read or written, or a key cannot have this name."""

    code = "bad_keys"


class Refusal(WinnowError):
    """A request that is sound is not served: by whom it is, or for how many there are.

    ``retry_after`` says in how many whole seconds it may come again, where that would help.
    """

    code = "refused"

    def __init__(self, message: str, *, hint: str = "", retry_after: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class KeyNeeded(Refusal):
    """The request has no key, or one that is not valid."""

    code = "key_needed"


class KeyTooWeak(Refusal):
    """The request's key is valid and may not do this."""

    code = "key_too_weak"


class AskedTooOften(Refusal):
    """More requests came with this key, or from this address, than may."""

    code = "asked_too_often"


class Overloaded(Refusal):
    """More requests came than can be served."""

    code = "overloaded"


class WorkerLost(WinnowError):
    """The process that was at work for a request has ended; another takes its place."""

    code = "worker_lost"


class DeadlineExceeded(WinnowError):
    """A request took longer than it may."""

    code = "deadline_exceeded"
