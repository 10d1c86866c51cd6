"""What may be a report of somebody's words: each verb and noun with a subject and something said.

Every clause is looked at, and what speaks for a report is summed up in log-odds: the word itself as
it is used (cues.txt) and what stands around it (:mod:`indexer.circumstances`). Nothing is decided
here; :mod:`indexer.speakers` chooses.
"""
# ruff: noqa: SIM905 - words in a string read better than a column of literals

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from indexer.circumstances import Sentence, Use, circumstances, sentences_of, weigh
from indexer.clauses import (
    VERBS,
    Subject,
    child,
    has,
    spans_of,
    speaker_span,
    subject_of,
    words_under,
)
from indexer.cues import SPEECH, is_listed, strength
from indexer.quotations import ENOUGH
from indexer.types import Span

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_OBJECTS = frozenset(("ccomp", "dobj", "oprd", "xcomp"))
_TOPICS = frozenset(
    (
        "about against as at behind by for from in into of off on out over to toward towards up "
        "with"
    ).split()
)
_OF = frozenset(("about", "against", "for", "of"))
_FELT = {"ccomp": "clause", "xcomp": "infinitive", "prep": "preposition"}
_MAIN = frozenset(("ROOT", "advcl", "ccomp", "conj", "parataxis"))
_FEELINGS = frozenset("be become feel get look remain seem sound ’ ’m ’re ’s 'm 're 's".split())


@dataclass(frozen=True, slots=True)
class Saying:
    """A possible report: ``cue`` is its word; ``content`` may be empty where the parse shows none.

    ``odds`` is what its ``signs`` come to; one that a layout tells has none. ``main`` is whether it
    rules its clause, so that a quotation may go on with the next sentence.
    """

    speaker: Span
    cue: Span
    content: tuple[Span, ...]
    odds: float
    main: bool
    signs: Mapping[str, float] = field(default_factory=dict)


def sayings(doc: Doc, quoted: Sequence[Span]) -> Iterator[Saying]:
    """All possible reports in ``doc`` whose word is not ``quoted``, in the order of these words."""
    spans = iter(quoted)
    span = next(spans, None)
    for sentence in sentences_of(doc, quoted):
        for token in doc[sentence.start : sentence.end]:
            while span is not None and span.end - 1 <= token.idx:
                span = next(spans, None)
            if span is not None and span.start < token.idx:
                continue
            if token.lower_ == "according":
                yield from _according(token, sentence)
            elif token.pos_ in VERBS and token.dep_ not in {"aux", "auxpass"}:
                yield from _verb(token, sentence)
            elif token.pos_ == "NOUN":
                yield from _noun(token, sentence)


def _according(token: Token, sentence: Sentence) -> Iterator[Saying]:
    """The clause around "according to the mayor"."""
    to = next((each for each in token.children if each.lower_ == "to"), None)
    source = to and child(to, "pobj", "pcomp")
    if source is None:
        return
    head = token.head
    while head.pos_ not in VERBS and head.head.i != head.i:
        head = head.head
    own = words_under(token)
    said = words_under(head) - own
    if len(said) < 4:  # The parser hung it on a word by itself.
        said = set(range(sentence.start, sentence.end)) - own
    subject = Subject(source, "own")
    yield _saying(Use(token, "according", "", subject, sentence), said)


def _verb(verb: Token, sentence: Sentence) -> Iterator[Saying]:
    subject = subject_of(verb)
    if subject is None:
        return
    word = verb.lemma_.lower()
    if (feeling := _feeling(verb, word)) is not None:
        use, quality, said = feeling
        yield _saying(Use(verb, use, quality, subject, sentence), said)
        return
    use, said = _use_of(verb, subject)
    main, spoken = verb.dep_ in _MAIN, word in SPEECH
    inside, quotes = sentence.inside, sentence.quoted >= ENOUGH
    extra: list[Span] = []
    if use in {"bare", "preposition"} and main:
        if quotes:
            use, extra = "quoting", _near(verb, inside)
        elif verb.i - sentence.start < 10 and sentence.before is not None:
            use, extra = "after-quote", [sentence.before]
    elif use in {"object", "infinitive"} and main and spoken and quotes:
        extra = _near(verb, inside)
    elif use in {"clause", "aside"}:
        starts = [verb.doc[i].idx for i in said]
        extra = [span for span in inside if any(span.start <= s < span.end for s in starts)]
    if (
        use in {"bare", "preposition", "quoting", "after-quote"}
        and spoken
        and verb.dep_ == "ROOT"
        and subject.found in {"own", "behind", "before"}
    ):
        said = _rest(verb, subject, sentence)
    yield _saying(Use(verb, use, _key(verb, use, word), subject, sentence), said, extra)


def _key(verb: Token, use: str, word: str) -> str:
    """The verb with its preposition or particle, where cues.txt has them together."""
    if use == "preposition" and (topic := _topic(verb)) is not None:
        return f"{word} {topic.lower_}"
    particle = child(verb, "prt")
    if particle is None or use in {"quoting", "after-quote"}:
        return word
    return f"{word} {particle.lower_}"


def _feeling(verb: Token, word: str) -> tuple[str, str, set[int]] | None:
    """Of "she is sure that": the use, the adjective and the places of what is felt."""
    quality = child(verb, "acomp")
    if quality is None and (noun := child(verb, "attr")) is not None and noun.pos_ == "ADJ":
        quality = noun
    if quality is None or word not in _FEELINGS:
        return None
    parts = [each for each in quality.children if each.dep_ in _FELT] or _clauses(verb)
    if not parts:
        return None
    return f"adjective-{_FELT[parts[0].dep_]}", quality.lemma_.lower(), words_under(*parts)


def _use_of(verb: Token, subject: Subject) -> tuple[str, set[int]]:
    """How ``verb`` is used, as cues.txt has it, and the places of what is said by it."""
    if _is_aside(verb, subject):
        return "aside", words_under(verb.head) - words_under(verb)
    if clauses := _clauses(verb):
        return "clause", words_under(*clauses)
    for relation, use in (("xcomp", "infinitive"), ("oprd", "object"), ("dobj", "object")):
        part = child(verb, relation)
        if part is not None and part.i != subject.head.i:
            return use, _objects(verb, use) | _done(verb, subject)
    if done := _done(verb, subject):
        return "passive", done
    return _without_object(verb, subject)


def _objects(verb: Token, use: str) -> set[int]:
    parts = [each for each in verb.children if each.dep_ in _OBJECTS]
    if use == "object":
        parts += [each for each in verb.children if each.dep_ == "prep" and each.i > verb.i]
    return words_under(*parts)


def _without_object(verb: Token, subject: Subject) -> tuple[str, set[int]]:
    """As :func:`_use_of`, of "call for reform", "backed by many" and "a plan that many back"."""
    topic = _topic(verb)
    use = "bare" if topic is None else "preposition"
    if subject.found == "agent" and verb.dep_ == "acl":
        return use, words_under(verb.head) - words_under(verb)
    if topic is not None:
        more = [
            each
            for each in verb.children
            if each.dep_ == "prep" and each.i > topic.i and each.lower_ in _OF
        ]
        return use, words_under(topic, *more)
    if verb.dep_ == "relcl":
        return use, words_under(verb.head) - words_under(verb)
    return use, set()


def _clauses(verb: Token) -> list[Token]:
    return [each for each in verb.children if each.dep_ == "ccomp" and _adjoins(each, verb)]


def _is_aside(verb: Token, subject: Subject) -> bool:
    """Whether ``verb`` only says who says the clause around it: "the bill, she said, is dead"."""
    if verb.dep_ == "parataxis":
        return True
    following = verb.doc[verb.i + 1].text if verb.i + 1 < len(verb.doc) else "."
    return (
        verb.dep_ in {"advcl", "ccomp", "dep"}
        and subject.found == "own"
        and following in {",", ".", "”", '"'}
        and len(list(verb.children)) <= 5
        and child(verb, "dobj", "xcomp", "mark", "acomp", "attr") is None
    )


def _adjoins(clause: Token, verb: Token) -> bool:
    """Whether a clause before its verb is not cut off from it by a semicolon."""
    if clause.i > verb.i:
        return True
    last = max(words_under(clause))
    return all(verb.doc[place].text != ";" for place in range(last, verb.i))


def _done(verb: Token, subject: Subject) -> set[int]:
    """What the passive ``verb`` is done to."""
    done = child(verb, "nsubjpass")
    return words_under(done) if subject.found == "agent" and done is not None else set()


def _topic(verb: Token) -> Token | None:
    """The first preposition behind ``verb``."""
    return next(
        (
            each
            for each in verb.children
            if each.dep_ in {"prep", "agent"} and each.i > verb.i and each.lower_ in _TOPICS
        ),
        None,
    )


def _near(verb: Token, inside: Sequence[Span]) -> list[Span]:
    """The quotations of ``verb``: all, if it rules the sentence, else those below it."""
    if verb.dep_ == "ROOT":
        return list(inside)
    starts = [each.idx for each in verb.subtree]
    return [span for span in inside if any(span.start <= s < span.end for s in starts)]


def _rest(verb: Token, subject: Subject, sentence: Sentence) -> set[int]:
    """The sentence without who speaks, where, when and how."""
    manner = [
        e for e in verb.children if e.dep_ in {"prep", "advmod", "npadvmod", "dative", "agent"}
    ]
    other = words_under(subject.head, *manner) | {verb.i}
    return set(range(sentence.start, sentence.end)) - other


def _noun(noun: Token, sentence: Sentence) -> Iterator[Saying]:
    """Such as "the mayor's promise to", "criticism by the mayor", "she made a statement"."""
    preps = [each for each in noun.children if each.dep_ == "prep"]
    subject, preps = _owner(noun, preps)
    if subject is None:
        return
    clauses = [
        each
        for each in noun.children
        if each.dep_ in {"acl", "ccomp", "relcl"}
        and (each.tag_ == "VB" or has(each, "mark", "that"))
    ]
    word = noun.lemma_.lower()
    said: set[int] = set()
    if clauses:
        use, said = "noun-clause", words_under(*clauses)
    elif preps:
        more = [each for each in preps[1:] if each.lower_ in _OF - {"of"}]
        use, said = "noun-preposition", words_under(preps[0], *more)
        word = f"{word} {preps[0].lower_}"
    else:
        use = "noun"
        said = {noun.i} if subject.found == "light" else set()
    yield _saying(Use(noun, use, word, subject, sentence), said)


def _owner(noun: Token, preps: list[Token]) -> tuple[Subject | None, list[Token]]:
    """Whose the ``noun`` is, and the prepositions that do not tell so."""
    if (owner := child(noun, "poss")) is not None:
        return Subject(owner, "owner"), preps
    for prep in preps:
        if prep.lower_ in {"among", "by", "from"} and (by := child(prep, "pobj")) is not None:
            return Subject(by, "own"), [each for each in preps if each.i != prep.i]
    head = noun.head.head if noun.dep_ == "pobj" else noun.head
    if noun.dep_ in {"attr", "dobj", "pobj"} and head.pos_ in VERBS:
        found = subject_of(head)
        return found and Subject(found.head, "light"), preps
    return None, preps


def _saying(use: Use, said: set[int], extra: Sequence[Span] = ()) -> Saying:
    cue, doc = use.cue, use.cue.doc
    speaker = speaker_span(doc, use.subject, cue)
    own = {cue.i} | {place for place in said if speaker.start <= doc[place].idx < speaker.end}
    content = spans_of(doc, said - own)
    content += tuple(span for span in extra if not _within(span, content))
    signs = dict.fromkeys(circumstances(use, said - own, content), 1.0)
    if use.name != "according":  # Always the same words.
        signs[f"table {use.name}"] = strength(use.name, use.key)
        signs["unlisted"] = float(not is_listed(use.name, use.key))
    return Saying(
        speaker=speaker,
        cue=Span(cue.idx, cue.idx + len(cue)),
        content=content,
        odds=weigh(signs),
        main=cue.dep_ in _MAIN or cue.dep_ == "prep",
        signs=signs,
    )


def _within(span: Span, spans: Sequence[Span]) -> bool:
    return any(each.start <= span.start and span.end <= each.end for each in spans)
