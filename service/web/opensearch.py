"""What browsers need to have Winnow among their search engines: a description, and suggestions.

The description is OpenSearch 1.1. Suggestions come in the form that browsers take: a list of what
was typed and the list of its completions (OpenSearch Suggestions extension 1.0).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, request, url_for

from service.requests import SuggestQuery
from service.web.forms import sent, validated
from service.web.markup import document, put

if TYPE_CHECKING:
    from service.hints import SuggestionList

DESCRIPTION = "application/opensearchdescription+xml"
SUGGESTIONS = "application/x-suggestions+json"

_NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"


class Engine(Protocol):
    """What suggestions need of the engine. It may raise a :class:`WinnowError`."""

    def suggest(self, query: SuggestQuery) -> SuggestionList:
        """Completions of what is being typed."""


def install(pages: Blueprint, engine: Engine) -> None:
    """Add both to ``pages``."""

    @pages.get("/opensearch.xml")
    def opensearch() -> Response:
        sent()
        return Response(_description(), content_type=DESCRIPTION)

    @pages.get("/suggestions")
    def suggestions() -> Response:
        query = validated(SuggestQuery, dict(sent("q")))
        found = engine.suggest(query).suggestions if query else []
        typed = request.args.get("q", "")
        body = json.dumps([typed, list(dict.fromkeys(each.text for each in found))])
        return Response(body, content_type=SUGGESTIONS)


def _description() -> bytes:
    root = ET.Element("OpenSearchDescription", xmlns=_NAMESPACE)
    put(root, "ShortName", "Winnow")
    put(root, "Description", "Search and answers over your own collection of news articles.")
    put(root, "InputEncoding", "UTF-8")
    icon = url_for("pages.static", filename="favicon.svg", _external=True)
    put(root, "Image", icon, type="image/svg+xml", width="16", height="16")
    # Percent signs must not be put into the braces.
    for kind, route in (
        ("text/html", "pages.search"),
        (SUGGESTIONS, "pages.suggestions"),
        ("application/atom+xml", "pages.feed"),
    ):
        template = f"{url_for(route, _external=True)}?q={{searchTerms}}"
        put(root, "Url", type=kind, method="get", template=template)
    own = url_for("pages.opensearch", _external=True)
    put(root, "Url", type=DESCRIPTION, rel="self", template=own)
    return document(root)
