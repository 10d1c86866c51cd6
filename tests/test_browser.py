"""The page in a real Chromium, over the real service and model, as a newcomer would use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fakes import WordEmbedder, silent, unworthy, write_article
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.errors import SelfTestFailed
from indexer.settings import Settings
from service.api import create_app
from service.builds import Builds
from service.engine import Engine
from service.extraction import NetworkExtractor


@contextmanager
def serving(engine: Engine, builds: Builds | None = None) -> Iterator[str]:
    """The address at which ``engine`` answers until the block ends."""
    server = make_server("127.0.0.1", 0, create_app(engine, builds), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        engine.close()


@pytest.fixture(scope="module")
def address(
    real_index: Settings, real_embedder: SentenceEmbedder, real_extractor: NetworkExtractor
) -> Iterator[str]:
    # Without hurry: what is shown must not depend on what else is running.
    patient = real_index.model_copy(update={"read_ms": 60_000})
    with serving(Engine(patient, real_embedder, extractor=real_extractor)) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, java_script_enabled=False
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(f"{request.url} failed"))
    page.on(
        "request",
        lambda request: problems.append(request.url) if "127.0.0.1" not in request.url else None,
    )
    page.on(
        "response",
        lambda response: problems.append(response.url) if response.status >= 500 else None,
    )
    yield page
    context.close()
    assert not problems


def test_a_newcomer_asks_and_follows_the_answer_to_its_paragraph(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Question").fill("who proposed a third-party operator")
    page.keyboard.press("Enter")
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("Brussels proposed a third-party operator")
    expect(page.locator("mark").first).to_be_visible()
    expect(page.get_by_label("Question")).to_have_value("who proposed a third-party operator")
    answer.get_by_role("link").first.click()
    expect(page).to_have_url(f"{page.url.split('#')[0]}#{page.url.split('#')[1]}")
    paragraph = page.locator(":target")
    expect(paragraph).to_contain_text("Brussels proposed a third-party operator")
    expect(paragraph).to_be_in_viewport()


def test_the_keyboard_alone_is_enough(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_label("Question")).to_be_focused()
    page.keyboard.type("grain train to Armenia")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Answer")).to_be_visible()


def test_filters_stay_in_the_address(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=corridor&mode=keyword&after=2025-01-01")
    expect(page.locator("select[name=mode]")).to_have_value("keyword")
    expect(page.locator("input[name=after]")).to_have_value("2025-01-01")
    years = page.locator("time").evaluate_all("all => all.map(t => t.dateTime.slice(0, 4))")
    assert set(years) == {"2025"}


def test_more_hits_follow_the_first_ten(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=corridor")
    first = page.locator("ol.list > li").count()
    page.get_by_role("link", name="More").click()
    assert first == 10
    expect(page.locator("ol.list")).to_have_attribute("start", "11")


@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light"), (1920, "dark")]
)
def test_no_width_scrolls_sideways(browser: Browser, address: str, width: int, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    for path in ("/", "/?q=who+opposes+the+corridor", "/?q=a&limit=0", "/nothing"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_documentation_of_the_routes_works_without_a_network(
    browser: Browser, address: str
) -> None:
    page = browser.new_page()
    foreign: list[str] = []
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on(
        "request",
        lambda r: (
            foreign.append(r.url) if r.url.startswith("http") and address not in r.url else None
        ),
    )
    page.goto(f"{address}/docs")
    expect(page.get_by_text("/v1/search").first).to_be_visible()
    page.get_by_text("/v1/search").first.click()
    expect(page.get_by_text("Rank paragraphs for a query.").first).to_be_visible()
    expect(page.get_by_text("third-party operator").first).to_be_visible()
    assert not foreign
    assert not told  # such as what the page's policy forbids
    page.close()


def test_home_says_why_a_build_published_nothing_until_one_does(
    page: Page, settings: Settings
) -> None:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    build(settings, WordEmbedder(), progress=silent)
    with serving(Engine(settings, WordEmbedder())) as address:
        write_article(settings.seeds, "b.txt", "More.")
        with pytest.raises(SelfTestFailed):
            build(settings, WordEmbedder(), examine=unworthy, progress=silent)
        page.goto(address)
        state = page.get_by_role("region", name="State of the index")
        expect(state).to_contain_text(
            "failed: 'who proposed it' fell to rank 9. The index in use is untouched."
        )
        expect(state).to_contain_text("1 article,")
        build(settings, WordEmbedder(), progress=silent)
        page.reload()
        expect(state).to_contain_text("2 articles,")
        expect(state).not_to_contain_text("failed")
