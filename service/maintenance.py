"""The HTTP routes that change the index: builds are started and followed, and undone, here.

What a page of another site makes a browser send here is refused: see :mod:`service.origins`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel

from service import problems
from service.builds import Builds
from service.engine import Engine
from service.requests import BuildBody, BuildPath, GenerationPath, NoParameters
from service.states import BuildList, BuildState, GenerationList, GenerationShape

_BUILDS = Tag(name="builds", description="Bringing the index up to date with the seeds.")

_GENERATIONS = Tag(name="generations", description="What the index was, and the way back.")

_HEARTBEAT = 10
"""Seconds of silence in a stream after which a comment shows whether anybody still listens."""

_RETRY = 5
"""Seconds after which to ask again for a stream."""

_OPTIONAL_BODY = {
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BuildBody"}}},
    "required": False,
}
_ACCEPTED = {
    "description": "Accepted",
    "headers": {"Location": {"description": "Where the build is.", "schema": {"type": "string"}}},
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BuildState"}}},
}
_STREAM = {
    "description": "Events named `build`, each with a BuildState as its data, until it has ended.",
    # OpenAPI 3.1 has no word for a sequence: what is described is one event of it.
    "content": {
        "text/event-stream": {
            "schema": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "description": "Begins with the build's state."},
                    "event": {"type": "string", "enum": ["build"]},
                    "data": {"type": "string", "description": "A BuildState as JSON."},
                },
                "required": ["id", "event", "data"],
            }
        }
    },
}
_SEEN = {"description": "The event in `Last-Event-ID` was the last."}


def routes(engine: Engine, builds: Builds, streams: int) -> APIBlueprint:
    """The routes; at most ``streams`` clients follow a build at once, as each holds a thread."""
    api = APIBlueprint(
        "maintenance", __name__, abp_responses=problems.documented(400, 401, 403, 429, 500, 503)
    )
    free = threading.BoundedSemaphore(streams)

    @api.get("/v1/builds", tags=[_BUILDS], responses={"200": BuildList})
    def list_builds(query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """The builds since the service started, newest first; the last 50 that have ended."""
        return _json(BuildList(builds=builds.newest_first()))

    @api.post(
        "/v1/builds",
        tags=[_BUILDS],
        request_body=_OPTIONAL_BODY,
        responses={"202": _ACCEPTED, **problems.documented(403, 413, 415, 503)},
    )
    def start_build(body: BuildBody, query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """Bring the index up to date; joins a build that waits for its turn."""
        state = builds.submit(full=body.full)
        response = _json(state, 202)
        response.headers["Location"] = f"/v1/builds/{state.id}"
        return response

    @api.get(
        "/v1/builds/<id>",
        tags=[_BUILDS],
        responses={"200": BuildState, **problems.documented(404)},
    )
    def build(path: BuildPath, query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """The state of a build."""
        return _json(builds.get(path.id))

    @api.get(
        "/v1/builds/<id>/events",
        tags=[_BUILDS],
        responses={"200": _STREAM, "204": _SEEN, **problems.documented(404, 503)},
    )
    def follow(path: BuildPath, query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """The state of a build now and at each change, as server-sent events."""
        states = builds.follow(path.id, _HEARTBEAT)
        if request.headers.get("Last-Event-ID", "").startswith(("succeeded-", "failed-")):
            return Response(status=204)  # tells an EventSource not to come back
        if not free.acquire(blocking=False):
            busy = problems.problem(
                503,
                f"{streams} streams are open, which is as many as there may be",
                code="too_many_streams",
                hint=f"Ask GET /v1/builds/{path.id} every few seconds instead.",
            )
            busy.headers["Retry-After"] = str(_RETRY)
            return busy
        response = Response(events(states), content_type="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        # Not in the generator: one that was never begun is closed without running.
        response.call_on_close(free.release)
        return response

    @api.get("/v1/generations", tags=[_GENERATIONS], responses={"200": GenerationList})
    def generations(query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """The generations of the index that are kept, newest first."""
        return _json(engine.generations())

    @api.post(
        "/v1/generations/<id>/activate",
        tags=[_GENERATIONS],
        responses={"200": GenerationShape, **problems.documented(403, 404, 409, 503)},
    )
    def activate(path: GenerationPath, query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """Search this generation from now on; the next build goes on from it."""
        return _json(engine.activate(path.id))

    return api


def events(states: Iterable[BuildState]) -> Iterator[str]:
    """Server-sent events; a state that comes again is a sign of life and becomes a comment.

    An event's id begins with the name of its state, so that who comes back after the end is known.
    """
    last = None
    for number, state in enumerate(states):
        if state is last:
            yield ":\n\n"
        else:
            yield f"id: {state.state}-{number}\nevent: build\ndata: {state.model_dump_json()}\n\n"
        last = state


def _json(body: BaseModel, status: int = 200) -> Response:
    return Response(body.model_dump_json(), status, content_type="application/json")
