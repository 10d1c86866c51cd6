"""Building a generation: what changed in the seeds is read, split, embedded and indexed.

A build goes on from the live generation: what did not change is carried over, and what changed
costs what it costs by itself. It begins from nothing when asked to, and where there is no sound
generation made by the same model and analyzer. Nothing is published that was not checked first.
"""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from indexer.articles import Notice
from indexer.cache import CachedEmbedder
from indexer.errors import WinnowError
from indexer.forecast import Base, Forecast, forecast, nothing_to_index
from indexer.generations import Generations
from indexer.manifest import REPORT, Manifest, digests, new_id
from indexer.plan import Survey
from indexer.protocols import Embedder
from indexer.reports import BuildReport, write_report
from indexer.seeds import SeedFile, read_seed, untouched
from indexer.selftest import check
from indexer.settings import Settings
from indexer.speakers import attributor_of
from indexer.stopwatch import Stopwatch
from indexer.types import Article, Skipped
from indexer.writing import GenerationWriter

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done and the whole: bytes while indexing, else steps."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an examination says of a generation that may be published.

    ``notices`` are for the report; ``published`` is called when the generation is the live one.
    """

    notices: tuple[Notice, ...] = ()
    published: Callable[[], None] = lambda: None


Examine = Callable[[Path, Manifest], Verdict]
"""Told the folder and manifest of a generation before it is published.

The manifest does not know the ``files`` yet. Raises SelfTestFailed if it must not be published.
"""

_LIBRARIES = (
    "datasketch",
    "faiss-cpu",
    "sentence-transformers",
    "spacy",
    "torch",
    "whoosh3",
    "winnow",
)

_REMEMBERED = 20
"""Texts that the cache keeps for each paragraph, of which it has about 3 when it is first built."""


def build(  # noqa: PLR0913 - what differs between a terminal, a watch and a service
    settings: Settings,
    embedder: Embedder,
    *,
    full: bool = False,
    settle: float = 0.0,
    wait: bool = False,
    examine: Examine | None = None,
    progress: Progress,
) -> BuildReport:
    """Bring the index up to date with the seeds and publish it.

    Args:
        settings: Where the seeds and the index are, among others.
        embedder: The model.
        full: Begin from nothing.
        settle: Seconds for which a file must have rested; others stay as they are in the index.
        wait: Wait for another process that is building.
        examine: A further check before publication.
        progress: Told how far it is.

    Raises:
        SeedsError: The seeds folder is missing or holds no article.
        IndexBusy: Another process is building.
        IndexNotWritable: The index folder refuses writing.
        SelfTestFailed: The new generation is not what it should be; the old one stays live.
    """
    generations = Generations(settings.index)
    with generations.writing((lambda: progress("wait", 0, 1)) if wait else None):
        try:
            report = _Job(settings, generations, embedder, settle, progress).run(full, examine)
        except WinnowError as error:
            # Where even this cannot be written, the error itself is told all the same.
            with suppress(OSError):
                generations.record_failure(error)
            raise
        generations.forget_failure()
        return report


class _Job:
    """One build that has the right to write."""

    def __init__(
        self,
        settings: Settings,
        generations: Generations,
        embedder: Embedder,
        settle: float,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._generations = generations
        self._embedder = embedder
        self._settle = settle
        self._progress = progress
        self._watch = Stopwatch()
        self._started = dt.datetime.now(dt.UTC)
        self._skipped: list[Skipped] = []
        self._notices: list[Notice] = []
        self._torn: set[str] = set()  # seeds that changed while they were read

    def run(self, full: bool, examine: Examine | None) -> BuildReport:
        """See :func:`build`."""
        with self._watch.stage("plan"):
            ahead = forecast(self._settings, self._embedder.fingerprint, settle=self._settle)
        if ahead.damaged:
            self._notices.append(
                Notice(str(self._settings.index), None, f"built anew: {ahead.damaged}")
            )
        found = ahead.survey
        base = None if full else ahead.base
        self._skipped += found.listing.skipped
        if base and not found.plan:
            return self._unchanged(base.report, found)
        if not found.records:
            raise nothing_to_index(self._settings, self._skipped)

        id_ = new_id(self._started, next(iter(self._generations.ids()), None))
        staged = self._generations.stage(id_, base.manifest.id if base else None)
        with CachedEmbedder(self._embedder, self._generations.cache) as cached:
            with self._watch.stage("index"):
                writer = self._write(staged, cached, found, base)
            if not writer.articles:
                raise nothing_to_index(self._settings, self._skipped)
            manifest = self._manifest(id_, ahead, writer)
            embedded = cached.computed
            with self._watch.stage("verify"):
                self._progress("verify", 0, 1)
                # Where the model is loaded anyway, what was remembered is checked against it.
                check(staged, manifest, self._embedder if embedded else cached)
                verdict = examine(staged, manifest) if examine else Verdict()
                self._progress("verify", 1, 1)
            self._notices += verdict.notices
            report = self._report(id_, found, writer, embedded)
            write_report(staged / REPORT, report)
            manifest = replace(manifest, files=self._digests(staged, base))
            self._progress("publish", 0, 1)
            self._generations.publish(manifest, self._settings.generations)
            verdict.published()
            cached.trim(_REMEMBERED * writer.paragraphs)
        self._progress("publish", 1, 1)
        return report

    def _manifest(self, id_: str, ahead: Forecast, writer: GenerationWriter) -> Manifest:
        """The manifest of what was written, but for the digests of its files."""
        return Manifest(
            id=id_,
            parent=ahead.live.manifest.id if ahead.live else None,
            identity=ahead.identity,
            settings={"precision": self._settings.precision},
            versions={
                "python": platform.python_version(),
                **{name: version(name) for name in _LIBRARIES},
            },
            counts={
                "articles": writer.articles,
                "paragraphs": writer.paragraphs,
                "attributions": writer.attributions,
                **{f"articles in {code}": count for code, count in writer.languages.items()},
            },
            seeds=tuple(
                # Without a digest it counts as changed, and the next build reads it again.
                replace(record, sha256="") if record.path in self._torn else record
                for record in ahead.survey.records
            ),
            files={},
        )

    def _write(
        self, staged: Path, cached: CachedEmbedder, found: Survey, base: Base | None
    ) -> GenerationWriter:
        new = {record.path for record in found.records}
        parent = None
        if base:
            self._inherit(base.report, new - found.plan.new)
            new &= found.plan.new
            parent = self._generations.path(base.manifest.id)
        seeds = [seed for seed in found.listing.files if seed.name in new]
        total, done = sum(seed.size for seed in seeds), 0
        attributor = attributor_of(self._settings)
        with GenerationWriter(staged, cached, attributor, parent) as writer:
            if base:
                for move in found.plan.moved:
                    writer.drop(move.origin, moved=True)
                for path in found.plan.removed:
                    writer.drop(path)
            for seed in seeds:
                writer.replace(seed.name, self._articles(seed, done, total))
                done += seed.size
                if not untouched(seed):
                    self._torn.add(seed.name)
            self._progress("index", total, total)
        if cached.damaged:
            self._notices.append(Notice(str(self._generations.cache), None, cached.damaged))
        return writer

    def _articles(self, seed: SeedFile, done: int, total: int) -> Iterator[Article]:
        """The articles of a seed; what else it holds is noted."""
        self._progress("index", done, total)
        read = 0  # of a bulk file, which may be all there is and take hours
        for item in read_seed(seed):
            if isinstance(item, Skipped):
                self._skipped.append(item)
            elif isinstance(item, Notice):
                self._notices.append(item)
            else:
                yield item
                read += sum(len(paragraph.text) for paragraph in item.paragraphs)
                self._progress("index", done + min(read, seed.size), total)

    def _inherit(self, report: BuildReport, files: set[str]) -> None:
        """Take over what was noted of ``files`` when they were read."""
        self._skipped += [item for item in report.skipped if item.file in files]
        self._notices += [item for item in report.notices if item.file in files]

    def _digests(self, staged: Path, base: Base | None) -> dict[str, str]:
        """The digests of the staged files; links to the parent's are known, as it was verified."""
        if base is None:
            return digests(staged)
        parent = self._generations.path(base.manifest.id)
        known = {(parent / name).stat().st_ino: each for name, each in base.manifest.files.items()}
        return digests(staged, known)

    def _report(
        self, id_: str, found: Survey, writer: GenerationWriter, embedded: int
    ) -> BuildReport:
        return BuildReport(
            generation=id_,
            published=True,
            articles=writer.articles,
            paragraphs=writer.paragraphs,
            added=len(found.plan.added),
            changed=len(found.plan.changed),
            moved=len(found.plan.moved),
            removed=len(found.plan.removed),
            unsettled=found.unsettled,
            embedded=embedded,
            windowed=writer.windowed,
            skipped=tuple(sorted(self._skipped, key=_place)),
            notices=tuple(sorted(self._notices, key=_place)),
            seconds=self._watch.seconds(),
        )

    def _unchanged(self, report: BuildReport, found: Survey) -> BuildReport:
        """What a build reports that found nothing to do.

        What the listing skips may have changed all the same, as it is no part of a generation.
        """
        self._inherit(report, {record.path for record in found.records})
        return replace(
            report,
            published=False,
            added=0,
            changed=0,
            moved=0,
            removed=0,
            unsettled=found.unsettled,
            embedded=0,
            skipped=tuple(sorted(self._skipped, key=_place)),
            notices=tuple(sorted(self._notices, key=_place)),
            seconds=self._watch.seconds(),
        )


def _place(item: Skipped | Notice) -> tuple[str, int]:
    return item.file, item.line or 0
