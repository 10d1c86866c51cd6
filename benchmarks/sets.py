"""The judged sets that answers are measured on: those of eval/, and the files of reader/ as sets.

A file of reader/ is laid out as BEIR has it, in index_data/eval/reader/: its contexts, one
paragraph each, are the corpus, and the context of a question is what answers it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from service.judgments import Judged, read_judged

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
WORK = ROOT / "index_data" / "eval"


def read_set(name: str) -> Judged:
    """The set of eval/ or the file of reader/ called ``name``."""
    folder = DATA / "eval" / name
    if folder.is_dir():
        return read_judged(folder)
    return read_judged(laid_out(DATA / "reader" / f"{name}.jsonl.gz", WORK / "reader" / name))


def laid_out(path: Path, folder: Path) -> Path:
    """Write the questions of ``path`` to ``folder``, as BEIR has them."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    texts = {document_of(row["context"]): " ".join(row["context"].split()) for row in rows}
    _write(
        folder / "corpus.jsonl", ({"_id": id_, "title": "", "text": t} for id_, t in texts.items())
    )
    asked = [(str(number), row) for number, row in enumerate(rows)]
    _write(folder / "queries.jsonl", ({"_id": id_, "text": row["question"]} for id_, row in asked))
    _write(
        folder / "answers.jsonl",
        ({"_id": id_, "answers": [each["text"] for each in row["answers"]]} for id_, row in asked),
    )
    judged = (f"{id_}\t{document_of(row['context'])}\t1\n" for id_, row in asked)
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(judged), encoding="utf-8"
    )
    return folder


def document_of(context: str) -> str:
    """The ``_id`` of a context."""
    return hashlib.sha256(context.encode()).hexdigest()[:16]


def titles(judged: Judged) -> dict[str, str]:
    """The title of each document."""
    return {row["_id"]: row["title"] for row in lines(judged.corpus)}


def relevant(judged: Judged, id_: str) -> frozenset[str]:
    """The documents that answer a question."""
    return frozenset(document for document, grade in judged.qrels[id_].items() if grade > 0)


def sampled(judged: Judged, count: int | None) -> Judged:
    """At most ``count`` of the questions whose answers are known, from all over; None for all."""
    known = [id_ for id_ in judged.questions if id_ in judged.answers]
    step = max(1, len(known) // count) if count else 1
    return only(judged, known[::step][:count])


def only(judged: Judged, ids: Iterable[str]) -> Judged:
    """The same corpus with only the questions ``ids``."""
    kept = list(ids)
    return replace(
        judged,
        questions={id_: judged.questions[id_] for id_ in kept},
        qrels={id_: judged.qrels[id_] for id_ in kept},
        answers={id_: judged.answers[id_] for id_ in kept if id_ in judged.answers},
    )


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
