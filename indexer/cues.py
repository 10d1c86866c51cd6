"""The words that report: how surely each tells that somebody says, thinks or wants something.

"Say" nearly always reports what follows it; "show" does where a poll shows that something is so,
seldom where somebody shows a picture. So the words stand in cues.txt by what they are used with.
Their log-odds were counted in the train part of PolNeAR, US news of 2015 and 2016 with 20,000
attributions marked by hand (Newell, Margolin and Ruths: An attribution relations corpus for
political news, LREC 2018) and drawn towards those of seldom words, the rarer a word is there.
"""
# ruff: noqa: SIM905 - words in a string read better than a column of fifty literals

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from indexer.stemming import stem

PEOPLE: Final = frozenset(
    (
        "administration adviser aide ally analyst attorney author campaign candidate committee "
        "company conservative critic delegate democrat director donor editor executive expert "
        "governor group judge lawmaker lawyer leader liberal majority man manager many mayor "
        "member minister nominee official opponent organization other party police politician "
        "pollster president professor reporter republican resident rival secretary senator some "
        "source spokesman spokeswoman strategist supporter team union voter woman "
    ).split()
)
"""Nouns for those who are quoted most: people and bodies of people."""

PAPERS: Final = frozenset(
    (
        "ad analysis article book column document editorial email interview letter memo message "
        "newspaper paper poll post press report speech statement story study survey tweet video"
    ).split()
)
"""Nouns for what is quoted as if it spoke."""

STATEMENTS: Final = frozenset(
    "ad blog email letter memo message note post release speech statement tweet video".split()
)
"""What people put out in order to say something: who issues one is the speaker."""

SPEECH: Final = frozenset(
    (
        "acknowledge add announce answer argue ask assert claim concede conclude continue declare "
        "exclaim explain insist joke note observe quip quote recall reply report respond reveal "
        "say shout state tell tweet warn write"
    ).split()
)
"""Verbs whose speaker may stand behind them, and that may stand in or behind what is said."""


_ODD_FORMS: Final = frozenset(
    (
        "according broke broken came felt fought found gone knew known laid meant said saw seen "
        "sent shot shown sought spoke spoken stood thought told went written wrote"
    ).split()
)
"""Forms with other stems than their verbs."""

_WORD = re.compile(r"[a-z]+")


@cache
def _tables() -> dict[str, dict[str, float]]:
    tables: dict[str, dict[str, float]] = {}
    table: dict[str, float] = {}
    for line in files("indexer").joinpath("cues.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            table = tables.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            odds, *words = line.split()
            table.update(dict.fromkeys((word.replace("_", " ") for word in words), float(odds)))
    return tables


def strength(use: str, word: str) -> float:
    """The log-odds that ``word``, a lemma in lower case, reports when it is used like this.

    ``use`` is a heading of cues.txt, else KeyError.
    """
    table = _tables()[use]
    return table.get(word, table["other"])


def is_listed(use: str, word: str) -> bool:
    """Whether cues.txt has ``word`` under ``use``, else KeyError where there is no such use."""
    return word in _tables()[use]


@cache
def _reporting_stems() -> frozenset[str]:
    """Stems of the verbs and adjectives that may well report in some use, and their odd forms."""
    words = {
        word.split()[0]
        for use, table in _tables().items()
        if not use.startswith("noun")
        for word, odds in table.items()
        if odds >= -0.5
    }
    return frozenset(stem(word, "en") for word in words) | _ODD_FORMS


def may_report(text: str) -> bool:
    """Whether a word of ``text`` may report, at a glance: what holds none need not be parsed."""
    stems = _reporting_stems()
    return (
        any(stem(word, "en") in stems or word in stems for word in _WORD.findall(text.lower()))
        or ":" in text
    )


@cache
def headline_verbs() -> frozenset[str]:
    """Third persons of the verbs that report more likely than not: "backs", "denies"."""
    tables = (_tables()[use] for use in ("clause", "object", "infinitive"))
    likely = {word for table in tables for word, odds in table.items() if odds >= 0}
    return frozenset(_third_person(word) for word in likely - {"other"} if " " not in word)


def _third_person(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        return f"{verb}es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"
