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
        self._waiting: list[tuple[Article, Paragraph]] = []
        self._article: tuple[Article | None, int] = (None, 0)

    def add(self, article: Article) -> None:
        """Add an article with its paragraphs."""
        for paragraph in article.paragraphs:
            self._waiting.append((article, paragraph))
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
        paragraphs = [paragraph for _, paragraph in self._waiting]
        titles = [[article.title] if article.title else [] for article, _ in self._waiting]
        sentences = [[p.text[s:e] for s, e in p.sentences] for p in paragraphs]
        windows = [[p.text[s:e] for s, e in self._embedder.windows(p.text)] for p in paragraphs]
        vectors = iter(self._encode(titles + sentences + windows))
        of_titles, of_sentences, of_windows = (
            [next(vectors) for _ in paragraphs] for _ in range(3)
        )
        for i, (article, paragraph) in enumerate(self._waiting):
            if self._article[0] is not article:
                self._article = article, self._store.add_article(article, of_titles[i])
                self.articles += 1
            key = self._store.add_paragraph(self._article[1], paragraph, of_sentences[i])
            self._keyword.add(
                key, article.title, paragraph.text, article.byline or "", article.source
            )
            count = len(of_windows[i])
            self._vectors.add(np.full(count, key), np.arange(count), of_windows[i])
            self.windowed += count > 1
        self.paragraphs += len(self._waiting)
        self._waiting.clear()

    def _encode(self, groups: list[list[str]]) -> list[Vectors]:
        """The vectors of each group's texts; a text that occurs twice is embedded once."""
        rows = {text: row for row, text in enumerate(dict.fromkeys(t for g in groups for t in g))}
        vectors = self._embedder.encode(list(rows))
        return [vectors[[rows[text] for text in group]] for group in groups]
