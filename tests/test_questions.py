from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT
from fakes import WordEmbedder, silent, write_article
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer import __main__ as indexer_main
from indexer.build import build
from indexer.errors import ModelError, NotFound, QuestionsError, SelfTestFailed
from indexer.generations import Generations
from indexer.reports import BuildReport, read_report
from indexer.settings import Settings
from service import cli, commands
from service.building import Builder
from service.engine import Engine
from service.examination import examination
from service.questions import SavedQuestion, add, fell, find, ranks, read, remove
from service.requests import SearchQuery
from service.snapshot import Snapshot

WORDS = ["peace", "corridor", "brussels", "operator", "border", "treaty", "grain", "rail"]
QUESTION = "who proposed an operator"
WHEN = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def saved(question: str = QUESTION, source: str = "a.txt", rank: int | None = 1) -> SavedQuestion:
    return SavedQuestion(question, source, rank, WHEN)


def save(settings: Settings, *questions: SavedQuestion) -> None:
    settings.index.mkdir(exist_ok=True)
    for each in questions:
        add(settings.index, each)


def rebuild(settings: Settings, *, accept: bool = False, full: bool = False) -> BuildReport:
    embedder = WordEmbedder()
    examine = examination(settings, embedder, accept=accept)
    return build(settings, embedder, full=full, examine=examine, progress=silent)


def open_live(settings: Settings, embedder: WordEmbedder | ModelError | None = None) -> Snapshot:
    generations = Generations(settings.index)
    return Snapshot.open(generations, generations.live().id, settings, embedder or WordEmbedder())


def outrank(settings: Settings) -> None:
    """Add articles that fit the question better than a.txt does."""
    for name, own in {"x.txt": "first", "y.txt": "then", "z.txt": "later"}.items():
        write_article(settings.seeds, name, f"{QUESTION} {own}", title=QUESTION)


@pytest.fixture
def built(settings: Settings) -> Settings:
    """An index in which the question finds a.txt first; it is saved with that rank."""
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    write_article(settings.seeds, "b.txt", "The harvest was poor.")
    rebuild(settings)
    save(settings, saved())
    return settings


# the file


def test_questions_are_read_as_they_were_saved_in_the_order_of_saving(tmp_path: Path) -> None:
    assert read(tmp_path) == ()
    questions = saved("Кто предложил?"), saved("b", "bulk.jsonl#1\u20282", 3), saved("c", rank=None)
    for each in questions:
        add(tmp_path, each)
    assert read(tmp_path) == questions
    lines = (tmp_path / "questions.jsonl").read_text(encoding="utf-8").split("\n")
    assert json.loads(lines[0]) == {
        "question": "Кто предложил?",
        "source": "a.txt",
        "rank": 1,
        "saved": "2026-01-02T03:04:05Z",
    }


def test_a_question_saved_again_is_replaced_in_its_place(tmp_path: Path) -> None:
    for each in (saved("a"), saved("b"), saved("a", "z.txt", 2)):
        add(tmp_path, each)
    assert read(tmp_path) == (saved("a", "z.txt", 2), saved("b"))


def test_a_removed_question_is_gone_and_another_one_is_not_there_to_be_removed(
    tmp_path: Path,
) -> None:
    for each in (saved("a"), saved("b"), saved("c")):
        add(tmp_path, each)
    remove(tmp_path, "b")
    assert read(tmp_path) == (saved("a"), saved("c"))
    with pytest.raises(NotFound, match="'b'"):
        remove(tmp_path, "b")


GOOD = '{"question": "a", "source": "a.txt", "rank": 1, "saved": "2026-01-02T03:04:05Z"}'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"rubbish", "it is not JSON"),
        (b'"text"', "object"),
        (b'{"question": "b"}', "source: "),
        (GOOD.replace('"a"', '"b"').replace("1,", "0,").encode(), "rank: "),
        (GOOD.replace('"a"', '" "').encode(), "question: "),
        (GOOD.replace('"a"', '"b"').replace("2026", "20x6").encode(), "saved: "),
        (GOOD.replace('"a"', '"b", "note": "mine"').encode(), "note: "),
        (GOOD.replace('"a"', '"\xe9"').encode("latin-1"), "UTF-8"),
        (GOOD.encode(), "the question of an earlier line"),
    ],
)
def test_damaged_lines_are_named_and_none_is_lost(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "questions.jsonl"
    content = GOOD.encode() + b"\n\n" + line + b"\n{\n"
    path.write_bytes(content)
    with pytest.raises(QuestionsError, match=rf"line 3: .*{re.escape(reason)}") as caught:
        read(tmp_path)
    assert "line 4: it is not JSON" in str(caught.value)
    assert "line 1:" not in str(caught.value)
    assert "Mend" in caught.value.hint
    with pytest.raises(QuestionsError):
        add(tmp_path, saved("c"))
    with pytest.raises(QuestionsError):
        remove(tmp_path, "a")
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").mkdir()
    with pytest.raises(QuestionsError, match="cannot be read"):
        read(tmp_path)


KEPT = ("README.md", "questions.jsonl", "tuning.json")


def test_cleaning_keeps_the_questions_and_what_was_fitted_to_them(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = {tmp_path / "index_data" / name for name in KEPT}
    folder = tmp_path / "index_data" / "generations" / "1"
    folder.mkdir(parents=True)
    for path in (*kept, folder / "questions.jsonl", tmp_path / "index_data" / "CURRENT"):
        path.touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607 - make is needed anyway
    assert set((tmp_path / "index_data").rglob("*")) == kept


# ranks


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Sixty paragraphs over few words, more than the candidates of a question."""
    folder = tmp_path_factory.mktemp("collection")
    for number in range(20):
        paragraphs = [
            " ".join(WORDS[(number * 3 + place * step) % 8] for place in range(2 + number % 4))
            for step in (1, 2, 3)
        ]
        write_article(folder / "seeds", f"{number:02}.txt", *paragraphs)
    settings = Settings(seeds=folder / "seeds", index=folder / "index", depth=10)
    build(settings, WordEmbedder(), progress=silent)
    return settings


@pytest.fixture(scope="module")
def snapshot(collection: Settings) -> Iterator[Snapshot]:
    opened = open_live(collection)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def engine(collection: Settings) -> Iterator[Engine]:
    engine = Engine(collection, WordEmbedder())
    yield engine
    engine.close()


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    source=st.sampled_from([f"{number:02}.txt" for number in range(20)]),
)
def test_a_rank_is_that_of_the_first_hit_in_the_article(
    snapshot: Snapshot, collection: Settings, engine: Engine, words: list[str], source: str
) -> None:
    question = " ".join(words)
    hits = engine.search(SearchQuery(q=question, limit=100)).hits
    places: dict[str, int] = {}
    for hit in hits:
        for article in (hit.article, *(copy.article for copy in hit.also_in)):
            places.setdefault(article.source, hit.rank)
    wanted = places.get(source)
    assert ranks(snapshot, collection, [saved(question, source)]) == [wanted]
    place, passage = find(snapshot, collection, question)
    assert (place, passage.article.source) == (1, hits[0].article.source)
    if wanted is None:
        with pytest.raises(NotFound, match="does not find"):
            find(snapshot, collection, question, source)
    else:
        assert find(snapshot, collection, question, source)[0] == wanted


PLACES = st.none() | st.integers(1, 5)


@given(recorded=PLACES, now=PLACES, later=PLACES)
def test_no_rank_falls_against_itself_and_what_falls_further_fell(
    recorded: int | None, now: int | None, later: int | None
) -> None:
    assert not fell(recorded, recorded)
    assert fell(recorded, now) == (recorded != now and not fell(now, recorded))
    if fell(recorded, now) and fell(now, later):
        assert fell(recorded, later)


@pytest.mark.parametrize(
    ("recorded", "now", "fallen"),
    [(1, 1, False), (1, 2, True), (2, 1, False), (1, None, True), (None, 9, False)],
)
def test_a_greater_rank_is_worse_and_none_is_the_worst(
    recorded: int | None, now: int | None, fallen: bool
) -> None:
    assert fell(recorded, now) is fallen


def test_without_the_model_there_are_no_ranks(built: Settings) -> None:
    snapshot = open_live(built, ModelError("the model is missing"))
    with pytest.raises(ModelError, match="the model is missing"):
        ranks(snapshot, built, [saved()])
    snapshot.close()


# builds


def test_a_build_in_which_a_question_falls_is_refused_with_the_reason(built: Settings) -> None:
    generations = Generations(built.index)
    before = generations.current()
    outrank(built)
    reason = r'^"who proposed an operator": article a\.txt was 1st and would be 4th$'
    with pytest.raises(SelfTestFailed, match=reason) as caught:
        rebuild(built)
    assert "--accept" in caught.value.hint
    assert generations.current() == before
    assert generations.ids() == [before]
    failure = generations.failure()
    assert failure is not None
    assert failure.reason == str(caught.value)
    assert read(built.index) == (saved(),)
    engine = Engine(built, WordEmbedder())
    assert any("would be 4th" in reason for reason in engine.readiness().degraded)
    engine.close()


def test_what_is_accepted_is_published_noted_and_recorded(built: Settings) -> None:
    outrank(built)
    report = rebuild(built, accept=True)
    assert report.published
    assert [notice.reason for notice in report.notices] == [
        '"who proposed an operator": article a.txt was 1st and is 4th'
    ]
    assert read(built.index) == (saved(rank=4),)
    kept = Generations(built.index).path(report.generation) / "report.json"
    assert read_report(kept).notices == report.notices
    assert rebuild(built, full=True).notices == ()


def test_a_question_that_finds_its_article_no_longer_has_fallen(built: Settings) -> None:
    settings = built.model_copy(update={"depth": 10})
    for number in range(30):
        write_article(settings.seeds, f"x{number}.txt", QUESTION, title=QUESTION)
    with pytest.raises(SelfTestFailed, match="was 1st and would be not found"):
        rebuild(settings)
    rebuild(settings, accept=True)
    assert read(settings.index) == (saved(rank=None),)
    for number in range(30):
        (settings.seeds / f"x{number}.txt").unlink()
    rebuild(settings)
    assert read(settings.index) == (saved(rank=1),)


def test_a_rank_that_rises_is_recorded_silently_and_never_without_publication(
    settings: Settings,
) -> None:
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator.")
    outrank(settings)
    rebuild(settings)
    save(settings, saved(rank=4), saved("corridor", "z.txt", 1))
    for name in ("x.txt", "y.txt", "z.txt"):
        (settings.seeds / name).unlink()
    write_article(settings.seeds, "b.txt", "Corridor.", title="Corridor")
    write_article(settings.seeds, "z.txt", "A corridor.")
    with pytest.raises(SelfTestFailed, match=r'^"corridor": article z\.txt was 1st'):
        rebuild(settings)
    assert read(settings.index)[0].rank == 4
    (settings.seeds / "b.txt").unlink()
    assert rebuild(settings).notices == ()
    assert read(settings.index)[0] == saved(rank=1)


@pytest.mark.parametrize("full", [False, True])
def test_a_renamed_article_is_followed(built: Settings, full: bool) -> None:
    (built.seeds / "a.txt").rename(built.seeds / "new.txt")
    report = rebuild(built, full=full)
    assert [notice.reason for notice in report.notices] == [
        '"who proposed an operator": article a.txt is now new.txt'
    ]
    assert read(built.index) == (saved(source="new.txt"),)


def test_a_renamed_article_that_falls_keeps_its_old_name_until_it_is_published(
    built: Settings,
) -> None:
    (built.seeds / "a.txt").rename(built.seeds / "new.txt")
    outrank(built)
    with pytest.raises(SelfTestFailed, match=r"article new\.txt was 1st and would be 4th"):
        rebuild(built)
    assert read(built.index) == (saved(),)
    rebuild(built, accept=True)
    assert read(built.index) == (saved(source="new.txt", rank=4),)


def test_a_record_of_a_renamed_bulk_file_is_followed(settings: Settings) -> None:
    bulk = settings.seeds / "bulk.jsonl"
    bulk.write_text('{"id": "7#8", "text": "Brussels proposed an operator."}\n')
    rebuild(settings)
    save(settings, saved(source="bulk.jsonl#7#8"))
    bulk.rename(settings.seeds / "other.jsonl")
    assert rebuild(settings).published
    assert read(settings.index) == (saved(source="other.jsonl#7#8"),)


def test_a_rename_that_another_program_published_is_followed_by_the_next_build(
    built: Settings,
) -> None:
    (built.seeds / "a.txt").rename(built.seeds / "new.txt")
    build(built, WordEmbedder(), progress=silent)
    write_article(built.seeds, "c.txt", "Grain.")
    rebuild(built)
    assert read(built.index) == (saved(source="new.txt"),)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_removed_article_is_noted_and_its_question_kept(built: Settings, damaged: bool) -> None:
    path = built.seeds / "a.txt"
    text = path.read_bytes()
    if damaged:
        path.write_bytes(b"\0\1\2")
    else:
        path.unlink()
    report = rebuild(built)
    assert [notice.reason for notice in report.notices] == [
        '"who proposed an operator": article a.txt is no longer indexed'
    ]
    assert read(built.index) == (saved(),)
    path.write_bytes(text)
    assert rebuild(built).notices == ()
    (built.seeds / "a.txt").unlink()
    outrank(built)
    rebuild(built)
    path.write_bytes(text)
    with pytest.raises(SelfTestFailed, match="would be 4th"):
        rebuild(built)


def test_a_manifest_that_is_damaged_costs_only_the_old_names(built: Settings) -> None:
    generations = Generations(built.index)
    (generations.path(str(generations.current())) / "manifest.json").write_text("{")
    (built.seeds / "a.txt").rename(built.seeds / "new.txt")
    assert any("no longer indexed" in notice.reason for notice in rebuild(built).notices)


def test_a_damaged_file_of_questions_stops_a_build_and_is_left_as_it_is(built: Settings) -> None:
    generations = Generations(built.index)
    before = generations.current()
    generations.questions.write_text("{\n")
    write_article(built.seeds, "c.txt", "Grain.")
    with pytest.raises(QuestionsError, match="line 1"):
        rebuild(built)
    assert generations.current() == before
    assert generations.questions.read_text() == "{\n"


def test_what_its_user_edits_during_a_build_is_not_lost(built: Settings) -> None:
    write_article(built.seeds, "c.txt", "Grain.")
    embedder = WordEmbedder()

    def progress(stage: str, done: int, _total: int) -> None:
        if (stage, done) == ("publish", 0):
            add(built.index, saved("grain", "c.txt", 1))

    (built.seeds / "a.txt").rename(built.seeds / "new.txt")
    build(built, embedder, examine=examination(built, embedder), progress=progress)
    assert read(built.index) == (saved(source="new.txt"), saved("grain", "c.txt", 1))


def test_a_long_question_is_quoted_in_part(built: Settings) -> None:
    save(built, saved(QUESTION + " of the corridor" * 20))
    outrank(built)
    with pytest.raises(SelfTestFailed, match=r'"who proposed an operator of [a-z ]{28} \.\.\."'):
        rebuild(built)


def test_a_build_of_the_service_asks_too(built: Settings) -> None:
    builder = Builder(built)
    outrank(built)
    with pytest.raises(SelfTestFailed, match="would be 4th"):
        builder(False, 0.0, silent)
    builder.close()


def test_the_indexer_by_itself_says_that_it_does_not_ask(
    built: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WINNOW_SEEDS", str(built.seeds))
    monkeypatch.setenv("WINNOW_INDEX", str(built.index))
    monkeypatch.setattr(indexer_main, "SentenceEmbedder", lambda *_: WordEmbedder())
    outrank(built)
    assert indexer_main.main([]) == 0
    assert "questions.jsonl was not asked" in capsys.readouterr().err
    assert indexer_main.main([]) == 0
    remove(built.index, QUESTION)
    assert indexer_main.main(["--full"]) == 0
    assert not capsys.readouterr().err


# the terminal

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``winnow`` on the settings' folders, with the quick stand-in for the model."""
    monkeypatch.chdir(settings.seeds)
    monkeypatch.setenv("WINNOW_SEEDS", str(settings.seeds))
    monkeypatch.setenv("WINNOW_INDEX", str(settings.index))
    monkeypatch.setattr(commands, "embedder", lambda _settings: WordEmbedder())
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def test_questions_are_added_listed_and_removed(built: Settings, run: Run) -> None:
    shown = run("questions", "add", " the harvest ")
    assert shown.exit_code == 0
    assert "1st" in shown.stdout
    assert "The harvest was poor." in shown.stdout
    assert "b.txt, paragraph 1" in shown.stdout
    added = read(built.index)[1]
    assert (added.question, added.source, added.rank) == ("the harvest", "b.txt", 1)
    assert abs(dt.datetime.now(dt.UTC) - added.saved) < dt.timedelta(minutes=1)
    assert run("questions").stdout == (
        "who proposed an operator\n   a.txt: 1st\nthe harvest\n   b.txt: 1st\n"
    )
    assert run("questions", "remove", QUESTION).exit_code == 0
    assert run("questions", "remove", QUESTION).exit_code == 1
    assert read(built.index) == (added,)


def test_the_article_may_be_named(built: Settings, run: Run) -> None:
    assert "2nd" in run("questions", "add", QUESTION, "b.txt").stdout
    assert [(each.source, each.rank) for each in read(built.index)] == [("b.txt", 2)]


def test_a_list_shows_what_has_fallen_and_ends_with_1(built: Settings, run: Run) -> None:
    outrank(built)
    build(built, WordEmbedder(), progress=silent)
    shown = run("questions")
    assert shown.exit_code == 1
    assert "a.txt: 4th, recorded 1st" in shown.stdout
    shown = run("questions", "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout) == {
        "questions": [
            {
                "question": QUESTION,
                "source": "a.txt",
                "rank": 1,
                "saved": "2026-01-02T03:04:05+00:00",
                "now": 4,
            }
        ]
    }


def test_without_questions_a_list_needs_no_index(run: Run) -> None:
    shown = run("questions")
    assert shown.exit_code == 0
    assert "No questions are saved" in shown.stdout
    assert json.loads(run("questions", "--json").stdout) == {"questions": []}


def test_a_build_asks_the_questions_and_may_be_told_to_accept(built: Settings, run: Run) -> None:
    outrank(built)
    refused = run("build")
    assert refused.exit_code == 1
    assert "article a.txt was 1st and would be 4th" in refused.stderr
    assert "winnow build --accept" in refused.stderr
    accepted = run("build", "--accept")
    assert accepted.exit_code == 0
    assert "article a.txt was 1st and is 4th" in accepted.stdout
    assert run("questions").stdout == "who proposed an operator\n   a.txt: 4th\n"


def test_a_watch_asks_the_questions(
    built: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(_folder: Path, act: Callable[[], bool], _stop: object) -> None:
        act()

    monkeypatch.setattr("indexer.watching.watch", once)
    monkeypatch.setattr("indexer.seeds.SETTLE", 0.0)
    outrank(built)
    assert "would be 4th" in run("watch").stderr


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("add", QUESTION, "c.txt"), 1, "no article 'c.txt' is indexed"),
        (("add", "+zebra"), 1, "the question finds nothing"),
        (("add", "+harvest", "a.txt"), 1, "the question does not find article a.txt"),
        (("add", " "), 2, "q: "),
        (("add",), 2, "QUESTION"),
        (("remove", "never saved"), 1, "no saved question reads 'never saved'"),
        (("forget",), 2, "forget"),
        (("add", QUESTION, "--index", "nowhere"), 1, "there is no index in nowhere"),
    ],
)
def test_wrong_use_is_an_error_in_a_sentence_and_saves_nothing(
    built: Settings,
    run: Run,
    arguments: tuple[str, ...],
    status: int,
    complaint: str,
) -> None:
    result = run("questions", *arguments)
    assert result.exit_code == status
    assert complaint in result.stderr
    assert not result.stdout
    assert read(built.index) == (saved(),)


def test_questions_are_not_changed_while_somebody_builds(built: Settings, run: Run) -> None:
    with Generations(built.index).writing():
        for arguments in (("add", "the harvest"), ("remove", QUESTION)):
            result = run("questions", *arguments)
            assert result.exit_code == 1
            assert "is being written by" in result.stderr
    assert read(built.index) == (saved(),)


def test_the_commands_explain_themselves(run: Run) -> None:
    assert {"list", "add", "remove"} <= set(run("questions", "--help").stdout.split())
    for command in ("list", "add", "remove"):
        assert "--index" in run("questions", command, "--help").stdout
