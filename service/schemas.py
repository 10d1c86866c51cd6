"""The shapes that users see: what the HTTP routes take and return, and ``--json`` prints.

They are pydantic models, so that one definition validates requests, documents itself in
/openapi.json and serialises answers. The page renders the same objects.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from indexer.store import Passage
from indexer.types import Article, Paragraph, Span

Mode = Literal["hybrid", "keyword", "semantic"]

MAX_LIMIT = 100
"""Most hits on a page."""

MAX_QUESTION = 1000
"""Longest question, in characters: a page of text is no question, and would be read as one."""


def _printable(value: object) -> object:
    """Refuse what no text has: NUL, and halves of surrogate pairs that JSON can smuggle in."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("must not contain NUL characters")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("must not contain lone surrogates")
    return value


def _calendar_day(value: object) -> object:
    """Refuse the other things that pydantic takes for a day, such as seconds since 1970."""
    if isinstance(value, dt.date) or (
        isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)
    ):
        return value
    raise ValueError("is not a day written YYYY-MM-DD")


Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION),
    BeforeValidator(_printable),
]
Day = Annotated[dt.date, BeforeValidator(_calendar_day)]


_EXAMPLE = "who proposed a third-party operator"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Asked(_Request):
    mode: Mode = Field("hybrid", description="Which searches take part.")
    after: Day | None = Field(None, description="Only articles of this day or later, YYYY-MM-DD.")
    before: Day | None = Field(
        None, description="Only articles of this day or earlier, YYYY-MM-DD."
    )


class SearchQuery(_Asked):
    """Parameters of a search."""

    q: Question = Field(description="The question or query.", examples=[_EXAMPLE])
    limit: int = Field(10, ge=1, le=MAX_LIMIT, description="Hits on a page.")
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        None, description="`next_cursor` of the page before."
    )
    explain: bool = Field(
        False, description="Also say which words were searched and how the sides were merged."
    )


class AnswerQuery(_Asked):
    """Parameters of a question asked with GET."""

    q: Question = Field(description="The question.", examples=[_EXAMPLE])
    limit: int = Field(5, ge=1, le=MAX_LIMIT, description="Hits to return as evidence.")


class AnswerBody(_Asked):
    """The same as JSON, for POST."""

    question: Question = Field(description="The question.", examples=[_EXAMPLE])
    limit: int = Field(
        5, ge=1, le=MAX_LIMIT, strict=True, description="Hits to return as evidence."
    )


class ArticlesQuery(_Request):
    """Parameters of the list of articles."""

    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    offset: int = Field(0, ge=0, le=10_000_000)


class NoParameters(_Request):
    """For routes without parameters: any is refused by name."""


class ArticlePath(_Request):
    """Which article."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class ParagraphPath(_Request):
    """Which paragraph: the article's id and the paragraph's number."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}-[1-9][0-9]{0,8}$")]


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


class Readiness(_Shape):
    """Whether questions can be answered now."""

    status: Literal["ready", "degraded", "not_ready"]
    generation: str | None
    articles: int
    paragraphs: int
    pending: int
    degraded: list[str]
