"""Stand-ins for tests that are not about relevance."""

from __future__ import annotations

import os
import re
import threading
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from indexer.analysis import FUNCTION_WORDS, tokens
from indexer.build import Examine, Progress, build
from indexer.errors import SelfTestFailed
from indexer.manifest import Manifest
from indexer.reports import BuildReport
from indexer.settings import Settings
from indexer.types import Span, Vectors
from service.extracts import Extract
from service.reading import Evidence, Reading

DIMENSIONS = 32
WINDOW = 40  # words


class WordEmbedder:
    """An Embedder whose vectors are bags of hashed content words: sharing them is nearness."""

    def __init__(self, fingerprint: str = "words:1") -> None:
        self.fingerprint = fingerprint
        self.dimensions = DIMENSIONS
        self.encoded = 0

    def load(self) -> None:
        """There is nothing to load."""

    def windows(self, text: str) -> tuple[Span, ...]:
        starts = [i for i in range(len(text)) if not i or text[i - 1].isspace()]
        if len(starts) <= WINDOW:
            return (Span(0, len(text)),)
        firsts = range(0, len(starts) - WINDOW // 2, WINDOW // 2)
        ends = [*starts[WINDOW:], len(text)]
        return tuple(Span(starts[i], ends[min(i, len(ends) - 1)]) for i in firsts)

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        vectors = np.full((len(texts), DIMENSIONS), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in tokens(text):
                if word.form not in FUNCTION_WORDS:
                    vectors[row, zlib.crc32(word.term.encode()) % DIMENSIONS] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class SlowEmbedder(WordEmbedder):
    """One that takes for a question with "slowly" in it until a byte comes through ``gate``.

    That is a named pipe. Once it waits it says so on standard output, with its process's number.
    """

    def __init__(self, gate: Path) -> None:
        super().__init__()
        self.gate = gate

    def encode(self, texts: Sequence[str]) -> Vectors:
        if any("slowly" in text for text in texts):
            print(os.getpid(), flush=True)  # noqa: T201 - the test listens
            # Open for both, it does not end when who writes has written.
            gate = os.open(self.gate, os.O_RDWR)
            os.read(gate, 1)
            os.close(gate)
        return super().encode(texts)


class PhraseReader:
    """A Reader that proposes phrases wherever they stand, each as sure as it is told."""

    def __init__(self, phrases: Mapping[str, float]) -> None:
        self.phrases = phrases

    def read(self, question: str, evidence: Sequence[Evidence]) -> list[Reading]:  # noqa: ARG002 - it does not mind
        readings = [
            Reading(item.passage, Span(found.start(), found.end()), sentence, confidence)
            for item in evidence
            for phrase, confidence in self.phrases.items()
            for found in re.finditer(re.escape(phrase), item.passage.paragraph.text)
            for sentence in item.passage.paragraph.sentences
            if sentence.start <= found.start() < sentence.end
        ]
        return sorted(readings, key=lambda reading: -reading.confidence)


def silent(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def write_article(
    folder: Path,
    name: str,
    *paragraphs: str,
    title: str = "A headline",
    published: str | None = "2025-07-03 05:32",
    byline: str | None = "A desk",
) -> Path:
    """Write a seed in the native form."""
    lines = [title]
    if published:
        lines.append(f"Published: {published}")
    lines += ["", *paragraphs]
    if byline:
        lines.append(f"By {byline}")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def unworthy(_folder: Path, _manifest: Manifest) -> NoReturn:
    """An examination that nothing passes."""
    raise SelfTestFailed("'who proposed it' fell to rank 9", hint="The index in use is untouched.")


class WordExtractor:
    """An Extractor that finds ``answers``: how sure it is of each, with no heed of the question.

    ``patience`` is how many passages it reads before its time is up.
    """

    def __init__(self, answers: Mapping[str, float], patience: int = 1000) -> None:
        self._answers = answers
        self._patience = patience
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def read(self, question: str, passages: Sequence[str], seconds: float) -> list[Extract | None]:
        assert seconds >= 0
        self.asked.append((question, tuple(passages)))
        return [
            self._extract(text) if place < self._patience else None
            for place, text in enumerate(passages)
        ]

    def _extract(self, text: str) -> Extract:
        spans = [
            (Span(text.index(answer), text.index(answer) + len(answer)), score)
            for answer, score in self._answers.items()
            if answer in text
        ]
        spans.sort(key=lambda each: -each[1])
        return Extract(tuple(spans))


class Workshop:
    """Real builds, each of which waits in its first ``step`` until it is let go on."""

    def __init__(self, settings: Settings, step: tuple[str, int, int] = ("index", 43, 100)) -> None:
        self.settings = settings
        self.step = step
        self.examine: Examine | None = None
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def __call__(self, full: bool, _settle: float, progress: Progress) -> BuildReport:
        progress(*self.step)
        self.begun.release()
        assert self.go_on.acquire(timeout=10)
        return build(
            self.settings, WordEmbedder(), full=full, examine=self.examine, progress=silent
        )
