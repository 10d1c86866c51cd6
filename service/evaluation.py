"""Measuring search and answers on judged questions, in the folder layout of BEIR.

A folder holds ``corpus.jsonl``, ``queries.jsonl``, ``qrels/test.tsv`` and, where questions have
known answers, ``answers.jsonl``. Relevance metrics come from ir-measures; exact match and F1
follow the evaluation script of SQuAD 1.1 (Rajpurkar et al., EMNLP 2016), with its removal of
articles and punctuation.
"""

from __future__ import annotations

import csv
import json
import shutil
import statistics
import string
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import RR, R, Success, nDCG

from indexer.build import Progress, build
from indexer.errors import SeedsError
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.engine import Engine
from service.library import Library
from service.retrieval import rank
from service.schemas import AnswerQuery, Mode

_MEASURES = {
    "nDCG@10": nDCG @ 10,
    "MRR@10": RR @ 10,
    "Recall@10": R @ 10,
    "Recall@100": R @ 100,
    "Success@1": Success @ 1,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A set of judged questions.

    ``qrels`` maps question to document to grade; documents are named by the ``_id`` of the corpus.
    ``answers`` maps question to acceptable texts.
    """

    name: str
    corpus: Path
    questions: dict[str, str]
    qrels: dict[str, dict[str, int]]
    answers: dict[str, list[str]]


def read_judged(folder: Path) -> Judged:
    """Read a set; questions without a judgment are left out.

    Raises:
        SeedsError: A file is missing or malformed.
    """
    try:
        qrels: dict[str, dict[str, int]] = {}
        with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
        questions = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
        answers = folder / "answers.jsonl"
        return Judged(
            name=folder.resolve().name,
            corpus=folder / "corpus.jsonl",
            questions={id_: text for id_, text in questions.items() if id_ in qrels},
            qrels=qrels,
            answers={row["_id"]: row["answers"] for row in _lines(answers)}
            if answers.exists()
            else {},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SeedsError(
            f"{folder} is not a set of judged questions: {error}",
            hint="It needs corpus.jsonl, queries.jsonl and qrels/test.tsv as in BEIR.",
        ) from error


def evaluate(
    judged: Judged,
    modes: Sequence[Mode],
    settings: Settings,
    embedder: Embedder,
    progress: Progress,
) -> list[dict[str, object]]:
    """Index the corpus in a temporary folder and measure each mode; one row a mode."""
    with tempfile.TemporaryDirectory(prefix="winnow-eval-") as temporary:
        seeds = Path(temporary, "seeds")
        seeds.mkdir()
        shutil.copy(judged.corpus, seeds / "corpus.jsonl")
        settings = settings.model_copy(update={"seeds": seeds, "index": Path(temporary, "index")})
        build(settings, embedder, progress=progress)
        engine = Engine(settings, embedder)
        try:
            return [
                {
                    "set": judged.name,
                    "mode": mode,
                    "queries": len(judged.questions),
                    **_relevance(judged, mode, settings, engine.library, progress),
                    **_answers(judged, mode, engine, progress),
                }
                for mode in modes
            ]
        finally:
            engine.close()


def _relevance(
    judged: Judged, mode: Mode, settings: Settings, library: Library, progress: Progress
) -> dict[str, float]:
    """The relevance metrics; a document scores as its best paragraph does."""
    run: dict[str, dict[str, float]] = {}
    with library.borrow() as snapshot:
        for done, (id_, text) in enumerate(judged.questions.items()):
            progress(f"{judged.name} {mode}", done, len(judged.questions))
            ranked = rank(snapshot, settings, text, mode).ranked
            passages = snapshot.store.passages([each.paragraph for each in ranked])
            documents: dict[str, float] = {}
            for each, passage in zip(ranked, passages, strict=True):
                documents.setdefault(passage.article.source.partition("#")[2], each.score)
            # Metrics break equal scores in their own way; the place in the ranking is ours.
            run[id_] = {name: -float(place) for place, name in enumerate(documents)}
    measured = ir_measures.calc_aggregate(_MEASURES.values(), judged.qrels, run)
    return {name: round(measured[measure], 4) for name, measure in _MEASURES.items()}


def _answers(judged: Judged, mode: Mode, engine: Engine, progress: Progress) -> dict[str, float]:
    """Exact match and F1 of the answers given, from the question alone; none counts as wrong."""
    if not judged.answers:
        return {}
    exact, overlap = [], []
    for done, (id_, accepted) in enumerate(judged.answers.items()):
        progress(f"{judged.name} {mode} answers", done, len(judged.answers))
        answer = engine.answer(AnswerQuery(q=judged.questions[id_], mode=mode)).answer
        given = answer.text if answer else ""
        exact.append(max(float(_normal(given) == _normal(text)) for text in accepted))
        overlap.append(max(_f1(given, text) for text in accepted))
    return {
        "EM": round(100 * statistics.fmean(exact), 2),
        "F1": round(100 * statistics.fmean(overlap), 2),
    }


def _normal(text: str) -> list[str]:
    """Words without case, punctuation and the articles a, an, the."""
    bare = text.casefold().translate(str.maketrans("", "", string.punctuation))
    return [word for word in bare.split() if word not in {"a", "an", "the"}]


def _f1(given: str, accepted: str) -> float:
    """Harmonic mean of precision and recall over words, repeated words counted."""
    ours, theirs = _normal(given), _normal(accepted)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs)) if shared else float(ours == theirs)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
