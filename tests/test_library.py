from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
from fakes import WordEmbedder, silent, write_article

from indexer.build import build
from indexer.errors import IndexCorrupt, IndexMissing
from indexer.generations import Generations
from indexer.settings import Settings
from service.library import Library


@pytest.fixture
def library(settings: Settings) -> Library:
    return Library(settings, WordEmbedder())


def publish(settings: Settings, name: str) -> str:
    write_article(settings.seeds, f"{name}.txt", f"Text of {name}.")
    return build(settings, WordEmbedder(), progress=silent).generation


def test_nothing_is_lent_before_the_first_build_and_everything_after(
    library: Library, settings: Settings
) -> None:
    with pytest.raises(IndexMissing), library.borrow():
        pass
    id_ = publish(settings, "a")
    with library.borrow() as snapshot:
        assert snapshot.manifest.id == id_
    library.close()


def test_a_reader_ends_on_the_generation_it_began_with(
    library: Library, settings: Settings
) -> None:
    first = publish(settings, "a")
    with library.borrow() as old:
        second = publish(settings, "b")
        with library.borrow() as new:
            assert (old.manifest.id, new.manifest.id) == (first, second)
            assert old.store.counts() == (1, 1)
            assert new.store.counts() == (2, 2)
        assert old.store.counts() == (1, 1)
    with pytest.raises(Exception, match="closed"):
        old.store.counts()
    library.close()


def test_a_damaged_generation_leaves_the_open_one_in_use_and_says_so(
    library: Library, settings: Settings
) -> None:
    first = publish(settings, "a")
    with library.borrow():
        pass
    second = publish(settings, "b")
    vectors = Generations(settings.index).path(second) / "vectors.faiss"
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\x00\x01")
    for _ in range(2):
        with library.borrow() as snapshot:
            assert snapshot.manifest.id == first
            assert "vectors.faiss is damaged" in (snapshot.outdated or "")
            assert snapshot.degraded("keyword") == (snapshot.outdated,)
    third = publish(settings, "c")
    with library.borrow() as snapshot:
        assert snapshot.manifest.id == third
        assert not snapshot.degraded("hybrid")
    library.close()


def test_a_damaged_only_generation_is_an_error(library: Library, settings: Settings) -> None:
    id_ = publish(settings, "a")
    (Generations(settings.index).path(id_) / "articles.sqlite").write_bytes(b"rubbish")
    with pytest.raises(IndexCorrupt, match=r"articles\.sqlite"), library.borrow():
        pass


def open_stores() -> int:
    """Stores that this process has open; those that other tests dropped are collected first."""
    gc.collect()
    links = [path.readlink().name for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return links.count("articles.sqlite")


def test_many_readers_and_swaps_leave_one_snapshot_open(
    settings: Settings, library: Library
) -> None:
    before = open_stores()
    publish(settings, "a")
    stop = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        while not stop.is_set():
            try:
                with library.borrow() as snapshot:
                    articles, paragraphs = snapshot.store.counts()
                    assert articles == paragraphs == snapshot.manifest.counts["articles"]
            except BaseException as error:  # noqa: BLE001 - told to the test below
                errors.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(6):
        publish(settings, f"b{number}")
    stop.set()
    for reader in readers:
        reader.join()
    assert not errors
    library.close()
    with library._opening:  # a thread that was opening one more generation has closed it by then
        pass
    assert open_stores() <= before


def test_a_vocabulary_that_was_in_use_is_loaded_before_the_next_generation_is_lent(
    library: Library, settings: Settings
) -> None:
    publish(settings, "a")
    with library.borrow() as snapshot:
        assert not snapshot.completer.made
    publish(settings, "b")
    with library.borrow() as snapshot:
        assert not snapshot.completer.made
        assert [each.text for each in snapshot.completer().complete("te", 5)] == ["text"]
    publish(settings, "c")
    library.refresh()
    with library.borrow() as snapshot:
        assert snapshot.completer.made
        assert not snapshot.speller.made
    library.close()
