"""One frozen object with every setting, gathered from a file, the environment and the flags.

Later sources win: defaults, then ``winnow.toml``, then ``WINNOW_*`` variables, then command-line
flags. A key that is not known is refused by name, so that a typing error never passes silently.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from indexer.errors import SettingsError

_PREFIX = "WINNOW_"
_CONFIG_VARIABLE = "WINNOW_CONFIG"
_DEFAULT_FILE = Path("winnow.toml")
_PATHS = ("seeds", "index", "model")


TITLE_WEIGHT = 0.5
"""What a word counts in the title, against 1 in the body: every paragraph repeats its title."""

K1 = 0.8
"""BM25's saturation; this and ``B`` were measured in ``benchmarks/results/fusion.md``."""

B = 0.55
"""BM25's normalisation by length."""


def _listed(value: object) -> object:
    """Split a text at its commas, as variables and flags have no lists."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what no browser sends as an ``Origin``, and what would stand for any."""
    for value in values:
        parts = urlsplit(value)
        if value != f"{parts.scheme}://{parts.netloc}".casefold() or not parts.hostname:
            raise ValueError(f"{value!r} is not written as https://example.org or with a port")
    return values


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Settings(BaseModel):
    """What is in force. Field descriptions are the documentation of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: Path = Field(Path("seeds"), description="Folder of articles.")
    index: Path = Field(Path("index_data"), description="Folder of the indexes built from them.")
    generations: int = Field(
        3, ge=1, le=100, description="Generations of the index kept on disk, the live one included."
    )
    model: Path | None = Field(
        None,
        description="Folder of another sentence-transformers model; unset: the packaged "
        "all-MiniLM-L6-v2.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Arithmetic of the embedding model; auto takes bfloat16 where the processor "
        "has it.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address that the service binds.")
    port: int = Field(8080, ge=0, le=65535, description="Port; 0 lets the system choose one.")
    threads: int = Field(8, ge=1, le=256, description="Requests served at the same time.")
    depth: int = Field(
        100, ge=10, le=1000, description="Candidates taken from each search before merging."
    )
    fusion: Literal["convex", "rrf"] = Field("convex", description="How both searches are merged.")
    semantic_weight: float = Field(
        0.45,
        ge=0,
        le=1,
        description="Share of meaning against words where the articles found are in English, "
        "which the model reads.",
    )
    foreign_weight: float = Field(
        0.2, ge=0, le=1, description="The same where they are in other languages."
    )
    lead_weight: float = Field(
        1.5,
        ge=0,
        le=10,
        description="What each point of cosine adds to the share of meaning by which its best "
        "paragraph is ahead of the best by words.",
    )
    sentence_weight: float = Field(
        0.65, ge=0, le=1, description="Share of the best sentence's cosine in the score of meaning."
    )
    title_weight: float = Field(
        TITLE_WEIGHT,
        ge=0,
        le=10,
        description="Weight of words in the title against words in the body.",
    )
    k1: float = Field(K1, ge=0, le=5, description="BM25: how soon repeated words stop counting.")
    b: float = Field(B, ge=0, le=1, description="BM25: how much long paragraphs are discounted.")
    collapse: bool = Field(
        True, description="Whether near-identical paragraphs share one hit, which lists them."
    )
    speakers: bool = Field(
        True,
        description="Whether a build finds out who says what in English articles, which takes "
        "about a fifth of its time.",
    )
    read_depth: int = Field(
        20, ge=0, le=100, description="First paragraphs that the reader reads; 0 switches it off."
    )
    read_ms: int = Field(
        120,
        ge=0,
        le=60_000,
        description="Milliseconds that it may take to read them; those not reached stay where the "
        "searches put them, and the result says so.",
    )
    rerank_weight: float = Field(
        0.23,
        ge=0,
        le=1,
        description="Share in a paragraph's score of what the reader thinks of it, where a "
        "question that a few words answer is asked of paragraphs of usual length.",
    )
    answer_threshold: float = Field(
        0.08,
        ge=0,
        le=1,
        description="Confidence under which there is no answer; 0.08 gives one that is wrong "
        "eleven times for each time it is right, at the worst.",
    )
    allowed_hosts: Listed = Field(
        (),
        description="Names by which the service is asked beside this machine's own, with commas "
        "between them; one that begins with a dot stands for all below it.",
    )
    cors_origins: Annotated[Listed, AfterValidator(_origins)] = Field(
        (),
        description="Other sites whose pages may use the routes, such as `https://example.org`, "
        "with commas between them.",
    )
    open_loopback: bool = Field(
        False,
        description="Whether a service on loopback asks for no key even where there are some.",
    )
    rate_limit: str = Field(
        "auto",
        pattern=r"^(auto|off|[1-9]\d{0,8}/(second|minute|hour|day))$",
        description="Requests that each key may make, or each address where no key is needed, such "
        "as 600/minute, or off; auto: 600/minute where keys are needed, else off.",
    )
    waiting: int = Field(
        4,
        ge=0,
        le=1000,
        description="Requests that may wait while as many as there are threads are being served; "
        "what comes on top is refused at once.",
    )
    wait_ms: int = Field(
        2000, ge=0, le=60_000, description="Milliseconds that a request waits before it is refused."
    )
    deadline_ms: int = Field(
        10_000,
        ge=100,
        le=600_000,
        description="Milliseconds after which a request is given up, before the next stage of its "
        "work; those that it waited count.",
    )


def load_settings(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Gather the settings from all sources.

    Args:
        config: A TOML file; by default ``WINNOW_CONFIG`` or, if it exists, ``./winnow.toml``.
        flags: Settings given on the command line; ``None`` values mean "not given".
        environment: Stands in for ``os.environ``.

    Raises:
        SettingsError: A key is unknown, a value cannot be, or the file cannot be read.
    """
    environment = os.environ if environment is None else environment
    if config is None and environment.get(_CONFIG_VARIABLE):
        config = Path(environment[_CONFIG_VARIABLE])
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for name, source in (
        *_from_file(config),
        *_from_environment(environment),
        *(((key, value), f"--{key}") for key, value in (flags or {}).items() if value is not None),
    ):
        values[name[0]] = name[1]
        origin[name[0]] = source
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        raise SettingsError(
            f"{origin[key]}: {_reason(key, first['type'], first['msg'])}",
            hint=f"Settings are: {', '.join(Settings.model_fields)}.",
        ) from error


def _reason(key: str, kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"there is no setting named {key!r}"
    return f"setting {key!r}: {message[0].lower()}{message[1:]}"


def _from_file(config: Path | None) -> list[tuple[tuple[str, Any], str]]:
    if config is None and not _DEFAULT_FILE.is_file():
        return []
    path = config or _DEFAULT_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path}: {error}", hint="Name a readable TOML file with --config, or leave it out."
        ) from error
    return [((key, _anchored(key, value, path.parent)), f"{path}") for key, value in table.items()]


def _anchored(key: str, value: Any, folder: Path) -> Any:
    """Paths in a file are relative to that file, wherever the command is run."""
    return folder / value if key in _PATHS and isinstance(value, str) else value


def _from_environment(environment: Mapping[str, str]) -> list[tuple[tuple[str, str], str]]:
    return [
        ((name.removeprefix(_PREFIX).lower(), value), name)
        for name, value in sorted(environment.items())
        if name.startswith(_PREFIX) and name != _CONFIG_VARIABLE
    ]
