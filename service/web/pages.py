"""The search page, articles and similar paragraphs: a Flask blueprint over a seam to the engine.

The pages are plain HTML that works without scripts; the one there is asks for the same pages while
somebody types. Requests are validated by the same shapes as the HTTP routes; what is refused or
fails comes back as a page too, with the form as it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from flask import Blueprint, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from indexer.errors import NotFound, QueryError, StoredIndexError, WinnowError
from indexer.types import Span
from service import conditional
from service.problems import status_of
from service.requests import (
    AnswerQuery,
    ArticlesQuery,
    DraftQuery,
    ParagraphPath,
    SearchQuery,
    SimilarQuery,
)
from service.telemetry import kind_of
from service.web import failures
from service.web.failures import MODES
from service.web.limits import choices, limits
from service.web.marking import Excerpt, excerpt, first_words, in_words
from service.web.rebuilding import STAGES, add_routes, percent_done, state_of
from service.wording import likelihood, ordinal, percent, spoken_period

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from service.answers import AnswerResult, AnswerShape
    from service.builds import Builds
    from service.results import (
        ArticleList,
        ArticleShape,
        ContributionShape,
        FullArticle,
        HitShape,
        SearchResult,
        SimilarResult,
    )
    from service.states import Readiness


class Engine(Protocol):
    """What the pages need of the engine. Every method may raise a :class:`WinnowError`."""

    def answer(self, query: AnswerQuery) -> AnswerResult:
        """The answer to a question and the first hits for it."""

    def search(self, query: SearchQuery) -> SearchResult:
        """A page of hits."""

    def article(self, id_: str) -> FullArticle:
        """An article with its paragraphs."""

    def articles(self, query: ArticlesQuery) -> ArticleList:
        """Articles, newest first."""

    def similar(self, id_: str, query: SimilarQuery) -> SimilarResult:
        """Paragraphs that are like one."""

    def readiness(self) -> Readiness:
        """The state of the index."""


_LABELS = {
    "q": "Question",
    "mode": "Search by",
    "after": "From",
    "before": "To",
    "month": "Month",
    "source": "Source",
    "author": "Author",
    "said_by": "Said by",
    "dates": "Dates in the question",
    "collapse": "Copies",
    "cursor": "Page",
}
"""Parameters of the search page, by the names that the page gives them."""

_MEANS = {"keyword": "its words", "semantic": "its meaning", "rerank": "the reader"}
"""What each part of a score goes by."""

_INSTANT = "instant"
"""The parameter with which the script asks for a question that is still being typed."""

_PAGE_LENGTH = 10
_NEWEST = 20

_Query = TypeVar("_Query", AnswerQuery, SearchQuery)


@dataclass(frozen=True, slots=True)
class Share:
    """What one search gave a hit: in words, and as a stretch of a bar.

    ``start`` and ``width`` are in percent of the highest possible score.
    """

    source: str
    start: float
    width: float
    words: str


def blueprint(engine: Engine, builds: Builds | None = None) -> Blueprint:
    """The pages over ``engine``, with their templates and, below ``/assets``, style and script.

    Without ``builds`` nothing can be rebuilt from them.
    """
    # Flask itself serves an application's own files at /static and would come first there.
    pages = Blueprint(
        "pages",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/assets",
    )
    pages.register_error_handler(WinnowError, failures.raised)
    pages.app_context_processor(_vocabulary)

    @pages.get("/")
    def search() -> ResponseReturnValue:
        sent = _sent(*_LABELS, _INSTANT)
        query = _query(sent, sent.pop(_INSTANT, None))
        if query is None:
            return _home(engine, builds)
        if isinstance(query, SearchQuery):
            return _results(engine, engine.search(query), instant=not query.cursor)
        return _results(engine, engine.answer(query))

    @pages.get("/articles/<id_>")
    def article(id_: str) -> str:
        _sent()
        full = engine.article(id_)
        texts = (paragraph.text for paragraph in full.paragraphs)
        title = full.article.title.strip() or first_words(next(texts, full.article.source))
        return render_template("article.html", full=full, title=title)

    @pages.get("/paragraphs/<id_>/similar")
    def similar(id_: str) -> str:
        _sent()
        try:
            path = ParagraphPath(id=id_)
        except ValidationError as error:
            raise NotFound(f"there is no paragraph “{id_}”") from error
        result = engine.similar(path.id, SimilarQuery())
        conditional.note(result)
        return render_template("similar.html", result=result)

    if builds is not None:
        add_routes(pages, engine, builds)
    return pages


def _query(sent: dict[str, str], instant: str | None) -> AnswerQuery | SearchQuery | None:
    """What is asked; None where nothing is.

    While somebody types, ``instant`` asks for ``hits`` alone, which are there before the next key
    is pressed, and when the keys rest for an ``answer``.

    Raises:
        QueryError: A value cannot be.
    """
    if instant not in {None, "hits", "answer"}:
        raise QueryError("this is neither hits nor answer", parameter=_INSTANT)
    if "cursor" in sent:
        return _validated(SearchQuery, sent)
    if instant == "hits":
        return _validated(SearchQuery, {**sent, "rerank": "0"})
    return _validated(DraftQuery if instant else AnswerQuery, sent)


def _home(engine: Engine, builds: Builds | None) -> ResponseReturnValue:
    try:
        newest = engine.articles(ArticlesQuery(limit=_NEWEST))
    except StoredIndexError as error:
        g.problem = error.code
        state = state_of(engine.readiness(), None, builds)
        heading = failures.heading_of(error)
        page = render_template("search.html", state=state, error=error, heading=heading)
        return make_response(page, status_of(error))
    first = newest.articles[0] if newest.articles else None
    state = state_of(engine.readiness(), first, builds)
    return render_template("search.html", state=state, newest=newest)


def _results(
    engine: Engine, result: AnswerResult | SearchResult, *, instant: bool = False
) -> ResponseReturnValue:
    conditional.note(result)
    q = request.args.get("q", "").strip()
    return render_template(
        "search.html",
        result=result,
        instant=instant,
        hurried=[each for each in result.degraded if kind_of(each) == "time"],
        degraded=[each for each in result.degraded if kind_of(each) != "time"],
        articles=engine.readiness().articles,
        limits=list(limits(result.filters, q, _page_address)),
        choices=list(choices(result.facets, _page_address)),
    )


def _vocabulary() -> dict[str, object]:
    """What every template may use."""
    return {
        "form": _form(),
        "labels": _LABELS,
        "modes": MODES,
        "in_words": in_words,
        "page_address": _page_address,
        "excerpt": excerpt,
        "headline": _headline,
        "hit_text": _hit_text,
        "answer_text": _answer_text,
        "likelihood": likelihood,
        "percent": percent,
        "spoken_period": spoken_period,
        "shares": _shares,
        "stages": STAGES,
        "percent_done": percent_done,
    }


def _form() -> dict[str, str]:
    """What the form was sent with, good or bad."""
    return {name: request.args.get(name, "").strip() for name in _LABELS if name != "cursor"}


def _page_address(**changes: str | None) -> str:
    """The address of this search, from the first page on, with other parameters."""
    values: dict[str, Any] = {name: value or None for name, value in _form().items()} | changes
    return url_for("pages.search", **values)


def _sent(*names: str) -> dict[str, str]:
    """The request's parameters, without those that a form sends empty.

    Raises:
        QueryError: A parameter is not one of ``names``, or is given twice.
    """
    for name, values in request.args.lists():
        if name not in names:
            raise QueryError(
                f"there is no parameter named “{name}” on this page",
                parameter=name,
                hint=f"There are: {', '.join(names)}." if names else "",
            )
        if len(values) > 1:
            raise QueryError("it was given more than once", parameter=name)
    return {name: value for name, value in request.args.items() if value.strip()}


def _validated(shape: type[_Query], sent: dict[str, str]) -> _Query | None:
    """The request as a query; None where nothing was asked.

    Raises:
        QueryError: A value cannot be.
    """
    try:
        return shape.model_validate({"limit": _PAGE_LENGTH, "facets": True, **sent})
    except ValidationError as error:
        # Only the question has no default, so a missing value is a missing question.
        faults = [fault for fault in error.errors() if fault["type"] != "missing"]
        if not faults:
            return None
        raise _refusal(faults[0]) from error


def _refusal(fault: ErrorDetails) -> QueryError:
    """What pydantic found wrong, said in the page's words."""
    name = str(fault["loc"][0])
    if name in {"after", "before"}:
        reason = "this is not a day of the calendar"
        hint = "Write year, month and day, such as 2025-07-03."
    elif name == "month":
        reason = "this is not a month of the calendar"
        hint = "Write year and month, such as 2025-07."
    elif name == "dates":
        reason = "this is not a way to read them"
        hint = "Write read or ignore."
    elif name == "mode":
        reason = "this is not a way to search"
        hint = f"Choose {', '.join(MODES.values())}."
    elif name == "collapse":
        reason, hint = "this does not say whether to gather copies", "Give 1 or 0."
    elif fault["type"].endswith("too_long"):
        reason = f"this is longer than {fault['ctx']['max_length']} characters"
        hint = "Shorten it."
    else:
        reason = "this has characters that no text has"
        hint = "Type it anew."
    return QueryError(reason, parameter=name, hint=hint)


def _headline(article: ArticleShape) -> str:
    """The title to link an article by; its source where it has none."""
    return article.title.strip() or article.source


def _hit_text(hit: HitShape) -> Excerpt:
    return excerpt(hit.paragraph.text, matches=hit.matches, sentence=hit.best_sentence)


def _answer_text(answer: AnswerShape) -> Excerpt:
    """The paragraph with the answer and its sentence marked."""
    sentence = Span(answer.sentence_start, answer.sentence_end)
    return excerpt(answer.paragraph.text, sentence=sentence, answer=Span(answer.start, answer.end))


def _shares(hit: HitShape) -> list[Share]:
    shares: list[Share] = []
    start = 0.0
    for part in hit.contributions:
        width = round(100 * part.points, 1)
        shares.append(Share(part.source, start, width, _standing(part)))
        start = round(start + width, 1)
    return shares


def _standing(part: ContributionShape) -> str:
    means = _MEANS.get(part.source, part.source)
    taken = "".join(
        f", “{word}” taken for “{'” and “'.join(words)}”"
        for word, words in (part.corrected or {}).items()
    )
    if part.rank is None:
        return f"not among the first by {means}{taken}"
    return f"by {means}: {ordinal(part.rank)}{taken}"
