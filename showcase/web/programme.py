"""The world programme: a day of the whole network on one page."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import get_args
from urllib.parse import urlencode

from aiohttp import web

from showcase.core import world
from showcase.core.models import ScreeningKind
from showcase.errors import NotFound
from showcase.store import screenings
from showcase.web import network, words
from showcase.web.keys import DB, now
from showcase.web.pages import public, render

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
    found = [
        s
        for s in await request.app[DB].read(screenings.between, *world.bounds(day))
        if city in (None, *s.host_cities) and kind in (None, s.kind)
    ]
    picture = world.draw(day, active, {c.slug: words.zone(c.zone) for c in active}, found, at)

    def link(other: date) -> str:
        given = {"day": other.isoformat() if other != at.date() else None, "city": city, "kind": kind}
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
        chosen={"city": city, "kind": kind, "day": day.isoformat()},
        start=start,
        ticks=[start + timedelta(hours=h) for h in range(0, 25, 2)],
        today=at.date(),
        link=link,
        before=day - timedelta(days=1) if day > FIRST else None,
        after=day + timedelta(days=1) if day < LAST else None,
        foremost=world.foremost(picture.blocks, max(at, start), 3) if day >= at.date() else [],
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
