from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from contracts.reading import ReaderContract, evidence
from fakes import WordEmbedder, WordExtractor, silent, write_article

from indexer.build import build
from indexer.errors import ModelError, QueryError
from indexer.settings import Settings
from indexer.types import Span
from service.confidence import read
from service.engine import Engine
from service.extracts import Extract
from service.reading import Evidence
from service.requests import AnswerQuery, SearchQuery
from service.spanning import SpanReader

QUESTION = "who proposed a third-party operator"


def read_passage(*sentences: str, answers: dict[str, float], **measured: object) -> Evidence:
    passage = evidence(*sentences, **measured)
    extract = WordExtractor(answers).read(QUESTION, [passage.passage.paragraph.text], 1.0)[0]
    return replace(passage, extract=extract)


class TestSpanReader(ReaderContract):
    @pytest.fixture
    def reader(self) -> SpanReader:
        return SpanReader(read())


class TestSpanReaderOfWhatIsRead(ReaderContract):
    @pytest.fixture
    def reader(self) -> SpanReader:
        class Whole(SpanReader):
            def read(self, question: str, evidence: list[Evidence]) -> list[object]:
                extracts = [
                    Extract(((Span(0, len(each.passage.paragraph.text)), 4.0),))
                    for each in evidence
                ]
                pairs = zip(evidence, extracts, strict=True)
                return super().read(question, [replace(e, extract=x) for e, x in pairs])

        return Whole(read())


def test_what_was_marked_is_the_answer_and_not_its_sentence() -> None:
    passage = read_passage(
        "Talks went on.", "Brussels proposed an operator.", answers={"Brussels": 9.0}
    )
    reading = SpanReader(read()).read(QUESTION, [passage])[0]
    text = passage.passage.paragraph.text
    assert reading.text == "Brussels"
    assert text[reading.sentence.start : reading.sentence.end] == "Brussels proposed an operator."


def test_a_higher_score_is_more_confidence_and_a_rival_is_less() -> None:
    def confidence(score: float, rival: float = -9.0) -> float:
        passages = [
            read_passage("Brussels proposed it.", answers={"Brussels": score}, cosines=[0.5]),
            read_passage("Moscow rejected it.", answers={"Moscow": rival}, cosines=[0.5]),
        ]
        readings = SpanReader(read()).read(QUESTION, passages)
        return next(each.confidence for each in readings if each.text == "Brussels")

    assert confidence(9.0) > confidence(3.0) > confidence(-3.0)
    assert confidence(9.0) > confidence(9.0, rival=8.0)


def test_a_cut_that_holds_two_answers_is_not_surer_than_the_better_of_them() -> None:
    answers = {"Brussels": 5.2, "Brussels and not Moscow": 5.0, "Moscow": 4.9}
    passage = read_passage("Brussels and not Moscow proposed it.", answers=answers)
    readings = SpanReader(read()).read(QUESTION, [passage])
    assert [each.text for each in readings] == list(answers)


def test_an_answer_that_several_passages_give_passes_one_that_a_single_one_gives() -> None:
    passages = [
        read_passage("Moscow rejected it.", answers={"Moscow": 3.0}, cosines=[0.5]),
        *(
            read_passage(f"Brussels proposed {what}.", answers={"Brussels": 2.0}, cosines=[0.5])
            for what in ("it", "that", "a plan")
        ),
    ]
    passages = [
        replace(each, passage=replace(each.passage, key=key)) for key, each in enumerate(passages)
    ]
    reader = SpanReader(read())
    assert reader.read(QUESTION, passages[:2])[0].text == "Moscow"
    assert reader.read(QUESTION, passages)[0].text == "Brussels"
    surest = read_passage("Moscow it was.", answers={"Moscow": 14.0}, cosines=[0.5])
    assert reader.read(QUESTION, [*passages[1:], surest])[0].text == "Moscow"


def test_what_was_not_read_is_answered_with_its_best_sentence() -> None:
    passage = evidence("Die Gespräche gingen weiter.", "Brüssel schlug den Betreiber vor.")
    (reading,) = SpanReader(read()).read("Betreiber", [passage])
    assert reading.text == "Brüssel schlug den Betreiber vor."


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    seeds = tmp_path_factory.mktemp("seeds")
    write_article(seeds, "moscow.txt", "The operator, the operator, said Moscow, is a plan.")
    write_article(seeds, "brussels.txt", "Brussels proposed the plan with an operator in July.")
    write_article(seeds, "vienna.txt", "Der Plan und der operator sind in Wien noch nicht bekannt.")
    settings = Settings(seeds=seeds, index=tmp_path_factory.mktemp("index"), read_depth=20)
    build(settings, WordEmbedder(), progress=silent)
    return settings


def engine(settings: Settings, extractor: WordExtractor | ModelError) -> Engine:
    return Engine(settings, WordEmbedder(), extractor=extractor)


@pytest.fixture
def brussels(collection: Settings) -> Iterator[Engine]:
    opened = engine(collection, WordExtractor({"Brussels": 8.0, "Moscow": -6.0}))
    yield opened
    opened.close()


def test_the_paragraph_that_answers_comes_before_the_one_with_more_of_the_words(
    collection: Settings, brussels: Engine
) -> None:
    without = engine(collection.model_copy(update={"rerank_weight": 0.0}), WordExtractor({}))
    query = SearchQuery(q="which operator plan")
    before = [hit.article.source for hit in without.search(query).hits]
    hits = brussels.search(query).hits
    without.close()
    assert before[0] == "moscow.txt"
    assert hits[0].article.source == "brussels.txt"
    assert hits[0].contributions[-1].source == "rerank"
    for hit in hits:
        assert sum(part.points for part in hit.contributions) == pytest.approx(hit.score)


def test_the_engine_answers_with_the_span_and_its_offsets(brussels: Engine) -> None:
    answer = brussels.answer(AnswerQuery(q="who proposed the operator")).answer
    assert answer is not None
    assert answer.text == "Brussels"
    assert answer.paragraph.text[answer.start : answer.end] == "Brussels"
    assert answer.sentence == "Brussels proposed the plan with an operator in July."


def test_only_paragraphs_in_english_are_read(collection: Settings) -> None:
    extractor = WordExtractor({})
    opened = engine(collection, extractor)
    opened.answer(AnswerQuery(q="operator"))
    opened.close()
    ((_, passages),) = extractor.asked
    assert len(passages) == 2
    assert not [text for text in passages if "Wien" in text]


def test_time_that_runs_out_is_said_and_nothing_is_lost(collection: Settings) -> None:
    opened = engine(collection, WordExtractor({"Brussels": 8.0}, patience=1))
    result = opened.answer(AnswerQuery(q="operator plan"))
    opened.close()
    assert "the reader read 1 of the first 2 paragraphs" in " ".join(result.degraded)
    assert len(result.hits) == 3


def test_what_no_few_words_answer_is_read_only_where_an_answer_is_wanted(
    collection: Settings,
) -> None:
    extractor = WordExtractor({"Brussels": 8.0})
    opened = engine(collection, extractor)
    found = opened.search(SearchQuery(q="operator plan"))
    assert not extractor.asked
    answered = opened.answer(AnswerQuery(q="operator plan"))
    opened.close()
    assert len(extractor.asked) == 1
    assert answered.hits == found.hits


def test_who_is_in_a_hurry_can_have_the_searches_alone_and_go_on_from_them(
    collection: Settings,
) -> None:
    extractor = WordExtractor({"Brussels": 8.0})
    opened = engine(collection, extractor)
    query = SearchQuery(q="which operator plan", limit=1, rerank=False)
    first = opened.search(query)
    assert not extractor.asked
    assert first.hits[0].article.source == "moscow.txt"
    second = opened.search(query.model_copy(update={"cursor": first.next_cursor}))
    assert second.hits[0].rank == 2
    with pytest.raises(QueryError, match="does not belong"):
        opened.search(SearchQuery(q=query.q, limit=1, cursor=first.next_cursor))
    answered = opened.answer(AnswerQuery(q=query.q, rerank=False))
    opened.close()
    assert answered.answer is not None
    assert answered.hits[0].article.source == "moscow.txt"


def test_a_depth_of_none_reads_nothing(collection: Settings) -> None:
    extractor = WordExtractor({"Brussels": 8.0})
    opened = engine(collection.model_copy(update={"read_depth": 0}), extractor)
    hits = opened.search(SearchQuery(q="operator")).hits
    opened.close()
    assert {part.source for hit in hits for part in hit.contributions} == {"keyword", "semantic"}


def test_a_reader_that_cannot_be_loaded_is_said_and_sentences_answer(
    collection: Settings,
) -> None:
    opened = engine(collection, ModelError("the reader's weights are damaged", hint="Reinstall."))
    result = opened.answer(AnswerQuery(q="who proposed the plan with an operator"))
    opened.close()
    assert result.degraded == ["nothing is read: the reader's weights are damaged"]
    assert result.answer is not None
    assert result.answer.text == result.answer.sentence


def test_a_search_for_conditions_alone_is_not_read(collection: Settings) -> None:
    extractor = WordExtractor({})
    opened = engine(collection, extractor)
    assert opened.search(SearchQuery(q="-moscow")).hits
    opened.close()
    assert not extractor.asked
