"""Where articles come from, coarsely enough to count and choose by."""

from __future__ import annotations

import re

_HOST = re.compile(r"https?://(?:www\.)?([^/:?#\s]+)", re.IGNORECASE)


def outlet(publisher: str | None, source: str, seed: str) -> str | None:
    """The publisher that an article states, of an address the host; else where its seed lies.

    That is the top folder, or for a bulk file in no folder the file. An article in a file and no
    folder of its own has none: it would be the only one.

    >>> outlet("https://www.example.org/2025/07/talks.html", "a.jsonl#7", "a.jsonl")
    'example.org'
    >>> outlet(None, "agencies/talks.txt", "agencies/talks.txt")
    'agencies'
    """
    if publisher:
        host = _HOST.match(publisher)
        return host[1].casefold() if host else publisher
    folder, inside, _ = seed.partition("/")
    return folder if inside or source != seed else None
