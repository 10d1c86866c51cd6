"""The one way in: what the page, the HTTP routes and the terminal ask, answered from a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict

from indexer.errors import ModelError, NotFound, QueryError, StoredIndexError
from indexer.freshness import Freshness
from indexer.generations import Generations
from indexer.leaves import describe
from indexer.protocols import Embedder
from indexer.settings import Settings
from indexer.stopwatch import Stopwatch
from indexer.types import Span
from service.answering import READ, decide, gather
from service.cursors import read_cursor, stale, write_cursor
from service.history import activate, history
from service.library import Library
from service.reading import (
    Evidence,
    Reader,
    Reading,
    SentenceReader,
    content_terms,
    sentence_features,
)
from service.requests import AnswerQuery, ArticlesQuery, SearchQuery
from service.results import (
    AnswerResult,
    AnswerShape,
    ArticleEntry,
    ArticleList,
    ArticleShape,
    BuildFailure,
    ContributionShape,
    Explanation,
    FullArticle,
    FullParagraph,
    GenerationList,
    GenerationShape,
    HitShape,
    ParagraphShape,
    Readiness,
    SearchResult,
)
from service.retrieval import Ranked, Ranking, rank
from service.snapshot import Snapshot


class Engine:
    """Answers questions from the live generation of an index folder, which ``library`` lends."""

    def __init__(
        self, settings: Settings, embedder: Embedder | ModelError, reader: Reader | None = None
    ) -> None:
        self._settings = settings
        self._generations = Generations(settings.index)
        self._embedder = embedder
        self.library = Library(settings, embedder)
        self._freshness = Freshness(settings.seeds)
        self._reader = reader or SentenceReader()

    def search(self, query: SearchQuery) -> SearchResult:
        """A page of hits.

        Raises:
            QueryError: The days leave none between them, or the cursor is not of this search.
            StaleCursor: The generation that the cursor belongs to is gone.
            StoredIndexError: There is no index, or it cannot be read.
            ModelError: Mode ``semantic`` was asked for and no model is there.
        """
        watch = Stopwatch()
        generation, offset = read_cursor(query)
        with self._borrow(generation) as snapshot:
            ranking = self._rank(snapshot, query, watch)
            with watch.stage("hits"):
                page = ranking.ranked[offset : offset + query.limit]
                hits = _hits(snapshot, ranking, gather(snapshot, ranking, page), page)
            return SearchResult(
                query=query.q,
                mode=query.mode,
                hits=hits,
                next_cursor=_next(snapshot, query, ranking, offset + query.limit),
                **({"explanation": self._explain(snapshot, ranking)} if query.explain else {}),
                **self._circumstances(snapshot, ranking, watch),
            )

    def answer(self, query: AnswerQuery) -> AnswerResult:
        """The answer with its evidence; raises what :meth:`search` does."""
        watch = Stopwatch()
        with self.library.borrow() as snapshot:
            ranking = self._rank(snapshot, query, watch)
            with watch.stage("read"):
                evidence = gather(snapshot, ranking, ranking.ranked[: max(READ, query.limit)])
                decision = decide(
                    self._reader,
                    ranking.query.question,
                    evidence[:READ],
                    self._settings.answer_threshold,
                )
            with watch.stage("hits"):
                page = ranking.ranked[: query.limit]
                hits = _hits(snapshot, ranking, evidence[: query.limit], page)
            return AnswerResult(
                question=query.q,
                answer=_answer(decision.answer) if decision.answer else None,
                reason=decision.reason,
                alternatives=[_answer(reading) for reading in decision.alternatives],
                hits=hits,
                next_cursor=_next(snapshot, query, ranking, query.limit),
                **self._circumstances(snapshot, ranking, watch),
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

    def generations(self) -> GenerationList:
        """The generations that are kept, newest first."""
        return history(self._generations)

    def activate(self, id_: str) -> GenerationShape:
        """Search generation ``id_`` from now on; see :func:`service.history.activate`."""
        activated = activate(self._generations, id_)
        self.library.refresh()
        return activated

    def warm(self) -> None:
        """Load the model and open the index, so that the first question need not wait for it."""
        if self.readiness().status != "not_ready":
            self.search(SearchQuery(q="warm"))

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
        self, snapshot: Snapshot, query: SearchQuery | AnswerQuery, watch: Stopwatch
    ) -> Ranking:
        if query.after and query.before and query.after > query.before:
            raise QueryError(
                f"after {query.after} and before {query.before} leave no day between them",
                parameter="after",
                hint="Give the earlier day as after.",
            )
        return rank(
            snapshot,
            self._settings,
            query.q,
            query.mode,
            after=query.after.isoformat() if query.after else None,
            before=query.before.isoformat() if query.before else None,
            watch=watch,
        )

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

    def _explain(self, snapshot: Snapshot, ranking: Ranking) -> Explanation:
        constraint = ranking.query.constraint
        return Explanation(
            words=ranking.query.question,
            constraint=None if constraint is None else describe(constraint),
            fusion=self._settings.fusion,
            tuned=snapshot.tuned.now().parameters,
            depth=self._settings.depth,
            candidates=len(ranking.ranked),
            model=snapshot.manifest.identity["model"] if snapshot.semantic else None,
        )


def _hits(
    snapshot: Snapshot, ranking: Ranking, evidence: Sequence[Evidence], ranked: Sequence[Ranked]
) -> list[HitShape]:
    asked = content_terms(ranking.query.question)
    return [
        HitShape(
            rank=each.rank,
            score=each.score,
            paragraph=ParagraphShape.of(item.passage.article, item.passage.paragraph),
            article=ArticleShape.of(item.passage.article),
            matches=list(snapshot.keyword.matches(ranking.query, item.passage.paragraph.text)),
            best_sentence=_best_sentence(asked, item),
            contributions=[ContributionShape(**asdict(part)) for part in each.contributions],
        )
        for item, each in zip(evidence, ranked, strict=True)
    ]


def _best_sentence(asked: frozenset[str], evidence: Evidence) -> Span | None:
    cosines, coverage = sentence_features(asked, evidence)
    merits = cosines + coverage
    return evidence.passage.paragraph.sentences[int(merits.argmax())] if merits.any() else None


def _next(
    snapshot: Snapshot, query: SearchQuery | AnswerQuery, ranking: Ranking, offset: int
) -> str | None:
    more = offset < len(ranking.ranked)
    return write_cursor(query, snapshot.manifest.id, offset) if more else None


def _answer(reading: Reading) -> AnswerShape:
    return AnswerShape.of(reading.passage, reading.answer, reading.sentence, reading.confidence)
