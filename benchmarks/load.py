"""What the service does under load, at 10,000 paragraphs of ../shared/data/scale.

Searches by words and meaning, without the reader, are asked over HTTP: first on as many connections
as are served at the same time, each asking as soon as it is answered, then so often that four times
as many come as were answered, whether or not the service keeps up. The first is compared with what
the same searches reach in a process without HTTP, in the number of threads that does best; clients
and service share the same cores. Where wrk is installed (on Debian: apt install wrk), it asks too:
it takes less of the cores than clients in Python. The index is built with a stand-in for the model,
and questions are embedded by the model itself; there are so many that none is still remembered when
it comes again. Writes benchmarks/results/load.md; run with `python benchmarks/load.py`.
"""

from __future__ import annotations

import http.client
import itertools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import numpy as np
from latency import build_news
from rebuilds import apart, serving
from sets import DATA, ROOT

from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.engine import Engine
from service.judgments import read_judged
from service.requests import SearchQuery

RESULTS = ROOT / "benchmarks" / "results" / "load.md"

CONNECTIONS = 8
MORE = 4
"""How many times as many requests come when too many come."""

SECONDS = 30
"""Of each measurement, after a third of that which is not counted."""

SETS = ("rtqa-news-silver", "xquad-en", "scifact", "time", "cranfield")
"""Where the questions are from: about 2,000, each asked once before any is asked again."""

SCRIPT = """
local lines, count, next = {}, 0, 0
for line in io.lines("%s") do count = count + 1; lines[count] = line end
function request()
  next = next %% count + 1
  return wrk.format("GET", lines[next])
end
function done(summary, latency)
  local refused = summary.errors.status
  print(string.format("RESULT %%d %%d %%d %%d %%d %%d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(95), latency.max, refused))
end
"""
"""For wrk: ask the lines of a file in turn, and tell what it took in microseconds."""

CLIENTS = 64
"""Threads that send at their time; more than can be under way at once."""


@dataclass(slots=True)
class Times:
    """Seconds that each request took, by how it ended."""

    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def clear(self) -> None:
        """Forget what was only to warm up."""
        self.served.clear()
        self.refused.clear()


def main() -> None:
    """Build, measure with and without HTTP, and write what was found."""
    judged = (read_judged(DATA / "eval" / name).questions.values() for name in SETS)
    questions = list(dict.fromkeys(itertools.chain.from_iterable(judged)))
    with tempfile.TemporaryDirectory(prefix="winnow-load-") as temporary:
        settings = Settings(
            seeds=Path(temporary, "seeds"), index=Path(temporary, "index"), read_depth=0
        )
        apart(build_news, settings)
        alone = {count: apart(in_process, settings, questions, count) for count in (1, 2, 4, 8)}
        with serving(settings, model=True) as address:
            host = address.removeprefix("http://")
            usual = closed_loop(host, questions)
            rate = len(usual.served) / SECONDS
            crowd = open_loop(host, questions, MORE * rate)
            by_wrk = wrk(address, questions, Path(temporary))
    text = report(alone, usual, crowd, by_wrk)
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def in_process(settings: Settings, questions: Sequence[str], threads: int) -> float:
    """Searches a second by the engine alone."""
    with closing(Engine(settings, SentenceEmbedder())) as engine:
        engine.warm()
        numbers = itertools.count()
        times = Times()

        def search(_: int) -> None:
            question = questions[next(numbers) % len(questions)]
            begun = time.perf_counter()
            engine.search(SearchQuery(q=question))
            times.served.append(time.perf_counter() - begun)

        _during(threads, search, times)
        return len(times.served) / SECONDS


def closed_loop(host: str, questions: Sequence[str]) -> Times:
    """Each connection asks again as soon as it is answered."""
    numbers, times = itertools.count(), Times()
    connections = [http.client.HTTPConnection(host, timeout=60) for _ in range(CONNECTIONS)]

    def ask(client: int) -> None:
        _ask(connections[client], questions[next(numbers) % len(questions)], times)

    _during(CONNECTIONS, ask, times)
    return times


def open_loop(host: str, questions: Sequence[str], rate: float) -> Times:
    """So many requests a second are sent, evenly, whatever becomes of those before."""
    numbers, times, begun = itertools.count(), Times(), time.perf_counter()
    connections = [http.client.HTTPConnection(host, timeout=60) for _ in range(CLIENTS)]

    def ask(client: int) -> None:
        number = next(numbers)
        time.sleep(max(0, begun + number / rate - time.perf_counter()))
        _ask(connections[client], questions[number % len(questions)], times)

    _during(CLIENTS, ask, times)
    return times


def wrk(address: str, questions: Sequence[str], folder: Path) -> str:
    """The line of the table for what wrk measures, or why it has none."""
    if shutil.which("wrk") is None:
        return "| wrk is not installed | | | | |"
    lines, script = folder / "questions.txt", folder / "questions.lua"
    lines.write_text("\n".join(map(_path, questions)), encoding="ascii")
    script.write_text(SCRIPT % lines, encoding="utf-8")
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--timeout", "10s"]
    command += ["--duration", f"{SECONDS}s", "--script", str(script), address]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own command
    result = next(line for line in said.splitlines() if line.startswith("RESULT "))
    requests, took, median, late, most, refused = map(int, result.split()[1:])
    if refused:
        raise RuntimeError(f"{refused} of {requests} requests of wrk were not answered with 200")
    rate = requests / (took / 1e6)
    return (
        f"| {CONNECTIONS} connections of wrk | {rate:.1f} | {median / 1000:.0f} "
        f"| {late / 1000:.0f} | {most / 1000:.0f} |"
    )


def _path(question: str) -> str:
    return f"/v1/search?mode=hybrid&q={quote(question)}"


def _ask(connection: http.client.HTTPConnection, question: str, times: Times) -> None:
    begun = time.perf_counter()
    connection.request("GET", _path(question))
    response = connection.getresponse()
    response.read()
    took = time.perf_counter() - begun
    if response.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        times.refused.append(took)
    elif response.status == http.HTTPStatus.OK:
        times.served.append(took)
    else:
        raise RuntimeError(f"status {response.status} for {question!r}")


def _during(threads: int, act: Callable[[int], None], times: Times) -> None:
    """Have so many threads act again and again, and leave in ``times`` what SECONDS brought."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            while not stop.is_set():
                act(number)
        except BaseException as error:  # noqa: BLE001 - told below, and the measurement is void
            failed.append(error)

    workers = [threading.Thread(target=work, args=(each,)) for each in range(threads)]
    for each in workers:
        each.start()
    time.sleep(SECONDS / 3)
    times.clear()
    time.sleep(SECONDS)
    stop.set()
    served, refused = list(times.served), list(times.refused)
    for each in workers:
        each.join()
    times.served[:], times.refused[:] = served, refused
    if failed:
        raise failed[0]


def report(alone: dict[int, float], usual: Times, crowd: Times, by_wrk: str) -> str:
    """What was measured, in Markdown."""
    best = max(alone.values())
    rate = len(usual.served) / SECONDS
    settings = Settings()
    rows = [
        "| | requests a second | median | 95th percentile | most |",
        "|---|---|---|---|---|",
        *(
            f"| without HTTP, threads: {count} | {each:.1f} | | | |"
            for count, each in alone.items()
        ),
        _line(f"{CONNECTIONS} connections", usual.served),
        by_wrk,
        _line("four times as much: served", crowd.served),
        _line("four times as much: refused", crowd.refused),
    ]
    late = [float(np.percentile(each.served, 95)) for each in (usual, crowd)]
    in_time = float(np.mean(np.array(crowd.refused) <= 0.05)) if crowd.refused else 1.0
    return f"""# The service under load

Made by `python benchmarks/load.py`: searches by words and meaning at about 10,000 paragraphs, the
reader off, {os.cpu_count()} cores of {platform.machine()} for service and clients together,
{settings.workers} processes, {settings.threads} requests served at once and {settings.waiting}
waiting. Milliseconds as a client sees them.

{chr(10).join(rows)}

Over HTTP the service reaches {rate / best:.0%} of what the search does by itself. The 95th
percentile is {late[0] / float(np.median(usual.served)):.1f} times the median, and
{late[1] / late[0]:.2f} times itself when four times as many requests come; of those refused then,
{in_time:.1%} were within 50 ms.
"""


def _line(name: str, seconds: Sequence[float]) -> str:
    if not seconds:
        return f"| {name} | 0 | | | |"
    median, late = np.percentile(seconds, [50, 95])
    return (
        f"| {name} | {len(seconds) / SECONDS:.1f} | {1000 * median:.0f} | {1000 * late:.0f} "
        f"| {1000 * max(seconds):.0f} |"
    )


if __name__ == "__main__":
    main()
