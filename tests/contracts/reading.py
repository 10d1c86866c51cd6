"""What every Reader must do; an implementation's test module provides a fixture ``reader``."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.store import Passage
from indexer.types import Article, Paragraph, Span
from service.reading import Evidence, Reader

ARTICLE = Article("a" * 16, "a.txt", "Talks", None, None, None, None, "utf-8", ())


def evidence(*sentences: str, score: float = 0.5, cosines: list[float] | None = None) -> Evidence:
    """A passage of these sentences, one after the other."""
    text, spans = "", []
    for sentence in sentences:
        spans.append(Span(len(text), len(text) + len(sentence)))
        text += sentence + " "
    paragraph = Paragraph(1, 0, len(text) - 1, text[:-1], tuple(spans))
    near = None if cosines is None else np.array(cosines)
    return Evidence(Passage(1, paragraph, ARTICLE), score, near)


_SENTENCES = st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5)
_CASES = st.lists(
    st.tuples(_SENTENCES, st.floats(0, 1), st.booleans()).map(
        lambda case: evidence(
            *case[0], score=case[1], cosines=[0.1] * len(case[0]) if case[2] else None
        )
    ),
    max_size=6,
)


class ReaderContract:
    """Readings are verbatim, one a passage, by falling confidence."""

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(question=st.text(max_size=60), given=_CASES)
    def test_readings_are_spans_of_their_passage(
        self, reader: Reader, question: str, given: list[Evidence]
    ) -> None:
        readings = reader.read(question, given)
        assert len(readings) <= len(given)
        assert [r.confidence for r in readings] == sorted(
            (r.confidence for r in readings), reverse=True
        )
        for reading in readings:
            text = reading.passage.paragraph.text
            assert reading.sentence in reading.passage.paragraph.sentences
            assert reading.sentence.start <= reading.answer.start
            assert reading.answer.end <= reading.sentence.end
            assert reading.text == text[reading.answer.start : reading.answer.end]
            assert 0 <= reading.confidence <= 1

    def test_no_evidence_gives_no_readings(self, reader: Reader) -> None:
        assert reader.read("who proposed it", []) == []
