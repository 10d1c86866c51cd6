"""Stemming: a word without what its language adds to it, by Snowball's stemmers.

The language is the article's. A word in another script than that language's, such as a Latin name
in a Russian text, gets the stemmer of its own script, and so does a word of a language that has no
stemmer: Ukrainian is nearer to Russian than to nothing.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from typing import Any

import Stemmer

_ALGORITHMS = {
    "ar": ("arabic", "ARABIC"),
    "ca": ("catalan", "LATIN"),
    "cs": ("czech", "LATIN"),
    "da": ("danish", "LATIN"),
    "de": ("german", "LATIN"),
    "el": ("greek", "GREEK"),
    "en": ("english", "LATIN"),
    "eo": ("esperanto", "LATIN"),
    "es": ("spanish", "LATIN"),
    "et": ("estonian", "LATIN"),
    "eu": ("basque", "LATIN"),
    "fa": ("persian", "ARABIC"),
    "fi": ("finnish", "LATIN"),
    "fr": ("french", "LATIN"),
    "ga": ("irish", "LATIN"),
    "hi": ("hindi", "DEVANAGARI"),
    "hu": ("hungarian", "LATIN"),
    "hy": ("armenian", "ARMENIAN"),
    "id": ("indonesian", "LATIN"),
    "it": ("italian", "LATIN"),
    "lt": ("lithuanian", "LATIN"),
    "nb": ("norwegian", "LATIN"),
    "ne": ("nepali", "DEVANAGARI"),
    "nl": ("dutch", "LATIN"),
    "nn": ("norwegian", "LATIN"),
    "no": ("norwegian", "LATIN"),
    "pl": ("polish", "LATIN"),
    "pt": ("portuguese", "LATIN"),
    "ro": ("romanian", "LATIN"),
    "ru": ("russian", "CYRILLIC"),
    "sv": ("swedish", "LATIN"),
    "ta": ("tamil", "TAMIL"),
    "tr": ("turkish", "LATIN"),
    "yi": ("yiddish", "HEBREW"),
}
"""Snowball's algorithm and the script of each language, by its code in ISO 639-1.

Serbian is left out: its stemmer writes Cyrillic words in Latin script, which folding does not.
"""

_OF_SCRIPT = {
    "ARABIC": "ar",
    "ARMENIAN": "hy",
    "CYRILLIC": "ru",
    "DEVANAGARI": "hi",
    "GREEK": "el",
    "LATIN": "en",
    "TAMIL": "ta",
}
"""Whose stemmer a script's words get where their own language has none or is not known."""

_lock = threading.Lock()


def stem(word: str, language: str | None) -> str:
    """The stem of ``word``, which is in lower case with its accents, in an article's language.

    >>> stem("häuser", "de"), stem("proposals", None), stem("proposals", "ru")
    ('haus', 'propos', 'propos')
    """
    script = unicodedata.name(word[0], "").partition(" ")[0]
    algorithm, native = _ALGORITHMS.get(language or "", ("", ""))
    if not script or script != native:
        if script not in _OF_SCRIPT:
            return word
        algorithm, _ = _ALGORITHMS[_OF_SCRIPT[script]]
    # A stemmer has a state, which threads must not share at the same time.
    with _lock:
        return str(_stemmer(algorithm).stemWord(word))


def language_name(code: str) -> str:
    """What a language is called in English; the code itself where it has no stemmer.

    >>> language_name("hy"), language_name("zh")
    ('Armenian', 'zh')
    """
    name, _ = _ALGORITHMS.get(code, (code, ""))
    return code if name == code else name.capitalize()


@cache
def _stemmer(algorithm: str) -> Any:
    return Stemmer.Stemmer(algorithm, maxCacheSize=0)  # the analyzer remembers whole tokens
