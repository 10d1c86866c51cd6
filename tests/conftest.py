"""Fixtures shared by the tests. The real model is loaded once; most tests use a small stand-in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import WordEmbedder, Workshop, silent
from playwright.sync_api import Browser, sync_playwright

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.builds import Builds
from service.extraction import NetworkExtractor

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; a whole session's would keep an event loop running beside other tests."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed; on Debian: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the user's article and the evaluation sets."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name}/ is not beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def real_embedder() -> SentenceEmbedder:
    """The packaged model."""
    return SentenceEmbedder()


@pytest.fixture(scope="session")
def real_extractor() -> NetworkExtractor:
    """The trained reader."""
    return NetworkExtractor()


@pytest.fixture
def embedder() -> WordEmbedder:
    """A model that takes no time: see fakes.py."""
    return WordEmbedder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings over empty folders of the test's own; how busy the machine is changes nothing."""
    (tmp_path / "seeds").mkdir()
    return Settings(seeds=tmp_path / "seeds", index=tmp_path / "index", read_ms=60_000)


@pytest.fixture(scope="session")
def real_index(
    tmp_path_factory: pytest.TempPathFactory, real_embedder: SentenceEmbedder
) -> Settings:
    """The project's own seeds, indexed with the real model."""
    index = tmp_path_factory.mktemp("index")
    settings = Settings(seeds=ROOT / "seeds", index=index, read_ms=60_000)
    build(settings, real_embedder, progress=silent)
    return settings


@pytest.fixture
def builds(workshop: Workshop) -> Iterator[Builds]:
    """Builds of the test's own ``workshop``, none of which outlives the test."""
    builds = Builds(workshop)
    yield builds
    builds.close()
    workshop.go_on.release(10)
