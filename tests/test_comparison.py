from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent
from judged import write_set

from indexer.settings import Settings
from service.bootstrap import estimate
from service.comparison import compare
from service.evaluation import evaluate
from service.judgments import read_judged
from service.metrics import relevance
from service.runs import Asked, Hit, ModeRun, Part, Run, SetRun
from service.tables import comparison_lines


def asked(id_: str, judged: dict[str, int], *documents: str, text: str = "a question") -> Asked:
    """A question that found ``documents``, of which the first by words and the rest by meaning."""
    hits = tuple(
        Hit(
            document=document,
            title=f"Title of {document}",
            paragraph=1,
            place=place,
            score=1 / place,
            parts=(
                Part(source="keyword", rank=place, raw=9.5, points=1 / place),
                Part(source="semantic", rank=None, raw=0.1, points=0.0),
            ),
        )
        for place, document in enumerate(documents, start=1)
    )
    first = next((hit.place for hit in hits if judged.get(hit.document)), None)
    metrics = relevance({id_: judged}, {id_: documents})[id_]
    kept = tuple(hit for hit in hits if hit.place <= 10 or judged.get(hit.document))
    return Asked(id=id_, text=text, judged=judged, first=first, metrics=metrics, hits=kept)


def run_of(*questions: Asked, weight: float = 0.4, mode: str = "hybrid") -> Run:
    values = [each.metrics["nDCG@10"] for each in questions]
    mode_run = ModeRun.model_validate(
        {"mode": mode, "estimates": {"nDCG@10": estimate(values)}, "questions": questions}
    )
    return Run(
        when=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        versions={},
        model="words:1",
        settings={"semantic_weight": weight},
        sets=(
            SetRun(
                name="s",
                documents=9,
                paragraphs=9,
                unjudged=0,
                wordless=0,
                skipped=0,
                missing=0,
                modes=(mode_run,),
            ),
        ),
    )


def test_a_question_that_got_worse_is_explained_by_what_passed_its_document() -> None:
    then = run_of(asked("q", {"a": 1}, "a", "b", "c"))
    now = run_of(asked("q", {"a": 1}, "x", "b", "a"))
    (change,) = compare(then, now).differences[0].changes
    assert (change.first_then, change.first_now) == (1, 3)
    assert change.difference == pytest.approx(0.5 - 1)
    assert change.relevant is not None
    assert change.relevant.document == "a"
    assert change.relevant.then is not None
    assert change.relevant.now is not None
    assert (change.relevant.then.place, change.relevant.now.place) == (1, 3)
    assert change.rival is not None
    assert change.rival.document == "x"
    assert change.rival.then is None


def test_a_question_that_got_better_is_explained_by_what_its_document_passed() -> None:
    then = run_of(asked("q", {"a": 1}, "b", "c", "a"))
    now = run_of(asked("q", {"a": 1}, "b", "a", "c"))
    (change,) = compare(then, now).differences[0].changes
    assert change.difference > 0
    assert change.rival is not None
    # b stands before it as it did, so it is no reason.
    assert change.rival.document == "c"


def test_of_several_relevant_documents_the_one_behind_most_of_the_change_is_shown() -> None:
    judged = {"a": 1, "b": 3}
    then = run_of(asked("q", judged, "b", "a", "x"))
    now = run_of(asked("q", judged, "a", "x", "b"))
    (change,) = compare(then, now).differences[0].changes
    assert change.relevant is not None
    assert change.relevant.document == "b"


def test_a_document_that_is_no_longer_found_is_told() -> None:
    then = run_of(asked("q", {"a": 1}, "a", "b"))
    now = run_of(asked("q", {"a": 1}, "b"))
    (change,) = compare(then, now).differences[0].changes
    assert change.relevant is not None
    assert change.relevant.now is None
    assert change.rival is not None
    assert change.rival.document == "b"
    lines = "\n".join(comparison_lines(compare(then, now), 3))
    assert "now  not among the hits that are kept" in lines


def test_changes_come_largest_first_and_differences_are_paired() -> None:
    judged = {"a": 1}
    then = run_of(
        asked("same", judged, "a"), asked("little", judged, "b", "a"), asked("much", judged, "a")
    )
    now = run_of(
        asked("same", judged, "a"), asked("little", judged, "a", "b"), asked("much", judged, "b")
    )
    difference = compare(then, now).differences[0]
    assert [change.id for change in difference.changes] == ["much", "little"]
    before, after, gain = difference.metrics["nDCG@10"]
    assert gain.mean == pytest.approx(after - before)
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low < 0 < gain.high


def test_equal_runs_have_no_changes() -> None:
    run = run_of(asked("q", {"a": 1}, "a"), asked("r", {"a": 1}, "b", "a"))
    found = compare(run, run)
    assert found.settings == {}
    assert found.differences[0].changes == ()
    before, after, gain = found.differences[0].metrics["nDCG@10"]
    assert before == after
    assert (gain.mean, gain.low, gain.high) == (0, 0, 0)


def test_questions_that_are_not_the_same_are_not_compared() -> None:
    then = run_of(asked("q", {"a": 1}, "a"), asked("r", {"a": 1}, "a"), asked("s", {"a": 1}, "a"))
    now = run_of(
        asked("q", {"a": 1}, "a"),
        asked("r", {"a": 1}, "a", text="other words"),
        asked("s", {"a": 2}, "a"),
        asked("t", {"a": 1}, "a"),
    )
    (difference,) = compare(then, now).differences
    assert (difference.questions, difference.unlike) == (1, 3)


def test_runs_without_a_question_in_common_have_nothing_to_compare() -> None:
    (difference,) = compare(
        run_of(asked("q", {"a": 1}, "a")), run_of(asked("r", {"a": 1}, "a"))
    ).differences
    assert (difference.questions, difference.metrics, difference.changes) == (0, {}, ())


def test_other_settings_and_what_only_one_run_has_are_told() -> None:
    question = asked("q", {"a": 1}, "a")
    found = compare(run_of(question), run_of(question, weight=0.5, mode="keyword"))
    assert found.settings == {"semantic_weight": (0.4, 0.5)}
    assert found.alone == ("s hybrid (then)", "s keyword (now)")
    assert list(comparison_lines(found, 3)) == [
        "semantic_weight was 0.4 and is 0.5",
        "in one run only: s hybrid (then), s keyword (now)",
    ]


def test_the_terminal_shows_as_many_changes_as_asked_for_with_their_points() -> None:
    judged = {"a": 1}
    then = run_of(*(asked(f"q{n}", judged, "a", "b") for n in range(4)))
    now = run_of(*(asked(f"q{n}", judged, "b", "a") for n in range(4)))
    lines = list(comparison_lines(compare(then, now), 2))
    assert sum(line.startswith("   worse: ") for line in lines) == 2
    text = "\n".join(lines)
    assert "0 better, 4 worse, 0 as they were" in text
    assert "relevant: a “Title of a”" in text
    assert "then 1st, paragraph 1: 1.0000 = 1.0000 keyword (rank 1, raw 9.500)" in text
    assert "now before it: b" in text


def test_another_weight_is_found_in_real_runs_and_explained(
    tmp_path: Path, settings: Settings
) -> None:
    folder = write_set(
        tmp_path / "set",
        {
            "said": ("", "the corridor talks of last week were about grain and little else"),
            "meant": ("", "corridor corridor corridor"),
        },
        {"q": "corridor grain"},
        [("q", "said", 1)],
    )
    runs_ = [
        evaluate(
            [read_judged(folder)],
            ["hybrid"],
            settings.model_copy(update={"semantic_weight": weight}),
            WordEmbedder(),
            silent,
        )
        for weight in (0.0, 1.0)
    ]
    then, now = (run.sets[0].modes[0].questions[0] for run in runs_)
    found = compare(*runs_)
    assert found.settings == {"semantic_weight": (0.0, 1.0)}
    assert (then.first, now.first) == (1, 2)
    (change,) = found.differences[0].changes
    assert change.relevant is not None
    assert change.rival is not None
    assert (change.relevant.document, change.rival.document) == ("said", "meant")
