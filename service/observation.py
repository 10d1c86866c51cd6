"""What an application tells of its requests, questions and builds: metrics and lines of the log.

All of it hangs on :func:`observe`. What goes wrong in here is logged and fails no request.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, has_request_context, request
from pydantic import BaseModel

from service.builds import Builds
from service.engine import Engine
from service.listening import tell
from service.logs import logger
from service.problems import request_id
from service.states import BuildState
from service.telemetry import Telemetry, outcome_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_BEGAN = "winnow.began"
"""Where the WSGI environment has the time at which a request came."""

_NO_ROUTE = "none"
"""Stands for the route of a request that fits none, or not with its method."""

_log = logger(__name__)


def observe(app: Flask, engine: Engine, builds: Builds | None) -> Telemetry:
    """Count and log what ``app`` does, and serve the counts at ``/metrics``.

    To be called before other hooks are registered: what is registered last is called first when a
    response is ready, and this is to see the response as it is sent.
    """
    telemetry = Telemetry(engine.readiness)
    questions = Questions(plain=engine.settings.log_questions)

    def ended(response: Response) -> Response:
        tell([_requested], telemetry, questions, response)
        return response

    def metrics() -> Response:
        body, content_type = telemetry.exposition(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    app.wsgi_app = _timed(telemetry.in_flight(app.wsgi_app))  # type: ignore[assignment, method-assign]  # as Flask's documentation wraps it
    app.after_request(ended)
    app.add_url_rule("/metrics", "metrics", metrics)
    engine.listeners += [telemetry.result, _remember]
    if builds is not None:
        builds.listeners += [telemetry.build, log_build]
    return telemetry


class Questions:
    """Questions as the log may have them: ``plain``, or as hashes that tell only equal from not.

    The key is the process's own, so that nobody who has the log alone can try questions on it.
    """

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._key = secrets.token_bytes(32)

    def told(self, question: str) -> dict[str, str]:
        """The field of a line that stands for ``question``."""
        if self._plain:
            return {"question": question}
        digest = hashlib.blake2b(question.encode(), key=self._key, digest_size=8)
        return {"question_hash": digest.hexdigest()}


def log_build(state: BuildState) -> None:
    """Log that a build began or how it ended."""
    if state.finished is None or state.started is None:
        _log.info("build began", build=state.id, full=state.full)
        return
    known: dict[str, Any] = {
        "build": state.id,
        "outcome": outcome_of(state),
        "seconds": round((state.finished - state.started).total_seconds(), 3),
    }
    if state.report is not None:
        report = state.report
        counts = ("generation", "articles", "paragraphs", "added", "changed", "moved", "removed")
        known |= {name: getattr(report, name) for name in counts}
        _log.info("build ended", **known, skipped=len(report.skipped))
    elif state.problem is not None:
        problem = state.problem
        _log.warning("build ended", **known, problem=problem.code, detail=problem.detail)


def _timed(app: WSGIApplication) -> WSGIApplication:
    def begun(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[_BEGAN] = time.perf_counter()
        return app(environ, start_response)

    return begun


def _remember(query: BaseModel, result: BaseModel) -> None:
    """Keep what a request asked and was told until its line is written."""
    if has_request_context():
        g.told = query, result


def _requested(telemetry: Telemetry, questions: Questions, response: Response) -> None:
    route = request.url_rule.rule if request.url_rule else _NO_ROUTE
    status = response.status_code
    seconds = time.perf_counter() - request.environ[_BEGAN]
    problem = g.get("problem")
    telemetry.request(route, status, seconds, problem)
    known: dict[str, Any] = {
        "request_id": request_id(),
        "method": request.method,
        "route": route,
        "status": status,
        "ms": round(1000 * seconds, 1),
    }
    if "told" in g:
        known |= _understood(questions, *g.told)
    if problem is not None:
        known["problem"] = problem
    say = _log.error if status == 500 else _log.info
    say("request", **known)


def _understood(questions: Questions, query: Any, result: Any) -> dict[str, Any]:
    """What is known of a question and its result, whichever kind they are."""
    facts = {
        "mode": getattr(query, "mode", None),
        "hits": len(result.hits) if hasattr(result, "hits") else None,
        "reason": getattr(result, "reason", None),
        "generation": getattr(result, "generation", None),
        **(questions.told(query.q) if hasattr(query, "q") else {}),
    }
    return {name: value for name, value in facts.items() if value is not None}
