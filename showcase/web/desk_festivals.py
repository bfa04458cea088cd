"""The desk's pages of festivals: the list, a festival's timeline with its facts and its look."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

from aiohttp import web
from multidict import MultiDict

from showcase.core import rules, schedule
from showcase.core.models import Festival
from showcase.errors import Conflict, Invalid, TooLarge
from showcase.store import festivals, screenings
from showcase.web import (
    desk_timeline,
    festival_actions,
    festival_channel,
    festival_look,
    forms,
    network,
    programme_texts,
    screening_checks,
    words,
)
from showcase.web.forms import back, form
from showcase.web.keys import DB, LANG, now, signed_in
from showcase.web.pages import render

PRIVATE = {"Cache-Control": "private, no-store"}


async def festivals_page(request: web.Request) -> web.Response:
    """The festivals of one's cities, and a form for a new one."""
    return await _festivals(request)


async def _festivals(
    request: web.Request,
    *,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
) -> web.Response:
    person = signed_in(request)
    rules.require_site(person, "see-desk")
    own = None if person.administrator else person.staff_of
    cities = await network.all_cities(request)
    found = await request.app[DB].read(festivals.listed, cities=own, network=False)
    return render(
        request,
        "desk/festivals.html",
        status=status,
        headers=PRIVATE,
        festivals=found,
        cities=cities,
        choices=[c for c in network.active(cities) if rules.may_host(person, c.slug)],
        of_network=rules.may_host(person, None),
        typed=typed or {},
        errors=errors or {},
    )


def _day(fields: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(fields.get(name, ""))
    except ValueError:
        raise Invalid(fields={name: "bad-time"}) from None


async def add_festival(request: web.Request) -> web.Response:
    """Begin a festival; its clock is its city's unless another is given."""
    fields = await form(request)
    try:
        city = fields.get("city") or None
        zone = fields.get("zone", "").strip()
        if not zone and city is not None:
            known = (await network.all_cities(request)).get(city)
            zone = known.zone if known is not None else ""
        made = await festival_actions.create(
            request,
            fields=programme_texts.typed(fields),
            city=city,
            zone=str(forms.zone({"zone": zone or "UTC"})),
            starts_on=_day(fields, "starts_on"),
            ends_on=_day(fields, "ends_on"),
        )
    except Invalid as error:
        return await _festivals(request, status=422, typed=dict(fields), errors=error.fields)
    return back(f"/{request[LANG]}/desk/festivals/{made.slug}")


async def festival_page(request: web.Request) -> web.Response:
    """One festival: its facts and its screenings in a table."""
    return await _festival(request, await festival_actions.festival_for(request, "edit"))


async def _festival(
    request: web.Request,
    festival: Festival,
    *,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    error_params: Mapping[str, Any] | None = None,
    problem: str | None = None,
    alt: Mapping[str, str] | None = None,
) -> web.Response:
    db, at = request.app[DB], now(request)
    found = await db.read(screenings.of_festival, festival.id, public=False)
    against = await screening_checks.conflicts_of(request, found)
    cities = await network.all_cities(request)
    city = cities.get(festival.city or "")
    given: dict[str, Any] = {
        "revision": str(festival.revision),
        "colour": "city" if festival.hue is None else "own",
        "hue": "" if festival.hue is None else str(round(festival.hue)),
        "starts_on": festival.starts_on,
        "ends_on": festival.ends_on,
        "zone": festival.zone,
        "rooms": "\n".join(festival.rooms),
        "loop": list(festival.loop),
    }
    for name in ("title", "text"):
        given |= {f"{name}.{lang}": festival.texts.get(name, {}).get(lang, "") for lang in ("en", "fr")}
    return render(
        request,
        "desk/festival.html",
        status=status,
        headers=PRIVATE,
        festival=festival,
        city=city,
        screenings=found,
        phases={s.id: schedule.phase(s, at) for s in found},
        against=against,
        typed=typed if typed is not None else given,
        hue_shown=festival_look.hue_shown(typed if typed is not None else given, city),
        alt=festival_look.alt_shown(festival, alt),
        picture_limit=festival_look.PICTURE_LIMIT,
        errors=errors or {},
        error_params=error_params or {},
        problem=problem,
        cities=cities,
        zone=words.zone(festival.zone),
        loopable=await desk_timeline.loopable(request, festival),
        **await desk_timeline.timeline(request, festival, found, against),
    )


async def save_festival(request: web.Request) -> web.Response:
    """Take the festival's facts."""
    festival = await festival_actions.festival_for(request, "edit")
    fields = await form(request)
    try:
        await festival_actions.update(
            request,
            festival,
            values={
                "zone": str(forms.zone(fields)),
                "starts_on": _day(fields, "starts_on"),
                "ends_on": _day(fields, "ends_on"),
                "hue": festival_look.hue_typed(fields, festival),
            },
            fields=programme_texts.typed(fields),
            revision=forms.number(fields, "revision", 1, 2**31 - 1),
            rooms=festival_channel.rooms_typed(fields["rooms"]) if "rooms" in fields else None,
            loop=[slug for slug in fields.getall("loop", []) if slug] if "loop" in fields else None,
        )
    except Invalid as error:
        return await _festival(
            request,
            festival,
            status=422,
            typed=_typed(fields),
            errors=error.fields,
            error_params=error.params,
            problem="invalid",
        )
    except Conflict as error:
        typed = _typed(fields) | {"revision": str(festival.revision)}
        return await _festival(
            request, festival, status=409, typed=typed, problem=error.code, error_params=error.params
        )
    return back(f"/{request[LANG]}/desk/festivals/{festival.slug}#saved")


async def save_picture(request: web.Request) -> web.Response:
    """Take another picture of the festival, or only what is to be seen on the one it has."""
    festival = await festival_actions.festival_for(request, "edit")
    typed: dict[str, str] = {}
    try:
        data = await festival_look.picture_typed(request, typed)
        alt = festival_look.alt_typed(typed)
        if data:
            await festival_look.set_picture(request, festival, data, alt)
        elif festival.picture is None:
            raise Invalid(fields={"picture": "required"})
        else:
            await festival_actions.update(request, festival, values={}, fields={"picture_alt": alt}, revision=None)
    except (Invalid, TooLarge) as error:
        return await _festival(
            request,
            festival,
            status=error.status,
            errors=error.fields if isinstance(error, Invalid) else {"picture": error.code},
            error_params=error.params,
            problem="invalid",
            alt=typed,
        )
    return back(f"/{request[LANG]}/desk/festivals/{festival.slug}#picture")


async def remove_picture(request: web.Request) -> web.Response:
    """Take the festival's picture away."""
    festival = await festival_actions.festival_for(request, "edit")
    await form(request)
    await festival_look.remove_picture(request, festival)
    return back(f"/{request[LANG]}/desk/festivals/{festival.slug}#picture")


async def set_festival(request: web.Request) -> web.Response:
    """Publish or archive a festival, or take it back to being a draft."""
    festival = await festival_actions.festival_for(request, "edit")
    fields = await form(request)
    state = fields.get("state", "")
    if state not in ("draft", "published", "archived"):
        raise Invalid(fields={"state": "bad-choice"})
    await request.app[DB].write(festivals.set_state, now(request), festival.id, state)
    return back(f"/{request[LANG]}/desk/festivals/{festival.slug}")


def _typed(fields: MultiDict[str]) -> dict[str, Any]:
    return {k: fields[k] for k in fields} | {"loop": [slug for slug in fields.getall("loop", []) if slug]}


def routes(app: web.Application) -> None:
    """Mount the desk's pages of festivals."""
    app[festival_look.MAKING] = asyncio.Semaphore(1)
    router, base = app.router, "/{lang:en|fr}/desk"
    festival = base + "/festivals/{slug:[a-z0-9-]+}"
    router.add_get(f"{base}/festivals", festivals_page)
    router.add_post(f"{base}/festivals", add_festival)
    router.add_get(festival, festival_page)
    router.add_post(festival, save_festival)
    router.add_post(f"{festival}/picture", save_picture)
    router.add_post(f"{festival}/picture/remove", remove_picture)
    router.add_post(f"{festival}/state", set_festival)
