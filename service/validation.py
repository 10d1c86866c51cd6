"""Turning what a user gave into a request, or into an error that says what to mend."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from indexer.errors import QueryError
from service import requests

RequestT = TypeVar("RequestT", bound=BaseModel)

_ASK = f"Ask with 1 to {requests.MAX_QUESTION:,} characters of text."

_HINTS = {
    "q": _ASK,
    "question": _ASK,
    "limit": f"Give a whole number from 1 to {requests.MAX_LIMIT}.",
    "mode": "Choose hybrid, keyword or semantic.",
    "after": "Give a day as YYYY-MM-DD.",
    "before": "Give a day as YYYY-MM-DD.",
    "month": "Give a month as YYYY-MM.",
    "source": "Take sources from the facets of a search.",
    "author": "Take authors from the facets of a search.",
    "said_by": "Give a name, or a part of one, as the articles write it.",
    "dates": "Give read or ignore.",
    "facets": "Give 1 or 0.",
    "cursor": "Pass next_cursor of the page before, unchanged.",
    "explain": "Give 1 or 0.",
    "collapse": "Give 1 or 0.",
    "rerank": "Give 1 or 0.",
    "same_article": "Give 1 or 0.",
    "body": "Send one JSON object; /docs shows what each route takes.",
    "id": "Take ids from search results, /v1/articles or /v1/builds.",
    "full": "Give true or false.",
}


def validated(model: type[RequestT], values: dict[str, Any]) -> RequestT:
    """The request made of ``values``.

    Raises:
        QueryError: A value cannot be, or a parameter is unknown or missing.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise refusal(error) from error


def refusal(error: ValidationError) -> QueryError:
    """What pydantic refused first, in words that name the parameter and how to mend it."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "body"
    if first["type"] == "extra_forbidden":
        known = ", ".join(getattr(requests, error.title).model_fields)
        return QueryError(
            f"there is no parameter {name!r}", parameter=name, hint=f"There are: {known}."
        )
    if first["type"] == "missing":
        return QueryError(f"{name} is missing", parameter=name, hint=_HINTS.get(name, ""))
    message = first["msg"].removeprefix("Value error, ")
    return QueryError(
        f"{name}: {message[0].lower()}{message[1:]}", parameter=name, hint=_HINTS.get(name, "")
    )
