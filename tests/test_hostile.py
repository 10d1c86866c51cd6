"""Articles that would like to be programs, in a real Chromium that would let them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from fakes import PhraseReader, WordEmbedder, silent
from playwright.sync_api import Browser, Page
from test_browser import serving

from indexer.articles import identify
from indexer.build import build
from indexer.settings import Settings
from service.engine import Engine

WATCH = """
window.forbidden = [];
document.addEventListener("securitypolicyviolation", event =>
  window.forbidden.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""

PAYLOADS = {
    "script": "<script>window.ran = 1</script></p></main>",
    "handler": """"><img src=x onerror="window.ran = 1"> ' onfocus=window.ran=1 autofocus x='""",
    "link": """<a href="javascript:window.ran = 1">click</a> javascript:window.ran=1""",
    "closing": "</title></style></textarea></pre></template><svg onload=window.ran=1><base>",
    "template": "{{ 7 * 7 }} {% include 'x' %} ${window.ran = 1} &lt;b&gt; &#x3c;",
    "bidi": "user\u202egnp.exe\u2066 \u200f\u061c mixed \u05d0\u05d1 (\u202d) end",
    "homograph": "\u0430pple.com p\u0430ypal \u200b\ufeff \u00ad",
    "quotes": """“He said ‘she said “no ‘never “ever”’”’” "'"'"'`` <q><q></blockquote>""",
    "controls": "one\x01two\x1b[31mred\x1b]0;title\x07 \x7f \ufffe end",
}

LONG = "convoy <b>" + "x" * 1_000_000
"""One line of a megabyte, with nowhere to break it."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("collection")
    settings = Settings(
        seeds=folder / "seeds", index=folder / "index", read_ms=60_000, speakers=False
    )
    settings.seeds.mkdir()
    records = [
        {
            "id": name,
            "title": f"{name} {payload}",
            "byline": f"{name} {payload}",
            "source": f"javascript:{payload}",
            "language": payload,
            "text": f"The {name} operator was proposed by Brussels {payload}\n\nAnother one.",
        }
        for name, payload in PAYLOADS.items()
    ]
    lines = "\n".join(json.dumps(record) for record in records)
    (settings.seeds / "bulk.jsonl").write_text(lines, encoding="utf-8")
    named = settings.seeds / "<img src=x onerror=window.ran=1>\u202etxt.exe\x1b[31m'\".txt"
    named.write_text("Named\n\nThe named operator was proposed.\n", encoding="utf-8")
    (settings.seeds / "long.txt").write_text(f"Long\n\n{LONG}\n", encoding="utf-8")
    build(settings, WordEmbedder(), progress=silent)
    engine = Engine(settings, WordEmbedder(), reader=PhraseReader({"Brussels": 0.9, "one": 0.6}))
    with serving(engine) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.add_init_script(WATCH)
    told: list[str] = []
    page.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda r: None if "127.0.0.1" in r.url else told.append(r.url))
    page.on("console", lambda message: told.append(message.text))
    yield page
    page.close()
    assert not told


def check(page: Page) -> str:
    """What the page shows, where nothing has run and nothing has tried to."""
    assert page.evaluate("window.ran") is None
    assert page.evaluate("window.forbidden") == []
    assert page.locator("img, iframe, base, main script, [onload], [onerror]").count() == 0
    assert page.locator("a[href^='javascript' i]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    return page.locator("main").text_content() or ""


@pytest.mark.parametrize("name", PAYLOADS)
def test_an_article_is_shown_and_not_run(page: Page, address: str, name: str) -> None:
    id_ = identify(f"bulk.jsonl#{name}")
    payload = PAYLOADS[name]
    page.goto(f"{address}/articles/{id_}?q=operator&mark=1:0-8#p1")
    assert payload in check(page)
    assert (page.title() or "").startswith(name)
    page.goto(f"{address}/paragraphs/{id_}-1/cite")
    assert payload in check(page)
    page.goto(f"{address}/paragraphs/{id_}-1/similar")
    assert payload in check(page)


@pytest.mark.parametrize("path", ["/", "/?q=who+proposed+the+operator", "/?q=%3Cb%3E+operator"])
def test_lists_of_articles_and_paragraphs_run_nothing(page: Page, address: str, path: str) -> None:
    page.goto(address + path)
    text = check(page)
    assert sum(payload in text for payload in PAYLOADS.values()) >= 4


def test_a_megabyte_on_one_line_is_cut_in_lists_and_read_in_its_article(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/?q=convoy&mode=keyword")
    assert len(check(page)) < 50_000
    page.goto(f"{address}/articles/{identify('long.txt')}")
    assert LONG in check(page)


def test_what_is_asked_stays_text_too(page: Page, address: str) -> None:
    for name in ("script", "handler", "bidi"):
        page.goto(address)
        page.get_by_label("Question").fill(PAYLOADS[name])
        page.get_by_label("Question").press("Enter")
        page.wait_for_url("**/?q=**")
        check(page)


def test_feeds_and_files_of_hostile_articles_are_well_formed(page: Page, address: str) -> None:
    for path in ("/feed.atom", "/feed.atom?q=operator", "/feed.atom?q=%3C%22%27%26operator"):
        response = page.request.get(address + path)
        assert response.ok
        root = ET.fromstring(response.body())  # noqa: S314 - our own
        assert len(root) > 6
    for name in PAYLOADS:
        for kind in ("bib", "ris"):
            file = f"/paragraphs/{identify(f'bulk.jsonl#{name}')}-1/cite.{kind}"
            body = page.request.get(address + file).text()
            assert "\x1b" not in body
            assert "\u202e" not in body
