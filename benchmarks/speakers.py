"""How often the speaker of a statement is found, and how often one is given where nobody speaks.

The attributions marked by hand come from ../shared/data/attribution (PolNeAR, US news of 2015 and
2016); run with `python benchmarks/speakers.py`.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from indexer.articles import from_record
from indexer.quotations import overlap, quotations
from indexer.speakers import ATTRIBUTOR, CLEAR, Reports, decide, reported
from indexer.types import Attribution, Paragraph, Span
from service.speakers import of_answer, of_sentence

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
RESULTS = Path(__file__).resolve().parent / "results" / "speakers.md"

PARTS = {"dev": 1, "train": 4}
"""Of each part every n-th article is taken."""

CURVE = (-0.6, -0.3, 0.0, 0.1, CLEAR, 0.3, 0.6)

MADE = f"""Made by `python benchmarks/speakers.py` with {ATTRIBUTOR}, on PolNeAR (Newell, Margolin
and Ruths, LREC 2018); the words, odds and weights of the rules come from its train part. Texts are
split by Winnow. An attribution counts if it has a source, all of it stands in one paragraph, and
more than half of its content stands there too. A speaker is right if it overlaps the source
(`found`), or is it character for character (`exact`), the source's pieces taken as one.

Whose speaker is asked for: `content`: of our attribution whose content shares the most characters
with the marked content, the shortest of equals. `best fit`: of the one with the best F1 of both.
`answer`: the one that an answer would show that is the content's longest piece. `any`: any whose
content or cue lies in the sentence that has most of the content. `one`: the one that a hit would
show whose best sentence that is. Several are marked in many sentences, so `one` cannot be right for
all of them: with the marked attributions themselves in place of ours it is `ceiling`.

False speakers: sentences by our splitter that no marked content, source or cue touches, and the
share of them that `touched` content, speaker or cue of ours, or for which a hit would show
somebody (`shown`). A few attributions have source and cue exchanged by the annotators ("said" for a
source); they count against us."""


@dataclass(slots=True)
class Tally:
    """How many of each kind there are and are right."""

    counts: Counter[str] = field(default_factory=Counter)

    def share(self, right: str, of: str) -> str:
        """A share in percent."""
        return f"{100 * self.counts[right] / max(1, self.counts[of]):.1f} %"


@dataclass(frozen=True, slots=True)
class Case:
    """A paragraph with what is marked in it; ``touched`` are all spans of any attribution."""

    paragraph: Paragraph
    marked: tuple[Attribution, ...]
    cues: tuple[str, ...]
    touched: tuple[Span, ...]


def main() -> None:
    """Measure both parts and write the tables."""
    lines = ["# Speakers", "", MADE, ""]
    for part, step in PARTS.items():
        articles = list(read(part, step))
        cases = [case for article in articles for case in article]
        began = time.process_time()
        reports = [
            each for article in articles for each in reported([case.paragraph for case in article])
        ]
        seconds = time.process_time() - began
        parsed = sum(each is not None for each in reports)
        lines += [
            f"## {part}: every {step}. article" if step > 1 else f"## {part}",
            "",
            f"{len(cases)} paragraphs, {100 * parsed / len(cases):.0f} % of them parsed.",
            f"Processor time for 1,000 paragraphs: {1000 * seconds / len(cases):.1f} s.",
            "",
            *curve(cases, reports),
            "",
            *by_kind(cases, reports),
            "",
        ]
        sys.stdout.write("\n".join(lines[4:]) + "\n")
    RESULTS.write_text("\n".join(lines), "utf-8")


def read(part: str, step: int) -> Iterator[list[Case]]:
    """The paragraphs of each article of a part."""
    with gzip.open(DATA / "attribution" / f"{part}.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in islice(file, 0, None, step):
            record = json.loads(line)
            article, _ = from_record(
                {"id": record["id"], "text": record["text"]}, file=part, line=1
            )
            attributions = [
                {name: [Span(*span) for span in spans] for name, spans in each.items()}
                for each in record["attributions"]
            ]
            yield [
                marked(paragraph, attributions, record["text"]) for paragraph in article.paragraphs
            ]


def marked(paragraph: Paragraph, attributions: list[dict[str, list[Span]]], text: str) -> Case:
    """What of the ``attributions`` in ``text`` is marked in a paragraph."""
    here = Span(paragraph.start, paragraph.end)
    mine = [each for each in attributions if is_in(each, here)]
    return Case(
        paragraph,
        tuple(
            Attribution(
                tuple(clipped(each["content"], here)),
                hull(clipped(each["source"], here)),
                next(clipped(each["cue"], here), Span(0, 0)),
            )
            for each in mine
        ),
        tuple(" ".join(text[start:end] for start, end in each["cue"]) for each in mine),
        tuple(
            span
            for each in attributions
            for spans in each.values()
            for span in clipped(spans, here)
        ),
    )


def is_in(attribution: dict[str, list[Span]], here: Span) -> bool:
    """Whether an attribution counts for the paragraph at ``here``."""
    content = attribution["content"]
    whole = sum(end - start for start, end in content)
    return (
        bool(attribution["source"])
        and all(here.start <= start and end <= here.end for start, end in attribution["source"])
        and 2 * sum(overlap(span, here) for span in content) > whole
    )


def clipped(spans: list[Span], here: Span) -> Iterator[Span]:
    """What of ``spans`` lies in the paragraph, in its offsets."""
    for start, end in spans:
        if start < here.end and end > here.start:
            yield Span(max(start, here.start) - here.start, min(end, here.end) - here.start)


def hull(spans: Iterator[Span]) -> Span:
    """From the first start to the last end."""
    starts, ends = zip(*spans, strict=True)
    return Span(min(starts), max(ends))


def shared(one: tuple[Span, ...], other: tuple[Span, ...]) -> int:
    """Characters in common."""
    return sum(overlap(a, b) for a in one for b in other)


def size(spans: tuple[Span, ...]) -> int:
    """Characters in all."""
    return sum(end - start for start, end in spans)


def answers(
    ours: tuple[Attribution, ...], gold: Attribution, sentences: tuple[Span, ...]
) -> dict[str, list[Attribution]]:
    """Those that each way to ask gives for a marked attribution."""
    content = gold.content
    touching = [each for each in ours if shared(each.content, content)]
    sentence = max(sentences, key=lambda each: shared((each,), content))
    longest = max(content, key=lambda span: span.end - span.start)
    ways: dict[str, Attribution | None] = {
        "content": max(
            touching, key=lambda e: (shared(e.content, content), -size(e.content)), default=None
        ),
        "best fit": max(
            touching,
            key=lambda e: 2 * shared(e.content, content) / (size(e.content) + size(content)),
            default=None,
        ),
        "answer": of_answer(ours, longest, sentence),
        "one": of_sentence(ours, sentence),
    }
    given = {way: [each] if each else [] for way, each in ways.items()}
    given["any"] = [each for each in ours if shared((*each.content, each.cue), (sentence,))]
    return given


WAYS = ("content", "best fit", "answer", "any", "one")


def measure(case: Case, ours: tuple[Attribution, ...], tally: Tally) -> None:
    """Count one paragraph."""
    for gold, cue in zip(case.marked, case.cues, strict=True):
        given = answers(ours, gold, case.paragraph.sentences)
        given["ceiling"] = answers(case.marked, gold, case.paragraph.sentences)["one"]
        for way, those in given.items():
            found = any(overlap(each.speaker, gold.speaker) for each in those)
            exact = any(each.speaker == gold.speaker for each in those)
            for kind in ("all", kind_of(case.paragraph.text, gold), f"cue {cue_kind(cue)}"):
                tally.counts[f"{kind} {way} found"] += found
                tally.counts[f"{kind} {way} exact"] += exact
                tally.counts[f"{kind} {way}"] += 1
    for sentence in case.paragraph.sentences:
        if not shared(case.touched, (sentence,)):
            tally.counts["free"] += 1
            spans = tuple(s for each in ours for s in (*each.content, each.cue, each.speaker))
            tally.counts["touched"] += bool(shared(spans, (sentence,)))
            tally.counts["shown"] += of_sentence(ours, sentence) is not None


def kind_of(text: str, gold: Attribution) -> str:
    """How much of a content is in quotation marks."""
    quoted = shared(gold.content, quotations(text))
    return "direct" if quoted > 0.9 * size(gold.content) else "mixed" if quoted else "indirect"


def cue_kind(cue: str) -> str:
    """A cue, roughly."""
    words = cue.lower().split()
    if {"said", "say", "says", "saying"} & set(words):
        return "say"
    if "according" in words:
        return "according to"
    return "punctuation" if not any(map(str.isalpha, cue)) else "other"


def tallied(cases: list[Case], reports: list[Reports | None], clear: float) -> Tally:
    """The counts over all paragraphs."""
    tally = Tally()
    for case, each in zip(cases, reports, strict=True):
        measure(case, () if each is None else decide(each, clear), tally)
    return tally


def curve(cases: list[Case], reports: list[Reports | None]) -> Iterator[str]:
    """A row for each threshold, ours in bold."""
    yield "| log-odds | " + " | ".join((*WAYS, "ceiling")) + " | false: touched | shown |"
    yield "|---" * (len(WAYS) + 4) + "|"
    for clear in CURVE:
        tally = tallied(cases, reports, clear)
        cells = [
            f"{tally.share(f'all {way} found', f'all {way}')} / "
            f"{tally.share(f'all {way} exact', f'all {way}')}"
            for way in (*WAYS, "ceiling")
        ]
        cells += [tally.share("touched", "free"), tally.share("shown", "free")]
        mark = "**" if clear == CLEAR else ""
        yield f"| {mark}{clear}{mark} | " + " | ".join(cells) + " |"
    yield ""
    marked, free = tally.counts["all content"], tally.counts["free"]
    yield f"{marked} attributions (found / exact), {free} sentences in which nothing is marked."


def by_kind(cases: list[Case], reports: list[Reports | None]) -> Iterator[str]:
    """A row for each kind of attribution, by content."""
    tally = tallied(cases, reports, CLEAR)
    yield "| kind | attributions | found | exact |"
    yield "|---|---|---|---|"
    kinds = ("direct", "mixed", "indirect", "cue say", "cue according to", "cue punctuation")
    for kind in (*kinds, "cue other"):
        yield (
            f"| {kind} | {tally.counts[f'{kind} content']} "
            f"| {tally.share(f'{kind} content found', f'{kind} content')} "
            f"| {tally.share(f'{kind} content exact', f'{kind} content')} |"
        )


if __name__ == "__main__":
    main()
