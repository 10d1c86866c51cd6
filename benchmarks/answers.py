"""How sure the sentence reader is: fits its confidence and shows what that is worth.

Every question is asked twice, once of the whole set and once without the paragraphs that answer
it, so that the fit sees questions with and without an answer. It is then judged on each set by the
fit to the other sets. Sets come from ../shared/data; run with `python benchmarks/answers.py`. The
confidence of a trained reader is fitted by benchmarks/calibration.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from sets import WORK, read_set, relevant, sampled
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.answering import READ, gather
from service.evaluation import Indexed, document_of, indexed
from service.judgments import Judged
from service.progress import report_progress
from service.reading import SentenceReader
from service.requests import Mode
from service.retrieval import rank

RESULTS = Path(__file__).resolve().parent / "results" / "answers.md"

SETS = ("xquad-en", "rtqa-news-silver", "tydiqa-en-dev", "mlqa-en-dev", "qed-dev")

QUESTIONS = 400
"""Questions taken of each set, so that no set outweighs the others."""

MADE = """Made by `python benchmarks/answers.py`. A sentence is right if it holds an accepted
answer. Each set is judged by the fit to the others, on the sentence that is surest among the ten
paragraphs read. `right`: share of the answerable questions where that sentence is right. `AUC` and
`Brier`: how well the confidence tells right from wrong. `at t`: with threshold t, the share of
answerable questions that get an answer, the share of those answers that are right, and the share
of unanswerable questions that get one all the same."""

THRESHOLDS = (0.1, 0.15, 0.3, 0.5, 0.7)

FEATURES = ("score", "cosine", "coverage")

MEASURES: dict[Mode, list[int]] = {"hybrid": [1, 2], "keyword": [0, 2]}
"""Columns of a row that the fit uses: where there is a cosine, the score adds nothing to it."""


Rows: TypeAlias = npt.NDArray[np.float64]
"""Score, cosine, coverage; is it right, is there an answer, is it the first of its question."""


Fit: TypeAlias = tuple[float, Rows]
"""Bias, and the weights of score, cosine and coverage."""


def main() -> None:
    """Measure all sets, fit, and write the tables."""
    settings, embedder = Settings(), SentenceEmbedder()
    measured: dict[Mode, dict[str, Rows]] = {"hybrid": {}, "keyword": {}}
    with report_progress() as progress:
        for name in SETS:
            judged = sampled(read_set(name), QUESTIONS)
            with indexed(judged, settings, embedder, progress, WORK) as index:
                for mode, of_sets in measured.items():
                    of_sets[name] = measure(judged, index, mode)
    tables = [line for mode, of_sets in measured.items() for line in report(of_sets, mode)]
    RESULTS.write_text("\n".join(["# Confidence of answers", "", MADE, *tables, ""]), "utf-8")
    sys.stdout.write(RESULTS.read_text(encoding="utf-8"))


def measure(judged: Judged, index: Indexed, mode: Mode) -> Rows:
    """A row a paragraph read: what its best sentence measures, and whether that is right."""
    rows: list[tuple[float, ...]] = []
    reader = SentenceReader()
    for id_, question in judged.questions.items():
        ranking = rank(index.snapshot, index.settings, question, mode)
        evidence = gather(index.snapshot, ranking, ranking.ranked[: 3 * READ])
        documents, accepted = relevant(judged, id_), judged.answers[id_]
        for answerable in (True, False):
            read = [
                item
                for item in evidence
                if answerable or document_of(item.passage) not in documents
            ][:READ]
            for place, reading in enumerate(reader.read(ranking.query.question, read)):
                sentence = " ".join(reading.text.split()).casefold()
                right = answerable and any(each.casefold() in sentence for each in accepted)
                measures = (reading.features.get(name, 0.0) for name in FEATURES)
                rows.append((*measures, right, answerable, not place))
    return np.array(rows, dtype=np.float64)


def report(measured: dict[str, Rows], mode: Mode) -> Iterator[str]:
    """The fit and the table of one mode, in Markdown."""
    yield ""
    yield f"## Mode {mode}"
    yield ""
    bias, weights = fit(np.concatenate(list(measured.values())), MEASURES[mode])
    yield f"Fit to all sets: bias {bias:.2f}, " + ", ".join(
        f"{name} {value:.2f}" for name, value in zip(FEATURES, weights, strict=True)
    )
    yield ""
    columns = ["set", "asked", "right", "AUC", "Brier"]
    columns += [f"at {threshold}" for threshold in THRESHOLDS]
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for name, rows in measured.items():
        others = np.concatenate([r for other, r in measured.items() if other != name])
        yield "| " + " | ".join([name, *judge(rows, fit(others, MEASURES[mode]))]) + " |"


def fit(rows: Rows, columns: list[int]) -> Fit:
    """Logistic regression of "right" on the surest paragraph of each question.

    Which paragraph is surest is told by a first fit, to all paragraphs. Most of those are wrong,
    so as a probability the first fit would be far too low for the one that is chosen.
    """
    features = rows[:, columns]
    every = LogisticRegression(C=100.0).fit(features, rows[:, 3])
    top = surest(rows, every.decision_function(features))
    chosen = LogisticRegression(C=100.0).fit(features[top], rows[top, 3])
    weights = np.zeros(3)
    weights[columns] = chosen.coef_[0]
    return float(chosen.intercept_[0]), weights


def surest(rows: Rows, logits: Rows) -> list[int]:
    """The row of each question that has the highest logit."""
    starts = np.flatnonzero(rows[:, 5])
    ends = [*starts[1:], len(rows)]
    return [int(a + logits[a:b].argmax()) for a, b in zip(starts, ends, strict=True)]


def judge(rows: Rows, model: Fit) -> Iterator[str]:
    """Figures on the surest sentence of each question."""
    bias, weights = model
    logits = bias + rows[:, :3] @ weights
    top = surest(rows, logits)
    sure = 1 / (1 + np.exp(-logits[top]))
    right, answerable = rows[top, 3], rows[top, 4] > 0
    yield str(len(top))
    yield f"{right[answerable].mean():.3f}"
    yield f"{roc_auc_score(right, sure):.3f}"
    yield f"{brier_score_loss(right, sure):.3f}"
    for threshold in THRESHOLDS:
        given = answerable & (sure >= threshold)
        correct = right[given].mean() if given.any() else np.nan
        false = (sure[~answerable] >= threshold).mean()
        yield f"{given.sum() / answerable.sum():.2f}, {correct:.2f}, {false:.2f}"


if __name__ == "__main__":
    main()
