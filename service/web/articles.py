"""Articles to read and to quote from: their pages, and paragraphs as citations to copy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from flask import Blueprint, Response, render_template, url_for
from pydantic import ValidationError

from indexer.errors import NotFound, QueryError
from indexer.grammar import parse
from indexer.leaves import spans
from indexer.stemming import language_name
from indexer.types import Span
from service.requests import ParagraphPath, SearchQuery
from service.web import citations
from service.web.citations import Citation
from service.web.forms import KEPT, kept, sent, validated
from service.web.marking import Excerpt, first_words, segments

if TYPE_CHECKING:
    from service.answers import SourceShape
    from service.results import ArticleShape, FullArticle, FullParagraph, ParagraphShape

_FILES = {
    "bib": ("application/x-bibtex", citations.bibtex),
    "ris": ("application/x-research-info-systems", citations.ris),
}
"""Citations as files, by the ends of their addresses."""

_MARK = re.compile(r"([1-9][0-9]{0,8}):([0-9]{1,9})-([0-9]{1,9})")
"""A piece of a paragraph in an address: its number, and where in it the piece starts and ends."""


class Engine(Protocol):
    """What these pages need of the engine. Every method may raise a :class:`WinnowError`."""

    def article(self, id_: str) -> FullArticle:
        """An article with its paragraphs."""

    def paragraph(self, id_: str) -> FullParagraph:
        """A paragraph with its article."""


def install(pages: Blueprint, engine: Engine) -> None:
    """Add the pages of articles and of citations to ``pages``."""

    @pages.get("/articles/<id_>")
    def article(id_: str) -> str:
        parameters = sent(*KEPT, "mark")
        number, piece = _mark(parameters.pop("mark", None))
        asked = validated(SearchQuery, parameters)
        full = engine.article(id_)
        texts = (paragraph.text for paragraph in full.paragraphs)
        title = full.article.title.strip() or first_words(next(texts, full.article.source))
        shown = [
            _marked(each, full.article, asked, piece if each.number == number else None)
            for each in full.paragraphs
        ]
        return render_template("article.html", full=full, title=title, shown=shown)

    @pages.get("/paragraphs/<id_>/cite")
    def cite(id_: str) -> str:
        part = _part()
        full = engine.paragraph(paragraph_id(id_))
        citation = _citation(full, part)
        return render_template("cite.html", full=full, citation=citation, part=part)

    @pages.get("/paragraphs/<id_>/cite.<any(bib, ris):kind>")
    def cite_in_file(id_: str, kind: str) -> Response:
        part = _part()
        citation = _citation(engine.paragraph(paragraph_id(id_)), part)
        content_type, written = _FILES[kind]
        response = Response(written(citation), content_type=f"{content_type}; charset=utf-8")
        name = f"winnow-{citation.key}.{kind}"
        response.headers.set("Content-Disposition", "attachment", filename=name)
        return response

    @pages.app_context_processor
    def vocabulary() -> dict[str, object]:
        return {
            "reading_address": reading_address,
            "language_name": language_name,
            "plain": citations.plain,
            "markdown": citations.markdown,
            "bibtex": citations.bibtex,
            "ris": citations.ris,
        }


def paragraph_id(id_: str) -> str:
    """The id, if it can be one of a paragraph.

    Raises:
        NotFound: It cannot.
    """
    try:
        return ParagraphPath(id=id_).id
    except ValidationError as error:
        raise NotFound(f"there is no paragraph “{id_}”") from error


def reading_address(article: str, number: int, piece: Span | SourceShape | None = None) -> str:
    """The address of a paragraph in its article, with the way back to this page's search.

    There ``piece`` of the paragraph is marked.
    """
    mark = f"{number}:{piece.start}-{piece.end}" if piece else None
    return url_for("pages.article", id_=article, **kept(), mark=mark, _anchor=f"p{number}")


def _mark(written: str | None) -> tuple[int | None, Span | None]:
    """The number of a paragraph and the piece of it to be marked, if there is one.

    Raises:
        QueryError: It is written otherwise.
    """
    if written is None:
        return None, None
    found = _MARK.fullmatch(written)
    if found is None:
        raise QueryError(
            "this names no piece of a paragraph",
            parameter="mark",
            hint="Write the paragraph's number and two offsets in it, such as 3:0-42.",
        )
    number, start, end = map(int, found.groups())
    return number, Span(start, end)


def _marked(
    paragraph: ParagraphShape,
    article: ArticleShape,
    asked: SearchQuery | None,
    piece: Span | None,
) -> Excerpt:
    """The whole paragraph, with the words that were asked for and the ``piece`` marked."""
    text = paragraph.text
    if piece is not None and not piece.start < piece.end <= len(text):
        piece = None  # the article has changed since: there is nothing that could be meant
    found = spans(parse(asked.q), "body", text, article.language) if asked else ()
    return Excerpt(segments(text, matches=found, answer=piece), starts=True, ends=True)


def _part() -> dict[str, int]:
    """Where what is to be quoted starts and ends in its paragraph, as far as it was said.

    Raises:
        QueryError: What was sent is no place in a text.
    """
    part = sent("start", "end")
    for name, value in part.items():
        if not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise QueryError("this is not a place in a text", parameter=name)
    return {name: int(value) for name, value in part.items()}


def _citation(full: FullParagraph, part: dict[str, int]) -> Citation:
    article, paragraph = full.article, full.paragraph
    piece = _piece(part, len(paragraph.text))
    return Citation(
        key=paragraph.id,
        quote=paragraph.text[slice(*piece)],
        title=article.title,
        author=article.byline,
        publisher=article.publisher,
        published=article.published,
        source=article.source,
        number=paragraph.number,
        address=url_for(
            "pages.article", id_=article.id, _anchor=f"p{paragraph.number}", _external=True
        ),
    )


def _piece(part: dict[str, int], length: int) -> Span:
    """What of a paragraph of ``length`` characters is quoted: all, or from one offset to another.

    Raises:
        QueryError: There is no such piece.
    """
    piece = Span(part.get("start", 0), part.get("end", length))
    if not 0 <= piece.start < piece.end <= length:
        raise QueryError(
            f"the paragraph has {length} characters, and none from {piece.start} to {piece.end}",
            parameter="end" if "end" in part else "start",
            hint="Its file may have changed. Leave out start and end to cite all of it.",
        )
    return piece
