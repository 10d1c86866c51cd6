"""The proof that a question needs no network: one is asked while every socket is refused.

Python reports what a program does with sockets to audit hooks (PEP 578), and a hook that raises
keeps it from being done. A hook stays for the life of its process, so this one can be switched off.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from indexer.errors import ModelError, WinnowError
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.doctor import Finding
from service.engine import Engine
from service.readers import extractor_of
from service.requests import AnswerQuery, SearchQuery

_QUESTION = "what was proposed"
"""Any will do: what a question says has no say in which parts it passes through."""


_EVENTS = {
    f"socket.{name}"
    for name in (
        *("__new__", "connect", "bind", "sendto", "sendmsg"),
        *("getaddrinfo", "gethostbyaddr", "gethostbyname", "getnameinfo"),
    )
}
"""What reaches for a network; the others ask for this machine's own name and the like."""


class _Guard:
    """An audit hook that, while it is on, refuses and notes every socket but those of one machine.

    Unix sockets reach nothing else, and event loops use them to wake themselves.
    """

    def __init__(self) -> None:
        self.on = False
        self.attempts: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or event not in _EVENTS:
            return
        if event == "socket.__new__":
            arguments = arguments[1:]
            if arguments[0] == socket.AF_UNIX:
                return
        elif isinstance(arguments[0], socket.socket):
            if arguments[0].family == socket.AF_UNIX:
                return
            arguments = arguments[1:]
        self.attempts.append(f"{event}{arguments}")
        raise PermissionError(f"sockets are blocked: {event}")


@cache
def _guard() -> _Guard:
    guard = _Guard()
    sys.addaudithook(guard)
    return guard


@contextmanager
def blocked() -> Iterator[list[str]]:
    """Refuse every socket in this process until the block ends; lists what was attempted."""
    guard = _guard()
    guard.attempts = []
    guard.on = True
    try:
        yield guard.attempts
    finally:
        guard.on = False


def prove(settings: Settings, load: Callable[[], Embedder | ModelError]) -> Finding:
    """Load the model, search and answer with sockets blocked."""
    said: tuple[str, str] | None = None
    with blocked() as attempts:
        try:
            _ask(settings, load())
        except WinnowError as error:
            said = str(error), error.hint
        except OSError as error:  # what a refused socket raises, where nobody expects one
            said = str(error), "Mend the other findings first."
    if attempts:
        said = (
            f"the network was asked for, and refused: {'; '.join(dict.fromkeys(attempts))}",
            "Unset the setting 'model', or name a model that comes without code of its own.",
        )
    if said:
        return Finding("offline", "problem", *said)
    return Finding("offline", "ok", "a search and an answer needed no network")


def _ask(settings: Settings, embedder: Embedder | ModelError) -> None:
    engine = Engine(settings, embedder, extractor=extractor_of(settings))
    try:
        # In this mode it is an error if there is no meaning to search by.
        engine.search(SearchQuery(q=_QUESTION, mode="semantic"))
        engine.answer(AnswerQuery(q=_QUESTION))
    finally:
        engine.close()
