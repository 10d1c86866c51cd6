"""The user's saved questions, asked of a generation before it is published.

A build that would make the right article of one of them harder to find than it was publishes
nothing, unless that is accepted, and says which question it is and by how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from indexer.articles import Notice
from indexer.build import Examine, Verdict
from indexer.errors import IndexCorrupt, SelfTestFailed
from indexer.generations import Generations
from indexer.manifest import Manifest
from indexer.protocols import Embedder
from indexer.settings import Settings
from service.questions import SavedQuestion, fell, holds, ranks, read, record
from service.snapshot import Snapshot
from service.wording import ordinal

_SHOWN = 60
"""Characters of a question that a message quotes."""


def examination(settings: Settings, embedder: Embedder, *, accept: bool = False) -> Examine:
    """Asks the saved questions of a generation that is to be published.

    An article that was renamed is followed to its new name, and one that is gone is only noticed.
    What has risen, was renamed, or fell and is to be ``accept``-ed, is recorded upon publication.
    The returned function raises SelfTestFailed where a rank falls, and QuestionsError.
    """
    generations = Generations(settings.index)

    def examine(folder: Path, manifest: Manifest) -> Verdict:
        saved = read(settings.index)
        if not saved:
            return Verdict()
        changes: dict[SavedQuestion, SavedQuestion] = {}
        notes, complaints = [], []
        with closing(Snapshot.at(folder, manifest, settings, embedder)) as snapshot:
            names = _names(saved, snapshot, generations, manifest)
            for each in saved:
                source = names[each.source]
                if source is None:
                    notes.append(f"{_quoted(each)}: article {each.source} is no longer indexed")
                    continue
                if source != each.source:
                    notes.append(f"{_quoted(each)}: article {each.source} is now {source}")
                now = replace(each, source=source)
                now = replace(now, rank=ranks(snapshot, settings, [now])[0])
                if fell(each.rank, now.rank):
                    what = f"{_quoted(each)}: article {source} was {ordinal(each.rank)} and"
                    complaints.append(f"{what} would be {ordinal(now.rank)}")
                    notes.append(f"{what} is {ordinal(now.rank)}")
                if now != each:
                    changes[each] = now
        if complaints and not accept:
            raise SelfTestFailed(
                "; ".join(complaints),
                hint="If that is right, run: winnow build --accept. The index in use is untouched.",
            )
        notices = tuple(Notice(str(generations.questions), None, note) for note in notes)
        return Verdict(notices, lambda: record(settings.index, changes))

    return examine


def _names(
    saved: Sequence[SavedQuestion],
    snapshot: Snapshot,
    generations: Generations,
    manifest: Manifest,
) -> dict[str, str | None]:
    """What the sources of the saved questions are called in ``snapshot``; None where they are gone.

    A source that is gone was renamed if its file, as the newest kept generation that had it knows
    it, is in ``manifest`` with the same content and another name.
    """
    names: dict[str, str | None] = {each.source: each.source for each in saved}
    missing = [source for source in names if not holds(snapshot, source)]
    moved = _moved(generations, manifest) if missing else {}
    for source in missing:
        # A file's article has the file's name; a record of a bulk file has its id after a "#".
        files = (name for name in moved if f"{source}#".startswith(f"{name}#"))
        file = max(files, key=len, default="")
        new = moved.get(file)
        renamed = None if new is None else new + source[len(file) :]
        names[source] = renamed if renamed and holds(snapshot, renamed) else None
    return names


def _moved(generations: Generations, manifest: Manifest) -> dict[str, str | None]:
    """Where the content of each file of the kept generations is in ``manifest``, if it is there."""
    now = {seed.sha256: seed.path for seed in reversed(manifest.seeds) if seed.sha256}
    moved: dict[str, str | None] = {}
    for id_ in reversed(generations.ids()):
        with suppress(IndexCorrupt):  # a build mends that; what it knew of names is lost
            for seed in generations.manifest(id_).seeds:
                moved[seed.path] = now.get(seed.sha256)
    return moved


def _quoted(saved: SavedQuestion) -> str:
    text = saved.question
    return f'"{text if len(text) <= _SHOWN else text[: _SHOWN - 4] + " ..."}"'
