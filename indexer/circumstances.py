"""How a possible report stands in its sentence, and how much that speaks for it or against it.

The word by itself tells only half: "say" in "if he says so" reports nothing, and who is named is
quoted more than what is shown. So what stands around the word is told in named circumstances, such
as "subject people" or "mark if", all of them read off the parse. Each that circumstances.txt lists
adds its weight to the log-odds, and others weigh nothing. The weights were learnt in the train part
of PolNeAR: see benchmarks/circumstances.py.
"""
# ruff: noqa: SIM905 - words in a string read better than a column of literals

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from indexer.clauses import VERBS, Subject
from indexer.cues import PAPERS, PEOPLE, SPEECH
from indexer.quotations import overlap
from indexer.types import Span

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_KINDS = {
    **dict.fromkeys("he she".split(), "he"),
    **dict.fromkeys("it this that these those which what".split(), "it"),
    **dict.fromkeys("all few most others several".split(), "some"),
    **{word: word for word in "i we you they who".split()},
    **dict.fromkeys(PEOPLE, "people"),
    **dict.fromkeys(PAPERS, "papers"),
}
_FAMILIES = {
    **dict.fromkeys("clause aside".split(), "clause"),
    **dict.fromkeys("quoting after-quote".split(), "quoting"),
    **dict.fromkeys("noun noun-clause noun-preposition".split(), "noun"),
    **dict.fromkeys(
        "adjective-clause adjective-infinitive adjective-preposition".split(), "adjective"
    ),
}
_HELPERS = frozenset(("aux", "auxpass", "neg"))
_FULL = {
    **dict.fromkeys("'ll ’ll".split(), "will"),
    **dict.fromkeys("'d ’d".split(), "would"),
    **dict.fromkeys("n't n’t".split(), "not"),
    **dict.fromkeys("'s 've had has having ’s ’ve".split(), "have"),
    **dict.fromkeys("'m 're am are been being is was were ’re".split(), "be"),
    **dict.fromkeys("did does".split(), "do"),
}
_OBJECTS = frozenset(("attr", "dative", "dobj", "oprd"))
_MANNERS = frozenset(("advmod", "npadvmod", "prt"))
_LENGTHS = (1, 2, 3, 5, 9, 16, 30)
"""Numbers of words up to which all are alike."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """The ``number``-th sentence of a paragraph from 0, its words from ``start`` to ``end``.

    ``inside`` are the parts of quotations in it; ``before`` is one that ends where it begins.
    """

    number: int
    start: int
    end: int
    span: Span
    inside: tuple[Span, ...]
    before: Span | None

    @property
    def quoted(self) -> int:
        """Characters in quotation marks."""
        return sum(end - start for start, end in self.inside)


def sentences_of(doc: Doc, quoted: Sequence[Span]) -> Iterator[Sentence]:
    """The sentences of ``doc`` in order."""
    for number, each in enumerate(doc.sents):
        span = Span(each.start_char, each.end_char)
        inside = tuple(
            Span(max(one.start, span.start), min(one.end, span.end))
            for one in quoted
            if overlap(one, span)
        )
        before = next((one for one in quoted if 0 <= span.start + 1 - one.end <= 3), None)
        yield Sentence(number, each.start, each.end, span, inside, before)


@dataclass(frozen=True, slots=True)
class Use:
    """A word that may report: how it is used, as cues.txt has it, and the ``key`` of it there."""

    cue: Token
    name: str
    key: str
    subject: Subject
    sentence: Sentence

    @property
    def family(self) -> str:
        """Uses that are alike."""
        return _FAMILIES.get(self.name, "other")


def weigh(signs: Mapping[str, float]) -> float:
    """The log-odds of what has these ``signs``, each with how much of it there is."""
    weights = _weights()
    return sum(weights.get(name, 0.0) * value for name, value in signs.items())


@cache
def _weights() -> dict[str, float]:
    lines = files("indexer").joinpath("circumstances.txt").read_text("utf-8").splitlines()
    parts = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(weight) for weight, name in parts}


def circumstances(use: Use, said: set[int], content: Sequence[Span]) -> Iterator[str]:
    """The names of all that speaks for or against a report of ``said``, the places of words."""
    cue, family = use.cue, use.family
    yield f"use {use.name}"
    yield f"tag {cue.tag_}"
    yield f"tag {family} {cue.tag_}"
    yield f"place {cue.dep_}"
    yield f"place {family} {cue.dep_}"
    if cue.head.i == cue.i:
        yield "head none"
    else:
        yield f"head kind {cue.head.pos_}"
        if cue.head.lemma_.lower() in SPEECH:
            yield f"head speech {cue.dep_}"
    yield from _of_subject(use)
    yield from _of_dependents(cue, family)
    yield from _of_content(use, said, content)
    yield from _of_place(cue, use.sentence)


def _of_subject(use: Use) -> Iterator[str]:
    who, family = use.subject.head, use.family
    kind = _KINDS.get(who.lower_) or _KINDS.get(who.lemma_.lower()) or who.tag_
    yield f"subject {kind}"
    yield f"subject {kind} {family}"
    yield f"found {use.subject.found}"
    yield f"found {use.subject.found} {family}"
    yield f"far {_bucket(abs(who.i - use.cue.i))}"
    yield f"subject words {_bucket(who.right_edge.i - who.left_edge.i + 1)}"
    if who.i > use.cue.i:
        yield "subject behind"
    article = (each.lower_ for each in who.children if each.dep_ in {"det", "poss", "nummod"})
    yield f"article {next(article, 'none')}"


def _of_dependents(cue: Token, family: str) -> Iterator[str]:
    plain = cue.pos_ in VERBS
    for each in cue.children:
        relation = each.dep_
        if relation in _HELPERS:
            plain = False
            helper = _FULL.get(each.lower_, each.lower_)
            yield f"helper {helper}"
            yield f"helper {helper} {family}"
        elif relation in {"mark", "prep"}:
            yield f"{relation} {each.lower_}"
        elif relation in _MANNERS:
            yield f"manner {each.lower_}"
        elif relation in _OBJECTS:
            yield f"object kind {each.tag_}"
            if any(below.dep_ in {"relcl", "acl"} for below in each.children):
                yield "object with clause"
        elif relation == "ccomp":
            yield f"clause tag {each.tag_}"
            opening = {"advmod", "aux", "mark"}
            marks = [below.lower_ for below in each.children if below.dep_ in opening]
            yield from (f"clause {mark}" for mark in marks or ["plain"])
    if plain:
        yield "helper none"


def _of_content(use: Use, said: set[int], content: Sequence[Span]) -> Iterator[str]:
    family, sentence = use.family, use.sentence
    length = _bucket(len(said)) if said else "nothing"
    yield f"said {length}"
    yield f"said {family} {length}"
    if said:
        yield "said before" if min(said) < use.cue.i else "said behind"
    size = sum(end - start for start, end in content)
    quoted = sum(overlap(one, span) for one in sentence.inside for span in content)
    share = _share(quoted / max(1, size))
    yield f"content quoted {share}"
    yield f"content quoted {family} {share}"
    share = _share(sentence.quoted / max(1, sentence.span.end - sentence.span.start))
    yield f"sentence quoted {share}"
    yield f"sentence quoted {family} {share}"
    if sentence.before is not None:
        yield "quotation before"
        yield f"quotation before {family}"


def _of_place(cue: Token, sentence: Sentence) -> Iterator[str]:
    doc = cue.doc
    yield f"word {_bucket(cue.i - sentence.start + 1)}"
    yield f"words left {_bucket(sentence.end - cue.i)}"
    yield f"sentence {min(sentence.number, 3)}"
    yield f"sentence words {_bucket(sentence.end - sentence.start)}"
    if cue.i + 1 < len(doc) and doc[cue.i + 1].pos_ != "PROPN":
        yield f"next {doc[cue.i + 1].lower_}"
    if cue.i and doc[cue.i - 1].pos_ != "PROPN":
        yield f"prev {doc[cue.i - 1].lower_}"


def _bucket(words: int) -> str:
    return next((f"to {most}" for most in _LENGTHS if words <= most), "more")


def _share(share: float) -> str:
    return "none" if not share else "little" if share < 0.3 else "much" if share < 0.7 else "most"
