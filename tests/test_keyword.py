from __future__ import annotations

import gc
import math
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts.keyword import Document, KeywordIndexContract
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import indexer.postings
from indexer.errors import IndexBusy, IndexCorrupt, QueryError
from indexer.grammar import parse
from indexer.inverting import KeywordWriter
from indexer.keyword import K1, TITLE_WEIGHT, B, WhooshIndex
from indexer.nodes import Not, Wildcard, Word

PAGE = Path(__file__).resolve().parent.parent / "docs" / "query-grammar.md"


def write(folder: Path, documents: Sequence[Document]) -> None:
    with KeywordWriter(folder) as writer:
        for d in documents:
            writer.add(d.key, d.title, d.body, d.byline, d.source)


class TestWhooshIndex(KeywordIndexContract):
    @staticmethod
    def make(documents: Sequence[Document]) -> WhooshIndex:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder, "keyword"), documents)
            return WhooshIndex.open(Path(folder, "keyword"))


def test_telling_words_are_those_that_few_other_paragraphs_have() -> None:
    bodies = ["the oil price", "the price of oil", "oil from the North Sea", "a tax on coal"]
    bodies += ["coal is taxed", "a word of its own"]
    index = TestWhooshIndex.make(
        [Document(key, "", body) for key, body in enumerate(bodies, start=1)]
    )
    assert index.telling("Oil prices and taxes: prices, on the taxing coal and own", None, 3) == (
        *("prices", "taxes", "coal"),
    )
    assert index.telling("of the and", None, 3) == ()
    assert index.telling("oil price", None, 0) == ()


def test_scores_are_bm25_with_lucenes_idf() -> None:
    index = TestWhooshIndex.make(
        [
            Document(1, "oil price", "oil oil gas" + 8 * " x"),
            Document(2, "oil", "coal"),
            Document(3, "", "tax a b"),
        ]
    )

    def bm25(n: int, count: int, length: int, mean: float) -> float:
        idf = math.log(1 + (3 - n + 0.5) / (n + 0.5))
        return idf * count * (K1 + 1) / (count + K1 * (1 - B + B * length / mean))

    title, body = 3 / 3, 15 / 3
    one = TITLE_WEIGHT * bm25(2, 1, 2, title) + bm25(1, 2, 11, body)
    two = TITLE_WEIGHT * bm25(2, 1, 1, title)
    gas = bm25(1, 1, 11, body)
    # A word asked twice counts twice, and so does each word of a phrase.
    for text, wanted in {
        "oil": [one, two, 0],
        "oil oil": [2 * one, 2 * two, 0],
        '"oil gas"': [one + gas, two, 0],
    }.items():
        scores = index.score(parse(text), np.array([1, 2, 3]))
        np.testing.assert_allclose(scores, wanted, atol=1e-9)


def test_a_pattern_scores_as_if_its_words_were_one() -> None:
    texts = ["women woman x y", "womyn womyn x y", "x y z z"]
    index = TestWhooshIndex.make([Document(key, "", text) for key, text in enumerate(texts)])
    merged = [re.sub("wom.n", "one", text) for text in texts]
    same = TestWhooshIndex.make([Document(key, "", text) for key, text in enumerate(merged)])
    keys = np.arange(3)
    assert index.score(parse("wom?n"), keys).tolist() == same.score(parse("one"), keys).tolist()


class Rebuilding(RuleBasedStateMachine):
    """Adding and deleting in commits gives the very index that writing everything at once gives."""

    words = st.sampled_from(["oil", "gas", "price", "the", "north", "sea"])
    texts = st.lists(words, max_size=6).map(" ".join)

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.live: dict[int, Document] = {}
        write(self.folder / "keyword", [])

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(
        changes=st.dictionaries(st.integers(0, 30), st.none() | st.tuples(texts, texts), max_size=6)
    )
    def commit(self, changes: dict[int, tuple[str, str] | None]) -> None:
        with KeywordWriter(self.folder / "keyword") as writer:
            writer.delete(np.array(list(changes), dtype=np.int64))
            for key, change in changes.items():
                self.live.pop(key, None)
                if change:
                    self.live[key] = document = Document(key, *change, "Kern", f"{key}.txt")
                    writer.add(key, *change, document.byline, document.source)

    @rule(key=st.integers(0, 30))
    def cancel(self, key: int) -> None:
        writer = KeywordWriter(self.folder / "keyword")
        writer.delete(np.array([key]))
        writer.add(31, "oil", "gas", "", "")
        writer.cancel()

    @invariant()
    def equals_a_fresh_index(self) -> None:
        index = WhooshIndex.open(self.folder / "keyword")
        fresh = TestWhooshIndex.make(list(self.live.values()))
        assert index.paragraphs.tolist() == sorted(self.live)
        for text in ("oil price", '"north sea"', "-gas", "pri* by:kern", "source:1*"):
            assert index.search(parse(text), 50) == fresh.search(parse(text), 50)
        index.close()
        fresh.close()


TestRebuilding = Rebuilding.TestCase
TestRebuilding.settings = settings(deadline=None, max_examples=12, stateful_step_count=12)


def test_one_writer_leaves_one_segment_and_many_leave_few(tmp_path: Path) -> None:
    for key in range(0, 300, 10):
        write(tmp_path, [Document(n, "", "oil") for n in range(key, key + 10)])
        if key == 0:
            assert len(list(tmp_path.glob("*.seg"))) == 1
    assert len(list(tmp_path.glob("*.seg"))) <= math.log2(30)


def test_a_hard_linked_generation_is_not_touched_by_its_successor(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    write(old, [Document(key, "", "oil gas") for key in range(30)])
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    shutil.copytree(old, new, copy_function=os.link)
    with KeywordWriter(new) as writer:
        writer.delete(np.arange(0, 30, 2))
        writer.add(99, "", "oil", "", "")
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before
    assert WhooshIndex.open(old).paragraphs.tolist() == list(range(30))
    assert WhooshIndex.open(new).paragraphs.tolist() == [*range(1, 30, 2), 99]


def test_the_same_paragraphs_make_the_same_files(tmp_path: Path) -> None:
    documents = [Document(key, f"title {key}", f"oil w{key} w{key % 7}") for key in range(300)]
    for folder in (tmp_path / "one", tmp_path / "two"):
        write(folder, documents[:200])
        write(folder, documents[200:])
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert one == two


def test_threads_get_the_answers_that_one_thread_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    # A small cache makes every thread read the files.
    monkeypatch.setattr(indexer.postings, "MAX_CACHED", 500)
    random = np.random.default_rng(1)
    words = np.array([f"w{n}" for n in range(60)])
    bodies = [" ".join(random.choice(words, 30)) for _ in range(200)]
    index = TestWhooshIndex.make([Document(key, "", body) for key, body in enumerate(bodies)])
    texts = [" ".join(random.choice(words, 4)) for _ in range(60)]
    queries = [parse(text) for text in texts] + [parse(f'"{text[:6].strip()}"') for text in texts]
    alone = [index.search(query, 20) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(lambda query: index.search(query, 20), queries)) == alone


def test_the_cache_is_bounded_also_for_words_that_nothing_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexer.postings, "MAX_CACHED", 1000)
    index = TestWhooshIndex.make([Document(key, "", "oil gas coal tax") for key in range(6)])
    queries = [parse(word) for word in ("oil", "gas", "coal", "tax")]
    first = [index.search(query, 9) for query in queries]
    for number in range(100):
        assert index.search(parse(f"absent{number}"), 9) == []
    assert len(index._postings._cache) <= 10
    assert [index.search(query, 9) for query in queries] == first


def test_a_pattern_for_too_many_words_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer.postings, "MAX_EXPANSION", 3)
    index = TestWhooshIndex.make([Document(1, "", "oil oila oilb"), Document(2, "", "oilc oi")])
    assert index.matching(Wildcard("oil?")).tolist() == [1, 2]
    with pytest.raises(QueryError, match=r"oil\* stands for more than 3 words"):
        index.search(parse("oil*"), 5)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    index = TestWhooshIndex.make([Document(1, "", "a" * 90)])
    assert index.search(parse("aa" + "*a" * 40 + "b"), 5) == []


def test_any_source_and_any_text_can_be_written() -> None:
    source = "Ordner/BÖSE [1] \udce9\0.txt"
    texts = ["\ud800 \0 🙂", "x" * 100_000, "漢" * 5000, "a\u0301" * 5000, "ـ"]
    index = TestWhooshIndex.make([Document(k, t, t, t, source) for k, t in enumerate(texts)])
    assert index.paragraphs.tolist() == list(range(len(texts)))
    assert len(index.search(parse(f'source:"{source}"'), 9)) == len(texts)
    assert len(index.search(parse("source:ordner/böse*"), 9)) == len(texts)
    assert [c.paragraph for c in index.search(parse("x" * 5000), 9)] == [1]
    assert index.matching(Not(Word("ـ"))).tolist() == list(range(len(texts)))


def test_a_second_writer_is_told_that_the_first_is_at_work(tmp_path: Path) -> None:
    with KeywordWriter(tmp_path), pytest.raises(IndexBusy, match="is being written"):
        KeywordWriter(tmp_path)


def test_an_error_while_writing_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, [Document(1, "", "oil")])
    bad_key: Any = "x"
    with pytest.raises(struct.error), KeywordWriter(tmp_path) as writer:
        writer.add(bad_key, "", "oil", "", "")
    assert WhooshIndex.open(tmp_path).paragraphs.tolist() == [1]
    write(tmp_path, [Document(2, "", "oil")])
    assert WhooshIndex.open(tmp_path).paragraphs.tolist() == [1, 2]


def test_a_folder_without_an_index_is_named_with_the_way_out(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(IndexCorrupt, match=re.escape(str(folder))) as caught:
            WhooshIndex.open(folder)
        assert caught.value.hint == "Run: winnow build --full"


# Whoosh does not close a file that it cannot make sense of.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("pattern", ["*.toc", "*.seg"])
@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "gone"])
def test_a_damaged_file_is_corruption_when_opened_or_asked(
    tmp_path: Path, pattern: str, damage: str
) -> None:
    write(tmp_path, [Document(key, "price", f"oil w{key} w{key % 7}") for key in range(300)])
    (path,) = tmp_path.glob(pattern)
    content = path.read_bytes()
    noise = np.random.default_rng(0).bytes(len(content))
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {"empty": b"", "cut": content[: len(content) // 2], "noise": noise}[damage]
        )
    with pytest.raises(IndexCorrupt, match="is not a readable keyword index"):
        WhooshIndex.open(tmp_path).search(parse('oil "price oil" wx*1'), 5)
    gc.collect()


def test_the_examples_on_the_page_find_what_it_says() -> None:
    page = PAGE.read_text("utf-8").split("## An example")[1]
    rows = re.findall(r"^\| (\d) \| (.+) \| (.+) \| (.+) \| (.+) \|$", page, re.MULTILINE)
    index = TestWhooshIndex.make([Document(int(row[0]), *row[1:]) for row in rows])
    examples = re.findall(r"^\| `(.+)` \| ([\d ]*)\|$", page, re.MULTILINE)
    assert len(rows) == 4
    assert len(examples) >= 30
    for text, found in examples:
        keys = sorted(candidate.paragraph for candidate in index.search(parse(text), 9))
        assert keys == [int(key) for key in found.split()], text


GERMAN = "Die Häuser der alten Städte werden von einer Wohnungsbaugesellschaft verwaltet."
ENGLISH = "The houses of the old cities are run by a building society."


def in_languages(*documents: tuple[str, str | None]) -> WhooshIndex:
    with tempfile.TemporaryDirectory() as folder:
        with KeywordWriter(Path(folder)) as writer:
            for key, (body, language) in enumerate(documents, start=1):
                writer.add(key, "", body, "", f"{key}.txt", language=language)
        return WhooshIndex.open(Path(folder))


def found(index: WhooshIndex, asked: str) -> list[int]:
    return [candidate.paragraph for candidate in index.search(parse(asked), 10)]


def test_a_word_is_looked_up_as_each_language_of_the_collection_stems_it() -> None:
    index = in_languages((GERMAN, "de"), (ENGLISH, "en"))
    assert found(index, "house") == [2]
    assert found(index, "+Haus") == [1]
    assert found(index, '"alte Haus"') == []
    assert found(index, '"alten Städte"') == [1]
    assert index.matching(parse("+cities").constraint or Word("")).tolist() == [2]


def test_what_a_stem_means_in_one_language_it_does_not_mean_in_another() -> None:
    index = in_languages(("die Autos rasten", "de"), ("to rest and rasted cars", "en"))
    assert found(index, "+rasted") == [2]


def test_names_are_found_in_every_language() -> None:
    index = in_languages((f"{GERMAN} Yerevan", "de"), (f"{ENGLISH} Yerevan", "en"))
    assert sorted(found(index, "+Yerevan")) == [1, 2]


def test_a_part_of_a_compound_finds_it_where_the_model_does_not_read_the_language() -> None:
    index = in_languages((GERMAN, "de"), ("Wir haben nichts zu sagen.", "de"))
    assert found(index, "Wohnung")[0] == 1
    assert found(in_languages((GERMAN, "en")), "Wohnung") == []


def test_a_score_of_a_language_with_grams_stays_below_the_bound() -> None:
    index = in_languages((5 * "Wohnung ", "de"), ("Wohnungen", "de"), (ENGLISH, "en"))
    for asked in ("Wohnung", "Wohnung house", "Wohnung -Haus", "wohn*"):
        scores = index.score(parse(asked), np.array([1, 2, 3]))
        assert (scores >= 0).all()
        assert scores.max() <= index.bound(parse(asked)) + 1e-9


def test_what_the_model_reads_is_told_by_language() -> None:
    index = in_languages((GERMAN, "de"), (ENGLISH, "en"), ("1066", None))
    assert index.readable(np.array([1, 2, 3, 99])).tolist() == [False, True, True, True]


def test_the_vocabulary_counts_paragraphs_and_what_is_deleted_is_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "keyword"
    write(
        folder,
        [
            Document(1, "oil price", "oil in Baku", "Anna Kern"),
            Document(2, "oil", "said Ilham Aliyev"),
            *(Document(key, "", "gas") for key in range(3, 9)),
        ],
    )
    index = WhooshIndex.open(folder)
    found = index.vocabulary()
    assert dict(zip(found.words, found.word_counts, strict=True)) == {
        "gas": 6,
        "oil": 2,
        "price": 1,
        "in": 1,
        "baku": 1,
        "said": 1,
        "ilham": 1,
        "aliyev": 1,
    }
    assert found.words[:2] == ("gas", "oil")
    assert dict(zip(found.names, found.folded, strict=True)) == {
        "Anna Kern": "anna kern",
        "Baku": "baku",
        "Ilham Aliyev": "ilham aliyev",
    }
    index.close()
    with KeywordWriter(folder) as writer:  # a segment of its own
        writer.delete(np.array([2]))
        writer.add(9, "", "gas in Baku", "", "")
    index = WhooshIndex.open(folder)
    found = index.vocabulary()
    assert (found.words[0], found.word_counts[0]) == ("gas", 7)
    assert (found.names[0], found.name_counts[0]) == ("Baku", 2)
    assert [index.has_word(word) for word in ("Baku", "prices", "Aliyev", "said")] == [
        *(True, True, False, False)
    ]
    assert [index.has_name(name) for name in ("Baku", "baku", "Ilham Aliyev")] == [
        True,
        False,
        False,
    ]
    index.close()
