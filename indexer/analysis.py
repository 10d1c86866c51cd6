"""Text analysis: how a text becomes the words that are indexed and asked for.

One analyzer serves documents and queries in every language: where words begin and end depends on
their script alone, and only their stems on a language. A collection mixes languages and a query
does not say which one it is in, so an article's words are stemmed in its language and a query's in
each language that the collection has. Whoosh's own analyzers decide by field, drop stop words and
with them the true positions, and lose the vowel signs of Indic scripts.

A token has a ``form`` (the word as written, folded: case, accents and punctuation away) and a
``term`` (its stem, folded too). Words and phrases are looked up by term, patterns by form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import NamedTuple

from indexer.stemming import stem

ANALYZER = f"winnow-2 snowball-{version('PyStemmer')} unicode-{unicodedata.unidata_version}"
"""Names everything that decides what is indexed: indexes with equal names are comparable.

Raise the number with every change of this module that alters a token.
"""

MAX_FORM = 100
"""Characters of a word that count; longer ones are encoded data, and Whoosh's keys are bounded."""


class Token(NamedTuple):
    """A word of a text: ``text[start:end]``, its folded ``form`` and its stem ``term``."""

    term: str
    form: str
    start: int
    end: int


def tokens(text: str, language: str | None = None) -> list[Token]:
    """The words of ``text`` in order, stemmed as ``language`` has it, else as their scripts have.

    Words joined by a hyphen are two words, and so are those joined by an apostrophe ("l'Europe");
    an English possessive is dropped. "U.S." is the word "us", "1,000" is "1000", "3.5" stays.
    Scripts written without spaces (Chinese, Japanese, Thai...) and Korean, whose particles are
    joined to the words, become overlapping pairs of characters.

    >>> [token.form for token in tokens("Café's U.S.-led 1,000-year plan")]
    ['cafe', 'us', 'led', '1000', 'year', 'plan']
    """
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        start, end = match.span(kind)
        if kind == "unspaced":
            found.extend(_pairs(text, start, end))
        else:
            form, term = _folded(text[start:end], kind, language)
            if form:
                found.append(Token(term, form, start, end))
    return found


@lru_cache(8192)
def of_word(word: str, language: str | None = None) -> tuple[Token, ...]:
    """The :func:`tokens` of a word of a query, which are asked for with every paragraph found."""
    return tuple(tokens(word, language))


def without_function_words(words: Sequence[str]) -> tuple[str, ...]:
    """``words`` as typed, less those that only make a sentence of them; perhaps none remains.

    A capital makes a name, except in the first word, where it takes two ("May", "WHO"), and in a
    query that is all in capitals.
    """
    shouted = not any(word.upper() != word for word in words)
    content = []
    for place, word in enumerate(words):
        capitals = sum(letter.isupper() for letter in word)
        named = capitals > (place == 0) and not shouted
        if named or not all(token.form in FUNCTION_WORDS for token in of_word(word)):
            content.append(word)
    return tuple(content)


# One word a line would fill two pages.
# fmt: off
FUNCTION_WORDS = frozenset({
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "because", "been", "before", "being", "between", "both", "but", "by", "can", "could", "d",
    "did", "didn", "do", "does", "doesn", "doing", "don", "down", "during", "each", "for",
    "from", "had", "has", "have", "having", "he", "her", "here", "hers", "him", "his", "how",
    "i", "if", "in", "into", "is", "isn", "it", "its", "just", "ll", "may", "me", "might",
    "more", "most", "much", "must", "my", "no", "nor", "not", "of", "off", "on", "once", "only",
    "or", "other", "our", "out", "over", "own", "re", "s", "shall", "she", "should", "so",
    "some", "such", "t", "than", "that", "the", "their", "them", "then", "there", "these",
    "they", "this", "those", "through", "to", "too", "under", "until", "up", "ve", "very",
    "was", "wasn", "we", "were", "what", "when", "where", "whether", "which", "while", "who",
    "whom", "whose", "why", "will", "with", "would", "you", "your",
})
# fmt: on
"""English words that questions are made of, with the pieces of contractions ("don", "t").

They are indexed, so "the who" is a phrase, but not scored while other words remain. "us" is not
among them because "U.S." is the same word here.
"""


# Scripts written without spaces, and Hangul. Thai and Lao digits are left to the numbers.
_UNSPACED = (
    "\u0e01-\u0e3e\u0e40-\u0e4e\u0e81-\u0ecd\u0edc-\u0edf"  # Thai, Lao
    "\u1000-\u103f\u1050-\u108f\u1780-\u17d3"  # Myanmar, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U0003ffff"
    "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
)
_CYRILLIC = "\u0400-\u04ff"


def _ranges(characters: Iterator[int]) -> str:
    """The body of a regular expression's class, as ranges."""
    ranges: list[list[int]] = []
    for code in characters:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


# Python's \w leaves out combining marks, without which Hindi falls to pieces; joiners and soft
# hyphens stand inside words too.
_MARKS = "\u00ad\u200c\u200d\u2060" + _ranges(
    code
    for code in range(0x300, 0x20000)  # every combining mark but the variation selectors
    if unicodedata.category(chr(code)) in {"Mn", "Mc"}
)
_LETTER = rf"[^\W_{_UNSPACED}]"
_IN_WORD = rf"(?:{_LETTER}++|[{_MARKS}]++)"
# A Korean syllable in pieces, or a character with its marks and voicing signs.
_UNIT = (
    rf"(?:[\u1100-\u115f][\u1160-\u11a7]+[\u11a8-\u11ff]*|[{_UNSPACED}](?<![\W_]))"
    rf"[{_MARKS}\uff9e\uff9f]*"
)
_TOKEN = re.compile(
    rf"""
    (?P<unspaced> (?: {_UNIT} )++ )
    | (?P<acronym> (?<! [\w.] ) [^\W\d_{_UNSPACED}] (?: \. [^\W\d_{_UNSPACED}] )+ (?! \w ) )
    | (?P<number>
        (?: \d{{1,3}} (?: ,\d{{3}} )+ (?! ,?\d ) | \d+ ) (?: \.\d+ )*
        {_IN_WORD}*+ )
    # Ukrainian writes an apostrophe inside a word; elsewhere it stands between two.
    | (?P<word>
        {_LETTER} {_IN_WORD}*+
        (?: (?<= [{_CYRILLIC}] ) ['’] (?= [{_CYRILLIC}] ) {_IN_WORD}++ )* )
      (?: ['’] [sS] (?! {_IN_WORD} ) )?
    """,
    re.VERBOSE,
)
_UNITS = re.compile(_UNIT)


def _pairs(text: str, start: int, end: int) -> Iterator[Token]:
    """Overlapping pairs of a run of characters; a single character stays alone."""
    units = list(_UNITS.finditer(text, start, end))
    for first, second in zip(units, units[1:] or units, strict=False):
        form = fold(text[first.start() : second.end()])
        yield Token(form, form, first.start(), second.end())


@lru_cache(maxsize=1 << 16)
def _folded(word: str, kind: str, language: str | None) -> tuple[str, str]:
    """The form and the term of ``word``, remembered because words repeat and stemming is slow."""
    form = fold(word)[:MAX_FORM]
    if kind == "number":
        form = form.replace(",", "")
        return form, form
    if kind == "acronym":
        word = word.replace(".", "")
        form = form.replace(".", "")
    # Snowball's rules want a language's accents and vowel signs; folded, they would not fit.
    written = form if word.isascii() else unicodedata.normalize("NFC", word.casefold())[:MAX_FORM]
    return form, fold(stem(written, language)) or form


_GRAM = 4
"""Characters: four to five are best in European languages (McNamee and Mayfield: Character n-gram
tokenization for European language text retrieval, Information Retrieval 7, 2004)."""


def grams(text: str) -> Iterator[str]:
    """Runs of four characters of each word's form, with a mark where the word begins and ends.

    They find what stemmers leave apart: compounds and the endings of languages rich in them.
    Scripts whose tokens are pairs of characters have none.

    >>> list(grams("Zug"))
    ['_zug', 'zug_']
    """
    for word in tokens(text):
        if not _UNITS.match(text, word.start):
            marked = f"_{word.form}_"
            yield from (marked[i : i + _GRAM] for i in range(max(1, len(marked) - _GRAM + 1)))


# Letters that NFKD does not take apart, as Lucene's ASCIIFoldingFilter, ArabicNormalizer and
# PersianNormalizer write them.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t"}
    | {"ı": "i", "ĸ": "q", "ŋ": "n", "ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك", "ة": "ه", "ٱ": "ا"}
)
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
# Signs that are optional in writing: joiners, Hebrew points, Arabic harakat and tatweel.
_OPTIONAL = re.compile(
    "['’\u00ad\u200c\u200d\u2060\ufe00-\ufe0f"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u0652\u0670\u06d6-\u06ed]"
)
# Marks that are accents, by script. Elsewhere a mark makes another letter: й and ї, most vowels of
# Indic scripts, the voiced letters of Japanese.
_ACCENTS = re.compile(
    "(?<=[a-z\u0250-\u02af\u0370-\u03ffæœøłđðþħŧıŋ])[\u0300-\u036f]+"
    "|(?<=[аеиоуыэюяіє])[\u0300\u0301]+|(?<=е)\u0308"
    "|(?<=ا)[\u0653-\u0655]"
)


def fold(word: str) -> str:
    """``word`` without case, accents and other differences that a searcher does not type.

    >>> fold("Łódź"), fold("Straße"), fold("Ёлка"), fold("йод")
    ('lodz', 'strasse', 'елка', 'йод')
    """
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFKD", word.casefold()).casefold()
    letters = _ACCENTS.sub("", _OPTIONAL.sub("", letters))
    letters = unicodedata.normalize("NFC", letters).translate(_LETTERS)
    return _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.digit(digit[0])), letters)
