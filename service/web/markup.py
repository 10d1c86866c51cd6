"""XML from plain text: elements whose text is what XML can hold, whatever an article has in it."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no character of XML 1.0 (its section 2.2), not even written as a number."""


def legal(text: str) -> str:
    r"""The text, with a replacement character for each that XML has no way to write.

    >>> legal("one\0two\x1b[31m")
    'one�two�[31m'
    """
    return _UNWRITABLE.sub("\ufffd", text)


def put(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    """Append an element with ``text`` and ``attributes`` to ``parent``."""
    child = ET.SubElement(parent, tag, {name: legal(value) for name, value in attributes.items()})
    child.text = None if text is None else legal(text)
    return child


def document(root: ET.Element) -> bytes:
    """``root`` as a file in UTF-8, an element a line."""
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
