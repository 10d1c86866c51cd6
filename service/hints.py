"""The shapes of help with typing: a question as it may have been meant, and completions.

They are results like those of :mod:`service.results`, and kept as it keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from service.spelling import Correction, rewritten


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class CorrectedWord(_Shape):
    """A word that no paragraph has: `start` and `end` are its offsets in the question."""

    word: str
    start: int
    end: int
    words: list[str] = Field(description="What was searched in its place, the likeliest first.")


class DidYouMean(_Shape):
    """The question as it may have been meant, everything but the words as it was typed."""

    query: str
    words: list[CorrectedWord]

    @classmethod
    def of(cls, typed: str, found: Sequence[Correction]) -> Self | None:
        """The shape of what was corrected; None where nothing was."""
        if not found:
            return None
        words = [
            CorrectedWord(word=each.word, start=each.start, end=each.end, words=list(each.words))
            for each in found
        ]
        return cls(query=rewritten(typed, found), words=words)


class SuggestionShape(_Shape):
    """A completion of what was typed."""

    kind: Literal["term", "name", "title"]
    text: str = Field(description="All of the question, completed; of a title, the title.")
    count: int = Field(
        description="Paragraphs that have it; those deleted may count for a few builds."
    )
    article: str | None = Field(description="The id of a title's article.")


class SuggestionList(_Shape):
    """Completions, the likeliest first."""

    generation: str
    query: str
    suggestions: list[SuggestionShape]
    took_ms: dict[str, float]
