"""What users may ask for: the requests of the HTTP routes and of the terminal.

They are pydantic models, so that one definition validates requests, says what is wrong with them
and documents itself in /openapi.json.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

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


def _calendar_month(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"(?!0000)\d{4}-(0[1-9]|1[0-2])", value, re.ASCII):
        return value
    raise ValueError("is not a month written YYYY-MM")


Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION),
    BeforeValidator(_printable),
]
Day = Annotated[dt.date, BeforeValidator(_calendar_day)]
Month = Annotated[str, BeforeValidator(_calendar_month)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    BeforeValidator(_printable),
]


_EXAMPLE = "who proposed a third-party operator"


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Asked(_Request):
    mode: Mode = Field("hybrid", description="Which searches take part.")
    after: Day | None = Field(None, description="Only articles of this day or later, YYYY-MM-DD.")
    before: Day | None = Field(
        None, description="Only articles of this day or earlier, YYYY-MM-DD."
    )
    month: Month | None = Field(None, description="Only articles of this month, YYYY-MM.")
    source: Name | None = Field(
        None,
        description="Only articles of this publisher, by its name or host; where articles state "
        "none, of this top folder or bulk file.",
    )
    author: Name | None = Field(None, description="Only articles with this byline.")
    said_by: Name | None = Field(
        None, description="Only paragraphs that quote somebody with these words in the name."
    )
    dates: Literal["read", "ignore"] = Field(
        "read",
        description="Whether a phrase such as `in July 2025` in the question limits the days; it "
        "never does beside `after` or `before`.",
    )
    facets: bool = Field(
        False, description="Also count what was found by source, author and month."
    )
    collapse: bool | None = Field(
        None, description="Whether copies of a paragraph share its hit; by default the setting's."
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


class SuggestQuery(_Request):
    """Parameters of completions."""

    q: Question = Field(description="What is typed so far.", examples=["nagorno k"])
    limit: int = Field(8, ge=1, le=50, description="Completions to return.")


class ArticlesQuery(_Request):
    """Parameters of the list of articles."""

    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    offset: int = Field(0, ge=0, le=10_000_000)


class SimilarQuery(_Request):
    """Parameters of the list of paragraphs that are like one."""

    limit: int = Field(10, ge=1, le=MAX_LIMIT, description="Paragraphs to return.")
    same_article: bool = Field(False, description="Also paragraphs of the same article.")


class NoParameters(_Request):
    """For routes without parameters: any is refused by name."""


class ArticlePath(_Request):
    """Which article."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class ParagraphPath(_Request):
    """Which paragraph: the article's id and the paragraph's number."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}-[1-9][0-9]{0,8}$")]


class BuildBody(_Request):
    """What kind of build to start; no body at all stands for the defaults."""

    full: bool = Field(False, strict=True, description="Build anew even where nothing has changed.")

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, value: object) -> object:
        return {} if value is None else value


class BuildPath(_Request):
    """Which build."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class GenerationPath(_Request):
    """Which generation."""

    id: Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{6}\.\d{6}Z$")]
