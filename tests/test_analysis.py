from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis import ANALYZER, FUNCTION_WORDS, fold, grams, tokens, without_function_words


def forms(text: str) -> list[str]:
    return [token.form for token in tokens(text)]


def terms(text: str) -> list[str]:
    return [token.term for token in tokens(text)]


@given(st.text())
def test_any_text_has_tokens_in_order_at_their_places(text: str) -> None:
    found = tokens(text)
    assert [token.start for token in found] == sorted(token.start for token in found)
    assert [token.end for token in found] == sorted(token.end for token in found)
    for token in found:
        assert token.form
        assert token.term
        assert 0 <= token.start < token.end <= len(text)
        assert any(character.isalnum() for character in text[token.start : token.end])


@given(st.text(st.characters(categories=["L", "N", "Zs", "P"])))
def test_every_letter_and_digit_is_in_a_token(text: str) -> None:
    covered = {place for token in tokens(text) for place in range(token.start, token.end)}
    # An English possessive is left out, and so is a letter that folds to nothing: the tatweel.
    left = [c for i, c in enumerate(text) if c.isalnum() and i not in covered]
    assert set(left) <= set("sSſـ")


_SCRIPTS = "éÀßŁøİ ΑάΐώΣς ЁёЙйЇї اآأإئ हिन्दी ไทย 한국어 がガｶﾞ 東京 שָׁלוֹם Զանգեզուր 3½ ²"
_TEXTS = st.text(st.sampled_from(_SCRIPTS))


@given(_TEXTS)
def test_composed_and_decomposed_text_are_the_same_words(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert forms(composed) == forms(decomposed)
    assert terms(composed) == terms(decomposed)


@given(st.text(st.sampled_from("éàŁø Ααάώ ЁёЙй abc's")))
def test_case_makes_no_difference(text: str) -> None:
    assert forms(text.upper()) == forms(text) == forms(text.lower())


@given(_TEXTS | st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("third-party U.S.-led", ["third", "party", "us", "led"]),
        ("the U.S. and the US, U.N. Security", ["the", "us", "and", "the", "us", "un", "security"]),
        ("J.K. Rowling's and Russia’s", ["jk", "rowling", "and", "russia"]),
        ("don't l'Europe O’Brien", ["don", "t", "l", "europe", "o", "brien"]),
        ("п'ять Лук’яненка", ["пять", "лукяненка"]),
        ("1,000 1000 1,234,567.89", ["1000", "1000", "1234567.89"]),
        ("3.5 $3.5bn 12,34 2025-07-03", ["3.5", "3.5bn", "12", "34", "2025", "07", "03"]),
        ("Covid-19 G20 20th", ["covid", "19", "g20", "20th"]),
        ("bbc.co.uk foo_bar", ["bbc", "co", "uk", "foo", "bar"]),
        ("Café Müller Łódź Straße Ærø đ", ["cafe", "muller", "lodz", "strasse", "aero", "d"]),
        ("İstanbul ısı ŞİŞLİ", ["istanbul", "isi", "sisli"]),
        ("Αθήνα ΑΘΗΝΑ Σίσυφος", ["αθηνα", "αθηνα", "σισυφοσ"]),
        ("Ёлка елка й ї вода́", ["елка", "елка", "й", "ї", "вода"]),
        ("أَحمد إحمد آحمد ســلام ٢٠٢٥", ["احمد", "احمد", "احمد", "سلام", "2025"]),
        ("فارسی كتاب کتاب", ["فارسي", "كتاب", "كتاب"]),
        ("שָׁלוֹם", ["שלום"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Զանգեզուրի միջանցք", ["զանգեզուրի", "միջանցք"]),
        ("北京大学 中", ["北京", "京大", "大学", "中"]),
        ("東京タワーへ ｶﾞｽ", ["東京", "京タ", "タワ", "ワー", "ーへ", "ガス"]),
        ("한국어 책", ["한국", "국어", "책"]),
        ("ไทย", ["ไท", "ทย"]),
        ("iPhone手机15", ["iphone", "手机", "15"]),
        ("ＡＢＣ １２ ﬁne m²", ["abc", "12", "fine", "m2"]),
        ("Regie\u00adrung می\u200cخواهم", ["regierung", "ميخواهم"]),
        ("\ud800 a\0b \u202e🙂 ـ", ["a", "b"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert forms(text) == expected


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "price prices priced pricing"),
        (None, "negotiate negotiated negotiations"),
        ("de", "Straße Straßen"),
        ("de", "Häuser Haus HAUSES"),
        ("fr", "économique économiques"),
        ("es", "acción acciones accion"),
        ("ru", "переговоры переговоров переговорах"),
        ("uk", "закон закони законам"),
        (None, "переговоры переговоров переговорах"),
        ("ar", "الإسلام إسلام"),
        ("el", "άνθρωπος άνθρωποι ανθρώπους"),
        ("tr", "evler evlerde"),
        ("ru", "proposal proposals"),
    ],
)
def test_forms_of_a_word_share_a_term(language: str | None, words: str) -> None:
    assert len({token.term for token in tokens(words, language)}) == 1


def test_a_language_changes_no_words_only_their_stems() -> None:
    text = "Die Häuser der Städte kosten 1,000 U.S. Dollar; 北京大学"
    plain, german = tokens(text), tokens(text, "de")
    assert [token[1:] for token in plain] == [token[1:] for token in german]
    assert [token.term for token in german] != [token.term for token in plain]


def test_grams_find_the_parts_of_a_compound() -> None:
    assert set(grams("Politik")) - {"_pol"} <= set(grams("Flüchtlingspolitik"))
    assert list(grams("a 京都 U.S.")) == ["_a_", "_us_"]


def test_a_possessive_is_outside_the_token_and_an_accent_inside() -> None:
    text = "Cafe\u0301's"
    assert [text[token.start : token.end] for token in tokens(text)] == ["Cafe\u0301"]


@pytest.mark.parametrize(
    ("asked", "content"),
    [
        ("what did the WHO say about U.S. tariffs?", "WHO say U.S. tariffs?"),
        ("WHAT DID THE WHO SAY", "SAY"),
        ("Don't they?", ""),
        ("Who is he?", ""),
        ("Is IT here", "IT"),
        ("WHO is he", "WHO"),
        ("What did Theresa May do in May?", "Theresa May May?"),
        ("oil - gas", "oil gas"),
        ("what did us steel do", "us steel"),
    ],
)
def test_function_words_are_left_out(asked: str, content: str) -> None:
    assert " ".join(without_function_words(asked.split())) == content


def test_function_words_are_forms() -> None:
    assert all(forms(word) == [word] for word in FUNCTION_WORDS)


def test_a_word_of_any_length_and_a_text_of_any_size_take_linear_time() -> None:
    assert [len(form) for form in forms("x" * 200_000)] == [100]
    for piece in ("a.", "a'", "1,000,", "я'", "ก\u0e31", "a\u0301", "\u1100\u1161"):
        assert tokens(piece * 50_000)


def test_the_analyzer_names_its_version_and_that_of_unicode() -> None:
    assert ANALYZER.startswith("winnow-")
    assert unicodedata.unidata_version in ANALYZER


def test_importing_warns_of_nothing() -> None:
    command = [sys.executable, "-W", "error", "-c", "import indexer.analysis, indexer.keyword"]
    subprocess.run(command, check=True)
