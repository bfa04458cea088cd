"""Every failure that media may meet has its sentence."""

from __future__ import annotations

import re
import string
from pathlib import Path

import showcase.media
from showcase.core.failures import FAILURES, sentence
from showcase.media.sniff import KINDS


def test_every_code_that_is_raised_has_a_sentence() -> None:
    text = "".join(p.read_text("utf-8") for p in Path(showcase.media.__path__[0]).glob("*.py"))
    raised = set(re.findall(r'(?:MediaError|Refused)\(\s*"([a-z-]+)"', text))
    raised |= {k.refusal for k in KINDS if k.refusal is not None}
    assert len(raised) > 25
    assert raised - set(FAILURES) == set()


def test_a_sentence_that_lacks_a_word_still_says_something() -> None:
    assert sentence("captions-order", {}) == FAILURES["unreadable"]
    assert sentence("no such code", {"line": 1}) == FAILURES["unreadable"]
    assert sentence("captions-order", {"line": 3}).startswith("Line 3: ")


def test_sentences_ask_for_plain_names() -> None:
    names = {name for text in FAILURES.values() for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    assert all(name.isidentifier() for name in names)
