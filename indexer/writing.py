"""Writing a generation's stores side by side: every paragraph goes to all three under one key."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from indexer.generations import ARTICLES, KEYWORD, VECTORS
from indexer.keyword import KeywordWriter
from indexer.protocols import Embedder
from indexer.store import StoreWriter
from indexer.types import Article, Paragraph, Vectors
from indexer.vectors import VectorWriter

_BATCH = 256
"""Paragraphs embedded together: enough to sort by length, few enough to hold in memory."""


class GenerationWriter:
    """Adds articles to an empty folder; as a context manager it completes the files at the end.

    ``articles``, ``paragraphs`` and ``windowed`` count what was written; the last are paragraphs
    that the model cannot read at once and that have several vectors.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self.articles = 0
        self.paragraphs = 0
        self.windowed = 0
        self._folder = folder
        self._embedder = embedder
        self._store = StoreWriter(folder / ARTICLES)
        self._keyword = KeywordWriter(folder / KEYWORD)
        self._vectors = VectorWriter(embedder.dimensions)
        self._waiting: list[tuple[int, Article, Paragraph]] = []

    def add(self, article: Article) -> None:
        """Add an article with its paragraphs."""
        key = self._store.add_article(article)
        self.articles += 1
        for paragraph in article.paragraphs:
            self._waiting.append((key, article, paragraph))
            if len(self._waiting) == _BATCH:
                self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with closing(self._store), self._keyword:
            if error is not None:
                raise error
            self._flush()
            self._vectors.save(self._folder / VECTORS)

    def _flush(self) -> None:
        windows = [
            [p.text[s:e] for s, e in self._embedder.windows(p.text)] for _, _, p in self._waiting
        ]
        sentences = [[p.text[s:e] for s, e in p.sentences] for _, _, p in self._waiting]
        vectors = self._encode(windows + sentences)
        for i, (article_key, article, paragraph) in enumerate(self._waiting):
            own, of_sentences = vectors[i], vectors[len(windows) + i]
            key = self._store.add_paragraph(article_key, paragraph, of_sentences)
            self._keyword.add(
                key, article.title, paragraph.text, article.byline or "", article.source
            )
            self._vectors.add(np.full(len(own), key), np.arange(len(own)), own)
            self.windowed += len(own) > 1
        self.paragraphs += len(self._waiting)
        self._waiting.clear()

    def _encode(self, groups: list[list[str]]) -> list[Vectors]:
        """The vectors of each group's texts; a text that occurs twice is embedded once."""
        rows = {text: row for row, text in enumerate(dict.fromkeys(t for g in groups for t in g))}
        vectors = self._embedder.encode(list(rows))
        return [vectors[[rows[text] for text in group]] for group in groups]
