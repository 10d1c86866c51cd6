"""The shapes that users see: what the HTTP routes return, and ``--json`` prints.

They are pydantic models, so that one definition serialises results and documents itself in
/openapi.json. The page renders the same objects.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from indexer.store import Passage
from indexer.types import Article, Attribution, Paragraph, Span
from service.filtering import FacetsShape, FiltersShape
from service.hints import DidYouMean
from service.requests import Mode
from service.trust import Weighting


class Shape(BaseModel):
    """What every shape is: frozen."""

    model_config = ConfigDict(frozen=True)


class ParagraphShape(Shape):
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


class ArticleShape(Shape):
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


class ArticleList(Shape):
    """Articles, newest first."""

    generation: str
    total: int
    articles: list[ArticleEntry]


class FullArticle(Shape):
    """An article with all its paragraphs."""

    generation: str
    article: ArticleShape
    paragraphs: list[ParagraphShape]


class FullParagraph(Shape):
    """One paragraph and its article."""

    generation: str
    paragraph: ParagraphShape
    article: ArticleShape


class ContributionShape(Shape):
    """What one side adds to a hit's score: `points = weight * normalised`."""

    source: str
    rank: int | None = Field(description="Rank in this side's own list; null if not among it.")
    raw: float
    normalised: float
    weight: float
    points: float

    corrected: dict[str, list[str]] | None = Field(
        None,
        description="Words of the question that the paragraph has only as others, spelled nearly "
        "alike, and which those are; only where there are some.",
    )


class AttributionShape(Shape):
    """Who says something. `start` and `end` are offsets in `paragraph.text`, where `text` stands.

    `content` has the offsets of what is said, `cue` is the word that tells so.
    """

    text: str
    start: int
    end: int
    cue: str
    content: list[Span]

    @classmethod
    def of(cls, attribution: Attribution | None, text: str) -> Self | None:
        """The shape of an attribution in the paragraph ``text``, if there is one."""
        if attribution is None:
            return None
        return cls(
            text=text[slice(*attribution.speaker)],
            start=attribution.speaker.start,
            end=attribution.speaker.end,
            cue=text[slice(*attribution.cue)],
            content=list(attribution.content),
        )


class CopyShape(Shape):
    """Where a near-identical paragraph stands: `id` and `number` are the paragraph's."""

    id: str
    number: int
    article: ArticleShape

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """The shape of a copy."""
        shape = ParagraphShape.of(passage.article, passage.paragraph)
        return cls(id=shape.id, number=shape.number, article=ArticleShape.of(passage.article))


class HitShape(Shape):
    """A ranked paragraph. `matches` and `best_sentence` are offsets in `paragraph.text`."""

    rank: int
    score: float
    paragraph: ParagraphShape
    article: ArticleShape
    matches: list[Span]
    best_sentence: Span | None
    attributed_to: AttributionShape | None = Field(
        None, description="Who says the best sentence; null where nobody is quoted for it."
    )
    contributions: list[ContributionShape]
    also_in: list[CopyShape] = Field(
        [], description="Near-identical paragraphs that the search found too, oldest first."
    )


class WeightingShape(Shape):
    """The share of meaning in the scores, what it follows from, and that in words."""

    semantic: float = Field(ge=0, le=1)
    readable: float = Field(
        description="Share of the best paragraphs by words that the embedding model can read."
    )
    lead: float = Field(
        description="By how much the best cosine exceeds that of the best paragraph by words."
    )
    words: str

    @classmethod
    def of(cls, weighting: Weighting) -> Self:
        """The shape of a weighting."""
        return cls(
            semantic=weighting.share,
            readable=weighting.signals.readable,
            lead=weighting.signals.lead,
            words=str(weighting),
        )


class Explanation(Shape):
    """How a ranking came about."""

    words: str = Field(description="The words searched, without operators.")
    constraint: str | None = Field(description="What every hit had to fulfil.")
    fusion: str
    weighting: WeightingShape | None = Field(
        None, description="How much meaning counted, where both searches took part."
    )
    tuned: dict[str, float] = Field(
        description="Parameters of the fusion that winnow tune has fitted and that are in force."
    )
    depth: int
    candidates: int = Field(description="Paragraphs that either search found.")
    model: str | None


class _Result(Shape):
    generation: str
    took_ms: dict[str, float] = Field(description="Milliseconds: total and per stage.")
    degraded: list[str] = Field(description="Why this result is less than it could be.")
    pending: int = Field(description="Seed files that are new or changed since the last build.")


class Understood(_Result):
    """What of a question was understood otherwise than as words."""

    filters: FiltersShape
    facets: FacetsShape | None = Field(None, description="With facets=1 only.")
    did_you_mean: DidYouMean | None = Field(
        None, description="Where a word of the question is in no paragraph, but one like it is."
    )


class SearchResult(Understood):
    """A page of ranked paragraphs."""

    query: str
    mode: Mode
    hits: list[HitShape]
    next_cursor: str | None
    explanation: Explanation | None = Field(None, description="With explain=1 only.")


class SimilarResult(_Result):
    """Paragraphs that are like one, nearest first. `also_in` has its own copies."""

    paragraph: ParagraphShape
    article: ArticleShape
    also_in: list[CopyShape]
    hits: list[HitShape]


class Problem(Shape):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    request_id: str
    parameter: str | None = Field(None, description="The parameter that was refused.")
