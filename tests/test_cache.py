from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from contracts.embedding import EmbedderContract
from fakes import WordEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.cache import CachedEmbedder


class TestCachedEmbedder(EmbedderContract):
    @pytest.fixture(scope="class")
    @staticmethod
    def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CachedEmbedder]:
        path = tmp_path_factory.mktemp("cache") / "embeddings.sqlite"
        with CachedEmbedder(WordEmbedder(), path) as cached:
            yield cached


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(calls=st.lists(st.lists(st.text("ab \U0001f600", max_size=3), max_size=6), max_size=6))
def test_each_text_is_computed_once_and_found_as_it_was_computed(
    tmp_path_factory: pytest.TempPathFactory, calls: list[list[str]]
) -> None:
    model = WordEmbedder()
    path = tmp_path_factory.mktemp("cache") / "embeddings.sqlite"
    for call in calls:
        with CachedEmbedder(model, path) as cached:
            found = cached.encode(call)
        expected = WordEmbedder().encode(call).astype(np.float16)
        assert np.array_equal(found, expected.astype(np.float32))
    assert model.encoded == len({text for call in calls for text in call})


def test_another_model_finds_nothing(tmp_path: Path) -> None:
    for embedder in (WordEmbedder("one"), WordEmbedder("two")):
        with CachedEmbedder(embedder, tmp_path / "cache") as cached:
            cached.encode(["text"])
            assert cached.computed == 1


def test_what_is_kept_need_not_be_computed(tmp_path: Path) -> None:
    with CachedEmbedder(WordEmbedder(), tmp_path / "cache") as cached:
        vector = np.eye(32, dtype=np.float32)[:1]
        cached.keep(["text"], vector)
        cached.keep(["text"], -vector)  # what is known stays
        assert cached.encode(["text"]).tolist() == vector.tolist()
        assert cached.computed == 0


def test_only_what_was_added_last_survives_trimming(tmp_path: Path) -> None:
    with CachedEmbedder(WordEmbedder(), tmp_path / "cache") as cached:
        for text in ("one", "two", "three"):
            cached.encode([text])
        cached.trim(2)
        cached.encode(["three", "two"])
        assert cached.computed == 3
        cached.encode(["one"])
        assert cached.computed == 4


def test_a_vector_that_was_altered_is_computed_again(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    with CachedEmbedder(WordEmbedder(), path) as cached:
        good = cached.encode(["text"])
    with closing(sqlite3.connect(path)) as connection, connection:
        (stored,) = connection.execute("SELECT vector FROM vectors").fetchone()
        altered = bytes([stored[0] ^ 1]) + stored[1:]
        connection.execute("UPDATE vectors SET vector = ?", (altered,))
    for computed in (1, 0):
        with CachedEmbedder(WordEmbedder(), path) as cached:
            assert np.array_equal(cached.encode(["text"]), good)
            assert cached.computed == computed


def test_a_file_that_is_no_database_is_started_anew_and_said(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    path.write_bytes(b"rubbish " * 1000)
    with CachedEmbedder(WordEmbedder(), path) as cached:
        cached.encode(["text"])
        assert "started anew" in (cached.damaged or "")
    with CachedEmbedder(WordEmbedder(), path) as cached:
        cached.encode(["text"])
        assert (cached.computed, cached.damaged) == (0, None)
