"""One generation, opened read-only: the store and both searches over it.

A snapshot is checked against its manifest before anything is read from it, and against this
program: an index made by another analyzer or format is refused; one made with another embedding
model still answers by keywords and says so.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass

from indexer.errors import IndexCorrupt, ModelError
from indexer.generations import (
    ARTICLES,
    KEYWORD,
    READABLE,
    VECTORS,
    Generations,
    Manifest,
)
from indexer.keyword import WhooshIndex
from indexer.protocols import Embedder
from indexer.settings import Settings
from indexer.store import ArticleStore
from indexer.vectors import FaissIndex
from service.semantics import SemanticSearch


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An open generation.

    ``semantic`` is None where meaning cannot be searched, and ``without_meaning`` says why.
    ``outdated`` says why this is not the live generation, where it is not.
    """

    manifest: Manifest
    store: ArticleStore
    keyword: WhooshIndex
    semantic: SemanticSearch | None
    without_meaning: str | None = None
    outdated: str | None = None

    @classmethod
    def open(
        cls, generations: Generations, settings: Settings, embedder: Embedder | ModelError
    ) -> Snapshot:
        """Verify and open the live generation; ``embedder`` is the model or why there is none.

        Raises:
            IndexMissing: Nothing has been built yet.
            IndexCorrupt: A file is damaged, or another version of Winnow built it.
        """
        manifest = generations.live()
        for name, needed in READABLE.items():
            if (found := manifest.identity.get(name)) != needed:
                raise IndexCorrupt(
                    f"the index was built with {name} {found!r}; this version needs {needed!r}",
                    hint="Run: winnow build",
                )
        generations.verify(manifest)
        folder = generations.path(manifest.id)
        with ExitStack() as opened:
            store = opened.enter_context(closing(ArticleStore(folder / ARTICLES)))
            keyword = opened.enter_context(
                closing(
                    WhooshIndex.open(
                        folder / KEYWORD,
                        title_weight=settings.title_weight,
                        k1=settings.k1,
                        b=settings.b,
                    )
                )
            )
            semantic: SemanticSearch | None = None
            without_meaning: str | None = None
            if isinstance(embedder, ModelError):
                without_meaning = f"keywords only: {embedder}"
            elif embedder.fingerprint != manifest.identity["model"]:
                without_meaning = "keywords only: the index was built with another embedding model"
            else:
                vectors = FaissIndex(folder / VECTORS)
                semantic = SemanticSearch(vectors, store, embedder, settings.sentence_weight)
            opened.pop_all()  # what is open stays so; an error above would have closed it
        return cls(manifest, store, keyword, semantic, without_meaning)

    def degraded(self, mode: str) -> tuple[str, ...]:
        """Why results in ``mode`` are less than they could be."""
        reasons = (self.outdated, None if mode == "keyword" else self.without_meaning)
        return tuple(reason for reason in reasons if reason)

    def close(self) -> None:
        """Release the files."""
        self.keyword.close()
        self.store.close()
