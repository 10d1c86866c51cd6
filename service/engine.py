"""The one way in: what the page, the HTTP routes and the terminal ask, answered from a snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict

from indexer.errors import ModelError, NotFound, StoredIndexError
from indexer.freshness import Freshness
from indexer.generations import Generations
from indexer.protocols import Embedder
from indexer.settings import Settings
from indexer.stopwatch import Stopwatch
from service.answering import gather, read_answer
from service.answers import AnswerResult
from service.copies import also_in
from service.cursors import Place, read_cursor, stale, write_cursor
from service.extracts import Extractor
from service.filtering import FACET_VALUES, FacetsShape, FiltersShape, filters_of
from service.hints import DidYouMean, SuggestionList, SuggestionShape
from service.history import activate, history
from service.library import Library
from service.listening import Listener, told
from service.readers import reader_of
from service.reading import Reader
from service.requests import AnswerQuery, ArticlesQuery, SearchQuery, SimilarQuery, SuggestQuery
from service.results import (
    ArticleEntry,
    ArticleList,
    ArticleShape,
    CopyShape,
    FullArticle,
    FullParagraph,
    ParagraphShape,
    SearchResult,
    SimilarResult,
)
from service.retrieval import Ranking, rank
from service.shaping import answers_of, explanation_of, hits_of
from service.similar import similar
from service.snapshot import Snapshot
from service.states import BuildFailure, GenerationList, GenerationShape, Readiness
from service.unanswered import Unanswered


def today() -> dt.date:
    """The day it is where this runs."""
    return dt.datetime.now().astimezone().date()


class Engine:
    """Answers questions from the live generation of an index folder, which ``library`` lends.

    ``listeners`` are told of every question with its result.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder | ModelError,
        reader: Reader | None = None,
        extractor: Extractor | ModelError | None = None,
        clock: Callable[[], dt.date] = today,
    ) -> None:
        self._settings = settings
        self._generations = Generations(settings.index)
        self._embedder = embedder
        self.library = Library(settings, embedder, extractor)
        self._freshness = Freshness(settings.seeds)
        self._reader = reader or reader_of(settings)
        self._clock = clock
        self.listeners: list[Listener] = []
        if settings.unanswered_log:
            self.listeners.append(Unanswered(settings.index).note)

    @property
    def settings(self) -> Settings:
        """What is in force."""
        return self._settings

    @told
    def search(self, query: SearchQuery) -> SearchResult:
        """A page of hits.

        Raises:
            QueryError: The days leave none between them, or the cursor is not of this search.
            StaleCursor: The generation that the cursor belongs to is gone.
            StoredIndexError: There is no index, or it cannot be read.
            ModelError: Mode ``semantic`` was asked for and no model is there.
        """
        watch = Stopwatch()
        place = read_cursor(query, self._clock())
        with self._borrow(place.generation) as snapshot:
            ranking = self._rank(snapshot, query, place.today, watch)
            with watch.stage("hits"):
                page = ranking.ranked[place.offset : place.offset + query.limit]
                hits = hits_of(snapshot, ranking, gather(snapshot, ranking, page), page)
            return SearchResult(
                query=query.q,
                mode=query.mode,
                hits=hits,
                next_cursor=_next(snapshot, query, ranking, place),
                **(
                    {"explanation": explanation_of(snapshot, ranking, self._settings)}
                    if query.explain
                    else {}
                ),
                **self._understanding(snapshot, query, ranking, watch),
            )

    @told
    def answer(self, query: AnswerQuery) -> AnswerResult:
        """The answer with its evidence; raises what :meth:`search` does."""
        watch = Stopwatch()
        place = Place(None, 0, self._clock())
        with self.library.borrow() as snapshot:
            ranking = self._rank(snapshot, query, place.today, watch)
            with watch.stage("read"):
                evidence, decision = read_answer(
                    snapshot, self._settings, self._reader, ranking, query.limit
                )
            with watch.stage("hits"):
                page = ranking.ranked[: query.limit]
                hits = hits_of(snapshot, ranking, evidence[: query.limit], page)
                answers = answers_of(snapshot, ranking.ranked, decision.answers)
            return AnswerResult(
                question=query.q,
                answer=answers[0] if answers else None,
                reason=decision.reason,
                detail=decision.detail,
                surest=decision.surest,
                alternatives=answers[1:],
                hits=hits,
                next_cursor=_next(snapshot, query, ranking, place),
                **self._understanding(snapshot, query, ranking, watch),
            )

    @told
    def suggest(self, query: SuggestQuery) -> SuggestionList:
        """Completions of what is being typed."""
        watch = Stopwatch()
        with self.library.borrow() as snapshot:
            with watch.stage("complete"):
                found = snapshot.completer().complete(query.q, query.limit)
            return SuggestionList(
                generation=snapshot.manifest.id,
                query=query.q,
                suggestions=[SuggestionShape(**asdict(each)) for each in found],
                took_ms=watch.milliseconds(),
            )

    def articles(self, query: ArticlesQuery) -> ArticleList:
        """A page of articles, newest first."""
        with self.library.borrow() as snapshot:
            entries = snapshot.store.articles(query.limit, query.offset)
            return ArticleList(
                generation=snapshot.manifest.id,
                total=snapshot.manifest.counts["articles"],
                articles=[
                    ArticleEntry(**ArticleShape.of(article).model_dump(), paragraphs=count)
                    for article, count in entries
                ],
            )

    def article(self, id_: str) -> FullArticle:
        """An article with its paragraphs; NotFound if there is none with this id."""
        with self.library.borrow() as snapshot:
            article = snapshot.store.article(id_)
            return FullArticle(
                generation=snapshot.manifest.id,
                article=ArticleShape.of(article),
                paragraphs=[ParagraphShape.of(article, each) for each in article.paragraphs],
            )

    def paragraph(self, id_: str) -> FullParagraph:
        """A paragraph by ``<article id>-<number>``; NotFound if there is none."""
        article_id, _, number = id_.partition("-")
        with self.library.borrow() as snapshot:
            passage = snapshot.store.passage(article_id, int(number))
            return FullParagraph(
                generation=snapshot.manifest.id,
                paragraph=ParagraphShape.of(passage.article, passage.paragraph),
                article=ArticleShape.of(passage.article),
            )

    @told
    def similar(self, id_: str, query: SimilarQuery) -> SimilarResult:
        """Paragraphs like the one with this id, by words and meaning; NotFound if there is none."""
        watch = Stopwatch()
        article_id, _, number = id_.partition("-")
        with self.library.borrow() as snapshot:
            passage = snapshot.store.passage(article_id, int(number))
            with watch.stage("similar"):
                ranking, copies = similar(
                    snapshot, self._settings, passage, same_article=query.same_article
                )
            with watch.stage("hits"):
                page = ranking.ranked[: query.limit]
                hits = hits_of(snapshot, ranking, gather(snapshot, ranking, page), page)
                own = also_in(snapshot.store, [copies])[0]
            return SimilarResult(
                paragraph=ParagraphShape.of(passage.article, passage.paragraph),
                article=ArticleShape.of(passage.article),
                also_in=[CopyShape.of(copy) for copy in own],
                hits=hits,
                **self._circumstances(snapshot, ranking, watch),
            )

    def readiness(self) -> Readiness:
        """Whether questions can be answered, and how well; never raises for a missing index."""
        failure = self._generations.failure()
        now = {
            "building": self._generations.writer() is not None,
            "last_failure": BuildFailure(**asdict(failure)) if failure else None,
        }
        failed = [str(failure)] if failure else []
        try:
            with self.library.borrow() as snapshot:
                pending = self._freshness.pending(snapshot.manifest)
                degraded = [*snapshot.degraded("hybrid"), *self._freshness.problems(), *failed]
                return Readiness(
                    status="degraded" if degraded else "ready",
                    generation=snapshot.manifest.id,
                    created=snapshot.manifest.created,
                    articles=snapshot.manifest.counts["articles"],
                    paragraphs=snapshot.manifest.counts["paragraphs"],
                    pending=pending,
                    degraded=degraded,
                    model=snapshot.semantic is not None,
                    **now,
                )
        except StoredIndexError as error:
            return Readiness(
                status="not_ready",
                generation=None,
                created=None,
                articles=0,
                paragraphs=0,
                pending=0,
                degraded=[f"{error}. {error.hint}", *failed],
                model=not isinstance(self._embedder, ModelError),
                **now,
            )

    def standing(self) -> str:
        """What results depend on beside the question: where it is equal, so are they."""
        tuned: object = None
        with suppress(StoredIndexError), self.library.borrow() as snapshot:  # readiness says so
            tuned = snapshot.tuned.now()
        return f"{self._clock()} {tuned} {self.readiness().model_dump_json()}"

    def generations(self) -> GenerationList:
        """The generations that are kept, newest first."""
        return history(self._generations)

    def activate(self, id_: str) -> GenerationShape:
        """Search generation ``id_`` from now on; see :func:`service.history.activate`."""
        activated = activate(self._generations, id_)
        self.refresh()
        return activated

    def refresh(self) -> None:
        """Search the live generation from now on, as soon as it is published."""
        self.library.refresh()

    def warm(self) -> None:
        """Load the models and open the index, so that the first question need not wait for it.

        What completes a question is loaded when it is first asked for.
        """
        if self.readiness().status != "not_ready":
            self.answer(AnswerQuery(q="what is warm"))
            with self.library.borrow() as snapshot:
                snapshot.speller()

    def close(self) -> None:
        """Release the index."""
        self.library.close()

    @contextmanager
    def _borrow(self, generation: str | None) -> Iterator[Snapshot]:
        with ExitStack() as borrowed:
            try:
                snapshot = borrowed.enter_context(self.library.borrow(generation))
            except NotFound as error:
                raise stale() from error
            yield snapshot

    def _rank(
        self,
        snapshot: Snapshot,
        query: SearchQuery | AnswerQuery,
        today: dt.date,
        watch: Stopwatch,
    ) -> Ranking:
        return rank(
            snapshot,
            self._settings,
            query.q,
            query.mode,
            filters_of(query),
            today=today if query.dates == "read" else None,
            collapse=query.collapse,
            rerank=query.rerank,
            answering=isinstance(query, AnswerQuery),
            watch=watch,
        )

    def _understanding(
        self,
        snapshot: Snapshot,
        query: SearchQuery | AnswerQuery,
        ranking: Ranking,
        watch: Stopwatch,
    ) -> dict[str, object]:
        facets: dict[str, object] = {}
        if query.facets:
            with watch.stage("facets"):
                keys = [key for each in ranking.ranked for key in each.paragraphs]
                facets["facets"] = FacetsShape.of(snapshot.store.facets(keys, FACET_VALUES))
        return {
            "filters": FiltersShape.of(ranking.filters, query.q),
            **facets,
            "did_you_mean": DidYouMean.of(ranking.query.text, ranking.corrections),
            **self._circumstances(snapshot, ranking, watch),
        }

    def _circumstances(
        self, snapshot: Snapshot, ranking: Ranking, watch: Stopwatch
    ) -> dict[str, object]:
        # Counting what is pending is what finds out whether the seeds can be seen at all.
        pending = self._freshness.pending(snapshot.manifest)
        return {
            "generation": snapshot.manifest.id,
            "degraded": [*ranking.degraded, *self._freshness.problems()],
            "pending": pending,
            "took_ms": watch.milliseconds(),
        }


def _next(
    snapshot: Snapshot, query: SearchQuery | AnswerQuery, ranking: Ranking, place: Place
) -> str | None:
    offset = place.offset + query.limit
    if offset >= len(ranking.ranked):
        return None
    return write_cursor(query, Place(snapshot.manifest.id, offset, place.today))
