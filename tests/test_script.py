"""The page in a real Chromium with its script: what that adds, and that nothing is lost by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from fakes import WordEmbedder, WordExtractor, Workshop, silent, write_article
from playwright.sync_api import Browser, Locator, Page, Route, expect
from test_browser import serving

from indexer.build import build
from indexer.settings import Settings
from service.builds import Builds
from service.engine import Engine

ANSWERS = {"Brussels": 8.0}
QUESTIONS = re.compile(r"/\?q=")
HITS = re.compile("instant=hits")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("collection")
    settings = Settings(seeds=folder / "seeds", index=folder / "index", read_ms=60_000)
    for number in range(12):
        text = f"Brussels proposed operator {number}."
        write_article(settings.seeds, f"{number}.txt", text, title=f"Corridor talks {number}")
    build(settings, WordEmbedder(), progress=silent)
    with serving(Engine(settings, WordEmbedder(), extractor=WordExtractor(ANSWERS))) as address:
        yield address


def opened(browser: Browser, *, script: bool = True) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, java_script_enabled=script
    )
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))  # such as what is forbidden
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("requestfinished", lambda r: told.append(r.url) if "127.0.0.1" not in r.url else None)
    yield page
    context.close()
    # What a test makes fail is told by the browser too.
    assert not [text for text in told if "Failed to load resource" not in text]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    yield from opened(browser)


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    yield from opened(browser, script=False)


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Question")


def test_completions_are_chosen_by_keyboard(page: Page, address: str) -> None:
    page.goto(address)
    expect(box(page)).to_be_focused()
    page.keyboard.type("opera")
    choices = page.get_by_role("listbox", name="Completions")
    first = choices.get_by_role("option", name="operator")
    expect(first).to_be_visible()
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    assert box(page).get_attribute("aria-activedescendant") == first.get_attribute("id")
    page.keyboard.press("ArrowUp")  # to what was typed
    expect(first).to_have_attribute("aria-selected", "false")
    page.keyboard.press("Escape")
    expect(choices).to_be_hidden()
    expect(box(page)).to_have_value("opera")
    page.keyboard.press("ArrowDown")
    expect(first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(choices).to_be_hidden()
    expect(page).to_have_url(re.compile(r"[?&]q=operator(&|$)"))
    expect(page.get_by_role("heading", name="Paragraphs 1 to 10")).to_be_visible()


def test_a_completion_that_is_an_article_leads_to_it(page: Page, address: str) -> None:
    page.goto(address)
    page.keyboard.type("talks 7")
    page.get_by_role("option", name="Corridor talks 7").click()
    expect(page.get_by_role("heading", name="Corridor talks 7")).to_be_visible()
    expect(page).to_have_url(re.compile("/articles/"))
    page.keyboard.press("Tab")
    box(page).fill("brussels")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Answer")).to_contain_text("Brussels")


def test_results_come_while_one_types_and_back_leads_from_question_to_question(
    page: Page, address: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/?" in r.url else None)
    page.goto(address)
    page.keyboard.type("who proposed operator 3")
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("Brussels")
    expect(page.get_by_role("status")).to_contain_text("An answer: “Brussels”. 10 paragraphs")
    expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")
    expect(page).to_have_url(f"{address}/?q=who+proposed+operator+3&mode=hybrid")
    expect(box(page)).to_be_focused()
    assert box(page).evaluate("box => box.selectionStart") == len("who proposed operator 3")
    assert asked[-1].endswith("&instant=answer")
    page.keyboard.press("Enter")
    page.get_by_label("Search by").focus()
    page.get_by_label("Search by").select_option("words only")
    expect(page).to_have_url(re.compile("mode=keyword"))
    expect(page.locator(".share.semantic")).to_have_count(0)
    expect(page.get_by_label("Search by")).to_be_focused()
    page.go_back()
    expect(page.get_by_label("Search by")).to_have_value("hybrid")
    expect(page.locator(".share.semantic").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Winnow")).to_be_visible()
    expect(box(page)).to_have_value("")
    page.go_forward()
    expect(box(page)).to_have_value("who proposed operator 3")
    expect(answer).to_contain_text("Brussels")


def test_hits_are_asked_for_with_the_first_key_and_then_one_after_the_other(
    page: Page, address: str
) -> None:
    page.goto(address)
    held: list[Route] = []
    page.route(HITS, lambda route: held.append(route))  # noqa: PLW0108 - it takes functions only

    def asked() -> list[str]:
        return [parse_qs(urlsplit(each.request.url).query)["q"][0] for each in held]

    page.keyboard.type("operator 3")
    page.wait_for_timeout(500)  # longer than the page rests before it asks for an answer
    assert asked() == ["o"]
    with page.expect_request(HITS):
        held[0].continue_()
    page.wait_for_timeout(100)
    assert asked() == ["o", "operator 3"]
    held[1].continue_()
    expect(page.get_by_role("heading", name="Paragraphs 1 to 10")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=operator\+3(&|$)"))
    # What is on its way is forgotten with what was typed.
    page.keyboard.type("x")
    box(page).fill("")
    page.wait_for_timeout(500)
    assert asked() == ["o", "operator 3", "operator 3x"]


def test_trouble_while_one_types_is_shown_and_passes(page: Page, address: str) -> None:
    refusal = page.request.get(f"{address}/?q=a&mode=magic").text()
    page.goto(address)
    page.route(QUESTIONS, lambda route: route.abort())
    page.keyboard.type("operator")
    expect(page.get_by_role("heading", name="Winnow cannot be reached")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Winnow cannot be reached")
    expect(page.get_by_text("Trying again in")).to_be_visible()
    expect(box(page)).to_have_value("operator")
    page.unroute(QUESTIONS)
    page.route(
        QUESTIONS,
        lambda route: route.fulfill(
            status=503, headers={"Retry-After": "1"}, content_type="text/html", body=refusal
        ),
    )
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="There is a mistake")).to_be_visible()
    page.unroute(QUESTIONS)  # and nobody presses anything any more
    expect(page.get_by_role("heading", name="Paragraphs 1 to 10")).to_be_visible()
    expect(page.get_by_role("heading", name="There is a mistake")).to_have_count(0)


@pytest.fixture
def workshop(settings: Settings) -> Iterator[tuple[Workshop, str]]:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.", title="The first")
    build(settings, WordEmbedder(), progress=silent)
    workshop = Workshop(settings)
    builds = Builds(workshop)
    with serving(Engine(settings, WordEmbedder()), builds) as address:
        yield workshop, address
        builds.close()
        workshop.go_on.release(10)


def test_a_rebuild_is_followed_to_its_end_and_shows_the_new_article(
    page: Page, workshop: tuple[Workshop, str]
) -> None:
    shop, address = workshop
    write_article(shop.settings.seeds, "b.txt", "More.", title="The second", published="2026-01-01")
    page.goto(address)
    page.get_by_role("button", name="Rebuild").click()
    expect(page).to_have_url(re.compile("/builds/[0-9a-f]{16}$"))
    expect(page.get_by_text("Reading what is new")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 43)
    shop.go_on.release()
    expect(page.get_by_role("heading", name="The index is up to date")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("The index is up to date.")
    state = page.get_by_role("region", name="State of the index")
    expect(state).to_contain_text("2 articles,")
    expect(state.get_by_role("link", name="The second")).to_be_visible()


def test_without_the_script_a_rebuild_is_a_form_and_a_page_that_comes_again(
    plain: Page, workshop: tuple[Workshop, str]
) -> None:
    shop, address = workshop
    write_article(shop.settings.seeds, "b.txt", "More.", title="The second")
    plain.goto(address)
    plain.get_by_role("button", name="Rebuild").click()
    expect(plain.get_by_text("Reading what is new")).to_be_visible()
    shop.go_on.release()
    expect(plain.get_by_role("heading", name="The index is up to date")).to_be_visible()
    expect(plain.get_by_text("2 articles,")).to_be_visible()
