"""Filters as users give them and are told of them, and the counts that offer more of them."""

from __future__ import annotations

import datetime as dt
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from indexer.errors import QueryError
from indexer.filters import Filters, Origin, Period
from indexer.types import Span
from service.requests import AnswerQuery, SearchQuery

FACET_VALUES = 10
"""Values counted of each facet: as many as can be looked over."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class PeriodShape(_Shape):
    """Days that articles are of, both ends included; null is open.

    `phrase` is what in the query says so, at the offsets `span`; null for a parameter.
    """

    after: dt.date | None
    before: dt.date | None
    origin: Origin
    phrase: str | None
    span: Span | None

    @classmethod
    def of(cls, period: Period, text: str) -> Self:
        """The shape of a period that ``text`` or a parameter asks for."""
        phrase = text[slice(*period.span)] if period.span else None
        return cls(
            after=period.after,
            before=period.before,
            origin=period.origin,
            phrase=phrase,
            span=period.span,
        )


class FiltersShape(_Shape):
    """What every article found fulfils."""

    periods: list[PeriodShape]
    month: str | None
    source: str | None
    author: str | None
    said_by: str | None

    @classmethod
    def of(cls, filters: Filters, text: str) -> Self:
        """The shape of the filters that were applied to the query ``text``."""
        return cls(
            periods=[PeriodShape.of(each, text) for each in filters.periods],
            month=filters.month,
            source=filters.source,
            author=filters.author,
            said_by=filters.said_by,
        )


class FacetValue(_Shape):
    """How many of the paragraphs found are of one source, author or month."""

    value: str
    count: int


class FacetsShape(_Shape):
    """Counts over all that was found, not only this page; the largest come first.

    Each `value` is one for the parameter of the same name.
    """

    source: list[FacetValue] = Field(max_length=FACET_VALUES)
    author: list[FacetValue] = Field(max_length=FACET_VALUES)
    month: list[FacetValue] = Field(max_length=FACET_VALUES)

    @classmethod
    def of(cls, counts: dict[str, list[tuple[str, int]]]) -> Self:
        """The shape of what a store counted."""
        return cls(
            **{
                name: [FacetValue(value=value, count=count) for value, count in values]
                for name, values in counts.items()
            }
        )


def filters_of(query: SearchQuery | AnswerQuery) -> Filters:
    """The filters that the parameters ask for.

    Raises:
        QueryError: The days leave none between them.
    """
    if query.after and query.before and query.after > query.before:
        raise QueryError(
            f"after {query.after} and before {query.before} leave no day between them",
            parameter="after",
            hint="Give the earlier day as after.",
        )
    asked = query.after is not None or query.before is not None
    periods = (Period(query.after, query.before),) if asked else ()
    return Filters(periods, query.source, query.author, query.month, query.said_by)
