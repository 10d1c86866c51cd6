"""A quotation with its source, in the forms that people paste: text, Markdown, BibTeX and RIS.

Pure functions. What an article has in it is escaped for each form, so that it can neither break it
nor say anything in it; characters that would steer a terminal or turn text around are left out.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from service.lines import printable
from service.web.marking import in_words

_MARKDOWN = re.compile(r"[\\`*_\[\]<&|~$]|^[-+#>]")
"""Characters that may mean something to CommonMark or GitHub, some only where a line begins."""

_LIST = re.compile(r"^(\d+)([.)])")
"""The beginning of a numbered list."""

_LATEX = {
    "\\": r"\textbackslash{}",
    # With backslashes alone, BibTeX would still count them as braces.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{character: f"\\{character}" for character in "$&#_%"},
}


@dataclass(frozen=True, slots=True)
class Citation:
    """Words of paragraph ``number`` of an article, and where they stand.

    ``key`` names the paragraph in a bibliography, ``published`` is ISO 8601, ``source`` is the
    article's file and ``address`` where the paragraph can be read.
    """

    key: str
    quote: str
    title: str
    author: str | None
    publisher: str | None
    published: str | None
    source: str
    number: int
    address: str

    @property
    def heading(self) -> str:
        """The title on one line, else the file."""
        return printable(self.title) or printable(self.source)

    @property
    def day(self) -> str | None:
        """The day in words, or what the article says instead."""
        if self.published is None:
            return None
        day = _day(self.published)
        return in_words(day.isoformat()) if day else printable(self.published)

    @property
    def place(self) -> str:
        """The paragraph in its file."""
        return f"Paragraph {self.number} of {printable(self.source)}"


def plain(citation: Citation) -> str:
    """One line of text."""
    said = _joined(
        citation.author and printable(citation.author),
        f"“{citation.heading}”",
        citation.publisher and printable(citation.publisher),
        citation.day or "undated",
    )
    return f"“{printable(citation.quote)}” – {said}. {citation.place}: {citation.address}"


def markdown(citation: Citation) -> str:
    """A block quotation, and below it the source with a link."""
    said = _joined(
        citation.author and _marked_down(citation.author),
        f"[{_marked_down(citation.heading)}]({citation.address})",
        citation.publisher and f"*{_marked_down(citation.publisher)}*",
        citation.day and _marked_down(citation.day),
    )
    return f"> {_marked_down(citation.quote)}\n>\n> – {said}"


def bibtex(citation: Citation) -> str:
    """An entry for BibTeX and BibLaTeX; the quotation is its abstract."""
    day = _day(citation.published)
    fields = {
        "title": f"{{{_latex(citation.heading)}}}",  # in braces of its own it keeps its capitals
        "author": citation.author and f"{{{_latex(citation.author)}}}",  # and is one name
        "howpublished": citation.publisher and _latex(citation.publisher),
        "year": f"{day.year:04}" if day else None,
        "month": str(day.month) if day else None,
        "date": day.isoformat() if day else None,
        "url": citation.address,
        "note": _latex(citation.place),
        "abstract": _latex(citation.quote),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{winnow-{citation.key},", *lines, "}"]) + "\n"


def ris(citation: Citation) -> str:
    """A record for Zotero, EndNote and others; the quotation is its abstract."""
    day = _day(citation.published)
    fields: list[tuple[str, str | None]] = [
        ("TY", "NEWS"),
        ("ID", f"winnow-{citation.key}"),
        ("TI", citation.heading),
        ("AU", citation.author),
        ("T2", citation.publisher),
        ("PY", f"{day.year:04}" if day else None),
        ("DA", f"{day.isoformat().replace('-', '/')}/" if day else None),
        ("UR", citation.address),
        ("N1", citation.place),
        ("AB", citation.quote),
        ("ER", ""),
    ]
    lines = [f"{tag}  - {printable(value)}" for tag, value in fields if value is not None]
    return "\r\n".join(lines) + "\r\n"  # as its specification has it


def _day(published: str | None) -> dt.date | None:
    try:
        return dt.datetime.fromisoformat(published).date() if published else None
    except ValueError:  # what an article says of its date is shown in any case
        return None


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _marked_down(text: str) -> str:
    escaped = _MARKDOWN.sub(r"\\\g<0>", printable(text))
    return _LIST.sub(r"\1\\\2", escaped)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in printable(text))
