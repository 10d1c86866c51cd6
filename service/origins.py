"""Who may ask: the names this service goes by, and the pages of other sites that may use it.

A browser runs pages of sites that nobody here trusts. One can point a name of its own at this
machine and then read answers as if they were its own (DNS rebinding), so that only known names are
answered. One can send forms and scripts here, so that nothing is changed for a page of another site
unless a setting names it; only such pages may read answers either (CORS).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from werkzeug.sansio.utils import host_is_trusted

from indexer.settings import Settings
from service.refusing import for_programs, refuse

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1), of those that any route has."""

_ASKED_WITH = "Authorization, Content-Type, If-None-Match, Last-Event-ID, X-API-Key, X-Request-ID"
"""Headers that a page of a named origin may send, beside those that any page may."""

_SHOWN = "ETag, Location, Retry-After, X-Request-ID"
"""Headers that it may read, beside those that any page may."""

_PREFLIGHT_AGE = "600"
"""Seconds for which a browser need not ask again."""


def install(app: Flask, settings: Settings) -> None:
    """Refuse what comes by a name or from an origin that ``settings`` does not allow."""
    allowed = _Allowed(
        names=frozenset(_bare(name) for name in (settings.host, *settings.allowed_hosts)),
        everywhere=_is_wildcard(settings.host),
        origins=frozenset(settings.cors_origins),
    )
    app.before_request(allowed.refuse_names)
    app.before_request(allowed.refuse_sites)
    if allowed.origins:
        app.before_request(allowed.preflight)
        app.after_request(allowed.share)


@dataclass(frozen=True, slots=True)
class _Allowed:
    """``names`` that the service goes by, whether it is bound ``everywhere``, and other sites."""

    names: frozenset[str]
    everywhere: bool
    origins: frozenset[str]

    def refuse_names(self) -> Response | None:
        """Refuse a request to another name than ours."""
        name = host_name(request.environ.get("HTTP_HOST", ""))
        if name is None:
            return refuse(
                400,
                "the Host header is missing or is no name of a host",
                code="bad_host",
                hint="Name the host that the request is sent to.",
            )
        if is_ours(name, self.names, everywhere=self.everywhere):
            return None
        return refuse(
            421,
            f"this service does not go by the name {name}",
            code="unknown_host",
            hint="Ask by the address that the service printed when it started, or name this one "
            "in the setting allowed_hosts.",
        )

    def refuse_sites(self) -> Response | None:
        """Refuse to change anything for a page of another site; browsers say whose page it is."""
        if request.method in _SAFE:
            return None
        origin = request.headers.get("Origin")
        if origin in self.origins:
            return None
        own = origin is None or origin.partition("://")[2].casefold() == request.host.casefold()
        if own and request.headers.get("Sec-Fetch-Site") != "cross-site":
            return None
        return refuse(
            403,
            f"a page of {origin or 'another site'} may not send this",
            code="cross_site",
            hint="Send it from a page of this service, or from a program, without Origin. A site "
            "may be named in the setting cors_origins.",
        )

    def preflight(self) -> Response | None:
        """Tell a browser what a page of a named origin may send."""
        if request.method != "OPTIONS" or request.routing_exception is not None:
            return None
        if "Access-Control-Request-Method" not in request.headers or not self._shares():
            return None
        response = current_app.make_default_options_response()
        response.status_code = 204
        response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow))
        response.headers["Access-Control-Allow-Headers"] = _ASKED_WITH
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_AGE
        return response

    def share(self, response: Response) -> Response:
        """Let pages of a named origin read a response, errors too."""
        if for_programs():
            # Where it is not shared too: a cache must not give one origin the answer to another.
            response.vary.add("Origin")
        if self._shares():
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = _SHOWN
        return response

    def _shares(self) -> bool:
        return for_programs() and request.headers.get("Origin") in self.origins


def host_name(header: str) -> str | None:
    """The name or number in a ``Host`` header, without its port; None where there is none.

    >>> [host_name(each) for each in ("LOCALHOST:8080", "[::1]:80", "a.example.", "", "a b", "a@b")]
    ['localhost', '::1', 'a.example', None, None, None]
    """
    if not host_is_trusted(header):  # without a list, whether its characters can be
        return None
    try:
        name = urlsplit(f"//{header}").hostname
    except ValueError:  # brackets around what is no number
        return None
    return _bare(name) if name else None


def is_ours(name: str, names: frozenset[str], *, everywhere: bool) -> bool:
    """Whether a request by this name is meant for us: one of ``names``, or this machine's own.

    A service that is bound ``everywhere`` has every number of the machine, and a number is nobody's
    to point elsewhere. A name that begins with a dot stands for all below it.
    """
    if name in names or name == "localhost":
        return True
    if any(known.startswith(".") and name.endswith(known) for known in names):
        return True
    try:
        number = ipaddress.ip_address(name)
    except ValueError:
        return False
    return everywhere or number.is_loopback


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _bare(name: str) -> str:
    """A name as it is compared: in small letters, without brackets or the dot of the root."""
    return name.strip("[]").casefold().removesuffix(".")
