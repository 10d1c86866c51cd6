"""The trained reader: of each passage, the spans that may answer, and how much speaks for none.

Passages are read in the order given, a few at a time, for as long as the next few will be done in
time at the pace of the last: what was not reached is None, never guessed. The few are those that
together have about as many tokens as two cores read in a thirtieth of a second, and among them only
passages of about one length are read together, so that little is padded. A long passage is read in
windows, and counts as read when the last of them is.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer

from indexer.embedding import bfloat16_is_fast, packaged_folder, read_tokenizer
from indexer.errors import ModelError
from indexer.types import Span
from service.extracts import Extract
from service.network import Network
from service.pairs import joined, padded
from service.spans import best_spans

WEIGHTS = Path(__file__).resolve().parent / "weights" / "reader.safetensors"

ROOM = 256
"""Tokens of a question with a window of a passage: what the reader was trained on."""

_OVERLAP = 64
_QUESTION = 64
"""Tokens of a question that are read; longer ones are cut."""

_AT_ONCE = 320
"""Tokens read between two looks at the clock."""

_REMEMBERED = 8192
"""Extracts kept: to page on, or to ask for the answer after the search, then costs no reading."""

_SPANS = 3
"""Spans kept of a passage."""

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Window:
    passage: str
    tokens: Ids
    offsets: Ids
    begin: int
    last: bool

    @property
    def length(self) -> int:
        return len(self.tokens)


class NetworkExtractor:
    """Reads with the weights at ``path``; made once, used from any thread."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        base = packaged_folder()
        self._tokenizer: Tokenizer = read_tokenizer(base)
        network = Network()
        network.start_from(base / "model.safetensors")
        try:
            network.load_trained(load_file(path))
        except (OSError, RuntimeError, ValueError, SafetensorError) as error:
            raise ModelError(
                f"the reader's weights at {path} cannot be loaded: {error}",
                hint="Reinstall Winnow; the weights are part of it.",
            ) from error
        self._network = network.to(torch.bfloat16 if bfloat16_is_fast() else torch.float32).eval()
        # Two readings side by side take as long as one after the other, and memory twice.
        self._lock = threading.Lock()
        self._coded = lru_cache(4096)(self._code)
        self._known: OrderedDict[tuple[str, str], Extract] = OrderedDict()

    def read(
        self, question: str, passages: Sequence[str], seconds: float = float("inf")
    ) -> list[Extract | None]:
        """An extract of each passage that was reached within ``seconds`` or read shortly before."""
        with self._lock:
            passed = dict.fromkeys(passages)  # "Read more" may be among them more than once
            missing = [text for text in passed if (question, text) not in self._known]
            self._read(question, missing, time.monotonic() + seconds)
            extracts = [self._known.get((question, text)) for text in passages]
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            return extracts

    def _read(self, question: str, passages: Sequence[str], deadline: float) -> None:
        asked = self._coded(question)[0][:_QUESTION]
        pace = 0.0  # seconds a token
        begun: dict[str, Extract] = {}
        for few in self._few(asked, passages):
            began, tokens = time.monotonic(), sum(window.length for window in few)
            if began + pace * tokens >= deadline:
                break
            for text, extract in self._extracts(few).items():
                begun[text] = _both(begun[text], extract) if text in begun else extract
            for window in few:
                if window.last:
                    self._known[question, window.passage] = begun.pop(window.passage)
            pace = (time.monotonic() - began) / tokens

    def _few(self, asked: Ids, passages: Sequence[str]) -> Iterator[list[_Window]]:
        few: list[_Window] = []
        for window in (window for text in passages for window in self._windows(asked, text)):
            few.append(window)
            if sum(each.length for each in few) >= _AT_ONCE:
                yield few
                few = []
        if few:
            yield few

    def _windows(self, asked: Ids, text: str) -> Iterator[_Window]:
        tokens, offsets = self._coded(text)
        room = ROOM - len(asked) - 3
        starts = [0, *range(room - _OVERLAP, len(tokens) - _OVERLAP, room - _OVERLAP)]
        for at in starts:
            pair, begin = joined(asked, tokens[at : at + room])
            yield _Window(text, pair, offsets[at : at + room], begin, last=at == starts[-1])

    def _code(self, text: str) -> tuple[Ids, Ids]:
        code = self._tokenizer.encode(text, add_special_tokens=False)
        return np.array(code.ids, np.int64), np.array(code.offsets, np.int64).reshape(-1, 2)

    def _extracts(self, windows: list[_Window]) -> dict[str, Extract]:
        found: dict[str, Extract] = {}
        for group in _alike(windows):
            arrays = padded([(window.tokens, window.begin) for window in group])
            with torch.inference_mode():
                scores = self._network(*map(torch.from_numpy, arrays))
            first, last = scores.first.numpy(), scores.last.numpy()
            for row, window in enumerate(group):
                inside = slice(window.begin, window.length - 1)
                nothing = float(first[row, 0] + last[row, 0])
                spans = tuple(
                    (
                        Span(int(window.offsets[s.first, 0]), int(window.offsets[s.last, 1])),
                        s.score - nothing,
                    )
                    for s in best_spans(first[row, inside], last[row, inside], _SPANS)
                )
                extract = Extract(spans, nothing)
                before = found.get(window.passage)
                found[window.passage] = _both(before, extract) if before else extract
        return found


def _alike(windows: list[_Window]) -> Iterator[list[_Window]]:
    """Groups in which the shortest has at least three quarters of the longest one's tokens."""
    group: list[_Window] = []
    for window in sorted(windows, key=lambda window: -window.length):
        if group and window.length < 0.75 * group[0].length:
            yield group
            group = []
        group.append(window)
    yield group


def _both(one: Extract, other: Extract) -> Extract:
    """The extract of a passage from those of two of its windows."""
    best: dict[Span, float] = {}
    for span, margin in (*one.spans, *other.spans):
        best[span] = max(margin, best.get(span, margin))
    spans = sorted(best.items(), key=lambda each: -each[1])[:_SPANS]
    leading = one if one.spans[:1] == tuple(spans[:1]) else other
    return Extract(tuple(spans), leading.nothing)
