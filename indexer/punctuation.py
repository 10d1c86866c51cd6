"""The characters that stand between words, for everything that splits text.

Paragraphs and sentences must agree on what is blank and what may close a sentence, or their spans
would not fit into one another.
"""

from __future__ import annotations

from indexer.types import Span

# What str.isspace() knows, then invisible characters that stand at the ends of lines in practice:
# the DOS end-of-file mark, the Mongolian separator, zero-width spaces and joiners, the marks of
# direction, the word joiner and the byte-order mark.
SPACE = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
    "\x1a\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
"""Characters that no title, paragraph or sentence begins or ends with."""

OPENERS = "\"'“”„‟‘‚«»‹([{¿¡「『《〈（【"
"""What may stand before the first word of a sentence. German and Swedish open with ” and »."""

CLOSERS = "\"'”’»›)]}」』》〉）】"
"""What may stand behind the stop of a sentence."""

GERMAN_CLOSERS = "“‘«"
"""What may too where quotations begin with „ or ». Elsewhere these open the next sentence."""

STOPS_BEFORE_SPACE = ".!?…"
"""Stops that end a sentence only where a space follows: they also stand within words."""

STOPS = "。！？｡؟۔։।॥።፧។။"
"""Stops that always end one: East Asian, Arabic, Armenian, Indic, Ethiopic, Khmer, Burmese."""


def trimmed(text: str, start: int, end: int) -> Span:
    """``text[start:end]`` without ``SPACE`` at its ends; empty when there is nothing else."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip(SPACE))
    return Span(start, start + len(piece.strip(SPACE)))
