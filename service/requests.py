"""What users may ask for: the requests of the HTTP routes and of the terminal.

They are pydantic models, so that one definition validates requests, says what is wrong with them
and documents itself in /openapi.json.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import Annotated, Any, Literal

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


_VISIBLE = r"^[^\x00]*[^\s\x00-\x20\x7f-\xa0\ufeff][^\x00]*$"
"""Text with something to be seen in it, in the words of both Python's patterns and ECMA-262's."""

_MONTH = r"^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])$"


def _printable(value: object) -> object:
    """Refuse what no text has: NUL, and halves of surrogate pairs that JSON can smuggle in."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("must not contain NUL characters")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("must not contain lone surrogates")
        if value and not re.search(_VISIBLE, value):
            raise ValueError("has no character that can be seen")
    return value


def _calendar_day(value: object) -> object:
    """Refuse the other things that pydantic takes for a day, such as seconds since 1970."""
    if isinstance(value, dt.date) or (
        isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)
    ):
        return value
    raise ValueError("is not a day written YYYY-MM-DD")


def _calendar_month(value: object) -> object:
    if isinstance(value, str) and re.search(_MONTH, value) and len(value) == 7:
        return value
    raise ValueError("is not a month written YYYY-MM")


Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION),
    BeforeValidator(_printable),
    Field(json_schema_extra={"pattern": _VISIBLE}),
]
Day = Annotated[dt.date, BeforeValidator(_calendar_day)]
Month = Annotated[
    str, BeforeValidator(_calendar_month), Field(json_schema_extra={"pattern": _MONTH})
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    BeforeValidator(_printable),
    Field(json_schema_extra={"pattern": _VISIBLE}),
]


_EXAMPLE = "who proposed a third-party operator"
_CURSOR = "WyIyMDI1MDcwM1QwNTMyMDAuMDAwMDAwWiIsIDMsICIyMDI1LTA3LTAzIiwgIjliMWYwNGMyYTg3ZGU1NjMiXQ"
_ARTICLE = "6d57407f6c4ba910"
_BUILD = "3f0c9d1b7a2e4c58"
_GENERATION = "20250703T053200.000000Z"


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Made once: flask-openapi looks into it with every request, which would take 3 ms."""
        if arguments or options:
            return super().model_json_schema(*arguments, **options)
        return cls._usual_schema()

    @classmethod
    @cache
    def _usual_schema(cls) -> dict[str, Any]:
        return super().model_json_schema()


class _Asked(_Request):
    mode: Mode = Field("hybrid", description="Which searches take part.", examples=["hybrid"])
    after: Day | None = Field(
        None,
        description="Only articles of this day or later, YYYY-MM-DD.",
        examples=["2025-05-01"],
    )
    before: Day | None = Field(
        None,
        description="Only articles of this day or earlier, YYYY-MM-DD.",
        examples=["2025-08-31"],
    )
    month: Month | None = Field(
        None, description="Only articles of this month, YYYY-MM.", examples=["2025-07"]
    )
    source: Name | None = Field(
        None,
        description="Only articles of this publisher, by its name or host; where articles state "
        "none, of this top folder or bulk file.",
        examples=["news.example"],
    )
    author: Name | None = Field(
        None,
        description="Only articles with this byline.",
        examples=["Winnow sample desk, Washington"],
    )
    said_by: Name | None = Field(
        None,
        description="Only paragraphs that quote somebody with these words in the name.",
        examples=["Foreign Minister"],
    )
    dates: Literal["read", "ignore"] = Field(
        "read",
        description="Whether a phrase such as `in July 2025` in the question limits the days; it "
        "never does beside `after` or `before`.",
        examples=["ignore"],
    )
    facets: bool = Field(
        False,
        description="Also count what was found by source, author and month.",
        examples=[True],
    )
    collapse: bool | None = Field(
        None,
        description="Whether copies of a paragraph share its hit; by default the setting's.",
        examples=[False],
    )
    rerank: bool = Field(
        True,
        description="Whether the reader may move paragraphs that answer up. A search without it is "
        "faster, as nothing is read.",
        examples=[False],
    )


class SearchQuery(_Asked):
    """Parameters of a search."""

    q: Question = Field(description="The question or query.", examples=[_EXAMPLE])
    limit: int = Field(10, ge=1, le=MAX_LIMIT, description="Hits on a page.", examples=[3])
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        None,
        description="`next_cursor` of the page before, unchanged, beside the same parameters. It "
        "goes on with the generation that it was given for, as long as that is kept.",
        examples=[_CURSOR],
    )
    explain: bool = Field(
        False,
        description="Also say which words were searched and how the sides were merged.",
        examples=[True],
    )


class AnswerQuery(_Asked):
    """Parameters of a question asked with GET."""

    q: Question = Field(description="The question.", examples=[_EXAMPLE])
    limit: int = Field(
        5, ge=1, le=MAX_LIMIT, description="Hits to return as evidence.", examples=[3]
    )


class DraftQuery(AnswerQuery):
    """The same while it is still being typed: nobody has asked it yet."""


class AnswerBody(_Asked):
    """The same as JSON, for POST."""

    question: Question = Field(description="The question.", examples=[_EXAMPLE])
    limit: int = Field(
        5, ge=1, le=MAX_LIMIT, strict=True, description="Hits to return as evidence.", examples=[3]
    )
    # In an address, 1 is a way to write true. JSON has its own.
    facets: bool = Field(
        False,
        strict=True,
        description="Also count what was found by source, author and month.",
        examples=[True],
    )
    collapse: bool | None = Field(
        None,
        strict=True,
        description="Whether copies of a paragraph share its hit; by default the setting's.",
        examples=[False],
    )
    rerank: bool = Field(
        True,
        strict=True,
        description="Whether the reader may move paragraphs that answer up.",
        examples=[False],
    )


class SuggestQuery(_Request):
    """Parameters of completions."""

    q: Question = Field(description="What is typed so far.", examples=["nagorno k"])
    limit: int = Field(8, ge=1, le=50, description="Completions to return.", examples=[5])


class ArticlesQuery(_Request):
    """Parameters of the list of articles."""

    limit: int = Field(20, ge=1, le=MAX_LIMIT, description="Articles to return.", examples=[2])
    offset: int = Field(
        0, ge=0, le=10_000_000, description="Newer articles to pass over.", examples=[2]
    )


class SimilarQuery(_Request):
    """Parameters of the list of paragraphs that are like one."""

    limit: int = Field(10, ge=1, le=MAX_LIMIT, description="Paragraphs to return.", examples=[3])
    same_article: bool = Field(
        False, description="Also paragraphs of the same article.", examples=[True]
    )


class NoParameters(_Request):
    """For routes without parameters: any is refused by name."""


class ArticlePath(_Request):
    """Which article."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] = Field(
        description="The id of an article.", examples=[_ARTICLE]
    )


class ParagraphPath(_Request):
    """Which paragraph: the article's id and the paragraph's number."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}-[1-9][0-9]{0,8}$")] = Field(
        description="The article's id and the paragraph's number.", examples=[f"{_ARTICLE}-3"]
    )


class BuildBody(_Request):
    """What kind of build to start; no body at all stands for the defaults."""

    full: bool = Field(
        False,
        strict=True,
        description="Build anew even where nothing has changed.",
        examples=[True],
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, value: object) -> object:
        return {} if value is None else value


class BuildPath(_Request):
    """Which build."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] = Field(
        description="The id of a build.", examples=[_BUILD]
    )


class GenerationPath(_Request):
    """Which generation."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}T[0-9]{6}\.[0-9]{6}Z$")] = Field(
        description="The id of a generation.", examples=[_GENERATION]
    )
