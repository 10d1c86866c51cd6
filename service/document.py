"""/openapi.json, completed: what the library that writes it cannot be told route by route.

These are the headers that all responses have, the refusals that any request may meet, what a client
that already has a result is told, where a result leads on to, and an example of everything.
"""

from __future__ import annotations

import http
from collections.abc import Iterator
from typing import Any

from service.conditional import PATHS
from service.examples import BODIES, EVENT, PROBLEMS, SHAPES
from service.problems import MEDIA_TYPE, documented

_ID = "9fe42b50032f4bea84543853c6311d9c"

_HEADERS: dict[str, Any] = {
    "X-Request-ID": {
        "description": "The request's id: the caller's `X-Request-ID` where that is at most 64 "
        "letters, digits, dots, underscores and hyphens, else a new one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        "example": _ID,
    },
    "ETag": {
        "description": "Stands for this result. Sent as `If-None-Match`, it is answered with 304 "
        "while the result is the same. A result that is `degraded` has none.",
        "schema": {"type": "string"},
        "example": 'W/"1f2e3d4c5b6a79880a1b2c3d4e5f6071"',
    },
}

_LINKS: dict[tuple[str, str, str], dict[str, tuple[str, dict[str, str]]]] = {
    ("/v1/search", "get", "200"): {
        "article": ("/v1/articles/{id}", {"id": "$response.body#/hits/0/article/id"}),
        "paragraph": ("/v1/paragraphs/{id}", {"id": "$response.body#/hits/0/paragraph/id"}),
        "similar": ("/v1/paragraphs/{id}/similar", {"id": "$response.body#/hits/0/paragraph/id"}),
    },
    ("/v1/articles", "get", "200"): {
        "article": ("/v1/articles/{id}", {"id": "$response.body#/articles/0/id"}),
    },
    ("/v1/articles/{id}", "get", "200"): {
        "paragraph": ("/v1/paragraphs/{id}", {"id": "$response.body#/paragraphs/0/id"}),
    },
    ("/v1/builds", "post", "202"): {
        "build": ("/v1/builds/{id}", {"id": "$response.body#/id"}),
        "events": ("/v1/builds/{id}/events", {"id": "$response.body#/id"}),
    },
}
"""Where a response leads: by path, method and status the paths and parameters of other reads."""


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` with what is said above, in place."""
    paths = document["paths"]
    document["components"]["headers"] = _HEADERS
    for path, method, operation in _operations(paths):
        responses = operation["responses"]
        responses.update(_problems(421, *(() if method == "get" else (403,))))
        if method == "get" and path.startswith(PATHS):
            responses["200"].setdefault("headers", {})["ETag"] = _header("ETag")
            responses["304"] = {
                "description": "What `If-None-Match` stands for is still so",
                "headers": {"ETag": _header("ETag")},
            }
        for status, response in responses.items():
            response.setdefault("headers", {})["X-Request-ID"] = _header("X-Request-ID")
            for kind, content in response.get("content", {}).items():
                _exemplify(kind, content, int(status))
            for name, (target, given) in _LINKS.get((path, method, status), {}).items():
                if target in paths:
                    id_ = paths[target]["get"]["operationId"]
                    response.setdefault("links", {})[name] = {
                        "operationId": id_,
                        "parameters": given,
                    }
        operation["responses"] = dict(sorted(responses.items()))
        for parameter in operation.get("parameters", ()):
            _describe(parameter)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content["example"] = BODIES[_shape(content)]
    return document


def _operations(paths: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in paths.items():
        for method, operation in operations.items():
            yield path, method, operation


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _problems(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {"description": http.HTTPStatus(int(status)).phrase, **response}
        for status, response in documented(*statuses).items()
        if isinstance(response, dict)
    }


def _describe(parameter: dict[str, Any]) -> None:
    """Say what is sent: an address can leave a parameter out, but has no null."""
    schema = parameter["schema"]
    written = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    for each in written:
        schema.update(each)
    if examples := schema.pop("examples", None):
        parameter["example"] = examples[0]


def _exemplify(kind: str, content: dict[str, Any], status: int) -> None:
    if kind == MEDIA_TYPE:
        code, detail, hint = PROBLEMS[status]
        content["example"] = {
            "type": f"urn:winnow:problem:{code}",
            "title": http.HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "code": code,
            "hint": hint,
            "request_id": _ID,
        }
    elif kind == "text/event-stream":
        content["example"] = EVENT
    else:
        content["example"] = SHAPES[_shape(content)]


def _shape(content: dict[str, Any]) -> str:
    return str(content["schema"]["$ref"].rpartition("/")[2])
