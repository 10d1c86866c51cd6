from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import SettingsError
from indexer.gathering import load_settings
from indexer.settings import Settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_hold_where_nothing_is_said() -> None:
    assert load_settings(environment={}) == Settings()


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    (tmp_path / "winnow.toml").write_text("port = 1\nthreads = 2\ndepth = 30\n")
    settings = load_settings(
        flags={"port": 3}, environment={"WINNOW_PORT": "4", "WINNOW_THREADS": "5", "HOME": "/"}
    )
    assert (settings.port, settings.threads, settings.depth) == (3, 5, 30)


def test_flags_that_were_not_given_do_not_count() -> None:
    assert load_settings(flags={"seeds": None}, environment={}).seeds == Settings().seeds


def test_paths_in_a_file_are_relative_to_that_file(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    file = tmp_path / "below" / "my.toml"
    file.write_text('seeds = "articles"\n')
    assert load_settings(file, environment={}).seeds == tmp_path / "below" / "articles"
    assert load_settings(environment={"WINNOW_CONFIG": str(file)}).seeds == file.parent / "articles"


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"WINNOW_SEEDZ": "x"}, r"WINNOW_SEEDZ: there is no setting named 'seedz'"),
        ({"WINNOW_PORT": "http"}, r"WINNOW_PORT: setting 'port': .*integer"),
        ({"WINNOW_PORT": "70000"}, r"WINNOW_PORT: setting 'port': .*65535"),
        ({"WINNOW_FUSION": "sum"}, r"WINNOW_FUSION: setting 'fusion': .*'convex'"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_origin(
    environment: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        load_settings(environment=environment)


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "winnow.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"winnow\.toml"):
        load_settings(environment={})


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load_settings(tmp_path / "none.toml", environment={})


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())
