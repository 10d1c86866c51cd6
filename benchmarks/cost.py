"""What a hybrid search costs beside its halves, at 200,000 paragraphs of ../shared/data/scale.

The index is built with a stand-in for the model, whose vectors resemble nothing: both halves find
different paragraphs, and the merge has as many candidates as it ever has. Questions are read by the
model itself. Each of those of rtqa-news-silver is ranked in each mode, in turn, five times; the
first time is not counted, as it decodes the postings. Counted is CPU time of all threads, with
recognition of dates, spelling and the gathering of copies. Writes benchmarks/results/cost.md; run
with `python benchmarks/cost.py`.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
from rebuilds import NEWS, StandIn

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.generations import Generations
from indexer.settings import Settings
from service.judgments import read_judged
from service.progress import report_progress
from service.requests import Mode
from service.retrieval import rank
from service.snapshot import Snapshot

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT.parent / "shared" / "data" / "eval" / "rtqa-news-silver"
RESULTS = ROOT / "benchmarks" / "results" / "cost.md"
MODES: tuple[Mode, ...] = ("keyword", "semantic", "hybrid")
ROUNDS = 5


def main() -> None:
    """Build, rank every question in every mode, and write what it took."""
    faiss.omp_set_num_threads(1)
    questions = list(read_judged(QUESTIONS).questions.values())
    with tempfile.TemporaryDirectory(prefix="winnow-cost-") as temporary:
        settings = Settings(seeds=Path(temporary, "seeds"), index=Path(temporary, "index"))
        settings.seeds.mkdir()
        with gzip.open(NEWS) as packed, Path(settings.seeds, "news.jsonl").open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        with report_progress() as progress:
            report = build(settings, StandIn(), progress=progress)
        embedder = SentenceEmbedder()
        embedder.load()
        opened = Snapshot.open(Generations(settings.index), report.generation, settings, embedder)
        with closing(opened) as snapshot:
            snapshot.speller()
            measured = np.array([taken(snapshot, settings, each) for each in questions])
    lines = [
        "# What a hybrid search costs",
        "",
        f"Made by `python benchmarks/cost.py`: {report.paragraphs:,} paragraphs,",
        f"{len(questions)} questions of rtqa-news-silver, CPU milliseconds of all threads for one",
        "ranking. The semantic half and the hybrid search embed the question each time.",
        "",
        "| | median | 95th percentile |",
        "|---|---|---|",
        *(line(name, measured[:, place]) for place, name in enumerate(MODES)),
        line("hybrid over the slower half", measured[:, 2] - measured[:, :2].max(axis=1)),
    ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(RESULTS.read_text(encoding="utf-8"))


def taken(snapshot: Snapshot, settings: Settings, question: str) -> list[float]:
    """CPU milliseconds of ``question`` in each mode: the median of all rounds but the first."""
    rounds = []
    for _ in range(ROUNDS):
        times = []
        for mode in MODES:
            if snapshot.semantic is not None:
                # Nobody asks the same thing at once again.
                snapshot.semantic._embed.cache_clear()  # noqa: SLF001
            snapshot.keyword._scores.cache_clear()  # noqa: SLF001
            begun = time.process_time()
            rank(snapshot, settings, question, mode)
            times.append(1000 * (time.process_time() - begun))
        rounds.append(times)
    return [float(value) for value in np.median(rounds[1:], axis=0)]


def line(name: str, milliseconds: np.ndarray) -> str:
    """A row of the table."""
    median, late = np.percentile(milliseconds, [50, 95])
    return f"| {name} | {median:.1f} | {late:.1f} |"


if __name__ == "__main__":
    main()
