from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent

from indexer.errors import SeedsError
from indexer.settings import Settings
from service.evaluation import _agreement, evaluate, read_judged

DOCUMENTS = {
    "d#1": ("Peace", "Brussels proposed an operator.\nIt was refused."),
    "d#2": ("Grain", "The harvest was poor.\nPrices rose."),
    "d#3": ("Rail", "The railway opened."),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "own-set"
    (folder / "qrels").mkdir(parents=True)

    def write(name: str, rows: list[dict[str, object]]) -> None:
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    write(
        "corpus.jsonl",
        [{"_id": id_, "title": t, "text": text} for id_, (t, text) in DOCUMENTS.items()],
    )
    write(
        "queries.jsonl",
        [
            {"_id": "q1", "text": "operator Brussels"},
            {"_id": "q2", "text": "harvest poor"},
            {"_id": "unjudged", "text": "x"},
        ],
    )
    write("answers.jsonl", [{"_id": "q1", "answers": ["Brussels", "the EU"]}])
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td#1\t1\nq2\td#3\t1\n"
    )
    return folder


def test_documents_are_ranked_by_their_best_paragraph(folder: Path, settings: Settings) -> None:
    (row,) = evaluate(read_judged(folder), ["keyword"], settings, WordEmbedder(), silent)
    assert (row["set"], row["mode"], row["queries"]) == ("own-set", "keyword", 2)
    # q1's document is first; q2 asks for a document that no word of it leads to.
    assert row["Success@1"] == row["MRR@10"] == row["nDCG@10"] == row["Recall@10"] == 0.5


def test_every_mode_has_a_row_with_every_metric(folder: Path, settings: Settings) -> None:
    modes = ["hybrid", "keyword", "semantic"]
    rows = evaluate(read_judged(folder), modes, settings, WordEmbedder(), silent)
    assert [row["mode"] for row in rows] == modes
    for row in rows:
        assert list(row) == [
            *("set", "mode", "queries", "nDCG@10", "MRR@10", "Recall@10", "Recall@100"),
            *("Success@1", "EM", "F1"),
        ]


def test_nothing_is_left_in_the_users_folders(folder: Path, settings: Settings) -> None:
    evaluate(read_judged(folder), ["keyword"], settings, WordEmbedder(), silent)
    assert not settings.index.exists()
    assert not list(settings.seeds.iterdir())


@pytest.mark.parametrize(
    ("given", "exact", "overlap"),
    [
        ("Brussels", 100, 100),
        ("the brussels!", 100, 100),
        ("An EU", 100, 100),
        ("Brussels proposed a model", 0, 50),
        ("Paris", 0, 0),
        ("", 0, 0),
    ],
)
def test_agreement_follows_squads_definition(given: str, exact: float, overlap: float) -> None:
    measured = _agreement({"q1": given}, {"q1": ["Brussels", "the EU"]})
    assert measured == {"EM": exact, "F1": overlap}


@pytest.mark.parametrize("lost", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_folder_that_is_no_set_is_refused_by_name(folder: Path, lost: str) -> None:
    (folder / lost).unlink()
    with pytest.raises(SeedsError, match=lost.rsplit("/", maxsplit=1)[-1]):
        read_judged(folder)


def test_a_set_without_judgments_is_refused(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    with pytest.raises(SeedsError, match="no question with a judgment"):
        read_judged(folder)


def test_documents_that_could_not_be_read_are_counted(folder: Path, settings: Settings) -> None:
    with (folder / "corpus.jsonl").open("a") as corpus:
        corpus.write("rubbish\n")
    (row,) = evaluate(read_judged(folder), ["keyword"], settings, WordEmbedder(), silent)
    assert row["skipped"] == 1


def test_a_malformed_line_is_refused(folder: Path) -> None:
    (folder / "queries.jsonl").write_text('{"_id": "q1"}\n')
    with pytest.raises(SeedsError, match="text"):
        read_judged(folder)
