"""Where the sentences of a paragraph lie.

Short questions match sentences better than paragraphs, and an answer is shown in its sentence, so
a wrong cut costs twice. The rules are made for news in English and hold for other scripts: a stop
ends a sentence unless what stands before it is an abbreviation or what follows it goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from indexer.abbreviations import (
    AFTER_HOURS,
    GERMAN_MONTHS,
    HOURS,
    NEVER_LAST,
    NUMBERED,
    SELDOM_LAST,
    STARTERS,
)
from indexer.punctuation import (
    CLOSERS,
    GERMAN_CLOSERS,
    OPENERS,
    SPACE,
    STOPS,
    STOPS_BEFORE_SPACE,
    trimmed,
)
from indexer.types import Span

LONGEST = 1000
"""Characters that no sentence exceeds: a longer one is cut at a space, or anywhere without one."""

# Possessive throughout, so that no run of characters is read twice.
_RUN = rf"[{STOPS_BEFORE_SPACE}]++(?:[ \xa0][{STOPS_BEFORE_SPACE}]++)*+"  # ". . ." too
_CLOSED = (
    rf"[{re.escape(CLOSERS + GERMAN_CLOSERS)}]*+"
    r"(?:[ \xa0\u202f][»”\"](?=[\s,.;:]|$))?+"  # Apart, as in French and behind another quote.
)
_STOP = re.compile(
    rf"(?:(?P<spaced>{_RUN})|(?P<greek>[;\u037e])){_CLOSED}"
    rf"|[{STOPS}]++[{re.escape(CLOSERS)}]*+"
)
_FOLLOWING = re.compile(
    rf"[{SPACE}]*+(?P<dash>[–—-]?)"
    rf"[{SPACE}{re.escape(OPENERS)}•–—-]*+(?P<word>\w{{0,16}})(?P<joint>[.-]?)"
)
_LAST_WORD = re.compile(r"[\w.]+$")
_REACH = 24  # Characters before a stop in which an abbreviation and its surroundings lie.

# "J", "U.S", "a.m" and the like, but no East Asian letter: those are words.
_INITIALS = re.compile(r"(?:[^\W\d_\u1100-\uffff]\.)*[^\W\d_\u1100-\uffff]")
_ENUMERATOR = re.compile(r"\d{1,3}|[IVX]{1,4}|[^\W\d_]")
_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
_SOMEBODY_SAID = re.compile(
    r"(?:[A-Z][\w’'.-]*+\s++){1,4}"
    r"(?:added|argued|asked|asks|replied|said|says|shouted|told|tweeted|wondered|wrote)\b"
)


def sentences(text: str) -> tuple[Span, ...]:
    """Find the sentences of one paragraph, in time linear in its length.

    The spans are in order and apart, none begins or ends with white space, and together they hold
    every visible character. Closing quotes and brackets stay with their sentence; a quotation of
    several sentences is several. A line end is a space like any other. No span is longer than
    ``LONGEST``.
    """
    # Where nothing is written in capitals, a small letter does not tell that a sentence goes on.
    small = text.islower()
    found: list[Span] = []
    start = 0
    for stop in _STOP.finditer(text):
        if _ends(text, start, stop, small=small):
            found.extend(_pieces(text, start, stop.end()))
            start = stop.end()
    found.extend(_pieces(text, start, len(text)))
    return tuple(span for span in found if span.start < span.end)


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """``text[start:end]``, cut to ``LONGEST`` and trimmed, perhaps to nothing."""
    while end - start > LONGEST:
        latest = start + LONGEST
        cut = next((n for n in range(latest, start, -1) if text[n].isspace()), latest)
        yield trimmed(text, start, cut)
        start = cut
    yield trimmed(text, start, end)


def _ends(text: str, start: int, stop: re.Match[str], *, small: bool) -> bool:
    """Whether the sentence that begins at ``start`` ends with ``stop``."""
    after = text[stop.end() : stop.end() + 1]
    if not (stop["spaced"] or stop["greek"]):
        # What follows a closing quote without a gap belongs to it, such as who said it.
        return stop[0][-1] in STOPS or not after.isalnum()
    following = _FOLLOWING.match(text, stop.end())
    begun = text[start : min(stop.start(), start + _REACH)].strip(SPACE + OPENERS)
    if after not in SPACE or following is None or not begun:
        return False
    word = following["word"]
    goes_on = word[:1].islower() and not word[1:2].isupper() and not small  # "eBay" may begin.
    if stop["greek"]:
        return not goes_on and _GREEK.match(text, stop.start() - 1) is not None
    if stop["spaced"] == ".":
        return _ends_with_full_stop(text, start, stop, following, goes_on=goes_on)
    if "!" in stop["spaced"] or "?" in stop["spaced"]:
        quoted = stop[0] != stop["spaced"]
        return not (goes_on or (quoted and _SOMEBODY_SAID.match(text, following.start("word"))))
    return not goes_on and word != "I"  # "Well ... I think" is one thought.


def _ends_with_full_stop(
    text: str, start: int, stop: re.Match[str], following: re.Match[str], *, goes_on: bool
) -> bool:
    """Whether a single full stop ends the sentence; ``goes_on`` if a small letter follows."""
    before = text[max(start, stop.start() - _REACH) : stop.start()]
    if goes_on and before == before.rstrip(SPACE):  # Tokenizers set a space before a true stop.
        return False
    match = _LAST_WORD.search(before.rstrip(SPACE))
    last, word = match[0] if match else "", following["word"]
    if _ENUMERATOR.fullmatch(last) and before.strip(SPACE + OPENERS) == last:
        return False  # "1. Introduction"
    forms = {last, last.capitalize()} if last.isupper() else {last}
    if (
        forms & NEVER_LAST
        or (forms & NUMBERED and word[:1].isdigit())
        or (last.isdecimal() and word in GERMAN_MONTHS)
    ):
        return False
    if last in HOURS:
        return word not in AFTER_HOURS
    if forms & SELDOM_LAST or _INITIALS.fullmatch(last):
        # Not "J. A. Smith", not "A. El-Erian", not "YORK, Pa. - When".
        return word.lower() in STARTERS and not (following["joint"] or following["dash"])
    return True


def sentence_at(sentences: Sequence[Span], place: int) -> int:
    """The number of the sentence that ``place`` is in, or of the last one before it."""
    return max((n for n, each in enumerate(sentences) if each.start <= place), default=0)
