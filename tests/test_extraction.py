from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.errors import ModelError
from service.extraction import ROOM, WEIGHTS, NetworkExtractor

ANSWERING = "The plan for a third-party operator was proposed by Brussels in July, diplomats said."
OTHER = "Rain is expected over the weekend, with showers in the hills."


@pytest.fixture(scope="module")
def extractor() -> NetworkExtractor:
    torch.set_num_threads(1)
    return NetworkExtractor()


def words(text: str, extract: object) -> str:
    (start, end), _ = extract.spans[0]  # type: ignore[attr-defined]
    return text[start:end]


def test_the_passage_that_answers_is_told_from_one_that_does_not(
    extractor: NetworkExtractor,
) -> None:
    answer, none = extractor.read("who proposed a third-party operator", [ANSWERING, OTHER])
    assert answer is not None
    assert none is not None
    assert words(ANSWERING, answer) == "Brussels"
    assert answer.merit > 0 > none.merit


def test_an_extract_is_the_same_in_any_company(extractor: NetworkExtractor) -> None:
    question = "who proposed an operator"
    alone = extractor.read(question, [ANSWERING])[0]
    among = extractor.read(question, [OTHER * 3, ANSWERING, OTHER])[1]
    assert alone is not None
    assert among is not None
    assert alone.spans[0][0] == among.spans[0][0]
    assert alone.nothing == pytest.approx(among.nothing, abs=0.1)


def test_the_end_of_a_long_passage_is_read_too(extractor: NetworkExtractor) -> None:
    text = OTHER * 60 + " " + ANSWERING
    assert len(text.split()) > 2 * ROOM
    extract = extractor.read("who proposed a third-party operator", [text])[0]
    assert extract is not None
    assert words(text, extract) == "Brussels"


def test_what_time_does_not_allow_is_none_and_not_guessed(extractor: NetworkExtractor) -> None:
    assert extractor.read("who", [ANSWERING, OTHER], seconds=0) == [None, None]
    assert extractor.read("who", [ANSWERING]) != [None]


def test_a_passage_of_a_thousand_pages_takes_no_more_time_than_there_is(
    extractor: NetworkExtractor,
) -> None:
    endless = OTHER * 20_000
    extractor.read("what", [endless], seconds=0)  # to have its words counted, which is done once
    began = time.monotonic()
    extracts = extractor.read("when is rain expected", [ANSWERING, endless, OTHER], seconds=1)
    assert time.monotonic() - began < 10
    assert extracts[0] is not None
    assert extracts[1:] == [None, None]


def test_the_same_passage_twice_is_read_once_and_told_twice(extractor: NetworkExtractor) -> None:
    first, second = extractor.read("who proposed an operator twice", [ANSWERING, ANSWERING])
    assert first is second is not None


@pytest.mark.parametrize("text", ["", " ", "\u200b", "汉字" * 400, "a" * 20_000, "\x00\x1b[31m"])
def test_rubbish_is_read_without_an_error(extractor: NetworkExtractor, text: str) -> None:
    extract = extractor.read("?", [text, ANSWERING])[0]
    assert extract is not None
    assert all(0 <= span.start < span.end <= len(text) for span, _ in extract.spans)


def test_a_question_of_a_thousand_words_leaves_room_for_the_passage(
    extractor: NetworkExtractor,
) -> None:
    extract = extractor.read("who proposed " * 500, [ANSWERING])[0]
    assert extract is not None
    assert extract.spans


def test_weights_that_are_damaged_or_not_the_readers_are_refused_with_the_place(
    tmp_path: Path,
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(WEIGHTS.read_bytes()[:10_000])
    other = tmp_path / "other.safetensors"
    save_file({"spans.weight": load_file(WEIGHTS)["spans.weight"]}, other)
    for path in (damaged, other, tmp_path / "missing.safetensors"):
        with pytest.raises(ModelError, match=path.name) as caught:
            NetworkExtractor(path)
        assert "Reinstall" in caught.value.hint


def test_the_weights_are_small_enough_to_ship_and_hold_no_embeddings() -> None:
    assert WEIGHTS.stat().st_size <= 25_000_000
    assert not [name for name in load_file(WEIGHTS) if "embedding" in name]
