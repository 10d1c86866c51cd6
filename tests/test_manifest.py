from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import IndexCorrupt
from indexer.manifest import READABLE, Manifest, SeedRecord, digests, new_id, require_readable

MADE = Manifest(
    id="20250703T053200.000000Z",
    parent=None,
    identity={"model": "m", **READABLE},
    settings={"precision": "auto"},
    versions={"python": "3.11"},
    counts={"articles": 1, "paragraphs": 2},
    seeds=(SeedRecord("größe/a.txt", "00", 5),),
    files={"vectors.faiss": "11", "report.json": "22"},
)


def test_a_manifest_survives_its_json() -> None:
    assert Manifest.from_json(MADE.to_json()) == MADE
    assert MADE.created == dt.datetime(2025, 7, 3, 5, 32, tzinfo=dt.UTC)


@given(data=st.data())
def test_no_altered_byte_goes_unnoticed(data: st.DataObject) -> None:
    content = MADE.to_json().encode()
    place = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    altered = content[:place] + bytes([other]) + content[place + 1 :]
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind, as the caller expects
        Manifest.from_json(altered.decode())


def test_the_digest_is_of_what_lasts() -> None:
    again = replace(
        MADE,
        id="20260703T053200.000000Z",
        parent=MADE.id,
        files={**MADE.files, "report.json": "33"},
    )
    assert again.digest == MADE.digest
    assert again.to_json() != MADE.to_json()
    for other in ({"seeds": ()}, {"files": {}}, {"versions": {}}, {"settings": {}}):
        assert replace(MADE, **other).digest != MADE.digest


@given(after=st.timedeltas(dt.timedelta(0), dt.timedelta(days=300_000)))
def test_a_new_id_is_later_than_any_other(after: dt.timedelta) -> None:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    first = new_id(epoch + after, None)
    assert replace(MADE, id=first).created == epoch + after
    second = new_id(epoch + after, first)
    assert second > first
    assert new_id(epoch, second) > second


def test_another_format_is_refused_with_the_way_out() -> None:
    require_readable(MADE)
    with pytest.raises(IndexCorrupt, match="'0'") as caught:
        require_readable(replace(MADE, identity={**MADE.identity, "format": "0"}))
    assert "winnow build" in caught.value.hint


def test_digests_are_of_all_files_but_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b").write_text("b")
    (tmp_path / "a").write_text("a")
    (tmp_path / "manifest.json").write_text("{}")
    found = digests(tmp_path)
    assert found.keys() == {"a", "deep/b"}
    known = {(tmp_path / "a").stat().st_ino: "known"}
    assert digests(tmp_path, known) == {**found, "a": "known"}
