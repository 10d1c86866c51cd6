"""Takes the pictures of the page: its main states, shown of the sample articles in Chromium."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.api import create_app
from service.engine import Engine
from service.extraction import NetworkExtractor
from service.progress import report_progress

DOCS = Path(__file__).resolve().parent

QUESTION = "/?q=who+proposed+a+third-party+operator"


@dataclass(frozen=True, slots=True)
class Picture:
    """What is photographed: a page, or what one comes to by its first link with this ``class``."""

    name: str
    path: str
    follow: str | None = None
    width: int = 1040
    height: int = 700
    scheme: Literal["light", "dark"] = "light"


PICTURES = (
    Picture("page", QUESTION, height=720),
    Picture("article", QUESTION, follow=".answer .place"),
    Picture("phone", QUESTION, width=390, height=780, scheme="dark"),
    Picture("no-answer", "/?q=how+tall+is+the+Eiffel+Tower", height=560),
)


def main(folder: Path = DOCS) -> None:
    """Write a PNG for each picture into ``folder``."""
    with serving() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for each in PICTURES:
            viewport = {"width": each.width, "height": each.height}
            page = browser.new_page(viewport=viewport, color_scheme=each.scheme)
            page.goto(address + each.path)
            if each.follow:
                page.locator(each.follow).first.click()
                page.locator(":target").wait_for()
            page.screenshot(path=folder / f"{each.name}.png")
            page.close()
        browser.close()


@contextmanager
def serving() -> Iterator[str]:
    """The address of a service over the sample articles, until the block ends."""
    embedder = SentenceEmbedder()
    with tempfile.TemporaryDirectory() as folder, report_progress() as progress:
        settings = Settings(seeds=DOCS.parent / "seeds", index=Path(folder), read_ms=60_000)
        build(settings, embedder, progress=progress)
        engine = Engine(settings, embedder, extractor=NetworkExtractor())
        server = make_server("127.0.0.1", 0, create_app(engine), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.port}"
        server.shutdown()
        engine.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
