"""XML as feeds write it: elements with text that any parser takes."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

# What is no Char of XML 1.0 (2.2), escaped or not: controls, halves of surrogate pairs, U+FFFE and U+FFFF; and the
# controls U+007F to U+009F, which it asks authors to avoid and tv_validate_file calls mis-encoded.
_NO_CHAR = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """`text` without the characters that XML 1.0 forbids or discourages (2.2); markup in it stays text."""
    return _NO_CHAR.sub("", text)


def line(text: str) -> str:
    """`text` as `clean` leaves it, in one line: each run of white space is one space."""
    return " ".join(clean(text).split())


def put(parent: ET.Element, tag: str, text: str = "", /, **attributes: str) -> ET.Element:
    """Append an element to `parent`; its text and attributes lose what XML forbids."""
    made = ET.SubElement(parent, tag, {name: clean(value) for name, value in attributes.items()})
    made.text = clean(text) or None
    return made


def document(root: ET.Element) -> bytes:
    """`root` as a document in UTF-8 with its declaration."""
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made
