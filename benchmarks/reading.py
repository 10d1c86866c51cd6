"""How well the reader reads when it is given the right passage, and nothing else.

Every question of a set of eval/ or a file of reader/ is read in the document that answers it, by
the reader that is in force, whatever its confidence: what is lost here is not the search's fault.
Writes benchmarks/results/reading.md; run with `python benchmarks/reading.py [SET ...]`.
"""

from __future__ import annotations

import sys

import click
import numpy as np
from asking import unlimited
from sets import ROOT, WORK, read_set, relevant, sampled

from indexer.build import Progress
from indexer.embedding import SentenceEmbedder
from indexer.grammar import parse
from indexer.settings import Settings
from service.answering import read_answer
from service.bootstrap import estimate
from service.evaluation import Indexed, indexed
from service.judgments import Judged
from service.metrics import AGREEMENT, agreement
from service.progress import report_progress
from service.readers import extractor_of, reader_of
from service.reading import Reader
from service.retrieval import rank

RESULTS = ROOT / "benchmarks" / "results" / "reading.md"
SETS = ("xquad-en", "tydiqa-en-dev")

MADE = """# Reading the right passage

Made by `python benchmarks/reading.py`: {reader} reads each question in the passage
that answers it. No threshold is applied: every question gets an answer. Exact match and F1 follow
SQuAD 1.1; an answer contains an accepted one if its words stand in it as a run. Percent, with the
95 % interval of the bootstrap over questions.
"""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--sample", type=click.IntRange(2), help="Try so many questions; writes nothing.")
def main(names: tuple[str, ...], *, sample: int | None) -> None:
    """Read the sets NAMES, or those chosen, and write what came of it."""
    settings, embedder = Settings(), SentenceEmbedder()
    reader, extractor = reader_of(settings), extractor_of(settings)
    rows = [f"| set | questions | {' | '.join(AGREEMENT)} |", "|---|---|" + "---|" * len(AGREEMENT)]
    with report_progress() as progress:
        for name in names or SETS:
            judged = sampled(read_set(name), sample)
            with indexed(judged, settings, embedder, progress, WORK, extractor) as index:
                measured = read_all(judged, index, reader, progress)
            cells = (cell([each[metric] for each in measured]) for metric in AGREEMENT)
            rows.append(f"| {name} | {len(measured)} | {' | '.join(cells)} |")
    text = "\n".join([MADE.format(reader=type(reader).__name__), *rows, ""])
    if not sample:
        RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def read_all(
    judged: Judged, index: Indexed, reader: Reader, progress: Progress
) -> list[dict[str, float]]:
    """How the answer to each question agrees with those accepted."""
    documents, measured = index.documents(), []
    settings = unlimited(index.settings)
    for done, id_ in enumerate(judged.questions):
        progress(judged.name, done, len(judged.questions))
        keys = np.sort(np.concatenate([documents[each] for each in relevant(judged, id_)]))
        # Without syntax: a phrase in quotation marks must not hide the passage.
        question = parse(judged.questions[id_]).question
        ranking = rank(index.snapshot, settings, question, among=keys)
        answer = read_answer(index.snapshot, settings, reader, ranking)[1].answer
        measured.append(agreement(answer.text if answer else "", judged.answers[id_]))
    progress(judged.name, len(judged.questions), len(judged.questions))
    return measured


def cell(values: list[float]) -> str:
    """The mean with its interval."""
    found = estimate(values)
    interval = "" if found.low is None else f" ({found.low:.1f} to {found.high:.1f})"
    return f"{found.mean:.1f}{interval}"


if __name__ == "__main__":
    main()
