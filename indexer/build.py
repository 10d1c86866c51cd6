"""Building a generation: seeds are read, split, embedded and indexed in one streaming pass.

Nothing is published that was not checked first: the counts of the three stores agree and a sample
of paragraphs finds itself by its words and by its meaning. A build that would change nothing ends
at once; every other build makes the whole generation anew beside the live one.
"""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from indexer.articles import Notice
from indexer.errors import SeedsError, StoredIndexError
from indexer.generations import (
    READABLE,
    REPORT,
    Generations,
    Manifest,
    SeedRecord,
    digests,
    write_json,
)
from indexer.plan import compare
from indexer.protocols import Embedder
from indexer.seeds import Listing, SeedFile, digest, list_seeds, read_seed
from indexer.selftest import check
from indexer.settings import Settings
from indexer.stopwatch import Stopwatch
from indexer.types import Skipped
from indexer.writing import GenerationWriter

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done and the whole: bytes while indexing, else steps."""

_LIBRARIES = ("faiss-cpu", "sentence-transformers", "torch", "whoosh3", "winnow")


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    ``added`` to ``removed`` count seed files; ``unsettled`` names those that were left as they were
    because they seemed to be still being written. ``windowed`` counts paragraphs too long for the
    model to read at once, which were read in overlapping windows. ``seconds`` has one entry a stage
    and the total. A build with nothing to do has ``published`` False and reports the live
    generation.
    """

    generation: str
    published: bool
    articles: int
    paragraphs: int
    added: int
    changed: int
    moved: int
    removed: int
    unsettled: tuple[str, ...]
    windowed: int
    skipped: tuple[Skipped, ...]
    notices: tuple[Notice, ...]
    seconds: dict[str, float]


def build(
    settings: Settings, embedder: Embedder, *, full: bool = False, progress: Progress
) -> BuildReport:
    """Bring the index up to date with the seeds and publish it.

    Raises:
        SeedsError: The seeds folder is missing or holds no article.
        IndexBusy: Another process is building.
        IndexNotWritable: The index folder refuses writing.
        IndexCorrupt: The new generation failed its self-test; the old one stays live.
    """
    watch, started = Stopwatch(), dt.datetime.now(dt.UTC)
    seeds = list_seeds(settings.seeds)
    generations = Generations(settings.index)
    with generations.writing():
        with watch.stage("plan"):
            found = [_record(seed) for seed in seeds.files]
            live = _live(generations)
            plan = compare(live.seeds if live else (), found)
            identity = {"model": embedder.fingerprint, **READABLE}
        if live and not full and not plan and live.identity == identity:
            return _unchanged(generations, live, seeds, watch)
        if not seeds.files:
            raise _nothing_to_index(settings.seeds, list(seeds.skipped))
        id_ = started.strftime("%Y%m%dT%H%M%S.%fZ")
        staged = generations.stage(id_)
        with watch.stage("index"):
            skipped, notices, writer = _index(staged, seeds, embedder, progress)
        if not writer.articles:
            raise _nothing_to_index(settings.seeds, skipped)
        with watch.stage("verify"):
            progress("verify", 0, 1)
            check(staged, embedder, writer.articles, writer.paragraphs)
            progress("verify", 1, 1)
        report = BuildReport(
            generation=id_,
            published=True,
            articles=writer.articles,
            paragraphs=writer.paragraphs,
            added=len(plan.added),
            changed=len(plan.changed),
            moved=len(plan.moved),
            removed=len(plan.removed),
            unsettled=(),
            windowed=writer.windowed,
            skipped=tuple(skipped),
            notices=tuple(notices),
            seconds=watch.seconds(),
        )
        write_json(staged / REPORT, asdict(report))
        progress("publish", 0, 1)
        generations.publish(
            Manifest(
                id=id_,
                created=started.isoformat(),
                parent=live.id if live else None,
                identity=identity,
                versions={
                    "python": platform.python_version(),
                    **{name: version(name) for name in _LIBRARIES},
                },
                counts={"articles": writer.articles, "paragraphs": writer.paragraphs},
                seeds=tuple(found),
                files=digests(staged),
            )
        )
        progress("publish", 1, 1)
        return report


def _index(
    staged: Path, seeds: Listing, embedder: Embedder, progress: Progress
) -> tuple[list[Skipped], list[Notice], GenerationWriter]:
    skipped = list(seeds.skipped)
    notices: list[Notice] = []
    total, done = sum(seed.size for seed in seeds.files), 0
    with GenerationWriter(staged, embedder) as writer:
        for seed in seeds.files:
            progress("index", done, total)
            read = 0  # of a bulk file, which may be all there is and take hours
            for item in read_seed(seed):
                if isinstance(item, Skipped):
                    skipped.append(item)
                elif isinstance(item, Notice):
                    notices.append(item)
                else:
                    writer.add(item)
                    read += sum(len(paragraph.text) for paragraph in item.paragraphs)
                    progress("index", done + min(read, seed.size), total)
            done += seed.size
    progress("index", total, total)
    return skipped, notices, writer


def _nothing_to_index(folder: Path, skipped: list[Skipped]) -> SeedsError:
    reasons = "; ".join(f"{item.file}: {item.reason}" for item in skipped[:3])
    return SeedsError(
        f"{folder} holds no article that can be read" + (f" ({reasons})" if reasons else ""),
        hint="Put text files or .jsonl files with articles there.",
    )


def _record(seed: SeedFile) -> SeedRecord:
    """The file as it is now, without a digest where it cannot be read; reading it tells why."""
    try:
        return SeedRecord(seed.name, digest(seed), seed.size)
    except OSError:
        return SeedRecord(seed.name, "", seed.size)


def _live(generations: Generations) -> Manifest | None:
    """The live manifest, None where there is none or it is damaged: then all is built anew."""
    try:
        manifest = generations.live()
        generations.report(manifest.id)
    except StoredIndexError:
        return None
    return manifest


def _unchanged(
    generations: Generations, live: Manifest, seeds: Listing, watch: Stopwatch
) -> BuildReport:
    """What a build reports that found nothing to do: the live generation's own report.

    What the listing skips may have changed all the same, as it is no part of a generation.
    """
    report = generations.report(live.id)
    files = {seed.name for seed in seeds.files}
    skipped = [Skipped(**item) for item in report["skipped"] if item["file"] in files]
    return BuildReport(
        generation=live.id,
        published=False,
        articles=live.counts["articles"],
        paragraphs=live.counts["paragraphs"],
        added=0,
        changed=0,
        moved=0,
        removed=0,
        unsettled=(),
        windowed=report["windowed"],
        skipped=(*seeds.skipped, *skipped),
        notices=tuple(Notice(**item) for item in report["notices"]),
        seconds=watch.seconds(),
    )
