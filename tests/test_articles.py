from __future__ import annotations

from typing import Any

import pytest

from indexer.articles import Notice, Unusable, from_record, from_text, identify

NATIVE = "Talks  resume\nPublished: 2025-07-03 05:32\n\nThey met. They left.\nBy  The Agency\n"
RECORD: dict[str, Any] = {
    "_id": "r1",
    "title": "\ufeffTalks\nresume",
    "text": "They met. They left.\n\n Nobody won. ",
    "published": "2025-07-03",
    "byline": "By The Agency",
    "source": "Example Times",
    "language": "en",
    "url": "ignored",
}


def test_a_text_becomes_an_article_with_paragraphs_and_sentences() -> None:
    article, notices = from_text(NATIVE, "cp1251", file="a/talks.txt")
    assert notices == []
    assert (article.id, article.source) == (identify("a/talks.txt"), "a/talks.txt")
    assert (article.title, article.byline) == ("Talks resume", "The Agency")
    assert (article.published, article.encoding) == ("2025-07-03T05:32:00", "cp1251")
    (paragraph,) = article.paragraphs
    assert (paragraph.number, paragraph.text) == (1, "They met. They left.")
    assert NATIVE[paragraph.start : paragraph.end] == paragraph.text
    assert [paragraph.text[start:end] for start, end in paragraph.sentences] == [
        "They met.",
        "They left.",
    ]


def test_an_id_is_sixteen_digits_that_depend_on_the_source_only() -> None:
    # sha256 as coreutils' sha256sum gives it.
    assert identify("a.txt") == "18b7cb099a9ea3f5"
    edited, _ = from_text(NATIVE + "More.", "utf-8", file="a.txt")
    assert edited.id == identify("a.txt")


def test_the_date_is_in_the_file_name_where_the_text_has_none() -> None:
    text = "Talks resume\n\nThey met."
    assert from_text(text, "utf-8", file="2024-01-01/2025-08-08-x.txt")[0].published == "2025-08-08"
    assert from_text(text, "utf-8", file="2024-01-01/x.txt")[0].published is None


def test_a_published_line_without_a_date_is_noticed_with_its_line_and_kept_out_of_the_text() -> (
    None
):
    text = "\r\nTalks resume\r\nPublished: last Monday\r\n\r\nThey met."
    article, notices = from_text(text, "utf-8", file="2025-08-08.txt")
    assert article.published is None
    assert [paragraph.text for paragraph in article.paragraphs] == ["They met."]
    (notice,) = notices
    assert (notice.file, notice.line) == ("2025-08-08.txt", 3)
    assert "'last Monday'" in notice.reason


def test_a_text_without_visible_characters_is_unusable() -> None:
    with pytest.raises(Unusable, match="empty"):
        from_text(" \n\ufeff", "utf-8", file="a.txt")


def test_a_record_becomes_an_article_with_a_paragraph_for_each_line() -> None:
    article, notices = from_record(RECORD, file="b.jsonl", line=7)
    assert notices == []
    assert (article.id, article.source) == (identify("b.jsonl#r1"), "b.jsonl#r1")
    assert (article.title, article.published) == ("Talks resume", "2025-07-03")
    assert (article.byline, article.publisher) == ("The Agency", "Example Times")
    assert (article.language, article.encoding) == ("en", "utf-8")
    texts = [(p.number, p.text, RECORD["text"][p.start : p.end]) for p in article.paragraphs]
    assert texts == [
        (1, "They met. They left.", "They met. They left."),
        (2, "Nobody won.", "Nobody won."),
    ]


def test_a_record_needs_nothing_but_its_text() -> None:
    article, notices = from_record({"text": "They met.", "title": None}, file="b.jsonl", line=7)
    assert notices == []
    assert article.source == "b.jsonl#7"
    assert article.title == ""
    assert {article.published, article.byline, article.publisher} == {None}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"_id": "a", "id": "b"}, "a"),
        ({"_id": None, "id": "b"}, "b"),
        ({"id": 0}, "0"),
        ({"_id": 17}, "17"),
        ({"_id": ""}, "7"),
    ],
)
def test_the_id_of_a_record_is_under_either_name(keys: dict[str, object], expected: str) -> None:
    article, _ = from_record({"text": "They met.", **keys}, file="b.jsonl", line=7)
    assert article.source == f"b.jsonl#{expected}"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"metadata": {"date": "2022-06-15"}}, "2022-06-15"),
        ({"published": "2025-07-03", "metadata": {"date": "2022-06-15"}}, "2025-07-03"),
        ({"published": "", "metadata": "2022-06-15"}, None),
    ],
)
def test_the_metadata_of_beir_may_have_the_date(
    keys: dict[str, object], expected: str | None
) -> None:
    article, notices = from_record({"text": "They met.", **keys}, file="b.jsonl", line=1)
    assert (article.published, notices) == (expected, [])


def test_a_record_with_an_unreadable_date_is_kept_and_noticed() -> None:
    record = {"text": "They met.", "published": "3 July"}
    article, (notice,) = from_record(record, file="b.jsonl", line=7)
    assert article.published is None
    assert notice == Notice("b.jsonl", 7, notice.reason)
    assert "'3 July'" in notice.reason


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (["text"], "not a JSON object"),
        (None, "not a JSON object"),
        ({}, "text is missing or empty"),
        ({"text": " \n\u200b"}, "text is missing or empty"),
        ({"text": 5}, "text is not a string"),
        ({"text": "a", "title": ["b"]}, "title is not a string"),
        ({"text": "a", "published": 20250703}, "published is not a string"),
        ({"text": "a", "_id": True}, "_id is not a string"),
        ({"text": "a", "id": 1.5}, "id is not a string"),
        ({"text": "half \ud83d"}, "text has half a surrogate pair at character 5"),
        ({"text": "a", "_id": "\udc00"}, "_id has half a surrogate pair"),
        ({"text": "a\0b"}, "text is binary"),
    ],
)
def test_a_record_that_is_no_article_is_unusable_with_the_reason(
    record: object, reason: str
) -> None:
    with pytest.raises(Unusable, match=reason):
        from_record(record, file="b.jsonl", line=1)


def test_a_record_of_a_title_alone_is_found_by_it_as_a_file_is() -> None:
    article, _ = from_record({"_id": "1", "title": "Only a headline"}, file="a.jsonl", line=1)
    assert [paragraph.text for paragraph in article.paragraphs] == ["Only a headline"]


@pytest.mark.parametrize(
    ("text", "stated", "language"),
    [
        ("Wer hat einen dritten Betreiber für die Anlage vorgeschlagen?", None, "de"),
        ("Кто предложил третьего оператора для этой дороги?", "", "ru"),
        ("The talks ended without an agreement on Thursday.", None, "en"),
        ("The talks ended without an agreement on Thursday.", "pt-BR", "pt"),
        ("The talks ended without an agreement on Thursday.", "Portuguese", "en"),
        ("1066.", None, None),
    ],
)
def test_the_language_is_the_one_stated_or_detected(
    text: str, stated: str | None, language: str | None
) -> None:
    article, _ = from_record({"text": text, "language": stated}, file="b.jsonl", line=1)
    assert article.language == language


def test_the_language_of_a_file_is_that_of_its_paragraphs_whatever_its_title() -> None:
    body = "Die Gespräche endeten am Donnerstag ohne Einigung über den Betreiber."
    article, _ = from_text(f"Super Bowl 50\n\n{body}\n", "utf-8", file="a.txt")
    assert article.language == "de"
