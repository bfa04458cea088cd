"""The desk's pages of screenings: the form, the panel beside the timeline, publishing, access codes, taking back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from aiohttp import web
from multidict import MultiDict

from showcase.core import rules, schedule
from showcase.core.models import Festival, Screening
from showcase.errors import Conflict, Invalid
from showcase.store import festivals, screenings, works
from showcase.store.codes import AccessCode
from showcase.web import (
    codes,
    desk_history,
    desk_timeline,
    festival_actions,
    forms,
    network,
    programme_texts,
    screening_actions,
    screening_checks,
    words,
)
from showcase.web.forms import back, form
from showcase.web.keys import DB, LANG, now, signed_in
from showcase.web.pages import render

PRIVATE = {"Cache-Control": "private, no-store"}
EMPTY_SLOTS = 3
KINDS = ("on_demand", "premiere", "live")


async def new_page(request: web.Request) -> web.Response:
    """The form for a new screening of a festival."""
    festival = await festival_actions.festival_for(request, "edit")
    starts, ends = datetime.combine(festival.starts_on, time(10)), datetime.combine(festival.ends_on, time(22))
    present = schedule.on_clock(now(request), words.zone(festival.zone))
    soon = (present + timedelta(hours=1)).replace(minute=0)
    if starts < soon and present.date() <= festival.ends_on:
        starts, ends = soon, max(ends, soon + timedelta(hours=1))
    given = {
        "starts": _minute(starts),
        "ends": _minute(ends),
        "ends_proposed": _minute(ends),
        "slots": [],
        "pauses": [],
    }
    return await _screening(request, festival, None, typed=given)


async def create(request: web.Request) -> web.Response:
    """Make a draft, whatever stands against it."""
    festival = await festival_actions.festival_for(request, "edit")
    fields = await form(request)
    try:
        made = await screening_actions.create(request, festival, **_read(fields))
    except Invalid as error:
        return await _screening(request, festival, None, status=422, typed=_typed(fields), errors=error.fields)
    return back(f"/{request[LANG]}/desk/screenings/{made.slug}")


def _read(fields: MultiDict[str]) -> dict[str, Any]:
    kind = fields.get("kind", "on_demand")
    if kind not in KINDS:
        raise Invalid(fields={"kind": "bad-choice"})
    shown: list[screening_checks.Shown] = []
    pauses = fields.getall("pause", [])
    for position, slug in enumerate(fields.getall("work", [])):
        if slug:
            text = pauses[position] if position < len(pauses) else ""
            pause = forms.number({f"pauses.{position}": text}, f"pauses.{position}", 0, 86_400) or 0
            shown.append((slug, None, pause))
    # The end of the whole festival is proposed for what is on demand; days later nobody means it for anything else.
    ends, proposed = fields.get("ends", ""), fields.get("ends_proposed", "")
    if kind != "on_demand" and ends == proposed and ends[:10] != fields.get("starts", "")[:10]:
        ends = ""
    if not ends and kind != "premiere":
        raise Invalid(fields={"ends": "required"})
    return {
        "kind": kind,
        "starts_local": _clock(fields, "starts"),
        "ends_local": _clock(fields, "ends") if ends else None,
        "replay_until_local": _clock(fields, "replay_until") if fields.get("replay_until") else None,
        "room": fields.get("room", ""),
        "fields": programme_texts.typed(fields),
        "shown": shown,
        "hosts": fields.getall("host", []),
        "minimum_age": forms.number(fields, "minimum_age", 0, 21),
        "closed": fields.get("closed") == "1",
    }


def _minute(local: datetime) -> str:
    """As a field of a time takes it."""
    return local.isoformat("T", "minutes")


def _clock(fields: Mapping[str, str], name: str) -> datetime:
    """A time on the festival's clock. Raises Invalid."""
    try:
        local = datetime.fromisoformat(fields.get(name, ""))
    except ValueError:
        raise Invalid(fields={name: "bad-time"}) from None
    if local.tzinfo is not None or not 1970 <= local.year <= 2200:
        raise Invalid(fields={name: "bad-time"})
    return local.replace(second=0, microsecond=0)


async def panel(request: web.Request) -> web.Response:
    """One screening as the timeline shows it beside its block: a part of a page."""
    screening = await screening_actions.screening_for(request, "edit")
    db, person = request.app[DB], signed_in(request)
    festival = await db.read(festivals.by_id, screening.festival)
    shown = await db.read(works.by_ids, {s.work for s in screening.slots})
    return render(
        request,
        "desk/panel.html",
        headers=PRIVATE,
        festival=festival,
        screening=screening,
        shown=shown,
        against=await screening_checks.conflicts(request, screening),
        needed_s=-(-schedule.showing_time(screening, shown) // timedelta(seconds=1)),
        may_delete=rules.allows_festival(person, "edit", festival),
    )


async def screening_page(request: web.Request) -> web.Response:
    """One screening: when, what, what stands against it."""
    screening = await screening_actions.screening_for(request, "edit")
    festival = await request.app[DB].read(festivals.by_id, screening.festival)
    return await _screening(request, festival, screening)


async def _screening(
    request: web.Request,
    festival: Festival,
    screening: Screening | None,
    *,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    problem: tuple[str, Mapping[str, Any]] | None = None,
    new_code: tuple[AccessCode, str] | None = None,
) -> web.Response:
    db, person = request.app[DB], signed_in(request)
    shelf = {w.slug: w for w in await desk_timeline.shelf_of(request)}
    if screening is not None:
        # What is in already may stay, whoever put it there.
        missing = {s.work for s in screening.slots if s.work_slug not in shelf}
        shelf |= {w.slug: w for w in (await db.read(works.by_ids, missing)).values()}
    zone = words.zone(festival.zone)
    given: Mapping[str, Any] = typed or {}
    against: tuple[schedule.Conflict, ...] = ()
    if screening is not None:
        against = await screening_checks.conflicts(request, screening)
        if typed is None:
            given = _given(screening)
    cities = await network.all_cities(request)
    return render(
        request,
        "desk/screening.html",
        status=status,
        headers=PRIVATE,
        festival=festival,
        screening=screening,
        phase=schedule.phase(screening, now(request)) if screening is not None else None,
        against=against,
        shelf=sorted(shelf.values(), key=lambda w: w.text("title", request[LANG]).casefold()),
        others=[
            f
            for f in await db.read(festivals.listed)
            if f.id != festival.id
            and (
                (f.state != "archived" and rules.allows_festival(person, "edit", f))
                or (screening is not None and f.slug in screening.hosts)
            )
        ],
        typed=given,
        errors=errors or {},
        problem=problem,
        empty=EMPTY_SLOTS,
        kinds=KINDS,
        cities=cities,
        # What the other cities' clocks show when it opens.
        clocks=[(c, screening.starts) for c in network.active(cities)] if screening is not None else [],
        zone=screening.zone if screening is not None else str(zone),
        access_codes=await codes.listed(request) if screening is not None else [],
        new_code=new_code,
        changes=await desk_history.told(request, screening) if screening is not None else [],
    )


def _given(screening: Screening) -> dict[str, Any]:
    given: dict[str, Any] = {
        "revision": str(screening.revision),
        "starts": _minute(screening.starts_local),
        "ends": _minute(screening.ends_local),
        "minimum_age": "" if screening.minimum_age is None else str(screening.minimum_age),
        "kind": screening.kind,
        "room": screening.room,
        "closed": screening.closed,
        "replay_until": "",
        "slots": [s.work_slug for s in screening.slots],
        "pauses": [str(s.pause_s or "") for s in screening.slots],
        "hosts": list(screening.hosts),
    }
    if screening.replay_until_local is not None:
        given["replay_until"] = _minute(screening.replay_until_local)
    for name in screenings.FIELDS:
        given |= {f"{name}.{lang}": screening.texts.get(name, {}).get(lang, "") for lang in ("en", "fr")}
    return given


async def save(request: web.Request) -> web.Response:
    """Take what was typed; a draft is kept whatever stands against it."""
    screening = await screening_actions.screening_for(request, "edit")
    festival = await request.app[DB].read(festivals.by_id, screening.festival)
    fields = await form(request)
    try:
        given = _read(fields)
        versions = {s.work_slug: s.version for s in screening.slots}
        ends = given["ends_local"] or screening.ends_local
        local = (given["starts_local"], ends, given["replay_until_local"], screening.zone)
        await screening_actions.update(
            request,
            screening,
            values={name: given[name] for name in ("minimum_age", "room", "closed")},
            fields=given["fields"],
            local=local,
            # The form does not show versions: a work that stays keeps its own.
            shown=[(slug, versions.get(slug), pause) for slug, _, pause in given["shown"]],
            hosts=given["hosts"],
            revision=forms.number(fields, "revision", 1, 2**31 - 1),
        )
    except Invalid as error:
        return await _screening(
            request, festival, screening, status=422, typed=_typed(fields), errors=error.fields, problem=("invalid", {})
        )
    except Conflict as error:
        typed = _typed(fields) | {"revision": str(screening.revision)}
        return await _screening(
            request, festival, screening, status=409, typed=typed, problem=(error.code, error.params)
        )
    return back(f"/{request[LANG]}/desk/screenings/{screening.slug}#saved")


async def make_code(request: web.Request) -> web.Response:
    """Make an access code; it is shown once."""
    screening = await screening_actions.screening_for(request, "edit")
    festival = await request.app[DB].read(festivals.by_id, screening.festival)
    fields = await form(request)
    try:
        made = await codes.make(request, fields.get("label", ""), forms.number(fields, "max_uses", 1, 1_000_000))
    except Invalid as error:
        typed = _given(screening) | {n: fields.get(n, "") for n in ("label", "max_uses")}
        return await _screening(request, festival, screening, status=422, typed=typed, errors=error.fields)
    return await _screening(request, festival, screening, new_code=made)


async def revoke_code(request: web.Request) -> web.Response:
    """Let an access code open nothing more."""
    screening = await screening_actions.screening_for(request, "edit")
    fields = await form(request)
    await codes.revoke(request, forms.number(fields, "code", 1, 999_999_999) or 0)
    return back(f"/{request[LANG]}/desk/screenings/{screening.slug}#codes")


async def publish(request: web.Request) -> web.Response:
    """Make it public; refused while errors stand, and when it is no longer what the page showed."""
    fields = await form(request)
    try:
        screening = await screening_actions.publish(request, forms.number(fields, "revision", 1, 2**31 - 1))
    except Conflict as error:
        return await _refused(request, error)
    return back(f"/{request[LANG]}/desk/screenings/{screening.slug}")


async def withdraw(request: web.Request) -> web.Response:
    """Close it at once."""
    screening = await screening_actions.withdraw(request)
    return back(f"/{request[LANG]}/desk/screenings/{screening.slug}")


async def restore(request: web.Request) -> web.Response:
    """Take a change back, unless what it changed was changed again since."""
    screening = await screening_actions.screening_for(request, "edit")
    fields = await form(request)
    if not fields.get("change", "").isdecimal():
        raise Invalid(fields={"change": "bad-number"})
    try:
        await screening_actions.restore(request, screening, int(fields["change"][:18]))
    except Conflict as error:
        return await _refused(request, error)
    return back(f"/{request[LANG]}/desk/screenings/{screening.slug}#saved")


async def _refused(request: web.Request, error: Conflict) -> web.Response:
    """The page of the screening as it is by now, with why it was not done."""
    screening = await screening_actions.screening_for(request, "edit")
    festival = await request.app[DB].read(festivals.by_id, screening.festival)
    return await _screening(request, festival, screening, status=409, problem=(error.code, error.params))


async def delete(request: web.Request) -> web.Response:
    """Remove a draft or a withdrawn screening."""
    screening = await screening_actions.delete(request)
    return back(f"/{request[LANG]}/desk/festivals/{screening.festival_slug}")


def _typed(fields: MultiDict[str]) -> dict[str, Any]:
    # What was proposed is not proposed again: who sends it once more means it.
    return {k: fields[k] for k in fields if k != "ends_proposed"} | {
        "slots": fields.getall("work", []),
        "pauses": fields.getall("pause", []),
        "hosts": fields.getall("host", []),
    }


def routes(app: web.Application) -> None:
    """Mount the desk's pages of screenings."""
    router, base = app.router, "/{lang:en|fr}/desk"
    festival, screening = base + "/festivals/{slug:[a-z0-9-]+}", base + "/screenings/{slug:[a-z0-9-]+}"
    router.add_get(f"{festival}/new", new_page)
    router.add_post(f"{festival}/new", create)
    router.add_get(screening, screening_page)
    router.add_post(screening, save)
    router.add_get(f"{screening}/panel", panel)
    router.add_post(f"{screening}/codes", make_code)
    router.add_post(f"{screening}/codes/revoke", revoke_code)
    router.add_post(f"{screening}/publish", publish)
    router.add_post(f"{screening}/withdraw", withdraw)
    router.add_post(f"{screening}/restore", restore)
    router.add_post(f"{screening}/delete", delete)
