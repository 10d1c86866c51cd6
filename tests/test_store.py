from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import IndexCorrupt, NotFound
from indexer.filters import Filters, Period
from indexer.store import ArticleStore, Coverage
from indexer.storing import StoreWriter, paragraph_key
from indexer.types import Article, Attribution, Paragraph, Span

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def article(
    name: str,
    *paragraphs: str,
    published: str | None = None,
    byline: str | None = None,
    publisher: str | None = None,
) -> Article:
    return Article(
        id=name,
        source=f"{name}.txt",
        title=f"Title of {name}",
        published=published,
        byline=byline,
        publisher=publisher,
        language=None,
        encoding="utf-8",
        paragraphs=tuple(
            Paragraph(number, 0, len(text), text, (Span(0, len(text)),))
            for number, text in enumerate(paragraphs, start=1)
        ),
    )


def store_of(folder: Path, *articles: Article) -> ArticleStore:
    path, segments = folder / "articles.sqlite", folder / "segments"
    path.unlink(missing_ok=True)
    shutil.rmtree(segments, ignore_errors=True)
    writer = StoreWriter(path, segments, 4)
    for each in articles:
        add(writer, each)
    writer.finish()
    writer.close()
    return ArticleStore(path, segments)


def add(writer: StoreWriter, each: Article, value: float = 0.5) -> None:
    writer.add_article(each, each.source, np.ones((1, 4), dtype=np.float32))
    for paragraph in each.paragraphs:
        vectors = np.full((len(paragraph.sentences), 4), value, dtype=np.float32)
        writer.add_paragraph(each, paragraph, vectors, 1)


def keys_of(*names: str) -> list[int]:
    return [paragraph_key(name.rstrip("0123456789"), int(name[-1])) for name in names]


@settings(deadline=None, max_examples=30)
@given(paragraphs=st.lists(texts, min_size=1, max_size=5))
def test_an_article_comes_back_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, paragraphs: list[str]
) -> None:
    original = article("a", *paragraphs, published="2025-07-03")
    store = store_of(tmp_path_factory.getbasetemp(), original)
    assert store.article("a") == original
    assert store.counts() == (1, len(paragraphs))
    keys = [paragraph_key("a", number) for number in range(1, len(paragraphs) + 1)]
    assert store.keys().tolist() == sorted(keys)
    assert [p.paragraph for p in store.passages(keys[:1])] == [original.paragraphs[0]]
    assert store.passage("a", len(paragraphs)).paragraph == original.paragraphs[-1]
    store.close()


def test_passages_come_in_the_order_asked_for(tmp_path: Path) -> None:
    store = store_of(tmp_path, article("a", "one", "two"), article("b", "three"))
    three, one = keys_of("b1", "a1")
    found = [(p.key, p.paragraph.text, p.article.id) for p in store.passages([three, one])]
    assert found == [(three, "three", "b"), (one, "one", "a")]
    store.close()


def test_sentence_vectors_come_back_in_half_precision(tmp_path: Path) -> None:
    store = store_of(tmp_path, article("a", "one"))
    (vectors,) = store.sentence_vectors(keys_of("a1"))
    assert vectors.sentences.tolist() == [[0.5] * 4]
    assert vectors.title.tolist() == [[1.0] * 4]
    assert vectors.sentences.dtype == np.float32
    store.close()


def test_articles_are_listed_newest_first_and_those_without_a_date_last(tmp_path: Path) -> None:
    store = store_of(
        tmp_path,
        article("old", "x", published="2020-01-01"),
        article("undated", "x"),
        article("late", "x", "y", published="2025-07-03T05:32:00"),
        article("early", "x", published="2025-07-03"),
    )
    assert [a.id for a, _ in store.articles(10)] == ["late", "early", "old", "undated"]
    assert [count for _, count in store.articles(1)] == [2]
    assert [a.id for a, _ in store.articles(2, offset=2)] == ["old", "undated"]
    store.close()


def of_days(after: str | None, before: str | None) -> Filters:
    first, last = (dt.date.fromisoformat(day) if day else None for day in (after, before))
    return Filters((Period(first, last),))


def matching(store: ArticleStore, filters: Filters) -> list[int]:
    keys = store.matching(filters)
    assert keys is not None
    return keys.tolist()


@pytest.mark.parametrize(
    ("after", "before", "keys"),
    [
        ("2025-07-03", None, ["b1"]),
        (None, "2025-07-02", ["a1"]),
        ("2020-01-01", "2025-07-03", ["a1", "b1"]),
        ("2025-07-04", None, []),
        (None, "0001-01-01", []),
    ],
)
def test_a_range_of_days_includes_both_ends_and_no_undated_article(
    tmp_path: Path, after: str | None, before: str | None, keys: list[str]
) -> None:
    store = store_of(
        tmp_path,
        article("a", "x", published="2020-01-01"),
        article("b", "x", published="2025-07-03T23:59:00"),
        article("c", "x"),
    )
    assert matching(store, of_days(after, before)) == sorted(keys_of(*keys))
    store.close()


def test_a_day_is_that_of_the_articles_own_time_zone(tmp_path: Path) -> None:
    store = store_of(
        tmp_path,
        article("early", "x", published="2025-07-03T01:00:00+02:00"),
        article("late", "x", published="2025-07-02T23:30:00-05:00"),
    )
    assert matching(store, of_days("2025-07-03", "2025-07-03")) == keys_of("early1")
    assert matching(store, of_days("2025-07-02", "2025-07-02")) == keys_of("late1")
    store.close()


def told_apart() -> tuple[Article, ...]:
    url = "https://www.Example.org/2025/x.html"
    return (
        article("a", "x", "y", published="2025-07-03", byline="Anna Kern", publisher=url),
        article("b", "x", published="2025-07-04", byline="anna kern", publisher="Agency"),
        article("c", "x", published="2025-08-01", byline="AFP", publisher="agency"),
        article("d", "x"),
    )


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        (Filters(source="EXAMPLE.org"), ["a1", "a2"]),
        (Filters(source="Agency"), ["b1", "c1"]),
        (Filters(author="anna KERN"), ["a1", "a2", "b1"]),
        (Filters(author="anna"), []),
        (Filters(month="2025-07"), ["a1", "a2", "b1"]),
        (Filters(of_days("2025-07-04", None).periods, month="2025-07"), ["b1"]),
        (Filters(of_days("2025-08-01", None).periods, month="2025-07"), []),
        (Filters(month="2025-07", author="Anna Kern", source="agency"), ["b1"]),
        (Filters(source="' OR 1=1 --"), []),
    ],
)
def test_filters_hold_all_together(tmp_path: Path, filters: Filters, keys: list[str]) -> None:
    store = store_of(tmp_path, *told_apart())
    assert matching(store, filters) == sorted(keys_of(*keys))
    store.close()


def test_without_a_filter_there_is_nothing_to_choose(tmp_path: Path) -> None:
    store = store_of(tmp_path, *told_apart())
    assert store.matching(Filters()) is None
    store.close()


def test_facets_count_paragraphs_the_most_frequent_first(tmp_path: Path) -> None:
    store = store_of(tmp_path, *told_apart())
    assert store.facets(store.keys().tolist(), 10) == {
        "source": [("Agency", 2), ("example.org", 2)],
        "author": [("Anna Kern", 3), ("AFP", 1)],
        "month": [("2025-07", 3), ("2025-08", 1)],
    }
    first = {"source": [("Agency", 2)], "author": [("Anna Kern", 2)], "month": [("2025-07", 2)]}
    assert store.facets(keys_of("a1", "b1", "c1", "d1"), 1) == first
    assert store.facets([], 10) == {"source": [], "author": [], "month": []}
    store.close()


def test_a_facet_counts_what_its_filter_finds(tmp_path: Path) -> None:
    store = store_of(tmp_path, *told_apart())
    for name, values in store.facets(store.keys().tolist(), 10).items():
        for value, count in values:
            assert len(matching(store, replace(Filters(), **{name: value}))) == count
    store.close()


def test_coverage_says_how_a_period_lies_among_the_dates(tmp_path: Path) -> None:
    store = store_of(tmp_path, *told_apart())
    first = dt.date(2025, 7, 3)
    assert store.coverage(Period(None, dt.date(2025, 7, 31))) == Coverage(2, 3, first)
    assert store.coverage(Period(dt.date(2026, 1, 1), None)) == Coverage(0, 3, first)
    store.close()
    undated = store_of(tmp_path, article("d", "x"))
    assert undated.coverage(Period(None, None)) == Coverage(0, 0, None)
    undated.close()


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    store = store_of(tmp_path, article("a", "one"))
    with pytest.raises(NotFound):
        store.article("b")
    with pytest.raises(NotFound):
        store.passage("a", 2)
    store.close()


def test_a_missing_store_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(IndexCorrupt):
        ArticleStore(tmp_path / "articles.sqlite", tmp_path)


def test_going_on_takes_over_what_stays_and_copies_what_is_worn(tmp_path: Path) -> None:
    path, segments = tmp_path / "articles.sqlite", tmp_path / "segments"
    many = article("many", *(f"Text {number}." for number in range(30)))
    store_of(tmp_path, many, article("few", "one", "two")).close()
    first = (segments / "000001").read_bytes()
    writer = StoreWriter(path, segments, 4)
    assert writer.digests("few.txt").keys() == {"few"}
    assert sorted(writer.remove("few").tolist()) == sorted(keys_of("few1", "few2"))
    add(writer, article("new", "three"), 0.25)
    writer.finish()
    writer.close()
    assert (segments / "000001").read_bytes() == first
    store = ArticleStore(path, segments)
    vectors = store.sentence_vectors([*keys_of("new1"), paragraph_key("many", 30)])
    assert [v.sentences.tolist() for v in vectors] == [[[0.25] * 4], [[0.5] * 4]]
    store.close()
    writer = StoreWriter(path, segments, 4)
    writer.remove("many")
    writer.finish()
    assert writer.counts() == (1, 1, 0)
    writer.close()
    assert [each.name for each in segments.iterdir()] == ["000002"]
    store = ArticleStore(path, segments)
    assert store.sentence_vectors(keys_of("new1"))[0].sentences.tolist() == [[0.25] * 4]
    store.close()


def test_what_was_embedded_is_given_back(tmp_path: Path) -> None:
    store_of(tmp_path, article("a", "one", "two")).close()
    writer = StoreWriter(tmp_path / "articles.sqlite", tmp_path / "segments", 4)
    stored = writer.stored("a")
    assert stored.texts == ("Title of a", "one", "two")
    assert stored.vectors.tolist() == [[1.0] * 4, [0.5] * 4, [0.5] * 4]
    assert sorted(stored.whole) == sorted(zip(keys_of("a1", "a2"), ["one", "two"], strict=True))
    writer.close()


def test_a_missing_or_short_segment_is_named(tmp_path: Path) -> None:
    store_of(tmp_path, article("a", "one", "two")).close()
    for harm in ("short", "missing"):
        segment = tmp_path / "segments" / "000001"
        segment.write_bytes(segment.read_bytes()[:8]) if harm == "short" else segment.unlink()
        store = ArticleStore(tmp_path / "articles.sqlite", tmp_path / "segments")
        with pytest.raises(IndexCorrupt, match="000001"):
            store.sentence_vectors(keys_of("a2"))
        store.close()


def quoting(folder: Path, *texts: str) -> ArticleStore:
    """A store of one article in which the first word of each text says the rest."""
    original = article("a", *texts)
    path, segments = folder / "articles.sqlite", folder / "segments"
    writer = StoreWriter(path, segments, 4)
    writer.add_article(original, original.source, np.ones((1, 4), dtype=np.float32))
    for paragraph in original.paragraphs:
        end = paragraph.text.index(":")
        said = Attribution((Span(end + 2, len(paragraph.text)),), Span(0, end), Span(end, end + 1))
        vectors = np.ones((1, 4), dtype=np.float32)
        writer.add_paragraph(original, paragraph, vectors, 1, [said])
    writer.finish()
    assert writer.attributions() == len(texts)
    writer.close()
    return ArticleStore(path, segments)


def test_attributions_come_back_as_they_went_in(tmp_path: Path) -> None:
    store = quoting(tmp_path, "Anna Kern: It is late.", "He: No.")
    assert store.attributed() == 2
    [first] = store.attributions(keys_of("a1")[0])
    assert first == Attribution((Span(11, 22),), Span(0, 9), Span(9, 10))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Kern", ["a1", "a2"]),
        ("ANNA kern", ["a1"]),
        ("kern anna", ["a1"]),
        ("Ker", []),
        ("Muller", ["a3"]),
        ("Müller's", ["a3"]),
        ("%", []),
        ("late", []),
    ],
)
def test_paragraphs_are_found_by_words_of_the_speakers_name(
    tmp_path: Path, name: str, found: list[str]
) -> None:
    store = quoting(
        tmp_path, "Anna Kern: It is late.", "Mr. Kern's office: Kern is away.", "Müller: Anna Kern!"
    )
    keys = store.matching(Filters(said_by=name))
    assert keys is not None
    assert keys.tolist() == sorted(keys_of(*found))


def test_a_speaker_and_a_day_are_asked_for_together(tmp_path: Path) -> None:
    store = quoting(tmp_path, "Anna Kern: It is late.")
    day = Period(dt.date(2025, 1, 1), None)
    both = store.matching(Filters(periods=(day,), said_by="Kern"))
    assert both is not None
    assert both.tolist() == []


def test_what_is_removed_says_nothing_any_more(tmp_path: Path) -> None:
    quoting(tmp_path, "Anna Kern: It is late.").close()
    writer = StoreWriter(tmp_path / "articles.sqlite", tmp_path / "segments", 4)
    writer.remove("a")
    assert writer.attributions() == 0
    writer.close()
