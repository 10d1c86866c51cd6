"""The terminal: ``winnow`` and its commands.

Results go to standard output, plain or as the JSON that the HTTP routes return; progress and
errors go to standard error. Exit status 0, 1 for a problem, 2 for wrong usage. What takes long to
import is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.errors import ModelError, QueryError, SettingsError, WinnowError
from indexer.settings import Settings, load_settings

if TYPE_CHECKING:
    from indexer.embedding import SentenceEmbedder
    from service.engine import Engine
    from service.schemas import Mode

_MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")


class _Commands(click.Group):
    """Turns the product's errors into a message, a hint and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WinnowError as error:
            from service.terminal import printable

            # A message may name a file, and a file's name can hold anything.
            click.echo(f"winnow: {printable(str(error))}", err=True)
            if error.hint:
                click.echo(printable(error.hint), err=True)
            ctx.exit(2 if isinstance(error, SettingsError | QueryError) else 1)


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command has; they reach it as one ``settings``."""

    @click.option("--seeds", type=click.Path(path_type=Path), help="Folder of articles.")
    @click.option("--index", type=click.Path(path_type=Path), help="Folder of the index.")
    @click.option("--config", type=click.Path(path_type=Path), help="TOML file with settings.")
    @functools.wraps(command)
    def wrapped(seeds: Path | None, index: Path | None, config: Path | None, **options: Any) -> Any:
        own: dict[str, Any] = {
            name: options.pop(name) for name in ("host", "port") if name in options
        }
        flags: dict[str, Any] = {"seeds": seeds, "index": index, **own}
        settings = load_settings(config, flags)
        return command(settings=settings, **options)

    return wrapped


def _question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    day = click.DateTime(["%Y-%m-%d"])
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print what the HTTP route returns."),
        click.option("--before", type=day, help="Only articles of this day or earlier."),
        click.option("--after", type=day, help="Only articles of this day or later."),
        click.option("--mode", type=click.Choice(_MODES), default="hybrid", show_default=True),
    ):
        command = option(command)
    return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="winnow")
def main() -> None:
    """Search and answers over your own collection of news articles."""


@main.command()
@click.option("--full", is_flag=True, help="Build anew even where nothing has changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@_common
def build(settings: Settings, *, full: bool, as_json: bool) -> None:
    """Index the seeds: read, check and publish a new generation if anything has changed."""
    from indexer.build import build as build_index
    from service.progress import report_progress
    from service.terminal import build_lines

    with report_progress() as progress:
        report = build_index(settings, _embedder(settings), full=full, progress=progress)
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(build_lines(report)))


@main.command()
@click.argument("query")
@_question_options
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--explain", is_flag=True, help="Show what each side contributed.")
@_common
def search(settings: Settings, query: str, *, as_json: bool, **options: Any) -> None:
    """Show the paragraphs that fit QUERY best."""
    from service.schemas import SearchQuery
    from service.terminal import search_lines
    from service.validation import validated

    request = validated(SearchQuery, {"q": query, **_days(options)})
    with _engine(settings) as engine:
        result = engine.search(request)
    if as_json:
        click.echo(result.model_dump_json(exclude_unset=True, indent=2))
    else:
        click.echo("\n".join(search_lines(result, explain=request.explain)))


@main.command()
@click.argument("question")
@_question_options
@click.option("--limit", type=click.IntRange(1, 100), default=5, show_default=True)
@_common
def ask(settings: Settings, question: str, *, as_json: bool, **options: Any) -> None:
    """Answer QUESTION verbatim from an article, or say that the articles do not."""
    from service.schemas import AnswerQuery
    from service.terminal import answer_lines
    from service.validation import validated

    request = validated(AnswerQuery, {"q": question, **_days(options)})
    with _engine(settings) as engine:
        result = engine.answer(request)
    if as_json:
        click.echo(result.model_dump_json(exclude_unset=True, indent=2))
    else:
        click.echo("\n".join(answer_lines(result)))


@main.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 by default.")
@click.option("--port", type=int, help="Port to listen on; 8080 by default.")
@_common
def serve(settings: Settings) -> None:
    """Serve the page and the HTTP routes until interrupted."""
    from service.server import serve as serve_forever

    serve_forever(settings, lambda: _embedder_or_reason(settings))


@main.command(name="eval")
@click.argument(
    "sets", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--mode", type=click.Choice(_MODES), help="One mode instead of all three.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@_common
def evaluate(
    settings: Settings, sets: tuple[Path, ...], *, mode: Mode | None, as_json: bool
) -> None:
    """Measure search and answers on SETS: folders of judged questions in BEIR's layout."""
    from service.evaluation import evaluate as evaluate_set
    from service.evaluation import read_judged
    from service.progress import report_progress
    from service.terminal import evaluation_lines

    judged = [read_judged(folder) for folder in sets]
    modes = _MODES if mode is None else (mode,)
    embedder = _embedder(settings)
    rows: list[dict[str, object]] = []
    with report_progress() as progress:
        for each in judged:
            rows += evaluate_set(each, modes, settings, embedder, progress)
    if as_json:
        click.echo(json.dumps({"results": rows}, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(evaluation_lines(rows)))


def _embedder(settings: Settings) -> SentenceEmbedder:
    from indexer.embedding import SentenceEmbedder

    return SentenceEmbedder(settings.model, settings.precision)


def _embedder_or_reason(settings: Settings) -> SentenceEmbedder | ModelError:
    """The model, loaded; where it cannot be, why: keywords are still searched then."""
    try:
        embedder = _embedder(settings)
        embedder.load()
    except ModelError as error:
        return error
    return embedder


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    from service.engine import Engine

    engine = Engine(settings, _embedder_or_reason(settings))
    try:
        yield engine
    finally:
        engine.close()


def _days(options: dict[str, Any]) -> dict[str, Any]:
    """Click's points in time as the days that they stand for."""
    return {
        name: value.date() if isinstance(value, dt.datetime) else value
        for name, value in options.items()
    }
