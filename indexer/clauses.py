"""Who a verb is about: finding the subject of a clause in a dependency parse.

The subject may belong to the verb itself or be shared with the clause around it ("he left, saying
..."), stand behind the verb ("..., said the minister"), or be missed by the parser, which is not
rare where quotations interrupt a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from indexer.cues import SPEECH, STATEMENTS
from indexer.types import Span

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

VERBS = frozenset(("VERB", "AUX"))
_NOUNS = frozenset(("NOUN", "PROPN", "PRON"))
_NOMINAL = _NOUNS | {"DET", "NUM"}
_BETWEEN = frozenset(("ADV", "AUX", "PART"))  # What may stand between a subject and its verb.
_FINITE = frozenset(("VBD", "VBP", "VBZ"))
_WITHIN_NAMES = frozenset(("amod", "appos", "compound", "nmod", "nummod", "pobj", "prep"))
_DEEPEST = 4
"""Clauses that a subject is looked for around a verb; further out it is another's."""

MARKS = frozenset(",;:-–—\"“”.()’'…|") | {"--", "''", "``", "..."}
_QUOTES = frozenset(['"', "“", "”", "''", "``", "'"])


class Subject(NamedTuple):
    """The head word of a subject, and how it was found."""

    head: Token
    found: str


def child(token: Token, *relations: str) -> Token | None:
    """The first word that depends on ``token`` in one of ``relations``."""
    return next((each for each in token.children if each.dep_ in relations), None)


def has(token: Token, relation: str, word: str) -> bool:
    """Whether ``word`` depends on ``token`` in ``relation``."""
    return any(each.dep_ == relation and each.lower_ == word for each in token.children)


def subject_of(verb: Token, depth: int = 0) -> Subject | None:
    """Who does what ``verb`` says; None for a passive without "by" and where nobody is found."""
    if (by := child(verb, "agent")) is not None and (agent := child(by, "pobj")) is not None:
        return Subject(agent, "agent")
    own = child(verb, "nsubj")
    if depth == 0 and (behind := _behind(verb, own)) is not None:
        return Subject(behind, "behind")
    if own is not None:
        return Subject(own, "own")
    if child(verb, "nsubjpass") is not None:
        return None
    if depth == 0 and (before := _before(verb)) is not None:
        return Subject(before, "before")
    return None if depth > _DEEPEST or verb.head.i == verb.i else _shared(verb, depth)


def _shared(verb: Token, depth: int) -> Subject | None:
    """The subject that ``verb`` has from the words around it."""
    head = verb.head
    if verb.dep_ == "acl" and verb.tag_ != "VBN":
        return _of_noun(verb, head, depth)
    if verb.dep_ == "pcomp" and head.dep_ == "prep":
        return _of_preposition(head, depth)
    if verb.dep_ not in {"conj", "xcomp", "advcl", "ccomp", "dep"} or head.pos_ not in VERBS:
        return None
    told = child(head, "dobj") if verb.dep_ == "xcomp" else None
    if told is not None and head.i < told.i < verb.i:
        return Subject(told, "told")
    if verb.dep_ == "conj" and depth == 0 and _second_report(verb, head):
        return _around(head.head, depth)
    shared = _around(head, depth)
    return shared and Subject(shared.head, f"shared {verb.dep_}")


def _of_preposition(preposition: Token, depth: int) -> Subject | None:
    """Who acts in "he left after saying" and "his way of saying"."""
    head = preposition.head
    if head.pos_ in VERBS:
        return _around(head, depth)
    owner = child(head, "poss")
    return None if owner is None else Subject(owner, "owner")


def _around(verb: Token, depth: int) -> Subject | None:
    """The subject of ``verb``, also where it is passive: "he was quoted as saying"."""
    if (passive := child(verb, "nsubjpass")) is not None and child(verb, "agent") is None:
        return Subject(passive, "passive")
    return subject_of(verb, depth + 1)


def _of_noun(verb: Token, noun: Token, depth: int) -> Subject | None:
    """Of "a statement saying that" who issued it, if that is told; else the noun."""
    if noun.dep_ == "dobj" and noun.lemma_.lower() in STATEMENTS and noun.head.i < verb.i:
        issuer = subject_of(noun.head, depth + 1)
        if issuer is not None:
            return Subject(issuer.head, "issuer")
    return Subject(noun, "noun")


def _second_report(verb: Token, head: Token) -> bool:
    """Whether of "she said that he won and added that", ``verb`` is "added": she, not he, adds."""
    clause = child(verb, "ccomp")
    return (
        head.dep_ == "ccomp"
        and head.head.i < head.i
        and has(head, "mark", "that")
        and clause is not None
        and has(clause, "mark", "that")
    )


def _behind(verb: Token, own: Token | None) -> Token | None:
    """The subject behind a verb of speech that follows what is said: "..., said the minister"."""
    doc, place = verb.doc, verb.i
    if verb.lemma_.lower() not in SPEECH or verb.tag_ not in _FINITE | {"VBN"}:
        return None
    if place == 0 or place + 1 == len(doc) or child(verb, "aux") is not None:
        return None
    marks = _QUOTES | {","} if own is None else _QUOTES
    if doc[place - 1].text not in marks or (own is not None and own.i > place):
        return None
    if doc[place + 1].pos_ not in {"PROPN", "DET", "NOUN", "ADJ"}:
        return None
    for each in verb.children:
        if each.pos_ in _NOUNS and each.left_edge.i == place + 1:
            return each
    word = doc[place + 1]
    while word.head.i > place and word.head.i != word.i and word.head.pos_ in {"PROPN", "NOUN"}:
        word = word.head
    return word if word.pos_ in {"PROPN", "NOUN"} else None


def _before(verb: Token) -> Token | None:
    """The noun before a finite verb, perhaps with an apposition between, that no parse joins."""
    if verb.dep_ in {"xcomp", "pcomp"} or verb.tag_ not in _FINITE:
        return None
    doc, first = verb.doc, verb.sent.start
    place = verb.i - 1
    while place >= first and doc[place].pos_ in _BETWEEN:
        place -= 1
    if place >= first and doc[place].text == ",":
        earlier = next((i for i in range(place - 1, first, -1) if doc[i].text == ","), None)
        if (
            earlier is None
            or doc[earlier - 1].pos_ not in {"PROPN", "NOUN"}
            or place - earlier > 13
        ):
            return None
        place = earlier - 1
    if place < first or doc[place].pos_ not in _NOMINAL or doc[place].dep_ in {"poss", "dobj"}:
        return None
    word = doc[place]
    while (
        word.dep_ in _WITHIN_NAMES
        and first <= word.head.i < verb.i
        and word.head.pos_ in _NOUNS | {"ADP"}
    ):
        word = word.head
    return None if word.dep_ == "dobj" else word


def speaker_span(doc: Doc, subject: Subject, verb: Token) -> Span:
    """The characters of the whole subject: its words side by side, without marks at the ends."""
    head = subject.head
    own = {each.i for each in head.subtree} - {verb.i}
    first = last = head.i
    while first - 1 in own:
        first -= 1
    while last + 1 in own:
        last += 1
    if head.i < verb.i:
        last = min(last, verb.i - 1)
    while first < head.i and (
        doc[first].text in MARKS or doc[first].is_space or doc[first].dep_ in {"cc", "preconj"}
    ):
        first += 1
    while last > head.i and (doc[last].text in MARKS - {")"} or doc[last].is_space):
        last -= 1
    if (
        last > head.i
        and doc[last].text == ")"
        and "(" not in {doc[i].text for i in range(first, last)}
    ):
        last -= 1
    return Span(doc[first].idx, doc[last].idx + len(doc[last]))


def words_under(*tokens: Token) -> set[int]:
    """The places of ``tokens`` and of all words that depend on them."""
    return {each.i for token in tokens for each in token.subtree}


def spans_of(doc: Doc, places: set[int]) -> tuple[Span, ...]:
    """The runs of words at ``places`` as spans, less the marks at their ends."""
    runs: list[list[int]] = []
    for place in sorted(places):
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    found = []
    for run in runs:
        kept = [place for place in run if doc[place].text not in MARKS and not doc[place].is_space]
        if kept:
            opened = kept[0] > run[0] and doc[kept[0] - 1].text in _QUOTES
            closed = kept[-1] < run[-1] and doc[kept[-1] + 1].text in _QUOTES
            first, last = kept[0] - opened, kept[-1] + closed
            found.append(Span(doc[first].idx, doc[last].idx + len(doc[last])))
    return tuple(found)
