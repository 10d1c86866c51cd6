"""Answers that a client need not be sent again: ETags, looked at before anything is searched.

A result follows from its address and from what the engine stands on: the generation of the index,
fitted weights, the day (for "yesterday") and what is amiss. A tag is made of these, so that a
client who has the result already costs no search. What a page offers also depends on who asks, and
so do its tags. They are weak, as two results with the same hits differ in how long they took. A
result that is less than it could be has none: the reader may have more time at the next attempt.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request

PATHS = ("/v1/search", "/v1/answers", "/v1/suggest", "/v1/articles", "/v1/paragraphs")
"""Where results are read, beside the pages."""

_KEPT = "private, no-cache"
"""Kept by the client alone, and asked about each time."""


def note(result: Any) -> None:
    """Tell that ``result`` is part of the response.

    One that is degraded must not get a tag, nor one of another generation than the tag stands for:
    a process that answers questions may not have followed to the newest yet.
    """
    generation = getattr(result, "generation", None)
    of_another = generation is not None and generation not in g.get("standing", generation)
    if of_another or getattr(result, "degraded", None):
        note_passing()


def note_passing() -> None:
    """Tell that the response shows what will soon be otherwise: it must not get a tag."""
    g.passing = True


def install(app: Flask, standing: Callable[[], str]) -> None:
    """Tag what the routes that read answer; ``standing`` tells what answers depend on by now."""
    # Settings, models and templates are read once: what another process made is another thing.
    process = secrets.token_hex(8)

    def tag() -> str:
        asker = getattr(g.get("key"), "name", "")
        asked = request.path, request.query_string.decode("latin1")
        g.standing = standing()
        told = "\0".join((process, g.standing, asker, *asked))
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    @app.before_request
    def unchanged() -> Response | None:
        if not _is_reading():
            return None
        g.tag = tag()
        known = request.if_none_match
        # An asterisk stands for any tag, and whether there will be one is not known yet.
        if known.star_tag or not known.contains_weak(g.tag):
            return None
        response = Response(status=304)
        response.set_etag(g.tag, weak=True)
        return response

    @app.after_request
    def mark(response: Response) -> Response:
        if "tag" not in g or response.status_code not in {200, 304}:
            return response
        response.headers["Cache-Control"] = _KEPT
        # The index may have been exchanged in between.
        if response.status_code == 200 and "passing" not in g and g.tag == tag():
            response.set_etag(g.tag, weak=True)
            response.make_conditional(request)
        return response


def _is_reading() -> bool:
    if request.method not in {"GET", "HEAD"} or request.routing_exception is not None:
        return False
    if request.blueprint == "pages":
        return request.endpoint != "pages.static"
    return request.path.startswith(PATHS)
