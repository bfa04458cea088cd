"""Text that no parser stumbles over."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from showcase.core.feeds_xml import clean, document, line, put


def test_what_xml_forbids_is_dropped_and_nothing_else() -> None:
    # XML 1.0 2.2: "Char ::= #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]"
    assert clean("a\0b\x08\x0bc\x1f\ud800d\ufffee\uffff\x7f\x85") == "abcde"
    assert clean("\t\n é 札幌 \U0001f30a <&>") == "\t\n é 札幌 \U0001f30a <&>"
    assert line("  one\r\n\ttwo\x07 \u2003three ") == "one two three"


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_any_text_comes_back_from_a_parser_as_it_was_cleaned(text: str, attribute: str) -> None:
    root = ET.Element("root")
    put(root, "it", text, name=attribute)
    (read,) = ET.fromstring(document(root))  # noqa: S314 - our own
    # XML 1.0 2.11: line ends are told as #xA.
    assert (read.text or "") == clean(text).replace("\r\n", "\n").replace("\r", "\n")
    assert read.get("name") == clean(attribute)
