"""The documents say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import click

from showcase import cli
from showcase.settings import Settings

ROOT = Path(__file__).parents[1]
OPERATORS = (ROOT / "docs" / "operators.md").read_text()


def test_every_setting_is_documented_with_its_default_and_meaning() -> None:
    rows = re.findall(r"^\| `(SHOWCASE_\w+)` \| (unset|`[^`]*`).*? \| (.*) \|$", OPERATORS, re.MULTILINE)
    documented = {name: (default.strip("`"), meaning) for name, default, meaning in rows}
    wanted = {
        f"SHOWCASE_{name.upper()}": ("unset" if field.default is None else str(field.default), field.description)
        for name, field in Settings.model_fields.items()
    }
    assert documented == wanted


def test_every_command_is_named() -> None:
    commands = [name for name, command in cli.main.commands.items() if not command.hidden]
    assert isinstance(cli.main, click.Group)
    line = re.search(r"^The commands: (.*)$", OPERATORS, re.MULTILINE)
    assert line is not None
    assert re.findall(r"`([a-z]+)`", line[1]) == commands


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            if not (document.parent / target).exists():
                broken.append((document.name, target))
    assert broken == []
