"""Commands that read the index: ``search``, ``ask``, ``similar``, ``suggest`` and ``serve``."""

from __future__ import annotations

from typing import Any

import click

from indexer.settings import Settings
from service import commands


@click.command()
@click.argument("query")
@commands.question_options
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--explain", is_flag=True, help="Show what each side contributed.")
@commands.common
def search(settings: Settings, query: str, *, as_json: bool, **options: Any) -> None:
    """Show the paragraphs that fit QUERY best."""
    from service.requests import SearchQuery
    from service.terminal import search_lines
    from service.validation import validated

    request = validated(SearchQuery, {"q": query, **commands.days(options)})
    with commands.engine(settings) as engine:
        result = engine.search(request)
    if as_json:
        click.echo(result.model_dump_json(exclude_unset=True, indent=2))
    else:
        click.echo("\n".join(search_lines(result, explain=request.explain)))


@click.command()
@click.argument("question")
@commands.question_options
@click.option("--limit", type=click.IntRange(1, 100), default=5, show_default=True)
@commands.common
def ask(settings: Settings, question: str, *, as_json: bool, **options: Any) -> None:
    """Answer QUESTION verbatim from an article, or say that the articles do not."""
    from service.requests import AnswerQuery
    from service.terminal import answer_lines
    from service.validation import validated

    request = validated(AnswerQuery, {"q": question, **commands.days(options)})
    with commands.engine(settings) as engine:
        result = engine.answer(request)
    if as_json:
        click.echo(result.model_dump_json(exclude_unset=True, indent=2))
    else:
        click.echo("\n".join(answer_lines(result)))


@click.command()
@click.argument("beginning")
@click.option("--limit", type=click.IntRange(1, 50), default=8, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print what the HTTP route returns.")
@commands.common
def suggest(settings: Settings, beginning: str, *, as_json: bool, limit: int) -> None:
    """Complete BEGINNING from the words, names and titles of the articles."""
    from service.requests import SuggestQuery
    from service.terminal import suggestion_lines
    from service.validation import validated

    request = validated(SuggestQuery, {"q": beginning, "limit": limit})
    with commands.engine(settings) as engine:
        result = engine.suggest(request)
    if as_json:
        click.echo(result.model_dump_json(indent=2))
    else:
        click.echo("\n".join(suggestion_lines(result)))


@click.command()
@click.argument("paragraph", metavar="ID")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--same-article", is_flag=True, help="Also paragraphs of the same article.")
@click.option("--json", "as_json", is_flag=True, help="Print what the HTTP route returns.")
@commands.common
def similar(settings: Settings, paragraph: str, *, as_json: bool, **options: Any) -> None:
    """Show the paragraphs most like the one with ID, which winnow search shows."""
    from service.requests import ParagraphPath, SimilarQuery
    from service.terminal import similar_lines
    from service.validation import validated

    path = validated(ParagraphPath, {"id": paragraph})
    with commands.engine(settings, model=False) as engine:
        result = engine.similar(path.id, validated(SimilarQuery, options))
    if as_json:
        click.echo(result.model_dump_json(exclude_unset=True, indent=2))
    else:
        click.echo("\n".join(similar_lines(result)))


@click.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 by default.")
@click.option("--port", type=int, help="Port to listen on; 8080 by default.")
@click.option("--watch", is_flag=True, help="Also index the seeds whenever they change.")
@commands.common
def serve(settings: Settings, *, watch: bool) -> None:
    """Serve the page and the HTTP routes until interrupted."""
    from service.server import serve as serve_forever

    serve_forever(settings, commands.embedder_or_reason(settings, load=False), watch=watch)
