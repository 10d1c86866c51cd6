"""Writing a generation's stores side by side: every paragraph goes to all three under one key."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from indexer.cache import CachedEmbedder
from indexer.inverting import KeywordWriter
from indexer.manifest import ARTICLES, KEYWORD, SENTENCES, VECTORS
from indexer.speakers import Attributor
from indexer.storing import StoreWriter, content_digest
from indexer.types import Article, Attribution, Paragraph, Vectors
from indexer.vectors import VectorWriter

_BATCH = 256
"""Paragraphs embedded together: enough to sort by length, few enough to hold in memory."""


class GenerationWriter:
    """Changes what a staged folder holds; as a context manager it completes the files at the end.

    The folder is empty, or has what the generation in ``parent`` has but its vector index.
    ``articles``, ``paragraphs`` and ``windowed`` count what is there at the end; the last are
    paragraphs that the model cannot read at once and that have several vectors. ``languages``
    counts articles by the codes of their languages, ``attributions`` what is said by somebody.
    """

    def __init__(
        self,
        folder: Path,
        embedder: CachedEmbedder,
        attributor: Attributor,
        parent: Path | None = None,
    ) -> None:
        self.articles = 0
        self.paragraphs = 0
        self.windowed = 0
        self.attributions = 0
        self.languages: dict[str, int] = {}
        self._folder = folder
        self._embedder = embedder
        self._attributor = attributor
        self._vectors = (
            VectorWriter(folder / VECTORS, embedder.dimensions)
            if parent is None
            else VectorWriter.after(parent / VECTORS, folder / VECTORS)
        )
        self._store = StoreWriter(folder / ARTICLES, folder / SENTENCES, self._vectors.dimensions)
        self._keyword = KeywordWriter(folder / KEYWORD)
        self._waiting: list[tuple[str, Article, Paragraph, tuple[Attribution, ...]]] = []
        self._article: Article | None = None

    def replace(self, seed: str, articles: Iterable[Article]) -> None:
        """Make ``articles`` what the file ``seed`` holds; those that are as before stay as is."""
        before = self._store.digests(seed)
        for article in articles:
            known = before.pop(article.id, None)
            if known is not None:
                if known == content_digest(article):
                    continue
                self._recall(article.id)
                self._remove(article.id)
            said = self._attributor.attributions(article.paragraphs, article.language)
            for paragraph, by_whom in zip(article.paragraphs, said, strict=True):
                self._waiting.append((seed, article, paragraph, by_whom))
                if len(self._waiting) == _BATCH:
                    self._flush()
        for id_ in before:
            self._remove(id_)

    def drop(self, seed: str, *, moved: bool = False) -> None:
        """Remove what the file ``seed`` held; ``moved`` says that it will come again elsewhere."""
        for id_ in self._store.digests(seed):
            if moved:
                self._recall(id_)
            self._remove(id_)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with closing(self._store), closing(self._vectors), self._keyword:
            if error is not None:
                raise error
            self._flush()
            self._store.finish()
            self._vectors.save()
            self.articles, self.paragraphs, self.windowed = self._store.counts()
            self.attributions = self._store.attributions()
            self.languages = self._store.languages()

    def _recall(self, id_: str) -> None:
        """Put what the parent knows of an article into the cache, which may have been deleted."""
        stored = self._store.stored(id_)
        self._embedder.keep(stored.texts, stored.vectors)
        for key, text in stored.whole:
            windows = [text[start:end] for start, end in self._embedder.windows(text)]
            self._embedder.keep(windows, self._vectors.of(key))

    def _remove(self, id_: str) -> None:
        keys = self._store.remove(id_)
        self._keyword.delete(keys)
        self._vectors.remove(keys)

    def _flush(self) -> None:
        if not self._waiting:
            return  # asking the model for nothing would still load it
        paragraphs = [paragraph for _, _, paragraph, _ in self._waiting]
        titles = [[article.title] if article.title else [] for _, article, *_ in self._waiting]
        sentences = [[p.text[s:e] for s, e in p.sentences] for p in paragraphs]
        windows = [[p.text[s:e] for s, e in self._embedder.windows(p.text)] for p in paragraphs]
        vectors = iter(self._encode(titles + sentences + windows))
        of_titles, of_sentences, of_windows = (
            [next(vectors) for _ in paragraphs] for _ in range(3)
        )
        for i, (seed, article, paragraph, said) in enumerate(self._waiting):
            if self._article is not article:
                self._article = article
                self._store.add_article(article, seed, of_titles[i])
            count = len(of_windows[i])
            key = self._store.add_paragraph(article, paragraph, of_sentences[i], count, said)
            self._keyword.add(
                key,
                article.title,
                paragraph.text,
                article.byline or "",
                article.source,
                language=article.language,
            )
            self._vectors.add(np.full(count, key), of_windows[i])
        self._waiting.clear()

    def _encode(self, groups: list[list[str]]) -> list[Vectors]:
        """The vectors of each group's texts."""
        vectors = self._embedder.encode([text for group in groups for text in group])
        ends = np.cumsum([len(group) for group in groups])
        return np.split(vectors, ends[:-1])
