"""A collection with a past, and what an index folder says: for tests of what goes wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from fakes import WordEmbedder, silent, write_article

from indexer.build import build
from indexer.errors import BuildError
from indexer.generations import Generations
from indexer.settings import Settings
from service.library import Library
from service.requests import Mode
from service.retrieval import rank
from service.snapshot import Snapshot

Content = dict[str, tuple[str, ...]]
"""The paragraphs of each article, by its source."""

Results = dict[tuple[str, str], list[tuple[str, int, float]]]
"""Source, paragraph number and score of each hit and its copies, by query and mode."""

_WORDS = (
    *("harbour", "ferry", "market", "price", "storm", "budget"),
    *("minister", "bridge", "river", "council", "vote", "train"),
)

QUERIES = ("harbour market", "storm", '"ferry market"', "min* -vote", "source:bulk* river")
MODES: tuple[Mode, ...] = ("keyword", "semantic", "hybrid")


def text(number: int) -> str:
    """A paragraph of three sentences like no other one."""
    chosen = [_WORDS[(number * step + step) % len(_WORDS)] for step in (1, 2, 3, 5, 7)]
    return f"The {' '.join(chosen)} {number}. A {chosen[0]} of {number}. So {chosen[3]}."


def write_bulk(folder: Path, numbers: Iterable[int]) -> None:
    """A file of records, each with a paragraph of its own."""
    lines = [json.dumps({"_id": str(n), "text": text(n), "title": f"Record {n}"}) for n in numbers]
    (folder / "bulk.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def prepare(folder: Path, articles: int = 8) -> Settings:
    """An index of two generations, one built upon the other, and seeds that changed since.

    Two generations are kept, so the next publication removes one; and a failure is on record.
    """
    settings = Settings(seeds=folder / "seeds", index=folder / "index", generations=2)
    for number in range(articles):
        write_article(settings.seeds, f"{number}.txt", text(number), text(number + 1000))
    write_bulk(settings.seeds, range(100, 104))
    build(settings, WordEmbedder(), progress=silent)
    write_article(settings.seeds, "later.txt", text(50))
    build(settings, WordEmbedder(), progress=silent)
    write_article(settings.seeds, "0.txt", text(0), text(60))
    write_article(settings.seeds, "deep/new.txt", text(70))
    (settings.seeds / "1.txt").rename(settings.seeds / "renamed.txt")
    (settings.seeds / "2.txt").unlink()
    write_bulk(settings.seeds, (101, 102, 103, 104))
    Generations(settings.index).record_failure(BuildError("an earlier one"))
    return settings


def copied(settings: Settings, folder: Path) -> Settings:
    """The seeds and the index in another folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(settings.seeds.parent, folder)
    return settings.model_copy(update={"seeds": folder / "seeds", "index": folder / "index"})


def content(snapshot: Snapshot) -> Content:
    """All that a generation holds."""
    listed = [article for article, _ in snapshot.store.articles(10_000)]
    whole = [snapshot.store.article(article.id) for article in listed]
    return {article.source: tuple(p.text for p in article.paragraphs) for article in whole}


def hits(
    snapshot: Snapshot, settings: Settings, query: str, mode: Mode
) -> list[tuple[str, int, float]]:
    """Where each hit and its copies stand, and the hit's score."""
    ranked = rank(snapshot, settings, query, mode).ranked
    scores = {key: each.score for each in ranked for key in each.paragraphs}
    return [
        (passage.article.source, passage.paragraph.number, score)
        for passage, score in zip(snapshot.store.passages([*scores]), scores.values(), strict=True)
    ]


def results(settings: Settings) -> Results:
    """What the service finds for :data:`QUERIES`."""
    with closing(Library(settings, WordEmbedder())) as library, library.borrow() as snapshot:
        return {
            (query, mode): hits(snapshot, settings, query, mode)
            for query in QUERIES
            for mode in MODES
        }


def built_anew(settings: Settings, folder: Path) -> Settings:
    """The same seeds indexed from nothing in ``folder``."""
    elsewhere = settings.model_copy(update={"index": folder})
    build(elsewhere, WordEmbedder(), progress=silent)
    return elsewhere


def served(settings: Settings) -> tuple[str, Content, tuple[str, ...]]:
    """The id and content of what a service that starts now lends, and why it is degraded."""
    with closing(Library(settings, WordEmbedder())) as library, library.borrow() as snapshot:
        return snapshot.manifest.id, content(snapshot), snapshot.degraded("hybrid")
