"""What answering adds to a search, at 10,000 paragraphs of ../shared/data/scale, and the memory.

The index is built, by a process of its own, with a stand-in for the model, so that both halves find
different paragraphs; the questions are embedded and the paragraphs read by the models themselves.
Each question of rtqa-news-silver is searched for without the reader, then answered, by the engine
of the service with its default settings. What an answer adds is the difference, question by
question. Writes benchmarks/results/latency.md; run with `python benchmarks/latency.py`.
"""

from __future__ import annotations

import gzip
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

import faiss
import numpy as np
import torch
from rebuilds import NEWS, StandIn, apart
from sets import DATA, ROOT

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.engine import Engine
from service.judgments import read_judged
from service.progress import report_progress
from service.readers import extractor_of
from service.requests import AnswerQuery, SearchQuery

RESULTS = ROOT / "benchmarks" / "results" / "latency.md"
ARTICLES = 300
"""That have about 10,000 paragraphs."""

THREADS = 2
WARM = 10
"""Questions that are not counted."""


def main() -> None:
    """Build, ask every question in both ways, and write what it took."""
    faiss.omp_set_num_threads(1)
    torch.set_num_threads(THREADS)
    questions = list(read_judged(DATA / "eval" / "rtqa-news-silver").questions.values())
    with tempfile.TemporaryDirectory(prefix="winnow-latency-") as temporary:
        settings = Settings(seeds=Path(temporary, "seeds"), index=Path(temporary, "index"))
        apart(build_news, settings)
        embedder = SentenceEmbedder()
        bare = settings.model_copy(update={"read_depth": 0})
        with (
            closing(Engine(bare, embedder)) as searching,
            closing(Engine(settings, embedder, extractor=extractor_of(settings))) as answering,
        ):
            searching.warm()
            answering.warm()
            paragraphs = answering.readiness().paragraphs
            times = []
            for question in questions:
                searched, _ = _timed(lambda q=question: searching.search(SearchQuery(q=q)))
                answered, result = _timed(lambda q=question: answering.answer(AnswerQuery(q=q)))
                times.append((searched, answered, bool(result.degraded)))
    took = np.array(times[WARM:], dtype=float)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [
        "| | median | 95th percentile | most |",
        "|---|---|---|---|",
        _line("search without the reader", took[:, 0]),
        _line("answer", took[:, 1]),
        _line("what the answer adds", took[:, 1] - took[:, 0]),
    ]
    text = f"""# What answering takes

Made by `python benchmarks/latency.py`: {paragraphs:,} paragraphs, {len(took)} questions of
rtqa-news-silver, one after the other, {THREADS} threads, {platform.machine()}, default settings.
Milliseconds of wall time.

{chr(10).join(rows)}

In {took[:, 2].mean():.0%} of the questions time ran out before all of the first
{settings.read_depth} paragraphs were read. Peak memory of the process, with both engines in it:
{memory:.0f} MiB.
"""
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def build_news(settings: Settings, articles: int = ARTICLES) -> None:
    """Index the first ``articles``, with vectors of the stand-in."""
    settings.seeds.mkdir()
    with gzip.open(NEWS) as packed, Path(settings.seeds, "news.jsonl").open("wb") as plain:
        plain.writelines(islice(packed, articles))
    with report_progress() as progress:
        build(settings, StandIn(), progress=progress)


def _timed(ask: Callable[[], object]) -> tuple[float, object]:
    begun = time.perf_counter()
    result = ask()
    return 1000 * (time.perf_counter() - begun), result


def _line(name: str, milliseconds: np.ndarray) -> str:
    median, late = np.percentile(milliseconds, [50, 95])
    return f"| {name} | {median:.1f} | {late:.1f} | {milliseconds.max():.1f} |"


if __name__ == "__main__":
    main()
