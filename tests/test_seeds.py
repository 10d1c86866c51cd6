from __future__ import annotations

import codecs
import hashlib
import json
import os
import shutil
import socket
import time
import tracemalloc
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.articles import Notice
from indexer.errors import SeedsError
from indexer.punctuation import SPACE
from indexer.seeds import SETTLE, SeedFile, digest, list_seeds, read_seed, settled
from indexer.types import Article, Skipped

ARTICLE = "Talks resume\nPublished: 2025-07-03 05:32\n\nThey met.\nThey left.\nBy The Agency\n"


def write(folder: Path, name: str, data: bytes | str = ARTICLE) -> SeedFile:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    status = path.stat()
    return SeedFile(name, path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def write_records(folder: Path, *records: dict[str, Any] | str) -> SeedFile:
    lines = (json.dumps(item) if isinstance(item, dict) else item for item in records)
    return write(folder, "bulk.jsonl", "".join(f"{line}\n" for line in lines))


def skipped(seed: SeedFile, **limits: int) -> list[tuple[int | None, str]]:
    """Line and reason of all that was skipped, which is all there is."""
    items = list(read_seed(seed, **limits))
    assert all(isinstance(item, Skipped) and item.file == seed.name for item in items)
    return [(item.line, item.reason) for item in items if isinstance(item, Skipped)]


# Listing.


def test_files_are_listed_in_any_depth_in_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/b/c/no-suffix", "Ä.jsonl", "a.txt"):
        write(tmp_path, name)
    listing = list_seeds(tmp_path)
    assert [file.name for file in listing.files] == [
        *("a.txt", "a/b/c/no-suffix", "a/z.md", "b.txt", "Ä.jsonl"),
    ]
    assert listing.skipped == ()
    first = listing.files[0]
    status = (tmp_path / "a.txt").stat()
    assert first == SeedFile(
        "a.txt", first.path, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )
    assert first.path.samefile(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "name",
    [".hidden.txt", ".git/config.txt", "a.txt~", ".a.txt.swp", "a.swp", "b/a.TMP", "a.txt.part"],
)
def test_hidden_files_and_leftovers_are_ignored(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    listing = list_seeds(tmp_path)
    assert (listing.files, listing.skipped) == ((), ())


def test_a_link_to_a_file_of_the_folder_is_a_file_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, ".data/a.txt")
    (tmp_path / "a.txt").symlink_to(Path(".data") / "a.txt")
    (file,) = list_seeds(tmp_path).files
    assert file.name == "a.txt"
    assert [type(item) for item in read_seed(file)] == [Article]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, "real/a.txt")
    (tmp_path / "seeds").symlink_to("real")
    assert [file.name for file in list_seeds(tmp_path / "seeds").files] == ["a.txt"]


def test_links_to_elsewhere_to_folders_and_to_nowhere_are_skipped_with_the_reason(
    tmp_path: Path,
) -> None:
    write(tmp_path, "outside/secret.txt")
    seeds = tmp_path / "seeds"
    write(seeds, "a/kept.txt")
    (seeds / "outside.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    (seeds / "outside").symlink_to(tmp_path / "outside")
    (seeds / "a" / "up").symlink_to(seeds)
    (seeds / "nowhere.txt").symlink_to("missing.txt")
    (seeds / "self.txt").symlink_to("self.txt")
    listing = list_seeds(seeds)
    assert [file.name for file in listing.files] == ["a/kept.txt"]
    assert {item.file: item.reason for item in listing.skipped} == {
        "a/up": "a link to a folder; only links to files are followed",
        "nowhere.txt": "cannot be read: No such file or directory",
        "outside": "a link to outside the seeds folder",
        "outside.txt": "a link to outside the seeds folder",
        "self.txt": "cannot be read: Too many levels of symbolic links",
    }


def test_pipes_and_sockets_are_skipped_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.txt"))
        listing = list_seeds(tmp_path)
    assert listing.files == ()
    assert listing.skipped == (
        Skipped("pipe.txt", None, "not a regular file"),
        Skipped("socket.txt", None, "not a regular file"),
    )


def test_names_that_cannot_be_written_down_or_told_apart_are_skipped(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))).write_text(ARTICLE)
    write(tmp_path, "bulk.jsonl#1")
    listing = list_seeds(tmp_path)
    assert listing.files == ()
    assert listing.skipped == (
        Skipped("bulk.jsonl#1", None, "its name looks like a record of a .jsonl file"),
        Skipped("caf\\xe9.txt", None, "its name is not valid UTF-8"),
    )


def test_a_folder_that_refuses_to_be_listed_is_skipped_and_the_rest_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.txt")
    write(tmp_path, "locked/b.txt")
    scandir = os.scandir

    def refuse(folder: str | Path) -> Any:
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_seeds(tmp_path)
    assert [file.name for file in listing.files] == ["a.txt"]
    assert listing.skipped == (Skipped("locked", None, "cannot be read: Permission denied"),)


def test_a_missing_folder_or_a_file_in_its_place_is_an_error_with_a_hint(tmp_path: Path) -> None:
    write(tmp_path, "file.txt")
    for folder in (tmp_path / "missing", tmp_path / "file.txt"):
        with pytest.raises(SeedsError, match="cannot be read") as caught:
            list_seeds(folder)
        assert "--seeds" in caught.value.hint


# Whether a file is complete.


def listed(folder: Path) -> SeedFile:
    (seed,) = list_seeds(folder).files
    return seed


def test_a_file_is_settled_when_its_last_write_is_long_enough_ago(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    seed = listed(tmp_path)
    written = seed.mtime_ns / 1e9
    assert seed.ctime_ns == seed.mtime_ns
    assert not settled(seed, written, SETTLE)
    assert not settled(seed, written + SETTLE - 0.01, SETTLE)
    assert settled(seed, written + SETTLE + 0.01, SETTLE)
    assert settled(seed, written, 0.0)


def test_a_clock_that_is_ahead_delays_a_file_but_not_for_ever(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    seed = listed(tmp_path)
    written = seed.mtime_ns / 1e9
    assert not settled(seed, written - SETTLE / 2, SETTLE)
    assert settled(seed, written - 3600, SETTLE)


def test_a_file_renamed_into_place_is_settled_at_once_until_it_is_written_again(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "0.part").path
    until = time.monotonic() + 10
    while path.stat().st_ctime_ns == path.stat().st_mtime_ns:  # A clock ticks every few ms.
        path = path.rename(path.with_name("a.txt"))
        assert time.monotonic() < until
    seed = listed(tmp_path)
    assert settled(seed, seed.mtime_ns / 1e9, SETTLE)
    with path.open("a") as stream:
        stream.write("More.\n")
    seed = listed(tmp_path)
    assert not settled(seed, seed.mtime_ns / 1e9, SETTLE)


def test_a_file_stamped_after_its_last_write_is_settled_at_once(tmp_path: Path) -> None:
    original = write(tmp_path, ".original").path
    os.utime(original, (1e9, 1e9))
    shutil.copy2(original, tmp_path / "a.txt")
    seed = listed(tmp_path)
    assert settled(seed, seed.ctime_ns / 1e9, SETTLE)
    recent = seed.ctime_ns / 1e9 - 0.1
    os.utime(seed.path, (recent, recent))
    assert settled(listed(tmp_path), recent, SETTLE)


# Articles.


def test_the_users_own_article_is_read_as_it_is_written(shared: Path) -> None:
    (seed,) = list_seeds(shared / "seeds").files
    (article,) = read_seed(seed)
    assert isinstance(article, Article)
    assert article.title.startswith("Carnegie Endowment: U.S. may pressure Azerbaijan")
    assert article.published == "2025-07-03T05:32:00"
    assert article.byline == "Azerbaijani-Israeli Alliance Global News"
    assert len(article.paragraphs) == 3
    text = seed.path.read_bytes().decode(article.encoding)
    assert all(text[p.start : p.end] == p.text for p in article.paragraphs)


@pytest.mark.parametrize("name", ["a.txt", "b.md", "c.text", "no-suffix", "odd.docx"])
def test_a_file_of_text_is_an_article_whatever_its_suffix(tmp_path: Path, name: str) -> None:
    (article,) = read_seed(write(tmp_path, name))
    assert isinstance(article, Article)
    assert (article.source, article.title, len(article.paragraphs)) == (name, "Talks resume", 2)


def test_a_guessed_encoding_is_noticed(tmp_path: Path) -> None:
    text = "Переговоры продолжены\n\nСтороны договорились обменяться данными о грузах.\n" * 3
    notice, article = read_seed(write(tmp_path, "a.txt", text.encode("cp1251")))
    assert notice == Notice("a.txt", None, "encoding guessed: cp1251")
    assert isinstance(article, Article)
    assert article.encoding == "cp1251"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "a PNG image, not text"),
        (b"A title\0\n", "binary"),
    ],
)
def test_a_file_that_is_no_article_is_skipped_with_the_reason(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    ((line, found),) = skipped(write(tmp_path, "a.txt", data))
    assert line is None
    assert reason in found


def test_a_file_over_the_limit_is_skipped_and_the_limit_named(tmp_path: Path) -> None:
    seed = write(tmp_path, "a.txt", b"x" * (2**20 + 1))
    assert skipped(seed, text_limit=2**20) == [(None, "larger than the limit of 1 MiB")]
    assert [type(item) for item in read_seed(seed, text_limit=2**20 + 1)] == [Article]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_file_that_vanishes_or_turns_into_a_pipe_is_skipped(tmp_path: Path, name: str) -> None:
    seed = write(tmp_path, name)
    seed.path.unlink()
    assert skipped(seed) == [(None, "cannot be read: No such file or directory")]
    os.mkfifo(seed.path)
    assert skipped(seed) == [(None, "cannot be read: not a regular file")]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_file_that_loses_its_permission_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    seed = write(tmp_path, name)

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert skipped(seed) == [(None, "cannot be read: Permission denied")]


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    seed = write(tmp_path, "a.txt", "Title\r\n")
    assert digest(seed) == hashlib.sha256(b"Title\r\n").hexdigest()
    seed.path.unlink()
    with pytest.raises(FileNotFoundError):
        digest(seed)


# Bulk files.


def test_each_line_of_a_bulk_file_is_an_article(tmp_path: Path) -> None:
    seed = write_records(
        tmp_path, {"_id": "x", "title": "T", "text": "One.\nTwo."}, "", "  ", {"text": "Three."}
    )
    articles = [item for item in read_seed(seed) if isinstance(item, Article)]
    assert [article.source for article in articles] == ["bulk.jsonl#x", "bulk.jsonl#4"]
    assert [len(article.paragraphs) for article in articles] == [2, 1]


def test_a_bulk_file_may_begin_with_a_mark_and_end_without_a_line_end(tmp_path: Path) -> None:
    data = codecs.BOM_UTF8 + b'{"id": 1, "text": "a"}\r\n{"id": 2, "text": "b"}'
    seed = write(tmp_path, "b.JSONL", data)
    assert [item.source for item in read_seed(seed) if isinstance(item, Article)] == [
        "b.JSONL#1",
        "b.JSONL#2",
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "a"', "malformed JSON: Expecting ',' delimiter at character 12"),
        ("not JSON", "malformed JSON"),
        ('{"text": "a"} {"text": "b"}', "malformed JSON: Extra data"),
        ("[" * 100_000, "malformed JSON: nested too deeply"),
        ('{"text": "a", "n": ' + "9" * 5000 + "}", "malformed JSON"),
        ('["a"]', "not a JSON object"),
        ('{"text": "half \\ud83d"}', "half a surrogate pair"),
        ('{"title": " "}', "text is missing or empty"),
        ('{"_id": "first", "text": "again"}', "an earlier line has the same id"),
        ('{"_id": 4, "text": "' + "x" * 150_000 + '"}', "longer than the limit of 0.125 MiB"),
    ],
)
def test_a_bad_line_is_skipped_with_its_number_and_the_others_are_read(
    tmp_path: Path, line: str, reason: str
) -> None:
    seed = write_records(tmp_path, {"_id": "first", "text": "a"}, line, {"_id": "l", "text": "b"})
    first, second, third = read_seed(seed, text_limit=2**17)
    assert isinstance(first, Article)
    assert isinstance(third, Article)
    assert isinstance(second, Skipped)
    assert (second.file, second.line) == ("bulk.jsonl", 2)
    assert reason in second.reason


def test_a_line_that_is_not_utf8_is_skipped_with_its_number(tmp_path: Path) -> None:
    seed = write(tmp_path, "b.jsonl", b'\n{"text": "caf\xe9"}\n')
    assert skipped(seed) == [(2, "not UTF-8 at byte 13")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\x1f\x8b\x08\x00" + bytes(99), "a gzip archive, not text"),
        ('{"text": "a"}'.encode("utf-16"), "encoded as utf-16; JSON lines are UTF-8"),
    ],
)
def test_a_bulk_file_without_any_usable_line_is_skipped_as_a_whole(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    assert skipped(write(tmp_path, "b.jsonl", data)) == [(None, reason)]


def test_a_bulk_file_over_its_limit_is_skipped(tmp_path: Path) -> None:
    seed = write_records(tmp_path, {"text": "x" * 2**20})
    assert skipped(seed, bulk_limit=2**20) == [(None, "larger than the limit of 1 MiB")]


def test_memory_does_not_grow_with_a_bulk_file(tmp_path: Path) -> None:
    record = {"text": "word " * 2000}
    seed = write_records(tmp_path, *[record] * 1000, "x" * 10_000_000)
    assert seed.size > 15_000_000
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_seed(seed, text_limit=2**16))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 1001
    assert peak < 4_000_000


# For every file: what is shown can be found again in it.

LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\f", "\x85", "\u2028", "\u2029", "\n\n"])
WORDS = st.one_of(
    st.sampled_from(["Published:", "2025-07-03", "By", "“Yes.”", "Mr.", "\t", "\xa0", "\ufeff"]),
    st.text(max_size=8),
    st.text("абвгд. ", max_size=40),
    st.just("word " * 300),
)
TEXTS = st.lists(st.one_of(WORDS, LINE_ENDS), max_size=40).map("".join)
ENCODINGS = st.sampled_from(
    ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1251", "cp1252", "gb18030"]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seeds")


def check_slices(article: Article, text: str) -> None:
    last = 0
    for number, paragraph in enumerate(article.paragraphs, start=1):
        assert paragraph.number == number
        assert last <= paragraph.start < paragraph.end
        assert text[paragraph.start : paragraph.end] == paragraph.text
        assert paragraph.text == paragraph.text.strip(SPACE)
        assert paragraph.sentences[0].start == 0
        assert paragraph.sentences[-1].end == len(paragraph.text)
        last = paragraph.end


@given(
    st.one_of(
        st.builds(lambda t, e: t.encode(e, "ignore"), TEXTS, ENCODINGS), st.binary(max_size=300)
    )
)
def test_any_file_is_read_so_that_its_paragraphs_are_slices_of_it(
    folder: Path, data: bytes
) -> None:
    *notices, last = read_seed(write(folder, "any.txt", data))
    assert all(isinstance(item, Notice) and item.file == "any.txt" for item in notices)
    if isinstance(last, Article):
        assert last.paragraphs
        check_slices(last, data.decode(last.encoding))
    else:
        assert isinstance(last, Skipped)
        assert last.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
RECORDS = st.fixed_dictionaries(
    {"text": TEXTS},
    optional=dict.fromkeys(("_id", "id", "title", "published", "byline", "metadata"), JSON),
)


@given(st.lists(st.one_of(RECORDS, JSON), max_size=5))
def test_every_line_of_any_bulk_file_ends_in_an_article_or_a_reason(
    folder: Path, records: list[Any]
) -> None:
    lines = [json.dumps(record) for record in records] or [""]
    seed = write(folder, "any.jsonl", "\n".join(lines))
    items = [item for item in read_seed(seed) if not isinstance(item, Notice)]
    assert len(items) == max(1, len(records))
    for record, item in zip(records, items, strict=False):
        if isinstance(item, Article):
            check_slices(item, record["text"])
    sources = [item.source for item in items if isinstance(item, Article)]
    assert len(sources) == len(set(sources))
