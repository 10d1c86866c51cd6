"""The shapes that users see: what the HTTP routes return, and ``--json`` prints.

They are pydantic models, so that one definition serialises results and documents itself in
/openapi.json. The page renders the same objects.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from indexer.forecast import Forecast, nothing_to_index
from indexer.plan import Move
from indexer.reports import BuildReport
from indexer.settings import Settings
from indexer.store import Passage
from indexer.types import Article, Paragraph, Skipped, Span
from service.requests import Mode


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class ParagraphShape(_Shape):
    """A paragraph. `start` and `end` are offsets in the decoded source: the slice equals `text`."""

    id: str
    number: int
    text: str
    start: int
    end: int

    @classmethod
    def of(cls, article: Article, paragraph: Paragraph) -> Self:
        """The shape of a paragraph of ``article``."""
        return cls(
            id=f"{article.id}-{paragraph.number}",
            number=paragraph.number,
            text=paragraph.text,
            start=paragraph.start,
            end=paragraph.end,
        )


class ArticleShape(_Shape):
    """Where a paragraph stands. `source` is the seed file, below the seeds folder."""

    id: str
    title: str
    published: str | None
    byline: str | None
    source: str
    publisher: str | None
    language: str | None
    encoding: str

    @classmethod
    def of(cls, article: Article) -> Self:
        """The shape of an article."""
        return cls(
            id=article.id,
            title=article.title,
            published=article.published,
            byline=article.byline,
            source=article.source,
            publisher=article.publisher,
            language=article.language,
            encoding=article.encoding,
        )


class ArticleEntry(ArticleShape):
    """An article in the list."""

    paragraphs: int


class ArticleList(_Shape):
    """Articles, newest first."""

    generation: str
    total: int
    articles: list[ArticleEntry]


class FullArticle(_Shape):
    """An article with all its paragraphs."""

    generation: str
    article: ArticleShape
    paragraphs: list[ParagraphShape]


class FullParagraph(_Shape):
    """One paragraph and its article."""

    generation: str
    paragraph: ParagraphShape
    article: ArticleShape


class ContributionShape(_Shape):
    """What one side adds to a hit's score: `points = weight * normalised`."""

    source: str
    rank: int | None = Field(description="Rank in this side's own list; null if not among it.")
    raw: float
    normalised: float
    weight: float
    points: float


class HitShape(_Shape):
    """A ranked paragraph. `matches` and `best_sentence` are offsets in `paragraph.text`."""

    rank: int
    score: float
    paragraph: ParagraphShape
    article: ArticleShape
    matches: list[Span]
    best_sentence: Span | None
    contributions: list[ContributionShape]


class Explanation(_Shape):
    """How a ranking came about."""

    words: str = Field(description="The words searched, without operators.")
    constraint: str | None = Field(description="What every hit had to fulfil.")
    fusion: str
    tuned: dict[str, float] = Field(
        description="Parameters of the fusion that winnow tune has fitted and that are in force."
    )
    depth: int
    candidates: int = Field(description="Paragraphs that either search found.")
    model: str | None


class _Result(_Shape):
    generation: str
    took_ms: dict[str, float] = Field(description="Milliseconds: total and per stage.")
    degraded: list[str] = Field(description="Why this result is less than it could be.")
    pending: int = Field(description="Seed files that are new or changed since the last build.")


class SearchResult(_Result):
    """A page of ranked paragraphs."""

    query: str
    mode: Mode
    hits: list[HitShape]
    next_cursor: str | None
    explanation: Explanation | None = Field(None, description="With explain=1 only.")


class AnswerShape(_Shape):
    """Words of an article that answer. `start` and `end` are offsets in `paragraph.text`."""

    text: str
    start: int
    end: int
    sentence: str
    confidence: float = Field(ge=0, le=1)
    paragraph: ParagraphShape
    article: ArticleShape

    @classmethod
    def of(cls, passage: Passage, span: Span, sentence: Span, confidence: float) -> Self:
        """The shape of an answer found at ``span`` of a passage."""
        text = passage.paragraph.text
        return cls(
            text=text[span.start : span.end],
            start=span.start,
            end=span.end,
            sentence=text[sentence.start : sentence.end],
            confidence=confidence,
            paragraph=ParagraphShape.of(passage.article, passage.paragraph),
            article=ArticleShape.of(passage.article),
        )


class AnswerResult(_Result):
    """The answer, or null with the reason, and the evidence."""

    question: str
    answer: AnswerShape | None
    reason: Literal["found", "no_hits", "below_threshold"]
    alternatives: list[AnswerShape]
    hits: list[HitShape]
    next_cursor: str | None = Field(description="Continues `hits` in a search.")


class PlanResult(_Shape):
    """What a build would do: paths of seed files by what happened to them since the last one."""

    generation: str | None = Field(description="The live generation, if it is sound.")
    anew: str | None = Field(description="Why everything would be built anew, if it would.")
    refused: str | None = Field(description="Why there would be no build at all.")
    added: tuple[str, ...]
    changed: tuple[str, ...]
    moved: tuple[Move, ...]
    removed: tuple[str, ...]
    skipped: tuple[Skipped, ...] = Field(description="What cannot be read, before opening it.")

    @classmethod
    def of(cls, forecast: Forecast, settings: Settings) -> Self:
        """The shape of a forecast."""
        found = forecast.survey
        skipped = found.listing.skipped
        refusal = None if found.records else str(nothing_to_index(settings, skipped))
        return cls(
            generation=forecast.live.manifest.id if forecast.live else None,
            anew=forecast.anew,
            refused=refusal,
            added=found.plan.added,
            changed=found.plan.changed,
            moved=found.plan.moved,
            removed=found.plan.removed,
            skipped=skipped,
        )


class BuildProblem(_Shape):
    """Why a build failed."""

    code: str
    detail: str
    hint: str


class BuildState(_Shape):
    """A build that was asked for. `done` of `total` tell how far `stage` has come."""

    id: str
    state: Literal["queued", "running", "succeeded", "failed"]
    full: bool
    stage: str | None = None
    done: int = 0
    total: int = 0
    created: dt.datetime
    started: dt.datetime | None = None
    finished: dt.datetime | None = None
    report: BuildReport | None = Field(None, description="Of a build that succeeded.")
    problem: BuildProblem | None = Field(None, description="Of a build that failed.")


class BuildList(_Shape):
    """Builds, newest first."""

    builds: list[BuildState]


class Problem(_Shape):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    request_id: str
    parameter: str | None = Field(None, description="The parameter that was refused.")


class Liveness(_Shape):
    """That the process is up."""

    status: Literal["ok"]


class BuildFailure(_Shape):
    """Why the last build published nothing, and since when that is so (ISO 8601)."""

    when: str
    reason: str
    hint: str


class Readiness(_Shape):
    """Whether questions can be answered now."""

    status: Literal["ready", "degraded", "not_ready"]
    generation: str | None
    created: dt.datetime | None = Field(None, description="When its build began.")
    articles: int
    paragraphs: int
    pending: int
    degraded: list[str]
    model: bool = Field(True, description="Whether meaning can be searched.")
    building: bool = Field(False, description="Whether the index is being written.")
    last_failure: BuildFailure | None = Field(
        None, description="Of the last build, if it failed; the next good one takes it back."
    )


class GenerationShape(_Shape):
    """A generation of the index that is kept.

    `parent` was live when it was built. `problem` says why it cannot be used, where that is known
    without reading all of it; then the rest is null.
    """

    id: str
    live: bool
    parent: str | None = None
    articles: int | None = None
    paragraphs: int | None = None
    digest: str | None = Field(
        None, description="Equal for equal seeds, settings and versions, built from nothing."
    )
    problem: str | None = None


class GenerationList(_Shape):
    """The generations that are kept, newest first."""

    generations: list[GenerationShape]
