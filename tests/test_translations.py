"""Every sentence that people read is there in French, and fills the same gaps."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
PO = ROOT / "showcase" / "locale" / "fr" / "LC_MESSAGES" / "showcase.po"
GAP = re.compile(r"%\(\w+\)s|\{\w+\}")


def said() -> set[str]:
    """Every message of the sources."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(one["pattern"], one["method"]) for one in mappings]
    options = {one["pattern"]: {k: v for k, v in one.items() if k not in ("pattern", "method")} for one in mappings}
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
    found: set[str] = set()
    for _, _, message, _, _ in extract_from_dir(ROOT, methods, options, keywords):
        found.add(message if isinstance(message, str) else message[0])
    return found


@pytest.fixture(scope="module")
def catalogue() -> dict[str, Message]:
    with PO.open("rb") as file:
        return {(m.id if isinstance(m.id, str) else m.id[0]): m for m in read_po(file, locale="fr") if m.id}


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_nothing_is_untranslated(catalogue: dict[str, Message]) -> None:
    translated = {id for id, m in catalogue.items() if all(forms(m)) and not m.fuzzy}
    assert sorted(said() - translated) == []


def test_nothing_is_translated_that_nobody_says(catalogue: dict[str, Message]) -> None:
    assert sorted(set(catalogue) - said()) == []


def test_translations_fill_the_same_gaps(catalogue: dict[str, Message]) -> None:
    wrong = {}
    for id, message in catalogue.items():
        ids = [id] if isinstance(message.id, str) else list(message.id)
        gaps = set().union(*(GAP.findall(one) for one in ids))
        for form in forms(message):
            if form and set(GAP.findall(form)) != gaps:
                wrong[id] = form
    assert wrong == {}
