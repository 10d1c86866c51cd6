"""Write the tables of the documentation that the code knows best: ``make docs``.

In each file the table stands between two marks, and all else is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from service import configuration, telemetry

DOCS = Path(__file__).resolve().parent

TABLES = {"settings.md": configuration.documented, "observing.md": telemetry.documented}
"""What writes the table of each file."""

BEGIN = "<!-- This table is written by docs/tables.py: make docs -->\n\n"
END = "\n<!-- So far. -->\n"


def updated(text: str, table: Iterable[str]) -> str:
    """``text`` with ``table`` between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the marks between which the table belongs are not there")
    return "".join([before, BEGIN, *(f"{line}\n" for line in table), END, after])


def main() -> None:
    """Bring every file up to date."""
    for name, table in TABLES.items():
        path = DOCS / name
        path.write_text(updated(path.read_text(encoding="utf-8"), table()), encoding="utf-8")


if __name__ == "__main__":
    main()
