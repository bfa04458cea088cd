"""The texts of festivals and screenings, as they are given: how long they may be, and which must be there."""

from __future__ import annotations

from collections.abc import Mapping

from showcase.core.models import Texts
from showcase.errors import Invalid
from showcase.store import screenings
from showcase.web.shapes import TextIn

LIMITS = {"title": 200, "text": 8_000, "languages": 500, "notes": 1_000, "picture_alt": 300}


def given(**texts: TextIn | None) -> dict[str, Texts]:
    """Field -> language -> text of what was given."""
    return {name: text.texts() for name, text in texts.items() if text is not None}


def typed(fields: Mapping[str, str]) -> dict[str, Texts]:
    """Field -> language -> text of what was typed into a form: `title.en`, `title.fr` and so on."""
    return {
        name: {lang: fields[f"{name}.{lang}"].strip() for lang in ("en", "fr") if f"{name}.{lang}" in fields}
        for name in screenings.FIELDS
        if any(f"{name}.{lang}" in fields for lang in ("en", "fr"))
    }


def check(fields: Mapping[str, Texts]) -> None:
    """Raise Invalid when one is too long."""
    for name, by_lang in fields.items():
        for lang, text in by_lang.items():
            if len(text) > LIMITS[name]:
                raise Invalid(fields={f"{name}.{lang}": "too-long"})


def require_title(fields: Mapping[str, Texts]) -> None:
    """Raise Invalid unless there is a title in some language."""
    if not any(t.strip() for t in fields.get("title", {}).values()):
        raise Invalid(fields={"title": "required"})
