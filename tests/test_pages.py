from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from indexer.errors import (
    IndexCorrupt,
    IndexMissing,
    ModelError,
    NotFound,
    QueryError,
    SettingsError,
    StaleCursor,
    WinnowError,
)
from indexer.filters import Filters, Period
from indexer.types import Span
from service.answers import AnswerResult, AnswerShape, SourceShape
from service.filtering import FacetsShape, FiltersShape
from service.hints import CorrectedWord, DidYouMean, SuggestionList, SuggestionShape
from service.requests import (
    AnswerQuery,
    ArticlesQuery,
    DraftQuery,
    SearchQuery,
    SimilarQuery,
    SuggestQuery,
)
from service.results import (
    ArticleEntry,
    ArticleList,
    ArticleShape,
    ContributionShape,
    CopyShape,
    FullArticle,
    FullParagraph,
    HitShape,
    ParagraphShape,
    SearchResult,
    SimilarResult,
)
from service.states import Readiness
from service.web.pages import blueprint

GENERATION = "20251122T181002.123456Z"
ID = "6d57407f6c4ba910"
TEXT = "The sides came close. Brussels proposed a model\nwith an operator. It stalled."
SENTENCE = Span(22, 66)
QUESTION = "in July 2025 who"

HOSTILE = """<script>alert(1)</script> " onfocus="alert(2)" ' & {{ 7*7 }} \u202eexe.fdp </p>"""


def an_article(**changes: Any) -> ArticleShape:
    return ArticleShape(
        id=ID,
        title="U.S. may pressure Azerbaijan",
        published="2025-07-03T05:32:00",
        byline="Alliance Global News",
        source="000_6d57407f6c4ba910.txt",
        publisher=None,
        language="en",
        encoding="utf-8",
    ).model_copy(update=changes)


def a_paragraph(number: int = 2, text: str = TEXT) -> ParagraphShape:
    return ParagraphShape(id=f"{ID}-{number}", number=number, text=text, start=0, end=len(text))


def a_contribution(source: str, rank: int | None, points: float) -> ContributionShape:
    return ContributionShape(
        source=source, rank=rank, raw=1.0, normalised=points, weight=1.0, points=points
    )


def a_hit(rank: int = 1, **changes: Any) -> HitShape:
    return HitShape(
        rank=rank,
        score=0.83,
        paragraph=a_paragraph(),
        article=an_article(),
        matches=[Span(31, 39), Span(56, 64)],
        best_sentence=SENTENCE,
        contributions=[a_contribution("keyword", 3, 0.25), a_contribution("semantic", 1, 0.5)],
    ).model_copy(update=changes)


def a_copy(number: int = 4, **changes: Any) -> CopyShape:
    return CopyShape(id=f"{ID}-{number}", number=number, article=an_article(**changes))


def a_source(answer: AnswerShape, **changes: Any) -> SourceShape:
    own = answer.model_dump(include={"text", "start", "end", "sentence", "confidence"})
    place = {"sentence_start": answer.sentence_start, "sentence_end": answer.sentence_end}
    paragraph = {"id": answer.paragraph.id, "number": answer.paragraph.number}
    source = SourceShape(**own, **place, **paragraph, article=answer.article, also_in=[])
    return source.model_copy(update=changes)


def an_answer(**changes: Any) -> AnswerShape:
    """An answer of one source, as far as the changes do not say otherwise."""
    answer = AnswerShape(
        text="Brussels",
        start=22,
        end=30,
        sentence=TEXT[22:66],
        sentence_start=22,
        sentence_end=66,
        confidence=0.81,
        attributed_to=None,
        paragraph=a_paragraph(),
        article=an_article(),
        sources=[],
        articles=1,
        first=dt.date(2025, 7, 3),
        last=dt.date(2025, 7, 3),
    ).model_copy(update=changes)
    return answer.model_copy(update={"sources": [a_source(answer), *answer.sources]})


class FakeEngine:
    """Gives what a test put there and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.error: Exception | None = None
        self.full = FullArticle(
            generation=GENERATION,
            article=an_article(),
            paragraphs=[a_paragraph(1, "First of all."), a_paragraph(2)],
        )
        self.newest = [ArticleEntry(**an_article().model_dump(), paragraphs=3)]
        self.state: dict[str, Any] = {}
        self.result: dict[str, Any] = {}
        self.filters = Filters()
        self.facets = FacetsShape(source=[], author=[], month=[])
        self.completions: list[str] = []

    def answer(self, query: AnswerQuery) -> AnswerResult:
        self._ask(query)
        values = {"answer": an_answer(), "reason": "found", "detail": None, "alternatives": []}
        values |= self.result
        return AnswerResult(question=query.q, **self._hits(), **self._answered(values))

    def search(self, query: SearchQuery) -> SearchResult:
        self._ask(query)
        return SearchResult(query=query.q, mode=query.mode, **self._hits())

    def article(self, id_: str) -> FullArticle:
        self._ask(id_)
        return self.full

    def paragraph(self, id_: str) -> FullParagraph:
        self._ask(id_)
        paragraph = self.full.paragraphs[-1]
        return FullParagraph(generation=GENERATION, paragraph=paragraph, article=self.full.article)

    def suggest(self, query: SuggestQuery) -> SuggestionList:
        self._ask(query)
        found = [
            SuggestionShape(kind="term", text=each, count=1, article=None)
            for each in self.completions
        ]
        return SuggestionList(
            generation=GENERATION, query=query.q, suggestions=found, took_ms={"total": 1.0}
        )

    def articles(self, query: ArticlesQuery) -> ArticleList:
        self._ask(query)
        return ArticleList(generation=GENERATION, total=214, articles=self.newest)

    def similar(self, id_: str, query: SimilarQuery) -> SimilarResult:
        self._ask((id_, query))
        hits = self._hits()
        del hits["next_cursor"]
        paragraph = self.full.paragraphs[-1]
        article, copies = self.full.article, self.result.get("also_in", [])
        return SimilarResult(paragraph=paragraph, article=article, also_in=copies, **hits)

    def readiness(self) -> Readiness:
        values = {"status": "ready", "articles": 1214, "paragraphs": 1, "pending": 0}
        return Readiness.model_validate(
            {**values, "generation": GENERATION, "degraded": [], **self.state}
        )

    def _ask(self, query: object) -> None:
        self.asked.append(query)
        if self.error is not None:
            raise self.error

    def _hits(self) -> dict[str, Any]:
        values = {"hits": [a_hit()], "next_cursor": None, "degraded": [], "pending": 0}
        values |= {"did_you_mean": None}
        return {
            "generation": GENERATION,
            "took_ms": {"total": 11.2},
            "filters": FiltersShape.of(self.filters, QUESTION),
            "facets": self.facets,
            **{name: self.result.get(name, value) for name, value in values.items()},
        }

    def _answered(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in ("answer", "reason", "detail", "alternatives")}


class Document(HTMLParser):
    """Every element with its attributes, and the text that a reader sees."""

    VOID = frozenset({"meta", "link", "input", "br", "rect"})

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.marked: list[tuple[str, ...]] = []
        self.feed(response.get_data(as_text=True))
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
        self.marked.append((data, *self.open))

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in wanted.items())
        ]

    def within(self, *tags: str) -> list[str]:
        """The pieces of text whose innermost elements are ``tags``, outermost first."""
        return [data for data, *path in self.marked if tuple(path[-len(tags) :]) == tags]

    @property
    def links(self) -> list[str | None]:
        return [attributes.get("href") for attributes in self.all("a")]

    @property
    def places(self) -> list[str]:
        """The links without their parameters."""
        links = (urlsplit(link or "") for link in self.links)
        return [f"{link.path}#{link.fragment}" for link in links]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[FlaskClient]:
    app = Flask("test")
    app.register_blueprint(blueprint(engine))
    app.testing = True
    with app.test_client() as client:
        yield client


@pytest.fixture
def get(client: FlaskClient) -> Callable[..., Document]:
    """A page as a document, after checks that hold for every page."""

    def get(address: str, status: int = 200, **parameters: str) -> Document:
        response = client.get(address, query_string=parameters or None)
        assert response.status_code == status
        assert response.content_type == "text/html; charset=utf-8"
        document = Document(response)
        check_safety(document)
        check_access(document)
        return document

    return get


Get = Callable[..., Document]


def check_safety(document: Document) -> None:
    """No inline script or style, no request to anybody else."""
    assert not {tag for tag, _ in document.elements} & {"style", "img", "iframe"}
    scripts = {str(script["src"]) for script in document.all("script", type="module")}
    assert {"/assets/winnow.js"} <= scripts <= {"/assets/winnow.js", "/assets/reading.js"}
    assert len(scripts) == len(document.all("script"))
    for _, attributes in document.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("href", "src", "action"):
            assert re.match(r"(/(?!/)|#|$)", attributes.get(name) or "")


def check_access(document: Document) -> None:
    """Landmarks, one main heading, a name for every field, no id twice."""
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(document.all("main")) == len(document.all("h1")) == 1
    assert document.all("header")
    assert document.all("form", role="search")
    assert document.all("html", lang="en")
    assert document.links[0] == "#main"
    assert document.all("label", for_="q")
    named = len(document.all("label")) - 1
    assert named == len(document.all("select")) + sum(
        len(document.all("input", type=kind)) for kind in ("date", "text")
    )
    for _, attributes in document.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name) in {None, *ids}


# Every response


def test_the_style_sheet_and_icon_that_pages_link_are_there(client: FlaskClient, get: Get) -> None:
    page = get("/")
    links = [*page.all("link", rel="stylesheet"), *page.all("link", rel="icon")]

    assert len(links) == 2
    for link in links:
        with client.get(str(link["href"])) as response:
            assert response.status_code == 200
            body = response.get_data(as_text=True)
            assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", body)


# Home


def test_home_says_what_is_indexed_and_links_the_newest_articles(get: Get) -> None:
    page = get("/")

    assert "Holds1,214 articles, 1 paragraph" in page.text
    assert "Last rebuilt22 November 2025, 18:10 UTC" in page.text
    assert "NewestU.S. may pressure Azerbaijan, 3 July 2025, 05:32" in page.text
    assert page.links.count(f"/articles/{ID}") == 2
    assert "3 July 2025, 05:32" in page.text
    assert "autofocus" in page.all("input", name="q")[0]


def test_home_says_in_words_what_is_not_as_it_should_be(get: Get, engine: FakeEngine) -> None:
    engine.state = {"status": "degraded", "degraded": ["keywords only: no model"], "pending": 1200}

    page = get("/")

    assert "keywords only: no model" in page.text
    assert "1,200 seed files have changed since." in page.text


def test_home_says_once_why_the_last_build_failed(get: Get, engine: FakeEngine) -> None:
    failure = {"when": GENERATION, "reason": "rank 9", "hint": "The index in use is untouched."}
    told = f"the build of {GENERATION} failed: rank 9. The index in use is untouched."
    engine.state = {"status": "degraded", "degraded": ["no model", told], "last_failure": failure}

    page = get("/")

    assert "The last build, of 22 November 2025, 18:10 UTC, failed: rank 9." in page.text
    assert page.text.count("rank 9") == 1
    assert "Not at its best: no model" in page.text


def test_where_nothing_can_be_rebuilt_nobody_is_offered_to(get: Get) -> None:
    assert not get("/").all("form", method="post")


def test_home_without_trouble_mentions_none(get: Get) -> None:
    assert "Not " not in get("/").text


@pytest.mark.parametrize(
    "address", ["/?q=", "/?q=+%09", "/?q=&mode=keyword&after=&before=&cursor="]
)
def test_an_empty_question_is_the_home_page(get: Get, engine: FakeEngine, address: str) -> None:
    page = get(address)

    assert "1,214 articles" in page.text
    assert all(isinstance(query, ArticlesQuery) for query in engine.asked)


def test_home_keeps_the_filters(get: Get) -> None:
    page = get("/?q=&mode=keyword&after=2025-01-01")

    assert [o["value"] for o in page.all("option") if "selected" in o] == ["keyword"]
    assert page.all("input", name="after", value="2025-01-01")


@pytest.mark.parametrize("address", ["/", "/?q=who"])
def test_a_page_with_its_style_and_script_is_light(
    client: FlaskClient, engine: FakeEngine, address: str
) -> None:
    engine.newest *= 20
    engine.result = {"hits": [a_hit(rank) for rank in range(1, 11)]}
    sizes = []
    for path in (address, "/assets/winnow.css", "/assets/winnow.js"):
        with client.get(path) as response:
            sizes.append(len(response.data))

    assert sum(sizes) < 60_000


# While somebody types


def test_hits_alone_are_asked_for_while_somebody_types(get: Get, engine: FakeEngine) -> None:
    engine.result = {"next_cursor": "abc"}

    page = get("/", q="who", instant="hits")

    assert engine.asked == [SearchQuery(q="who", limit=10, facets=True, rerank=False)]
    assert "Reading …" in page.text
    assert not page.within("main", "section", "div", "p", "q")
    assert "More paragraphs" not in page.text
    assert not [link for link in page.links if link and "instant" in link]


def test_an_answer_to_what_is_still_being_typed_is_that_to_the_question(
    get: Get, engine: FakeEngine
) -> None:
    drafted = get("/", q="who", instant="answer")

    assert engine.asked == [DraftQuery(q="who", limit=10, facets=True)]
    assert drafted.text == get("/", q="who").text


def test_nothing_found_while_somebody_types_is_said_at_once(get: Get, engine: FakeEngine) -> None:
    engine.result = {"hits": []}

    assert "No paragraph has the words" in get("/", q="who", instant="hits").text


def test_something_else_cannot_be_asked_for_while_somebody_types(get: Get) -> None:
    assert "neither hits nor answer" in get("/", q="who", instant="all", status=400).text


# Answers


def test_an_answer_is_quoted_in_its_paragraph_with_its_source(get: Get) -> None:
    page = get("/", q="who proposed it")

    assert page.within("main", "section", "div", "p", "q") == ["Brussels"]
    assert page.within("blockquote", "span", "strong") == ["Brussels"]
    assert page.within("blockquote", "span") == [TEXT[30:66]]
    assert page.within("blockquote") == [TEXT[:22], TEXT[66:]]
    assert f"/articles/{ID}#p2" in page.places
    assert "Alliance Global News, 3 July 2025, 05:32" in page.text


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.81, "likely (confidence 81 %)"), (0.56, "possibly (confidence 56 %)")],
)
def test_confidence_is_said_in_words(
    get: Get, engine: FakeEngine, confidence: float, words: str
) -> None:
    engine.result = {"answer": an_answer(confidence=confidence)}

    assert words in get("/", q="who").text


def test_the_sentence_marked_is_the_one_around_the_answer(get: Get, engine: FakeEngine) -> None:
    text = "He said no. She left. He said no."
    engine.result = {
        "answer": an_answer(
            text="no",
            start=30,
            end=32,
            sentence="He said no.",
            sentence_start=22,
            sentence_end=33,
            paragraph=a_paragraph(text=text),
        )
    }

    page = get("/", q="what did he say")

    assert page.within("blockquote") == ["He said no. She left. "]


def test_alternatives_are_quoted_and_linked(get: Get, engine: FakeEngine) -> None:
    other = an_answer(text="proposed", start=31, end=39, paragraph=a_paragraph(7), confidence=0.6)
    engine.result = {"alternatives": [other]}

    page = get("/", q="who")

    assert page.within("details", "ul", "li", "p", "q") == ["proposed"]
    assert "possibly (confidence 60 %)" in page.text
    assert f"/articles/{ID}#p7" in page.places
    assert "open" in page.all("details", class_="main others")[0]


def test_alternatives_that_are_long_are_folded_away(get: Get, engine: FakeEngine) -> None:
    engine.result = {"alternatives": [an_answer(), an_answer(text="so on " * 20)]}

    assert "open" not in get("/", q="who").all("details", class_="main others")[0]


def test_all_that_say_the_same_are_counted_and_linked(get: Get, engine: FakeEngine) -> None:
    others = [
        a_source(an_answer(), number=number, article=an_article(title=f"News {number}"))
        for number in range(11, 16)
    ]
    agreed = {"articles": 6, "first": dt.date(2025, 5, 3), "last": dt.date(2025, 7, 7)}
    several = an_answer(sources=others, **agreed)
    engine.result = {"answer": several, "alternatives": [several]}

    page = get("/", q="who")

    assert "In 6 articles, 3 May to 7 July 2025. Also in News 11 (3 July 2025" in page.text
    assert "And in 2 more" in page.text
    assert {f"/articles/{ID}#p{number}" for number in range(11, 16)} <= {*page.places}
    assert "6 articles, 3 May to 7 July 2025: U.S. may pressure Azerbaijan (" in page.text


def test_one_source_is_not_counted(get: Get) -> None:
    page = get("/", q="who")

    assert "In 1 article" not in page.text
    assert "Also in" not in page.text


def test_how_far_the_best_candidate_was_from_an_answer_is_said(
    get: Get, engine: FakeEngine
) -> None:
    detail = "The best candidate is 9 % sure; the threshold is 15 %."
    engine.result = {"answer": None, "reason": "below_threshold", "detail": detail}

    page = get("/", q="who")

    assert f"clearly enough. {detail}" in page.text
    assert not page.all("q")


def test_an_answer_without_end_is_cut(get: Get, engine: FakeEngine) -> None:
    text = "so on " * 100_000
    endless = an_answer(
        text=text,
        start=0,
        end=len(text),
        sentence=text,
        sentence_start=0,
        sentence_end=len(text),
        paragraph=a_paragraph(text=text),
    )
    engine.result = {"answer": endless, "alternatives": [endless]}

    assert len(get("/", q="who").text) < 4000


@pytest.mark.parametrize(
    ("reason", "hits", "words"),
    [
        ("no_hits", [], "No paragraph has the words or the meaning of the question."),
        ("below_threshold", [a_hit()], "no sentence in them answers the question"),
    ],
)
def test_no_answer_is_said_with_its_reason(
    get: Get, engine: FakeEngine, reason: str, hits: list[HitShape], words: str
) -> None:
    engine.result = {"answer": None, "reason": reason, "hits": hits}

    page = get("/", q="who")

    assert "The articles do not say." in page.text
    assert words in page.text
    assert not page.all("blockquote")


def test_nothing_between_two_days_offers_all_days(get: Get, engine: FakeEngine) -> None:
    engine.result = {"answer": None, "reason": "no_hits", "hits": []}

    page = get("/", q="who", mode="keyword", after="2025-01-01")

    assert "No paragraph of these days" in page.text
    assert "/?q=who&mode=keyword" in page.links


# Hits


def test_words_and_the_best_sentence_are_marked_apart(get: Get) -> None:
    page = get("/", q="who proposed it")

    assert page.within("p", "span", "mark") == ["proposed", "operator"]
    assert page.within("li", "div", "p", "span")[0] == "Brussels "
    assert page.within("li", "div", "p")[0] == TEXT[:22]


def test_a_hit_says_where_it_stands(get: Get) -> None:
    page = get("/", q="who")

    assert page.places.count(f"/articles/{ID}#p2") == 2  # of the answer and of the hit
    assert "000_6d57407f6c4ba910.txt, paragraph 2" in page.text


def test_the_bar_and_the_line_say_what_each_search_gave(get: Get) -> None:
    page = get("/", q="who")

    assert page.all("rect", class_="keyword", x="0.0", width="25.0")
    assert page.all("rect", class_="semantic", x="25.0", width="50.0")
    assert "by its words: 3rd; by its meaning: 1st" in page.text


def test_the_bar_and_the_line_say_what_the_reader_gave(get: Get, engine: FakeEngine) -> None:
    parts = [a_contribution("semantic", 1, 0.5), a_contribution("rerank", 2, 0.2)]
    engine.result = {"hits": [a_hit(contributions=parts)]}

    page = get("/", q="who")

    assert page.all("rect", class_="rerank", x="50.0", width="20.0")
    assert "by its meaning: 1st; by the reader: 2nd" in page.text


def test_a_corrected_question_is_linked_with_the_filters(get: Get, engine: FakeEngine) -> None:
    words = [
        CorrectedWord(word=word, start=0, end=4, words=["<b>"]) for word in ("<i>", "b", "<i>")
    ]
    engine.result = {"did_you_mean": DidYouMean(query="<b> & -c", words=words)}

    page = get("/?q=x&mode=keyword&after=2025-01-01")

    assert "Did you mean <b> & -c? No paragraph has “<i>” or “b”." in page.text
    assert "/?q=%3Cb%3E+%26+-c&mode=keyword&after=2025-01-01" in page.links


def test_a_hit_says_what_a_word_was_taken_for(get: Get, engine: FakeEngine) -> None:
    part = a_contribution("keyword", 1, 0.5).model_copy(update={"corrected": {"pece": ["peace"]}})
    engine.result = {"hits": [a_hit(contributions=[part])]}

    assert "by its words: 1st, “pece” taken for “peace”" in get("/?q=pece").text


@pytest.mark.parametrize(
    ("rank", "words"),
    [
        (2, "by its words: 2nd"),
        (11, "by its words: 11th"),
        (21, "by its words: 21st"),
        (112, "by its words: 112th"),
        (None, "not among the first by its words"),
    ],
)
def test_a_rank_is_read_as_people_say_it(
    get: Get, engine: FakeEngine, rank: int | None, words: str
) -> None:
    engine.result = {"hits": [a_hit(contributions=[a_contribution("keyword", rank, 0.5)])]}

    assert words in get("/", q="who").text


def test_a_very_long_paragraph_is_cut_around_its_best_sentence(
    get: Get, engine: FakeEngine
) -> None:
    text = "Before. " * 100_000 + "Here it is." + " After." * 100_000
    found = Span(800_000, 800_011)
    engine.result = {
        "hits": [a_hit(paragraph=a_paragraph(text=text), matches=[], best_sentence=found)]
    }

    page = get("/", q="here")

    assert page.within("li", "div", "p", "span")[1] == "Here it is."
    assert len(page.text) < 5000
    assert page.within("span").count("… ") == page.within("span").count(" …") == 1


def test_what_limits_a_result_is_said_above_it(get: Get, engine: FakeEngine) -> None:
    engine.result = {"degraded": ["query syntax: unbalanced ("], "pending": 1}

    page = get("/", q="(who")

    assert "query syntax: unbalanced (" in page.text
    assert "one seed file has changed since the index was built." in page.text


def test_what_the_reader_had_no_time_for_is_said_below_and_is_no_alarm(
    get: Get, engine: FakeEngine
) -> None:
    engine.result = {"degraded": ["in 120 ms the reader read 7 of the first 20 paragraphs"]}

    page = get("/", q="who")

    assert "Not at its best" not in page.text
    (told,) = [text for text in page.within("footer", "p") if "reader" in text]
    assert "In 120 ms the reader read 7 of the first 20 paragraphs." in told


def test_results_say_of_what_index_they_are_and_lead_to_its_state(get: Get) -> None:
    page = get("/", q="who")

    assert "Searched 1,214 articles, indexed on 22 November 2025, 18:10 UTC, in 11 ms" in page.text
    assert "State of the index" in page.within("footer", "p", "a")


# Pages of results and filters


def test_the_first_page_asks_for_an_answer_and_more_keeps_the_search(
    get: Get, engine: FakeEngine
) -> None:
    engine.result = {"next_cursor": "abc"}

    page = get("/", q="who & what", mode="semantic", after="2025-01-01", before="2025-02-01")

    (asked,) = engine.asked
    assert asked == AnswerQuery.model_validate(
        {"q": "who & what", "limit": 10, "mode": "semantic", "facets": True}
        | {"after": "2025-01-01", "before": "2025-02-01"}
    )
    (more,) = page.all("a", rel="next")
    get(str(more["href"]))
    later = engine.asked[-1]
    assert later == SearchQuery(**asked.model_dump(), cursor="abc")


def test_later_pages_go_on_counting_and_have_no_answer(get: Get, engine: FakeEngine) -> None:
    engine.result = {"hits": [a_hit(11), a_hit(12)]}

    page = get("/", q="who", cursor="abc")

    assert "Paragraphs 11 to 12" in page.text
    assert page.all("ol", start="11")
    assert not page.all("blockquote")
    assert "/?q=who" in page.links  # back to the first page


def test_a_later_page_without_hits_says_so(get: Get, engine: FakeEngine) -> None:
    engine.result = {"hits": []}

    assert "No more paragraphs" in get("/", q="who", cursor="abc").text


def test_the_form_keeps_what_was_sent(get: Get) -> None:
    page = get("/", q="who", mode="keyword", after="2025-01-01", before="2025-02-01")

    assert page.all("input", name="q", value="who")
    assert [o["value"] for o in page.all("option") if "selected" in o] == ["keyword"]
    assert page.all("input", name="after", value="2025-01-01")
    assert page.all("input", name="before", value="2025-02-01")


# Limits and counts


def test_what_limits_a_search_is_said_and_can_be_taken_back(get: Get, engine: FakeEngine) -> None:
    july = Period(dt.date(2025, 7, 1), dt.date(2025, 7, 31), "phrase", Span(0, 12))
    engine.filters = Filters((july,), source="cnn.com", author="Anna Kern", month="2025-07")

    page = get("/", q=QUESTION, source="cnn.com", author="Anna Kern", month="2025-07")

    assert "“in July 2025”: articles from 1 July 2025 to 31 July 2025 remove" in page.text
    assert "articles of July 2025 remove" in page.text
    assert "articles of cnn.com remove" in page.text
    assert "articles by Anna Kern remove" in page.text
    removals = [
        str(a["href"])
        for a in page.all("a")
        if str(a.get("aria-label")).startswith("Search without")
    ]
    kept = {"q": QUESTION, "source": "cnn.com", "author": "Anna Kern", "month": "2025-07"}
    for address, changed in zip(
        removals, [{"dates": "ignore"}, {"month": ""}, {"source": ""}, {"author": ""}], strict=True
    ):
        wanted = {name: value for name, value in (kept | changed).items() if value}
        assert dict(parse_qsl(urlsplit(address).query)) == wanted
        get(address)


def test_days_of_the_form_and_of_the_grammar_can_be_taken_back(
    get: Get, engine: FakeEngine
) -> None:
    day = dt.date(2025, 7, 3)
    engine.filters = Filters((Period(day, None), Period(None, day, "grammar", Span(3, 12))))

    page = get("/", q=QUESTION, after="2025-07-03")

    assert "articles since 3 July 2025 remove" in page.text
    assert "“July 2025”: articles until 3 July 2025 remove" in page.text
    removals = [
        urlsplit(str(a["href"])).query
        for a in page.all("a")
        if str(a.get("aria-label")).startswith("Search without")
    ]
    assert [dict(parse_qsl(query)) for query in removals] == [
        {"q": QUESTION},
        {"q": "in who", "after": "2025-07-03"},
    ]


def test_counts_lead_to_the_search_for_what_was_counted(get: Get, engine: FakeEngine) -> None:
    engine.facets = FacetsShape.of(
        {
            "source": [("cnn.com", 7), ("usatoday.com", 2)],
            "author": [("Anna Kern", 9)],
            "month": [("2025-07", 8), ("2024-12", 1)],
        }
    )

    page = get("/", q="who", mode="keyword", after="2024-01-01")

    assert "Source: cnn.com 7, usatoday.com 2" in page.text
    assert "Month: July 2025 8, December 2024 1" in page.text
    assert "Author:" not in page.text  # One value alone leaves nothing out.
    assert "/?q=who&mode=keyword&after=2024-01-01&source=usatoday.com" in page.links
    get("/?q=who&mode=keyword&after=2024-01-01&month=2024-12")
    assert engine.asked[-1].month == "2024-12"
    assert engine.asked[-1].facets


def test_a_new_question_keeps_what_was_chosen_but_reads_its_own_dates(get: Get) -> None:
    page = get("/", q="who", source="cnn.com", month="2025-07", dates="ignore")

    hidden = page.all("input", type="hidden")
    assert {field["name"]: field["value"] for field in hidden} == {
        "source": "cnn.com",
        "month": "2025-07",
    }


def test_nothing_within_the_limits_says_that_they_are_there(get: Get, engine: FakeEngine) -> None:
    engine.result = {"answer": None, "reason": "no_hits", "hits": []}
    engine.filters = Filters(source="cnn.com")

    assert "No paragraph within these limits has the words" in get("/", q="who").text


def test_without_limits_none_are_mentioned(get: Get) -> None:
    page = get("/", q="who")

    assert "remove" not in page.text
    assert not page.all("input", type="hidden")


# Mistakes and trouble


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/?q=who&after=yesterday", "From: this is not a day of the calendar."),
        ("/?q=who&before=2025-02-30", "To: this is not a day of the calendar."),
        ("/?q=who&mode=magic", "Search by: this is not a way to search."),
        ("/?q=who&month=2025-13", "Month: this is not a month of the calendar."),
        ("/?q=who&source=" + "a" * 201, "Source: this is longer than 200 characters."),
        ("/?q=who&author=%00", "Author: this has characters that no text has."),
        ("/?q=who&dates=x", "Dates in the question: this is not a way to read them."),
        ("/?mode=magic", "Search by: this is not a way to search."),
        ("/?q=" + "a" * 8001, "Question: this is longer than 1000 characters."),
        ("/?q=who%00", "Question: this has characters that no text has."),
        ("/?q=who&q=what", "Question: it was given more than once."),
        ("/?after=&after=&q=who", "From: it was given more than once."),
        ("/?q=who&limit=5", "there is no parameter named “limit” on this page."),
        ("/?page=2", "there is no parameter named “page” on this page."),
        (f"/articles/{ID}?limit=5", "there is no parameter named “limit” on this page."),
        (f"/articles/{ID}?q=who&after=x", "From: this is not a day of the calendar."),
        (f"/articles/{ID}?mark=p3", "this names no piece of a paragraph."),
        (f"/paragraphs/{ID}-2/similar?q=who", "there is no parameter named “q” on this page."),
        (f"/paragraphs/{ID}-2/cite?q=who", "there is no parameter named “q” on this page."),
        (f"/paragraphs/{ID}-2/cite?start=-1", "this is not a place in a text."),
        ("/feed.atom?mode=keyword", "Search by: this limits a search, and there is no question."),
        ("/opensearch.xml?q=a", "there is no parameter named “q” on this page."),
        ("/suggestions?q=a&limit=2", "there is no parameter named “limit” on this page."),
        ("/?q=who&cursor=" + "a" * 501, "Its address belongs to another search"),
    ],
)
def test_a_mistake_is_explained_in_plain_words(
    get: Get, engine: FakeEngine, address: str, words: str
) -> None:
    page = get(address, status=400)

    assert words in page.text
    assert not re.search(r"(?i)pydantic|error|query\b|literal|input should", page.text)
    assert not engine.asked


def test_a_mistake_keeps_the_form_and_points_at_the_field(get: Get) -> None:
    page = get("/", 400, q="who", after="yesterday", mode="keyword")

    assert page.all("input", name="q", value="who")
    (field,) = page.all("input", aria_invalid="true")
    assert (field["name"], field["value"]) == ("after", "yesterday")
    assert field["aria-describedby"] == "problem"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (QueryError("the query is long", parameter="q", hint="Cut."), 400, "Question: the query"),
        (QueryError("bad", parameter="cursor"), 400, "Start again from the first page"),
        (StaleCursor("old", parameter="cursor"), 410, "Start again from the first page"),
        (IndexMissing("no index in x", hint="Run: winnow build"), 503, "Run: winnow build"),
        (IndexCorrupt("x is damaged", hint="Run: winnow build --full"), 503, "x is damaged."),
        (ModelError("no model", hint="mode=keyword"), 503, "Search by words only"),
        (SettingsError("odd", hint="Mend it."), 500, "Something went wrong"),
    ],
)
def test_every_error_of_the_engine_is_a_page_with_its_status(
    get: Get, engine: FakeEngine, error: WinnowError, status: int, words: str
) -> None:
    engine.error = error

    page = get("/", status, q="who <b>", cursor="abc")

    assert words in page.text
    assert page.all("input", name="q", value="who <b>")


def test_without_an_index_home_says_what_to_run(get: Get, engine: FakeEngine) -> None:
    engine.error = IndexMissing("there is no index", hint="Run: winnow build")

    page = get("/", status=503)

    assert "Nothing has been indexed yet" in page.text
    assert "Run: winnow build" in page.text


def test_starting_again_keeps_the_search_but_not_the_cursor(get: Get, engine: FakeEngine) -> None:
    engine.error = StaleCursor("old", parameter="cursor")

    assert "/?q=who&mode=keyword" in get("/", 410, q="who", mode="keyword", cursor="abc").links


def test_other_failures_are_not_dressed_up(client: FlaskClient, engine: FakeEngine) -> None:
    engine.error = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        client.get("/?q=who")


# Articles


def test_an_article_shows_its_paragraphs_with_anchors(get: Get, engine: FakeEngine) -> None:
    page = get(f"/articles/{ID}")

    assert engine.asked == [ID]
    assert page.within("h1") == ["U.S. may pressure Azerbaijan"]
    assert "By Alliance Global News, 3 July 2025, 05:32" in page.text
    assert "from 000_6d57407f6c4ba910.txt, 2 paragraphs, English" in page.text
    assert [p["id"] for p in page.all("p") if "id" in p] == ["p1", "p2"]
    assert {"#p1", "#p2", "/"} <= set(page.links)
    assert TEXT in page.within("article", "div", "p")


def test_an_article_marks_the_words_of_the_search_that_led_to_it(
    get: Get, engine: FakeEngine
) -> None:
    address = f"/articles/{ID}?q=who+proposed+operators&mode=keyword&mark=2:22-30"

    page = get(address)

    assert page.within("p", "mark") == ["proposed", "operator"]
    assert page.within("p", "strong") == ["Brussels"]
    assert "/?q=who+proposed+operators&mode=keyword" in page.links
    assert page.all("input", name="q", value="who proposed operators")


@pytest.mark.parametrize("mark", ["2:22-9000", "9:0-4", "2:9-9"])
def test_what_an_article_no_longer_has_is_not_marked(get: Get, mark: str) -> None:
    assert not get(f"/articles/{ID}", mark=mark).all("strong")


def test_links_of_a_search_lead_back_to_it_and_name_what_to_mark(get: Get) -> None:
    page = get("/", q="who", mode="keyword")

    assert f"/articles/{ID}?q=who&mode=keyword&mark=2:22-30#p2" in page.links  # the answer
    assert f"/articles/{ID}?q=who&mode=keyword&mark=2:22-66#p2" in page.links  # of the hit


def test_an_article_without_paragraphs_says_so(get: Get, engine: FakeEngine) -> None:
    engine.full = engine.full.model_copy(update={"paragraphs": []})

    assert "This article has a headline, and no text." in get(f"/articles/{ID}").text


def test_paragraphs_lead_to_their_citations_and_an_answer_to_its_own(get: Get) -> None:
    assert f"/paragraphs/{ID}-1/cite" in get(f"/articles/{ID}").links
    results = get("/", q="who").links
    assert f"/paragraphs/{ID}-2/cite" in results
    assert f"/paragraphs/{ID}-2/cite?start=22&end=66" in results


def test_a_citation_can_be_selected_and_downloaded(get: Get, client: FlaskClient) -> None:
    page = get(f"/paragraphs/{ID}-2/cite", start="22", end="66")

    text, *_ = page.within("section", "div", "pre")
    assert text == (
        "“Brussels proposed a model with an operator.” – Alliance Global News, “U.S. may pressure "
        "Azerbaijan”, 3 July 2025. Paragraph 2 of 000_6d57407f6c4ba910.txt: "
        f"http://localhost/articles/{ID}#p2"
    )
    files = [str(link) for link in page.links if "/cite." in str(link)]
    assert [urlsplit(file).path[-3:] for file in files] == ["bib", "ris"]
    for file in files:
        response = client.get(file)
        assert response.status_code == 200
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert "Brussels proposed a model with an operator." in response.text


def test_words_that_a_paragraph_does_not_have_cannot_be_cited(get: Get) -> None:
    page = get(f"/paragraphs/{ID}-2/cite", 400, start="3", end="3")

    assert f"the paragraph has {len(TEXT)} characters, and none from 3 to 3" in page.text


@pytest.mark.parametrize("end", ["similar", "cite", "cite.bib"])
def test_an_id_that_no_paragraph_can_have_is_not_asked_for(
    get: Get, engine: FakeEngine, end: str
) -> None:
    assert "There is nothing here" in get(f"/paragraphs/nothing/{end}", 404).text
    assert not engine.asked


# What browsers and feed readers ask for


def test_every_page_names_its_feed_and_how_a_browser_asks_here(get: Get) -> None:
    for address in ("/", f"/articles/{ID}", "/?q=who&mode=keyword"):
        page = get(address)
        assert page.all("link", rel="search", href="/opensearch.xml")
        feeds = [link["href"] for link in page.all("link", rel="alternate")]
        own = ["/feed.atom?q=who&mode=keyword"] * ("q=who" in address)
        assert feeds == ["/feed.atom", *own]
        assert feeds[-1] in page.links


def test_the_description_names_what_a_browser_asks_for(client: FlaskClient) -> None:
    response = client.get("/opensearch.xml", headers={"Host": "news.example:81"})

    assert response.mimetype == "application/opensearchdescription+xml"
    root = ET.fromstring(response.data)  # noqa: S314 - our own
    name = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert root.tag == f"{name}OpenSearchDescription"
    assert len(root.findtext(f"{name}ShortName", "")) <= 16  # of its specification
    for url in root.findall(f"{name}Url"):
        template = url.get("template", "")
        assert template.startswith("http://news.example:81/")
        asked = client.get(template.replace("{searchTerms}", "who"))
        assert asked.status_code == 200
        assert asked.mimetype == url.get("type")


def test_suggestions_come_as_browsers_take_them(client: FlaskClient, engine: FakeEngine) -> None:
    engine.completions = ["Brussels", "Brussels", "brushed"]

    assert client.get("/suggestions?q=bru").get_json(force=True) == [
        "bru",
        ["Brussels", "brushed"],
    ]
    assert client.get("/suggestions?q=").get_json(force=True) == ["", []]


def test_an_article_names_its_publisher(get: Get, engine: FakeEngine) -> None:
    engine.full = engine.full.model_copy(update={"article": an_article(publisher="The Wire")})

    assert get(f"/articles/{ID}").within("header", "div", "p", "bdi")[0] == "The Wire"


def test_an_article_without_title_date_and_byline_has_its_first_words(
    get: Get, engine: FakeEngine
) -> None:
    bare = an_article(title=" ", published=None, byline=None)
    engine.full = engine.full.model_copy(update={"article": bare})
    engine.newest = [ArticleEntry(**bare.model_dump(), paragraphs=1)]

    page = get(f"/articles/{ID}")

    assert page.within("h1") == ["First of all."]
    assert "undated" in page.text
    assert "000_6d57407f6c4ba910.txt" in get("/").within("li", "div", "h3", "a", "bdi")


def test_an_unknown_article_is_a_page_with_the_way_back(get: Get, engine: FakeEngine) -> None:
    engine.error = NotFound("there is no article 'x'", hint="See /v1/articles.")

    page = get("/articles/x", status=404)

    assert "There is nothing here" in page.text
    assert "/v1/" not in page.text
    assert "/" in page.links


# Copies and similar paragraphs


def test_a_hit_links_where_else_its_paragraph_stands_and_folds_a_crowd_away(
    get: Get, engine: FakeEngine
) -> None:
    papers = [a_copy(number, publisher=f"Paper {number}") for number in (4, 5, 6, 7, 8)]
    engine.result = {"hits": [a_hit(also_in=papers)]}

    page = get("/?q=who")

    assert "Also in U.S. may pressure Azerbaijan (Paper 4, 3 July 2025, 05:32); " in page.text
    assert [f"/articles/{ID}#p{copy.number}" in page.places for copy in papers] == [True] * 5
    assert page.within("details", "summary") == ["Narrow down by who says it", "And in 2 more"]
    assert "/?q=who&collapse=0" in page.links
    assert "Copies of a paragraph share its place." in page.text


def test_a_hit_without_copies_says_nothing_of_them(get: Get) -> None:
    page = get("/?q=who")

    assert "Also in" not in page.text
    assert "/?q=who&collapse=0" not in page.links
    assert not page.all("input", name="collapse")


def test_what_is_not_gathered_stays_so_and_has_a_way_back(get: Get, engine: FakeEngine) -> None:
    engine.result = {"next_cursor": "abc"}

    page = get("/?q=who&collapse=0")

    assert engine.asked == [AnswerQuery(q="who", limit=10, collapse=False, facets=True)]
    assert page.all("input", name="collapse", value="0")
    assert {"/?q=who", "/?q=who&collapse=0&cursor=abc"} <= set(page.links)
    assert "1 or 0" in get("/?q=who&collapse=perhaps", status=400).text


def test_similar_paragraphs_are_listed_as_hits_are(get: Get, engine: FakeEngine) -> None:
    engine.result = {"also_in": [a_copy()], "degraded": ["an older index"]}

    page = get(f"/paragraphs/{ID}-2/similar")

    assert engine.asked == [(f"{ID}-2", SimilarQuery())]
    assert page.within("h1") == ["Paragraphs like this one"]
    assert TEXT in page.within("blockquote")
    assert {f"/articles/{ID}#p2", f"/articles/{ID}#p4"} <= set(page.places)
    assert "an older index" in page.text
    assert page.all("ol", start="1")


def test_a_paragraph_may_have_none_that_is_like_it(get: Get, engine: FakeEngine) -> None:
    engine.result = {"hits": []}

    assert "Nothing in other articles is like it" in get(f"/paragraphs/{ID}-2/similar").text


# Hostile text


def hostile_article() -> ArticleShape:
    names = ("title", "published", "byline", "source", "publisher", "language")
    return an_article(**dict.fromkeys(names, HOSTILE))


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/?q=who",
        "/?q=who&cursor=abc",
        f"/articles/{ID}",
        f"/paragraphs/{ID}-2/similar",
        f"/paragraphs/{ID}-2/cite",
    ],
)
def test_hostile_text_stays_text(get: Get, engine: FakeEngine, address: str) -> None:
    paragraph = a_paragraph(text=HOSTILE)
    marks = [Span(0, 8), Span(20, 40)]
    engine.newest = [ArticleEntry(**hostile_article().model_dump(), paragraphs=1)]
    engine.full = engine.full.model_copy(
        update={"article": hostile_article(), "paragraphs": [paragraph]}
    )
    copies = [CopyShape(id=f"{ID}-4", number=4, article=hostile_article())] * 4
    hit = a_hit(
        paragraph=paragraph,
        article=hostile_article(),
        matches=marks,
        best_sentence=None,
        also_in=copies,
    )
    answer = an_answer(
        text=HOSTILE[:8],
        start=0,
        end=8,
        sentence=HOSTILE[:30],
        paragraph=paragraph,
        article=hostile_article(),
    )
    engine.result = {
        "hits": [hit],
        "answer": answer,
        "alternatives": [answer],
        "degraded": [HOSTILE],
        "also_in": copies,
    }
    engine.state = {"generation": HOSTILE, "degraded": [HOSTILE]}
    engine.filters = Filters(source=HOSTILE, author=HOSTILE)
    engine.facets = FacetsShape.of(
        {"source": [(HOSTILE, 1), ("b", 1)], "author": [(HOSTILE, 1), ("b", 1)], "month": []}
    )

    page = get(address)

    assert " ".join(HOSTILE.split()) in page.text


def test_hostile_parameters_stay_text(get: Get) -> None:
    page = get("/", 400, q=HOSTILE, after=HOSTILE, mode=HOSTILE, before=HOSTILE)

    assert page.all("input", name="q", value=HOSTILE)
    assert page.all("input", name="after", value=HOSTILE)
    assert HOSTILE in get("/", 400, **{HOSTILE: "x"}).text


def test_text_of_any_direction_is_isolated(get: Get) -> None:
    page = get(f"/articles/{ID}")
    assert all(p["dir"] == "auto" for p in page.all("p") if "id" in p)

    page = get("/", q="who")
    assert page.within("a", "bdi") == [an_article().title] * 2
    assert an_article().title not in page.within("a")
    assert page.all("blockquote", dir="auto")
