"""What limits a search, with links that take it back, and counts with links that limit it more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from service.wording import spoken_days, spoken_month

if TYPE_CHECKING:
    from service.filtering import FacetsShape, FiltersShape, PeriodShape


class Address(Protocol):
    """The address of this search from its first page on, with other parameters."""

    def __call__(self, **changes: str | None) -> str:
        """None leaves a parameter out."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What limits the articles, in words; ``quoted`` where the question says so itself.

    ``address`` is the same search without it.
    """

    words: str
    quoted: str | None
    address: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that ``count`` of the paragraphs found have, and the search for these alone."""

    words: str
    count: int
    address: str


def limits(filters: FiltersShape, q: str, address: Address) -> Iterator[Limit]:
    """All that is in force for the question ``q``, in the order of the form."""
    for period in filters.periods:
        without = address(**_without(period, q))
        yield Limit(spoken_days(period.after, period.before), period.phrase, without)
    if filters.month is not None:
        yield Limit(f"of {spoken_month(filters.month)}", None, address(month=None))
    if filters.source is not None:
        yield Limit(f"of {filters.source}", None, address(source=None))
    if filters.author is not None:
        yield Limit(f"by {filters.author}", None, address(author=None))
    if filters.said_by is not None:
        yield Limit(f"quoting {filters.said_by}", None, address(said_by=None))


def choices(facets: FacetsShape | None, address: Address) -> Iterator[tuple[str, list[Choice]]]:
    """The values of each facet that has several: one alone would leave out nothing."""
    for name in ("source", "author", "month") if facets else ():
        values = getattr(facets, name)
        if len(values) > 1:
            yield (
                name,
                [
                    Choice(
                        spoken_month(each.value) if name == "month" else each.value,
                        each.count,
                        address(**{name: each.value}),
                    )
                    for each in values
                ],
            )


def _without(period: PeriodShape, q: str) -> dict[str, str | None]:
    """The parameters to change so that ``period`` no longer limits the search for ``q``."""
    if period.origin == "phrase":
        return {"dates": "ignore"}
    if period.span is not None:
        rest = f"{q[: period.span.start].rstrip()} {q[period.span.end :].lstrip()}".strip()
        return {"q": rest}
    return {"after": None, "before": None}
