"""Who wants to know of what happens is told, and can neither hold it up nor make it fail."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

Listener: TypeAlias = Callable[[BaseModel, BaseModel], object]
"""Takes a query and its result."""

_log = logging.getLogger(__name__)


class _Told(Protocol):
    listeners: list[Listener]


_S = TypeVar("_S", bound=_Told)
_P = ParamSpec("_P")
_R = TypeVar("_R", bound=BaseModel)


def told(method: Callable[Concatenate[_S, _P], _R]) -> Callable[Concatenate[_S, _P], _R]:
    """Tell the ``listeners`` of each result; the query is the method's last argument."""

    @functools.wraps(method)
    def wrapper(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        result = method(self, *args, **kwargs)
        tell(self.listeners, [*args, *kwargs.values()][-1], result)
        return result

    return wrapper


def tell(listeners: Iterable[Callable[..., object]], *what: Any) -> None:
    """Call every one of ``listeners``; an error of one is logged and goes no further."""
    for listener in listeners:
        try:
            listener(*what)
        except Exception:  # noqa: BLE001 - whatever it is, who tells has its own work to do
            _log.exception("a listener failed")
