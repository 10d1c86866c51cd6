from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.analysis import tokens
from indexer.types import Span
from service.boundaries import settled

TEXTS = st.text(
    st.sampled_from("abAB.'’“”\"()-–,$%5 7й東京เก็\u00a0") | st.characters(), max_size=40
)


@st.composite
def proposals(draw: st.DrawFn) -> tuple[str, Span, Span]:
    """A text, a span of it that a reader proposes, and the sentence around its start."""
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
    sentence = Span(cuts[0], cuts[3])
    beyond = draw(st.booleans())
    return text, Span(cuts[1], len(text) if beyond else cuts[2]), sentence


def settle(marked: str) -> str | None:
    """What becomes of the span between < and >, of a sentence between |, else of the whole text."""
    text = marked.replace("<", "").replace(">", "")
    start = marked.replace("|", "").index("<")
    end = marked.replace("|", "").replace("<", "").index(">")
    first, *rest = [len(piece) for piece in text.split("|")]
    sentence = Span(first, first + rest[0]) if rest else Span(0, first)
    text = text.replace("|", "")
    found = settled(text, Span(start, end), sentence)
    return None if found is None else text[slice(*found)]


@settings(deadline=None)
@given(proposals())
def test_an_answer_lies_in_its_sentence_and_settles_at_once(given: tuple[str, Span, Span]) -> None:
    text, proposed, sentence = given
    found = settled(text, proposed, sentence)
    if found is not None:
        assert sentence.start <= found.start < found.end <= sentence.end
        assert settled(text, found, sentence) == found


@settings(deadline=None)
@given(proposals())
def test_an_answer_holds_every_word_that_was_touched_and_parts_none(
    given: tuple[str, Span, Span],
) -> None:
    text, proposed, sentence = given
    words = [
        Span(sentence.start + word.start, sentence.start + word.end)
        for word in tokens(text[slice(*sentence)])
    ]
    touched = [word for word in words if word.start < proposed.end and proposed.start < word.end]
    found = settled(text, proposed, sentence)
    if not touched or proposed.start >= proposed.end:
        return
    assert found is not None
    # Where characters are paired to words, a pair's end is where others begin or end.
    edges = {edge for word in words for edge in word}
    for cut in found:
        assert cut in edges or not any(word.start < cut < word.end for word in words)
    assert any(word.start < found.end and found.start < word.end for word in touched)


@pytest.mark.parametrize(
    ("proposed", "answer"),
    [
        ("said a <thi>rd-party operator", "third-party"),
        ("a third-<party oper>ator came", "third-party operator"),
        ("the <U.S>. may", "U.S."),
        ("the U.<S.>", "U.S."),
        ("the <U>.S.-led talks", "U.S.-led"),
        ("bought by Acme <Inc>. in May", "Inc."),
        ("paid <$1.5> billion for it", "$1.5 billion"),
        ("paid $1.5 <billion> for it", "$1.5 billion"),
        ("paid US<$1>.5 billion for it", "US$1.5 billion"),
        ("rose by <5>% in May", "5%"),
        ("rose by <5> percent in May", "5 percent"),
        ("fell to <10> degrees", "10"),
        ("fell to -<10>°C at night", "-10°C"),
        ("by <O'Ne>ill's house", "O'Neill"),
        ("by <O’Neill’s> house", "O’Neill’s"),
        ("at 5:<30> they met", "5:30"),
        ("some <1,>000 people", "1,000"),
        ("from <2019>–2021 on", "2019"),
        ("see <cnn>.com for more", "cnn.com"),
    ],
)
def test_words_and_amounts_come_whole(proposed: str, answer: str) -> None:
    assert settle(proposed) == answer


@pytest.mark.parametrize(
    ("proposed", "answer"),
    [
        ("they met in< Baku, >on Friday", "Baku"),
        ("they met in <Baku.>", "Baku"),
        ("it was – <– Baku –> that won", "Baku"),
        ("<the European Union>, she said", "the European Union"),
        ("he <said: “Peace>”", "said: “Peace”"),
        ("the <“Silk Road> fund”", "Silk Road"),
        ("the <“Silk Road”> fund", "Silk Road"),
        ("the “<Silk Road” fund> grew", "“Silk Road” fund"),
        ("the European Union (<EU> grew", "EU"),
        ("the <European Union (EU>) grew", "European Union (EU)"),
        ("the European Union <(EU)> grew", "EU"),
        ("he read <“The Trial> by Kafka” aloud", "The Trial"),
        ("she sang <her “Hymn,>” then left", "her “Hymn,”"),
        ("the <brothers’> house", "brothers"),
        ("er sagte <das „Nein>“ laut", "das „Nein“"),
    ],
)
def test_nothing_dangles_and_pairs_are_completed(proposed: str, answer: str) -> None:
    assert settle(proposed) == answer


def test_an_answer_never_leaves_its_sentence() -> None:
    assert settle("|It rained in <Baku.| It> shone.") == "Baku"
    assert settle("|It rained by 5|<5> percent.") is None


def test_a_whole_sentence_keeps_its_stop_and_quotes() -> None:
    assert settle("He left. |<“It is over.”>| All wept.") == "“It is over.”"


def test_what_has_no_word_is_no_answer() -> None:
    assert settle("well <...> yes") is None
    assert settle("<—>") is None


def test_scripts_without_spaces_are_cut_between_any_characters() -> None:
    assert settle("中国<北京>大学") == "北京"
    assert settle("東京<都>。") == "都"
