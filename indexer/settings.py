"""One frozen object with every setting; :mod:`indexer.gathering` says where values come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

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
    workers: int = Field(
        2,
        ge=1,
        le=64,
        description="Processes that answer questions, each one at a time; as many as there are "
        "cores.",
    )
    threads: int = Field(
        4,
        ge=1,
        le=256,
        description="Requests served at the same time; more than `workers`, so that one is at hand "
        "when a process becomes free, and what needs none is served beside them.",
    )
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
        0.2,
        ge=0,
        le=1,
        description="Share in a paragraph's score of what the reader thinks of it, where a "
        "question that a few words answer is asked of paragraphs of usual length and any answers.",
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
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that the service logs; a line a request is info."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        description="How it logs: a JSON object a line, or words for people; auto is text at a "
        "terminal, else JSON.",
    )
    log_questions: bool = Field(
        False, description="Whether questions are logged as they were asked, or as keyed hashes."
    )
    unanswered_log: bool = Field(
        False,
        description="Whether questions without an answer are kept beside the index, for `winnow "
        "unanswered`.",
    )
