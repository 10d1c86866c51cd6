"""Takes the README's picture: the example question, asked of the sample articles in Chromium."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

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


def main() -> None:
    """Write page.png beside this file."""
    embedder = SentenceEmbedder()
    with tempfile.TemporaryDirectory() as folder, report_progress() as progress:
        settings = Settings(seeds=DOCS.parent / "seeds", index=Path(folder))
        build(settings, embedder, progress=progress)
        patient = settings.model_copy(update={"read_ms": 60_000})
        engine = Engine(patient, embedder, extractor=NetworkExtractor())
        server = make_server("127.0.0.1", 0, create_app(engine), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1180, "height": 900})
            page.goto(f"http://127.0.0.1:{server.port}/?q=who+proposed+a+third-party+operator")
            page.screenshot(path=DOCS / "page.png")
            browser.close()
        server.shutdown()
        engine.close()


if __name__ == "__main__":
    main()
