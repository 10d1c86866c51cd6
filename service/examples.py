"""What responses look like, for /openapi.json: one example of each shape, of a made-up collection.

Offsets are counted here, not written down, so that they are right; the tests validate every example
against its shape.
"""

from __future__ import annotations

import json
from typing import Any

_GENERATION = "20250703T053200.000000Z"

_TEXT = (
    "Armenian officials repeated that the road stays under their law. "
    "Brussels proposed a third-party operator, the Foreign Minister said."
)
_SENTENCE = "Brussels proposed a third-party operator, the Foreign Minister said."
_ANSWER = "Brussels"
_SPEAKER = "the Foreign Minister"


def _span(words: str, text: str = _TEXT) -> list[int]:
    start = text.index(words)
    return [start, start + len(words)]


def _bounds(words: str, name: str = "") -> dict[str, int]:
    start, end = _span(words)
    return {f"{name}start": start, f"{name}end": end}


_ARTICLE = {
    "id": "6d57407f6c4ba910",
    "title": "Who would run the corridor",
    "published": "2025-07-03T05:32:00",
    "byline": "Winnow sample desk, Brussels",
    "source": "2025-07-03-operator.txt",
    "publisher": "news.example",
    "language": "en",
    "encoding": "utf-8",
}

_PARAGRAPH = {
    "id": "6d57407f6c4ba910-3",
    "number": 3,
    "text": _TEXT,
    "start": 412,
    "end": 412 + len(_TEXT),
}

_ATTRIBUTED = {
    "text": _SPEAKER,
    **_bounds(_SPEAKER),
    "cue": "said",
    "content": [_span("Brussels proposed a third-party operator")],
}

_HIT = {
    "rank": 1,
    "score": 0.71,
    "paragraph": _PARAGRAPH,
    "article": _ARTICLE,
    "matches": [_span("proposed"), _span("third-party"), _span("operator")],
    "best_sentence": _span(_SENTENCE),
    "attributed_to": _ATTRIBUTED,
    "contributions": [
        {
            "source": "keyword",
            "rank": 1,
            "raw": 14.2,
            "normalised": 0.8,
            "weight": 0.5,
            "points": 0.4,
        },
        {
            "source": "semantic",
            "rank": 2,
            "raw": 0.62,
            "normalised": 0.62,
            "weight": 0.5,
            "points": 0.31,
        },
    ],
    "also_in": [],
}

_UNDERSTOOD = {
    "generation": _GENERATION,
    "took_ms": {"total": 24.1, "keyword": 3.2, "embed": 8.9, "semantic": 0.6, "fusion": 1.1},
    "degraded": [],
    "pending": 0,
    "filters": {"periods": [], "month": None, "source": None, "author": None, "said_by": None},
    "did_you_mean": None,
}

_FOUND = {
    "text": _ANSWER,
    **_bounds(_ANSWER),
    "sentence": _SENTENCE,
    **_bounds(_SENTENCE, "sentence_"),
    "confidence": 0.64,
}

_CURSOR = "WyIyMDI1MDcwM1QwNTMyMDAuMDAwMDAwWiIsIDMsICIyMDI1LTA3LTAzIiwgIjliMWYwNGMyYTg3ZGU1NjMiXQ"

_BUILD = {
    "id": "3f0c9d1b7a2e4c58",
    "state": "succeeded",
    "full": False,
    "stage": "publish",
    "done": 1,
    "total": 1,
    "created": "2025-07-03T05:31:58Z",
    "started": "2025-07-03T05:31:59Z",
    "finished": "2025-07-03T05:32:05Z",
    "report": {
        "generation": _GENERATION,
        "published": True,
        "articles": 26,
        "paragraphs": 214,
        "added": 1,
        "changed": 0,
        "moved": 0,
        "removed": 0,
        "unsettled": [],
        "embedded": 9,
        "windowed": 0,
        "skipped": [],
        "notices": [],
        "seconds": {"total": 5.9},
    },
    "problem": None,
}

_KEPT = {
    "id": _GENERATION,
    "live": True,
    "parent": "20250702T060000.000000Z",
    "articles": 26,
    "paragraphs": 214,
    "digest": "0a4d55a8d778e5022fab701977c5d840bbc486d0a4d55a8d778e5022fab70197",
    "problem": None,
}

SHAPES: dict[str, dict[str, Any]] = {
    "SearchResult": {
        "query": "third-party operator",
        "mode": "hybrid",
        "hits": [_HIT],
        "next_cursor": _CURSOR,
        **_UNDERSTOOD,
    },
    "AnswerResult": {
        "question": "who proposed a third-party operator",
        "answer": {
            **_FOUND,
            "attributed_to": _ATTRIBUTED,
            "paragraph": _PARAGRAPH,
            "article": _ARTICLE,
            "sources": [
                {"id": _PARAGRAPH["id"], "number": 3, "article": _ARTICLE, **_FOUND, "also_in": []}
            ],
            "articles": 1,
            "first": "2025-07-03",
            "last": "2025-07-03",
        },
        "reason": "found",
        "detail": None,
        "alternatives": [],
        "hits": [_HIT],
        "next_cursor": None,
        **_UNDERSTOOD,
    },
    "SuggestionList": {
        "generation": _GENERATION,
        "query": "third-party o",
        "suggestions": [
            {"kind": "term", "text": "third-party operator", "count": 7, "article": None}
        ],
        "took_ms": {"total": 1.3, "complete": 1.2},
    },
    "ArticleList": {
        "generation": _GENERATION,
        "total": 26,
        "articles": [{**_ARTICLE, "paragraphs": 7}],
    },
    "FullArticle": {"generation": _GENERATION, "article": _ARTICLE, "paragraphs": [_PARAGRAPH]},
    "FullParagraph": {"generation": _GENERATION, "paragraph": _PARAGRAPH, "article": _ARTICLE},
    "SimilarResult": {
        "generation": _GENERATION,
        "took_ms": {"total": 6.4, "similar": 5.8, "hits": 0.5},
        "degraded": [],
        "pending": 0,
        "paragraph": _PARAGRAPH,
        "article": _ARTICLE,
        "also_in": [],
        "hits": [_HIT],
    },
    "Liveness": {"status": "ok"},
    "Readiness": {
        "status": "ready",
        "generation": _GENERATION,
        "created": "2025-07-03T05:32:00Z",
        "articles": 26,
        "paragraphs": 214,
        "pending": 0,
        "degraded": [],
        "model": True,
        "building": False,
        "last_failure": None,
    },
    "BuildState": _BUILD,
    "BuildList": {"builds": [_BUILD]},
    "GenerationShape": _KEPT,
    "GenerationList": {"generations": [_KEPT]},
}
"""An example of what each shape is written as, by the shape's name."""

EVENT = {"id": "succeeded-4", "event": "build", "data": json.dumps(_BUILD)}
"""The last event of a stream."""

BODIES: dict[str, dict[str, Any]] = {
    "AnswerBody": {"question": "who proposed a third-party operator", "limit": 3},
    "BuildBody": {"full": True},
}
"""The same of what is sent."""

PROBLEMS: dict[int, tuple[str, str, str]] = {
    400: (
        "bad_query",
        "limit: input should be less than or equal to 100",
        "Give a whole number from 1 to 100.",
    ),
    401: (
        "key_needed",
        "this needs an API key",
        "Send Authorization: Bearer KEY, or log in with any name and the key as password.",
    ),
    403: (
        "cross_site",
        "a page of https://other.example may not send this",
        "Send it from a page of this service, or from a program, without Origin.",
    ),
    404: (
        "not_found",
        "there is no article 0000000000000000",
        "Take ids from search results or /v1/articles.",
    ),
    409: ("index_busy", "the index is being written", "Try again when that is done."),
    410: (
        "stale_cursor",
        "the index has been rebuilt since this cursor was given, and what it was is gone",
        "Search again without a cursor.",
    ),
    413: ("request_entity_too_large", "The data value transmitted exceeds the capacity limit.", ""),
    415: (
        "bad_content_type",
        "the body is text/plain, not application/json",
        'Send JSON: -H "Content-Type: application/json"',
    ),
    421: (
        "unknown_host",
        "this service does not go by the name other.example",
        "Ask by the address that the service printed, or name this one in allowed_hosts.",
    ),
    429: (
        "asked_too_often",
        "more than 600 requests a minute came from key reading-room",
        "Ask again in 4 s; the setting rate_limit says how often one may.",
    ),
    500: (
        "internal_error",
        "something went wrong here; it is in the log under this request's id",
        "",
    ),
    503: ("index_missing", "nothing has been indexed yet", "Run: winnow build"),
}
"""Code, detail and hint of an error with each status."""
