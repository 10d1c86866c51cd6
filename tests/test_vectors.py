from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from contracts.vectors import VectorIndexContract

from indexer.errors import IndexCorrupt
from indexer.types import Ids, Vectors
from indexer.vectors import FaissIndex, VectorWriter


class TestFaissIndex(VectorIndexContract):
    @staticmethod
    def make(keys: Ids, numbers: Ids, vectors: Vectors) -> FaissIndex:
        writer = VectorWriter(vectors.shape[1])
        writer.add(keys, numbers, vectors)
        with tempfile.TemporaryDirectory() as folder:
            writer.save(Path(folder, "vectors.faiss"))
            return FaissIndex(Path(folder, "vectors.faiss"))


def test_one_paragraph_with_many_windows_does_not_crowd_out_the_others() -> None:
    near, far = [1.0, 0.0], [0.6, 0.8]
    keys = np.array([1] * 50 + [2, 3])
    vectors = np.array([near] * 50 + [far] * 2, dtype=np.float32)
    index = TestFaissIndex.make(keys, np.concatenate([np.arange(50), [0, 0]]), vectors)
    assert [c.paragraph for c in index.search(vectors[0], 3)] == [1, 2, 3]


def test_lists_its_paragraphs() -> None:
    index = TestFaissIndex.make(
        np.array([7, 7, 2]), np.array([0, 1, 0]), np.eye(3, dtype=np.float32)
    )
    assert index.paragraphs.tolist() == [2, 7]
    assert index.dimensions == 3


def test_a_file_that_is_no_index_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    path.write_bytes(b"rubbish")
    with pytest.raises(IndexCorrupt, match=r"vectors\.faiss"):
        FaissIndex(path)


def test_saving_where_the_disk_refuses_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="could not open"):
        VectorWriter(2).save(tmp_path / "missing" / "vectors.faiss")
