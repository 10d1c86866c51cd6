from __future__ import annotations

import gc
import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fakes import WordEmbedder, silent, write_article

from indexer.build import build
from indexer.generations import Generations
from indexer.settings import Settings
from service.engine import Engine
from service.requests import SearchQuery
from service.snapshot import Snapshot

ARTICLES, PARAGRAPHS = 100, 10
CLIENTS = 8
REBUILDS = 20
SWAPS = 200
WORDS = [f"{a}{b}{c}" for a in "bdfklm" for b in ("ar", "en", "il", "os") for c in "aeiotuy"]

SERVER = """
import sys
from pathlib import Path
from fakes import WordEmbedder
from indexer.settings import Settings
from service.server import serve
serve(Settings(seeds=Path(sys.argv[1]), index=Path(sys.argv[2]), port=0), WordEmbedder())
"""

# Niced as the service's own builds are; a line of input is an order, a line of output its result.
BUILDER = """
import os, sys
from pathlib import Path
from fakes import WordEmbedder, silent
from indexer.build import build
from indexer.settings import Settings
os.nice(10)
settings = Settings(seeds=Path(sys.argv[1]), index=Path(sys.argv[2]))
for order in sys.stdin:
    print(build(settings, WordEmbedder(), progress=silent).generation, flush=True)
"""


@contextmanager
def child(code: str, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", code, settings.seeds, settings.index],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if code is SERVER else None,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


class Collection:
    """Seeds that change, and what every generation must therefore hold."""

    def __init__(self, folder: Path) -> None:
        self.held: dict[str, dict[str, list[str]]] = {}
        self._folder = folder
        self._random = np.random.default_rng(1)
        self._now: dict[str, list[str]] = {}
        self._names = (f"a{number:04d}.txt" for number in itertools.count())
        for _ in range(ARTICLES):
            self._write(next(self._names), 0)

    def change(self, round_: int) -> None:
        """Add an article, edit two and delete one."""
        deleted, *edited = self._random.choice(sorted(self._now), 3, replace=False).tolist()
        (self._folder / deleted).unlink()
        del self._now[deleted]
        for name in [*edited, next(self._names)]:
            self._write(name, round_)

    def built(self, generation: str) -> None:
        self.held[generation] = dict(self._now)

    def _write(self, name: str, round_: int) -> None:
        texts = [
            f"In round{round_} of {name} " + " ".join(self._random.choice(WORDS, 40)) + "."
            for _ in range(PARAGRAPHS)
        ]
        write_article(self._folder, name, *texts)
        self._now[name] = texts


@dataclass
class Clients:
    """Threads that search without pause; what they got is judged once all is known."""

    address: str
    phase: str = "warm-up"
    answers: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._search, args=(number, stop)) for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def during(self, phase: str, requests: int) -> None:
        """Let that many requests begin and end in ``phase``."""
        self.phase = phase
        wanted = len(self.seconds.get(phase, ())) + requests
        until = time.monotonic() + 60
        while len(self.seconds.get(phase, ())) < wanted and not self.failures:
            assert time.monotonic() < until
            time.sleep(0.02)

    def p95(self, phase: str) -> float:
        return float(np.percentile(self.seconds[phase], 95))

    def _search(self, number: int, stop: threading.Event) -> None:
        chance = np.random.default_rng(number)
        connection = http.client.HTTPConnection(self.address, timeout=30)
        while not stop.is_set():
            words = [*chance.choice(WORDS, 4), f"round{chance.integers(REBUILDS + 1)}"]
            phase, begun = self.phase, time.perf_counter()
            try:
                connection.request("GET", f"/v1/search?q={quote(' '.join(words))}")
                response = connection.getresponse()
                body = json.load(response)
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                return
            took = time.perf_counter() - begun
            if response.status != 200 or body["degraded"] or not body["hits"]:
                self.failures.append(json.dumps(body))
            if self.phase == phase:
                self.seconds.setdefault(phase, []).append(took)
            self.answers.append(body)
        connection.close()


def test_searching_goes_on_unharmed_while_another_process_rebuilds(settings: Settings) -> None:
    collection = Collection(settings.seeds)
    collection.built(build(settings, WordEmbedder(), progress=silent).generation)
    with child(SERVER, settings) as server, child(BUILDER, settings) as builder:
        assert server.stderr
        assert builder.stdin
        assert builder.stdout
        address = next(line.split("//")[1] for line in server.stderr if "Winnow is at" in line)
        clients = Clients(address.strip())
        with clients.running():
            clients.during("warm-up", 50)
            clients.during("rest", 200)
            clients.phase = "rebuilds"
            for round_ in range(1, REBUILDS + 1):
                collection.change(round_)
                builder.stdin.write("build\n")
                builder.stdin.flush()
                collection.built(builder.stdout.readline().strip())
            last = max(collection.held)
            clients.during("rest", 200)
    assert not clients.failures
    assert len(collection.held) == REBUILDS + 1
    for answer in clients.answers:
        held = collection.held[answer["generation"]]
        for hit in answer["hits"]:
            assert (
                hit["paragraph"]["text"]
                == held[hit["article"]["source"]][hit["paragraph"]["number"] - 1]
            )
    assert clients.answers[-1]["generation"] == last
    assert len({answer["generation"] for answer in clients.answers}) > REBUILDS / 2
    assert clients.p95("rebuilds") <= 3 * clients.p95("rest")


@dataclass(frozen=True)
class Level:
    """What this process has at a time, once what nobody refers to is gone."""

    threads: int
    files: int
    of_index: tuple[str, ...]
    snapshots: int

    @classmethod
    def now(cls, index: Path) -> Level:
        objects = gc.get_objects()
        return cls(
            threads=threading.active_count(),
            files=len(list(Path("/proc/self/fd").iterdir())),
            of_index=opened(index),
            snapshots=sum(type(each) is Snapshot for each in objects),
        )


def opened(index: Path) -> tuple[str, ...]:
    # Of any generation, and by paths without their numbers.
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    paths = [*(str(link.readlink()) for link in links), *(line[73:] for line in maps)]
    below = f"{index / 'generations'}/"
    found = [path.removeprefix(below) for path in paths if path.startswith(below)]
    return tuple(sorted(re.sub(r"\d+", "*", path) for path in found))


def resident() -> int:
    """Bytes of memory that this process has in use and that no file backs."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has open is asked of Linux")
def test_hundreds_of_swaps_leave_nothing_behind(settings: Settings) -> None:
    # In a process of its own: what other tests have used comes and goes as the system likes.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(swap_hundreds_of_times, settings).result()


def swap_hundreds_of_times(settings: Settings) -> None:
    engine, generations = Engine(settings, WordEmbedder()), Generations(settings.index)
    query = SearchQuery(q="what is said")
    write_article(settings.seeds, "a.txt", "What is said first.")
    build(settings, WordEmbedder(), progress=silent)
    engine.warm()
    levels, memory = [], []
    for swap in range(SWAPS):
        if swap % 10 == 0:
            write_article(settings.seeds, "a.txt", f"What is said in round {swap}.")
            live = build(settings, WordEmbedder(), progress=silent).generation
        else:  # a swap as well, and sooner done
            live = generations.activate(generations.ids()[swap % 2]).id
        until = time.monotonic() + 10
        while engine.search(query).generation != live:  # it may open beside the one before
            assert time.monotonic() < until
        if swap % 40 == 39:
            gc.collect()
            levels.append(Level.now(settings.index))
            memory.append(resident())
    assert set(levels) == {levels[0]}
    assert levels[0].snapshots == 1
    assert any(each.endswith("vectors.faiss") for each in levels[0].of_index)
    assert len(generations.ids()) == settings.generations
    assert memory[-1] - memory[0] < 4 * 2**20
    engine.close()
    assert opened(settings.index) == ()
