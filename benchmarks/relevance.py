"""Relevance on every judged set of ../shared/data/eval, as `winnow eval` measures it.

Writes benchmarks/results/relevance.json and a table of it; `python benchmarks/relevance.py SET ...`
measures some sets anew and keeps the others. The runs are left in index_data/eval/runs/, question
by question, for `winnow eval --compare`.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service import runs
from service.evaluation import evaluate
from service.judgments import read_judged
from service.metrics import MAIN, METRICS
from service.progress import report_progress
from service.requests import Mode
from service.summaries import rows

ROOT = Path(__file__).resolve().parent.parent
SETS = ROOT.parent / "shared" / "data" / "eval"
WORK = ROOT / "index_data" / "eval"
RUNS = WORK / "runs"
RESULTS = ROOT / "benchmarks" / "results" / "relevance.json"
TABLE = RESULTS.with_suffix(".md")
MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")


def main(names: list[str]) -> None:
    """Measure the sets called ``names``, or all; and those that were never measured here."""
    RUNS.mkdir(parents=True, exist_ok=True)
    embedder = SentenceEmbedder()
    every = sorted(path.name for path in SETS.iterdir())
    with report_progress() as progress:
        for name in every:
            kept = RUNS / f"{name}.json"
            if kept.exists() and names and name not in names:
                continue
            judged = [read_judged(SETS / name)]
            runs.save(
                evaluate(judged, MODES, Settings(read_depth=0), embedder, progress, work=WORK), kept
            )
    measured = [runs.read(RUNS / f"{name}.json") for name in every]
    last = max(measured, key=lambda run: run.when)
    whole = last.model_copy(update={"sets": tuple(each for run in measured for each in run.sets)})
    found = {
        "command": "python benchmarks/relevance.py",
        "when": last.when.isoformat(),
        "machine": platform.machine(),
        "model": last.model,
        "settings": last.settings,
        "versions": last.versions,
        "results": rows(whole),
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    TABLE.write_text("\n".join(table(found["results"])) + "\n", encoding="utf-8")
    sys.stdout.write(TABLE.read_text(encoding="utf-8"))


def table(measured: list[dict[str, Any]]) -> list[str]:
    """The rows in Markdown."""
    metrics = [name for name in METRICS if any(name in row for row in measured)]
    columns = ["set", "mode", "queries", "skipped", MAIN, "95 % interval", "over the better half"]
    columns += [name for name in metrics if name != MAIN]
    return [
        "# Relevance",
        "",
        "Made by `python benchmarks/relevance.py`: the default settings, but without the reader.",
        f"Relevance metrics are shares of 1, those of answers percent. Intervals are of {MAIN}:",
        "bootstrap over questions, percentile method; those of the other metrics are in",
        "relevance.json. Over the better half: what the hybrid search has above the better of",
        "keyword and semantic, question by question. The mean counts every set the same.",
        "",
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(_cells(row, columns)) + " |" for row in measured),
    ]


def _cells(row: dict[str, Any], columns: list[str]) -> list[str]:
    low, high = row["intervals"][MAIN]
    cells = row | {"95 % interval": f"{low:.4f} to {high:.4f}"}
    if over := row.get("over_better_half"):
        low, high = over["interval"]
        cells["over the better half"] = (
            f"{over[MAIN]:+.4f} ({low:+.4f} to {high:+.4f}) {over['half']}"
        )
    return [str(cells.get(name, "")) for name in columns]


if __name__ == "__main__":
    main(sys.argv[1:])
