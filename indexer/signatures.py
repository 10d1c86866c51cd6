"""Telling copies: a small signature of a paragraph's words, and the rule by which two are one.

Agencies and the papers that print them repeat paragraphs with small edits. MinHash (Broder: On the
resemblance and containment of documents, 1997) keeps of a paragraph's shingles, three words side by
side, a few bytes by which likely copies are found among many paragraphs; what is found is compared
word by word. A signature depends on its paragraph alone, so nothing is to be mended when others
come or go.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import AnyStr, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from datasketch import MinHash

from indexer.analysis import FUNCTION_WORDS, fold

Signatures: TypeAlias = npt.NDArray[np.uint8]
"""One signature a paragraph, shape (n, SIZE)."""

DIGEST = 8
"""Bytes that a signature begins with: equal for equal words alone."""

_PERMUTATIONS = 56
"""A byte of each is kept (Li and König: b-Bit minwise hashing, WWW 2010)."""

SIZE = DIGEST + _PERMUTATIONS
"""Bytes of a signature."""

_SHINGLE = 3
_ALIKE = 0.8
"""Share of shingles in common from which two are alike. Of 220,000 paragraphs of news, all pairs
above that kept names and numbers were copies; at 0.75 the first were not."""

_SHORT = 20
"""Words below which one word can turn the meaning ("closed higher", "closed lower")."""

_TINY = 6
"""Words below which only equal ones are copies: a template and what fills it."""

# Numbers keep their sign, currency and decimals. Scripts without spaces are taken by characters.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(
    rf"[^\W{_UNSPACED}]+(?:[.,]\d+)*"
    r"|(?<!\w)[-−+$€£¥]+\d\w*(?:[.,]\d+)*"
    rf"|[{_UNSPACED}]"
)
_DIGIT = re.compile(r"\d")


class Signer:
    """Makes signatures; for one thread.

    What their bytes are is part of the index format, whose number is raised when they change.
    """

    def __init__(self) -> None:
        self._sketch = MinHash(num_perm=_PERMUTATIONS, seed=1, hashfunc=zlib.crc32)

    def sign(self, text: str) -> bytes:
        """The signature of a paragraph, SIZE bytes: a digest of its words, then MinHash values."""
        words = _words(text)
        plain = " ".join(words).encode("utf-8", "replace")
        exact = blake2b(plain, digest_size=SIZE).digest()
        if len(words) < _TINY:
            return exact
        self._sketch.clear()
        self._sketch.update_batch(_shingles(plain.split(), b" "))
        values: Signatures = (self._sketch.hashvalues & 0xFF).astype(np.uint8)
        return exact[:DIGEST] + values.tobytes()


@dataclass(frozen=True, slots=True)
class Wording:
    """A paragraph's text, its words in order, and the sets of them and of their shingles."""

    text: str
    words: tuple[str, ...]
    vocabulary: frozenset[str]
    shingles: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """The wording of a paragraph's text."""
        words = tuple(_words(text))
        return cls(text, words, frozenset(words), frozenset(_shingles(words, " ")))

    def is_copy_of(self, other: Wording) -> bool:
        """Whether one is the other with small edits; it is the same both ways.

        Words may be left out or added. Where each has a name or a number that the other lacks, they
        are two statements of one pattern; among short ones that holds of any word.
        """
        if self.words == other.words:
            return True
        shorter = min(len(self.words), len(other.words))
        if shorter < _TINY:
            return False
        shared = len(self.shingles & other.shingles)
        if shared < _ALIKE * (len(self.shingles) + len(other.shingles) - shared):
            return False
        ours = self.vocabulary - other.vocabulary - FUNCTION_WORDS
        theirs = other.vocabulary - self.vocabulary - FUNCTION_WORDS
        if shorter < _SHORT or not (ours and theirs):
            return not (ours and theirs)
        return not (ours & _telling(self.text) and theirs & _telling(other.text))


def _words(text: str) -> list[str]:
    # A line of signs alone is one word, so that it is a copy of an equal line only.
    return _WORD.findall(fold(_plain(text))) or [text]


def _telling(text: str) -> set[str]:
    """The words of a text that begin with no small letter or hold a digit.

    They are names and numbers, and in scripts without capitals all words.
    """
    words = _WORD.findall(_plain(text))
    return {fold(word) for word in words if not word[0].islower() or _DIGIT.search(word)}


def _plain(text: str) -> str:
    """The text without apostrophes, with dashes and quotation marks as typewriters have them.

    Some write them straight and some curly; and what is ASCII is folded much faster.
    """
    text = text.replace("'", "").replace("’", "").replace("‘", "")
    text = text.replace("“", '"').replace("”", '"')
    return text.replace("–", "-").replace("—", "-")


def _shingles(words: Sequence[AnyStr], space: AnyStr) -> Iterator[AnyStr]:
    """Words side by side."""
    return map(space.join, zip(*(words[start:] for start in range(_SHINGLE)), strict=False))
