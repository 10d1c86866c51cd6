from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.errors import SettingsError
from indexer.gathering import gather, load_settings
from indexer.settings import Settings
from service.configuration import written


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


def test_each_value_comes_with_its_origin(tmp_path: Path) -> None:
    (tmp_path / "winnow.toml").write_text("# mine\n\ndepth = 30\nthreads = 2\n'k1' = 0.7\n")
    gathered = gather(
        flags={"port": 3, "host": None},
        environment={"WINNOW_THREADS": "5", "WINNOW_B": "0.5"},
        assignments=["b=0.25", "port=9"],
    )
    assert gathered.origins == {
        "depth": "winnow.toml line 3",
        "threads": "WINNOW_THREADS",
        "k1": "winnow.toml line 5",
        "b": "--set b",
        "port": "--port",
    }
    settings = gathered.settings
    assert (settings.depth, settings.threads, settings.k1) == (30, 5, 0.7)
    assert (settings.b, settings.port) == (0.25, 3)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_can_be_given_in_all_three_ways(name: str, tmp_path: Path) -> None:
    value = {"model": "m", "host": "h"}.get(name, getattr(Settings(), name))
    text = written(value)
    quoted = text if isinstance(value, int | float) else f'"{text}"'
    (tmp_path / "winnow.toml").write_text(f"{name} = {quoted}\n")
    variable = f"WINNOW_{name.upper()}"
    assert gather(environment={}).origins == {name: "winnow.toml line 1"}
    assert gather(environment={variable: text}).origins == {name: variable}
    assigned = gather(environment={variable: text}, assignments=[f"{name}={text}"])
    assert assigned.origins == {name: f"--set {name}"}
    assert written(getattr(assigned.settings, name)) == text


@pytest.mark.parametrize("line", ["seedz = 1", "Seeds = 1", "[seedz]\na = 1", "seeds_ = 'x'"])
def test_an_unknown_name_in_the_file_is_refused_with_the_one_that_was_meant(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / "winnow.toml").write_text(f"port = 1\n{line}\n")
    with pytest.raises(SettingsError, match=r"winnow\.toml line 2: there is no setting") as error:
        load_settings(environment={})
    assert error.value.hint.startswith("Did you mean seeds?")


def test_what_resembles_nothing_is_refused_with_the_list_alone() -> None:
    with pytest.raises(SettingsError, match="WINNOW_XYZZY") as error:
        load_settings(environment={"WINNOW_XYZZY": "1"})
    assert error.value.hint.startswith("Settings are: seeds, index")


def test_an_assignment_needs_a_value() -> None:
    with pytest.raises(SettingsError, match="--set k1: there is no value"):
        gather(environment={}, assignments=["k1"])


# The folder that each test has to itself is the same for every example, which does no harm.
quick = hypothesis_settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1), st.text())
@quick
def test_no_unknown_name_passes(name: str, value: str) -> None:
    assume(name not in Settings.model_fields)
    with pytest.raises(SettingsError, match="there is no setting named"):
        gather(environment={}, assignments=[f"{name}={value}"])


@given(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535))
@quick
def test_the_command_line_wins_over_the_environment_whatever_the_values(
    flag: int, assigned: int, variable: int
) -> None:
    environment = {"WINNOW_PORT": str(variable)}
    assert gather(environment=environment).settings.port == variable
    both = gather(environment=environment, assignments=[f"port={assigned}"])
    assert both.settings.port == assigned
    assert gather(None, {"port": flag}, environment).settings.port == flag
