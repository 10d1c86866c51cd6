"""Where an answer begins and ends: whole words, without what dangles, within its sentence.

A reader proposes spans by its own pieces of words, which may end inside "third-party", leave "5"
without its "%" or open a bracket that is not closed. What people are shown is cut here, by rules
that only look at the sentence, so that every reader's answers look alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from indexer.abbreviations import NEVER_LAST, SELDOM_LAST
from indexer.analysis import tokens
from indexer.types import Span

_JOINT = re.compile(r"\.?[-‐‑]|['’&/@_$#+]|(?<=\d)[:,](?=\d)|\.(?![A-Z]\w)")
"""What makes one word of two: "third-party", "O'Neill", "AT&T", "9/11", "cnn.com", "U.S.-led"."""

_POSSESSIVE = re.compile(r"['’][sS]\b")
_SIGN = re.compile(r"(?<![\w.])(?:[-−+~≈<>]|(?:[A-Z]{1,3})?[$€£¥₽₴₺₼₾֏#№])*+\Z")
_UNIT = re.compile(
    r"[%‰°′″]++[CF]?+|[€£¥₽]|\+(?!\w)"
    r"|\s?[%‰€]|\s(?:percent|per\s?cent|hundred|thousand|million|billion|trillion|[mb]n)\b"
)
"""What a number is not without: "5%", "30°C", "$1.5 billion"."""

_STOPS = re.compile(r"[.,;:!?…]*+")
_ABBREVIATED = NEVER_LAST | SELDOM_LAST

_PAIRS = "() [] {} “” „“” ‘’ ‚‘’ \"\" '' «» »« ‹› 「」 『』 《》 〈〉 （） 【】"
_CLOSERS = {pair[0]: pair[1:] for pair in _PAIRS.split()}
"""Opening quotes and brackets, each with what may close it."""


def settled(text: str, proposed: Span, sentence: Span) -> Span | None:
    """``proposed`` at sensible boundaries within ``sentence``; both are spans of ``text``.

    Words that it touches come whole, and a number with its sign and its unit. Punctuation, white
    space, quotes and brackets are left out at both ends, but a quotation or bracket that begins or
    ends within the answer is completed where its other half is the next character. A possessive
    ending stays as proposed, and so do articles: "the European Union" reads well. A whole sentence
    stays a whole sentence. None where ``proposed`` touches no word of the sentence.
    """
    if proposed.start <= sentence.start and proposed.end >= sentence.end:
        return sentence if tokens(text[sentence.start : sentence.end]) else None
    line = text[sentence.start : sentence.end]
    start, end = proposed.start - sentence.start, proposed.end - sentence.start
    words = _words(line)
    touched = [word for word in words if word.start < end and start < word.end]
    if not touched:
        return None
    whole = _measured(line, words, Span(touched[0].start, touched[-1].end))
    possessive = _POSSESSIVE.match(line, whole.end)
    if possessive and end >= possessive.end():
        whole = Span(whole.start, possessive.end())
    whole = _completed(line, whole)
    return Span(sentence.start + whole.start, sentence.start + whole.end)


def _words(line: str) -> list[Span]:
    """The words of a line; in scripts without spaces, its characters."""
    found: list[Span] = []
    for token in tokens(line):
        start, end = token.start, token.end
        if found and start < found[-1].end:  # Pairs of characters overlap.
            last = found.pop()
            pieces = (last.start, start, last.end, end)
            found += [Span(*piece) for piece in pairwise(pieces) if piece[0] < piece[1]]
        elif found and (joint := _JOINT.match(line, found[-1].end)) and joint.end() == start:
            found[-1] = Span(found[-1].start, end)
        else:
            found.append(Span(start, end))
    return [_with_stop(line, word) for word in found]


def _with_stop(line: str, word: Span) -> Span:
    """An abbreviation with its full stop: "U.S.", "Inc."."""
    last = re.split(r"[-\s]", line[word.start : word.end])[-1]
    short = last in _ABBREVIATED or re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", last)
    return Span(word.start, word.end + 1) if short and line[word.end :][:1] == "." else word


def _measured(line: str, words: Sequence[Span], whole: Span) -> Span:
    """With the number before a magnitude, and the signs and the unit of a number."""
    start, end = whole
    for number in (word for word in words if line[word.end - 1].isdigit()):
        behind = number.end
        while unit := _UNIT.match(line, behind):
            behind = unit.end()
        if number.start < end and start < behind:
            start, end = min(start, number.start), max(end, behind)
    if line[start].isdigit() and (sign := _SIGN.search(line, 0, start)):
        start = sign.start()
    return Span(start, end)


def _completed(line: str, whole: Span) -> Span:
    """With the other half of each pair that begins or ends inside, where it is right outside."""
    start, end = whole
    changed = True
    while changed:
        changed = False
        for opening, closing in _pairs(line):
            if start <= opening < end <= closing and _STOPS.fullmatch(line, end, closing):
                end, changed = closing + 1, True
            elif opening == start - 1 and start <= closing < end:
                start, changed = opening, True
    return Span(start, end)


def _pairs(line: str) -> Iterator[tuple[int, int]]:
    """Where quotes and brackets open and close."""
    still_open: list[int] = []
    for at, character in enumerate(line):
        if character in "'’" and line[at - 1 : at].isalnum() and line[at + 1 : at + 2].isalnum():
            continue  # an apostrophe
        for depth, opening in reversed(list(enumerate(still_open))):
            if character in _CLOSERS[line[opening]]:
                yield opening, at
                del still_open[depth:]
                break
        else:
            if character in _CLOSERS:
                still_open.append(at)
