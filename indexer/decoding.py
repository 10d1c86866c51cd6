"""From the bytes of a seed file to its text, or to a reason why it has none.

Old article collections come in whatever encoding their newsroom used, and a wrong guess spoils
every search in that file without anybody noticing. So nothing is replaced or dropped here: what is
not UTF-8 is either decoded completely and marked as guessed, for the build report, or refused.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from charset_normalizer import from_bytes

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)

_SIGNATURES = (  # Only those that no article could begin with.
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"BZh91AY&SY", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a program"),
)

# The legacy encodings that browsers support, by Python's names (WHATWG Encoding Standard,
# https://encoding.spec.whatwg.org/#names-and-labels). Letting rarer code pages compete only lets
# them win on short texts: "naïve résumé" came out as Urdu.
_LEGACY = [
    *("cp866", "cp874", "cp932", "cp949", "koi8_r", "koi8_u", "mac_cyrillic", "mac_roman"),
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8"),
    *("iso8859_10", "iso8859_13", "iso8859_14", "iso8859_15", "iso8859_16"),
    *("big5hkscs", "euc_jp", "gb18030"),
]
_WIDE = ["utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be"]

_DAMAGED_RATIO = 10
"""So many intact multi-byte characters for each broken one make a file damaged UTF-8. In text of
another encoding such characters arise by chance only, fewer than the broken ones."""


class Undecodable(ValueError):
    """The data is no text, or text that cannot be decoded without loss; the message says which."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file; ``data.decode(encoding) == text``, line ends and all.

    ``guessed`` tells that no mark and no UTF-8 settled the encoding, so a person should look.
    """

    text: str
    encoding: str
    guessed: bool


def binary_kind(data: bytes) -> str | None:
    """What kind of binary file begins like ``data``, or None when nothing says it is one."""
    return next((kind for magic, kind in _SIGNATURES if data.startswith(magic)), None)


def mark_of(data: bytes) -> str | None:
    """The codec that the byte-order mark at the beginning of ``data`` calls for, if any."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def decode(data: bytes) -> Decoded:
    """Decode ``data``: by its byte-order mark, else as UTF-8, else by the best guess.

    Raises:
        Undecodable: ``data`` is binary, contradicts its own mark, is damaged UTF-8 or fits no
            encoding.
    """
    if kind := binary_kind(data):
        raise Undecodable(f"{kind}, not text")
    decoded = _by_mark(data) or _as_utf8(data) or _by_guess(data)
    nul = decoded.text.find("\0")
    if nul >= 0:
        raise Undecodable(f"binary, not text: character {nul} is NUL")
    return decoded


def _by_mark(data: bytes) -> Decoded | None:
    encoding = mark_of(data)
    if encoding is None:
        return None
    try:
        return Decoded(data.decode(encoding), encoding, guessed=False)
    except UnicodeDecodeError as error:
        raise Undecodable(
            f"marked as {encoding} at its beginning, but not so at byte {error.start}"
        ) from error


def _as_utf8(data: bytes) -> Decoded | None:
    if b"\0" in data:
        return None
    try:
        return Decoded(data.decode("utf-8"), "utf-8", guessed=False)
    except UnicodeDecodeError as error:
        lossy = data.decode("utf-8", "replace")
        broken = lossy.count("\N{REPLACEMENT CHARACTER}")
        intact = len(lossy) - len(lossy.encode("ascii", "ignore")) - broken
        if intact >= _DAMAGED_RATIO * broken:
            raise Undecodable(f"damaged UTF-8 at byte {error.start}: {error.reason}") from error
        return None


def _by_guess(data: bytes) -> Decoded:
    # Text in UTF-16 or UTF-32 has NUL bytes, in its spaces and line ends at least; other text none.
    candidates = _WIDE if b"\0" in data else _LEGACY
    matches = list(from_bytes(data, cp_isolation=candidates, enable_fallback=False))
    if not matches:
        raise Undecodable("binary, or text in an unknown encoding")
    best = [
        match.encoding
        for match in matches
        if (match.chaos, match.coherence) == (matches[0].chaos, matches[0].coherence)
    ]
    # Among equals the commonest one: WHATWG's default for text that does not say.
    encoding = "cp1252" if "cp1252" in best else best[0]
    try:
        return Decoded(data.decode(encoding), encoding, guessed=True)
    except UnicodeDecodeError as error:
        raise Undecodable(
            f"text in an unknown encoding: most like {encoding}, but not so at byte {error.start}"
        ) from error
