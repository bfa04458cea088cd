"""Who changed what of a screening, as its staff read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from showcase.core.models import Screening
from showcase.store import history
from showcase.web import words
from showcase.web.keys import DB, LANG

TIMES = ("starts", "ends", "replay_until")


async def told(request: web.Request, screening: Screening) -> list[dict[str, Any]]:
    """The changes of a screening, the latest first, in words: `id`, `at`, `person`, `action`, `fields`, `back`.

    `back` is whether it can be taken back: "yes", "no", or "changed" when the same was changed again since.
    """
    lang, found = request[LANG], await request.app[DB].read(history.of_screening, screening.id)
    return [
        {
            "id": c.id,
            "at": c.at,
            "person": c.person,
            "action": words.called("change", c.action, lang),
            "fields": [(_name(f, lang), _value(f, c.before, lang), _value(f, c.after, lang)) for f in c.fields]
            if c.before
            else [],
            "back": _back(c, found[:n], screening),
        }
        for n, c in enumerate(found)
    ]


def _back(change: history.Change, later: Sequence[history.Change], screening: Screening) -> str:
    fields = set(change.before) - {"state"}
    if not fields:
        return "no"
    if history.stands(change, screening):
        return "yes"
    # Not only people change a screening: a work that is removed leaves it.
    after = [c for c in later if fields & set(c.fields)]
    return "changed" if after and after[-1].action != "restored" else "no"


def _name(field: str, lang: str) -> str:
    name, _, tag = field.partition(".")
    called = words.called("field", name, lang)
    return f"{called} ({words.language_name(tag, lang)})" if tag else called


def _value(field: str, state: Mapping[str, Any], lang: str) -> str:
    value = state.get(field)
    if value in (None, "", []):
        return "–"
    if field in TIMES:
        return words.on_clock(datetime.fromisoformat(str(value)), lang)
    if field == "state":
        return words.called("state", str(value), lang)
    if field == "slots":
        return ", ".join(f"{slug} (+{pause} s)" if pause else slug for slug, _, pause in value)
    if field == "hosts":
        return ", ".join(value)
    if field == "closed":
        return words.called("answer", "yes" if value else "no", lang)
    text = str(value)
    return text if len(text) <= 80 else text[:80].rsplit(" ", 1)[0] + "…"
