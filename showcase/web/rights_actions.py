"""What artists and staff state about the rights of works, once for the pages and the API; and how forms show it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from aiohttp import web
from multidict import MultiDict

from showcase.core.models import Work
from showcase.core.names import fold
from showcase.core.rights import MODES, USES, Cue, Mode, Use, WorkRights
from showcase.errors import Invalid
from showcase.store import rights, works
from showcase.web import forms, words
from showcase.web.keys import DB, now, signed_in

log = logging.getLogger(__name__)

CUES_LIMIT = 200
CUE_TEXT_LIMIT = 200
EMPTY_CUES = 3


async def state(request: web.Request, work: Work, stated: WorkRights, revision: str | None) -> Work:
    """Keep what may be done with a work one may edit; returns it as it is then. Raises Invalid and Conflict."""
    if stated.starts is not None and stated.ends is not None and stated.ends <= stated.starts:
        raise Invalid(fields={"ends": "window-order"})
    for moment, name in ((stated.starts, "starts"), (stated.ends, "ends")):
        if moment is not None and not 1900 <= moment.year <= 2200:
            raise Invalid(fields={name: "bad-time"})
    if wrong := sorted(t for t in stated.territories if not words.is_country(t)):
        raise Invalid(fields={"territories": "no-such-country"}, country=", ".join(wrong))
    if stated.mode != "everywhere" and not stated.territories:
        raise Invalid(fields={"territories": "required"})
    if stated.mode == "everywhere" and stated.territories:
        # Nothing that somebody gave is thrown away unasked.
        raise Invalid(fields={"territories_mode": "territories-need-mode"})
    await request.app[DB].write(rights.state, now(request), work.id, stated, revision)
    log.info("work %s: rights stated by person %d", work.slug, signed_in(request).id)
    return await request.app[DB].read(works.work_by_id, work.id)


async def set_cues(request: web.Request, work: Work, music: Sequence[Cue], revision: str | None) -> Work:
    """Keep the cue list of a work one may edit; returns it as it is then. Raises Conflict."""
    await request.app[DB].write(rights.set_cues, now(request), work.id, music, revision)
    log.info("work %s: %d cues listed by person %d", work.slug, len(music), signed_in(request).id)
    return await request.app[DB].read(works.work_by_id, work.id)


def rights_typed(fields: MultiDict[str]) -> WorkRights:
    """What the form of the rights says. Raises Invalid with the names of the API's fields."""
    mode = fields.get("territories_mode", "everywhere")
    if mode not in MODES:
        raise Invalid(fields={"territories_mode": "bad-choice"})
    chosen = fields.getall("use", [])
    if any(u not in USES for u in chosen):
        raise Invalid(fields={"uses": "bad-choice"})
    place = forms.zone(fields, "rights_zone")
    given = {name: forms.moment(fields, name, place) for name in ("starts", "ends")}
    names = [t.strip() for t in re.split(r"[,;\n]", fields.get("territories", "")) if t.strip()]
    codes = {name: country_code(name) for name in names}
    if wrong := [name for name, code in codes.items() if code is None]:
        raise Invalid(fields={"territories": "no-such-country"}, country=", ".join(wrong))
    uses: frozenset[Use] = frozenset(u for u in USES if u in chosen)
    named: Mode = next(m for m in MODES if m == mode)
    return WorkRights(given["starts"], given["ends"], named, frozenset(c for c in codes.values() if c), uses)


def cues_typed(fields: MultiDict[str]) -> list[Cue]:
    """The rows of the cue list, without the empty ones. Raises Invalid."""
    found = []
    for n, cue in enumerate(_rows(fields)):
        if any(len(t) > CUE_TEXT_LIMIT for t in (cue.title, cue.composer, cue.publisher)):
            raise Invalid(fields={f"cues.{n}.title": "too-long"})
        if _empty(cue):
            continue
        if not cue.title:
            raise Invalid(fields={f"cues.{n}.title": "required"})
        found.append(cue)
    if len(found) > CUES_LIMIT:
        raise Invalid(fields={"cues": "too-long"})
    return found


def _rows(fields: MultiDict[str]) -> list[Cue]:
    # A box that is not checked is not sent, so each says of which row it is.
    live, replay = set(fields.getall("cue.live", [])), set(fields.getall("cue.replay", []))
    texts = [[t.strip() for t in fields.getall(f"cue.{name}", [])] for name in ("title", "composer", "publisher")]
    return [
        Cue(title, composer, publisher, str(n) in live, str(n) in replay)
        for n, (title, composer, publisher) in enumerate(zip(*texts, strict=False))
    ]


def _empty(cue: Cue) -> bool:
    return not (cue.title or cue.composer or cue.publisher)


def view(work: Work, typed: MultiDict[str] | None, zone: str, lang: str) -> dict[str, Any]:
    """The rights and the cue list of a work as their forms show them, on the clock of `zone`; `typed` comes before."""
    stated, place = work.rights, words.zone(zone)
    found: dict[str, Any] = {
        "revision": stated.revision,
        "starts": _on_clock(stated.starts, place),
        "ends": _on_clock(stated.ends, place),
        "zone": zone,
        "territories_mode": stated.mode,
        "territories": ", ".join(sorted((words.country(t, lang) for t in stated.territories), key=fold)),
        "uses": sorted(stated.uses),
        "cues": list(stated.cues),
    }
    if typed is not None and "territories_mode" in typed:
        found |= {n: typed.get(n, "") for n in ("starts", "ends", "territories_mode", "territories")}
        found["zone"] = typed.get("rights_zone", zone)
        found["uses"] = typed.getall("use", [])
    elif typed is not None:
        rows = _rows(typed)
        while rows and _empty(rows[-1]):
            rows.pop()
        found["cues"] = rows
    return found


def _on_clock(moment: datetime | None, place: Any) -> str:
    return moment.astimezone(place).strftime("%Y-%m-%dT%H:%M") if moment is not None else ""


def country_code(text: str) -> str | None:
    """The country that somebody means: by its code (ISO 3166-1 alpha-2) or its name in a language of the site."""
    code = text.strip().upper()
    return code if words.is_country(code) else _names().get(_folded(text))


def _folded(name: str) -> str:
    return fold(name.strip().replace("’", "'"))


@cache
def _names() -> Mapping[str, str]:
    from babel import Locale

    found: dict[str, str] = {}
    for lang in ("en", "fr"):
        for code, name in Locale.parse(lang).territories.items():
            if words.is_country(code):
                found.setdefault(_folded(name), code)
    return found
