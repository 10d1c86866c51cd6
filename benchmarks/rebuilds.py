"""What rebuilds cost, on news articles of ../shared/data/scale, one file each.

Measures a full build, one of thirty changed articles, one with nothing to do, the way back, the
memory of full builds of two sizes, and searches at rest and while building. Whatever opens an
index runs in a process of its own. Writes benchmarks/results/rebuilds.json and a table of it; run
with `python benchmarks/rebuilds.py [--paragraphs N] [--model]`.

By default a stand-in takes the model's place: vectors of the same length, made from each text's
hash at once. Its times are those of all else, which is where a cost could hide that grows with the
collection. With --model they are what a user sees, and memory is measured at one size only.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import multiprocessing
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

import numpy as np

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.generations import Generations
from indexer.protocols import Embedder
from indexer.settings import Settings
from indexer.types import Span, Vectors
from service.server import serve
from service.snapshot import Snapshot

ROOT = Path(__file__).resolve().parent.parent
NEWS = ROOT.parent / "shared" / "data" / "scale" / "news-200k.jsonl.gz"
RESULTS = ROOT / "benchmarks" / "results" / "rebuilds.json"
TABLE = RESULTS.with_suffix(".md")
WINNOW = Path(sys.executable).with_name("winnow")

CHANGED = 10
"""Articles added, as many edited and as many deleted."""

LARGER = 4
"""How many times as many paragraphs the second measurement of memory is made on."""

CLIENTS = 8
"""Threads that search without pause."""

REQUESTS = 800
"""Searches at rest."""

REBUILDS = 3
"""Incremental builds while searches run."""

P = ParamSpec("P")
T = TypeVar("T")
Record = dict[str, str]


class StandIn:
    """Unit vectors from a text's hash: two rows of a random table, added.

    It bears the model's fingerprint, so that commands take an index made with it for one of theirs.
    """

    dimensions = 384
    _window = 1000  # characters, of about 250 tokens

    def __init__(self) -> None:
        self.fingerprint = SentenceEmbedder().fingerprint
        shape = (2**14, self.dimensions)
        self._table = np.random.default_rng(7).standard_normal(shape, dtype=np.float32)

    def load(self) -> None:
        """There is nothing to load."""

    def windows(self, text: str) -> tuple[Span, ...]:
        """Pieces of equal length."""
        starts = range(0, max(len(text), 1), self._window)
        return tuple(Span(start, min(start + self._window, len(text))) for start in starts)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """A vector a text, different for nearly all."""
        digests = b"".join(hashlib.blake2b(text.encode(), digest_size=4).digest() for text in texts)
        rows = np.frombuffer(digests, dtype="<u2").reshape(-1, 2) % len(self._table)
        vectors = self._table[rows[:, 0]] + self._table[rows[:, 1]]
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


class Timed:
    """An embedder, and the ``seconds`` that it took."""

    def __init__(self, embedder: Embedder) -> None:
        self.seconds = 0.0
        self.fingerprint = embedder.fingerprint
        self.windows = embedder.windows
        self._embedder = embedder

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the embedder does."""
        begun = time.perf_counter()
        vectors = self._embedder.encode(texts)
        self.seconds += time.perf_counter() - begun
        return vectors


def main() -> None:
    """Measure with one embedder, keep what was measured with the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--paragraphs", type=int, default=50_000)
    parser.add_argument("--model", action="store_true", help="the real one; takes long")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        column = f"{'model' if arguments.model else 'stand-in'}, {arguments.paragraphs:,}"
        results[column] = measure(Path(folder), arguments.paragraphs, arguments.model)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    TABLE.write_text("\n".join(table(results)) + "\n", encoding="utf-8")
    sys.stdout.write(TABLE.read_text(encoding="utf-8"))


def measure(folder: Path, paragraphs: int, model: bool) -> dict[str, str]:
    """Every row of the table, by its name."""
    rows: dict[str, str] = {}

    def tell(name: str, value: str) -> None:
        rows[name] = value
        sys.stderr.write(f"{name}: {value}\n")

    settings = Settings(seeds=folder / "seeds", index=folder / "index")
    spare = write_first(settings.seeds, paragraphs)
    full = apart(timed_build, settings, model)
    tell("full build", f"{full['seconds']:.1f} s, of which embedding {full['embedding']:.1f} s")
    tell("articles and paragraphs", f"{full['articles']:,} and {full['paragraphs']:,}")

    change(settings.seeds, spare)
    some = apart(timed_build, settings, model)
    ratio = some["seconds"] / full["seconds"]
    tell("thirty articles changed", f"{some['seconds']:.2f} s, {ratio:.2%} of the full build")
    stages = ", ".join(f"{stage} {spent:.2f} s" for stage, spent in some["stages"].items())
    tell("its stages", f"{stages}; embedding {some['embedding']:.2f} s")

    none = apart(timed_build, settings, model)
    tell("nothing to do", f"{none['seconds']:.2f} s")
    tell("nothing to do, `winnow build`", f"{shell_build(settings):.2f} s")
    back, opened = apart(timed_rollback, settings, model)
    tell("rollback", f"{back:.2f} s")
    tell("opening a generation", f"{opened:.2f} s")

    rest, building = searching(settings, model, spare)
    tell("p95 of searches at rest", f"{1000 * rest:.0f} ms")
    tell("p95 while rebuilding", f"{1000 * building:.0f} ms, {building / rest:.2f} times")

    peak = f"{full['peak']:.0f} MiB"
    if not model:
        larger = Settings(seeds=folder / "more", index=folder / "larger")
        write_first(larger.seeds, LARGER * paragraphs)
        second = apart(timed_build, larger, model)
        peak += f"; {second['peak']:.0f} MiB, {second['peak'] / full['peak']:.2f} times, at "
        peak += f"{second['paragraphs']:,} paragraphs"
    tell("peak memory of a full build", peak)
    return rows


def write_first(seeds: Path, paragraphs: int) -> Iterator[Record]:
    """Write the first articles, of so many paragraphs in all, and return the others."""
    seeds.mkdir()
    records = read_news()
    written = 0
    for record in records:
        written += len(record["text"].splitlines())
        if written > paragraphs:
            break
        write(seeds, record)
    return records


def read_news() -> Iterator[Record]:
    """Every article of the file, as a record."""
    with gzip.open(NEWS, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def write(seeds: Path, record: Record) -> None:
    """Write an article in the native form."""
    text = f"{record['title']}\nPublished: {record['published']}\n\n{record['text']}\n"
    (seeds / f"{record['id']}.txt").write_text(text, encoding="utf-8")


def change(seeds: Path, spare: Iterator[Record]) -> None:
    """Add, edit and delete articles, ``CHANGED`` of each; of an edited one, one paragraph."""
    paths = sorted(seeds.iterdir())
    chosen = paths[:: len(paths) // (2 * CHANGED)][: 2 * CHANGED]
    for path in chosen[::2]:
        path.unlink()
    for path in chosen[1::2]:
        path.write_text(path.read_text(encoding="utf-8").rstrip() + " Edited.\n", encoding="utf-8")
    for record in islice(spare, CHANGED):
        write(seeds, record)


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``function`` in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def embedder_of(model: bool) -> SentenceEmbedder | StandIn:
    """The model or its stand-in."""
    return SentenceEmbedder() if model else StandIn()


def timed_build(settings: Settings, model: bool, niceness: int = 0) -> dict[str, Any]:
    """Build with the model loaded, as a process that watches has it; seconds and MiB."""
    os.nice(niceness)
    loaded = embedder_of(model)
    loaded.load()
    embedder = Timed(loaded)
    begun = time.perf_counter()
    report = build(settings, embedder, progress=lambda _stage, _done, _total: None)
    return {
        "seconds": time.perf_counter() - begun,
        "embedding": embedder.seconds,
        "stages": {name: spent for name, spent in report.seconds.items() if name != "total"},
        "articles": report.articles,
        "paragraphs": report.paragraphs,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def shell_build(settings: Settings) -> float:
    """Seconds of a command that finds nothing to do."""
    command = [WINNOW, "build", "--seeds", settings.seeds, "--index", settings.index]
    begun = time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own command
    if "nothing" not in told.casefold():
        raise RuntimeError(told)
    return time.perf_counter() - begun


def timed_rollback(settings: Settings, model: bool) -> tuple[float, float]:
    """Seconds to go back to the generation before, and to open one."""
    generations = Generations(settings.index)
    embedder = embedder_of(model)
    live, before = generations.ids()[:2]
    begun = time.perf_counter()
    generations.activate(before)
    activated = time.perf_counter()
    Snapshot.open(generations, before, settings, embedder).close()
    opened = time.perf_counter()
    generations.activate(live)
    return activated - begun, opened - activated


def searching(settings: Settings, model: bool, spare: Iterator[Record]) -> tuple[float, float]:
    """The 95th percentile of seconds that a search takes at rest, and while builds run."""
    titles = [path.read_text(encoding="utf-8").splitlines()[0] for path in settings.seeds.iterdir()]
    with serving(settings, model) as address, clients(address, titles) as seconds:
        seconds["warm-up"] = []
        wait(lambda: len(seconds["warm-up"]) >= CLIENTS * 10)
        seconds["rest"] = []
        wait(lambda: len(seconds["rest"]) >= REQUESTS)
        seconds["rebuilds"] = []
        for _ in range(REBUILDS):
            change(settings.seeds, spare)
            apart(timed_build, settings, model, niceness=10)
        seconds["rest again"] = []
        wait(lambda: len(seconds["rest again"]) >= REQUESTS)
    at_rest = seconds["rest"] + seconds["rest again"]
    return float(np.percentile(at_rest, 95)), float(np.percentile(seconds["rebuilds"], 95))


@contextmanager
def serving(settings: Settings, model: bool) -> Iterator[str]:
    """The service in a process of its own; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = settings.model_copy(update={"port": port})
    process = multiprocessing.get_context("spawn").Process(
        target=run_server, args=(settings, model)
    )
    process.start()
    address = f"http://127.0.0.1:{port}"
    try:
        wait(lambda: answers(f"{address}/health/ready"))
        yield address
    finally:
        process.terminate()
        process.join()


def run_server(settings: Settings, model: bool) -> None:
    """Serve until told to stop."""
    serve(settings, embedder_of(model))


@contextmanager
def clients(address: str, titles: list[str]) -> Iterator[dict[str, list[float]]]:
    """Threads that search for titles; what a search took is noted under the key added last."""
    seconds: dict[str, list[float]] = {"": []}
    stop = threading.Event()
    failed: list[int] = []

    def search(number: int) -> None:
        for title in islice(cycle(titles), number, None, CLIENTS):
            if stop.is_set():
                break
            phase, begun = next(reversed(seconds)), time.perf_counter()
            if not answers(f"{address}/v1/search?q={quote(title)}"):
                failed.append(number)
            seconds[phase].append(time.perf_counter() - begun)

    threads = [threading.Thread(target=search, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield seconds
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failed:
        raise RuntimeError(f"{len(failed)} searches failed")


def answers(url: str) -> bool:
    """Whether the service answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310 - our own loopback service
            response.read()
    except OSError:
        return False
    return True


def wait(condition: Callable[[], bool]) -> None:
    """Until ``condition`` holds."""
    until = time.monotonic() + 300
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.05)


def table(results: dict[str, dict[str, str]]) -> list[str]:
    """The results in Markdown, one column a run."""
    names = list(dict.fromkeys(name for rows in results.values() for name in rows))
    return [
        "# Rebuilds",
        "",
        "Made by `python benchmarks/rebuilds.py` (stand-in) and `python benchmarks/rebuilds.py",
        "--model`: news articles, one file each. The stand-in makes vectors at once, so its column",
        "is the cost of all but the embedding. Thirty articles are ten added, ten edited in one",
        f"paragraph and ten deleted. {CLIENTS} threads search without pause; while they do,",
        f"{REBUILDS} such builds run one after the other, each followed by its swap.",
        "",
        "| | " + " | ".join(results) + " |",
        "|" + "---|" * (len(results) + 1),
        *(
            f"| {name} | " + " | ".join(rows.get(name, "") for rows in results.values()) + " |"
            for name in names
        ),
    ]


if __name__ == "__main__":
    main()
