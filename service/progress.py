"""Progress of long work on standard error: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from indexer.build import Progress

_STEP = 10
"""Per cent between two lines where there is no terminal."""


@contextmanager
def report_progress() -> Iterator[Progress]:
    """A callable to pass to what takes long; the last line is ended when the block ends."""
    shown: list[tuple[str, int]] = []
    live = sys.stderr.isatty()

    def progress(stage: str, done: int, total: int) -> None:
        percent = 100 * done // total if total else 100
        mark = (stage, percent if live else percent // _STEP * _STEP)
        if shown and shown[-1] == mark:
            return
        if live:
            bar = "█" * (percent // 4)
            new_line = "\n" if shown and shown[-1][0] != stage else ""
            click.echo(f"{new_line}\r{stage:<28} {bar:<25} {percent:3d} %", err=True, nl=False)
        else:
            click.echo(f"{stage}: {mark[1]} %", err=True)
        shown.append(mark)

    try:
        yield progress
    finally:
        if live and shown:
            click.echo(err=True)
