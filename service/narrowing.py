"""Whether a date in a question limits the articles, or is only among its words.

"Who won in 1966" asks nothing of when an article was published, and no rule can tell by the words
alone. The collection can: a period counts where some of its articles are of that time and others
are not.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from indexer.filters import Coverage, Filters, Period
from indexer.grammar import parse
from indexer.nodes import Query
from indexer.store import ArticleStore
from indexer.types import Span
from service.phrases import find_period
from service.wording import spoken_days

_LONG = dt.timedelta(days=360)
"""From a year on, a period that began before the collection did is one that articles look back on.
"""


def narrowed(
    store: ArticleStore, query: Query, filters: Filters, today: dt.date | None
) -> tuple[Query, Filters, tuple[str, ...]]:
    """What is to be searched, within what, and what there is to say about that.

    A phrase such as "in July 2025", as seen from ``today``, becomes a filter and leaves the words,
    if any other is left. Without ``today``, beside other days that were asked for, and within what
    the grammar marks, phrases are words.
    """
    filters = filters.within(*query.periods)
    if filters.periods or query.problem or today is None:
        return query, filters, ()
    period = find_period(query.text, today)
    if period is None or period.span is None:
        return query, filters, ()
    rest = parse(_without(query.text, period.span))
    if rest.problem or rest.constraint != query.constraint:
        return query, filters, ()
    coverage = store.coverage(period)
    if not _tells_apart(period, coverage):
        return query, filters, _missed(query, period, coverage)
    words = replace(rest, text=query.text) if rest.question else query
    return words, filters.within(period), ()


def phrase(query: Query, filters: Filters) -> str | None:
    """The words of ``query`` that became one of ``filters``, if any did."""
    spans = [each.span for each in filters.periods if each.origin == "phrase" and each.span]
    return query.text[slice(*spans[0])] if spans else None


def _tells_apart(period: Period, coverage: Coverage) -> bool:
    if not 0 < coverage.within < coverage.dated or coverage.first is None:
        return False
    first, _ = period.bounds()
    return period.after is None or first >= coverage.first or not _is_long(period)


def _missed(query: Query, period: Period, coverage: Coverage) -> tuple[str, ...]:
    """That there is nothing of ``period``, unless it is a year, which is likely meant otherwise."""
    if coverage.within or not coverage.dated or _is_long(period):
        return ()
    words = query.text[slice(*period.span)] if period.span else ""
    days = spoken_days(period.after, period.before)
    return (f"there is no article {days}; “{words}” is searched as plain words",)


def _is_long(period: Period) -> bool:
    """Whether it is a year or more; "since yesterday" is not, as far as it may go on."""
    first, last = period.bounds()
    return period.before is not None and last - first >= _LONG


def _without(text: str, span: Span) -> str:
    """``text`` without the words of ``span``, and without a comma that then begins it."""
    before, after = text[: span.start].rstrip(), text[span.end :]
    return f"{before} {after.lstrip()}" if before else after.lstrip(" ,")
