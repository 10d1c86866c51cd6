"""What reading the first paragraphs does to the order of the hits, and what answers come of it.

Every set of ../shared/data/eval is searched in the hybrid mode as `winnow eval` does it, once
without the reader and once with it. Writes benchmarks/results/reranking.md; run with
`python benchmarks/reranking.py [SET ...]`. Runs are kept in index_data/eval/runs/.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from sets import DATA, ROOT, WORK, read_set, sampled

from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service import runs
from service.bootstrap import Estimate
from service.comparison import Difference, compare
from service.evaluation import evaluate
from service.judgments import Judged
from service.metrics import ANSWERS, MAIN
from service.progress import report_progress
from service.readers import extractor_of
from service.runs import ModeRun, Run

RESULTS = ROOT / "benchmarks" / "results" / "reranking.md"
RUNS = WORK / "runs"
FIRST = "Success@1"

MADE = f"""# What the reader adds

Made by `python benchmarks/reranking.py`: the default settings in the hybrid mode, without the
reader and with it, as `winnow eval` measures them. Differences are paired, with the 95 % interval
of the bootstrap over questions. Read: the share of questions that moved any paragraph by what was
read. Answers are those given at the default threshold of {Settings().answer_threshold:g}, a
question without one counting as wrong; percent.
"""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--sample", type=click.IntRange(2), help="Try so many questions; writes nothing.")
def main(names: tuple[str, ...], *, sample: int | None) -> None:
    """Measure the sets NAMES, or all, and write what came of all that were ever measured."""
    every = sorted(path.name for path in (DATA / "eval").iterdir())
    embedder = SentenceEmbedder()
    extractor = extractor_of(Settings())
    RUNS.mkdir(parents=True, exist_ok=True)
    with report_progress() as progress:
        for name in names or every:
            judged = judged_set(name, sample)
            for settings, path in ((Settings(read_depth=0), "alone"), (Settings(), "read")):
                run = evaluate(
                    [judged],
                    ["hybrid"],
                    settings,
                    embedder,
                    progress,
                    work=WORK,
                    answers=path == "read",
                    extractor=extractor if settings.read_depth else None,
                )
                runs.save(run, kept(name, path, sample))
    pairs = [
        (runs.read(kept(name, "alone", sample)), runs.read(kept(name, "read", sample)))
        for name in every
        if kept(name, "read", sample).exists()
    ]
    text = "\n".join([MADE, *table(pairs), ""])
    if not sample:
        RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def judged_set(name: str, sample: int | None) -> Judged:
    """The set, or a part of its questions."""
    judged = read_set(name)
    return sampled(judged, sample) if sample and judged.answers else judged


def kept(name: str, path: str, sample: int | None) -> Path:
    """Where a run is kept."""
    return RUNS / f"{name}-{path}{f'-{sample}' if sample else ''}.json"


def table(pairs: list[tuple[Run, Run]]) -> Iterator[str]:
    """A row for each set."""
    columns = ["set", "questions", "read"]
    for metric in (MAIN, FIRST):
        columns += [f"{metric} without", "with", "difference"]
    columns += ANSWERS
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for then, now in pairs:
        (difference,) = compare(then, now).differences
        ((of_set, run),) = now.modes()
        cells = [of_set.name, str(len(run.questions)), f"{reread(run):.2f}"]
        for metric in (MAIN, FIRST):
            cells += compared(difference, metric)
        cells += [
            f"{run.estimates[each].mean:.1f}" if each in run.estimates else "" for each in ANSWERS
        ]
        yield "| " + " | ".join(cells) + " |"


def compared(difference: Difference, metric: str) -> list[str]:
    """A metric without the reader, with it, and the difference."""
    without, with_, estimate = difference.metrics[metric]
    return [f"{without:.4f}", f"{with_:.4f}", signed(estimate)]


def signed(estimate: Estimate) -> str:
    """A difference with its interval."""
    interval = "" if estimate.low is None else f" ({estimate.low:+.4f} to {estimate.high:+.4f})"
    return f"{estimate.mean:+.4f}{interval}"


def reread(run: ModeRun) -> float:
    """The share of questions with a hit to which reading gave points."""
    read = [
        any(part.source == "rerank" and part.points for hit in asked.hits for part in hit.parts)
        for asked in run.questions
    ]
    return sum(read) / len(read)


if __name__ == "__main__":
    main()
