"""Everything that can be wrong with a collection and its index, each with what mends it.

Every check reports, be it that all is well, so that silence never passes for health; and one that
fails itself is a finding like any other. Nothing is written and the model is not needed.
"""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from indexer.cache import inspect
from indexer.consistency import cut_short, disagreements, duplicates, truncations
from indexer.errors import ModelError, StoredIndexError, TuningError, WinnowError
from indexer.forecast import differences, nothing_to_index
from indexer.manifest import READABLE
from indexer.protocols import Embedder
from indexer.settings import Settings
from indexer.speakers import attributor_of
from service.parameters import chosen
from service.patient import Patient, Unsound
from service.readers import extractor_of, reader_of
from service.tuned import read as read_tuning

Level: TypeAlias = Literal["ok", "note", "problem"]

_NAMED = 10
"""Files, pairs and the like that a finding names; of more it says how many."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a ``check`` found; a note is worth knowing, a problem is worth mending.

    ``mend`` is the command that mends it or the sentence that says what else does, such as nothing
    at all; it is empty where all is well.
    """

    check: str
    level: Level
    message: str
    mend: str = ""


def examine(
    settings: Settings, embedder: Embedder | ModelError, *, options: str = "", loaded: bool = False
) -> Iterator[Finding]:
    """Run every check; each yields at least one finding.

    Args:
        settings: Whose seeds and index are examined.
        embedder: The model, of which only the fingerprint is asked, or why there is none.
        options: What commands that mend something must be called with, to mend it here.
        loaded: The model is loaded, and may be asked for more.
    """
    with ExitStack() as opened:
        patient = Patient(settings, embedder, options, loaded, opened)
        for name, check in _CHECKS.items():
            try:
                for said in check(patient):
                    yield Finding(name, *said)
            except Unsound as reason:
                yield Finding(name, "note", f"not checked: {reason}", patient.winnow("build"))
            except (StoredIndexError, sqlite3.Error) as error:
                yield Finding(name, "problem", str(error), patient.winnow("build --full"))
            except WinnowError as error:
                yield Finding(name, "problem", str(error), error.hint)
            except OSError as error:
                mend = "Make what it names readable, then examine again."
                yield Finding(name, "problem", f"this check failed: {error}", mend)


_Said: TypeAlias = tuple[Level, str, str]
"""A finding's level, message and mend."""


def _index(patient: Patient) -> Iterator[_Said]:
    generations = patient.generations
    try:
        manifest = generations.live()
    except WinnowError as error:
        reason = str(error)
        if others := generations.ids():
            reason += f"; {len(others)} generations are in {generations.path(others[0]).parent}"
        yield "problem", reason, patient.winnow("build")
        return
    counts = manifest.counts
    held = f"{counts['articles']} articles, {counts['paragraphs']} paragraphs"
    yield "ok", f"generation {manifest.id}: {held}", ""


def _files(patient: Patient) -> Iterator[_Said]:
    sound = 0
    for id_, complaints in patient.damage.items():
        if not complaints:
            sound += 1
        elif patient.live and id_ == patient.live.id:
            yield "problem", _listed(complaints), patient.winnow("build")
        else:
            # Readers check a generation before they open it, and builds go on from the live one.
            message = f"an older generation is useless: {_listed(complaints)}"
            yield "note", message, _remove(patient.generations.path(id_))
    yield "ok", f"{sound} generations are as they were written", ""


def _identity(patient: Patient) -> Iterator[_Said]:
    needed = {"attributor": attributor_of(patient.settings).name, **READABLE}
    if isinstance(patient.embedder, ModelError):
        yield "problem", str(patient.embedder), patient.embedder.hint
    else:
        needed["model"] = patient.embedder.fingerprint
    found = {name: patient.manifest.identity.get(name, "") for name in needed}
    if other := differences(found, needed):
        message = f"the index was built with another {' and another '.join(other)}"
        yield "problem", message, patient.winnow("build")
    else:
        yield "ok", f"the index was built with this {', '.join(sorted(needed))}", ""


def _reader(patient: Patient) -> Iterator[_Said]:
    extractor = extractor_of(patient.settings)
    if extractor is None:
        yield "ok", "the trained reader is switched off: answers are whole sentences", ""
    elif isinstance(extractor, ModelError):
        yield "problem", str(extractor), extractor.hint
    else:
        reader_of(patient.settings)  # raises, if what its scores are worth is not known
        yield "ok", "the trained reader is complete", ""


def _stores(patient: Patient) -> Iterator[_Said]:
    if found := disagreements(patient.stores, patient.manifest):
        yield "problem", _listed(found), patient.winnow("build --full")
    else:
        yield "ok", "the store and both indexes have the same paragraphs", ""


def _truncation(patient: Patient) -> Iterator[_Said]:
    stores = patient.stores
    found = truncations(stores)
    embedded = stores.articles.embedded()
    if patient.loaded and not isinstance(patient.embedder, ModelError):
        found += cut_short(stores, patient.embedder)
    if found:
        yield "problem", _listed(found), patient.winnow("build --full")
    else:
        sentences, windowed = embedded.vectors.sum(), (embedded.windows > 1).sum()
        message = f"nothing is cut: {sentences} sentences have their vectors, and {windowed} "
        yield "ok", f"{message}paragraphs are read in windows", ""


def _duplicates(patient: Patient) -> Iterator[_Said]:
    pairs = duplicates(patient.stores.articles, patient.manifest)
    if pairs:
        named = _listed([f"{first} = {other}" for first, other in pairs])
        mend = f"Remove what is not wanted twice, then run: {patient.winnow('build')}"
        yield "note", f"{len(pairs)} duplicates: {named}", mend
    else:
        yield "ok", "no article is there twice", ""


def _drift(patient: Patient) -> Iterator[_Said]:
    found = patient.survey
    if not found.records:
        error = nothing_to_index(patient.settings, found.listing.skipped)
        yield "problem", str(error), error.hint
    elif found.plan:
        parts = [
            ("added", found.plan.added),
            ("changed", found.plan.changed),
            ("moved", [f"{move.origin} -> {move.path}" for move in found.plan.moved]),
            ("removed", found.plan.removed),
        ]
        said = "; ".join(f"{len(each)} {name}: {_listed(each)}" for name, each in parts if each)
        yield (
            "note",
            f"seeds that the index does not have as they are: {said}",
            patient.winnow("build"),
        )
    else:
        yield "ok", f"the index has all {len(found.records)} seeds as they are", ""


def _skipped(patient: Patient) -> Iterator[_Said]:
    skipped = list(patient.survey.listing.skipped)
    if patient.live:
        skipped += [item for item in patient.report.skipped if item.file in patient.unchanged]
    if skipped:
        named = _listed([f"{_place(item.file, item.line)}: {item.reason}" for item in skipped])
        mend = f"Mend what is wanted, remove the rest, then run: {patient.winnow('build')}"
        yield "note", f"{len(skipped)} skipped: {named}", mend
    else:
        yield "ok", "no seed is skipped", ""


def _notices(patient: Patient) -> Iterator[_Said]:
    notices = [item for item in patient.report.notices if item.file in patient.unchanged]
    if notices:
        named = _listed([f"{_place(item.file, item.line)}: {item.reason}" for item in notices])
        yield "note", named, "Nothing needs doing: they are in the index all the same."
    else:
        yield "ok", "nothing was remarkable in the seeds", ""


def _last_build(patient: Patient) -> Iterator[_Said]:
    failure = patient.generations.failure()
    if failure:
        yield "problem", str(failure), patient.winnow("build")
    else:
        yield "ok", "the last build did not fail", ""


def _writer(patient: Patient) -> Iterator[_Said]:
    if writer := patient.generations.writer():
        mend = "Nothing needs doing: wait until it has finished."
        yield "note", f"the index is being written by {writer}", mend
    else:
        yield "ok", "nobody is writing the index", ""


def _leftovers(patient: Patient) -> Iterator[_Said]:
    generations, found = patient.generations, False
    # Listed before asking: a build that begins in between has staged nothing yet.
    if (staged := generations.leftovers()) and not generations.writer():
        found = True
        message = f"left by a build that was ended: {_listed([str(path) for path in staged])}"
        yield "note", message, patient.winnow("build")
    for path in generations.fragments():
        found = True
        yield "note", f"{path} has no manifest and is no generation", _remove(path)
    if not found:
        yield "ok", "nothing is left of builds that were ended", ""


def _space(patient: Patient) -> Iterator[_Said]:
    folder = patient.settings.index
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    needed = _size(patient.generations.cache)
    if patient.live:
        needed += _size(patient.generations.path(patient.live.id))
    message = f"{_bytes(free)} are free, a build of everything takes about {_bytes(needed)}"
    if free < needed:
        mend = f"Free {_bytes(needed - free)} on the disk of {folder}, or choose another --index."
        yield "problem", message, mend
    else:
        yield "ok", message, ""


def _tuning(patient: Patient) -> Iterator[_Said]:
    remove = patient.winnow("tune --reset")
    try:
        tuning = read_tuning(patient.settings.index)
    except TuningError as error:
        yield "problem", f"fitted weights are not used: {error}", remove
        return
    if tuning is None:
        yield "ok", "no weights were fitted to your questions", ""
        return
    set_ = sorted(tuning.parameters.keys() & chosen(patient.settings))
    model = None if isinstance(patient.embedder, ModelError) else patient.embedder.fingerprint
    if model not in {None, tuning.model}:
        message = "weights were fitted with another embedding model and are not used"
        yield "note", message, f"{patient.winnow('tune')}, or {remove}"
    elif set_:
        message = f"the setting of {', '.join(set_)} wins over what was fitted: {tuning}"
        yield "note", message, f"Leave the setting out, or forget the fit: {remove}"
    else:
        yield "ok", f"{tuning}; to be rid of it: {remove}", ""


def _cache(patient: Patient) -> Iterator[_Said]:
    path = patient.generations.cache
    state = inspect(path)
    remove = _remove(path.parent)
    if state is None:
        yield "ok", "there is no embedding cache; the next build that needs one makes it", ""
    elif state.damaged:
        yield "note", f"the embedding cache {path} is damaged: {state.damaged}", remove
    elif state.wrong:
        message = f"{state.wrong} of {state.texts} vectors in the embedding cache are damaged"
        yield "note", message, remove
    else:
        message = f"the embedding cache has {state.texts} texts in {_bytes(_size(path.parent))}"
        yield "ok", f"{message}; to be rid of it: {remove}", ""


_CHECKS: dict[str, Callable[[Patient], Iterator[_Said]]] = {
    "index": _index,
    "files": _files,
    "identity": _identity,
    "reader": _reader,
    "stores": _stores,
    "truncation": _truncation,
    "duplicates": _duplicates,
    "drift": _drift,
    "skipped": _skipped,
    "notices": _notices,
    "last build": _last_build,
    "writer": _writer,
    "leftovers": _leftovers,
    "disk space": _space,
    "tuning": _tuning,
    "cache": _cache,
}


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _NAMED
    return "; ".join(items[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _place(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"


def _remove(path: Path) -> str:
    return shlex.join(["rm", "-r", str(path)])


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if not path.exists():
        return 0
    return sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())


def _bytes(count: int) -> str:
    return f"{count / 10**6:,.1f} MB"
