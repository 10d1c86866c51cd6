from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent
from judged import write_set

from indexer.errors import IndexNotWritable, RunError
from indexer.settings import Settings
from service import runs
from service.comparison import compare
from service.engine import Engine
from service.evaluation import evaluate, in_order, indexed, kept_in
from service.judgments import read_all, read_judged
from service.metrics import ANSWERS, RELEVANCE
from service.reading import Evidence, Reader, Reading
from service.requests import AnswerQuery, Mode
from service.retrieval import Ranked
from service.runs import Asked, Run
from service.summaries import margin, rows
from service.tables import evaluation_lines

MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")

DOCUMENTS = {
    "d#1": ("Peace", "Brussels proposed an operator.\nIt was refused."),
    "d#2": ("Grain", "The harvest was poor.\nPrices rose."),
    "d#3": ("Rail", "The railway opened."),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_set(
        tmp_path / "own-set",
        DOCUMENTS,
        {"q1": "operator Brussels", "q2": "harvest poor", "unjudged": "x"},
        [("q1", "d#1", 1), ("q2", "d#3", 1)],
        {"q1": ["Brussels", "the EU"]},
    )


def measured(
    folder: Path, settings: Settings, *modes: Mode, embedder: WordEmbedder | None = None
) -> Run:
    embedder = embedder or WordEmbedder()
    return evaluate([read_judged(folder)], modes or MODES, settings, embedder, silent)


def test_documents_are_ranked_by_their_best_paragraph(folder: Path, settings: Settings) -> None:
    (row,) = rows(measured(folder, settings, "keyword"))
    assert (row["set"], row["mode"], row["queries"]) == ("own-set", "keyword", 2)
    # q1's document is first; q2 asks for a document that no word of it leads to.
    assert row["Success@1"] == row["MRR@10"] == row["nDCG@10"] == row["Recall@10"] == 0.5


def test_every_mode_has_a_row_with_every_metric_and_its_interval(
    folder: Path, settings: Settings
) -> None:
    found = rows(measured(folder, settings))
    assert [row["mode"] for row in found] == list(MODES)
    for row in found:
        metrics = [*RELEVANCE, *ANSWERS]
        assert [name for name in row if name in metrics] == metrics
        intervals = row["intervals"]
        assert isinstance(intervals, dict)
        for name in RELEVANCE:
            low, high = intervals[name]
            assert low <= row[name] <= high
        # One question has an answer: no interval can be had.
        assert intervals["EM"] is None


class Fixed:
    """A Reader that finds the same sentence everywhere, as sure of it as it is told to be."""

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence

    def read(self, _question: str, evidence: Sequence[Evidence]) -> list[Reading]:
        return [
            Reading(item.passage, span, span, self.confidence)
            for item in evidence[:1]
            for span in item.passage.paragraph.sentences[:1]
        ]


def answers_of(folder: Path, settings: Settings, reader: Reader | None = None) -> Asked:
    judged = [read_judged(folder)]
    run = evaluate(judged, ["hybrid"], settings, WordEmbedder(), silent, reader=reader)
    return run.sets[0].modes[0].by_id["q1"]


def test_an_answer_that_says_more_contains_the_accepted_one(
    folder: Path, settings: Settings
) -> None:
    asked = answers_of(folder, settings, Fixed(1.0))
    assert asked.answer == "Brussels proposed an operator."
    measured = {name: asked.metrics[name] for name in ANSWERS}
    assert measured == {"EM": 0, "F1": pytest.approx(50), "Contains": 100, "Answered": 100}


def test_a_comparison_tells_that_another_reader_answered(folder: Path, settings: Settings) -> None:
    judged = [read_judged(folder)]
    then, now = (
        evaluate(judged, ["keyword"], settings, WordEmbedder(), silent, reader=reader)
        for reader in (None, Fixed(1.0))
    )
    assert compare(then, now).settings == {"reader": ("SpanReader", "Fixed")}


def test_an_answer_below_the_threshold_is_none_and_counts_as_wrong(
    folder: Path, settings: Settings
) -> None:
    asked = answers_of(folder, settings, Fixed(settings.answer_threshold - 0.01))
    assert asked.answer == ""
    assert {asked.metrics[name] for name in ANSWERS} == {0}


def test_what_is_measured_is_what_the_service_answers(folder: Path, settings: Settings) -> None:
    own = settings.model_copy(update={"answer_threshold": 0.0})
    with (
        indexed(read_judged(folder), own, WordEmbedder(), silent, kept_in(own)) as index,
        closing(Engine(index.settings, WordEmbedder())) as engine,
    ):
        said = engine.answer(AnswerQuery(q="operator Brussels"))
    assert said.answer is not None
    assert answers_of(folder, own).answer == said.answer.text


def test_a_question_without_known_answers_has_none(folder: Path, settings: Settings) -> None:
    without = measured(folder, settings, "keyword").sets[0].modes[0].by_id["q2"]
    assert without.answer is None
    assert not set(ANSWERS) & without.metrics.keys()


def test_each_document_has_the_keys_of_its_paragraphs(folder: Path, settings: Settings) -> None:
    with indexed(read_judged(folder), settings, WordEmbedder(), silent, kept_in(settings)) as index:
        documents = index.documents()
        keys = [key for own in documents.values() for key in own.tolist()]
        assert sorted(keys) == index.snapshot.store.keys().tolist()
        assert {name: len(own) for name, own in documents.items()} == {"d#1": 2, "d#2": 2, "d#3": 1}


def test_each_question_is_kept_with_what_made_its_hits(folder: Path, settings: Settings) -> None:
    run = measured(folder, settings, "hybrid")
    first, second = run.sets[0].modes[0].questions
    assert (first.id, first.text, first.judged) == ("q1", "operator Brussels", {"d#1": 1})
    assert first.first == 1
    assert first.metrics["nDCG@10"] == 1
    hit = first.hits[0]
    assert (hit.document, hit.title, hit.paragraph, hit.place) == ("d#1", "Peace", 1, 1)
    assert {part.source for part in hit.parts} == {"keyword", "semantic"}
    assert sum(part.points for part in hit.parts) == pytest.approx(hit.score, abs=1e-5)
    assert second.hits[0].document == "d#2"


def test_a_relevant_document_is_kept_however_far_down(tmp_path: Path, settings: Settings) -> None:
    documents = {f"d{number}": ("", "grain " * (30 - number)) for number in range(25)}
    folder = write_set(tmp_path / "deep", documents, {"q": "grain"}, [("q", "d24", 1)])
    (asked,) = measured(folder, settings, "keyword").sets[0].modes[0].questions
    places = [hit.place for hit in asked.hits]
    assert places[:10] == list(range(1, 11))
    assert len(places) == 11
    assert asked.first == places[-1]
    assert asked.hit("d24") == asked.hits[-1]


def test_measuring_again_reads_nothing_but_the_questions(folder: Path, settings: Settings) -> None:
    first, again = WordEmbedder(), WordEmbedder()
    run = measured(folder, settings, embedder=first)
    repeated = measured(folder, settings, embedder=again)
    assert again.encoded == 2 < first.encoded
    assert repeated.sets == run.sets
    assert not list(settings.seeds.iterdir())
    assert [path.name for path in settings.index.iterdir()] == ["eval"]


def test_a_corpus_that_changed_is_indexed_anew(folder: Path, settings: Settings) -> None:
    before = measured(folder, settings, "keyword").sets[0]
    with (folder / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps({"_id": "d4", "title": "", "text": "Another."}) + "\n")
    assert measured(folder, settings, "keyword").sets[0].documents == before.documents + 1


def test_a_folder_that_cannot_be_written_is_said(folder: Path, settings: Settings) -> None:
    settings.index.parent.mkdir(exist_ok=True)
    settings.index.write_text("a file")
    with pytest.raises(IndexNotWritable, match="cannot be written"):
        measured(folder, settings, "keyword")


def test_what_is_left_out_is_counted_and_said(folder: Path, settings: Settings) -> None:
    with (folder / "corpus.jsonl").open("a") as corpus:
        corpus.write("rubbish\n")
    with (folder / "qrels" / "test.tsv").open("a") as qrels:
        qrels.write("q1\tgone\t1\nq9\td#1\t1\n")
    found = rows(measured(folder, settings, "keyword"))
    counts = {name: found[0][name] for name in ("unjudged", "wordless", "skipped", "missing")}
    assert set(counts.values()) == {1}
    lines = "\n".join(evaluation_lines(found))
    assert "own-set: 1 documents skipped" in lines
    assert "own-set: 1 judged documents are not in the corpus" in lines


def test_without_answers_only_relevance_is_measured(folder: Path, settings: Settings) -> None:
    judged = [read_judged(folder)]
    run = evaluate(judged, ["keyword"], settings, WordEmbedder(), silent, answers=False)
    assert set(run.sets[0].modes[0].estimates) == set(RELEVANCE)


def test_several_sets_have_a_mean_in_which_each_counts_the_same(
    folder: Path, tmp_path: Path, settings: Settings
) -> None:
    other = write_set(
        tmp_path / "all-found",
        {"d": ("Rail", "The railway opened.")},
        {f"q{number}": "railway" for number in range(6)},
        [(f"q{number}", "d", 1) for number in range(6)],
    )
    run = evaluate(read_all([folder, other]), MODES, settings, WordEmbedder(), silent)
    found = {(row["set"], row["mode"]): row for row in rows(run)}
    assert found["mean", "keyword"]["nDCG@10"] == 0.75
    assert found["mean", "keyword"]["queries"] == 8
    assert "EM" not in found["mean", "keyword"]
    table = list(evaluation_lines(rows(run)))
    assert sum(line.startswith("mean ") for line in table) == 3
    assert table[0].index("mode") == table[1].index("hybrid")


def test_the_margin_is_over_the_better_half(folder: Path, settings: Settings) -> None:
    run = measured(folder, settings)
    means = {each.mode: each.estimates["nDCG@10"].mean for each in run.sets[0].modes}
    found = margin(run.sets)
    assert found is not None
    assert means[found.half] == max(means["keyword"], means["semantic"])
    assert found.estimate.mean == pytest.approx(means["hybrid"] - means[found.half])
    assert margin(measured(folder, settings, "hybrid").sets) is None


def test_a_saved_run_is_read_as_it_was(folder: Path, settings: Settings, tmp_path: Path) -> None:
    run = measured(folder, settings)
    path = tmp_path / "run.json"
    runs.save(run, path)
    assert runs.read(path) == run
    assert run.settings["semantic_weight"] == settings.semantic_weight
    assert run.model == "words:1"
    assert "winnow" in run.versions


def test_questions_are_written_one_a_line(folder: Path, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    runs.save_questions(measured(folder, settings), path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["mode"], line["id"]) for line in lines] == [
        (mode, id_) for mode in MODES for id_ in ("q1", "q2")
    ]
    assert lines[0]["metrics"]["nDCG@10"] == 1
    assert lines[0]["first"] == 1


def test_a_run_of_before_answers_were_kept_is_still_compared_with(
    folder: Path, settings: Settings, tmp_path: Path
) -> None:
    now = measured(folder, settings, "keyword")
    old = now.model_dump(mode="json")
    (mode,) = old["sets"][0]["modes"]
    for each in mode["questions"]:
        del each["answer"]
    for metrics in (mode["estimates"], *(each["metrics"] for each in mode["questions"])):
        metrics.pop("Contains", None)
        metrics.pop("Answered", None)
    path = tmp_path / "old.json"
    path.write_text(json.dumps(old))
    found = compare(runs.read(path), now)
    assert found.alone == ("Contains (now)", "Answered (now)")
    assert "EM" in found.differences[0].metrics
    assert "Contains" not in found.differences[0].metrics


@pytest.mark.parametrize("content", ["", "{}", '{"format": 2}', "[1]"])
def test_what_is_no_saved_run_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(RunError, match=r"run\.json is no saved run"):
        runs.read(path)


def test_a_run_that_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        runs.read(tmp_path / "gone.json")
    for path in (tmp_path, tmp_path / "no" / "run.json"):
        with pytest.raises(RunError, match="cannot be written"):
            runs.require_writable(path)


def test_all_that_was_found_is_given_to_the_metrics() -> None:
    ranked = [Ranked(key, place, 1.0, ()) for place, key in enumerate((7, 3), start=1)]
    assert list(in_order(ranked)) == [7, 3]
