"""Commands for what is kept: generations and the way back, and the user's saved questions."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path

import click

from indexer.settings import Settings
from service import commands


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what the HTTP route returns.")
@commands.common
def generations(settings: Settings, *, as_json: bool) -> None:
    """List the generations of the index that are kept, newest first."""
    from indexer.generations import Generations
    from service.history import history
    from service.terminal import generation_lines

    kept = history(Generations(settings.index))
    if as_json:
        click.echo(kept.model_dump_json(indent=2))
    else:
        click.echo("\n".join(generation_lines(kept.generations)))


@click.command()
@click.argument("generation", required=False, metavar="[ID]")
@click.option("--json", "as_json", is_flag=True, help="Print what the HTTP route returns.")
@commands.common
def rollback(settings: Settings, generation: str | None, *, as_json: bool) -> None:
    """Go back to generation ID, or to the one before; a running service follows."""
    from indexer.generations import Generations
    from service.history import activate
    from service.terminal import generation_lines

    activated = activate(Generations(settings.index), generation)
    if as_json:
        click.echo(activated.model_dump_json(indent=2))
    else:
        click.echo("\n".join(generation_lines([activated])))
        click.echo("The seeds are as they were; winnow build goes on from here.", err=True)


@click.command(name="export")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("generation", required=False, metavar="[ID]")
@commands.common
def export_(settings: Settings, file: Path, generation: str | None) -> None:
    """Write a generation, the live one by default, to FILE (a tar)."""
    from indexer.archive import export_generation
    from indexer.generations import Generations

    kept = Generations(settings.index)
    id_ = generation or kept.live().id
    export_generation(kept, id_, file)
    click.echo(f"Exported generation {id_} to {file}")


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@commands.common
def import_(settings: Settings, file: Path) -> None:
    """Check the generation in FILE and add it to those kept.

    Import only what you exported yourself: opening an index runs what is in it.
    """
    from indexer.archive import import_generation
    from indexer.generations import Generations

    kept = Generations(settings.index)
    id_ = import_generation(kept, file).id
    click.echo(f"Imported generation {id_}")
    if kept.current() != id_:
        click.echo(f"Run: winnow rollback {id_}", err=True)


@click.group(cls=commands.Listing)
def questions() -> None:
    """Questions whose right article is known: each build asks them before it publishes."""


@questions.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the questions as JSON.")
@commands.common
def list_questions(settings: Settings, *, as_json: bool) -> None:
    """Show the saved questions with the ranks of their articles; what no command stands for.

    Exit status 1 if a rank has fallen.
    """
    from service import questions as saved_questions
    from service.terminal import question_lines

    saved = saved_questions.read(settings.index)
    now: list[int | None] = []
    if saved:
        with commands.live(settings) as snapshot:
            now = saved_questions.ranks(snapshot, settings, saved)
    ranked = list(zip(saved, now, strict=True))
    if as_json:
        rows = [
            {**asdict(each), "saved": each.saved.isoformat(), "now": place}
            for each, place in ranked
        ]
        click.echo(json.dumps({"questions": rows}, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(question_lines(ranked)))
    if any(saved_questions.fell(each.rank, place) for each, place in ranked):
        click.get_current_context().exit(1)


@questions.command(name="add")
@click.argument("question")
@click.argument("source", required=False)
@commands.common
def add_question(settings: Settings, question: str, source: str | None) -> None:
    """Save QUESTION with its right article, SOURCE: by default that of the first hit."""
    from indexer.generations import Generations
    from service.questions import SavedQuestion, add, find
    from service.requests import SearchQuery
    from service.terminal import saved_lines
    from service.validation import validated

    question = validated(SearchQuery, {"q": question}).q
    with Generations(settings.index).writing(), commands.live(settings) as snapshot:
        place, passage = find(snapshot, settings, question, source)
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        saved = SavedQuestion(question, passage.article.source, place, now)
        add(settings.index, saved)
    click.echo("\n".join(saved_lines(saved, passage)))


@questions.command(name="remove")
@click.argument("question")
@commands.common
def remove_question(settings: Settings, question: str) -> None:
    """Forget the saved QUESTION."""
    from indexer.generations import Generations
    from service.questions import remove

    with Generations(settings.index).writing():
        remove(settings.index, question.strip())
