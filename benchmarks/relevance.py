"""Relevance on every judged set of ../shared/data/eval, as `winnow eval` measures it.

Writes benchmarks/results/relevance.json and a table of it; run with
`python benchmarks/relevance.py [SET ...]` to measure some sets anew and keep the others.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.evaluation import evaluate, read_judged
from service.progress import report_progress
from service.requests import Mode

ROOT = Path(__file__).resolve().parent.parent
SETS = ROOT.parent / "shared" / "data" / "eval"
RESULTS = ROOT / "benchmarks" / "results" / "relevance.json"
TABLE = RESULTS.with_suffix(".md")
MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")


def main(names: list[str]) -> None:
    """Measure the sets called ``names``, or all."""
    embedder = SentenceEmbedder()
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["results"] if RESULTS.exists() else []
    with report_progress() as progress:
        for name in names or sorted(path.name for path in SETS.iterdir()):
            judged = read_judged(SETS / name)
            rows = [row for row in rows if row["set"] != name]
            rows += evaluate(judged, MODES, Settings(), embedder, progress)
            rows.sort(key=lambda row: (row["set"], MODES.index(row["mode"])))
            RESULTS.write_text(json.dumps({"results": rows}, indent=1) + "\n", encoding="utf-8")
    TABLE.write_text("\n".join(table(rows)) + "\n", encoding="utf-8")
    sys.stdout.write(TABLE.read_text(encoding="utf-8"))


def table(rows: list[dict[str, object]]) -> list[str]:
    """The rows in Markdown."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return [
        "# Relevance",
        "",
        "Made by `python benchmarks/relevance.py`: the default settings, no reranker. Relevance",
        "metrics are shares of 1, EM and F1 of the answers are percent.",
        "",
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(str(row.get(name, "")) for name in columns) + " |" for row in rows),
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
