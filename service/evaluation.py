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
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import RR, R, Success, nDCG

from indexer.build import Progress, build
from indexer.errors import SeedsError
from indexer.generations import Generations
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.answering import READ, decide, gather
from service.reading import SentenceReader
from service.requests import Mode
from service.retrieval import rank
from service.snapshot import Snapshot

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
        judged = Judged(
            name=folder.resolve().name,
            corpus=(folder / "corpus.jsonl").resolve(strict=True),
            questions={id_: text for id_, text in questions.items() if id_ in qrels},
            qrels=qrels,
            answers={row["_id"]: row["answers"] for row in _lines(answers) if row["answers"]}
            if answers.exists()
            else {},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SeedsError(
            f"{folder} is not a set of judged questions: {error}",
            hint="It needs corpus.jsonl, queries.jsonl and qrels/test.tsv as in BEIR.",
        ) from error
    if not judged.questions:
        raise SeedsError(
            f"{folder} has no question with a judgment",
            hint="The query-id column of qrels/test.tsv names the _id of queries.jsonl.",
        )
    return judged


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
        report = build(settings, embedder, progress=progress)
        generations = Generations(settings.index)
        snapshot = Snapshot.open(generations, report.generation, settings, embedder)
        with closing(snapshot):
            return [
                {
                    "set": judged.name,
                    "mode": mode,
                    "queries": len(judged.questions),
                    **({"skipped": len(report.skipped)} if report.skipped else {}),
                    **_measure(judged, mode, settings, snapshot, progress),
                }
                for mode in modes
            ]


def _measure(
    judged: Judged, mode: Mode, settings: Settings, snapshot: Snapshot, progress: Progress
) -> dict[str, float]:
    """Relevance, a document scoring as its best paragraph, and where answers are known, those."""
    run: dict[str, dict[str, float]] = {}
    given: dict[str, str] = {}
    reader = SentenceReader()
    for done, (id_, text) in enumerate(judged.questions.items()):
        progress(f"{judged.name} {mode}", done, len(judged.questions))
        ranking = rank(snapshot, settings, text, mode)
        found = [key for each in ranking.ranked for key in each.paragraphs]
        passages = snapshot.store.passages(found)
        sources = (passage.article.source.partition("#")[2] for passage in passages)
        # Metrics break equal scores in their own way, so they are given places instead.
        run[id_] = {name: -float(place) for place, name in enumerate(dict.fromkeys(sources))}
        if id_ in judged.answers:
            evidence = gather(snapshot, ranking, ranking.ranked[:READ])
            question = ranking.query.question
            answer = decide(reader, question, evidence, settings.answer_threshold).answer
            given[id_] = answer.text if answer else ""
    progress(f"{judged.name} {mode}", 1, 1)
    measured = ir_measures.calc_aggregate(_MEASURES.values(), judged.qrels, run)
    relevance = {name: round(measured[measure], 4) for name, measure in _MEASURES.items()}
    return {**relevance, **_agreement(given, judged.answers)}


def _agreement(given: dict[str, str], accepted: dict[str, list[str]]) -> dict[str, float]:
    """Exact match and F1 in percent; a question without an answer counts as wrong."""
    if not given:
        return {}
    exact = [max(_normal(text) == _normal(a) for a in accepted[id_]) for id_, text in given.items()]
    overlap = [max(_f1(text, a) for a in accepted[id_]) for id_, text in given.items()]
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
