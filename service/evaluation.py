"""Measuring search and answers on judged questions.

Each set is indexed by itself, below the folder of the index or where the user says, and its index
is kept: measuring again, as one does after each change of a setting, then reads nothing with the
model but the questions. A document counts at the place of its best paragraph. Answers are those
that the service would give: of the same reader, with the same threshold. Only time to read has no
limit, as what is measured must not depend on what else is running.
"""

from __future__ import annotations

import datetime as dt
import filecmp
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.build import Progress, build
from indexer.errors import IndexNotWritable, ModelError
from indexer.generations import Generations
from indexer.protocols import Embedder
from indexer.reports import BuildReport
from indexer.settings import Settings
from indexer.store import Passage
from indexer.types import Ids
from service.answering import read_answer
from service.bootstrap import estimate
from service.extracts import Extractor
from service.judgments import Judged
from service.metrics import ANSWERED, METRICS, agreement, relevance
from service.ranked import Ranked
from service.readers import reader_of
from service.reading import Reader
from service.requests import Mode
from service.retrieval import Ranking, rank
from service.runs import Asked, Hit, ModeRun, Part, Run, SetRun
from service.snapshot import Snapshot

_TOP = 10
"""First documents of a question that a run keeps; relevant ones are kept wherever they are."""

_PATIENCE = 60_000
"""Milliseconds for the reader: more than it ever takes."""

_NOT_OF_SEARCH = frozenset(
    {
        *("seeds", "index", "host", "port", "allowed_hosts", "cors_origins"),
        *("open_loopback", "rate_limit", "waiting", "wait_ms", "deadline_ms"),
        *("log_level", "log_format", "log_questions", "unanswered_log"),
    }
)
"""Settings that change nothing in what is found."""

_DIGITS = 6
"""Decimals of scores that a run keeps."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A set's index: open, with the settings it was opened with and what was built of it."""

    snapshot: Snapshot
    settings: Settings
    report: BuildReport

    def documents(self) -> dict[str, Ids]:
        """Sorted keys of the paragraphs of each document."""
        keys = self.snapshot.store.keys().tolist()
        found: dict[str, list[int]] = {}
        for key, passage in zip(keys, self.snapshot.store.passages(keys), strict=True):
            found.setdefault(document_of(passage), []).append(key)
        return {document: np.array(sorted(own), np.int64) for document, own in found.items()}


def document_of(passage: Passage) -> str:
    """The ``_id`` in the set's corpus of the document that a passage is from."""
    return passage.article.source.partition("#")[2]


@contextmanager
def indexed(  # noqa: PLR0913, PLR0917 - what is opened, how and where
    judged: Judged,
    settings: Settings,
    embedder: Embedder,
    progress: Progress,
    work: Path,
    extractor: Extractor | ModelError | None = None,
) -> Iterator[Indexed]:
    """Index the set's corpus below ``work``, or bring its index there up to date, and open it.

    ``extractor`` reads what is found there, as it does in the service; None leaves it out.

    Raises:
        SeedsError: The corpus has no document that can be read.
        StoredIndexError: The index cannot be written or read.
    """
    folder = work / judged.label
    seeds = folder / "seeds"
    try:
        seeds.mkdir(parents=True, exist_ok=True)
        copy = seeds / "corpus.jsonl"
        if not copy.exists() or not filecmp.cmp(judged.corpus, copy, shallow=False):
            # Whole or not at all: another process may be reading it.
            shutil.copyfile(judged.corpus, folder / "corpus.new").replace(copy)
    except OSError as error:
        raise IndexNotWritable(
            f"{folder} cannot be written: {error}", hint="Choose another folder with --work."
        ) from error
    # Nothing that is measured depends on speakers, and it takes long to find them.
    folders = {"seeds": seeds, "index": folder / "index"}
    own = settings.model_copy(update={**folders, "generations": 1, "speakers": False})
    report = build(
        own, embedder, wait=True, progress=lambda _, *how: progress(f"{judged.name} index", *how)
    )
    generations = Generations(own.index)
    opened = Snapshot.open(generations, report.generation, own, embedder, extractor)
    with closing(opened) as snapshot:
        yield Indexed(snapshot, own, report)


def evaluate(  # noqa: PLR0913 - what is measured, how, with what and where
    sets: Sequence[Judged],
    modes: Sequence[Mode],
    settings: Settings,
    embedder: Embedder,
    progress: Progress,
    *,
    work: Path | None = None,
    answers: bool = True,
    reader: Reader | None = None,
    extractor: Extractor | ModelError | None = None,
) -> Run:
    """Measure each of ``sets`` in each of ``modes``.

    Args:
        sets: Of different names.
        modes: Ways to search.
        settings: Those in force, but for the folders.
        embedder: The model.
        progress: Told how far it is.
        work: Where the sets' indexes are kept; by default ``eval/`` below the index.
        answers: Measure answers too, where they are known; it takes longer than the search.
        reader: Who answers; by default the one that does so with ``settings``.
        extractor: See :func:`indexed`.

    Raises:
        SeedsError: A corpus has no document that can be read.
        StoredIndexError: An index cannot be written or read.
        ModelError: There is no model, and keywords are not all that was asked for.
    """
    work, settings = work or kept_in(settings), unhurried(settings)
    read = (reader or reader_of(settings)) if answers else None
    measured, versions = [], {}
    for judged in sets:
        with indexed(judged, settings, embedder, progress, work, extractor) as index:
            measured.append(_measure(judged, modes, index, progress, read))
            versions = index.snapshot.manifest.versions
    return Run(
        when=dt.datetime.now(dt.UTC).replace(microsecond=0),
        versions=versions,
        model=embedder.fingerprint,
        reader=type(read).__name__ if read else None,
        settings=settings.model_dump(mode="json", exclude=set(_NOT_OF_SEARCH)),
        sets=tuple(measured),
    )


def unhurried(settings: Settings) -> Settings:
    """``settings`` with all the time for reading that is needed."""
    return settings.model_copy(update={"read_ms": _PATIENCE})


def kept_in(settings: Settings) -> Path:
    """The folder where sets' indexes are kept unless the user says otherwise."""
    return settings.index / "eval"


def in_order(ranked: Sequence[Ranked]) -> dict[int, Ranked]:
    """Every paragraph found, best first, with the ranked one to which it owes its place.

    A metric asks for all that was found: what a ranking puts behind another, to show it only once,
    has its place right after that.
    """
    return {paragraph: each for each in ranked for paragraph in each.paragraphs}


def _measure(
    judged: Judged,
    modes: Sequence[Mode],
    index: Indexed,
    progress: Progress,
    reader: Reader | None,
) -> SetRun:
    asked: dict[Mode, list[_Answered]] = {mode: [] for mode in modes}
    total = len(judged.questions)
    for done, id_ in enumerate(judged.questions):
        progress(judged.name, done, total)
        for mode in modes:  # in turn, so that each question is embedded once
            asked[mode].append(_ask(judged, id_, mode, index, reader))
    progress(judged.name, total, total)
    counts = index.snapshot.manifest.counts
    known = {document for each in judged.qrels.values() for document in each}
    there = {source.partition("#")[2] for source, _, _ in index.snapshot.store.texts()}
    return SetRun(
        name=judged.name,
        documents=counts["articles"],
        paragraphs=counts["paragraphs"],
        unjudged=judged.unjudged,
        wordless=judged.wordless,
        skipped=len(index.report.skipped),
        missing=len(known - there),
        modes=tuple(_mode_run(judged, mode, each) for mode, each in asked.items()),
    )


@dataclass(frozen=True, slots=True)
class _Answered:
    """What came of one question: its documents, best first, which of them are kept, its answer."""

    id: str
    documents: list[str]
    hits: tuple[Hit, ...]
    answer: str | None


def _ask(judged: Judged, id_: str, mode: Mode, index: Indexed, reader: Reader | None) -> _Answered:
    answering = reader is not None and id_ in judged.answers
    ranking = rank(index.snapshot, index.settings, judged.questions[id_], mode, answering=answering)
    found = in_order(ranking.ranked)
    passages = index.snapshot.store.passages(list(found))
    best: dict[str, tuple[Passage, Ranked]] = {}
    for passage, each in zip(passages, found.values(), strict=True):
        best.setdefault(document_of(passage), (passage, each))
    relevant = {document for document, grade in judged.qrels[id_].items() if grade > 0}
    return _Answered(
        id_,
        list(best),
        tuple(
            _hit(document, place, *hit)
            for place, (document, hit) in enumerate(best.items(), start=1)
            if place <= _TOP or document in relevant
        ),
        _answer(index, reader, ranking) if reader and answering else None,
    )


def _hit(document: str, place: int, passage: Passage, ranked: Ranked) -> Hit:
    return Hit(
        document=document,
        title=passage.article.title,
        paragraph=passage.paragraph.number,
        place=place,
        score=round(ranked.score, _DIGITS),
        parts=tuple(
            Part(
                source=part.source,
                rank=part.rank,
                raw=round(part.raw, _DIGITS),
                points=round(part.points, _DIGITS),
            )
            for part in ranked.contributions
        ),
    )


def _answer(index: Indexed, reader: Reader, ranking: Ranking) -> str:
    _, decision = read_answer(index.snapshot, index.settings, reader, ranking)
    return decision.answer.text if decision.answer else ""


def _mode_run(judged: Judged, mode: Mode, answered: Sequence[_Answered]) -> ModeRun:
    measured = relevance(judged.qrels, {each.id: each.documents for each in answered})
    for each in answered:
        if each.answer is not None:
            measured[each.id] |= agreement(each.answer, judged.answers[each.id])
            measured[each.id][ANSWERED] = 100.0 * bool(each.answer)
    run = ModeRun(
        mode=mode,
        estimates={},
        questions=tuple(
            Asked(
                id=each.id,
                text=judged.questions[each.id],
                judged=judged.qrels[each.id],
                first=_first(judged.qrels[each.id], each.documents),
                metrics=measured[each.id],
                hits=each.hits,
                answer=each.answer,
            )
            for each in answered
        ),
    )
    values = {metric: run.values(metric) for metric in METRICS}
    estimates = {metric: estimate(each) for metric, each in values.items() if each}
    return run.model_copy(update={"estimates": estimates})


def _first(grades: dict[str, int], documents: Sequence[str]) -> int | None:
    places = enumerate(documents, start=1)
    return next((place for place, document in places if grades.get(document, 0) > 0), None)
