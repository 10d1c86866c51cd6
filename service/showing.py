"""Commands that show how Winnow is set up and what it could not answer."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from indexer.gathering import Gathered
from indexer.settings import Settings
from service import commands

if TYPE_CHECKING:
    from service.unanswered import UnansweredQuestion


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON.")
@commands.configured
def config(gathered: Gathered, *, as_json: bool) -> None:
    """Show every setting that is in force and where its value comes from."""
    from service.configuration import fitted, rows
    from service.lines import printable
    from service.tables import aligned

    tuned = fitted(gathered.settings)
    found = rows(gathered, tuned)
    if as_json:
        click.echo(json.dumps({"settings": [asdict(each) for each in found]}, indent=2))
    else:
        table = [[each.name, printable(each.shown), printable(each.origin)] for each in found]
        click.echo("\n".join(aligned([["setting", "value", "from"], *table])))
    if tuned.problem:
        click.echo(printable(tuned.problem), err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the questions as JSON.")
@click.option("--clear", is_flag=True, help="Forget them, once they are shown.")
@commands.common
def unanswered(settings: Settings, *, as_json: bool, clear: bool) -> None:
    """Show what was asked and not answered, where the setting unanswered_log is on."""
    from indexer.errors import UnansweredError
    from service.tables import aligned
    from service.unanswered import Unanswered

    log = Unanswered(settings.index)
    try:
        kept = log.questions()
    except UnansweredError:
        if not clear:
            raise
        kept = []
    if as_json:
        rows = [
            asdict(each) | {"first": _when(each.first), "last": _when(each.last)} for each in kept
        ]
        click.echo(json.dumps({"questions": rows}, ensure_ascii=False, indent=2))
    elif kept:
        head = ["times", "last asked (UTC)", "best", "question"]
        click.echo("\n".join(aligned([head, *map(_row, kept)])))
    elif settings.unanswered_log:
        click.echo("No question without an answer is kept.", err=True)
    else:
        click.echo("Nothing is kept, as the setting unanswered_log is off.", err=True)
    if clear:
        log.clear()


def _row(each: UnansweredQuestion) -> list[str]:
    from service.lines import printable
    from service.wording import percent

    best = "" if each.surest is None else percent(each.surest)
    last = _when(each.last)[:16].replace("T", " ")
    return [str(each.times), last, best, printable(each.question)]


def _when(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")
