"""Speakers that no verb names: "Kern: “No.”", "“No.” — Anna Kern", and headlines.

The parser was made for sentences. In a headline, where every word has a capital, it takes verbs for
names, so those are told by their endings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from indexer.clauses import VERBS
from indexer.cues import headline_verbs
from indexer.sayings import Saying
from indexer.types import Span

if TYPE_CHECKING:
    from spacy.tokens import Doc

_COLON = re.compile(r"([A-Z][^:.!?\"“”‘]{1,60}):\s+(?=\S)")
_SIGNATURE = re.compile(r"[—―–]\s*([A-Z@][^—―–\"“”]{2,60}?)[.\s]*$")
_NO_NAMES = re.compile(
    r"(?i:about|also|answer|correction|editor.s note|from|how|note|only on|question|read more|"
    r"the latest|updated?|watch|what|where|why)\b"
)
_ENDS = (".", "!", "?", "…", "”", '"', "''", "’", ">")
_LONG = 120
"""Characters behind a colon from which on it is no headline."""


def layouts(doc: Doc, quoted: Sequence[Span]) -> Iterator[Saying]:
    """The speakers that the layout of a paragraph names."""
    yield from _colon(doc, quoted)
    yield from _signature(doc)
    yield from _headline(doc)


def _colon(doc: Doc, quoted: Sequence[Span]) -> Iterator[Saying]:
    match = _COLON.match(doc.text)
    if match is None or _NO_NAMES.match(match[1]):
        return
    words = match[1].split()
    capitals = sum(word[0].isupper() for word in words)
    behind = doc.text[match.end() :]
    if len(words) > 5 or capitals < 0.7 * len(words) or sum(map(str.isalpha, behind)) < 10:
        return
    if any(token.pos_ in VERBS for token in doc if token.idx < match.end(1)):
        return
    quotes = any(span.start <= match.end() + 1 <= span.end for span in quoted) or behind[0] in "‘'"
    odds = 2.5 if quotes else 1.0 if len(behind) < _LONG or match[1].isupper() else 0.0
    speaker = Span(*match.span(1))
    yield Saying(
        speaker=speaker,
        cue=Span(match.end(1), match.end(1) + 1),
        content=(Span(match.end(), len(doc.text)),),
        odds=odds if len(words) <= 3 or quotes else odds - 1,
        main=True,
    )


def _signature(doc: Doc) -> Iterator[Saying]:
    match = _SIGNATURE.search(doc.text)
    if match is None or len(match[1].split()) > 6:
        return
    said = doc.text[: match.start()].rstrip()
    if said.endswith(_ENDS):
        yield Saying(
            speaker=Span(*match.span(1)),
            cue=Span(match.start(), match.start() + 1),
            content=(Span(0, len(said)),),
            odds=0.5,
            main=True,
        )


def _headline(doc: Doc) -> Iterator[Saying]:
    words = [token for token in doc if token.text[0].isalpha()]
    capitals = sum(token.text[0].isupper() for token in words)
    if not 3 <= len(words) <= 20 or capitals < 0.7 * len(words):
        return
    for token in doc[1:-1]:
        if token.text in {":", ","} or (token.pos_ in VERBS and token.dep_ == "ROOT"):
            return
        if token.pos_ in {"ADJ", "NOUN", "PROPN"} and token.lower_ in headline_verbs():
            before, behind = doc[token.i - 1], doc[token.i + 1]
            yield Saying(
                speaker=Span(doc[0].idx, before.idx + len(before)),
                cue=Span(token.idx, token.idx + len(token)),
                content=(Span(behind.idx, len(doc.text.rstrip(" ."))),),
                odds=0.5,
                main=True,
            )
            return
