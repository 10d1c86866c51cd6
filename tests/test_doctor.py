from __future__ import annotations

import json
import shlex
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from click.testing import CliRunner
from fakes import WordEmbedder, silent, unworthy, write_article

from indexer.build import build
from indexer.errors import ModelError, SelfTestFailed
from indexer.generations import Generations
from indexer.inverting import KeywordWriter
from indexer.manifest import ARTICLES, KEYWORD, MANIFEST, SENTENCES, VECTORS, Manifest, digests
from indexer.settings import Settings
from indexer.types import Span, Vectors
from indexer.vectors import VectorWriter
from service import cli, commands, doctor
from service.doctor import Finding, examine
from service.offline import blocked, prove

CHECKS = {
    *("index", "files", "identity", "reader", "stores", "truncation", "duplicates", "drift"),
    *("skipped", "notices", "last build", "writer", "leftovers", "disk space", "tuning", "cache"),
}
LONG = "A word and another. " * 30


@dataclass
class Clinic:
    """A collection, the commands over it, and the model that they use."""

    settings: Settings
    embedder: WordEmbedder | ModelError = field(default_factory=WordEmbedder)

    @property
    def seeds(self) -> Path:
        return self.settings.seeds

    @property
    def generations(self) -> Generations:
        return Generations(self.settings.index)

    @property
    def live(self) -> Path:
        return self.generations.path(self.generations.live().id)

    def build(self, embedder: WordEmbedder | None = None) -> str:
        """Build in this process; the generation."""
        return build(self.settings, embedder or WordEmbedder(), progress=silent).generation

    def examine(self, *options: str) -> tuple[int, list[Finding]]:
        """The exit status and the findings of ``winnow doctor``."""
        folders = ("--seeds", str(self.seeds), "--index", str(self.settings.index))
        said = CliRunner().invoke(cli.main, ["doctor", "--json", *folders, *options])
        findings = [Finding(**each) for each in json.loads(said.stdout)]
        assert {each.check for each in findings} - {"offline"} == CHECKS
        assert all(each.message for each in findings)
        assert all(bool(each.mend) == (each.level != "ok") for each in findings)
        assert said.exit_code == any(each.level == "problem" for each in findings)
        return said.exit_code, findings

    def wrong(self, *options: str) -> list[Finding]:
        """The findings that are not ok."""
        return [each for each in self.examine(*options)[1] if each.level != "ok"]

    def only(self, check: str, level: str, *words: str) -> Finding:
        """The one thing that is wrong."""
        (found,) = self.wrong()
        assert (found.check, found.level) == (check, level)
        assert all(word in found.message for word in words), found.message
        return found

    def apply(self, mend: str) -> None:
        """Run the command that a finding names, perhaps at the end of a sentence."""
        program, *arguments = shlex.split(mend.partition("run: ")[2] or mend)
        if program == "winnow":
            done = CliRunner().invoke(cli.main, arguments)
            assert done.exit_code == 0, done.output
        else:
            assert program == "rm"
            subprocess.run([program, *arguments], check=True)

    def forge(self) -> None:
        """Make the live generation's manifest fit its files, as if they had been built so."""
        self.rewrite(files=digests(self.live))

    def rewrite(self, **values: object) -> None:
        manifest: Manifest = replace(self.generations.live(), **values)  # type: ignore[arg-type]  # any field
        (self.live / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


@pytest.fixture
def clinic(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """A collection of two articles in which nothing is wrong."""
    clinic = Clinic(settings)

    def model(_settings: Settings) -> WordEmbedder:
        if isinstance(clinic.embedder, ModelError):
            raise clinic.embedder
        return clinic.embedder

    monkeypatch.setattr(commands, "embedder", model)
    write_article(settings.seeds, "a.txt", "Brussels proposed an operator. It was refused.", LONG)
    write_article(settings.seeds, "b.txt", "The harvest was poor.")
    clinic.build()
    return clinic


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()  # other generations may have the same file
    path.write_bytes(content)


def test_of_a_sound_collection_every_check_says_so_and_nothing_is_touched(clinic: Clinic) -> None:
    def contents() -> dict[Path, tuple[int, int]]:
        found = clinic.settings.index.rglob("*")
        return {each: (each.stat().st_mtime_ns, each.stat().st_size) for each in found}

    before = contents()
    status, findings = clinic.examine()
    assert status == 0
    assert {each.level for each in findings} == {"ok"}
    assert contents() == before
    assert isinstance(clinic.embedder, WordEmbedder)
    assert clinic.embedder.encoded == 0
    said = {each.check: each.message for each in findings}
    assert "2 articles, 3 paragraphs" in said["index"]
    assert (
        "33 sentences have their vectors, and 1 paragraphs are read in windows"
        in (said["truncation"])
    )
    assert "to be rid of it: rm -r " in said["cache"]


def test_the_terminal_shows_each_finding_with_what_mends_it(clinic: Clinic) -> None:
    shutil.rmtree(clinic.settings.index / "generations")
    (clinic.settings.index / "CURRENT").unlink()
    folders = ("--seeds", str(clinic.seeds), "--index", str(clinic.settings.index))
    said = CliRunner().invoke(cli.main, ["doctor", *folders])
    assert said.exit_code == 1
    lines = said.stdout.splitlines()
    assert lines[0].startswith("problem  index: there is no index in ")
    assert lines[1] == f"         -> winnow build {shlex.join(folders)}"
    assert any(line.startswith("ok       writer: ") for line in lines)


def test_a_collection_without_an_index_is_mended_by_building(clinic: Clinic) -> None:
    shutil.rmtree(clinic.settings.index)
    found = {each.check: each for each in clinic.wrong()}
    assert found["index"].level == "problem"
    assert "there is no index" in found["index"].message
    assert found["drift"].message.endswith("2 added: a.txt; b.txt")
    assert "not checked" in found["stores"].message
    clinic.apply(found["index"].mend)
    assert clinic.wrong() == []


@pytest.mark.parametrize("harm", ["gone", "rubbish", "/", "another"])
def test_a_lost_current_is_mended_by_building(clinic: Clinic, harm: str) -> None:
    current = clinic.settings.index / "CURRENT"
    current.unlink() if harm == "gone" else current.write_text(harm)
    first = clinic.wrong()[0]
    assert (first.check, first.level) == ("index", "problem")
    assert "1 generations are in " in first.message
    clinic.apply(first.mend)
    assert clinic.wrong() == []


def test_a_damaged_live_manifest_is_mended_by_building(clinic: Clinic) -> None:
    flip(clinic.live / MANIFEST)
    first = clinic.wrong()[0]
    assert (first.check, first.level) == ("index", "problem")
    assert MANIFEST in first.message
    clinic.apply(first.mend)
    assert clinic.examine()[0] == 0


def test_each_damaged_file_of_the_live_generation_is_named_and_mended_by_building(
    clinic: Clinic,
) -> None:
    names = list(clinic.generations.live().files)
    assert len(names) >= 6
    for name in names:
        flip(clinic.live / name)
        found = clinic.wrong()
        assert (found[0].check, found[0].level) == ("files", "problem")
        assert f"{clinic.live / name} is damaged" in found[0].message
        assert any("the live generation is damaged" in each.message for each in found[1:])
        clinic.apply(found[0].mend)
        assert clinic.examine()[0] == 0
        shutil.rmtree(clinic.settings.index)
        clinic.build()


@pytest.mark.parametrize("name", [ARTICLES, MANIFEST])
def test_a_damaged_older_generation_is_a_note_and_can_be_removed(clinic: Clinic, name: str) -> None:
    older = clinic.live
    write_article(clinic.seeds, "c.txt", "More.")
    clinic.build()
    flip(older / name)
    found = clinic.only("files", "note", str(older / name), "useless")
    clinic.apply(found.mend)
    assert not older.exists()
    assert clinic.wrong() == []


def test_a_file_that_generations_share_is_damaged_in_both(clinic: Clinic) -> None:
    older = clinic.live
    write_article(clinic.seeds, "c.txt", "More.")
    clinic.build()
    shared = next(
        name for name in clinic.generations.live().files if (older / name).stat().st_nlink > 1
    )
    content = bytearray((older / shared).read_bytes())
    content[0] ^= 1
    (older / shared).write_bytes(content)
    found = [each for each in clinic.wrong() if each.check == "files"]
    assert [each.level for each in found] == ["problem", "note"]


def test_what_has_lost_its_manifest_is_left_over_and_can_be_removed(clinic: Clinic) -> None:
    older = clinic.live
    write_article(clinic.seeds, "c.txt", "More.")
    clinic.build()
    (older / MANIFEST).unlink()
    clinic.apply(clinic.only("leftovers", "note", str(older)).mend)
    assert clinic.wrong() == []


def test_another_model_is_mended_by_building(clinic: Clinic) -> None:
    clinic.embedder = WordEmbedder("words:2")
    clinic.apply(clinic.only("identity", "problem", "another model").mend)
    assert clinic.wrong() == []


@pytest.mark.parametrize("part", ["analyzer", "format"])
def test_an_index_that_cannot_be_read_is_mended_by_building(clinic: Clinic, part: str) -> None:
    clinic.rewrite(identity={**clinic.generations.live().identity, part: "other"})
    found = clinic.wrong()
    assert [each.check for each in found if each.level == "problem"] == ["identity"]
    assert f"another {part}" in found[0].message
    assert "not checked: the index was built with" in found[1].message
    clinic.apply(found[0].mend)
    assert clinic.wrong() == []


def test_a_missing_model_is_a_problem_whose_hint_is_passed_on(clinic: Clinic) -> None:
    clinic.embedder = ModelError("no model at /nowhere", hint="Install it.")
    assert clinic.only("identity", "problem", "no model at /nowhere").mend == "Install it."
    shutil.rmtree(clinic.settings.index)
    found = [each for each in clinic.wrong() if each.check == "identity"]
    assert [each.level for each in found] == ["problem", "note"]


def change_store(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / ARTICLES)) as connection, connection:
        connection.execute(statement)


def change_vectors(folder: Path, *, add: bool) -> None:
    """Take a paragraph out of the vector index; ``add`` puts another one in its place."""
    with closing(sqlite3.connect(folder / ARTICLES)) as connection:
        query = "SELECT key FROM paragraphs WHERE windows = 1 LIMIT 1"
        key = connection.execute(query).fetchone()[0]
    writer = VectorWriter.after(folder / VECTORS, folder / "changed")
    writer.remove(np.array([key]))
    if add:
        writer.add(np.array([key + 1]), np.ones((1, writer.dimensions), dtype=np.float32))
    writer.save()
    (folder / "changed").replace(folder / VECTORS)


def change_keywords(folder: Path, *, add: bool) -> None:
    """Likewise in the keyword index."""
    with closing(sqlite3.connect(folder / ARTICLES)) as connection:
        key = connection.execute("SELECT key FROM paragraphs LIMIT 1").fetchone()[0]
    with KeywordWriter(folder / KEYWORD) as writer:
        writer.delete(np.array([key]))
        if add:
            writer.add(key + 1, "", "A ghost", "", "ghost.txt")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (
            lambda folder: change_store(folder, "DELETE FROM paragraphs WHERE number = 2"),
            (
                "the store has 2 paragraphs, the manifest 3",
                "keyword index has 1 paragraphs that are no longer there",
                "vector index has 1 paragraphs that are no longer there",
            ),
        ),
        (
            lambda folder: change_store(folder, "UPDATE articles SET seed = 'x' WHERE id != ''"),
            ("articles of a file that the manifest lacks: x",),
        ),
        (
            lambda folder: change_keywords(folder, add=False),
            ("keyword index lacks 1 paragraphs",),
        ),
        (
            lambda folder: change_keywords(folder, add=True),
            ("keyword index lacks 1", "keyword index has 1 paragraphs that are no longer there"),
        ),
    ],
)
def test_stores_that_differ_are_mended_by_building_everything(
    clinic: Clinic, harm: Callable[[Path], None], words: Sequence[str]
) -> None:
    harm(clinic.live)
    clinic.forge()
    clinic.apply(clinic.only("stores", "problem", *words).mend)
    assert clinic.wrong() == []


@pytest.mark.parametrize("add", [False, True])
def test_a_lost_vector_is_found_by_its_paragraph_and_not_by_the_total(
    clinic: Clinic, add: bool
) -> None:
    change_vectors(clinic.live, add=add)
    clinic.forge()
    stores, truncation = clinic.wrong()
    assert (stores.check, stores.level) == ("stores", "problem")
    assert "vector index lacks 1 paragraphs" in stores.message
    assert ("no longer there" in stores.message) == add
    assert "another number of vectors than of windows" in truncation.message
    clinic.apply(stores.mend)
    assert clinic.wrong() == []


def test_a_manifest_that_miscounts_is_mended_by_building_everything(clinic: Clinic) -> None:
    clinic.rewrite(counts={"articles": 2, "paragraphs": 4})
    found = clinic.only("stores", "problem", "the store has 3 paragraphs, the manifest 4")
    clinic.apply(found.mend)
    assert clinic.wrong() == []


def test_a_sentence_without_a_vector_is_mended_by_building_everything(clinic: Clinic) -> None:
    change_store(clinic.live, "UPDATE paragraphs SET vectors = vectors - 1 WHERE windows > 1")
    clinic.forge()
    found = clinic.only("truncation", "problem", "of sentences", "paragraph 2 of a.txt")
    clinic.apply(found.mend)
    assert clinic.wrong() == []


def test_a_missing_window_is_mended_by_building_everything(clinic: Clinic) -> None:
    change_store(clinic.live, "UPDATE paragraphs SET windows = windows + 1 WHERE windows > 1")
    clinic.forge()
    found = clinic.only("truncation", "problem", "of windows", "paragraph 2 of a.txt")
    clinic.apply(found.mend)
    assert clinic.wrong() == []


@pytest.mark.parametrize("harm", ["short", "gone"])
def test_a_segment_that_is_too_short_is_mended_by_building_everything(
    clinic: Clinic, harm: str
) -> None:
    (segment,) = (clinic.live / SENTENCES).iterdir()
    segment.unlink() if harm == "gone" else segment.write_bytes(segment.read_bytes()[:-2])
    clinic.forge()
    clinic.apply(clinic.only("truncation", "problem", segment.name).mend)
    assert clinic.wrong() == []


class OneWindow(WordEmbedder):
    """A model that is trusted with more than it reads."""

    def windows(self, text: str) -> tuple[Span, ...]:
        return (Span(0, len(text)),)


def test_with_the_model_loaded_a_paragraph_that_was_cut_is_found_and_mended(
    clinic: Clinic,
) -> None:
    build(clinic.settings, OneWindow(), full=True, progress=silent)
    assert clinic.wrong() == []
    (found,) = clinic.wrong("--offline")
    assert (found.check, found.level) == ("truncation", "problem")
    assert "paragraph 2 of a.txt is too long" in found.message
    clinic.apply(found.mend)
    assert clinic.wrong("--offline") == []


def test_drift_is_named_file_by_file_and_mended_by_building(clinic: Clinic) -> None:
    write_article(clinic.seeds, "moves.txt", "It moves.")
    write_article(clinic.seeds, "goes.txt", "It goes.")
    clinic.build()
    write_article(clinic.seeds, "new.txt", "New.")
    write_article(clinic.seeds, "b.txt", "The harvest was good.")
    (clinic.seeds / "moves.txt").rename(clinic.seeds / "moved.txt")
    (clinic.seeds / "goes.txt").unlink()
    found = clinic.only(
        *("drift", "note", "1 added: new.txt", "1 changed: b.txt"),
        *("1 moved: moves.txt -> moved.txt", "1 removed: goes.txt"),
    )
    clinic.apply(found.mend)
    assert clinic.wrong() == []


def test_of_many_files_ten_are_named(clinic: Clinic) -> None:
    for number in range(13):
        write_article(clinic.seeds, f"n{number:02}.txt", f"Number {number}.")
    assert clinic.only("drift", "note", "13 added", "n09.txt; and 3 more").mend


def test_a_seeds_folder_that_is_gone_is_a_problem_and_hides_no_other_check(
    clinic: Clinic, tmp_path: Path
) -> None:
    clinic.seeds.rename(tmp_path / "elsewhere")
    found = clinic.wrong()
    assert {each.check for each in found} == {"drift", "skipped"}
    assert {each.level for each in found} == {"problem"}
    assert "--seeds" in found[0].mend
    (tmp_path / "elsewhere").rename(clinic.seeds)
    assert clinic.wrong() == []


def test_a_seeds_folder_without_articles_is_a_problem(clinic: Clinic) -> None:
    for path in clinic.seeds.iterdir():
        path.unlink()
    assert "Put text files" in clinic.only("drift", "problem", "holds no article").mend


def test_skipped_seeds_are_named_with_their_reasons_until_they_are_mended(clinic: Clinic) -> None:
    (clinic.seeds / "empty.txt").touch()
    (clinic.seeds / "bulk.jsonl").write_text('{"id": "1", "text": "Text."}\nrubbish\n')
    (clinic.seeds / "link").symlink_to(clinic.seeds.parent)
    clinic.build()
    found = clinic.only("skipped", "note", "3 skipped", "empty.txt: ", "bulk.jsonl:2: ", "link: ")
    (clinic.seeds / "empty.txt").write_text("No more.")
    (clinic.seeds / "bulk.jsonl").write_text('{"id": "1", "text": "Text."}\n')
    (clinic.seeds / "link").unlink()
    clinic.apply(found.mend)
    assert clinic.wrong() == []


def test_notices_are_passed_on_and_need_nothing(clinic: Clinic) -> None:
    text = "Переговоры\n\n" + "Стороны обсудили открытие дороги. " * 9
    (clinic.seeds / "russian.txt").write_bytes(text.encode("cp1251"))
    clinic.build()
    found = clinic.only("notices", "note", "russian.txt: encoding guessed: cp1251")
    assert found.mend.startswith("Nothing needs doing")


def test_duplicates_are_named_in_pairs_until_they_are_removed(clinic: Clinic) -> None:
    shutil.copy(clinic.seeds / "a.txt", clinic.seeds / "copy.txt")
    write_article(clinic.seeds, "b2.txt", "The harvest was poor.", title="Another headline")
    records = [{"id": str(n), "text": "The same." if n < 2 else f"Record {n}."} for n in range(4)]
    bulk = clinic.seeds / "bulk.jsonl"
    bulk.write_text("\n".join(map(json.dumps, records)))
    clinic.build()
    found = clinic.only(
        *("duplicates", "note", "3 duplicates", "a.txt = copy.txt"),
        *("b.txt = b2.txt", "bulk.jsonl#0 = bulk.jsonl#1"),
    )
    (clinic.seeds / "copy.txt").unlink()
    (clinic.seeds / "b2.txt").unlink()
    bulk.write_text("\n".join(map(json.dumps, records[1:])))
    clinic.apply(found.mend)
    assert clinic.wrong() == []


def test_a_copied_bulk_file_is_one_pair_and_of_many_pairs_ten_are_named(clinic: Clinic) -> None:
    bulk = clinic.seeds / "bulk.jsonl"
    bulk.write_text("\n".join(json.dumps({"id": str(n), "text": f"Nr {n}."}) for n in range(9)))
    shutil.copy(bulk, clinic.seeds / "again.jsonl")
    clinic.build()
    clinic.only("duplicates", "note", "1 duplicates: again.jsonl = bulk.jsonl")
    for number in range(12):
        shutil.copy(clinic.seeds / "b.txt", clinic.seeds / f"copy{number:02}.txt")
    clinic.build()
    found = clinic.only("duplicates", "note", "13 duplicates", "; and 3 more")
    assert found.message.count(" = ") == 10


def test_the_last_failure_is_a_problem_until_a_build_succeeds(clinic: Clinic) -> None:
    write_article(clinic.seeds, "c.txt", "More.")
    with pytest.raises(SelfTestFailed):
        build(clinic.settings, WordEmbedder(), examine=unworthy, progress=silent)
    failed, drift = sorted(clinic.wrong(), key=lambda each: each.level, reverse=True)
    assert (failed.check, failed.level, drift.check) == ("last build", "problem", "drift")
    assert "fell to rank 9" in failed.message
    clinic.apply(failed.mend)
    assert clinic.wrong() == []


def test_whoever_writes_is_named_and_what_he_stages_is_not_left_over(clinic: Clinic) -> None:
    with clinic.generations.writing():
        clinic.generations.stage("next")
        found = clinic.only("writer", "note", "is being written by process ")
    assert found.mend.startswith("Nothing needs doing")
    assert clinic.wrong() == []


def test_what_a_killed_build_left_is_mended_by_building(clinic: Clinic) -> None:
    half = clinic.settings.index / "staging" / "half"
    half.mkdir(parents=True)
    (clinic.settings.index / "write.lock").write_text("process 1: winnow build\n")
    clinic.apply(clinic.only("leftovers", "note", str(half)).mend)
    assert not half.exists()
    assert clinic.wrong() == []


def test_too_little_space_is_a_problem_until_there_is_more(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(clinic.seeds)
    with monkeypatch.context() as patch:
        patch.setattr(doctor.shutil, "disk_usage", lambda _path: usage._replace(free=1000))
        assert "Free 0." in clinic.only("disk space", "problem", "0.0 MB are free").mend
    assert clinic.wrong() == []


@pytest.mark.parametrize("harm", ["rubbish", "vector", "page"])
def test_a_damaged_cache_is_a_note_and_can_be_removed(clinic: Clinic, harm: str) -> None:
    cache = clinic.generations.cache
    if harm == "vector":
        with closing(sqlite3.connect(cache)) as connection, connection:
            connection.execute("UPDATE vectors SET vector = zeroblob(68) WHERE number = 1")
            connection.execute("PRAGMA journal_mode = DELETE")
    elif harm == "page":
        content = bytearray(cache.read_bytes())
        content[4096:4200] = b"x" * 104
        cache.write_bytes(content)
    else:
        cache.write_bytes(b"rubbish" * 1000)
    clinic.apply(clinic.only("cache", "note", "damaged").mend)
    assert not cache.exists()
    assert clinic.wrong() == []


def test_a_check_that_fails_is_a_problem_and_the_others_go_on(clinic: Clinic) -> None:
    (clinic.live / "report.json").write_text("{")
    clinic.forge()
    found = clinic.wrong()
    assert [(each.check, each.level) for each in found] == [
        ("skipped", "problem"),
        ("notices", "problem"),
    ]
    clinic.apply(found[0].mend)
    assert clinic.wrong() == []


def test_commands_are_named_without_options_that_were_not_given(clinic: Clinic) -> None:
    write_article(clinic.seeds, "c.txt", "More.")
    mends = [each.mend for each in examine(clinic.settings, WordEmbedder()) if each.mend]
    assert mends == ["winnow build"]


class Talkative(WordEmbedder):
    """A model that asks somebody else."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        socket.create_connection(("192.0.2.1", 80), timeout=1)
        return super().encode(texts)


class Discreet(WordEmbedder):
    """A model that would ask somebody else and goes on without."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        try:
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        except OSError:
            return super().encode(texts)
        raise AssertionError("a socket could be made")


def test_a_question_that_needs_no_network_is_proven_so(clinic: Clinic) -> None:
    findings = clinic.examine("--offline")[1]
    assert findings[0] == Finding("offline", "ok", "a search and an answer needed no network")
    assert isinstance(clinic.embedder, WordEmbedder)
    assert clinic.embedder.encoded > 0


@pytest.mark.parametrize(
    ("embedder", "attempt"),
    [(Talkative(), "socket.getaddrinfo('192.0.2.1', 80"), (Discreet(), "socket.__new__(")],
)
def test_what_reaches_for_the_network_is_refused_and_reported(
    clinic: Clinic, embedder: WordEmbedder, attempt: str
) -> None:
    clinic.embedder = embedder
    found = clinic.wrong("--offline")[0]
    assert (found.check, found.level) == ("offline", "problem")
    assert attempt in found.message


def test_without_a_model_nothing_is_proven(clinic: Clinic) -> None:
    def load() -> ModelError:
        return ModelError("no model")

    found = prove(clinic.settings, load)
    assert found.level == "problem"
    assert "no model" in found.message
    assert found.mend


def test_without_an_index_nothing_is_proven(settings: Settings) -> None:
    found = prove(settings, WordEmbedder)
    assert found.level == "problem"
    assert "winnow build" in found.mend


def test_blocking_ends_and_spares_what_stays_on_this_machine() -> None:
    with socket.socket() as ours:
        with blocked() as attempts:
            for pair in socket.socketpair():
                pair.close()
            socket.gethostname()
            assert attempts == []
            with pytest.raises(PermissionError):
                ours.connect(("192.0.2.1", 80))
            with pytest.raises(PermissionError):
                socket.getaddrinfo("example.invalid", 80)
        assert [each.partition("(")[0] for each in attempts] == [
            "socket.connect",
            "socket.getaddrinfo",
        ]
        ours.bind(("127.0.0.1", 0))


def test_an_error_of_the_disk_is_a_problem_and_the_others_go_on(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> NoReturn:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(doctor, "inspect", refuse)
    assert "readable" in clinic.only("cache", "problem", "Input/output error").mend
