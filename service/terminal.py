"""Results as lines of text for people at a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

import click

from indexer.build import BuildReport
from indexer.types import Span
from service.schemas import (
    AnswerResult,
    AnswerShape,
    ArticleShape,
    ContributionShape,
    HitShape,
    SearchResult,
)

_WIDTH = 96
_MARGIN = "   "

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Escape sequences and direction overrides: an article must not steer the reader's terminal."""


def build_lines(report: BuildReport) -> Iterator[str]:
    """What a build did, what it left out and why."""
    if not report.published:
        yield f"Nothing to do: generation {report.generation} is up to date"
    else:
        yield (
            f"Published generation {report.generation}: {report.added} files added, "
            f"{report.changed} changed, {report.moved} moved, {report.removed} removed"
        )
    yield (
        f"{report.articles} articles, {report.paragraphs} paragraphs, {report.windowed} of them "
        f"long enough to be read in windows; {report.seconds['total']:.1f} s"
    )
    for skipped in report.skipped:
        yield f"skipped {_place(skipped.file, skipped.line)}: {printable(skipped.reason)}"
    for notice in report.notices:
        yield f"note on {_place(notice.file, notice.line)}: {printable(notice.reason)}"


def search_lines(result: SearchResult, *, explain: bool) -> Iterator[str]:
    """The hits, best first."""
    yield from _circumstances(result.degraded, result.pending)
    if not result.hits:
        yield "Nothing found."
    for hit in result.hits:
        yield from _hit(hit, explain=explain)


def answer_lines(result: AnswerResult) -> Iterator[str]:
    """The answer with where it stands, or that there is none."""
    yield from _circumstances(result.degraded, result.pending)
    if result.answer is None:
        yield "The articles do not say."
        if result.hits:
            yield "Nearest to the question:"
            yield ""
            yield from _hit(result.hits[0], explain=False)
        return
    yield from _answer(result.answer)
    if result.alternatives:
        yield "Also:"
    for alternative in result.alternatives:
        yield from _answer(alternative)


def evaluation_lines(rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """One line a set and mode, metrics in columns."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = [columns, *([_cell(row.get(name)) for name in columns] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    for line in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))


def printable(text: str) -> str:
    """The text on one line, without characters that would steer a terminal."""
    return _CONTROL.sub("", " ".join(text.split()))


def _hit(hit: HitShape, *, explain: bool) -> Iterator[str]:
    yield click.style(f"{hit.rank}. {_headline(hit.article)}", bold=True)
    yield from _paragraph(hit.paragraph.text, hit.best_sentence)
    yield click.style(f"   {_origin(hit.article)}, paragraph {hit.paragraph.number}", dim=True)
    if explain:
        yield f"   score {hit.score:.4f} = {' + '.join(map(_contribution, hit.contributions))}"
    yield ""


def _answer(answer: AnswerShape) -> Iterator[str]:
    for line in _wrapped(f"“{printable(answer.text)}”"):
        yield click.style(line, bold=True)
    yield click.style(f"   {_headline(answer.article)}", dim=True)
    yield click.style(
        f"   {_origin(answer.article)}, paragraph {answer.paragraph.number}, "
        f"confidence {answer.confidence:.2f}",
        dim=True,
    )
    yield ""


def _paragraph(text: str, best: Span | None) -> Iterator[str]:
    """The paragraph, its best sentence underlined where the terminal can."""
    if best is None:
        return iter(_wrapped(printable(text)))
    first = len(printable(text[: best.start]).split())
    last = first + len(printable(text[slice(*best)]).split())
    styled, seen = [], 0
    # Styled after wrapping: escape sequences have a length but no width.
    for line in _wrapped(printable(text)):
        words = line.split(" ")
        count = len(line.split())
        margin = len(words) - count
        for i in range(max(first - seen, 0), min(last - seen, count)):
            words[margin + i] = click.style(words[margin + i], underline=True)
        styled.append(" ".join(words))
        seen += count
    return iter(styled)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=_MARGIN,
        subsequent_indent=_MARGIN,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _contribution(part: ContributionShape) -> str:
    rank = "unranked" if part.rank is None else f"rank {part.rank}"
    return f"{part.points:.4f} {part.source} ({rank}, raw {part.raw:.3f})"


def _headline(article: ArticleShape) -> str:
    return printable(article.title) or printable(article.source)


def _origin(article: ArticleShape) -> str:
    parts = (article.published, article.byline, article.source)
    return ", ".join(printable(part) for part in parts if part)


def _circumstances(degraded: Sequence[str], pending: int) -> Iterator[str]:
    for reason in degraded:
        yield f"Note: {printable(reason)}"
    if pending:
        yield f"Note: {pending} seed files are not indexed yet; run: winnow build"


def _place(file: str, line: int | None) -> str:
    return printable(file) if line is None else f"{printable(file)}:{line}"


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
