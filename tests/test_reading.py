from __future__ import annotations

import pytest
from contracts.reading import ReaderContract, evidence

from service.answering import decide
from service.reading import Evidence, SentenceReader

QUESTION = "who proposed a third-party operator"


class TestSentenceReader(ReaderContract):
    @pytest.fixture
    def reader(self) -> SentenceReader:
        return SentenceReader()


def test_the_sentence_near_in_meaning_and_words_is_read() -> None:
    passage = evidence("The talks went on.", "Brussels proposed an operator.", cosines=[0.3, 0.3])
    (reading,) = SentenceReader().read(QUESTION, [passage])
    assert reading.text == "Brussels proposed an operator."


def test_meaning_decides_where_words_do_not() -> None:
    passage = evidence("One thing.", "Another thing.", cosines=[0.1, 0.6])
    (reading,) = SentenceReader().read(QUESTION, [passage])
    assert reading.text == "Another thing."


def test_more_support_is_more_confidence() -> None:
    def confidence(sentence: str, cosine: float | None = None, score: float = 0.3) -> float:
        cosines = None if cosine is None else [cosine]
        passage = evidence(sentence, score=score, cosines=cosines)
        return SentenceReader().read(QUESTION, [passage])[0].confidence

    said, other = "Brussels proposed an operator.", "Nothing of the kind."
    assert confidence(said, 0.2) > confidence(other, 0.2)
    assert confidence(other, 0.7) > confidence(other, 0.2)
    assert confidence(said) > confidence(other)
    assert confidence(other, score=0.6) > confidence(other, score=0.3)


def test_without_a_model_words_alone_choose() -> None:
    passage = evidence("The talks went on.", "Brussels proposed an operator.")
    (reading,) = SentenceReader().read(QUESTION, [passage])
    assert reading.text == "Brussels proposed an operator."


def test_nothing_found_and_nothing_supported_are_told_apart() -> None:
    assert decide(SentenceReader(), QUESTION, [], 0.5).reason == "no_hits"
    weak = evidence("The weather was fine.", score=0.1, cosines=[-0.2])
    decision = decide(SentenceReader(), QUESTION, [weak], 0.5)
    assert (decision.reason, decision.answer, decision.alternatives) == (
        *("below_threshold", None),
        (),
    )


def test_equal_answers_count_once_and_others_are_alternatives() -> None:
    def said(text: str, score: float) -> Evidence:
        return evidence(text, score=score, cosines=[0.8])

    given = [
        said("Brussels proposed a third-party operator.", 1.0),
        said("Brussels  proposed a THIRD-PARTY operator.", 0.9),
        said("Moscow proposed a third-party operator.", 0.8),
    ]
    decision = decide(SentenceReader(), QUESTION, given, 0.0)
    assert decision.reason == "found"
    assert decision.answer is not None
    assert decision.answer.text == "Brussels proposed a third-party operator."
    assert [other.text for other in decision.alternatives] == [
        "Moscow proposed a third-party operator."
    ]
