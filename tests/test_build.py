from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from fakes import WordEmbedder, silent, write_article
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer import build as build_module
from indexer.build import build
from indexer.errors import IndexBusy, IndexCorrupt, IndexNotWritable, SeedsError
from indexer.generations import ARTICLES, Generations
from indexer.seeds import list_seeds
from indexer.settings import Settings
from indexer.store import ArticleStore
from indexer.writing import GenerationWriter


def live_store(settings: Settings) -> ArticleStore:
    generations = Generations(settings.index)
    return ArticleStore(generations.path(generations.live().id) / ARTICLES)


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
    assert manifest.counts == {"articles": 4, "paragraphs": 5}
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
    with pytest.raises(IndexCorrupt, match="self-test: the store has lost"):
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
    with pytest.raises(IndexCorrupt, match="is lost"):
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

    monkeypatch.setattr(build_module, "write_json", refuse)
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
