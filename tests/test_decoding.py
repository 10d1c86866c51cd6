from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.decoding import Undecodable, decode

RUSSIAN = (
    "Министр иностранных дел заявил в понедельник, что переговоры о транспортном коридоре будут "
    "продолжены осенью. По его словам, стороны договорились обменяться данными о грузах.\r\n"
    "Однако эксперты сомневаются, что соглашение удастся подписать до конца года.\r\n"
)
FRENCH = (
    "Le ministre des Affaires étrangères a déclaré lundi que les négociations sur le corridor "
    "reprendraient à l’automne. « Nous sommes prêts à un compromis », a-t-il souligné…\n"
    "Des experts doutent toutefois que l’accord puisse être signé avant la fin de l’année.\n"
)
GERMAN = (
    "Der Außenminister erklärte am Montag, die Gespräche über den Korridor würden im Herbst "
    "fortgesetzt. „Wir sind zu einem Kompromiss bereit“, sagte er.\n"
    "Experten bezweifeln jedoch, dass das Abkommen vor Ende des Jahres unterzeichnet wird.\n"
)
CHINESE = (
    "外交部长星期一表示，关于运输走廊的谈判将于秋季恢复。他说，双方同意交换货物和海关监管方面的数据。\n"
    "“我们愿意妥协”，他强调说。但专家们怀疑协议能否在年底前签署。\n"
)
JAPANESE = (
    "外務大臣は月曜日、輸送回廊に関する交渉が秋に再開されると述べた。双方はデータを交換することで合意した。\n"
    "「妥協する用意がある」と同氏は強調した。しかし専門家は、年内に合意が署名されるか疑問視している。\n"
)
ENGLISH = "The minister spoke on Monday.\nNobody was surprised.\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (FRENCH, "cp1252"),
        (GERMAN, "cp1252"),
        (CHINESE, "gb18030"),
        (JAPANESE, "shift_jis"),
        (CHINESE, "utf-16-le"),
        (ENGLISH, "utf-16-be"),
    ],
)
def test_an_article_in_an_encoding_that_nothing_names_is_guessed_and_says_so(
    text: str, encoding: str
) -> None:
    data = text.encode(encoding)
    decoded = decode(data)
    assert decoded.text == text
    assert decoded.guessed
    assert data.decode(decoded.encoding) == text


@pytest.mark.parametrize("text", [RUSSIAN, CHINESE, ENGLISH, ""])
def test_utf8_is_not_a_guess_and_keeps_its_line_ends(text: str) -> None:
    decoded = decode(text.encode())
    assert (decoded.text, decoded.encoding, decoded.guessed) == (text, "utf-8", False)


@pytest.mark.parametrize(
    ("mark", "codec", "name"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32"),
    ],
)
def test_a_byte_order_mark_decides_and_is_not_part_of_the_text(
    mark: bytes, codec: str, name: str
) -> None:
    decoded = decode(mark + RUSSIAN.encode(codec))
    assert (decoded.text, decoded.encoding, decoded.guessed) == (RUSSIAN, name, False)


def test_english_with_a_few_western_letters_prefers_the_western_code_page() -> None:
    assert decode("The price was £5.".encode("cp1252")).encoding == "cp1252"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "a PNG image"),
        (b"%PDF-1.7\n%plain text otherwise\n", "a PDF document"),
        (b"PK\x03\x04" + b"mimetype", "a ZIP archive"),
        (bytes(range(256)) * 8, "binary"),
        (b"An article\0with a hole.\n", "binary"),
        ("An article\0with a hole.\n".encode("utf-16"), "character 10 is NUL"),
        (codecs.BOM_UTF8 + b"caf\xe9", "marked as utf-8-sig"),
        (codecs.BOM_UTF16_LE + b"a\0b", "marked as utf-16"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8\x20\x00", "marked as utf-16"),
        (FRENCH.encode() + b"\xe9", "damaged UTF-8"),
        (RUSSIAN.encode()[:-200] + RUSSIAN.encode()[-199:], "damaged UTF-8"),
    ],
)
def test_what_is_not_text_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Undecodable, match=reason):
        decode(data)


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-16-le")))
def test_any_data_decodes_without_loss_or_not_at_all(data: bytes) -> None:
    try:
        decoded = decode(data)
    except Undecodable:
        return
    assert data.decode(decoded.encoding) == decoded.text
    assert decoded.text.encode().decode() == decoded.text  # No lone surrogates.
