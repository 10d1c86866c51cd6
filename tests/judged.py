"""Judged sets small enough to know every rank in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_set(
    folder: Path,
    documents: Mapping[str, tuple[str, str]],
    questions: Mapping[str, str],
    qrels: Sequence[tuple[str, str, int]],
    answers: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write a set in BEIR's layout; ``documents`` have a title and a text."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)

    def write(name: str, rows: Sequence[Mapping[str, object]]) -> None:
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    write(
        "corpus.jsonl",
        [{"_id": id_, "title": t, "text": text} for id_, (t, text) in documents.items()],
    )
    write("queries.jsonl", [{"_id": id_, "text": text} for id_, text in questions.items()])
    if answers is not None:
        write("answers.jsonl", [{"_id": id_, "answers": each} for id_, each in answers.items()])
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t{s}\n" for q, d, s in qrels)
    )
    return folder
