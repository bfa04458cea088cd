"""One compiled template serves both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest

from showcase.web.pages import Pages


def test_what_a_filter_makes_of_a_constant_is_of_the_language_asked_for(tmp_path: Path) -> None:
    (tmp_path / "number.html").write_text("{{ 1234567|number }} {{ _('Works') }} {{ 'Works'|translated }}")
    pages = Pages(tmp_path)
    assert pages.text("number.html", "en", {}) == "1,234,567 Works Works"
    assert (
        pages.text("number.html", "fr", {}) == "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567 Œuvres Œuvres"
    )


def test_a_template_is_compiled_once_for_all_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str | None] = []
    compile_one = jinja2.Environment.compile

    def counted(self: jinja2.Environment, source: Any, name: str | None = None, *more: Any, **options: Any) -> Any:
        compiled.append(name)
        return compile_one(self, source, name, *more, **options)

    monkeypatch.setattr(jinja2.Environment, "compile", counted)
    (tmp_path / "one.html").write_text("one")
    Pages(tmp_path)
    assert compiled == ["one.html"]


def test_in_development_a_changed_template_is_read_again(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("before")
    pages = Pages(tmp_path, dev=True)
    assert pages.text("page.html", "en", {}) == "before"
    page.write_text("and after")
    assert [pages.text("page.html", lang, {}) for lang in ("en", "fr")] == ["and after"] * 2
