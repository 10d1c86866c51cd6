"""What the service makes of rubbish: 200,000 requests over sockets, and 20,000 questions.

Requests are made from the service's own routes and then spoiled: other methods, paths, parameters,
headers, bodies and encodings, and bytes that are no HTTP at all. Questions are strings of every
script and of the signs that a query can have. Each is made from its number, so that it can be had
again. The service, with its models and the sample articles, is asked by eight clients, and what
counts is a status of 500 or above that is no refusal for want of room, an answer that does not
come, and memory that grows.
Writes benchmarks/results/fuzzing.md; run with `python benchmarks/fuzzing.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import platform
import random
import socket
import string
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_from_bytes, urlsplit

from rebuilds import apart, serving
from sets import ROOT

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings

RESULTS = ROOT / "benchmarks" / "results" / "fuzzing.md"

REQUESTS, QUESTIONS = 200_000, 20_000
CLIENTS = 8
LONGEST = 30
"""Seconds without an answer after which a request counts as hanging."""

SETTLED = 0.1
"""Share of the requests after which memory is measured for the first time."""

GROWTH = 1.1
"""How often what it was then memory may be at the end."""

ROUTES = (
    *("/", "/docs", "/openapi.json", "/metrics", "/assets/winnow.css", "/nothing"),
    *("/articles/{}", "/paragraphs/{}/similar", "/health/live", "/health/ready"),
    *("/v1/search", "/v1/answers", "/v1/suggest", "/v1/articles", "/v1/articles/{}"),
    *("/v1/paragraphs/{}", "/v1/paragraphs/{}/similar", "/v1/builds", "/v1/builds/{}"),
    *("/v1/builds/{}/events", "/v1/generations", "/v1/generations/{}/activate"),
)
PARAMETERS = (
    *("q", "limit", "mode", "after", "before", "cursor", "explain", "month", "source", "author"),
    *("said_by", "collapse", "Q", "q[]", "", "__proto__"),
)
METHODS = (
    *(*("GET",) * 12, *("POST",) * 4, "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"),
    *("CONNECT", "get", "BREW", "G\x7fT"),
)
VERSIONS = (*("1.1",) * 20, "1.0", "2", "9.9", "")
HEADERS = (
    *("Host", "Origin", "Accept", "Accept-Encoding", "Authorization", "Cookie", "If-None-Match"),
    *("X-Request-ID", "Range", "Content-Type", "Transfer-Encoding", "Expect", "Upgrade", "Referer"),
    *("Last-Event-ID", "X-Forwarded-For", "Content-Encoding", "Sec-Fetch-Site", "Te", "A" * 300),
)
VALUES = (
    *("", "0", "1", "-1", "10", "99999999999999999999", "1e309", "NaN", "null", "true", "hybrid"),
    *("keyword", "semantic", "2025-01-01", "2025-13-45", "0000-00-00", "yesterday", "../../etc"),
    *(
        "%00",
        "%ff",
        "%C0%AF",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "application/json",
    ),
    *("gzip", "identity;q=0", "*", "chunked", "127.0.0.1", "evil.example", 'W/"x"', "bytes=0-1"),
)
SIGNS = "\"()*~^:[]{}\\/+-!&|<>=?.,;'`@#$%_ \t\r\n\x00\x07\x1b\u200b\u202e\ufeff\U0010ffff"
WORDS = (
    *(
        "who",
        "what",
        "not",
        "AND",
        "OR",
        "NOT",
        "title:",
        "corridor",
        "operator",
        "Brussels",
        "since",
    ),
    *(
        "2025",
        "July",
        "yesterday",
        "\u0431\u0430\u043a\u0443",
        "\u5df4\u5e93",
        "Z\u00fcrich",
        "\u0627\u0644",
    ),
    *("e\u0301" * 9, "\U0001f600", "said"),
)

Send = Callable[[random.Random], bytes]


@dataclass(slots=True)
class Outcome:
    """How requests ended: counts by status, or by what came instead, and what should not be."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    """Build, ask, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="winnow-fuzzing-") as temporary:
        settings = Settings(seeds=ROOT / "seeds", index=Path(temporary, "index"), log_level="error")
        apart(_build, settings)
        with serving(settings, model=True) as address:
            began = time.monotonic()
            questions, _ = fuzz(address, asked.questions, question)
            requests, memory = fuzz(address, asked.requests, request)
            took = time.monotonic() - began
    text = report(requests, questions, memory, took)
    sys.stdout.write(text)
    wrong = requests.wrong + questions.wrong
    if wrong or memory[1] > GROWTH * memory[0]:
        sys.exit("\n".join(["there is something wrong:", *wrong[:20]]))
    if (asked.requests, asked.questions) == (REQUESTS, QUESTIONS):
        RESULTS.write_text(text, encoding="utf-8")


def _build(settings: Settings) -> None:
    build(settings, SentenceEmbedder(), progress=lambda _stage, _done, _total: None)


def fuzz(address: str, count: int, make: Send) -> tuple[Outcome, tuple[int, int]]:
    """Send ``count`` of what ``make`` makes; also the service's MiB of memory, early and after."""
    outcome, lock, settled = Outcome(), threading.Lock(), threading.Event()
    memory: list[int] = []
    pids = _tree(os.getpid())

    def work(client: int) -> None:
        host, port = urlsplit(address).hostname, urlsplit(address).port
        connection = _Connection(str(host), int(port or 0))
        for number in range(client, count, CLIENTS):
            sent = make(random.Random(number))  # noqa: S311 - to be had again, not to be secret
            begun = time.monotonic()
            ended = connection.ask(sent)
            took = time.monotonic() - begun
            with lock:
                outcome.counts[ended] += 1
                outcome.slowest = max(outcome.slowest, took)
                if ended.startswith("5") or ended == "hangs":
                    outcome.wrong.append(f"{ended}: {sent[:300]!r}")
                if not settled.is_set() and outcome.counts.total() >= SETTLED * count:
                    settled.set()
                    memory.append(_resident(pids))
        connection.close()

    threads = [threading.Thread(target=work, args=(each,)) for each in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome, (memory[0], _resident(pids))


class _Connection:
    """A connection that is kept as long as the service keeps it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._socket: socket.socket | None = None

    def ask(self, sent: bytes) -> str:
        """The status of the answer, "refused" for want of room, or what came instead."""
        for again in (False, True):  # a kept connection may just have been closed
            kept, self._socket = self._socket, None
            line = kept or socket.create_connection(self._address, LONGEST)
            try:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    line.sendall(sent)  # an answer may have been given already
                response = http.client.HTTPResponse(
                    line, method=sent.split(b" ", 1)[0].decode("latin1")
                )
                response.begin()
                response.read()
            except TimeoutError:
                line.close()
                return "hangs"
            except (http.client.HTTPException, ConnectionError):
                line.close()
                if kept and not again:
                    continue
                return "closed"
            if response.will_close:
                line.close()
            else:
                self._socket = line
            refused = response.status == 503 and response.getheader("Retry-After")
            return "refused" if refused else str(response.status)
        return "closed"

    def close(self) -> None:
        """Give the connection up."""
        if self._socket is not None:
            self._socket.close()


def question(chance: random.Random) -> bytes:
    """A request with a question that nobody would ask."""
    pieces = chance.choices(
        ("word", "signs", "letters", "long"), (6, 3, 2, 0.2), k=chance.randint(1, 9)
    )
    text = " ".join(_text(chance, piece) for piece in pieces)
    path = chance.choice(("/v1/search", "/v1/answers", "/v1/suggest", "/"))
    address = f"{path}?q={quote(text, errors='surrogatepass')}"
    return f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def request(chance: random.Random) -> bytes:
    """A request with something wrong in it, most of the time."""
    if chance.random() < 0.02:  # one in fifty is no HTTP
        return chance.randbytes(chance.randint(1, 2000)) + b"\r\n\r\n"
    method, body = chance.choice(METHODS), b""
    head = [f"{method} {_target(chance)} HTTP/{chance.choice(VERSIONS)}"]
    names = chance.sample(HEADERS, chance.choice((0, 0, 1, 2, 5)))
    if "Host" not in names and chance.random() < 0.97:
        head.append("Host: 127.0.0.1")
    head += [f"{name}: {chance.choice(VALUES)}" for name in names]
    if method in {"POST", "PUT", "PATCH"} or chance.random() < 0.05:
        body = _body(chance)
        # One in a thousand says that more comes than does, and is waited for.
        size = len(body) + (chance.random() < 0.001)
        head.append(f"Content-Length: {size if chance.random() < 0.95 else chance.choice(VALUES)}")
        if "Content-Type" not in names:
            head.append("Content-Type: application/json")
    return "\r\n".join([*head, "", ""]).encode("utf-8", "surrogatepass") + body


def _target(chance: random.Random) -> str:
    route = chance.choice(ROUTES)
    if route == "/v1/builds" and chance.random() < 0.98:  # builds are work for long
        route = "/v1/builds/"
    id_ = chance.choice((*VALUES, "0" * 16, "f" * 16 + "-3", "a" * 9000))
    path = route.replace("{}", quote(id_, safe="%"))
    if chance.random() < 0.1:
        at = chance.randint(0, len(path))
        path = (
            path[:at] + chance.choice(("//", "%2f", "..", ";", "\\", "%", "\x00", "#")) + path[at:]
        )
    count = chance.choice((0, 1, 1, 2, 3, 8))
    pairs = [f"{chance.choice(PARAMETERS)}={_value(chance)}" for _ in range(count)]
    return path + ("?" + "&".join(pairs) if pairs else "")


def _value(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.4:
        return quote(chance.choice(VALUES), safe="%<>'\"{}")
    if kind < 0.5:
        return quote_from_bytes(chance.randbytes(chance.randint(1, 40)))
    return quote(_text(chance, chance.choice(("word", "signs", "letters"))), errors="surrogatepass")


def _text(chance: random.Random, kind: str) -> str:
    if kind == "word":
        return chance.choice(WORDS)
    if kind == "signs":
        return "".join(chance.choices(SIGNS, k=chance.randint(1, 8)))
    if kind == "long":
        return chance.choice(string.ascii_letters + SIGNS) * chance.randint(100, 3000)
    return "".join(chr(chance.randint(1, 0x10FFFF)) for _ in range(chance.randint(1, 12)))


def _body(chance: random.Random) -> bytes:
    bodies = (
        b'{"question": "who proposed an operator"}',
        f'{{"question": {chance.choice(VALUES) or 0}, "limit": "x"}}'.encode(),
        b"[" * chance.randint(1, 5000),
        chance.randbytes(chance.randint(0, 3000)),
        b'{"full": "maybe"}',
        b"x" * 70_000,
        b'{"question": "\\ud800"}',
    )
    return chance.choice(bodies)


def _tree(pid: int) -> list[int]:
    """The processes below one, without it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    below = [int(child) for child in children]
    return below + [each for child in below for each in _tree(child)]


def _resident(pids: list[int]) -> int:
    """MiB of memory that the processes have to themselves."""
    pages = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):  # a build's process has ended
            resident, shared = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1:3]
            pages += int(resident) - int(shared)
    return pages * os.sysconf("SC_PAGESIZE") // 2**20


def report(requests: Outcome, questions: Outcome, memory: tuple[int, int], took: float) -> str:
    """What was measured, in Markdown."""
    rows = [
        f"| {name} | {each.counts.total():,} | {_listed(each.counts)} | {each.slowest:.1f} |"
        for name, each in (("requests", requests), ("questions", questions))
    ]
    wrong = len(requests.wrong) + len(questions.wrong)
    return f"""# Rubbish

Made by `python benchmarks/fuzzing.py` in {took / 60:.0f} minutes, with {CLIENTS} clients on
{os.cpu_count()} cores of {platform.machine()}. "Refused" is 503 with `Retry-After`, "closed" a
connection that was closed without an answer.

| | sent | ended with | slowest, seconds |
|---|---|---|---|
{chr(10).join(rows)}

Answers of 500 or above that are no refusal, or that did not come within {LONGEST} s: {wrong}. The
service's memory was {memory[0]:,} MiB after a tenth of the requests and {memory[1]:,} MiB at the
end, {memory[1] / memory[0]:.2f} times as much.
"""


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{ended}: {count:,}" for ended, count in sorted(counts.items()))


if __name__ == "__main__":
    main()
