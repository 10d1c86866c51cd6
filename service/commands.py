"""What the terminal's commands share: options, errors as exit statuses, the model and the index.

What takes long to import is imported by the function that needs it, so that ``--help`` answers at
once; the modules of the commands do the same.
"""

from __future__ import annotations

import datetime as dt
import functools
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.errors import ModelError, QueryError, SettingsError, WinnowError
from indexer.gathering import Gathered, gather
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.embedding import SentenceEmbedder
    from service.engine import Engine
    from service.requests import Mode
    from service.snapshot import Snapshot

MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")


class Commands(click.Group):
    """Turns the product's errors into a message, a hint and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except WinnowError as error:
            complain(error)
            ctx.exit(2 if isinstance(error, SettingsError | QueryError) else 1)


class Listing(click.Group):
    """A group that lists what there is where no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click's own."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def complain(error: WinnowError) -> None:
    """Tell an error and its hint."""
    from service.lines import printable

    # A message may name a file, and a file's name can hold anything.
    click.echo(f"winnow: {printable(str(error))}", err=True)
    if error.hint:
        click.echo(printable(error.hint), err=True)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command has; they reach it as one ``settings``."""

    @functools.wraps(command)
    def of_settings(gathered: Gathered, **options: Any) -> Any:
        return command(settings=gathered.settings, **options)

    return configured(of_settings)


def configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same options; they reach the command with their origins, as one ``gathered``."""

    @click.option("--seeds", type=click.Path(path_type=Path), help="Folder of articles.")
    @click.option("--index", type=click.Path(path_type=Path), help="Folder of the index.")
    @click.option("--config", type=click.Path(path_type=Path), help="TOML file with settings.")
    @click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any other setting; winnow config lists them.",
    )
    @functools.wraps(command)
    def wrapped(
        seeds: Path | None,
        index: Path | None,
        config: Path | None,
        assignments: tuple[str, ...],
        **options: Any,
    ) -> Any:
        own: dict[str, Any] = {
            name: options.pop(name) for name in ("host", "port") if name in options
        }
        flags: dict[str, Any] = {"seeds": seeds, "index": index, **own}
        return command(gathered=gather(config, flags, assignments=assignments), **options)

    return wrapped


def question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of what asks a question, which are the HTTP routes' parameters."""
    day = click.DateTime(["%Y-%m-%d"])
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print what the HTTP route returns."),
        click.option("--facets", is_flag=True, help="Count sources, authors and months."),
        click.option(
            "--no-dates",
            "dates",
            flag_value="ignore",
            default="read",
            help="Take dates in the question for words.",
        ),
        click.option(
            "--said-by", metavar="NAME", help="Only paragraphs that quote somebody so named."
        ),
        click.option("--author", help="Only articles with this byline."),
        click.option("--source", help="Only articles of this publisher or folder."),
        click.option("--month", metavar="YYYY-MM", help="Only articles of this month."),
        click.option(
            "--collapse/--no-collapse",
            default=None,
            help="Whether copies of a paragraph share its hit; by default they do.",
        ),
        click.option(
            "--rerank/--no-rerank",
            default=True,
            help="Whether the reader may move paragraphs that answer up.",
        ),
        click.option("--before", type=day, help="Only articles of this day or earlier."),
        click.option("--after", type=day, help="Only articles of this day or later."),
        click.option("--mode", type=click.Choice(MODES), default="hybrid", show_default=True),
    ):
        command = option(command)
    return command


def embedder(settings: Settings) -> SentenceEmbedder:
    """The model, not loaded yet."""
    from indexer.embedding import SentenceEmbedder

    return SentenceEmbedder(settings.model, settings.precision)


def embedder_or_reason(settings: Settings, *, load: bool = True) -> SentenceEmbedder | ModelError:
    """The model, loaded; where it cannot be, why: keywords are still searched then."""
    try:
        model = embedder(settings)
        if load:
            model.load()
    except ModelError as error:
        return error
    return model


@contextmanager
def engine(settings: Settings, *, model: bool = True) -> Iterator[Engine]:
    """The engine that the service has, for one question; ``model`` says if that needs the model."""
    from service.engine import Engine
    from service.readers import extractor_of

    embedder = embedder_or_reason(settings) if model else ModelError("the model is not loaded")
    extractor = extractor_of(settings) if model else None
    with closing(Engine(settings, embedder, extractor=extractor)) as opened:
        yield opened


@contextmanager
def live(settings: Settings) -> Iterator[Snapshot]:
    """The live generation, to be read by the terminal alone."""
    from indexer.generations import Generations
    from service.snapshot import Snapshot

    generations = Generations(settings.index)
    live = generations.live().id
    with closing(Snapshot.open(generations, live, settings, embedder(settings))) as snapshot:
        yield snapshot


def own_options() -> str:
    """The common options as they were given, for a command that is to work on the same folders."""
    given = click.get_current_context().params
    folders = [(name, given[name]) for name in ("seeds", "index", "config") if given[name]]
    return "".join(
        f" --{name} {shlex.quote(str(value))}"
        for name, value in [*folders, *(("set", each) for each in given["assignments"])]
    )


def days(options: dict[str, Any]) -> dict[str, Any]:
    """Click's points in time as the days that they stand for."""
    return {
        name: value.date() if isinstance(value, dt.datetime) else value
        for name, value in options.items()
    }
