"""The settings as tables: what is in force and where it comes from, and what there is to set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from indexer.errors import StoredIndexError
from indexer.gathering import PREFIX, Gathered
from indexer.generations import Generations
from indexer.settings import Settings
from service.tuned import InForce, Tuned

TUNED = "winnow tune"
"""The origin of what was fitted to the user's questions and is used instead of a default."""


@dataclass(frozen=True, slots=True)
class Row:
    """A setting: its value as JSON has it, and ``origin``, which is ``default`` or where it is."""

    name: str
    value: Any
    origin: str

    @property
    def shown(self) -> str:
        """The value as :func:`written`."""
        return written(self.value)


def written(value: Any) -> str:
    """A setting's value as it can be given back: as a variable, or after ``--set``."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def rows(gathered: Gathered, fitted: InForce) -> list[Row]:
    """Every setting with the value that is in force."""
    values = gathered.settings.model_dump(mode="json") | fitted.parameters
    origins = dict.fromkeys(values, "default")
    origins |= dict.fromkeys(fitted.parameters, TUNED) | gathered.origins
    return [Row(name, value, origins[name]) for name, value in values.items()]


def fitted(settings: Settings) -> InForce:
    """What ``winnow tune`` fitted and is used with the live generation; nothing without one."""
    try:
        model = Generations(settings.index).live().identity["model"]
    except StoredIndexError:
        return InForce({})
    return Tuned(settings, model).now()


def documented() -> Iterator[str]:
    """Lines of the table in docs/settings.md, as ``docs/tables.py`` writes it."""
    yield "| setting | variable | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = f"`{text}`" if (text := written(field.default)) else ""
        yield f"| `{name}` | `{PREFIX}{name.upper()}` | {default} | {field.description} |"
