"""``python -m indexer``: bring the index up to date without anything of the service.

The user's saved questions are not asked, as that is the service's business; it says so where there
are any. Settings come from ``winnow.toml`` and the ``WINNOW_*`` variables; ``--full`` builds anew.
"""

from __future__ import annotations

import sys

from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.errors import WinnowError
from indexer.gathering import load_settings
from indexer.generations import Generations


def main(arguments: list[str]) -> int:
    """Build; returns the exit status: 0, 1 for a problem, 2 for wrong usage."""
    if arguments not in ([], ["--full"]):
        sys.stderr.write("usage: python -m indexer [--full]\n")
        return 2
    try:
        settings = load_settings()
        embedder = SentenceEmbedder(settings.model, settings.precision)
        report = build(settings, embedder, full=bool(arguments), progress=_quiet)
    except WinnowError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        return 1
    questions = Generations(settings.index).questions
    if report.published and questions.exists() and questions.stat().st_size:
        sys.stderr.write(f"{questions} was not asked; winnow build asks before it publishes\n")
    sys.stdout.write(
        f"generation {report.generation}: {report.articles} articles, "
        f"{report.paragraphs} paragraphs, {len(report.skipped)} skipped\n"
    )
    return 0


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """Progress is the service's terminal's business."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
