"""Commands that measure: ``eval``, and ``tune``, which acts on what it measured."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.errors import WinnowError
from indexer.settings import Settings
from service import commands

if TYPE_CHECKING:
    from indexer.build import Progress
    from indexer.embedding import SentenceEmbedder
    from service.requests import Mode
    from service.tuned import Tuning
    from service.tuning import Found

_folders = click.Path(exists=True, file_okay=False, path_type=Path)
_work = click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the sets' indexes are kept; eval/ below the index by default.",
)
_file = click.Path(dir_okay=False, path_type=Path)


@click.command(name="eval")
@click.argument("sets", nargs=-1, required=True, type=_folders)
@click.option("--mode", type=click.Choice(commands.MODES), help="One mode instead of all three.")
@click.option(
    "--answers/--no-answers", default=True, help="Measure answers too, where a set has them."
)
@click.option("--save", type=_file, help="Keep the run in this file, to compare with later.")
@click.option(
    "--compare", type=_file, help="Show what changed since the run in this file, and why."
)
@click.option(
    "--changes",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Questions that --compare shows, better and worse, for each set and mode.",
)
@click.option("--per-query", type=_file, help="Write each question to this file, a line of JSON.")
@_work
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@commands.common
def evaluate(  # noqa: PLR0913 - one for each option
    settings: Settings,
    sets: tuple[Path, ...],
    *,
    mode: Mode | None,
    answers: bool,
    save: Path | None,
    compare: Path | None,
    changes: int,
    per_query: Path | None,
    work: Path | None,
    as_json: bool,
) -> None:
    """Measure search and answers on SETS: folders of judged questions in BEIR's layout.

    Intervals are those of 95 % in which the mean of such questions lies. Each set's index is kept
    below the index folder or in --work, so that only the first time takes long.
    """
    from pydantic import TypeAdapter

    from service import runs
    from service.comparison import compare as compare_runs
    from service.evaluation import evaluate as evaluate_sets
    from service.judgments import read_all
    from service.progress import report_progress
    from service.readers import extractor_of
    from service.summaries import rows
    from service.tables import comparison_lines, evaluation_lines
    from service.tuned import Tuned

    # What can be refused is refused before it is measured, which takes minutes.
    judged = read_all(sets)
    then = runs.read(compare) if compare else None
    for path in (save, per_query):
        if path is not None:
            runs.require_writable(path)
    modes = commands.MODES if mode is None else (mode,)
    embedder = commands.embedder(settings)
    tuned = Tuned(settings, embedder.fingerprint)
    if problem := tuned.now().problem:
        click.echo(f"Note: {problem}", err=True)
    with report_progress() as progress:
        run = evaluate_sets(
            judged,
            modes,
            tuned.over(settings),
            embedder,
            progress,
            work=work,
            answers=answers,
            extractor=extractor_of(settings),
        )
    if save is not None:
        runs.save(run, save)
    if per_query is not None:
        runs.save_questions(run, per_query)
    comparison = compare_runs(then, run) if then else None
    if as_json:
        result: dict[str, object] = {"results": rows(run)}
        if comparison:
            result["comparison"] = TypeAdapter(type(comparison)).dump_python(
                comparison, mode="json"
            )
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(evaluation_lines(rows(run))))
    if comparison:
        click.echo("\n".join(comparison_lines(comparison, changes)))


@click.command()
@click.argument("sets", nargs=-1, type=_folders)
@click.option("--dry-run", is_flag=True, help="Only show what would be changed.")
@click.option("--reset", is_flag=True, help="Forget what was fitted.")
@_work
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@commands.common
def tune(  # noqa: PLR0913 - one for each option
    settings: Settings,
    sets: tuple[Path, ...],
    *,
    dry_run: bool,
    reset: bool,
    work: Path | None,
    as_json: bool,
) -> None:
    """Fit the weights of both searches to your saved questions, or to SETS of judged questions.

    SETS are folders as winnow eval has them. The weights are changed only if that is known to make
    questions better on which they were not fitted; a running service follows.
    """
    from indexer.errors import SettingsError
    from service.parameters import PARAMETERS, chosen, current
    from service.progress import report_progress
    from service.tables import fit_lines
    from service.tuned import Tuned, Tuning
    from service.tuning import Pool, fit

    if reset:
        if sets or dry_run or as_json:
            raise click.UsageError("--reset goes with no set, --dry-run or --json.")
        _reset(settings)
        return
    ranges = {name: of for name, of in PARAMETERS.items() if name not in chosen(settings)}
    if fixed := sorted(chosen(settings)):
        message = f"set in winnow.toml or the environment, and stays: {', '.join(fixed)}"
        if not ranges:
            raise SettingsError(message, hint="Leave it out there to have it fitted.")
        click.echo(message, err=True)
    embedder = commands.embedder(settings)
    tuned = Tuned(settings, embedder.fingerprint)
    start = current(tuned.over(settings))
    with report_progress() as progress:
        if sets:
            found, origin = _found_in_sets(sets, settings, embedder, progress, work)
        else:
            found, origin = _found_of_saved(settings, progress)
    result = fit(Pool(found).ndcg, ranges, start, len(found))
    # What was not fitted is nothing to tell or keep.
    result = replace(result, values={name: result.values[name] for name in ranges})
    start = {name: start[name] for name in ranges}
    gain = result.gain
    tuning = None
    if result.verdict == "better" and gain and gain.low is not None and gain.high is not None:
        tuning = Tuning(
            parameters=result.values,
            origin=tuple(origin),
            questions=result.questions,
            gain=gain.mean,
            low=gain.low,
            high=gain.high,
            model=embedder.fingerprint,
            when=dt.datetime.now(dt.UTC).replace(microsecond=0),
        )
    changed = tuning is not None and not dry_run
    if tuning is not None and changed:
        _keep(settings, tuning)
    if as_json:
        shown = {"changed": changed, "origin": origin, "from": start, **asdict(result)}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(fit_lines(result, start, origin, kept=changed)))


def _found_in_sets(
    sets: tuple[Path, ...],
    settings: Settings,
    embedder: SentenceEmbedder,
    progress: Progress,
    work: Path | None,
) -> tuple[list[Found], list[str]]:
    from service.evaluation import indexed, kept_in
    from service.fitting import of_judged
    from service.judgments import read_all

    judged = read_all(sets)
    found: list[Found] = []
    for each in judged:
        with indexed(each, settings, embedder, progress, work or kept_in(settings)) as index:
            found += of_judged(index, each, progress)
    return found, [each.name for each in judged]


def _found_of_saved(settings: Settings, progress: Progress) -> tuple[list[Found], list[str]]:
    from indexer.errors import TuningError
    from service.fitting import of_saved
    from service.questions import read

    saved = read(settings.index)
    if not saved:
        raise TuningError(
            "no questions are saved, so there is nothing to fit weights to",
            hint="Save some with winnow questions add, or name folders of judged questions.",
        )
    with commands.live(settings) as snapshot:
        found = of_saved(snapshot, settings, saved, progress)
    if lost := len(saved) - len(found):
        click.echo(f"{lost} saved questions left out: their articles are gone", err=True)
    return found, ["your own"]


def _keep(settings: Settings, tuning: Tuning) -> None:
    from indexer.generations import Generations
    from service.tuned import write

    with Generations(settings.index).writing():
        write(settings.index, tuning)
        _rerecord(settings)


def _reset(settings: Settings) -> None:
    from indexer.generations import Generations
    from service.tuned import remove

    with Generations(settings.index).writing():
        if not remove(settings.index):
            click.echo("Nothing was fitted.")
            return
        click.echo("Forgotten: the weights are the defaults again, or those you have set.")
        _rerecord(settings)


def _rerecord(settings: Settings) -> None:
    """Record the saved questions' ranks anew: a build must not be blamed for what tuning moved."""
    from service.questions import read, rerecord
    from service.tables import moved_lines

    try:
        if not read(settings.index):
            return
        with commands.live(settings) as snapshot:
            changes = rerecord(snapshot, settings)
    except WinnowError as error:
        click.echo("The ranks of saved questions could not be recorded anew:", err=True)
        commands.complain(error)
        return
    for line in moved_lines(changes):
        click.echo(line, err=True)
