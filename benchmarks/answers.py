"""How sure an answer is: fits the confidence of service/reading.py and shows what it is worth.

Every question is asked twice, once of the whole set and once without the paragraphs that answer
it, so that the fit sees questions with and without an answer. It is then judged on each set by the
fit to the other sets. Sets come from ../shared/data; run with `python benchmarks/answers.py`.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.generations import Generations
from indexer.settings import Settings
from service.answering import READ, gather
from service.progress import report_progress
from service.reading import content_terms, sentence_features
from service.requests import Mode
from service.retrieval import rank
from service.snapshot import Snapshot

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
RESULTS = Path(__file__).resolve().parent / "results" / "answers.md"

QUESTIONS = 400
"""Questions taken of each set, so that no set outweighs the others."""

MADE = """Made by `python benchmarks/answers.py`. A sentence is right if it holds an accepted
answer. Each set is judged by the fit to the others, on the sentence that is surest among the ten
paragraphs read. `right`: share of the answerable questions where that sentence is right. `AUC` and
`Brier`: how well the confidence tells right from wrong. `at t`: with threshold t, the share of
answerable questions that get an answer, the share of those answers that are right, and the share
of unanswerable questions that get one all the same."""

THRESHOLDS = (0.1, 0.15, 0.3, 0.5, 0.7)

MEASURES: dict[Mode, list[int]] = {"hybrid": [1, 2], "keyword": [0, 2]}
"""Columns of a row that the fit uses: where there is a cosine, the score adds nothing to it."""


Rows: TypeAlias = npt.NDArray[np.float64]
"""Score, cosine, coverage; is it right, is there an answer, is it the first of its question."""


Fit: TypeAlias = tuple[float, Rows]
"""Bias, and the weights of score, cosine and coverage."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the texts that answer it and the documents that hold them."""

    question: str
    answers: tuple[str, ...]
    documents: frozenset[str]


def main() -> None:
    """Measure all sets, fit, and write the tables."""
    embedder = SentenceEmbedder()
    measured: dict[Mode, dict[str, Rows]] = {"hybrid": {}, "keyword": {}}
    with report_progress() as progress:
        for name, corpus, asked in sets():
            with tempfile.TemporaryDirectory() as folder:
                settings = Settings(seeds=Path(folder, "seeds"), index=Path(folder, "index"))
                settings.seeds.mkdir()
                (settings.seeds / "corpus.jsonl").write_text(corpus, encoding="utf-8")
                id_ = build(settings, embedder, progress=progress).generation
                generations = Generations(settings.index)
                with closing(Snapshot.open(generations, id_, settings, embedder)) as snapshot:
                    for mode, of_sets in measured.items():
                        of_sets[name] = measure(snapshot, settings, asked, mode)
    tables = [line for mode, of_sets in measured.items() for line in report(of_sets, mode)]
    RESULTS.write_text("\n".join(["# Confidence of answers", "", MADE, *tables, ""]), "utf-8")
    sys.stdout.write(RESULTS.read_text(encoding="utf-8"))


def sets() -> Iterator[tuple[str, str, list[Asked]]]:
    """Name, corpus as BEIR lines and questions of each set."""
    for name in ("xquad-en", "rtqa-news-silver"):
        folder = DATA / "eval" / name
        qrels: dict[str, set[str]] = {}
        for line in (folder / "qrels/test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            question, document, _ = line.split("\t")
            qrels.setdefault(question, set()).add(document)
        texts = {row["_id"]: row["text"] for row in lines(folder / "queries.jsonl")}
        asked = [
            Asked(texts[row["_id"]], tuple(row["answers"]), frozenset(qrels[row["_id"]]))
            for row in lines(folder / "answers.jsonl")
        ]
        yield name, (folder / "corpus.jsonl").read_text(encoding="utf-8"), sample(asked)
    for name in ("tydiqa-en-dev", "mlqa-en-dev", "qed-dev"):
        with gzip.open(DATA / "reader" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        ids = {text: str(n) for n, text in enumerate(dict.fromkeys(r["context"] for r in rows))}
        corpus = "\n".join(
            # One paragraph each, as the answers' contexts are.
            json.dumps({"_id": id_, "title": "", "text": " ".join(text.split())})
            for text, id_ in ids.items()
        )
        asked = [
            Asked(
                row["question"],
                tuple(answer["text"] for answer in row["answers"]),
                frozenset({ids[row["context"]]}),
            )
            for row in rows
        ]
        yield name, corpus, sample(asked)


def sample(asked: list[Asked]) -> list[Asked]:
    """Every n-th question, at most ``QUESTIONS``."""
    return asked[:: max(1, len(asked) // QUESTIONS)][:QUESTIONS]


def measure(snapshot: Snapshot, settings: Settings, asked: list[Asked], mode: Mode) -> Rows:
    """A row a paragraph read: what its best sentence measures, and whether that is right."""
    rows: list[tuple[float, ...]] = []
    for each in asked:
        ranking = rank(snapshot, settings, each.question, mode)
        evidence = gather(snapshot, ranking, ranking.ranked[: 3 * READ])
        terms = content_terms(each.question)
        for answerable in (True, False):
            read = [
                item
                for item in evidence
                if answerable or item.passage.article.source.partition("#")[2] not in each.documents
            ][:READ]
            for item in read:
                cosines, coverage = sentence_features(terms, item)
                best = int((cosines + coverage).argmax())
                start, end = item.passage.paragraph.sentences[best]
                sentence = " ".join(item.passage.paragraph.text[start:end].split()).casefold()
                right = answerable and any(a.casefold() in sentence for a in each.answers)
                measures = item.score, cosines[best], coverage[best]
                rows.append((*measures, right, answerable, item is read[0]))
    return np.array(rows, dtype=np.float64)


def report(measured: dict[str, Rows], mode: Mode) -> Iterator[str]:
    """The fit and the table of one mode, in Markdown."""
    yield ""
    yield f"## Mode {mode}"
    yield ""
    bias, weights = fit(np.concatenate(list(measured.values())), MEASURES[mode])
    yield f"Fit to all sets: bias {bias:.2f}, " + ", ".join(
        f"{name} {value:.2f}"
        for name, value in zip(("score", "cosine", "coverage"), weights, strict=True)
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


def lines(path: Path) -> Iterator[dict[str, object]]:
    """The objects of a JSON-lines file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    main()
