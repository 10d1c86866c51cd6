from __future__ import annotations

from pathlib import Path

import pytest
from judged import write_set

from indexer.errors import SeedsError
from service.judgments import read_all, read_judged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_set(
        tmp_path / "own-set",
        {"d1": ("Peace", "Brussels proposed an operator."), "d2": ("Grain", "The harvest.")},
        {"q1": "operator", "q2": "harvest", "unjudged": "x"},
        [("q1", "d1", 1), ("q2", "d2", 2), ("wordless", "d1", 1)],
        {"q1": ["Brussels"], "q2": []},
    )


def test_a_set_is_read_with_what_is_left_out_counted(folder: Path) -> None:
    judged = read_judged(folder)
    assert judged.name == "own-set"
    assert judged.questions == {"q1": "operator", "q2": "harvest"}
    assert judged.qrels == {"q1": {"d1": 1}, "q2": {"d2": 2}}
    assert judged.answers == {"q1": ["Brussels"]}
    assert (judged.unjudged, judged.wordless) == (1, 1)


@pytest.mark.parametrize("lost", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_folder_that_is_no_set_is_refused_by_name(folder: Path, lost: str) -> None:
    (folder / lost).unlink()
    with pytest.raises(SeedsError, match=lost.rsplit("/", maxsplit=1)[-1]):
        read_judged(folder)


def test_a_set_without_judgments_is_refused(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    with pytest.raises(SeedsError, match="no question with a judgment"):
        read_judged(folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl, line 1: a question needs _id and"),
        ("queries.jsonl", '{"_id": "q1", "text": " "}\n', "line 1: a question needs _id and text"),
        ("queries.jsonl", '\n["q1"]\n', "line 2 is no JSON object"),
        ("queries.jsonl", "{\n", "line 1 is not JSON"),
        ("queries.jsonl", '{"_id": "q", "text": "a"}\n' * 2, "line 2: question q is there twice"),
        ("queries.jsonl", '{"_id": "q1", "text": "\udcff"}\n', "codec can't decode"),
        ("answers.jsonl", '{"_id": "q1", "answers": "EU"}\n', "line 1: it needs _id and a list"),
        ("qrels/test.tsv", "query-id\tcorpus-id\nq1\td1\n", "has no column score"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\tx\n", "line 2: the score is no"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\n", "line 2: the score is no"),
        ("qrels/test.tsv", "", "has no column corpus-id, query-id, score"),
    ],
)
def test_what_is_malformed_is_told_with_its_place(
    folder: Path, name: str, content: str, said: str
) -> None:
    (folder / name).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(SeedsError, match=said):
        read_judged(folder)


def test_sets_of_one_name_are_refused(folder: Path, tmp_path: Path) -> None:
    other = write_set(tmp_path / "b" / "own-set", {"d": ("", "x")}, {"q": "x"}, [("q", "d", 1)])
    with pytest.raises(SeedsError, match="two sets are called own-set"):
        read_all([folder, other])
    assert read_judged(folder).label != read_judged(other).label
