"""Logging: one line an event, JSON for programs or text at a terminal, for all that logs here.

What gunicorn, warnings and other libraries say goes the same way as the service's own events. A
line names no folder of this machine and no question, and who logs neither waits nor fails: in the
service a thread writes the lines, and those that it cannot write are counted and dropped.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import queue
import re
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeAlias, cast

import structlog
from flask import g, has_request_context
from gunicorn.glogging import Logger as GunicornLogger
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from indexer.settings import Settings
from service.lines import printable

_OURS = ("service", "indexer", "winnow")
"""Loggers that say what ``log_level`` asks for; others speak up from warnings on."""

_WAITING = 10_000
"""Lines that may wait to be written: some megabytes at the most."""

_PATIENCE = 1.0
"""Seconds that the last lines are given when the service ends."""

_FREE_TEXT = ("event", "detail", "error", "trace")
"""Fields in which a path may stand; the others hold ids, numbers and templates of routes."""

_ABSOLUTE = re.compile(r"(?<![\w/.~>…-])(?:/[^\s/:'\"<>,;()]+)+/(?=[^\s/])")
"""The folders of an absolute path; no part of an address such as http://host/path."""

_QUERY = re.compile(r"\?[\w.-]+=\S*")
"""The parameters of an address, among which may be a question."""

_LOGFMT = structlog.processors.LogfmtRenderer(bool_as_flag=False)

Write: TypeAlias = Callable[[str], object]
"""Takes a line without its end."""


def logger(name: str) -> BoundLogger:
    """A logger of events with fields, which go where :func:`configure` sends all logging."""
    return cast(
        "BoundLogger",
        structlog.wrap_logger(
            logging.getLogger(name),
            processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
            wrapper_class=BoundLogger,
        ),
    )


def configure(
    settings: Settings, write: Write | None = None, *, background: bool = False
) -> Callable[[], None]:
    """Log as ``settings`` say, with ``write`` instead of standard error if it is given.

    With ``background`` a thread writes; it does not outlive a fork, so begin one in the process
    that logs. Returns what ends this: waiting lines are written, and logging is as it was.
    """
    root, before = logging.getLogger(), logging.getLogger().level
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    outbox = Outbox(write or _to_standard_error, background=background)
    outbox.setFormatter(_formatter(settings))
    replaced = [each for each in root.handlers if isinstance(each, Outbox)]
    for each in replaced:
        root.removeHandler(each)
    root.addHandler(outbox)
    root.setLevel(max(level, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)

    def end() -> None:
        outbox.close()
        root.removeHandler(outbox)
        for each in replaced:
            root.addHandler(each)
        if not replaced:
            root.setLevel(before)
            for name in _OURS:
                logging.getLogger(name).setLevel(logging.NOTSET)
            logging.captureWarnings(capture=False)

    return end


def lost() -> int:
    """Lines that could not be formatted or written."""
    return sum(each.lost for each in logging.getLogger().handlers if isinstance(each, Outbox))


class Outbox(logging.Handler):
    """Hands each line to ``write``, in a thread of its own with ``background``."""

    def __init__(self, write: Write, *, background: bool) -> None:
        super().__init__()
        self.lost = 0
        self._write = write
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        if background:
            self._thread = threading.Thread(target=self._work, name="log", daemon=True)
            self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Write ``record`` or have it written; where that cannot be, ``lost`` counts it."""
        try:
            line = self.format(record)
            if self._thread is None:
                self._write(line)
            else:
                self._lines.put_nowait(line)
        except Exception:  # noqa: BLE001 - whatever it is, there is nowhere left to say so
            self.lost += 1

    def close(self) -> None:
        """Write what waits, as long as that takes a moment only; later records are written here."""
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                self._lines.put(None, timeout=_PATIENCE)
            except queue.Full:
                self.lost += self._lines.qsize()
            else:
                thread.join(_PATIENCE)
        super().close()

    def _work(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._write(line)
            except Exception:  # noqa: BLE001 - likewise
                self.lost += 1


class GunicornLog(GunicornLogger):  # type: ignore[misc]  # gunicorn publishes no types
    """Gunicorn's messages on the way of all others, rather than on one of their own."""

    def setup(self, cfg: object) -> None:
        """Set the levels as gunicorn does, and leave the writing to the root logger."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def _to_standard_error(line: str) -> None:
    # Not through sys.stderr: a thread that hangs in there would hold up the end of the process.
    rest = (line + "\n").encode("utf-8", "backslashreplace")
    while rest:
        rest = rest[os.write(2, rest) :]


def _formatter(settings: Settings) -> logging.Formatter:
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    render: list[Processor] = [_as_text] if text else [structlog.processors.JSONRenderer()]
    return ProcessorFormatter(processors=[_circumstances, Anonymous(settings), *render])


def _circumstances(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The event with its time and level before all else, and its error in words."""
    record: logging.LogRecord = event.pop("_record")
    if not event.pop("_from_structlog"):
        event["logger"] = record.name
    if has_request_context() and "request_id" in g:
        event.setdefault("request_id", g.request_id)
    error = event.pop("exc_info", None)
    if error:
        event.update(_told(*error))
    event.pop("stack_info", None)
    now = dt.datetime.fromtimestamp(record.created, dt.UTC)
    return {
        "time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": event.pop("event"),
        **event,
    }


def _told(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> dict[str, str]:
    """An error and where it came from, by modules and functions rather than by files."""
    frames = [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trace)
    ]
    return {"error": f"{kind.__name__}: {error}", "trace": " > ".join(frames)}


class Anonymous:
    """A processor that takes folders of the machine and parameters of addresses out of an event."""

    def __init__(self, settings: Settings) -> None:
        folders = {
            settings.seeds: "<seeds>",
            settings.index: "<index>",
            settings.model: "<model>",
            Path.home(): "~",
            Path(sys.prefix): "<python>",
        }
        names = {str(path.absolute()): name for path, name in folders.items() if path}
        # The longest first: one may lie in another.
        self._names = sorted(names.items(), key=lambda each: -len(each[0]))

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """The event without them."""
        return {
            key: self.words(value) if key in _FREE_TEXT and isinstance(value, str) else value
            for key, value in event.items()
        }

    def words(self, text: str) -> str:
        """``text`` without them."""
        for folder, name in self._names:
            text = re.sub(rf"{re.escape(folder)}(?![\w-])", name, text)
        return _QUERY.sub("?…", _ABSOLUTE.sub("…/", text))


def _as_text(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return printable(_LOGFMT(logger, name, event))
