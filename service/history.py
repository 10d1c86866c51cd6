"""The generations that are kept, as users see them, and the way back to one of them."""

from __future__ import annotations

from contextlib import suppress

from indexer.errors import IndexCorrupt
from indexer.generations import Generations
from service.states import GenerationList, GenerationShape


def history(generations: Generations) -> GenerationList:
    """All generations, newest first; damaged ones are named, not left out."""
    live = None
    with suppress(IndexCorrupt):  # told by whoever reads the index
        live = generations.current()
    return GenerationList(
        generations=[_shape(generations, id_, live=id_ == live) for id_ in generations.ids()]
    )


def activate(generations: Generations, id_: str | None = None) -> GenerationShape:
    """Make generation ``id_``, by default the one before, what is searched.

    Raises:
        NotFound: There is no such generation.
        IndexCorrupt: It is damaged, or this version cannot read it; nothing has changed.
        IndexBusy: A build is running, and would undo it.
    """
    with generations.writing():
        manifest = generations.activate(id_ or generations.previous())
    return _shape(generations, manifest.id, live=True)


def _shape(generations: Generations, id_: str, *, live: bool) -> GenerationShape:
    try:
        manifest = generations.manifest(id_)
    except IndexCorrupt as error:
        return GenerationShape(id=id_, live=live, problem=str(error))
    return GenerationShape(
        id=id_,
        live=live,
        parent=manifest.parent,
        articles=manifest.counts["articles"],
        paragraphs=manifest.counts["paragraphs"],
        digest=manifest.digest,
    )
