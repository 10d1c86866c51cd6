"""The HTTP routes: parameters in, the engine's results out, errors in one shape.

flask-openapi validates requests with the models of :mod:`service.requests` and writes
/openapi.json from them. Paths below /v1 and /health speak JSON; the page has its own module.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_openapi import APIBlueprint, Info, OpenAPI, Tag
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from indexer.errors import WinnowError
from service import (
    compression,
    conditional,
    headers,
    maintenance,
    origins,
    problems,
    reference,
)
from service.answers import AnswerResult
from service.builds import Builds
from service.engine import Engine
from service.hints import SuggestionList
from service.observation import observe
from service.refusing import for_programs, refuse
from service.requests import (
    AnswerBody,
    AnswerQuery,
    ArticlePath,
    ArticlesQuery,
    NoParameters,
    ParagraphPath,
    SearchQuery,
    SimilarQuery,
    SuggestQuery,
)
from service.results import (
    ArticleList,
    FullArticle,
    FullParagraph,
    Problem,
    SearchResult,
    SimilarResult,
)
from service.states import Liveness, Readiness, Standing
from service.validation import refusal
from service.web.pages import blueprint as pages

VERSION = "1"

_MAX_BODY = 64 * 1024
"""Bytes of a request's body: a question is a thousand characters."""

_SEARCH = Tag(name="search", description="Ranked paragraphs and answers.")
_ARTICLES = Tag(name="articles", description="What the collection holds.")
_HEALTH = Tag(name="health", description="Whether the service is up and can answer.")


def create_app(
    engine: Engine,
    builds: Builds | None = None,
    *,
    streams: int = 1,
    guard: Callable[[Flask], None] | None = None,
) -> Flask:
    """The application: routes under /v1, health, documentation and the page.

    Without ``builds`` the routes that change the index are left out. ``streams`` is how many
    requests may follow a build at the same time. ``guard`` adds what has to be passed first.
    """
    app = OpenAPI(
        "winnow",
        info=Info(
            title="Winnow",
            version=VERSION,
            description="Search and answers over your own collection of news articles.",
        ),
        doc_ui=False,
        validation_error_status=400,
        validation_error_model=Problem,
        validation_error_callback=_refuse,
        static_folder=None,
    )
    observe(app, engine, builds)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY
    app.register_error_handler(WinnowError, problems.from_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    # Looked at in this order; responses pass through in the opposite one.
    origins.install(app, engine.settings)
    if guard is not None:
        guard(app)
    app.before_request(_check_request)
    app.after_request(_mark)
    headers.install(app)
    compression.install(app)
    conditional.install(app, engine.standing)
    app.register_api(_routes(engine))
    app.register_api(_health(engine))
    if builds is not None:
        app.register_api(maintenance.routes(engine, builds, streams))
    app.register_blueprint(pages(engine, builds))
    reference.install(app)
    return app


def _routes(engine: Engine) -> APIBlueprint:
    api = APIBlueprint("api", __name__, abp_responses=problems.documented(400, 401, 429, 500, 503))

    @api.get(
        "/v1/search",
        tags=[_SEARCH],
        responses={"200": SearchResult, **problems.documented(410, 503)},
    )
    def search(query: SearchQuery) -> Response:
        """Rank paragraphs for a query."""
        return _json(engine.search(query))

    @api.get(
        "/v1/answers",
        tags=[_SEARCH],
        responses={"200": AnswerResult, **problems.documented(503)},
    )
    def ask(query: AnswerQuery) -> Response:
        """Answer a question, verbatim from an article, or say that there is no answer."""
        return _json(engine.answer(query))

    @api.post(
        "/v1/answers",
        tags=[_SEARCH],
        responses={"200": AnswerResult, **problems.documented(413, 415, 503)},
    )
    def ask_in_body(body: AnswerBody, query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """The same, with the question in a JSON body."""
        values = body.model_dump()
        return _json(engine.answer(AnswerQuery(q=values.pop("question"), **values)))

    @api.get(
        "/v1/suggest",
        tags=[_SEARCH],
        responses={"200": SuggestionList, **problems.documented(503)},
    )
    def suggest(query: SuggestQuery) -> Response:
        """Complete what is being typed, from the collection's words, names and titles."""
        return _json(engine.suggest(query))

    @api.get(
        "/v1/articles",
        tags=[_ARTICLES],
        responses={"200": ArticleList, **problems.documented(503)},
    )
    def articles(query: ArticlesQuery) -> Response:
        """The articles of the collection, newest first."""
        return _json(engine.articles(query))

    @api.get(
        "/v1/articles/<id>",
        tags=[_ARTICLES],
        responses={"200": FullArticle, **problems.documented(404, 503)},
    )
    def article(path: ArticlePath, query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """An article with all its paragraphs."""
        return _json(engine.article(path.id))

    @api.get(
        "/v1/paragraphs/<id>",
        tags=[_ARTICLES],
        responses={"200": FullParagraph, **problems.documented(404, 503)},
    )
    def paragraph(path: ParagraphPath, query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """One paragraph with its article."""
        return _json(engine.paragraph(path.id))

    @api.get(
        "/v1/paragraphs/<id>/similar",
        tags=[_SEARCH],
        responses={"200": SimilarResult, **problems.documented(404, 503)},
    )
    def similar(path: ParagraphPath, query: SimilarQuery) -> Response:
        """Paragraphs that are like one, nearest first."""
        return _json(engine.similar(path.id, query))

    return api


def _health(engine: Engine) -> APIBlueprint:
    """Routes that need no key and are not counted."""
    api = APIBlueprint("health", __name__, abp_responses=problems.documented(400, 500))

    @api.get("/health/live", tags=[_HEALTH], responses={"200": Liveness})
    def live(query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """The process is up."""
        return _json(Liveness(status="ok"))

    @api.get("/health/ready", tags=[_HEALTH], responses={"200": Readiness, "503": Readiness})
    def ready(query: NoParameters) -> Response:  # noqa: ARG001 - refuses any
        """Whether questions can be answered; 503 while they cannot."""
        readiness = engine.readiness()
        status = 503 if readiness.status == "not_ready" else 200
        told = Standing(status=readiness.status) if g.get("stranger") else readiness
        return _json(told, status)

    return api


def _json(body: BaseModel, status: int = 200) -> Response:
    conditional.note(body)
    return Response(
        body.model_dump_json(exclude_unset=True), status, content_type="application/json"
    )


def _refuse(error: ValidationError) -> Response:
    return problems.from_error(refusal(error))


def _check_request() -> Response | None:
    """Refuse what would be misread: a parameter given twice, a body that is not JSON."""
    if not for_programs():
        return None
    for name, values in request.args.lists():
        if len(values) > 1:
            return problems.problem(
                400,
                f"{name} is given {len(values)} times",
                code="bad_query",
                hint="Give it once.",
                parameter=name,
            )
    if request.method == "POST" and request.routing_exception is None:
        return _check_body()
    return None


def _check_body() -> Response | None:
    if not request.mimetype and not request.get_data():
        return None  # no body at all, which some routes can do without
    if not request.is_json:
        return problems.problem(
            415,
            f"the body is {request.mimetype or 'of no stated type'}, not application/json",
            code="bad_content_type",
            hint='Send JSON: -H "Content-Type: application/json"',
        )
    code, detail = "bad_query", "the body is null"
    try:
        if json.loads(request.get_data()) is not None:
            return None
    except (ValueError, RecursionError) as error:
        code, detail = "bad_json", f"the body is not JSON: {error}"
    hint = "Send one JSON object; /docs shows what each route takes."
    return problems.problem(400, detail, code=code, hint=hint, parameter="body")


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    detail = error.description or ""
    if status == 404 and not for_programs():
        detail = "there is no page at this address"
    name = type(error).__name__
    code = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    response = refuse(status, detail, code=code)
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(cast("list[str]", allowed)))
    return response


def _unexpected(error: Exception) -> Response:
    current_app.logger.error("request %s failed", problems.request_id(), exc_info=error)
    return refuse(
        500,
        "something went wrong here; it is in the log under this request's id",
        code="internal_error",
    )


def _mark(response: Response) -> Response:
    response.headers["X-Request-ID"] = problems.request_id()
    return response
