"""One generation, opened read-only: the store and both searches over it.

A snapshot is checked against its manifest before anything is read from it, and against this
program: an index made by another analyzer or format is refused; one made with another embedding
model still answers by keywords and says so.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from indexer.errors import ModelError
from indexer.generations import Generations
from indexer.keyword import WhooshIndex
from indexer.manifest import (
    ARTICLES,
    KEYWORD,
    SENTENCES,
    VECTORS,
    Manifest,
    require_readable,
)
from indexer.nodes import Word
from indexer.protocols import Embedder
from indexer.settings import Settings
from indexer.store import ArticleStore
from indexer.vectors import FaissIndex
from service.extracts import Extractor
from service.once import Once
from service.semantics import SemanticSearch
from service.spelling import Speller
from service.suggestions import Completer, Title
from service.tuned import Tuned


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An open generation.

    ``semantic`` is None where meaning cannot be searched, and ``without_meaning`` says why; the
    ``vectors`` can be compared with each other all the same. ``speller`` and ``completer`` are made
    when they are first needed. ``outdated`` says why this is not the live generation, where it is
    not. ``tuned`` has the weights that were fitted for the index. ``opened`` is all that is to be
    closed with it. ``extractor`` reads what was found; it is why that cannot be, or None where only
    the searches are to rank.
    """

    manifest: Manifest
    store: ArticleStore
    keyword: WhooshIndex
    speller: Once[Speller]
    completer: Once[Completer]
    vectors: FaissIndex
    semantic: SemanticSearch | None
    without_meaning: str | None
    tuned: Tuned
    opened: ExitStack
    outdated: str | None = None
    extractor: Extractor | ModelError | None = None

    @classmethod
    def open(
        cls,
        generations: Generations,
        id_: str,
        settings: Settings,
        embedder: Embedder | ModelError,
        extractor: Extractor | ModelError | None = None,
    ) -> Snapshot:
        """Verify and open generation ``id_``, which is held until the snapshot is closed.

        ``embedder`` is the model or why there is none.

        Raises:
            NotFound: It has been removed.
            IndexCorrupt: A file is damaged, or another version of Winnow built it.
        """
        with ExitStack() as opened:
            opened.enter_context(generations.hold(id_))
            manifest = generations.manifest(id_)
            require_readable(manifest)
            generations.verify(manifest)
            snapshot = cls.at(generations.path(id_), manifest, settings, embedder)
            opened.push(snapshot.opened)
            return replace(snapshot, opened=opened.pop_all(), extractor=extractor)

    @classmethod
    def at(
        cls, folder: Path, manifest: Manifest, settings: Settings, embedder: Embedder | ModelError
    ) -> Snapshot:
        """Open the generation in ``folder`` as it is; IndexCorrupt where that cannot be."""
        with ExitStack() as opened:
            store = ArticleStore(folder / ARTICLES, folder / SENTENCES)
            opened.enter_context(closing(store))
            keyword = WhooshIndex.open(
                folder / KEYWORD, title_weight=settings.title_weight, k1=settings.k1, b=settings.b
            )
            opened.enter_context(closing(keyword))
            vectors = FaissIndex(folder / VECTORS)
            vocabulary = Once(keyword.vocabulary)
            speller = Once(lambda: Speller(vocabulary()))
            completer = Once(
                lambda: Completer(
                    vocabulary(),
                    [Title(*title) for title in store.titles()],
                    keyword.has_word,
                    keyword.has_name,
                    lambda word, most: store.bodies(keyword.matching(Word(word))[:most].tolist()),
                )
            )
            semantic: SemanticSearch | None = None
            without_meaning: str | None = None
            if isinstance(embedder, ModelError):
                without_meaning = f"keywords only: {embedder}"
            elif embedder.fingerprint != manifest.identity["model"]:
                without_meaning = "keywords only: the index was built with another embedding model"
            else:
                semantic = SemanticSearch(vectors, store, embedder, settings.sentence_weight)
            # What is open stays so; an error above would have closed it.
            return cls(
                manifest=manifest,
                store=store,
                keyword=keyword,
                speller=speller,
                completer=completer,
                vectors=vectors,
                semantic=semantic,
                without_meaning=without_meaning,
                tuned=Tuned(settings, manifest.identity["model"]),
                opened=opened.pop_all(),
            )

    def degraded(self, mode: str) -> tuple[str, ...]:
        """Why results in ``mode`` are less than they could be."""
        reasons = (
            self.outdated,
            None if mode == "keyword" else self.without_meaning,
            self.tuned.now().problem if mode == "hybrid" else None,
            f"nothing is read: {self.extractor}"
            if isinstance(self.extractor, ModelError)
            else None,
        )
        return tuple(reason for reason in reasons if reason)

    def warm(self) -> None:
        """Touch what every search reads, so that the first one need not wait for the disk."""
        self.store.warm()
        if self.semantic is not None:
            self.semantic.search(np.full(self.vectors.dimensions, 1.0, dtype=np.float32), 1)

    def keep_up_with(self, other: Snapshot) -> None:
        """Load what the ``other``, in use until now, has loaded: nobody shall wait for it again.

        The vocabulary takes about a second for 200,000 paragraphs.
        """
        for mine, theirs in ((self.speller, other.speller), (self.completer, other.completer)):
            if theirs.made:
                mine()

    def close(self) -> None:
        """Release the files."""
        self.opened.close()
