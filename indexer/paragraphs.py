"""Where the title, the marks and the paragraphs of an article lie in its text.

Everything that Winnow shows can be found again in the seed file, so splitting never rewrites: it
only measures out spans. The one judgement it has to make is whether a line is a paragraph, as in
the native form, or a piece of a paragraph that somebody's editor broke at a fixed width. A broken
line gives itself away: the first word of the next line would not have fitted behind it.
"""
# ruff: noqa: SIM905 - words in a string read better than a column of fifty literals

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from indexer.punctuation import CLOSERS, GERMAN_CLOSERS, OPENERS, STOPS, STOPS_BEFORE_SPACE, trimmed
from indexer.types import Span

_NARROWEST, _WIDEST = 45, 100  # Columns of hard-wrapped text; 60 to 80 is usual.

_ENDERS = (*STOPS, *STOPS_BEFORE_SPACE, ":", ";")
_BULLET = re.compile(r"[-*•·▪‣◦]\s")
_NUMBER = re.compile(r"\d{1,3}[.)]\s")

_PUBLISHED = "published:"
_BYLINE = re.compile(r"(?:By|BY)\s+")
_LONGEST_BYLINE = 120
# What stands in lower case in a line that only names authors.
_BYLINE_WORDS = frozenset(
    (
        "a al and at bin correspondent correspondents da de del della der des di do dos du e "
        "editor el et for from ibn in la le of on our reporter reporters senior special staff ten "
        "ter the to und van via von with writer writers y zu"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of an article's text. No part begins or ends with a character of ``SPACE``.

    ``title`` is the headline. ``published`` is what stands behind ``Published:`` (perhaps
    nothing) and ``byline`` what stands behind the closing ``By``. The paragraphs are in order and
    apart; with the other parts and the two marks they hold every visible character, each once.
    Only of a text that is nothing but a headline is the one paragraph that headline again, so
    that it can be found. In a text without visible characters there is none.
    """

    title: Span
    published: Span | None
    byline: Span | None
    paragraphs: tuple[Span, ...]


class _Line(NamedTuple):
    start: int
    end: int
    indent: int  # Columns left of ``start``.


_Block = list[_Line]  # Lines that follow one another without a blank one.


def lines(text: str) -> list[Span]:
    """The lines of ``text`` that are not blank, trimmed.

    A line ends where :meth:`str.splitlines` says: at any of the ends of line that are in use,
    form feed, NEL, U+2028 and U+2029 among them.
    """
    return [Span(line.start, line.end) for block in _blocks(text) for line in block]


def split(text: str) -> Layout:
    """Find the parts of an article.

    One line is one paragraph, unless the lines are hard-wrapped: then it is everything between
    two blank lines, and its span includes the line ends. Takes time linear in the length of
    ``text``.
    """
    blocks = list(_blocks(text))
    if not blocks:
        return Layout(Span(0, 0), None, None, ())
    head, body = _head(text, blocks)
    published = None
    if body and _is_published(text, body[0][0]):
        mark = body[0].pop(0)
        published = trimmed(text, mark.start + len(_PUBLISHED), mark.end)
    byline = None
    if sum(map(len, body)) > 1:
        byline = _byline(text, body[-1][-1])
        if byline:
            body[-1].pop()
    body = [part for block in body for part in _parts(text, block)]
    width = _width(text, body)
    paragraphs = tuple(span for block in body for span in _joined(text, block, width))
    title = Span(head[0].start, head[-1].end)
    return Layout(title, published, byline, paragraphs or (title,))


def _blocks(text: str) -> Iterator[_Block]:
    block: _Block = []
    offset = 0
    for raw in text.splitlines(keepends=True):
        start, end = trimmed(text, offset, offset + len(raw))
        if start < end:
            block.append(_Line(start, end, len(text[offset:start].expandtabs())))
        elif block:
            yield block
            block = []
        offset += len(raw)
    if block:
        yield block


def _head(text: str, blocks: list[_Block]) -> tuple[_Block, list[_Block]]:
    """The lines of the title, and the rest. Only in a wrapped file has a title several lines."""
    first, rest = blocks[0], blocks[1:]
    dated = next((n for n, line in enumerate(first) if n and _is_published(text, line)), None)
    size = dated or len(first)
    width = _width(text, [part for block in rest for part in _parts(text, block)])
    if not width or size > 3 or len(list(_joined(text, first[:size], width))) > 1:
        size = 1
    body = [first[size:], *rest]
    return first[:size], [block for block in body if block]


def _is_published(text: str, line: _Line) -> bool:
    return text[line.start : line.start + len(_PUBLISHED)].lower() == _PUBLISHED


def _byline(text: str, line: _Line) -> Span | None:
    """The names in ``line`` if it is a closing ``By …`` and not a last, short paragraph.

    A name begins with a capital and does not end like a sentence. Where it does either, as in
    "Inc." and "the editors", its words must be such as stand among names.
    """
    if line.end - line.start > _LONGEST_BYLINE:
        return None
    content = text[line.start : line.end]
    mark = _BYLINE.match(content)
    if mark is None or content[-1] in "!?…:;":
        return None
    if not content[mark.end()].islower() and not _ends_sentence(text, line):
        return Span(line.start + mark.end(), line.end)
    words = [word.strip(",.;()&") for word in content[mark.end() :].split()]
    if all(not word[:1].islower() or _may_be_small(word) for word in words):
        return Span(line.start + mark.end(), line.end)
    return None


def _may_be_small(word: str) -> bool:
    """Whether a word in lower case may stand among names: "van", "staff", "eBay", an address."""
    return word in _BYLINE_WORDS or word != word.lower() or "@" in word or "-" in word


def _parts(text: str, block: _Block) -> Iterator[_Block]:
    """``block``, cut where a list item or an indented first line begins a new paragraph."""
    part: _Block = []
    for line in block:
        if part and _begins_part(text, part, line):
            yield part
            part = []
        part.append(line)
    if part:
        yield part


def _begins_part(text: str, part: _Block, line: _Line) -> bool:
    ended = _ends_sentence(text, part[-1])
    in_list = _BULLET.match(text, part[0].start) or _NUMBER.match(text, part[0].start)
    if _BULLET.match(text, line.start):
        return ended or in_list is not None
    if in_list:
        return _NUMBER.match(text, line.start) is not None
    return ended and line.indent >= part[-1].indent + 2


def _width(text: str, blocks: Sequence[_Block]) -> int:
    """The width that the file is wrapped at as far as its lines show; 0 if it is not wrapped.

    It is wrapped when most of its line ends lie in blocks that are wrapped by their own evidence.
    """
    wrapped = [block for block in blocks if _is_wrapped(text, block)]
    ends = sum(len(block) - 1 for block in blocks)
    if 2 * sum(len(block) - 1 for block in wrapped) < ends:
        return 0
    return max((_widest(text, block) for block in wrapped), default=0)


def _is_wrapped(text: str, block: _Block) -> bool:
    """Whether ``block`` by itself shows that it is one wrapped paragraph.

    Its width is plausible, no line had room for the next one's first word, and at least every
    third line stops in mid-sentence, which paragraphs of their own do not.
    """
    width = _widest(text, block)
    if len(block) < 2 or not _NARROWEST <= width <= _WIDEST:
        return False
    if any(_fits(text, line, following, width) for line, following in pairwise(block)):
        return False
    ended = _ends_sentence(text, block[-1])
    broken = sum(
        not _ends_sentence(text, line) and (ended or not _begins_sentence(text, following))
        for line, following in pairwise(block)
    )
    return 3 * broken >= len(block) - 1


def _joined(text: str, block: _Block, width: int) -> Iterator[Span]:
    """The paragraphs of ``block`` in a file that is wrapped at ``width``, or is not (0)."""
    if _is_wrapped(text, block):
        yield Span(block[0].start, block[-1].end)
        return
    own = _widest(text, block)
    limit = max(width, own) if width and own <= _WIDEST else 0
    start = block[0].start
    for line, following in pairwise(block):
        in_mid_sentence = not (_ends_sentence(text, line) or _begins_sentence(text, following))
        if not limit or (_fits(text, line, following, limit) and not in_mid_sentence):
            yield Span(start, line.end)
            start = following.start
    yield Span(start, block[-1].end)


def _columns(line: _Line) -> int:
    return line.indent + line.end - line.start


def _widest(text: str, block: _Block) -> int:
    """Columns of the widest line of ``block``; a word too long for any line has no say."""
    return max(
        (
            _columns(line)
            for line in block
            if _columns(line) <= _WIDEST or len(text[line.start : line.end].split(maxsplit=1)) > 1
        ),
        default=0,
    )


def _fits(text: str, line: _Line, following: _Line, width: int) -> bool:
    """Whether ``line`` had room for a space and the first word of ``following``."""
    start = following.start
    word = text[start : min(following.end, start + width + 1)].split(maxsplit=1)[0]
    return _columns(line) + 1 + len(word) <= width


def _ends_sentence(text: str, line: _Line) -> bool:
    ending = text[max(line.start, line.end - 4) : line.end]
    return ending.rstrip(CLOSERS + GERMAN_CLOSERS).endswith(_ENDERS)


def _begins_sentence(text: str, line: _Line) -> bool:
    """Whether ``line`` begins with a capital that says so; in capitals throughout, none does."""
    content = text[line.start : min(line.end, line.start + _WIDEST)]
    return content.lstrip(OPENERS)[:1].isupper() and not content.isupper()
