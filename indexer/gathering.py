"""Settings gathered from a file, the environment and the command line, each with its origin.

Later sources win: defaults, then ``winnow.toml``, then ``WINNOW_*`` variables, then the command
line. A name that is not known is refused with the one it resembles, so that a typing error never
passes silently.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from indexer.errors import SettingsError
from indexer.settings import Settings

PREFIX = "WINNOW_"
"""What the name of a setting begins with in the environment."""

_CONFIG_VARIABLE = "WINNOW_CONFIG"
_DEFAULT_FILE = Path("winnow.toml")
_PATHS = ("seeds", "index", "model")

_KEY = re.compile(r"""[\s\[]*(["']?)([\w-]+)\1\s*[]=.]""")
"""The beginning of a line of TOML that gives a key or begins a table."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value that the user gave for a setting, and where."""

    name: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is in force. ``origins`` has every setting that was given; the others are defaults."""

    settings: Settings
    origins: dict[str, str]


def load_settings(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings alone; see :func:`gather`."""
    return gather(config, flags, environment).settings


def gather(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    assignments: Sequence[str] = (),
) -> Gathered:
    """Gather the settings from all sources.

    Args:
        config: A TOML file; by default ``WINNOW_CONFIG`` or, if it exists, ``./winnow.toml``.
        flags: Settings with a flag of their own, which win; ``None`` values mean "not given".
        environment: Stands in for ``os.environ``.
        assignments: Further settings of the command line, as ``name=value``.

    Raises:
        SettingsError: A name is unknown, a value cannot be, or the file cannot be read.
    """
    environment = os.environ if environment is None else environment
    if config is None and environment.get(_CONFIG_VARIABLE):
        config = Path(environment[_CONFIG_VARIABLE])
    given = {
        each.name: each
        for each in (
            *_from_file(config),
            *_from_environment(environment),
            *map(_assigned, assignments),
            *(Given(n, value, f"--{n}") for n, value in (flags or {}).items() if value is not None),
        )
    }
    try:
        settings = Settings.model_validate({name: each.value for name, each in given.items()})
    except ValidationError as error:
        first = error.errors()[0]
        raise _refusal(given[str(first["loc"][0])], first["type"], first["msg"]) from error
    return Gathered(settings, {name: each.origin for name, each in given.items()})


def _refusal(given: Given, kind: str, message: str) -> SettingsError:
    hint = f"Settings are: {', '.join(Settings.model_fields)}."
    if kind != "extra_forbidden":
        reason = f"setting {given.name!r}: {message[0].lower()}{message[1:]}"
        return SettingsError(f"{given.origin}: {reason}", hint=hint)
    if meant := get_close_matches(given.name.casefold(), Settings.model_fields, 1):
        hint = f"Did you mean {meant[0]}? {hint}"
    return SettingsError(
        f"{given.origin}: there is no setting named {given.name!r}",
        hint=hint,
    )


def _from_file(config: Path | None) -> Iterator[Given]:
    if config is None and not _DEFAULT_FILE.is_file():
        return
    path = config or _DEFAULT_FILE
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path}: {error}", hint="Name a readable TOML file with --config, or leave it out."
        ) from error
    lines = _lines(text)
    for key, value in table.items():
        where = f"{path} line {lines[key]}" if key in lines else f"{path}"
        yield Given(key, _anchored(key, value, path.parent), where)


def _lines(text: str) -> dict[str, int]:
    """The line on which each key first stands, as far as that can be told without parsing."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if found := _KEY.match(line):
            lines.setdefault(found[2], number)
    return lines


def _anchored(key: str, value: Any, folder: Path) -> Any:
    """Paths in a file are relative to that file, wherever the command is run."""
    return folder / value if key in _PATHS and isinstance(value, str) else value


def _from_environment(environment: Mapping[str, str]) -> Iterator[Given]:
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and name != _CONFIG_VARIABLE:
            yield Given(name.removeprefix(PREFIX).lower(), value, name)


def _assigned(text: str) -> Given:
    name, given, value = text.partition("=")
    if not given:
        raise SettingsError(
            f"--set {text}: there is no value", hint="Write --set name=value, as in --set k1=0.9"
        )
    return Given(name.strip(), value, f"--set {name.strip()}")
