"""How soon a browser shows the page, and results while one types.

A headless Chromium opens the first page and a page of results over about 200,000 paragraphs of
../shared/data/scale, each time anew and with nothing in its cache: the Largest Contentful Paint is
the browser's own measurement, and so are the bytes. Then questions are typed over about 10,000
paragraphs, and for each key it is measured how long it takes from its event until a frame is
painted that has the hits for what was typed by then, or for more. The indexes are built with a
stand-in for the model and, as it takes most of the time, without looking for speakers; questions
are embedded and read by the models themselves. Writes benchmarks/results/page.md; run with `python
benchmarks/page.py`.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from latency import ARTICLES, build_news
from playwright.sync_api import Browser, Page, sync_playwright
from rebuilds import apart, serving
from sets import DATA, ROOT

from indexer.settings import Settings
from service.judgments import read_judged

RESULTS = ROOT / "benchmarks" / "results" / "page.md"

MANY = 20 * ARTICLES
VISITS = 30
TYPED = 12
"""Questions that are typed."""

BETWEEN = 120
"""Milliseconds from key to key: who types 100 words a minute."""

AFTER = 3000
"""Milliseconds after the last key in which its hits have to come."""

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

PAINTED = """
() => new Promise((tell) => new PerformanceObserver((list) =>
  tell(list.getEntries().at(-1).startTime)
).observe({ type: "largest-contentful-paint", buffered: true }))
"""
"""Milliseconds from the beginning of the navigation to the largest paint."""

SENT = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map((each) => [new URL(each.name).pathname, each.decodedBodySize])
"""
"""What was fetched, in bytes before compression."""

WATCH = """
() => {
  const keys = (window.keys = []);
  document.getElementById("q").addEventListener("input", (event) =>
    keys.push({ text: event.target.value, at: event.timeStamp }), true);
  new MutationObserver(() => {
    const shown = new URLSearchParams(location.search).get("q");
    if (!document.querySelector("main h1").textContent.startsWith("Results")) return;
    requestAnimationFrame(() => setTimeout(() => {
      const now = performance.now();
      const newest = keys.findLastIndex(({ text }) => text === shown);
      for (const key of keys.slice(0, newest + 1)) key.took ??= now - key.at;
    }));
  }).observe(document.body, { childList: true, subtree: true });
}
"""
"""Note of each key when it was pressed, and how long it took until hits for it were painted."""


def main() -> None:
    """Build both indexes, measure in the browser, and write what was found."""
    questions = list(read_judged(DATA / "eval" / "rtqa-news-silver").questions.values())
    with served(MANY) as (address, paragraphs), browser() as chromium:
        first = [visit(chromium, address) for _ in range(VISITS)]
        found = [
            visit(chromium, f"{address}/?q={quote(question)}") for question in questions[:VISITS]
        ]
    with served(ARTICLES) as (address, fewer), browser() as chromium:
        keys = list(typed(chromium, address, questions[:TYPED]))
    sizes = first[0][1]
    text = f"""# The page in a browser

Made by `python benchmarks/page.py` with headless Chromium, {os.cpu_count()} cores of
{platform.machine()} for browser and service together. Milliseconds.

| | paragraphs | median | 95th percentile | most |
|---|---|---|---|---|
{line("Largest Contentful Paint, first page", paragraphs, [paint for paint, _ in first])}
{line("Largest Contentful Paint, answer and hits", paragraphs, [paint for paint, _ in found])}
{line("from a key to its hits, painted", fewer, keys)}

Each of the {VISITS} visits began with an empty cache; the {len(keys)} keys were of {TYPED}
questions, one every {BETWEEN} ms. Of keys that come while hits for those before are on their way,
only the last is asked for, and the time of the others ends with its hits.

The first page is {len(sizes)} files of {sum(sizes.values()):,} bytes together, before compression:
{", ".join(f"`{name}` {size:,}" for name, size in sizes.items())}.
"""
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


@contextmanager
def served(articles: int) -> Iterator[tuple[str, int]]:
    """The address of a service over so many articles, and how many paragraphs they have."""
    with tempfile.TemporaryDirectory(prefix="winnow-page-") as temporary:
        settings = Settings(
            seeds=Path(temporary, "seeds"),
            index=Path(temporary, "index"),
            speakers=False,
            log_level="warning",
        )
        paragraphs = apart(_built, settings, articles)
        with serving(settings, model=True) as address:
            yield address, paragraphs


def _built(settings: Settings, articles: int) -> int:
    from indexer.generations import Generations  # noqa: PLC0415 - in a process of its own

    build_news(settings, articles)
    return Generations(settings.index).live().counts["paragraphs"]


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def opened(chromium: Browser, address: str) -> Iterator[Page]:
    """A page of a new visitor."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address, wait_until="load")
    yield page
    context.close()


def visit(chromium: Browser, address: str) -> tuple[float, dict[str, int]]:
    """When the largest part of a page was painted, and the bytes of each file."""
    with opened(chromium, address) as page:
        paint: float = page.evaluate(PAINTED)
        sent: list[tuple[str, int]] = page.evaluate(SENT)
        return paint, dict(sent)


def typed(chromium: Browser, address: str, questions: list[str]) -> Iterator[float]:
    """Type the questions, and give what each key took."""
    for question in questions:
        with opened(chromium, address) as page:
            page.evaluate(WATCH)
            page.get_by_role("combobox", name="Question").press_sequentially(
                question, delay=BETWEEN
            )
            page.wait_for_timeout(AFTER)
            keys: list[dict[str, Any]] = page.evaluate("keys")
            if "took" not in keys[-1]:
                raise RuntimeError(f"no results were shown for {question!r}")
            yield from (key["took"] for key in keys)


def line(name: str, paragraphs: int, milliseconds: list[float]) -> str:
    """A line of the table."""
    median, late = np.percentile(milliseconds, [50, 95])
    return f"| {name} | {paragraphs:,} | {median:.0f} | {late:.0f} | {max(milliseconds):.0f} |"


if __name__ == "__main__":
    main()
