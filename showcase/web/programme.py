"""The world programme: a day of the whole network on one page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import get_args
from urllib.parse import urlencode

from aiohttp import web

from showcase.core import world
from showcase.core.languages import normal_tag
from showcase.core.models import ScreeningKind
from showcase.errors import NotFound
from showcase.store import screenings
from showcase.web import network, words
from showcase.web.keys import DB, LANG, now
from showcase.web.pages import public, render, turns_with

KINDS: tuple[str, ...] = get_args(ScreeningKind)
FIRST, LAST = date(2015, 1, 1), date(2099, 12, 31)


@public
async def programme(request: web.Request) -> web.Response:
    """`/{lang}/programme?day=2026-11-25&city=&kind=`: without a day it is today, by UTC."""
    at, cities = now(request), await network.all_cities(request)
    active = network.active(cities)
    day = _day(request.query.get("day"), at)
    city, kind = request.query.get("city") or None, request.query.get("kind") or None
    if city is not None and city not in cities:
        raise NotFound("no-such-city", city=city[:60])
    if kind is not None and kind not in KINDS:
        raise NotFound()
    captions, spoken = _tag(request, "captions"), _tag(request, "spoken")
    there = await request.app[DB].read(screenings.between, *world.bounds(day))
    found = [
        s
        for s in there
        if city in (None, *s.host_cities)
        and kind in (None, s.kind)
        and captions in (None, *map(_primary, s.languages))
        and spoken in (None, *map(_primary, s.spoken))
    ]
    turns_with(request, found)
    picture = world.draw(day, active, {c.slug: words.zone(c.zone) for c in active}, found, at)

    def link(other: date) -> str:
        given = {
            "day": other.isoformat() if other != at.date() else None,
            "city": city,
            "kind": kind,
            "captions": captions,
            "spoken": spoken,
        }
        query = urlencode({k: v for k, v in given.items() if v})
        return request.path + (f"?{query}" if query else "")

    start = world.bounds(day)[0]
    return render(
        request,
        "public/programme.html",
        world=picture,
        cities=cities,
        active=active,
        kinds=KINDS,
        chosen={"city": city, "kind": kind, "day": day.isoformat(), "captions": captions, "spoken": spoken},
        captions=_offered(request, (tag for s in there for tag in s.languages), captions),
        spoken=_offered(request, (tag for s in there for tag in s.spoken), spoken),
        start=start,
        ticks=[start + timedelta(hours=h) for h in range(0, 25, 2)],
        today=at.date(),
        link=link,
        before=day - timedelta(days=1) if day > FIRST else None,
        after=day + timedelta(days=1) if day < LAST else None,
        foremost=world.foremost(picture.blocks, max(at, start), 3) if day >= at.date() else [],
    )


def _primary(tag: str) -> str:
    """`pt` of `pt-BR`: filters ask for a language, not for how it is written."""
    return tag.partition("-")[0].lower()


def _tag(request: web.Request, name: str) -> str | None:
    """A language that a filter asks for. Raises NotFound for what is none."""
    text = request.query.get(name) or None
    if text is not None and normal_tag(text) is None:
        raise NotFound()
    return _primary(text) if text is not None else None


def _offered(request: web.Request, tags: Iterable[str], chosen: str | None) -> list[tuple[str, str]]:
    """The languages of a day with their names; the chosen one is among them."""
    found = {_primary(tag) for tag in tags} | ({chosen} if chosen else set())
    return sorted(
        ((tag, words.language_name(tag, request[LANG])) for tag in found), key=lambda pair: pair[1].casefold()
    )


def _day(text: str | None, at: datetime) -> date:
    """The day that an address asks for. Raises NotFound for what is none, or too far away."""
    if not text:
        return at.date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotFound() from None
    if not FIRST <= day <= LAST:
        raise NotFound()
    return day


def routes(app: web.Application) -> None:
    """Mount the programme."""
    app.router.add_get("/{lang:en|fr}/programme", programme)
