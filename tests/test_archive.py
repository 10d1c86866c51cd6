from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article

from indexer.archive import export_generation, import_generation
from indexer.build import build
from indexer.errors import ArchiveError, IndexCorrupt, NotFound
from indexer.generations import Generations
from indexer.settings import Settings
from service.library import Library


@pytest.fixture
def here(settings: Settings) -> Generations:
    write_article(settings.seeds, "a.txt", "A corridor.", "A road.")
    build(settings, WordEmbedder(), progress=silent)
    return Generations(settings.index)


@pytest.fixture
def there(tmp_path: Path) -> Generations:
    return Generations(tmp_path / "elsewhere")


def exported(here: Generations, tmp_path: Path) -> Path:
    target = tmp_path / "export.tar"
    export_generation(here, here.live().id, target)
    return target


def test_what_is_exported_is_searched_where_it_is_imported(
    here: Generations, there: Generations, settings: Settings, tmp_path: Path
) -> None:
    imported = import_generation(there, exported(here, tmp_path))
    assert imported == here.live() == there.live()
    library = Library(settings.model_copy(update={"index": there.folder}), WordEmbedder())
    with library.borrow() as snapshot:
        assert snapshot.store.counts() == (1, 2)
    library.close()


def test_an_import_beside_a_live_generation_waits_to_be_activated(
    here: Generations, settings: Settings, tmp_path: Path
) -> None:
    archive, first = exported(here, tmp_path), here.live()
    with pytest.raises(ArchiveError, match="is here already"):
        import_generation(here, archive)
    write_article(settings.seeds, "b.txt", "A bridge.")
    one = settings.model_copy(update={"generations": 1})
    second = build(one, WordEmbedder(), progress=silent).generation
    assert here.ids() == [second]
    import_generation(here, archive)
    assert here.current() == second
    assert here.activate(first.id) == here.live() == first


def test_nothing_is_written_over_and_nothing_made_of_what_is_not_there(
    here: Generations, tmp_path: Path
) -> None:
    archive = exported(here, tmp_path)
    before = archive.read_bytes()
    with pytest.raises(ArchiveError, match="exists already"):
        export_generation(here, here.live().id, archive)
    assert archive.read_bytes() == before
    with pytest.raises(ArchiveError, match="cannot be written"):
        export_generation(here, here.live().id, tmp_path / "missing" / "export.tar")
    with pytest.raises(NotFound):
        export_generation(here, "../../etc", tmp_path / "other.tar")
    with pytest.raises(ArchiveError, match="there is no file"):
        import_generation(here, tmp_path / "none.tar")


def test_a_damaged_generation_is_not_exported(here: Generations, tmp_path: Path) -> None:
    (here.path(here.live().id) / "vectors.faiss").write_bytes(b"rubbish")
    with pytest.raises(IndexCorrupt):
        exported(here, tmp_path)
    assert not (tmp_path / "export.tar").exists()


def test_no_altered_byte_is_imported(here: Generations, there: Generations, tmp_path: Path) -> None:
    archive = exported(here, tmp_path)
    content = archive.read_bytes()
    with tarfile.open(archive) as members:
        places = [(m.offset_data, m.size) for m in members.getmembers()]
    for start, size in places:
        for place in {start, start + size // 2, start + size - 1}:
            altered = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
            archive.write_bytes(altered)
            with pytest.raises((ArchiveError, IndexCorrupt)):
                import_generation(there, archive)
    for length in (0, 100, 600, len(content) // 2):
        archive.write_bytes(content[:length])
        with pytest.raises(ArchiveError):
            import_generation(there, archive)
    assert there.ids() == []
    assert there.current() is None


@pytest.mark.parametrize("name", ["../../escape", "/tmp/escape"])  # noqa: S108 - what is refused
def test_an_archive_cannot_write_outside_of_its_folder(
    here: Generations, there: Generations, tmp_path: Path, name: str
) -> None:
    manifest = here.live()
    evil = replace(manifest, files={**manifest.files, name: "00"})
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as members:
        for path, text in ((f"{evil.id}/manifest.json", evil.to_json()), (name, "evil")):
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            members.addfile(member, io.BytesIO(text.encode()))
    with pytest.raises(ArchiveError, match="outside"):
        import_generation(there, archive)
    assert not (there.folder.parent / "escape").exists()
