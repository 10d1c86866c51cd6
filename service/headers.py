"""Headers that keep browsers from doing with a response what it is not meant for.

They are those that OWASP's Secure Headers Project recommends, each fitted to the kind of response:
pages may load their own style and script, the reader of /openapi.json its own, and anything else
nothing at all. ``Strict-Transport-Security`` is for whoever ends TLS in front of the service.
"""

from __future__ import annotations

from types import MappingProxyType

from flask import Flask, Response, request

from service.refusing import for_programs

_FEATURES = (
    *("accelerometer", "autoplay", "camera", "cross-origin-isolated", "display-capture"),
    *("encrypted-media", "fullscreen", "geolocation", "gyroscope", "keyboard-map"),
    *("magnetometer", "microphone", "midi", "payment", "picture-in-picture"),
    *("publickey-credentials-get", "screen-wake-lock", "sync-xhr", "usb"),
    "xr-spatial-tracking",
)
"""What a page might ask a browser for, and ours never do."""

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_PAGE = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_REFERENCE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For /docs, whose scripts read /openapi.json and try routes out."""

ALWAYS = MappingProxyType(
    {
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
        # Questions are in the address and are nobody else's business.
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-DNS-Prefetch-Control": "off",
        "X-Frame-Options": "DENY",
        "X-Permitted-Cross-Domain-Policies": "none",
    }
)
"""On every response."""

UNSHOWN = MappingProxyType(
    {**ALWAYS, "Content-Security-Policy": _NOTHING, "Cache-Control": "no-store"}
)
"""On a response that is no page and that nobody should keep."""


def install(app: Flask) -> None:
    """Have every response say what may be done with it."""
    app.after_request(_guard)


def _guard(response: Response) -> Response:
    response.headers.update(ALWAYS)
    response.headers["Content-Security-Policy"] = _policy(response)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _policy(response: Response) -> str:
    if for_programs() or response.mimetype != "text/html":
        return _NOTHING
    return _REFERENCE if request.path.startswith("/docs") else _PAGE
