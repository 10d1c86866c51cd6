"""Commands that read the index: ``search``, ``ask`` and ``serve``."""

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
@click.option("--host", help="Address to listen on; 127.0.0.1 by default.")
@click.option("--port", type=int, help="Port to listen on; 8080 by default.")
@click.option("--watch", is_flag=True, help="Also index the seeds whenever they change.")
@commands.common
def serve(settings: Settings, *, watch: bool) -> None:
    """Serve the page and the HTTP routes until interrupted."""
    from service.server import serve as serve_forever

    serve_forever(settings, lambda: commands.embedder_or_reason(settings), watch=watch)
