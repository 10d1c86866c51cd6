"""Names in a text: runs of capitalised words, as most scripts with capitals write names.

They are gathered to complete what somebody types, where a wrong one does no harm but to stand low
in a list, so a few rules do and no model is asked.
"""

# ruff: noqa: SIM905 - words in a string read better than as many literals

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from indexer.abbreviations import AFTER_HOURS, NEVER_LAST, SELDOM_LAST
from indexer.analysis import FUNCTION_WORDS, Token, tokens

SEPARATOR = "\x1f"
"""Stands in a stored name between what it is looked up by and what is shown."""

_LONGEST = 6
"""Words of a name; a longer run is a headline or a list."""

_MOST_LETTERS = 80

_SPACE = re.compile(r"\s+|-|–|\.\s+")
_SENTENCE_ENDS = ".!?:;…•"
_OPENING = " \t\n\r\f\v\u00a0\"'“”„«»‘’([{—–-"

_JOINING = frozenset("al bin da de del den der di do dos du el for ibn la of the van von".split())
"""Words written small within a name."""

_SHORT = NEVER_LAST | SELDOM_LAST


def names(text: str, found: Sequence[Token] | None = None) -> list[str]:
    """The names in ``text`` as they are written there, in order, each as often as it stands.

    ``found`` are the tokens of ``text``, where they are known. A word that is alone in its capital
    at the start of a sentence is none, nor are days and months, nor a text or run all in capitals.

    >>> names("The Bank of England moved. Yesterday Ilham Aliyev met NATO's envoy in Baku.")
    ['Bank of England', 'Yesterday Ilham Aliyev', 'NATO', 'Baku']
    """
    if text.upper() == text:
        return []
    found = tokens(text) if found is None else found
    return [name for run in _runs(text, found) if (name := _name(text, run))]


def stored_name(name: str) -> str:
    """``name`` as it is indexed: its folded words, then as written.

    >>> stored_name("Nagorno-Karabakh").split(SEPARATOR)
    ['nagorno karabakh', 'Nagorno-Karabakh']
    """
    return " ".join(token.form for token in tokens(name)) + SEPARATOR + name


def _runs(text: str, found: Sequence[Token]) -> Iterator[list[Token]]:
    """Capitalised words side by side, with the small ones that join them."""
    run: list[Token] = []
    joining: list[Token] = []
    for token in found:
        capital = text[token.start].isupper()
        goes_on = capital or token.form in _JOINING
        if run and not (goes_on and _beside(text, (joining or run)[-1], token)):
            yield run
            run, joining = [], []
        if capital:
            run += [*joining, token]
            joining = []
        elif run:
            joining.append(token)
    if run:
        yield run


def _beside(text: str, one: Token, other: Token) -> bool:
    """Whether only a space or a hyphen parts two words; a full stop too, after initials."""
    gap = text[one.end : other.start]
    initials = one.end - one.start == 1 or "." in text[one.start : one.end]
    return bool(_SPACE.fullmatch(gap)) and (initials or not gap.startswith("."))


def _name(text: str, run: list[Token]) -> str | None:
    """What of a run is a name, if anything is."""
    while run and run[0].form in FUNCTION_WORDS:
        run = run[1:]
    while run and run[-1].form in FUNCTION_WORDS:
        run = run[:-1]
    if not run or len(run) > _LONGEST:
        return None
    start, end = run[0].start, run[-1].end
    if "." in text[run[-1].start : end] and text[end : end + 1] == ".":
        end += 1  # the last of an abbreviation's full stops is no part of its token
    name = " ".join(text[start:end].split())
    if not 2 <= len(name) <= _MOST_LETTERS or SEPARATOR in name:
        return None
    if len(run) == 1:
        ordinary = name in AFTER_HOURS or (name in _SHORT and text[end : end + 1] == ".")
        capitals = sum(map(str.isupper, name))
        return None if ordinary or (capitals == 1 and _starts_sentence(text, start)) else name
    return name if any(map(str.islower, name)) else None


def _starts_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 20) : start].rstrip(_OPENING)
    if not before:
        return True
    shortened = before[-1] == "." and before.split()[-1][:-1] in _SHORT
    return before[-1] in _SENTENCE_ENDS and not shortened
