"""Fits the confidence of the reader in force to questions that it was not trained on.

They are those of the reader's training files whose contexts were held out, each asked of all
contexts of its file and of all but its own, in the way of the service. Of the latter, which have no
answer, one in four counts: people ask their own collection more about what is in it. What is learnt
is how right an answer is, given what the reader measured of it; the sets of eval/ and tydiqa-en-dev
are left for judging. Each file is also judged by the fit to the others. Writes
service/weights/calibration.json and benchmarks/results/calibration.md; what came of the questions
is kept in index_data/eval/asked/, and `--kept` fits to that again. Run with `make calibrate`.

While asking, the reader puts first what its own scores favour: there is no confidence yet.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from asking import Outcome, ask_all, keep, kept, path_of
from risk import Numbers, brier, calibration_error
from sets import DATA, ROOT, WORK, document_of, only, read_set, relevant, sampled
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from indexer.embedding import SentenceEmbedder, packaged_folder, read_tokenizer
from indexer.settings import Settings
from service import confidence
from service.confidence import Calibration, Fit, Weight
from service.evaluation import indexed
from service.judgments import Judged
from service.progress import report_progress
from service.readers import extractor_of
from service.requests import Mode
from service.spanning import SpanReader
from training.examples import parted, read_examples
from training.recipe import RECIPE

RESULTS = ROOT / "benchmarks" / "results" / "calibration.md"
MODES: tuple[Mode, ...] = ("hybrid", "keyword")

SPARSE = 4
"""Of so many questions without an answer one counts: as if a fifth of all had none."""

MADE = """# Calibration of the confidence

Made by `PYTHONPATH=. python benchmarks/calibration.py`: the questions of the reader's training
files whose contexts were held out from training, each asked of all contexts of its file, and one in
four also of all but its own, so that a fifth of them have no answer. An answer is right if it
contains an accepted answer, after normalising as SQuAD does, and the question has one. A logistic
regression tells that from what the reader measured; the weights are given for a standard deviation
of each measure. Each file is judged by the fit to the others: AUC is how well right and wrong are
told apart, calibration error (ten bins) and Brier score how true the confidence is."""

Named = tuple[str, Outcome]
"""An outcome with the file that its question is from."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--sample", type=click.IntRange(2), help="Try so many questions; writes nothing.")
@click.option("--questions", default=80, show_default=True, help="Ask so many of each file.")
@click.option("--kept", "again", is_flag=True, help="Fit to what was asked before.")
def main(names: tuple[str, ...], *, sample: int | None, questions: int, again: bool) -> None:
    """Ask the held-out questions of the files NAMES, or of all, and fit the confidence to them."""
    chosen = names or files()
    if not again:
        ask(chosen, sample, questions)
    groups = by_measures(
        (name, outcome)
        for name in chosen
        for mode in MODES
        for outcome in presumed(kept(place(name, mode, sample)).outcomes)
    )
    text = "\n".join([MADE, *(line for rows in groups.values() for line in report(rows)), ""])
    if not sample:
        confidence.CALIBRATION.parent.mkdir(exist_ok=True)
        confidence.write(Calibration(tuple(fit(rows) for rows in groups.values())))
        RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def files() -> list[str]:
    """The training files of passages: those with which not to answer is learnt too."""
    names = (name for stage in RECIPE.stages if stage.negatives for name in stage.shares)
    return list(dict.fromkeys(names))


def ask(names: Sequence[str], sample: int | None, questions: int) -> None:
    """Ask the held-out questions of each file in both modes and keep what came of them."""
    settings, embedder = Settings(), SentenceEmbedder()
    reader, extractor = SpanReader(unfitted()), extractor_of(settings)
    with report_progress() as progress:
        for name in names:
            judged = sampled(held_out(name), sample or questions)
            left_out = {id_: relevant(judged, id_) for id_ in judged.questions}
            with indexed(judged, settings, embedder, progress, WORK, extractor) as index:
                for mode in MODES:
                    asked = ask_all(judged, index, reader, mode, left_out, progress)
                    keep(asked, place(name, mode, sample))


def unfitted() -> Calibration:
    """By what the reader scores alone."""
    weights = {"margin": Weight(1.0, -30.0, 30.0), "lead": Weight(0.0, 0.0, 0.0)}
    return Calibration((Fit(0.0, weights, 1, 0),))


def presumed(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """All that have an answer, and one in ``SPARSE`` of those that have none."""
    yield from (each for each in outcomes if each.answerable)
    yield from [each for each in outcomes if not each.answerable][::SPARSE]


def held_out(name: str) -> Judged:
    """The file with only the questions that the reader was not trained on."""
    examples = read_examples(DATA / "reader", name, read_tokenizer(packaged_folder()))
    _, out = parted(examples, RECIPE.held_out)
    documents = {document_of(examples.contexts[each.context].text) for each in out}
    judged = read_set(name)
    return only(judged, (id_ for id_ in judged.questions if relevant(judged, id_) <= documents))


def place(name: str, mode: Mode, sample: int | None) -> Path:
    """Where the outcomes of a file are kept."""
    return path_of(f"held-out-{name}-{mode}", sample)


def by_measures(rows: Iterator[Named]) -> Mapping[frozenset[str], list[Named]]:
    """The outcomes that have an answer, by the names of what was measured of it."""
    groups: dict[frozenset[str], list[Named]] = defaultdict(list)
    for name, outcome in rows:
        if outcome.answer:
            groups[frozenset(outcome.features)].append((name, outcome))
    return groups


def fit(rows: Sequence[Named]) -> Fit:
    """The logistic regression to outcomes with the same measures."""
    names = sorted(rows[0][1].features)
    values, right = measures(rows)
    low, high = finite_range(values)
    scaled = make_pipeline(StandardScaler(), LogisticRegression(C=100.0))
    scaled.fit(np.clip(values, low, high), right)
    scaler, regression = scaled[0], scaled[1]
    weights = regression.coef_[0] / scaler.scale_
    return Fit(
        bias=float(regression.intercept_[0] - weights @ scaler.mean_),
        weights={
            name: Weight(float(weight), float(least), float(most))
            for name, weight, least, most in zip(names, weights, low, high, strict=True)
        },
        readings=len(right),
        right=int(right.sum()),
    )


def measures(rows: Sequence[Named]) -> tuple[Numbers, np.ndarray]:
    """The measures of each outcome in the order of their names, and whether it is right."""
    names = sorted(rows[0][1].features)
    values = np.array([[outcome.features[name] for name in names] for _, outcome in rows])
    return values, np.array([outcome.right for _, outcome in rows])


def finite_range(values: Numbers) -> tuple[Numbers, Numbers]:
    """The least and the most of each measure that is finite."""
    finite = np.ma.masked_invalid(values)
    return finite.min(axis=0).data, finite.max(axis=0).data


def report(rows: Sequence[Named]) -> Iterator[str]:
    """The fit to all files, and each file judged by the fit to the others, in Markdown."""
    names = sorted(rows[0][1].features)
    values, _ = measures(rows)
    whole = fit(rows)
    spread = np.clip(values, *finite_range(values)).std(axis=0)
    yield from ("", f"## With {', '.join(names)}", "")
    yield f"{whole.readings} answers, {whole.right} of them right. " + ", ".join(
        f"{name} {whole.weights[name].weight * each:+.2f}"
        for name, each in zip(names, spread, strict=True)
    )
    yield ""
    yield "| file | answers | right | AUC | calibration error | Brier |"
    yield "|---|---|---|---|---|---|"
    files_ = [name for name, _ in rows]
    if len(set(files_)) < 2:
        return
    for others, own in LeaveOneGroupOut().split(rows, groups=files_):
        fitted = fit([rows[row] for row in others])
        judged = [rows[row][1] for row in own]
        sure = np.array([fitted.probability(each.features) for each in judged])
        right = np.array([each.right for each in judged])
        # One kind alone cannot be told from the other.
        auc = f"{roc_auc_score(right, sure):.3f}" if 0 < right.sum() < len(right) else ""
        yield (
            f"| {files_[own[0]]} | {len(right)} | {right.mean():.3f} | {auc} | "
            f"{calibration_error(sure, right):.3f} | {brier(sure, right):.3f} |"
        )


if __name__ == "__main__":
    main()
