"""The search page, articles and similar paragraphs: a Flask blueprint over a seam to the engine.

The pages are plain HTML that works without scripts. Requests are validated by the same shapes as
the HTTP routes; what is refused or fails comes back as a page too, with the form as it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from flask import Blueprint, Response, g, make_response, render_template, request, url_for
from pydantic import ValidationError

from indexer.errors import (
    IndexMissing,
    ModelError,
    NotFound,
    QueryError,
    StaleCursor,
    StoredIndexError,
    WinnowError,
)
from indexer.types import Span
from service.problems import status_of
from service.requests import AnswerQuery, ArticlesQuery, ParagraphPath, SearchQuery, SimilarQuery
from service.web.limits import choices, limits
from service.web.marking import Excerpt, excerpt, first_words, in_words
from service.wording import likelihood, ordinal, percent, spoken_period

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from service.answers import AnswerResult, AnswerShape
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


_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Questions are in the address and are nobody else's business.
    "Referrer-Policy": "no-referrer",
}

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

_MODES = {"hybrid": "words and meaning", "keyword": "words only", "semantic": "meaning only"}

_NOUNS = {"keyword": "words", "semantic": "meaning"}
"""What each search goes by."""

_PAGE_LENGTH = 10
_NEWEST = 20

_Query = TypeVar("_Query", AnswerQuery, SearchQuery)


_HEADINGS: dict[type[WinnowError], str] = {
    StaleCursor: "This page of results is out of date",
    QueryError: "There is a mistake in the request",
    NotFound: "There is nothing here",
    IndexMissing: "Nothing has been indexed yet",
    StoredIndexError: "The index cannot be read",
    ModelError: "Meaning cannot be searched now",
    WinnowError: "Something went wrong",
}
"""The first kind that fits an error counts."""

_ADVICE: dict[type[WinnowError], str] = {
    NotFound: "An article's file may have been removed, moved or renamed.",
    ModelError: f"Search by {_MODES['keyword']} until the model is in place.",
}
"""What to say instead of hints that are meant for programs."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one search gave a hit: in words, and as a stretch of a bar.

    ``start`` and ``width`` are in percent of the highest possible score.
    """

    source: str
    start: float
    width: float
    words: str


def blueprint(engine: Engine) -> Blueprint:
    """The pages over ``engine``, with their templates and, below ``/assets``, their style."""
    # Flask itself serves an application's own files at /static and would come first there.
    pages = Blueprint(
        "pages",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/assets",
    )
    pages.after_request(_guard)
    pages.register_error_handler(WinnowError, _problem)
    pages.app_context_processor(_vocabulary)

    @pages.get("/")
    def search() -> str:
        sent = _sent(*_LABELS)
        if "cursor" in sent:
            later = _validated(SearchQuery, sent)
            return _results(engine.search(later)) if later else _home(engine)
        first = _validated(AnswerQuery, sent)
        return _results(engine.answer(first)) if first else _home(engine)

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
        return render_template("similar.html", result=result)

    return pages


def missing() -> Response:
    """The page for an address at which there is none."""
    return _guard(make_response(_problem(NotFound("there is no page at this address"))))


def _home(engine: Engine) -> str:
    newest = engine.articles(ArticlesQuery(limit=_NEWEST))
    return render_template("search.html", state=engine.readiness(), newest=newest)


def _results(result: AnswerResult | SearchResult) -> str:
    q = request.args.get("q", "").strip()
    return render_template(
        "search.html",
        result=result,
        limits=list(limits(result.filters, q, _page_address)),
        choices=list(choices(result.facets, _page_address)),
    )


def _guard(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response


def _vocabulary() -> dict[str, object]:
    """What every template may use."""
    return {
        "form": _form(),
        "labels": _LABELS,
        "modes": _MODES,
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
    }


def _form() -> dict[str, str]:
    """What the form was sent with, good or bad."""
    return {name: request.args.get(name, "").strip() for name in _LABELS if name != "cursor"}


def _page_address(**changes: str | None) -> str:
    """The address of this search, from the first page on, with other parameters."""
    values: dict[str, Any] = {name: value or None for name, value in _form().items()} | changes
    return url_for("pages.search", **values)


def _problem(error: WinnowError) -> tuple[str, int]:
    """Render ``error`` as a page; see :func:`service.problems.problem` for ``g.problem``."""
    g.problem = error.code
    status = status_of(error)
    page = render_template(
        "error.html",
        error=error,
        status=status,
        heading=next(_HEADINGS[kind] for kind in _HEADINGS if isinstance(error, kind)),
        advice=_ADVICE.get(type(error), error.hint),
        parameter=error.parameter if isinstance(error, QueryError) else None,
    )
    return page, status


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
        hint = f"Choose {', '.join(_MODES.values())}."
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
    noun = _NOUNS.get(part.source, part.source)
    taken = "".join(
        f", “{word}” taken for “{'” and “'.join(words)}”"
        for word, words in (part.corrected or {}).items()
    )
    if part.rank is None:
        return f"not among the first by its {noun}{taken}"
    return f"by its {noun}: {ordinal(part.rank)}{taken}"
