"""The search page, articles and similar paragraphs: a Flask blueprint over a seam to the engine.

The pages are plain HTML that works without scripts; the one there is asks for the same pages while
somebody types. Requests are validated by the same shapes as the HTTP routes; what is refused or
fails comes back as a page too, with the form as it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from flask import Blueprint, g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from indexer.errors import QueryError, StoredIndexError, WinnowError
from indexer.types import Span
from service import conditional
from service.problems import status_of
from service.requests import (
    AnswerQuery,
    ArticlesQuery,
    DraftQuery,
    SearchQuery,
    SimilarQuery,
)
from service.telemetry import kind_of
from service.web import articles, failures, feeds, opensearch
from service.web.articles import paragraph_id
from service.web.failures import MODES
from service.web.forms import LABELS, form, page_address, sent, validated
from service.web.limits import choices, limits
from service.web.marking import Excerpt, excerpt, in_words
from service.web.rebuilding import STAGES, add_routes, percent_done, state_of
from service.wording import likelihood, ordinal, percent, spoken_period

if TYPE_CHECKING:
    from service.answers import AnswerResult, AnswerShape
    from service.builds import Builds
    from service.results import (
        ArticleShape,
        ContributionShape,
        HitShape,
        SearchResult,
        SimilarResult,
    )
    from service.states import Readiness


class Engine(articles.Engine, feeds.Engine, opensearch.Engine, Protocol):
    """What the pages need of the engine. Every method may raise a :class:`WinnowError`."""

    def answer(self, query: AnswerQuery) -> AnswerResult:
        """The answer to a question and the first hits for it."""

    def similar(self, id_: str, query: SimilarQuery) -> SimilarResult:
        """Paragraphs that are like one."""

    def readiness(self) -> Readiness:
        """The state of the index."""


_MEANS = {"keyword": "its words", "semantic": "its meaning", "rerank": "the reader"}
"""What each part of a score goes by."""

_INSTANT = "instant"
"""The parameter with which the script asks for a question that is still being typed."""

_PAGE_LENGTH = 10
_NEWEST = 20


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
        asked = sent(*LABELS, _INSTANT)
        query = _query(asked, asked.pop(_INSTANT, None))
        if query is None:
            return _home(engine, builds)
        if isinstance(query, SearchQuery):
            return _results(engine, engine.search(query), instant=not query.cursor)
        return _results(engine, engine.answer(query))

    @pages.get("/paragraphs/<id_>/similar")
    def similar(id_: str) -> str:
        sent()
        result = engine.similar(paragraph_id(id_), SimilarQuery())
        conditional.note(result)
        return render_template("similar.html", result=result)

    articles.install(pages, engine)
    feeds.install(pages, engine)
    opensearch.install(pages, engine)
    if builds is not None:
        add_routes(pages, engine, builds)
    return pages


def _query(values: dict[str, Any], instant: str | None) -> AnswerQuery | SearchQuery | None:
    """What is asked; None where nothing is.

    While somebody types, ``instant`` asks for ``hits`` alone, which are there before the next key
    is pressed, and when the keys rest for an ``answer``.

    Raises:
        QueryError: A value cannot be.
    """
    if instant not in {None, "hits", "answer"}:
        raise QueryError("this is neither hits nor answer", parameter=_INSTANT)
    values = {"limit": _PAGE_LENGTH, "facets": True, **values}
    if "cursor" in values:
        return validated(SearchQuery, values)
    if instant == "hits":
        return validated(SearchQuery, {**values, "rerank": "0"})
    return validated(DraftQuery if instant else AnswerQuery, values)


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
        limits=list(limits(result.filters, q, page_address)),
        choices=list(choices(result.facets, page_address)),
    )


def _vocabulary() -> dict[str, object]:
    """What every template may use."""
    return {
        "form": form(),
        "labels": LABELS,
        "modes": MODES,
        "in_words": in_words,
        "page_address": page_address,
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
