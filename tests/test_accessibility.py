"""Every state of the page, as axe and as somebody with a keyboard alone meets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fakes import PhraseReader, WordEmbedder, silent, write_article
from playwright.sync_api import Browser, Page, expect
from test_browser import serving

from indexer.articles import identify
from indexer.build import build
from indexer.errors import ModelError
from indexer.settings import Settings
from service.engine import Engine

RULES = {
    "runOnly": {
        "type": "tag",
        "values": [*("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"), "best-practice"],
    },
    "resultTypes": ["violations"],
}

ARTICLE = identify("talks.txt")

STATES = {
    "home": ("whole", "/"),
    "an answer with others": ("whole", "/?q=who+proposed+an+operator"),
    "no answer": ("whole", "/?q=rain+and+harvest&before=2024-12-31"),
    "nothing found": ("whole", "/?q=zzzz&mode=keyword"),
    "limits": ("whole", "/?q=operator&after=2025-01-01&said_by=Anna"),
    "without the model": ("degraded", "/?q=operator"),
    "not built": ("empty", "/"),
    "a mistake": ("whole", "/?q=operator&after=x"),
    "no such page": ("whole", "/nowhere"),
    "an article": ("whole", f"/articles/{ARTICLE}?q=operator&mark=1:0-8#p1"),
    "similar paragraphs": ("whole", f"/paragraphs/{ARTICLE}-1/similar"),
    "a citation": ("whole", f"/paragraphs/{ARTICLE}-1/cite"),
}

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}

FOCUSED = """() => {
  const it = document.activeElement, style = getComputedStyle(it);
  return {
    name: it.getAttribute("aria-label") || it.textContent.trim() || it.name,
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: style.opacity !== "0" && it.getBoundingClientRect().width > 0,
  };
}"""

TOO_SMALL = """() => [...document.querySelectorAll("button, input, select, summary, .side a")]
  .filter(it => it.checkVisibility() && it.type !== "hidden")
  .map(it => [it.textContent.trim(), it.getBoundingClientRect()])
  .filter(([_, box]) => box.width < 24 || box.height < 24)
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("collection")
    settings = Settings(
        seeds=folder / "seeds", index=folder / "index", read_ms=60_000, speakers=False
    )
    for number in range(4):
        write_article(
            settings.seeds,
            f"{number}.txt",
            "A third-party operator was proposed by Brussels in July.",
            f"Geneva said that operator {number} could count the lorries.",
            title=f"Corridor talks {number}",
            byline=f"Anna Kern {number}",
        )
    write_article(settings.seeds, "talks.txt", "Brussels proposed an operator.", "Rain fell.")
    write_article(settings.seeds, "old.txt", "Rain fell on the harvest.", published="2024-05-01")
    build(settings, WordEmbedder(), progress=silent)
    reader = PhraseReader({"Brussels": 0.9, "Geneva": 0.6})
    empty = Settings(seeds=folder / "nothing", index=folder / "unbuilt")
    engines = {
        "whole": Engine(settings, WordEmbedder(), reader=reader),
        "degraded": Engine(settings, ModelError("no embedding model at /nowhere")),
        "empty": Engine(empty, WordEmbedder()),
    }
    with ExitStack() as open_:
        yield {name: open_.enter_context(serving(engine)) for name, engine in engines.items()}


@pytest.fixture(scope="module")
def pages(browser: Browser) -> Iterator[dict[str, Page]]:
    contexts = {name: browser.new_context(**look) for name, look in LOOKS.items()}
    yield {name: context.new_page() for name, context in contexts.items()}
    for context in contexts.values():
        context.close()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_to_mend(
    addresses: dict[str, str], pages: dict[str, Page], state: str, look: str
) -> None:
    server, path = STATES[state]
    page = pages[look]
    page.goto(addresses[server] + path)
    if page.locator("details").count():
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
    found = Axe().run(page, options=RULES)
    assert not found.violations_count, found.generate_report()
    assert not page.evaluate(TOO_SMALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]  # it was given one


def test_states_are_what_they_are_called(addresses: dict[str, str], pages: dict[str, Page]) -> None:
    said = {
        "an answer with others": "Other possible answer",
        "no answer": "The articles do not say.",
        "nothing found": "No paragraph has the words",
        "limits": "remove",
        "without the model": "Not at its best",
        "not built": "Nothing has been indexed yet",
    }
    page = pages["light"]
    for state, words in said.items():
        server, path = STATES[state]
        page.goto(addresses[server] + path)
        expect(page.locator("main")).to_contain_text(words, ignore_case=True)


def tab_to(page: Page, name: str) -> None:
    """Tab until what has this name is focused; everything on the way must show that it is."""
    page.wait_for_load_state()  # its style too, which shows where the focus is
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["ring"], focused
        assert focused["seen"], focused
        if focused["name"].startswith(name):
            return
    pytest.fail(f"{name} cannot be reached")


def test_a_keyboard_alone_goes_from_a_question_to_a_citation_and_back(
    browser: Browser, addresses: dict[str, str]
) -> None:
    page = browser.new_page()
    page.goto(addresses["whole"])
    page.keyboard.type("who proposed an operator")
    page.keyboard.press("Enter")
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("Brussels")
    tab_to(page, answer.get_by_role("link").first.inner_text())
    page.keyboard.press("Enter")
    expect(page.locator(":target")).to_be_in_viewport()
    expect(page.locator(":target strong")).to_have_text("Brussels")
    number = page.locator(":target").get_attribute("id")
    tab_to(page, f"Cite paragraph {(number or '')[1:]}")  # begins at the paragraph come for
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Cite this paragraph")).to_be_visible()
    tab_to(page, "Article")
    page.keyboard.press("Enter")
    expect(page.locator(f"#{number}:target")).to_be_in_viewport()
    page.go_back()  # by a shortcut that a browser without a window does not have
    page.go_back()
    tab_to(page, "Results")
    page.keyboard.press("Enter")
    expect(answer).to_contain_text("Brussels")
    page.close()


def test_a_citation_is_copied_and_said_to_be(browser: Browser, addresses: dict[str, str]) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{addresses['whole']}/paragraphs/{ARTICLE}-1/cite")
    page.get_by_role("button", name="Copy Text").click()
    expect(page.get_by_role("status").filter(has_text="Copied as Text.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#text-text").text_content()
    assert copied.startswith("“Brussels proposed an operator.” – A desk")
    context.close()


def test_where_the_browser_lends_no_clipboard_the_citation_is_selected(
    browser: Browser, addresses: dict[str, str]
) -> None:
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(f"{addresses['whole']}/paragraphs/{ARTICLE}-1/cite")
    page.get_by_role("button", name="Copy RIS").click()
    expect(page.locator("#copied")).to_contain_text("It is selected")
    assert "TY  - NEWS" in page.evaluate("getSelection().toString()")
    page.close()


def test_without_scripts_no_button_pretends_to_copy(
    browser: Browser, addresses: dict[str, str]
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{addresses['whole']}/paragraphs/{ARTICLE}-1/cite")
    expect(page.locator("pre").first).to_contain_text("Brussels proposed an operator.")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.context.close()


def test_on_paper_there_is_no_form_and_every_source_has_its_address(
    browser: Browser, addresses: dict[str, str]
) -> None:
    page = browser.new_page()
    page.emulate_media(media="print")
    page.goto(f"{addresses['whole']}/?q=who+proposed+an+operator")
    for gone in ("form", ".follow", ".narrow", ".side .ways", ".answer .ways"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.get_by_text("Printed from http://127.0.0.1")).to_be_visible()
    address = page.locator(".cite .place").first.evaluate(
        "it => getComputedStyle(it, '::after').content"
    )
    assert re.search(r"/articles/[0-9a-f]{16}#p1", address)
    page.close()


def test_where_little_is_to_move_nothing_does(browser: Browser, addresses: dict[str, str]) -> None:
    page = browser.new_page(reduced_motion="reduce")
    page.goto(f"{addresses['whole']}/articles/{ARTICLE}")
    moving = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(moving) == "auto"
    assert not page.evaluate("document.getAnimations().length")
    page.close()
