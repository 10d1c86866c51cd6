"""The engine of the service: questions are answered by a pool, all else is looked up here."""

from __future__ import annotations

from indexer.errors import ModelError
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.answers import AnswerResult
from service.engine import Engine
from service.listening import told
from service.pool import Pool
from service.requests import AnswerQuery, SearchQuery, SimilarQuery
from service.results import SearchResult, SimilarResult
from service.states import Readiness


class PooledEngine(Engine):
    """An :class:`~service.engine.Engine` over ``pool``; its own process loads no model.

    ``embedder`` is the model, not loaded, or why there is none: it tells whether the index is the
    model's own.
    """

    def __init__(self, settings: Settings, embedder: Embedder | ModelError, pool: Pool) -> None:
        super().__init__(settings, pool.without_model or embedder, extractor=pool.without_reader)
        self._pool = pool

    @told
    def search(self, query: SearchQuery) -> SearchResult:
        """See :meth:`Engine.search`."""
        result: SearchResult = self._pool.call("search", query, about=query.q)
        return result

    @told
    def answer(self, query: AnswerQuery) -> AnswerResult:
        """See :meth:`Engine.answer`."""
        result: AnswerResult = self._pool.call("answer", query, about=query.q)
        return result

    @told
    def similar(self, id_: str, query: SimilarQuery) -> SimilarResult:
        """See :meth:`Engine.similar`."""
        result: SimilarResult = self._pool.call("similar", id_, query, about=id_)
        return result

    def readiness(self) -> Readiness:
        """See :meth:`Engine.readiness`; without any process no question can be answered."""
        readiness = super().readiness()
        if not self._pool.missing:
            return readiness
        reason = f"processes: {self._pool.missing} of {self._pool.size} are being started anew"
        none = self._pool.missing == self._pool.size
        status = "not_ready" if none or readiness.status == "not_ready" else "degraded"
        return readiness.model_copy(
            update={"status": status, "degraded": [*readiness.degraded, reason]}
        )

    def refresh(self) -> None:
        """See :meth:`Engine.refresh`; in the pool too."""
        super().refresh()
        self._pool.everywhere("refresh")

    def warm(self) -> None:
        """Open the index; the pool's processes have done so before."""
        if self.readiness().status != "not_ready":
            with self.library.borrow() as snapshot:
                snapshot.completer()

    def close(self) -> None:
        """Release the index, and end the processes."""
        self._pool.close()
        super().close()
