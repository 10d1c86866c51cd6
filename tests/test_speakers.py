from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.circumstances import weigh
from indexer.parsing import parse
from indexer.quotations import quotations
from indexer.sayings import Saying, sayings
from indexer.sentences import sentences
from indexer.speakers import CLEAR, RULES
from indexer.types import Attribution, Paragraph, Span
from service.speakers import of_answer, of_sentence


def attributions(text: str, language: str | None = "en") -> tuple[Attribution, ...]:
    paragraph = Paragraph(1, 0, len(text), text, sentences(text))
    [found] = RULES.attributions([paragraph], language)
    return found


def said(text: str) -> list[tuple[str, str]]:
    """Who says what, the pieces of it joined."""
    return [
        (
            text[slice(*each.speaker)],
            " … ".join(text[slice(*span)] for span in each.content),
        )
        for each in attributions(text)
    ]


def speakers(text: str) -> list[str]:
    return [speaker for speaker, _ in said(text)]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("The mayor said on Monday that the bridge will be closed.", "The mayor"),
        ("The bridge will be closed, the mayor said.", "the mayor"),
        ("The bridge, the mayor said, will be closed.", "the mayor"),
        ("“The bridge will be closed,” said Anna Kern, the mayor.", "Anna Kern, the mayor"),
        ("''The bridge will be closed,'' he said.", "he"),
        ("According to the harbour office, ten ships are late.", "the harbour office"),
        ("Ten ships are late, according to the harbour office.", "the harbour office"),
        ("The union rejected the offer of the railway.", "The union"),
        ("The offer was rejected by the union of engine drivers.", "the union of engine drivers"),
        ("The minister vowed to reopen the line before winter.", "The minister"),
        ("The mayor is confident that the dam will hold.", "The mayor"),
        ("The council was criticized by many residents.", "many residents"),
        ("A new poll shows that most voters oppose the toll.", "A new poll"),
        ("The minister's promise that fares will fall was kept.", "The minister's"),
        ("The company issued a statement saying that no data was lost.", "The company"),
        ("Anna Kern: “We shall rebuild the pier.”", "Anna Kern"),
        ("“We shall rebuild the pier.” — Anna Kern", "Anna Kern"),
        ("Kern Denies Plan To Close The Pier", "Kern"),
        ("ALDERSEA (Reuters) - The mayor said that the pier is safe.", "The mayor"),
        ("Kern left the room, saying that she had heard enough.", "Kern"),
        ("Kern called the report “a piece of fiction from end to end”.", "Kern"),
    ],
)
def test_the_speaker_is_found(text: str, speaker: str) -> None:
    assert speaker in speakers(text)


@pytest.mark.parametrize(
    "text",
    [
        "The train leaves at nine and arrives at noon.",
        "Ten ships lay in the harbour, and two more were late.",
        "The museum has a “green room” on its second floor.",
        "It rained for three days, and the river rose by a metre.",
        "Final score: 3 to 1.",
        "The bridge was built in 1932 by a firm from Leeds.",
        "Update: the road is open again since noon.",
        "The children drew pictures of the old town hall.",
    ],
)
def test_nobody_is_made_to_say_what_the_paper_tells(text: str) -> None:
    assert speakers(text) == []


def test_what_is_said_is_told_apart_from_who_says_it() -> None:
    [(speaker, content)] = said("“It is late,” said the guard, “and it is cold outside.”")
    assert speaker == "the guard"
    assert content == "“It is late,” … “and it is cold outside.”"


def test_a_quotation_goes_on_until_another_speaks() -> None:
    text = "“The road is open,” Kern said. “It will stay open. We have made sure of that.”"
    [attribution] = attributions(text)
    assert all(of_sentence([attribution], each) for each in sentences(text))


def test_a_quotation_before_its_speaker_is_hers() -> None:
    text = "“Never. Not while I am here to stop it,” said the mayor."
    [attribution] = attributions(text)
    assert all(of_sentence([attribution], each) for each in sentences(text))


def test_a_report_of_a_report_has_both() -> None:
    text = "The paper reported that the minister promised to lower the fares."
    assert set(speakers(text)) == {"The paper", "the minister"}


def test_what_somebody_quoted_says_of_others_is_not_theirs() -> None:
    assert speakers("“The minister said that he would come,” Kern recalled.") == ["Kern"]


def test_paragraphs_keep_their_places() -> None:
    texts = ["“It is late,” said Kern.", "It rained.", "The dam, Voss said, will hold."]
    paragraphs = [Paragraph(n, 0, len(t), t, sentences(t)) for n, t in enumerate(texts, start=1)]
    found = list(RULES.attributions(paragraphs, "en"))
    names = [
        [t[slice(*each.speaker)] for each in those] for t, those in zip(texts, found, strict=True)
    ]
    assert names == [["Kern"], [], ["Voss"]]


def test_paragraphs_in_other_languages_have_no_speakers() -> None:
    text = "„Die Brücke bleibt zu“, sagte die Bürgermeisterin am Montag."
    assert attributions(text, "de") == ()
    assert attributions(text, None) == ()


@settings(deadline=None, max_examples=40)
@given(
    pieces=st.lists(
        st.sampled_from(
            [
                *("Kern said", "“", "”", "''", '"', "that it is late", ", ", ". ", ": ", " — "),
                *("The union rejected the plan", "according to", "\u200b", "(AP) - ", "née", "\n"),
            ]
        )
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        max_size=14,
    )
)
def test_spans_lie_in_the_paragraph_and_nobody_says_their_own_name(pieces: list[str]) -> None:
    text = " ".join(pieces)
    for each in attributions(text):
        assert text[slice(*each.speaker)].strip()
        assert text[slice(*each.cue)].strip()
        assert each.content
        edges = [0, *(edge for span in each.content for edge in span), len(text)]
        assert edges == sorted(edges)
        for span in each.content:
            assert text[slice(*span)].strip()
            for other in (each.speaker, each.cue):
                assert span.end <= other.start or other.end <= span.start


@pytest.mark.parametrize("piece", ['"', "(", "said ", "''", "x", "A: "])
def test_what_is_no_paragraph_is_left_alone(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    paragraph = Paragraph(1, 0, len(text), text, (Span(0, len(text)),))
    assert list(RULES.attributions([paragraph], "en")) == [()]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("He said “no” and left.", ["“no”"]),
        ("''No,'' he said. ''Never.''", ["''No,''", "''Never.''"]),
        ('"One." "Two."', ['"One."', '"Two."']),
        ("“It goes on", ["“It goes on"]),
        ("and ends here.” He left.", ["and ends here.”"]),
        ("It's the Kerns' house", []),
    ],
)
def test_quotations_are_found_by_their_marks(text: str, quoted: list[str]) -> None:
    assert [text[slice(*span)] for span in quotations(text)] == quoted


def possible(text: str, word: str) -> Saying:
    """The possible report whose cue is ``word``."""
    [doc] = parse([(text, sentences(text))])
    [found] = [each for each in sayings(doc, quotations(text)) if text[slice(*each.cue)] == word]
    return found


@pytest.mark.parametrize(
    ("text", "word", "names"),
    [
        ("The mayor said that it is late.", "said", ["use clause", "subject people", "place ROOT"]),
        ("The mayor said that it is late.", "said", ["clause that", "helper none", "said behind"]),
        ("If the mayor says that it is late, go.", "says", ["mark if", "said clause to 5"]),
        ("She would not say that it is late.", "say", ["helper would", "helper not", "subject he"]),
        ("A poll shows that many agree.", "shows", ["subject papers", "article a", "sentence 0"]),
        ("“It is very late,” said Kern.", "said", ["subject behind", "content quoted most"]),
        ("It rained. Kern saw a bus.", "saw", ["sentence 1", "object kind NN", "subject NNP"]),
    ],
)
def test_the_circumstances_of_a_report_have_names(text: str, word: str, names: list[str]) -> None:
    assert set(names) <= set(possible(text, word).signs)


def test_the_odds_of_a_report_are_those_of_its_circumstances() -> None:
    said = possible("The mayor said that it is late.", "said")
    assert said.odds == weigh(said.signs)
    assert weigh({"table clause": 2.0}) == 2 * weigh({"table clause": 1.0}) > 0
    assert weigh({"no such circumstance": 1.0}) == 0


@pytest.mark.parametrize("who", ["The mayor", "She", "Anna Kern", "A spokesman", "Many residents"])
def test_whoever_says_something_is_clear_and_whoever_is_something_is_not(who: str) -> None:
    assert possible(f"{who} said that the old pier will be closed.", "said").odds > CLEAR
    was = "were" if who.endswith("s") else "was"
    assert possible(f"{who} {was} at the old pier.", was).odds < CLEAR


def attribution(speaker: tuple[int, int], *content: tuple[int, int]) -> Attribution:
    return Attribution(tuple(Span(*each) for each in content), Span(*speaker), Span(0, 1))


OUTER = attribution((0, 5), (10, 90))
INNER = attribution((20, 30), (40, 90))


def test_a_sentence_is_by_who_says_most_of_it() -> None:
    assert of_sentence([INNER, OUTER], Span(0, 90)) == OUTER
    assert of_sentence([OUTER, INNER], Span(40, 90)) == INNER
    assert of_sentence([OUTER, INNER], Span(90, 120)) is None
    assert of_sentence([], Span(0, 90)) is None


def test_a_sentence_is_by_who_says_it_more_clearly_if_that_is_half_of_it_at_least() -> None:
    clear = replace(INNER, odds=2.0)
    assert of_sentence([OUTER, clear], Span(0, 90)) == clear
    assert of_sentence([OUTER, replace(clear, content=(Span(60, 90),))], Span(0, 90)) == OUTER


def test_an_answer_is_by_who_is_nearest_to_it() -> None:
    assert of_answer([OUTER, INNER], Span(50, 60), Span(0, 90)) == INNER
    assert of_answer([OUTER, INNER], Span(12, 18), Span(0, 90)) == OUTER
    assert of_answer([OUTER, INNER], Span(0, 90), Span(0, 90)) == OUTER


def test_an_answer_that_names_the_speaker_is_by_nobody_or_who_reports_it() -> None:
    assert of_answer([OUTER], Span(0, 5), Span(0, 90)) is None
    assert of_answer([OUTER, INNER], Span(20, 30), Span(0, 90)) == OUTER
