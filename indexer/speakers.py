"""Who says what: speakers of the sentences and quotations of a paragraph.

An English paragraph is parsed (:mod:`indexer.parsing`), every clause is weighed
(:mod:`indexer.sayings`), and here it is decided. A sentence in which nobody clearly says anything
has no speaker; where somebody does, weaker reports beside it count too, as reports come together.
Other layouts that need no verb, such as "Kern: “No.”", are in :mod:`indexer.layouts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from indexer.cues import may_report
from indexer.languages import MODEL_LANGUAGE
from indexer.layouts import layouts
from indexer.parsing import PARSER, parse
from indexer.punctuation import SPACE
from indexer.quotations import ENOUGH, overlap, quotations
from indexer.sayings import Saying, sayings
from indexer.sentences import sentence_at
from indexer.settings import Settings
from indexer.types import Attribution, Paragraph, Span

ATTRIBUTOR = f"winnow-2 {PARSER}"
"""Names everything that decides who said what; raise the number with every change of the rules."""

NOBODY = "none"
"""Names the attributor of an index in which nobody was looked for."""

CLEAR = 0.2
"""Log-odds of a report that gives its sentence a speaker: see benchmarks/results/speakers.md."""

_BESIDE = -1.5
"""Log-odds from which on a report counts in a sentence that has a clear one."""

_QUOTED = -1.0
"""Log-odds that suffice in a sentence with a quotation."""

_BRIEF = 40
"""Characters of content under which the sentence's clearest report holds for all of it."""

_JOINTS = f"{SPACE},;:–—―-"

_LONGEST = 5000
"""Characters of the longest paragraph that is parsed: what is longer is a table or worse."""

_DATELINE = re.compile(
    r"(?:[A-Z][^()\"“”]{1,60}\([A-Z][\w ./]{1,25}\)"  # Paris (Reuters) -
    r"|[A-Z][A-Z.'’ -]{2,40}(?:, [^()\"“”—–-]{1,40})?)"  # WASHINGTON, July 3 -
    r"\s*[-–—―]+\s+(?=\S)"
)


class Attributor(Protocol):
    """Finds speakers; ``name`` tells one that finds others apart."""

    @property
    def name(self) -> str:
        """Part of what an index is known by."""

    def attributions(
        self, paragraphs: Sequence[Paragraph], language: str | None
    ) -> Iterator[tuple[Attribution, ...]]:
        """Who says what in each paragraph of an article, in the order of the cues."""


class RuleAttributor:
    """Rules over a dependency parse; knows English only and finds nothing in other languages."""

    name = ATTRIBUTOR

    def attributions(
        self, paragraphs: Sequence[Paragraph], language: str | None
    ) -> Iterator[tuple[Attribution, ...]]:
        """See :class:`Attributor`."""
        if language == MODEL_LANGUAGE:
            for reports in reported(paragraphs):
                yield () if reports is None else decide(reports)
        else:
            yield from ((),) * len(paragraphs)


class NoAttributor:
    """Looks for nobody, in no time."""

    name = NOBODY

    def attributions(
        self, paragraphs: Sequence[Paragraph], language: str | None
    ) -> Iterator[tuple[Attribution, ...]]:
        """Nothing for each paragraph."""
        del language
        yield from ((),) * len(paragraphs)


RULES = RuleAttributor()
"""The parser is loaded when it is first needed, and then kept."""


def attributor_of(settings: Settings) -> Attributor:
    """The one that builds use with these settings."""
    return RULES if settings.speakers else NoAttributor()


@dataclass(frozen=True, slots=True)
class Reports:
    """All that may be a report in a paragraph, with what is needed to decide."""

    text: str
    found: tuple[Saying, ...]
    sentences: tuple[Span, ...]
    quoted: tuple[Span, ...]


def reported(paragraphs: Sequence[Paragraph]) -> Iterator[Reports | None]:
    """What may be reported in each paragraph of an English article; None for nothing at all."""
    promising = [each for each in paragraphs if _may_report(each)]
    bodies = [without_dateline(each.text, each.sentences) for each in promising]
    texts = [each.text for each in promising]
    docs = parse(zip(texts, bodies, strict=True)) if promising else iter(())
    numbers = {each.number for each in promising}
    parses = zip(texts, bodies, docs, strict=True)
    for paragraph in paragraphs:
        if paragraph.number not in numbers:
            yield None
            continue
        text, sentences, doc = next(parses)
        quoted = quotations(text)
        yield Reports(text, (*layouts(doc, quoted), *sayings(doc, quoted)), sentences, quoted)


def _may_report(paragraph: Paragraph) -> bool:
    """Whether it is worth parsing."""
    text = paragraph.text
    if not paragraph.sentences or len(text) > _LONGEST:
        return False
    return bool(quotations(text)) or may_report(text)


def without_dateline(text: str, sentences: Sequence[Span]) -> tuple[Span, ...]:
    """``sentences`` without "WASHINGTON (Reuters) -", which a parser takes for who acts."""
    dateline = _DATELINE.match(text)
    first, *others = sentences
    if dateline is None or dateline.end() >= first.end:
        return tuple(sentences)
    return (Span(max(first.start, dateline.end()), first.end), *others)


def decide(reports: Reports, clear: float = CLEAR) -> tuple[Attribution, ...]:
    """The reports that count, each with all that is said."""
    found, sentences, quoted = reports.found, reports.sentences, reports.quoted
    chosen: list[Saying] = []
    for number, sentence in enumerate(sentences):
        until = sentences[number + 1].start if number + 1 < len(sentences) else None
        here = [
            each
            for each in found
            if sentence.start <= each.cue.start and (until is None or each.cue.start < until)
        ]
        chosen += _of_sentence(here, sentence, quoted, clear)
    continued = _continued(chosen, sentences, quoted)
    attributions = [
        Attribution(_content(reports.text, each), each.speaker, each.cue, round(each.odds, 2))
        for each in sorted(continued, key=lambda each: (each.cue, each.speaker))
    ]
    return tuple(each for each in attributions if each.content)


def _of_sentence(
    found: Sequence[Saying], sentence: Span, quoted: Sequence[Span], clear: float
) -> list[Saying]:
    if not found:
        return []
    best = max(found, key=lambda each: each.odds)
    quotes = sum(overlap(span, sentence) for span in quoted) >= ENOUGH
    if best.odds < (_QUOTED if quotes else clear):
        return []
    beside = _BESIDE if quotes or best.odds >= clear else best.odds
    return [
        _completed(each, sentence) if each is best else each
        for each in found
        if each.odds >= beside
    ]


def _completed(saying: Saying, sentence: Span) -> Saying:
    """With the rest of the sentence as content where little of it is known to be."""
    if sum(end - start for start, end in saying.content) >= _BRIEF:
        return saying
    return replace(saying, content=(*saying.content, sentence))


def _without(span: Span, holes: Sequence[Span]) -> list[Span]:
    pieces, start = [], span.start
    for hole in holes:
        if start < hole.start and start < span.end:
            pieces.append(Span(start, min(hole.start, span.end)))
        start = max(start, hole.end)
    if start < span.end:
        pieces.append(Span(start, span.end))
    return pieces


def _continued(
    chosen: Sequence[Saying], sentences: Sequence[Span], quoted: Sequence[Span]
) -> list[Saying]:
    """With quotations that go on for more sentences: what is quoted and nobody's is the last's.

    Before the first speaker of a paragraph it is that speaker's.
    """
    anchors: dict[int, int] = {}
    for place, saying in enumerate(chosen):
        number = sentence_at(sentences, saying.cue.start)
        around = Span(sentences[number].start - 3, sentences[number].end + 3)
        if saying.main and any(overlap(span, around) for span in quoted):
            known = anchors.get(number)
            if known is None or chosen[known].odds < saying.odds:
                anchors[number] = place
    more: dict[int, tuple[Span, ...]] = {}
    for number, sentence in enumerate(sentences):
        pieces = [
            Span(max(span.start, sentence.start), min(span.end, sentence.end))
            for span in quoted
            if overlap(span, sentence)
        ]
        half = (sentence.end - sentence.start) / 2
        taken = sum(overlap(span, sentence) for each in chosen for span in each.content)
        if sum(end - start for start, end in pieces) < half or taken >= half or not anchors:
            continue
        before = [each for each in anchors if each <= number]
        owner = anchors[max(before) if before else min(anchors)]
        more[owner] = (*more.get(owner, ()), *pieces)
    return [
        replace(saying, content=(*saying.content, *more.get(place, ())))
        for place, saying in enumerate(chosen)
    ]


def _content(text: str, saying: Saying) -> tuple[Span, ...]:
    """What is said, in order and each character once, without who says it and blank ends."""
    merged: list[Span] = []
    for span in sorted(saying.content):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    holes = sorted((saying.speaker, saying.cue))
    pieces = [_bare(text, piece) for span in merged for piece in _without(span, holes)]
    return tuple(each for each in pieces if any(map(str.isalnum, text[each.start : each.end])))


def _bare(text: str, span: Span) -> Span:
    """``span`` without blanks and without what only joins it to who says it."""
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip(_JOINTS))
    return Span(start, max(start, span.start + len(piece.rstrip(_JOINTS))))
