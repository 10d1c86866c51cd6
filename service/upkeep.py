"""Commands that bring the index up to date and look after it: ``build`` to ``doctor``."""

from __future__ import annotations

import atexit
import functools
import gc
import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from indexer.errors import ModelError, WinnowError
from indexer.settings import Settings
from service import commands

if TYPE_CHECKING:
    from indexer.embedding import SentenceEmbedder
    from indexer.reports import BuildReport


@click.command()
@click.option("--full", is_flag=True, help="Build anew even where nothing has changed.")
@click.option("--accept", is_flag=True, help="Publish even if ranks of saved questions fall.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@commands.common
def build(settings: Settings, *, full: bool, accept: bool, as_json: bool) -> None:
    """Index the seeds: read, check and publish a new generation if anything has changed."""
    from indexer.build import build as build_index
    from service.examination import examination
    from service.progress import report_progress
    from service.terminal import build_lines

    embedder = commands.embedder(settings)
    examine = examination(settings, embedder, accept=accept)
    with report_progress() as progress:
        report = build_index(settings, embedder, full=full, examine=examine, progress=progress)
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(build_lines(report)))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@commands.common
def plan(settings: Settings, *, as_json: bool) -> None:
    """Show what a build would do; nothing is written."""
    from indexer.forecast import forecast
    from service.states import PlanResult
    from service.terminal import plan_lines

    result = PlanResult.of(forecast(settings, commands.embedder(settings).fingerprint), settings)
    if as_json:
        click.echo(result.model_dump_json(indent=2))
    else:
        click.echo("\n".join(plan_lines(result)))


@click.command()
@click.option("--offline", is_flag=True, help="Also ask a question with sockets blocked.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@commands.common
def doctor(settings: Settings, *, offline: bool, as_json: bool) -> None:
    """Check the seeds, the index and the model; each finding says what mends it."""
    from service.doctor import examine
    from service.terminal import finding_lines

    @functools.cache
    def embedder() -> SentenceEmbedder | ModelError:
        return commands.embedder_or_reason(settings, load=offline)

    findings = []
    if offline:
        from service.offline import prove

        findings.append(prove(settings, embedder))
    findings += examine(settings, embedder(), options=commands.own_options(), loaded=offline)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(finding_lines(findings)))
    if any(each.level == "problem" for each in findings):
        click.get_current_context().exit(1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print each report as a line of JSON.")
@commands.common
def watch(settings: Settings, *, as_json: bool) -> None:
    """Index the seeds, and again whenever they change, until interrupted."""
    from indexer.seeds import any_unsettled
    from indexer.watching import watch as watch_folder
    from service.lines import printable
    from service.signals import until_signal
    from service.terminal import build_lines

    embedder = commands.embedder(settings)
    quiet, wrong = False, ""

    def act() -> bool:
        nonlocal quiet, wrong
        began = time.time()
        try:
            report = _build_settled(settings, embedder, stop)
        except WinnowError as error:
            if str(error) != wrong:
                commands.complain(error)
            wrong = str(error)
            # Perhaps all that is wrong is that the only article is still on its way.
            return any_unsettled(settings.seeds, began)
        if report.published or not quiet:
            shown = json.dumps(asdict(report), ensure_ascii=False) if as_json else None
            click.echo(shown or "\n".join(build_lines(report)))
        quiet, wrong = True, ""
        return bool(report.unsettled)

    # Else the interpreter takes a second at its end to look through torch for garbage.
    atexit.register(gc.freeze)
    with until_signal() as stop, suppress(_Abandoned):
        click.echo(f"Watching {printable(str(settings.seeds))}", err=True)
        watch_folder(settings.seeds, act, stop)


class _Abandoned(Exception):
    """A build was ended because a signal asked for it."""


def _build_settled(
    settings: Settings, embedder: SentenceEmbedder, stop: threading.Event
) -> BuildReport:
    """Build from the files that are complete, after other writers, unless ``stop`` is set."""
    from indexer.build import build as build_index
    from indexer.seeds import SETTLE
    from service.examination import examination
    from service.progress import report_progress

    with report_progress() as progress:

        def stoppable(stage: str, done: int, total: int) -> None:
            if done < total and stop.is_set():
                raise _Abandoned
            progress(stage, done, total)

        return build_index(
            settings,
            embedder,
            settle=SETTLE,
            wait=True,
            examine=examination(settings, embedder),
            progress=stoppable,
        )
