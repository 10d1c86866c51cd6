"""The shapes of answers: what /v1/answers returns and ``winnow ask --json`` prints.

All offsets count in characters of the paragraph's text, as Python slices do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field

from indexer.store import Passage
from indexer.types import Attribution
from service.assembly import Answer
from service.reading import Reading
from service.results import (
    ArticleShape,
    AttributionShape,
    CopyShape,
    HitShape,
    ParagraphShape,
    Shape,
    Understood,
)


class SourceShape(CopyShape):
    """A paragraph that says the answer, in its own words. `id` and `number` are the paragraph's."""

    text: str = Field(description="The answer as this paragraph has it: its `[start:end]`.")
    start: int
    end: int
    sentence: str = Field(description="The sentence around it: `[sentence_start:sentence_end]`.")
    sentence_start: int
    sentence_end: int
    confidence: float = Field(ge=0, le=1)
    also_in: list[CopyShape] = Field(
        description="Near-identical paragraphs, oldest first; they do not count as sources."
    )

    @classmethod
    def reading(cls, reading: Reading, copies: Sequence[Passage]) -> Self:
        """The shape of a reading whose paragraph has these copies."""
        text = reading.passage.paragraph.text
        place = CopyShape.of(reading.passage)
        return cls(
            id=place.id,
            number=place.number,
            article=place.article,
            text=reading.text,
            start=reading.answer.start,
            end=reading.answer.end,
            sentence=text[reading.sentence.start : reading.sentence.end],
            sentence_start=reading.sentence.start,
            sentence_end=reading.sentence.end,
            confidence=reading.confidence,
            also_in=[CopyShape.of(copy) for copy in copies],
        )


class AnswerShape(Shape):
    """Words of an article that answer, from its best source. They are `paragraph.text[start:end]`.

    `sentence` is `paragraph.text[sentence_start:sentence_end]`.
    """

    text: str
    start: int
    end: int
    sentence: str
    sentence_start: int
    sentence_end: int
    confidence: float = Field(
        ge=0, le=1, description="Estimated probability that the answer is right."
    )
    attributed_to: AttributionShape | None = Field(
        description="Who says it, unless the answer itself names them; null for nobody."
    )
    paragraph: ParagraphShape
    article: ArticleShape
    sources: list[SourceShape] = Field(
        description="All paragraphs that say so, the best first; copies of one count once."
    )
    articles: int = Field(description="In how many articles the sources stand.")
    first: dt.date | None = Field(description="Day of the oldest source; null if all are undated.")
    last: dt.date | None = Field(description="Day of the newest source.")

    @classmethod
    def of(
        cls,
        answer: Answer,
        copies: Mapping[int, Sequence[Passage]],
        attribution: Attribution | None,
    ) -> Self:
        """The shape of an answer that ``attribution`` covers.

        ``copies`` are found by the keys of its sources' paragraphs.
        """
        best, passage = answer.best, answer.best.passage
        first, last = answer.days or (None, None)
        return cls(
            text=answer.text,
            start=best.answer.start,
            end=best.answer.end,
            sentence=passage.paragraph.text[best.sentence.start : best.sentence.end],
            sentence_start=best.sentence.start,
            sentence_end=best.sentence.end,
            confidence=answer.confidence,
            attributed_to=AttributionShape.of(attribution, passage.paragraph.text),
            paragraph=ParagraphShape.of(passage.article, passage.paragraph),
            article=ArticleShape.of(passage.article),
            sources=[
                SourceShape.reading(each, copies.get(each.passage.key, ()))
                for each in answer.sources
            ],
            articles=answer.articles,
            first=first,
            last=last,
        )


class AnswerResult(Understood):
    """The answer, or null with the reason, and the evidence."""

    question: str
    answer: AnswerShape | None
    reason: Literal["found", "no_hits", "below_threshold"]
    detail: str | None = Field(
        description="How sure the best candidate was, in words, if it was not sure enough."
    )
    surest: float | None = Field(
        None, description="How sure it was, from 0 to 1; null where there was none, or an answer."
    )
    alternatives: list[AnswerShape] = Field(
        description="Other answers that are supported, at most three, the surest first."
    )
    hits: list[HitShape]
    next_cursor: str | None = Field(description="Continues `hits` in a search.")
