from __future__ import annotations

import tempfile
from pathlib import Path

import faiss
import numpy as np
import pytest
from contracts.vectors import VectorIndexContract

from indexer.errors import IndexCorrupt
from indexer.types import Ids, Vectors
from indexer.vectors import FaissIndex, VectorWriter


class TestFaissIndex(VectorIndexContract):
    @staticmethod
    def make(keys: Ids, vectors: Vectors) -> FaissIndex:
        with tempfile.TemporaryDirectory() as folder:
            writer = VectorWriter(Path(folder, "vectors.faiss"), vectors.shape[1])
            writer.add(keys, vectors)
            writer.save()
            return FaissIndex(Path(folder, "vectors.faiss"))


def test_one_paragraph_with_many_windows_does_not_crowd_out_the_others() -> None:
    near, far = [1.0, 0.0], [0.6, 0.8]
    keys = np.array([1] * 50 + [2, 3])
    vectors = np.array([near] * 50 + [far] * 2, dtype=np.float32)
    index = TestFaissIndex.make(keys, vectors)
    assert [c.paragraph for c in index.search(vectors[0], 3)] == [1, 2, 3]


def test_lists_its_paragraphs() -> None:
    index = TestFaissIndex.make(np.array([7, 7, 2]), np.eye(3, dtype=np.float32))
    assert index.paragraphs.tolist() == [2, 7]
    assert index.dimensions == 3


def test_a_file_that_is_no_index_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    path.write_bytes(b"rubbish")
    with pytest.raises(IndexCorrupt, match=r"vectors\.faiss"):
        FaissIndex(path)


def test_saving_where_the_disk_refuses_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        VectorWriter(tmp_path / "missing" / "vectors.faiss", 2).save()


def test_the_file_is_the_one_that_faiss_writes(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    vectors = random.standard_normal((300, 24)).astype(np.float16).astype(np.float32)
    keys = random.integers(0, 2**63, 300)
    kind = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexIDMap(faiss.IndexScalarQuantizer(24, kind, faiss.METRIC_INNER_PRODUCT))
    writer = VectorWriter(tmp_path / "ours", 24)
    index.add_with_ids(vectors, keys)
    writer.add(keys[:200], vectors[:200])
    writer.add(keys[200:], vectors[200:])
    faiss.write_index(index, str(tmp_path / "theirs"))
    writer.save()
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_going_on_from_a_parent_leaves_its_file_as_it_was(tmp_path: Path) -> None:
    path, second = tmp_path / "first", tmp_path / "second"
    first = VectorWriter(path, 4)
    first.add(np.array([1, 2, 2, 3]), np.eye(4, dtype=np.float32))
    first.save()
    before = path.read_bytes()
    writer = VectorWriter.after(path, second)
    assert writer.of(2).tolist() == np.eye(4)[1:3].tolist()
    assert writer.of(7).shape == (0, 4)
    writer.add(np.array([2, 5]), np.eye(4, dtype=np.float32)[:2])
    writer.remove(np.array([1, 2]))
    writer.save()
    assert path.read_bytes() == before
    index = FaissIndex(second)
    assert index.paragraphs.tolist() == [2, 3, 5]
    query = np.eye(4, dtype=np.float32)[0]
    assert index.score(query, np.array([1, 2, 3, 5])).tolist() == [-1, 1, 0, 0]
