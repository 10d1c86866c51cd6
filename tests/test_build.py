from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import NoReturn

import pytest
from fakes import WordEmbedder, silent, write_article
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer import build as build_module
from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.errors import IndexBusy, IndexNotWritable, SeedsError, SelfTestFailed
from indexer.generations import Generations
from indexer.manifest import ARTICLES, SENTENCES, Manifest
from indexer.seeds import list_seeds
from indexer.settings import Settings
from indexer.store import ArticleStore
from indexer.writing import GenerationWriter
from service.library import Library
from service.retrieval import rank


def live_store(settings: Settings) -> ArticleStore:
    generations = Generations(settings.index)
    folder = generations.path(generations.live().id)
    return ArticleStore(folder / ARTICLES, folder / SENTENCES)


def test_a_build_reports_and_records_what_it_did(
    settings: Settings, embedder: WordEmbedder
) -> None:
    write_article(settings.seeds, "a.txt", "One.", "Two.")
    write_article(settings.seeds, "deep/er/b.txt", "Three " * 60)
    (settings.seeds / "empty.txt").touch()
    (settings.seeds / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    (settings.seeds / "bulk.jsonl").write_text('{"_id": "7", "text": "Four."}\nrubbish\n')
    (settings.seeds / "russian.txt").write_bytes(
        ("Переговоры\n\n" + "Стороны обсудили открытие дороги. " * 9).encode("cp1251")
    )
    report = build(settings, embedder, progress=silent)
    assert (report.articles, report.paragraphs, report.windowed) == (4, 5, 1)
    assert (report.added, report.changed, report.moved, report.removed) == (6, 0, 0, 0)
    assert [(s.file, s.line) for s in report.skipped] == [
        ("bulk.jsonl", 2),
        ("empty.txt", None),
        ("picture.png", None),
    ]
    assert [(n.file, n.reason) for n in report.notices] == [
        ("russian.txt", "encoding guessed: cp1251")
    ]
    assert {"plan", "index", "verify", "total"} <= report.seconds.keys()
    manifest = Generations(settings.index).live()
    assert manifest.id == report.generation
    assert manifest.counts == {
        "articles": 4,
        "paragraphs": 5,
        "attributions": 0,
        "articles in ru": 1,
    }
    assert [seed.path for seed in manifest.seeds] == [
        seed.name for seed in list_seeds(settings.seeds).files
    ]
    Generations(settings.index).verify(manifest)
    stored = json.loads((Generations(settings.index).path(manifest.id) / "report.json").read_text())
    assert stored["skipped"] == [asdict(item) for item in report.skipped]


def test_nothing_to_do_is_done_at_once(settings: Settings, embedder: WordEmbedder) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    (settings.seeds / "empty.txt").touch()
    first = build(settings, embedder, progress=silent)
    encoded = embedder.encoded
    second = build(settings, embedder, progress=silent)
    assert not second.published
    assert embedder.encoded == encoded
    assert second.generation == first.generation == Generations(settings.index).current()
    assert second.skipped == first.skipped
    assert (second.articles, second.paragraphs) == (1, 1)


def test_full_builds_anew_without_a_change(settings: Settings, embedder: WordEmbedder) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    first = build(settings, embedder, progress=silent)
    assert build(settings, embedder, full=True, progress=silent).generation > first.generation


def test_another_model_builds_anew(settings: Settings, embedder: WordEmbedder) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    build(settings, embedder, progress=silent)
    assert build(settings, WordEmbedder("words:2"), progress=silent).published


def test_changes_are_counted_and_deleted_articles_are_gone(
    settings: Settings, embedder: WordEmbedder
) -> None:
    for name in ("same", "edited", "renamed", "deleted"):
        write_article(settings.seeds, f"{name}.txt", f"Text of {name}.")
    build(settings, embedder, progress=silent)
    write_article(settings.seeds, "edited.txt", "Other text.")
    write_article(settings.seeds, "new.txt", "New text.")
    (settings.seeds / "renamed.txt").rename(settings.seeds / "other name.txt")
    (settings.seeds / "deleted.txt").unlink()
    report = build(settings, embedder, progress=silent)
    assert (report.added, report.changed, report.moved, report.removed) == (1, 1, 1, 1)
    store = live_store(settings)
    assert {article.source for article, _ in store.articles(10)} == {
        *("same.txt", "edited.txt", "other name.txt", "new.txt")
    }
    store.close()


@hypothesis_settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_stored_paragraph_is_a_slice_of_its_file(
    tmp_path_factory: pytest.TempPathFactory, body: str, ending: str, encoding: str
) -> None:
    folder = tmp_path_factory.mktemp("case")
    settings = Settings(seeds=folder / "seeds", index=folder / "index")
    write_article(settings.seeds, "always.txt", "So that there is something.")
    raw = f"Headline{ending}{ending}{body.replace(chr(10), ending)}".encode(encoding)
    (settings.seeds / "case.txt").write_bytes(raw)
    build(settings, WordEmbedder(), progress=silent)
    store = live_store(settings)
    for passage in store.passages(store.keys().tolist()):
        source = (settings.seeds / passage.article.source).read_bytes()
        decoded = source.decode(passage.article.encoding)
        paragraph = passage.paragraph
        assert decoded[paragraph.start : paragraph.end] == paragraph.text
        for start, end in paragraph.sentences:
            assert paragraph.text[start:end].strip()
    store.close()


@pytest.mark.parametrize("harm", ["missing", "empty", "unreadable"])
def test_seeds_without_an_article_publish_nothing(
    settings: Settings, embedder: WordEmbedder, harm: str
) -> None:
    if harm == "missing":
        settings.seeds.rmdir()
    elif harm == "unreadable":
        (settings.seeds / "a.txt").write_bytes(b"\x00\x01\x02\x00" * 20)
    with pytest.raises(SeedsError, match=settings.seeds.name) as caught:
        build(settings, embedder, progress=silent)
    assert caught.value.hint
    assert Generations(settings.index).current() is None


def test_a_failed_build_leaves_the_live_generation(
    settings: Settings, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    first = build(settings, embedder, progress=silent).generation
    write_article(settings.seeds, "b.txt", "Two.")

    class Lossy(GenerationWriter):
        """Claims to have written one paragraph more than it did."""

        @property
        def paragraphs(self) -> int:
            return self._claimed

        @paragraphs.setter
        def paragraphs(self, written: int) -> None:
            self._claimed = written + 1

    monkeypatch.setattr(build_module, "GenerationWriter", Lossy)
    with pytest.raises(
        SelfTestFailed, match="self-test: the store has 2 paragraphs, the manifest 3"
    ):
        build(settings, embedder, progress=silent)
    assert Generations(settings.index).current() == first
    monkeypatch.undo()
    assert build(settings, embedder, progress=silent).published


def test_a_paragraph_that_does_not_find_itself_is_not_published(settings: Settings) -> None:
    class Drifting(WordEmbedder):
        """Gives another vector for the same text every time."""

        def encode(self, texts: list[str]) -> object:  # type: ignore[override]
            vectors = super().encode(texts)
            return vectors if len(texts) > 1 else -vectors

    for number in range(3):
        write_article(settings.seeds, f"{number}.txt", f"One {number}. Two.")
    with pytest.raises(SelfTestFailed, match="is lost"):
        build(settings, Drifting(), progress=silent)
    assert Generations(settings.index).current() is None


def test_a_disk_without_space_is_said_and_loses_nothing(
    settings: Settings, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    first = build(settings, embedder, progress=silent).generation
    write_article(settings.seeds, "b.txt", "Two.")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build_module, "write_report", refuse)
    with pytest.raises(IndexNotWritable, match="No space left"):
        build(settings, embedder, progress=silent)
    assert Generations(settings.index).current() == first


def test_a_second_build_at_the_same_time_is_refused(
    settings: Settings, embedder: WordEmbedder
) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    with Generations(settings.index).writing(), pytest.raises(IndexBusy):
        build(settings, embedder, progress=silent)


def test_a_damaged_index_is_built_anew_without_ado(
    settings: Settings, embedder: WordEmbedder
) -> None:
    path = write_article(settings.seeds, "a.txt", "One.")
    id_ = build(settings, embedder, progress=silent).generation
    (Generations(settings.index).path(id_) / "manifest.json").write_text("{")
    assert build(settings, embedder, progress=silent).published
    assert replace(Generations(settings.index).live()).seeds[0].path == path.name


def edited(settings: Settings) -> None:
    """Add, edit, rename and delete."""
    write_article(settings.seeds, "edited.txt", "Text of edited.", "One more paragraph.")
    write_article(settings.seeds, "new.txt", "New text.")
    (settings.seeds / "renamed.txt").rename(settings.seeds / "other name.txt")
    (settings.seeds / "deleted.txt").unlink()
    (settings.seeds / "bulk.jsonl").write_text(
        '{"_id": "1", "text": "Same record."}\n{"_id": "3", "text": "Late record."}\nrubbish\n'
    )


def collection(settings: Settings) -> None:
    for name in ("same", "edited", "renamed", "deleted"):
        write_article(settings.seeds, f"{name}.txt", f"Text of {name}.", f"More on {name}.")
    (settings.seeds / "bulk.jsonl").write_text(
        '{"_id": "1", "text": "Same record."}\n{"_id": "2", "text": "Old record."}\n'
    )
    (settings.seeds / "empty.txt").touch()


def test_only_what_is_new_is_embedded(settings: Settings, embedder: WordEmbedder) -> None:
    collection(settings)
    build(settings, embedder, progress=silent)
    edited(settings)
    encoded = embedder.encoded
    report = build(settings, embedder, progress=silent)
    # Each new paragraph is one sentence, so its window and its sentence are one text.
    assert report.embedded == 3
    assert embedder.encoded == encoded + 3 + 8  # and the self-test's sample
    assert (report.articles, report.paragraphs) == (6, 9)
    assert [(s.file, s.line) for s in report.skipped] == [("bulk.jsonl", 3), ("empty.txt", None)]


@pytest.mark.parametrize("change", ["rename", "delete"])
def test_the_model_is_not_asked_where_no_text_is_new(
    settings: Settings, embedder: WordEmbedder, change: str
) -> None:
    collection(settings)
    build(settings, embedder, progress=silent)
    encoded = embedder.encoded
    path = settings.seeds / "renamed.txt"
    path.rename(settings.seeds / "else.txt") if change == "rename" else path.unlink()
    assert build(settings, embedder, progress=silent).published
    assert embedder.encoded == encoded


def test_without_its_cache_a_moved_article_is_not_embedded_again(
    settings: Settings, embedder: WordEmbedder
) -> None:
    collection(settings)
    build(settings, embedder, progress=silent)
    shutil.rmtree(settings.index / "cache")
    (settings.seeds / "renamed.txt").rename(settings.seeds / "else.txt")
    report = build(settings, embedder, progress=silent)
    assert (report.moved, report.embedded) == (1, 0)


def test_what_goes_on_from_a_generation_is_linked_and_leaves_it_as_it_was(
    settings: Settings, embedder: WordEmbedder
) -> None:
    collection(settings)
    for number in range(30):
        write_article(settings.seeds, f"{number}.txt", f"Some text {number}.")
    generations = Generations(settings.index)
    first = generations.manifest(build(settings, embedder, progress=silent).generation)
    edited(settings)
    second = build(settings, embedder, progress=silent).generation
    generations.verify(first)
    for name in ("keyword/MAIN_000001.seg", "sentences/000001"):
        inodes = {(generations.path(id_) / name).stat().st_ino for id_ in (first.id, second)}
        assert len(inodes) == 1


def test_going_on_and_beginning_anew_answer_alike(
    settings: Settings, embedder: WordEmbedder, tmp_path: Path
) -> None:
    collection(settings)
    build(settings, embedder, progress=silent)
    edited(settings)
    anew = settings.model_copy(update={"index": tmp_path / "anew"})
    found = []
    for each in (settings, anew):
        build(each, embedder, progress=silent)
        with closing(Library(each, embedder)) as library, library.borrow() as snapshot:
            queries = ("text", "record", "more on edited", "late", "renamed", "old")
            ranked = [rank(snapshot, each, query).ranked for query in queries]
            found.append((snapshot.store.keys().tolist(), ranked))
    assert found[0] == found[1]


def test_equal_seeds_make_equal_manifests_wherever_they_lie(
    settings: Settings, embedder: WordEmbedder, tmp_path: Path
) -> None:
    collection(settings)
    other = settings.model_copy(update={"seeds": tmp_path / "b", "index": tmp_path / "other"})
    shutil.copytree(settings.seeds, other.seeds)
    one, two = (
        Generations(each.index).manifest(build(each, embedder, progress=silent).generation)
        for each in (settings, other)
    )
    assert one.digest == two.digest
    assert one.files.keys() == two.files.keys()
    write_article(other.seeds, "same.txt", "Not the same.")
    three = build(other, embedder, full=True, progress=silent).generation
    assert Generations(other.index).manifest(three).digest != two.digest


def test_so_does_the_real_model(
    real_index: Settings, real_embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    other = real_index.model_copy(update={"index": tmp_path / "other"})
    made = build(other, real_embedder, progress=silent).generation
    assert Generations(other.index).manifest(made).digest == (
        Generations(real_index.index).live().digest
    )


def test_what_is_still_being_written_stays_as_it_was(
    settings: Settings, embedder: WordEmbedder
) -> None:
    path = write_article(settings.seeds, "a.txt", "Old words.")
    build(settings, embedder, progress=silent)
    write_article(settings.seeds, "a.txt", "Half of the new")
    write_article(settings.seeds, "b.txt", "Also half")
    report = build(settings, embedder, settle=60, progress=silent)
    assert report.unsettled == ("a.txt", "b.txt")
    assert not report.published
    os.utime(path, (0, 0))  # stamped: whoever wrote it is done
    report = build(settings, embedder, settle=60, progress=silent)
    assert (report.unsettled, report.changed, report.published) == (("b.txt",), 1, True)


def test_a_seed_that_changes_while_it_is_read_is_read_again_next_time(
    settings: Settings, embedder: WordEmbedder
) -> None:
    write_article(settings.seeds, "a.txt", "First words.")

    def meddle(stage: str, done: int, total: int) -> None:
        if stage == "index" and done == total:
            write_article(settings.seeds, "a.txt", "Other words, and more of them.")

    build(settings, embedder, progress=meddle)
    report = build(settings, embedder, progress=silent)
    assert (report.changed, report.published) == (1, True)


def test_the_reason_of_a_failure_is_kept_until_a_build_succeeds(
    settings: Settings, embedder: WordEmbedder
) -> None:
    generations = Generations(settings.index)
    write_article(settings.seeds, "a.txt", "One.")
    build(settings, embedder, progress=silent)
    assert generations.failure() is None

    def examine(_folder: Path, _manifest: Manifest) -> NoReturn:
        raise SelfTestFailed("it was better before")

    with pytest.raises(SelfTestFailed, match="it was better before"):
        build(settings, embedder, full=True, examine=examine, progress=silent)
    failure = generations.failure()
    assert failure is not None
    assert "it was better before" in failure.reason
    build(settings, embedder, progress=silent)
    assert generations.failure() is None


def test_progress_runs_to_the_end(settings: Settings, embedder: WordEmbedder) -> None:
    for number in range(3):
        write_article(settings.seeds, f"{number}.txt", "One.")
    seen: list[tuple[str, int, int]] = []
    build(settings, embedder, progress=lambda *step: seen.append(step))
    indexed = [done / total for stage, done, total in seen if stage == "index"]
    assert indexed == sorted(indexed)
    assert indexed[-1] == 1
    assert seen[-1] == ("publish", 1, 1)


@pytest.mark.parametrize(
    "text",
    ["title:zzz", "f*ck ab*cd", '"', "-not +this", "\u0640" * 12, "???", "AND OR NOT", "¼ Ⅻ ﬁ"],
)
def test_a_paragraph_that_looks_like_a_query_finds_itself(
    settings: Settings, embedder: WordEmbedder, text: str
) -> None:
    write_article(settings.seeds, "a.txt", text)
    assert build(settings, embedder, progress=silent).published


def test_an_index_whose_report_is_gone_is_built_anew(
    settings: Settings, embedder: WordEmbedder
) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    id_ = build(settings, embedder, progress=silent).generation
    (Generations(settings.index).path(id_) / "report.json").unlink()
    assert build(settings, embedder, progress=silent).published


def test_what_newly_cannot_be_read_is_reported_even_if_nothing_else_changed(
    settings: Settings, embedder: WordEmbedder
) -> None:
    write_article(settings.seeds, "a.txt", "One.")
    build(settings, embedder, progress=silent)
    (settings.seeds / "link").symlink_to("/etc/hostname")
    report = build(settings, embedder, progress=silent)
    assert not report.published
    assert [item.file for item in report.skipped] == ["link"]
