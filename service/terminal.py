"""Results as lines of text for people at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from indexer.reports import BuildReport
from indexer.store import Passage
from indexer.types import Article, Span
from service.lines import WIDTH, printable, underlined, wrapped
from service.wording import likelihood, ordinal, percent, spoken_days, spoken_period

if TYPE_CHECKING:
    # Only for their types: making the models of results takes a tenth of a second.
    from service.answers import AnswerResult, AnswerShape
    from service.doctor import Finding
    from service.hints import SuggestionList
    from service.questions import SavedQuestion
    from service.results import (
        ArticleShape,
        ContributionShape,
        CopyShape,
        HitShape,
        SearchResult,
        SimilarResult,
    )
    from service.states import GenerationShape, PlanResult

_COPIES = 5
"""Further places of a paragraph or an answer that are named."""

_SHORTEST = 30
"""Characters of another answer that are shown in any case."""


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
    yield from _understanding(result)
    if result.explanation and result.explanation.weighting:
        yield f"Merged: {result.explanation.weighting.words}"
    if result.explanation and result.explanation.tuned:
        values = (f"{name} {value:g}" for name, value in result.explanation.tuned.items())
        yield f"Fitted by winnow tune: {', '.join(values)}"
    if not result.hits:
        yield "Nothing found."
    for hit in result.hits:
        yield from _hit(hit, explain=explain)
    yield from _facets(result)


def answer_lines(result: AnswerResult) -> Iterator[str]:
    """The answer with where it stands, or that there is none."""
    yield from _understanding(result)
    yield from _facets(result)
    if result.answer is None:
        yield "The articles do not say."
        if result.detail:
            yield result.detail
        if result.hits:
            yield "Nearest to the question:"
            yield ""
            yield from _hit(result.hits[0], explain=False)
        return
    yield from _answer(result.answer)
    if result.alternatives:
        yield "Other answers:"
    for alternative in result.alternatives:
        yield from _alternative(alternative)


def suggestion_lines(result: SuggestionList) -> Iterator[str]:
    """One line a completion: the text, what it is and how many paragraphs have it."""
    if not result.suggestions:
        yield "Nothing begins so."
    for each in result.suggestions:
        count = "1 paragraph" if each.count == 1 else f"{each.count} paragraphs"
        yield f"{printable(each.text)}  {click.style(f'{each.kind}, {count}', dim=True)}"


def similar_lines(result: SimilarResult) -> Iterator[str]:
    """The paragraph that was asked for, and those that are like it, nearest first."""
    yield from _circumstances(result)
    yield f"Like paragraph {result.paragraph.number} of {_headline(result.article)}:"
    yield from wrapped(printable(result.paragraph.text))
    yield from _also_in(result.also_in)
    yield ""
    if not result.hits:
        yield "Nothing found."
    for hit in result.hits:
        yield from _hit(hit, explain=False)


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
    yield from wrapped(printable(passage.paragraph.text))
    yield click.style(
        f"   {_origin(passage.article)}, paragraph {passage.paragraph.number}", dim=True
    )


def _hit(hit: HitShape, *, explain: bool) -> Iterator[str]:
    yield click.style(f"{hit.rank}. {_headline(hit.article)}", bold=True)
    yield from underlined(hit.paragraph.text, hit.best_sentence)
    yield from _said_by(hit)
    place = f"{_origin(hit.article)}, paragraph {hit.paragraph.number}"
    yield click.style(f"   {place} ({hit.paragraph.id})", dim=True)
    yield from _also_in(hit.also_in)
    if explain:
        yield f"   score {hit.score:.4f} = {' + '.join(map(_contribution, hit.contributions))}"
    yield ""


def _also_in(places: Sequence[CopyShape], label: str = "also in") -> Iterator[str]:
    """Where else it stands, not all of a crowd."""
    for each in places[:_COPIES]:
        parts = (each.article.published, each.article.publisher, each.article.source)
        place = ", ".join(printable(part) for part in parts if part)
        yield click.style(f"   {label}: {place}, paragraph {each.number} ({each.id})", dim=True)
    if len(places) > _COPIES:
        yield click.style(f"   {label}: {len(places) - _COPIES} more", dim=True)


def _answer(answer: AnswerShape) -> Iterator[str]:
    """The answer, its sentence, how sure it is, and where it stands."""
    for line in wrapped(f"“{printable(answer.text)}”"):
        yield click.style(line, bold=True)
    if answer.text != answer.sentence:
        start = answer.start - answer.sentence_start
        yield from underlined(answer.sentence, Span(start, start + len(answer.text)))
    yield from _said_by(answer)
    best, *others = answer.sources
    yield f"   {_headline(answer.article)}"
    yield click.style(
        f"   {_origin(answer.article)}, paragraph {best.number} ({best.id})", dim=True
    )
    said = f", said by {_extent(answer)}" if others else ""
    yield f"   {likelihood(answer.confidence)} (confidence {percent(answer.confidence)}){said}"
    yield from _also_in(others)
    yield from _also_in(best.also_in, "copied in")
    yield ""


def _said_by(found: HitShape | AnswerShape) -> Iterator[str]:
    """Whose words they are, if somebody's."""
    if found.attributed_to is not None:
        yield f"   said by {printable(found.attributed_to.text)}"


def _alternative(answer: AnswerShape) -> Iterator[str]:
    """Another answer on one line."""
    sure = f"{likelihood(answer.confidence)} ({percent(answer.confidence)})"
    lead = f"   {_extent(answer)}: “"
    place = f" {sure}, {answer.paragraph.id}"
    room = max(WIDTH - len(f"{lead}”{place}"), _SHORTEST)
    text = textwrap.shorten(printable(answer.text), room, placeholder=" …")
    yield f"{lead}{text}”{click.style(place, dim=True)}"


def _extent(answer: AnswerShape) -> str:
    """In how many articles of which days an answer stands."""
    count = "1 article" if answer.articles == 1 else f"{answer.articles} articles"
    if answer.first is None or answer.last is None:
        return f"{count}, undated"
    return f"{count}, {spoken_period(answer.first, answer.last)}"


def _contribution(part: ContributionShape) -> str:
    rank = "unranked" if part.rank is None else f"rank {part.rank}"
    taken = "".join(
        f", {printable(word)} taken for {' and '.join(map(printable, words))}"
        for word, words in (part.corrected or {}).items()
    )
    return f"{part.points:.4f} {part.source} ({rank}, raw {part.raw:.3f}{taken})"


def _headline(article: ArticleShape | Article) -> str:
    return printable(article.title) or printable(article.source)


def _origin(article: ArticleShape | Article) -> str:
    parts = (article.published, article.byline, article.source)
    return ", ".join(printable(part) for part in parts if part)


def _circumstances(result: SearchResult | AnswerResult | SimilarResult) -> Iterator[str]:
    for reason in result.degraded:
        yield f"Note: {printable(reason)}"
    if result.pending:
        yield f"Note: {result.pending} seed files are not indexed yet; run: winnow build"


def _understanding(result: SearchResult | AnswerResult) -> Iterator[str]:
    yield from _circumstances(result)
    # What was given as an option, its user knows.
    for period in result.filters.periods:
        if period.phrase is not None:
            way_out = "; --no-dates searches all days" if period.origin == "phrase" else ""
            told = (
                f"{spoken_days(period.after, period.before)} ({printable(period.phrase)}){way_out}"
            )
            yield f"Only articles {told}"
    if meant := result.did_you_mean:
        missing = ", ".join(dict.fromkeys(printable(each.word) for each in meant.words))
        yield f"Nothing has {missing}. Did you mean: {printable(meant.query)}"


def _facets(result: SearchResult | AnswerResult) -> Iterator[str]:
    """One line a facet, with as many values as were counted."""
    if result.facets is None:
        return
    for name in ("source", "author", "month"):
        values = getattr(result.facets, name)
        if values:
            counted = (f"{printable(each.value)} ({each.count})" for each in values)
            yield f"By {name}: {', '.join(counted)}"


def _place(file: str, line: int | None) -> str:
    return printable(file) if line is None else f"{printable(file)}:{line}"
