"""Results as lines of text for people at a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from indexer.reports import BuildReport
from indexer.store import Passage
from indexer.types import Article, Span
from service.wording import ordinal

if TYPE_CHECKING:
    # Only for their types: making the models of results takes a tenth of a second.
    from service.doctor import Finding
    from service.questions import SavedQuestion
    from service.results import (
        AnswerResult,
        AnswerShape,
        ArticleShape,
        ContributionShape,
        GenerationShape,
        HitShape,
        PlanResult,
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
    for name in report.unsettled:
        yield f"left for later, still being written: {printable(name)}"
    for skipped in report.skipped:
        yield f"skipped {_place(skipped.file, skipped.line)}: {printable(skipped.reason)}"
    for notice in report.notices:
        yield f"note on {_place(notice.file, notice.line)}: {printable(notice.reason)}"


def plan_lines(plan: PlanResult) -> Iterator[str]:
    """What a build would do, file by file, and what it would leave out."""
    if plan.refused:
        yield f"A build would be refused: {printable(plan.refused)}"
    elif plan.anew:
        yield f"Everything would be built anew: {printable(plan.anew)}"
    elif not (plan.added or plan.changed or plan.moved or plan.removed):
        yield f"Nothing to do: generation {plan.generation} is up to date"
    else:
        yield (
            f"A build would go on from generation {plan.generation}: {len(plan.added)} files "
            f"added, {len(plan.changed)} changed, {len(plan.moved)} moved, "
            f"{len(plan.removed)} removed"
        )
    for what in ("added", "changed", "removed"):
        yield from (f"{what}: {printable(path)}" for path in getattr(plan, what))
    for move in plan.moved:
        yield f"moved: {printable(move.origin)} -> {printable(move.path)}"
    for skipped in plan.skipped:
        yield f"skipped {_place(skipped.file, skipped.line)}: {printable(skipped.reason)}"


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Each finding, and below it what mends it."""
    for each in findings:
        yield f"{each.level:<9}{each.check}: {printable(each.message)}"
        if each.mend:
            yield f"{'':9}-> {printable(each.mend)}"


def generation_lines(generations: Sequence[GenerationShape]) -> Iterator[str]:
    """One line a generation, the live one marked."""
    if not generations:
        yield "No generation has been built yet."
    for each in generations:
        mark = "*" if each.live else " "
        if each.problem is not None:
            yield f"{mark} {each.id}  {printable(each.problem)}"
        else:
            yield (
                f"{mark} {each.id}  {each.articles} articles, {each.paragraphs} paragraphs, "
                f"digest {str(each.digest)[:12]}"
            )


def search_lines(result: SearchResult, *, explain: bool) -> Iterator[str]:
    """The hits, best first."""
    yield from _circumstances(result.degraded, result.pending)
    if result.explanation and result.explanation.tuned:
        values = (f"{name} {value:g}" for name, value in result.explanation.tuned.items())
        yield f"Fitted by winnow tune: {', '.join(values)}"
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


def question_lines(ranked: Sequence[tuple[SavedQuestion, int | None]]) -> Iterator[str]:
    """Saved questions with the ranks of their articles, recorded and now."""
    if not ranked:
        yield "No questions are saved; winnow questions add saves one."
    for saved, now in ranked:
        before = "" if now == saved.rank else f", recorded {ordinal(saved.rank)}"
        yield printable(saved.question)
        yield f"   {printable(saved.source)}: {ordinal(now)}{before}"


def saved_lines(saved: SavedQuestion, passage: Passage) -> Iterator[str]:
    """What was saved, with the paragraph that it finds."""
    yield f"Saved, with this article {ordinal(saved.rank)}:"
    yield click.style(_headline(passage.article), bold=True)
    yield from _wrapped(printable(passage.paragraph.text))
    yield click.style(
        f"   {_origin(passage.article)}, paragraph {passage.paragraph.number}", dim=True
    )


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


def _headline(article: ArticleShape | Article) -> str:
    return printable(article.title) or printable(article.source)


def _origin(article: ArticleShape | Article) -> str:
    parts = (article.published, article.byline, article.source)
    return ", ".join(printable(part) for part in parts if part)


def _circumstances(degraded: Sequence[str], pending: int) -> Iterator[str]:
    for reason in degraded:
        yield f"Note: {printable(reason)}"
    if pending:
        yield f"Note: {pending} seed files are not indexed yet; run: winnow build"


def _place(file: str, line: int | None) -> str:
    return printable(file) if line is None else f"{printable(file)}:{line}"
