"""What a request has to pass before it reaches its route: its key, its rate, and room for it.

In this order, so that a stranger takes nobody's place. Health is always told and never waits, as
the monitor has to see a service that is full; so is style, which a page of refusal needs too.
"""

from __future__ import annotations

import ipaddress
import math
import time
from contextlib import ExitStack
from functools import partial

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter, RateLimitExceeded

from indexer.deadlines import within
from indexer.errors import AskedTooOften, KeyNeeded, KeyTooWeak, Refusal, ServeError
from indexer.settings import Settings
from service import problems
from service.admission import Admission
from service.keys import Key, Keys, presented
from service.refusing import for_programs
from service.web import failures

_ALWAYS = ("/health/", "/metrics", "/assets/")
"""Routes that take no place, and are not counted: they have to answer when nothing else does."""

_OPEN = ("/health/", "/assets/")
"""Routes that need no key."""

_ADMIN = ("/v1/builds", "/v1/generations", "/metrics", "/builds")
"""Routes that need an admin's key."""

_USUAL_RATE = "600/minute"
"""Ten a second, which no reader and few programs need, is what two cores can do for some time."""


def require_keys(keys: Keys, address: str) -> bool:
    """Whether a service bound to ``address`` always needs keys, as it can be reached from outside.

    Raises:
        ServeError: It does, and there are none.
        KeysError: The file of keys cannot be read.
    """
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return False
    if not keys.all():
        raise ServeError(
            f"{address} can be reached from other machines, and there is no API key",
            hint="Run: winnow keys add NAME, or serve on 127.0.0.1, where none is needed",
        )
    return True


class Guard:
    """Adds the checks to an application; ``remote`` says that others than this machine reach it."""

    def __init__(self, settings: Settings, keys: Keys, *, remote: bool) -> None:
        self._settings = settings
        self._keys = keys
        self._remote = remote
        self._rate = _USUAL_RATE if settings.rate_limit == "auto" else settings.rate_limit
        self.admission = Admission(settings.threads, settings.waiting, settings.wait_ms / 1000)

    def __call__(self, app: Flask) -> None:
        """Have every request of ``app`` pass."""
        app.register_error_handler(Refusal, _refused)
        app.before_request(self._check_key)
        if self._settings.rate_limit != "off":
            limiter = Limiter(
                _asker,
                app=app,
                application_limits=[self._rate],
                application_limits_exempt_when=self._unlimited,
                storage_uri="memory://",  # there is one process
                strategy="sliding-window-counter",
            )
            app.register_error_handler(RateLimitExceeded, partial(self._too_often, limiter))
        app.before_request(self._admit)
        app.teardown_request(_leave)

    @property
    def _asks_keys(self) -> bool:
        return self._remote or (self._keys.needed and not self._settings.open_loopback)

    def _check_key(self) -> None:
        if not self._asks_keys:
            return
        secret = presented(request.headers.get("Authorization"))
        key = None if secret is None else self._keys.holder(secret)
        g.key = key
        g.stranger = key is None
        if key is None and not _is(_OPEN):
            raise _needed(given=secret is not None)
        if key is not None and not key.admin and _is(_ADMIN):
            raise KeyTooWeak(
                f"the key {key.name} may search and read, and this needs an admin's",
                hint="Make one: winnow keys add NAME --admin",
            )

    def _unlimited(self) -> bool:
        return _is(_ALWAYS) or (self._settings.rate_limit == "auto" and not self._asks_keys)

    def _too_often(self, limiter: Limiter, _error: RateLimitExceeded) -> ResponseReturnValue:
        limit = limiter.current_limit
        wait = 1 if limit is None else max(1, math.ceil(limit.reset_at - time.time()))
        refusal = AskedTooOften(
            f"more than {_spoken(self._rate)} came from {_asker()}",
            hint=f"Ask again in {wait} s; the setting rate_limit says how often one may.",
            retry_after=wait,
        )
        return current_app.handle_user_exception(refusal)

    def _admit(self) -> None:
        if _is(_ALWAYS):
            return
        g.passed = passed = ExitStack()
        passed.enter_context(within(self._settings.deadline_ms / 1000))
        passed.enter_context(self.admission.place())


def _spoken(rate: str) -> str:
    count, _, unit = rate.partition("/")
    return f"{count} requests {'an' if unit == 'hour' else 'a'} {unit}"


def _needed(*, given: bool) -> KeyNeeded:
    return KeyNeeded(
        "this key is not valid" if given else "this needs an API key",
        hint="Send Authorization: Bearer KEY, or log in with any name and the key as password; "
        "winnow keys add NAME makes one.",
    )


def _is(routes: tuple[str, ...]) -> bool:
    """Whether the request's route, not what its address is spelled like, is one of these."""
    return request.url_rule is not None and request.url_rule.rule.startswith(routes)


def _asker() -> str:
    """Who asks: the key's name where there is one, else the address."""
    key: Key | None = g.get("key")
    return f"key {key.name}" if key else f"address {request.remote_addr}"


def _refused(error: Refusal) -> ResponseReturnValue:
    """Refusals on routes of no page; those have their own handler."""
    return problems.from_error(error) if for_programs() else failures.raised(error)


def _leave(_error: BaseException | None) -> None:
    if (passed := g.pop("passed", None)) is not None:
        passed.close()
