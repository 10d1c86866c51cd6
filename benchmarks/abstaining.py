"""Whether "I do not know" is said where it should be: each question with and without its answer.

Every question is asked once of the whole set, and once without what answers it: of xquad-en
without the five paragraphs of its article, of rtqa-news-silver without its relevant paragraphs.
What came of it is kept in index_data/eval/asked/, and `--kept` judges that again without asking.
Writes benchmarks/results/abstaining.md and docs/risk-coverage.svg; run with `python
benchmarks/abstaining.py [SET ...]`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import matplotlib as mpl
import numpy as np
from asking import Asked, Outcome, ask_all, keep, kept, path_of
from matplotlib.figure import Figure
from risk import (
    Flags,
    Numbers,
    area,
    brier,
    calibration_error,
    reliability,
    risk_coverage,
    threshold_for,
)
from sets import ROOT, WORK, read_set, relevant, sampled, titles

from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.evaluation import indexed
from service.judgments import Judged
from service.progress import report_progress
from service.readers import extractor_of, reader_of

RESULTS = ROOT / "benchmarks" / "results" / "abstaining.md"
PICTURE = ROOT / "docs" / "risk-coverage.svg"
SETS = ("xquad-en", "rtqa-news-silver")

WHOLE_ARTICLES = ("xquad-en",)
"""Sets in which all paragraphs of an article are about what its questions ask."""

SHARE = 0.85
"""Of the answerable questions, how many must still be answered where the target is measured."""

TARGET = 0.70
"""Of the unanswerable, how many are to be left without an answer there."""

THRESHOLDS = {0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, Settings().answer_threshold}

MADE = f"""# Answers, or none

Made by `python benchmarks/abstaining.py`: the default settings, but as much time for reading as it
takes. Each question is asked once of the whole set, where it can be answered, and once without what
answers it: of xquad-en without all paragraphs of its article, of rtqa-news-silver without its
relevant paragraphs. Then every answer is wrong. An answer to an answerable question is right if it
contains an accepted answer, after normalising as SQuAD does.

A row is a threshold of confidence: the share of the unanswerable questions that get none (null), of
the answerable that still get one (answered), and of the latter the share that is right and the mean
F1, in percent. The target is that where at least {SHARE:.0%} of the answerable are answered, at
least {TARGET:.0%} of the unanswerable get none; that row, in bold, is chosen on the set itself. The
default threshold is {Settings().answer_threshold:g}.

Risk is the share of wrong answers among those given, coverage the share of questions that get one
(El-Yaniv and Wiener, JMLR 2010); the area under their curve is the mean risk over all coverages,
and a lower one is better. The calibration error (ten bins) is by how much confidence and truth lie
apart, and the Brier score is the mean square of it; both are of all questions, half of which have
no answer."""

GREY = "#7a7a7a"
COLOURS = ("#1f8fd6", "#d9731a", "#2a9d5c", "#a45bd1")
"""Of medium lightness: they can be told on white and on black."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The outcomes of a set as columns, all of shape (outcomes,)."""

    confidence: Numbers
    right: Flags
    answerable: Flags
    holds: Flags
    f1: Numbers

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Measured:
        """The columns of ``outcomes``."""
        return cls(
            np.array([each.confidence for each in outcomes]),
            np.array([each.right for each in outcomes]),
            np.array([each.answerable for each in outcomes]),
            np.array([each.holds for each in outcomes]),
            np.array([each.f1 for each in outcomes]),
        )

    def row(self, threshold: float) -> tuple[float, float, float, float]:
        """Null and answered, then of the answered the share that is right and the mean F1."""
        # A confidence of 0 is no answer whatever the threshold.
        given = (self.confidence >= threshold) & (self.confidence > 0)
        answered = given & self.answerable
        return (
            float((~given[~self.answerable]).mean()),
            float(given[self.answerable].mean()),
            float(self.right[answered].mean()) if answered.any() else float("nan"),
            float(self.f1[answered].mean()) if answered.any() else float("nan"),
        )


@click.command()
@click.argument("names", nargs=-1)
@click.option("--sample", type=click.IntRange(2), help="Try so many questions; writes nothing.")
@click.option("--kept", "again", is_flag=True, help="Judge what was asked before.")
def main(names: tuple[str, ...], *, sample: int | None, again: bool) -> None:
    """Ask the sets NAMES, or all, and write what is to be said of all that were ever asked."""
    if not again:
        ask(names or SETS, sample)
    places = [path_of(name, sample) for name in dict.fromkeys((*SETS, *names))]
    every = [kept(place) for place in places if place.exists()]
    measured = {asked.name: Measured.of(asked.outcomes) for asked in every}
    text = "\n".join([MADE, *(line for asked in every for line in report(asked)), ""])
    if not sample:
        RESULTS.write_text(text, encoding="utf-8")
        draw(measured, PICTURE)
    sys.stdout.write(text)


def ask(names: Sequence[str], sample: int | None) -> None:
    """Ask the questions of each set and keep what came of them."""
    settings, embedder = Settings(), SentenceEmbedder()
    reader, extractor = reader_of(settings), extractor_of(settings)
    with report_progress() as progress:
        for name in names:
            judged = sampled(read_set(name), sample)
            with indexed(judged, settings, embedder, progress, WORK, extractor) as index:
                asked = ask_all(judged, index, reader, "hybrid", left_out(judged), progress)
            keep(asked, path_of(name, sample))


def left_out(judged: Judged) -> dict[str, frozenset[str]]:
    """The documents that each question is to be asked without."""
    own = {id_: relevant(judged, id_) for id_ in judged.questions}
    if judged.name not in WHOLE_ARTICLES:
        return own
    title_of = titles(judged)
    articles: dict[str, set[str]] = defaultdict(set)
    for document, title in title_of.items():
        articles[title].add(document)
    return {
        id_: frozenset().union(*(articles[title_of[document]] for document in documents))
        for id_, documents in own.items()
    }


def report(asked: Asked) -> Iterator[str]:
    """The tables of a set, in Markdown."""
    found = Measured.of(asked.outcomes)
    able = found.answerable
    yield from ("", f"## {asked.name}", "")
    yield (
        f"{int(able.sum())} questions, asked both ways of {asked.reader} on {asked.when.date()}."
    )
    yield ""
    yield "| threshold | null | answered | right | F1 |"
    yield "|---|---|---|---|---|"
    least = threshold_for(found.confidence[able], SHARE)
    for threshold in sorted({*THRESHOLDS, least}):
        null, answered, right, f1 = found.row(threshold)
        cells = [f"{threshold:.4g}", f"{null:.3f}", f"{answered:.3f}", f"{right:.3f}", f"{f1:.1f}"]
        if not answered:
            cells[3:] = "", ""
        if threshold == least:
            cells = [f"**{cell}**" for cell in cells]
        yield f"| {' | '.join(cells)} |"
    null, answered, right, _ = found.row(least)
    verdict = "met" if null >= TARGET else "missed"
    yield ""
    yield (
        f"With threshold {least:.4g}, {answered:.1%} of the answerable are answered, {right:.1%} "
        f"of these rightly,\nand {null:.1%} of the unanswerable get none: the target is {verdict}."
    )
    wrongly = found.holds & ~able & (found.confidence >= least)
    yield (
        f"{int(wrongly.sum())} answers to unanswerable questions contain an accepted answer all "
        "the same,\nby chance or because another paragraph says it too; they count as wrong."
    )
    yield ""
    yield "| | area under risk and coverage | calibration error | Brier |"
    yield "|---|---|---|---|"
    for label, rows in (("all", np.ones_like(able)), ("answerable", able)):
        confidence, right = found.confidence[rows], found.right[rows]
        cells = area(confidence, right), calibration_error(confidence, right)
        yield (f"| {label} | {cells[0]:.3f} | {cells[1]:.3f} | {brier(confidence, right):.3f} |")
    yield ""
    yield "| confidence | answers | mean confidence | right |"
    yield "|---|---|---|---|"
    for each in reliability(found.confidence, found.right):
        yield (
            f"| {each.low:.1f} to {each.high:.1f} | {each.count} | {each.confidence:.3f} | "
            f"{each.right:.3f} |"
        )


def draw(measured: dict[str, Measured], path: Path) -> None:
    """The curves of risk and coverage of all sets."""
    # The same outcomes make the same file, and words stay words.
    with mpl.rc_context({"svg.hashsalt": "winnow", "svg.fonttype": "none", "font.size": 11}):
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.add_subplot()
        for colour, (name, found) in zip(COLOURS, measured.items(), strict=False):
            for label, rows, style in (
                ("all", np.ones_like(found.answerable), "-"),
                ("answerable", found.answerable, "--"),
            ):
                coverage, risked = risk_coverage(found.confidence[rows], found.right[rows])
                axes.plot(coverage, risked, style, color=colour, label=f"{name}, {label}")
        axes.set(xlabel="coverage: share answered", ylabel="risk: share of answers that are wrong")
        axes.set(xlim=(0, 1), ylim=(0, None))
        axes.tick_params(colors=GREY)
        axes.grid(color=GREY, alpha=0.25)
        axes.spines[:].set_color(GREY)
        for text in (axes.xaxis.label, axes.yaxis.label):
            text.set_color(GREY)
        axes.legend(frameon=False, labelcolor=GREY)
        figure.savefig(path, transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    main()
