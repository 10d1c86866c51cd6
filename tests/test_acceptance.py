"""The user's own article, asked as the user would, with the real model and the defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import silent

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.settings import Settings
from service.engine import Engine
from service.evaluation import evaluate
from service.extraction import NetworkExtractor
from service.judgments import read_judged
from service.requests import AnswerQuery

BRUSSELS = '"The closest the sides came to compromise'
WANTS = '"Azerbaijan wants to begin'
TODAY = '"Today, the only player'

# Questions in other words than the article's, each with the paragraph that answers it.
QUESTIONS = [
    ("who proposed a third-party operator", BRUSSELS),
    ("Which mediator suggested that a neutral company run the logistics?", BRUSSELS),
    ("What stopped the Brussels-brokered process?", BRUSSELS),
    ("Which earlier conflict served as the pattern for the EU's idea?", BRUSSELS),
    ("Which country wants to keep customs on the route in its own hands?", WANTS),
    ("Why does Azerbaijan refuse to put money into the route?", WANTS),
    ("Which country fears a change of government next door?", WANTS),
    ("Which administration wants to show off its peacemaking?", TODAY),
    ("Which commodity agreement is the American plan compared with?", TODAY),
]


@pytest.fixture(scope="module")
def settings(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(seeds=shared / "seeds", index=tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def engine(
    settings: Settings, real_embedder: SentenceEmbedder, real_extractor: NetworkExtractor
) -> Iterator[Engine]:
    # Without hurry: what is right must not depend on what else is running.
    patient = settings.model_copy(update={"read_ms": 60_000})
    build(patient, real_embedder, progress=silent)
    engine = Engine(patient, real_embedder, extractor=real_extractor)
    yield engine
    engine.close()


@pytest.mark.parametrize(("question", "beginning"), QUESTIONS)
def test_the_right_paragraph_is_first(engine: Engine, question: str, beginning: str) -> None:
    hits = engine.answer(AnswerQuery(q=question)).hits
    assert hits[0].paragraph.text.startswith(beginning)


ANSWERS = [
    ("who proposed a third-party operator", "Brussels"),
    ("who demands a third-party guarantor", "Baku"),
]


@pytest.mark.parametrize(("question", "expected"), ANSWERS)
def test_the_answer_is_a_few_words_of_the_article(
    engine: Engine, question: str, expected: str
) -> None:
    answer = engine.answer(AnswerQuery(q=question)).answer
    assert answer is not None
    assert expected in answer.text
    assert len(answer.text.split()) <= 6
    assert answer.paragraph.text[answer.start : answer.end] == answer.text
    assert answer.text in answer.sentence


def test_every_hit_can_be_found_again_in_the_users_file(engine: Engine, settings: Settings) -> None:
    for hit in engine.answer(AnswerQuery(q="who proposed a third-party operator")).hits:
        source = (settings.seeds / hit.article.source).read_bytes()
        decoded = source.decode(hit.article.encoding)
        assert decoded[hit.paragraph.start : hit.paragraph.end] == hit.paragraph.text


def test_what_the_article_does_not_say_has_no_answer(engine: Engine) -> None:
    result = engine.answer(AnswerQuery(q="how many goals did Brazil score in the final"))
    assert result.answer is None
    assert result.reason == "below_threshold"


def test_evaluation_agrees(
    engine: Engine,
    settings: Settings,
    real_embedder: SentenceEmbedder,
    real_extractor: NetworkExtractor,
    tmp_path: Path,
) -> None:
    """The same questions as a judged set, through ``winnow eval``."""
    article = engine.article(engine.answer(AnswerQuery(q="corridor")).hits[0].article.id)
    folder = tmp_path / "own"
    (folder / "qrels").mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w") as corpus:
        for paragraph in article.paragraphs:
            record = {"_id": str(paragraph.number), "title": "", "text": paragraph.text}
            corpus.write(json.dumps(record) + "\n")
    queries, qrels = [], ["query-id\tcorpus-id\tscore"]
    for number, (question, beginning) in enumerate(QUESTIONS):
        (document,) = [p.number for p in article.paragraphs if p.text.startswith(beginning)]
        queries.append(json.dumps({"_id": str(number), "text": question}))
        qrels.append(f"{number}\t{document}\t1")
    (folder / "queries.jsonl").write_text("\n".join(queries))
    (folder / "qrels" / "test.tsv").write_text("\n".join(qrels))
    judged = [read_judged(folder)]
    run = evaluate(judged, ["hybrid"], settings, real_embedder, silent, extractor=real_extractor)
    assert run.sets[0].modes[0].estimates["Success@1"].mean == 1


@pytest.mark.timeout(600)
def test_relevance_on_judged_questions_does_not_fall(
    shared: Path, settings: Settings, real_embedder: SentenceEmbedder
) -> None:
    """A guard against regressions, a little below the figures of benchmarks/results."""
    whole = read_judged(shared / "data" / "eval" / "xquad-en")
    third = dict(list(whole.questions.items())[::3])
    judged = replace(whole, questions=third, qrels={id_: whole.qrels[id_] for id_ in third})
    modes = ["hybrid", "keyword", "semantic"]
    run = evaluate([judged], modes, settings, real_embedder, silent, answers=False)
    ndcg = {each.mode: each.estimates["nDCG@10"].mean for each in run.sets[0].modes}
    assert ndcg["hybrid"] >= 0.975
    assert ndcg["keyword"] >= 0.955
    assert ndcg["semantic"] >= 0.940
