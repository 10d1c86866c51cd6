"""What a page was sent: the search form's parameters, checked as the HTTP routes check them.

They are also kept in the addresses of other pages, so that there is a way back to a search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from flask import request, url_for
from pydantic import ValidationError

from indexer.errors import QueryError
from service.requests import AnswerQuery, SearchQuery, SuggestQuery
from service.web.failures import MODES

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LABELS = {
    "q": "Question",
    "mode": "Search by",
    "after": "From",
    "before": "To",
    "month": "Month",
    "source": "Source",
    "author": "Author",
    "said_by": "Said by",
    "dates": "Dates in the question",
    "collapse": "Copies",
    "cursor": "Page",
}
"""Parameters of the search page, by the names that the page gives them."""

KEPT = tuple(name for name in LABELS if name != "cursor")
"""Those that make a search, on whatever page of its results one is."""

_Query = TypeVar("_Query", AnswerQuery, SearchQuery, SuggestQuery)


def form() -> dict[str, str]:
    """What the form was sent with, good or bad."""
    return {name: request.args.get(name, "").strip() for name in KEPT}


def page_address(**changes: str | None) -> str:
    """The address of this search, from the first page on, with other parameters."""
    values: dict[str, Any] = {name: value or None for name, value in form().items()} | changes
    return url_for("pages.search", **values)


def kept() -> dict[str, Any]:
    """What of the form is not empty, for addresses of other pages."""
    return {name: value for name, value in form().items() if value}


def sent(*names: str) -> dict[str, str]:
    """The request's parameters, without those that a form sends empty.

    Raises:
        QueryError: A parameter is not one of ``names``, or is given twice.
    """
    for name, values in request.args.lists():
        if name not in names:
            raise QueryError(
                f"there is no parameter named “{name}” on this page",
                parameter=name,
                hint=f"There are: {', '.join(names)}." if names else "",
            )
        if len(values) > 1:
            raise QueryError("it was given more than once", parameter=name)
    return {name: value for name, value in request.args.items() if value.strip()}


def validated(shape: type[_Query], values: dict[str, Any]) -> _Query | None:
    """The request as a query; None where nothing was asked.

    Raises:
        QueryError: A value cannot be.
    """
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        # Only the question has no default, so a missing value is a missing question.
        faults = [fault for fault in error.errors() if fault["type"] != "missing"]
        if not faults:
            return None
        raise _refusal(faults[0]) from error


def _refusal(fault: ErrorDetails) -> QueryError:
    """What pydantic found wrong, said in the page's words."""
    name = str(fault["loc"][0])
    if name in {"after", "before"}:
        reason = "this is not a day of the calendar"
        hint = "Write year, month and day, such as 2025-07-03."
    elif name == "month":
        reason = "this is not a month of the calendar"
        hint = "Write year and month, such as 2025-07."
    elif name == "dates":
        reason = "this is not a way to read them"
        hint = "Write read or ignore."
    elif name == "mode":
        reason = "this is not a way to search"
        hint = f"Choose {', '.join(MODES.values())}."
    elif name == "collapse":
        reason, hint = "this does not say whether to gather copies", "Give 1 or 0."
    elif fault["type"].endswith("too_long"):
        reason = f"this is longer than {fault['ctx']['max_length']} characters"
        hint = "Shorten it."
    else:
        reason = "this has characters that no text has"
        hint = "Type it anew."
    return QueryError(reason, parameter=name, hint=hint)
