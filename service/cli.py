"""The terminal: ``winnow`` and its commands.

Results go to standard output, plain or as the JSON that the HTTP routes return; progress and
errors go to standard error. Exit status 0, 1 for a problem, 2 for wrong usage.
"""

from __future__ import annotations

import click

from service import asking, granting, keeping, measuring, showing, upkeep
from service.commands import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="winnow")
def main() -> None:
    """Search and answers over your own collection of news articles."""


for _command in (
    upkeep.build,
    upkeep.plan,
    upkeep.watch,
    upkeep.doctor,
    asking.search,
    asking.ask,
    asking.suggest,
    asking.similar,
    asking.serve,
    measuring.evaluate,
    measuring.tune,
    keeping.generations,
    keeping.rollback,
    keeping.export_,
    keeping.import_,
    keeping.questions,
    granting.keys,
    showing.config,
    showing.unanswered,
):
    main.add_command(_command)
