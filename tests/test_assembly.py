from __future__ import annotations

import datetime as dt
from itertools import combinations, count

import pytest
from contracts.reading import ARTICLE
from fakes import PhraseReader
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sentences import sentences
from indexer.store import Passage
from indexer.types import Article, Paragraph, Span
from service.answering import decide
from service.assembly import Answer, assembled, well_cut
from service.reading import Evidence, Reading

_KEYS = count(1)


def passage(text: str, published: str | None = None, article: str | None = None) -> Passage:
    key = next(_KEYS)
    id_ = article or f"{key:016}"
    written = Article(id_, f"{id_}.txt", "Talks", published, None, None, None, "utf-8", ())
    return Passage(key, Paragraph(1, 0, len(text), text, sentences(text)), written)


def read(marked: str, confidence: float = 0.5, **where: str) -> Reading:
    """A reading of what stands between < and >, in a paragraph of its own."""
    start, end = marked.index("<"), marked.index(">") - 1
    found = passage(marked.replace("<", "").replace(">", ""), **where)
    sentence = next(s for s in found.paragraph.sentences if s.start <= start < s.end)
    return Reading(found, Span(start, end), sentence, confidence)


def texts(*readings: Reading) -> list[tuple[str, int]]:
    """The answers with the number of their sources."""
    return [(answer.text, len(answer.sources)) for answer in assembled(readings)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It was <Brussels> first.", "No, <BRUSSELS> it was."),
        ("Led by <the European Union> now.", "In <European Union> hands."),
        ("A <third-party operator> came.", "One <third party operator> left."),
        ("It is <Armenia> again.", "It was <Armenia's> turn."),
        ("Signed by <U.S.> envoys.", "Sent to the <US> in May."),
        ("Up by <5%> a year.", "They rose <5 percent> in May."),
        ("Some <1,000> trucks.", "Near <1000> people."),
        ("Held by <Erdoğan> alone.", "Then <Erdogan> spoke."),
    ],
)
def test_equal_answers_are_one_with_two_sources(one: str, other: str) -> None:
    best, second = read(one, 0.8), read(other, 0.6)
    assert assembled([second, best]) == [Answer(best, (second,))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It was <Korea> first.", "No, <North Korea> it was."),
        ("Talks with <Iran> went on.", "The <Iran nuclear deal> fell."),
        ("Some <5> trucks.", "It was on <25 July> then."),
        ("Some <5> trucks.", "They rose <5%> in May."),
        ("It cost <$5> there.", "It cost <€5> here."),
        ("It fell to <-5> there.", "It rose to <5> here."),
        ("He met <Macron> there.", "He met <Emmanuel Macron> here."),
        ("In <Armenia> they met.", "He is <President of Armenia> now."),
        ("From <York> they came.", "With mayors in <New York> they spoke."),
        ("They saw <Trump> there.", "At President <Trump Tower> they met."),
        ("It was <state> business.", "So <Secretary of State> it is."),
    ],
)
def test_what_may_be_another_thing_stays_apart(one: str, other: str) -> None:
    assert texts(read(one, 0.8), read(other, 0.6)) == [
        (one[one.index("<") + 1 : one.index(">")], 1),
        (other[other.index("<") + 1 : other.index(">")], 1),
    ]


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("So <Macron> said.", "There <President Emmanuel Macron> spoke."),
        ("So <Macron> said.", "The French President <Emmanuel Macron> spoke."),
        ("So <President Macron> said.", "The French <President Emmanuel Macron> spoke."),
        ("So <Blinken> said.", "Then <U.S. Secretary of State Antony Blinken> left."),
        ("So <von der Leyen> said.", "It was <Commission chairwoman Ursula von der Leyen> again."),
        ("So <Mirzoyan’s> said.", "With foreign minister <Ararat Mirzoyan> they met."),
    ],
)
def test_last_names_support_the_name_of_a_person_with_a_title(short: str, full: str) -> None:
    assert [len(each.sources) for each in assembled([read(full, 0.8), read(short, 0.6)])] == [2]
    (answer,) = assembled([read(full, 0.3), read(short, 0.6)])
    assert answer.text == short[short.index("<") + 1 : short.index(">")]


def test_a_last_name_that_two_people_have_supports_neither() -> None:
    ilham = read("There <President Ilham Aliyev> spoke.", 0.8)
    heydar = read("It was <President Heydar Aliyev> who began.", 0.7)
    assert texts(ilham, heydar, read("So <Aliyev> said.", 0.6)) == [
        ("President Ilham Aliyev", 1),
        ("President Heydar Aliyev", 1),
        ("Aliyev", 1),
    ]


def test_copies_of_a_paragraph_are_no_support_of_their_own() -> None:
    told = (
        "Brussels proposed a third-party operator for the railway on Monday, and the parliament "
        "will vote on it in the autumn, <officials> said after the talks in the capital had ended."
    )
    edited = told.replace("on Monday", "late on Monday")
    independent = "The plan came from <officials> in Yerevan."
    (answer,) = assembled([read(told, 0.8), read(edited, 0.7), read(independent, 0.6)])
    assert [source.confidence for source in answer.sources] == [0.8, 0.6]


def test_a_paragraph_that_says_it_twice_is_one_source() -> None:
    found = passage("Baku agreed. So it was Baku.")
    first, second = found.paragraph.sentences
    twice = [
        Reading(found, Span(0, 4), first, 0.8),
        Reading(found, Span(23, 27), second, 0.9),
    ]
    assert assembled(twice) == [Answer(twice[1])]


def test_of_readings_that_overlap_only_the_surest_counts() -> None:
    found = passage("The envoy came from Baku on Monday.")
    (whole,) = found.paragraph.sentences
    sure, wide = Reading(found, Span(20, 24), whole, 0.8), Reading(found, Span(15, 34), whole, 0.7)
    beside = Reading(found, Span(28, 34), whole, 0.6)
    assert assembled([beside, wide, sure]) == [Answer(sure), Answer(beside)]


def test_an_answer_counts_its_articles_and_knows_their_days() -> None:
    (answer,) = assembled(
        [
            read("It was <Baku> that won.", published="2025-05-03", article="a" * 16),
            read("They went to <Baku> then.", published="2025-07-07T10:00:00", article="b" * 16),
            read("Nobody but <Baku> knew.", published="2025-06-01", article="b" * 16),
            read("All roads led to <Baku> once."),
        ]
    )
    assert len(answer.sources) == 4
    assert answer.articles == 3
    assert answer.days == (dt.date(2025, 5, 3), dt.date(2025, 7, 7))
    assert Answer(answer.support[-1]).days is None


def evidence(*paragraphs: str) -> list[Evidence]:
    return [Evidence(passage(text), 0.5, None) for text in paragraphs]


def test_spans_that_end_within_words_are_shown_whole() -> None:
    given = evidence("Brussels wants a “third-party operator” there.")
    decision = decide(PhraseReader({"ird-party oper": 0.8}), "what", given, 0.1)
    assert decision.answer is not None
    assert decision.answer.text == "third-party operator"


def test_at_most_three_alternatives_are_given_the_surest_first() -> None:
    towns = {"Baku": 0.5, "Paris": 0.9, "Rome": 0.7, "Oslo": 0.46, "Bonn": 0.6, "Kyiv": 0.05}
    given = evidence(*(f"They met in {town}." for town in towns))
    decision = decide(PhraseReader(towns), "where", given, 0.1)
    assert [each.text for each in decision.answers] == ["Paris", "Rome", "Bonn", "Baku"]


def test_what_is_less_than_half_as_sure_as_the_answer_is_no_alternative() -> None:
    given = evidence("They met in Paris.", "They met in Rome.", "They met in Bonn.")
    decision = decide(PhraseReader({"Paris": 0.8, "Rome": 0.4, "Bonn": 0.39}), "where", given, 0.1)
    assert [each.text for each in decision.answers] == ["Paris", "Rome"]


def test_what_is_not_sure_enough_is_no_support() -> None:
    given = evidence("They met in Baku.", "Then Baku agreed.")
    found = PhraseReader({"in Baku": 0.8, "Then Baku": 0.01})
    decision = decide(found, "where", given, 0.1)
    assert decision.answer is not None
    assert decision.answer.support == ()


@pytest.mark.parametrize(
    ("surest", "threshold", "detail"),
    [
        (0.09, 0.15, "The best candidate is 9 % sure; the threshold is 15 %."),
        (0.148, 0.15, "The best candidate is 14.80 % sure; the threshold is 15.00 %."),
        (0.0001, 0.15, "The best candidate is less than 1 % sure; the threshold is 15 %."),
    ],
)
def test_no_answer_says_how_sure_the_best_candidate_was(
    surest: float, threshold: float, detail: str
) -> None:
    given = evidence("They met in Baku.", "They met in Rome.")
    decision = decide(PhraseReader({"Baku": surest, "Rome": 0.0}), "where", given, threshold)
    assert (decision.reason, decision.answers, decision.detail) == ("below_threshold", (), detail)


def test_where_nothing_was_proposed_nothing_is_said_of_it() -> None:
    decision = decide(PhraseReader({}), "where", evidence("They met in Baku."), 0.1)
    assert (decision.reason, decision.detail) == ("below_threshold", None)
    wordless = decide(PhraseReader({"…": 0.9}), "where", evidence("So … they met."), 0.1)
    assert (wordless.reason, wordless.detail) == ("below_threshold", None)


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    words = st.sampled_from("Macron President Emmanuel Korea North the 5 % of".split())  # noqa: SIM905 - words in a string read better
    found = []
    for text in draw(st.lists(st.lists(words, min_size=1, max_size=6).map(" ".join), max_size=4)):
        paragraph = Paragraph(1, 0, len(text), text, (Span(0, len(text)),))
        for start, end, sure in draw(
            st.lists(
                st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), st.floats(0, 1)),
                max_size=4,
            )
        ):
            where = Passage(1, paragraph, ARTICLE)
            span = Span(min(start, end), max(start, end))
            found.append(Reading(where, span, paragraph.sentences[0], sure))
    return found


@settings(deadline=None)
@given(readings())
def test_answers_are_distinct_and_ordered_and_never_overlap(proposed: list[Reading]) -> None:
    cut = well_cut(proposed)
    answers = assembled(cut)
    assert bool(answers) == bool(cut)
    sure = [answer.confidence for answer in answers]
    assert sure == sorted(sure, reverse=True)
    assert len({answer.text for answer in answers}) == len(answers)
    for one, other in combinations([each for answer in answers for each in answer.sources], 2):
        apart = one.answer.end <= other.answer.start or other.answer.end <= one.answer.start
        assert apart or one.passage != other.passage
