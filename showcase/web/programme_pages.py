"""Festivals and screenings as the audience sees them, and as calendars do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from showcase.core import rights, rules, schedule
from showcase.core.models import Asset, Screening, Work
from showcase.errors import NotFound
from showcase.store import festivals, screenings, works
from showcase.web import feeds, network, programme_actions, public
from showcase.web.keys import CHANGES, DB, LANG, PERSON, SETTINGS, now
from showcase.web.pages import public as for_everybody
from showcase.web.pages import render

FEED_PAST, FEED_FUTURE = timedelta(days=31), timedelta(days=366)


@for_everybody
async def festival_page(request: web.Request) -> web.Response:
    """A festival: its days, its text, its programme."""
    festival = await programme_actions.festival_for(request, "see")
    inside = rules.allows_festival(request[PERSON], "edit", festival)
    found = await request.app[DB].read(screenings.of_festival, festival.id, public=True)
    cities = await network.all_cities(request)
    at = now(request)
    return render(
        request,
        "public/festival.html",
        festival=festival,
        city=cities.get(festival.city or ""),
        screenings=found,
        phases={s.id: schedule.phase(s, at) for s in found},
        inside=inside,
        cities=cities,
    )


@for_everybody
async def festival_list(request: web.Request) -> web.Response:
    """Public festivals, the latest first."""
    found = await request.app[DB].read(festivals.listed, states=("published", "archived"))
    return render(request, "public/festivals.html", festivals=found, cities=await network.all_cities(request))


@for_everybody
async def screening_page(request: web.Request) -> web.Response:
    """A screening, at one address for life: to come, on, over."""
    screening = await programme_actions.screening_for(request, "see")
    at, cities = now(request), await network.all_cities(request)
    shown, found = [], await request.app[DB].read(works.by_ids, {s.work for s in screening.slots})
    moments = [schedule.changes_at(screening, at), *(rights.changes_at(w.rights, at) for w in found.values())]
    if (turns := min(filter(None, moments), default=None)) is not None:
        request[CHANGES] = turns
    for number, slot in enumerate(screening.slots):
        work = found.get(slot.work)
        if work is None or work.state not in programme_actions.SHOWABLE:
            # Withdrawn, sent back or just removed: nothing of it is told here. The others keep their numbers.
            continue
        main = schedule.playing(work, slot.version)
        shown.append(_shown(request, screening, number, work, main, at))
    return render(
        request,
        "public/screening.html",
        screening=screening,
        phase=schedule.phase(screening, at),
        turns=turns if screening.state == "published" else None,
        shown=shown,
        cities=cities,
        city=cities.get(screening.city or ""),
        inside=rules.allows_screening(request[PERSON], "edit", screening),
        structured=feeds.event_data(screening, request[LANG], request.app[SETTINGS].public_url),
    )


def _shown(
    request: web.Request, screening: Screening, number: int, work: Work, main: Asset | None, at: datetime
) -> dict[str, Any]:
    # The page is the same everywhere: what is closed in some countries says so where it is asked to play.
    verdict = rights.may_show(work.rights, schedule.use(screening, at), at, None)
    player = None
    if main is not None and main.playable and not main.details.get("images"):
        player = public.player(request, work, main) | {
            "play_url": f"/api/v1/screenings/{screening.slug}/play?slot={number}",
            "key": f"{screening.slug}-{work.slug}",
            "min_age": max(filter(None, (screening.minimum_age, work.minimum_age)), default=None),
            "code": screening.slug if screening.closed else None,
        }
    still = main is not None and bool(main.details.get("images"))
    return {
        "work": work,
        "player": player,
        "image_url": f"/api/v1/screenings/{screening.slug}/play?slot={number}" if still else None,
        "listed": work.state == "published",
        "verdict": verdict,
    }


async def programme_ics(request: web.Request) -> web.Response:
    """`/programme.ics`: the network's programme (RFC 5545), a month back and a year ahead."""
    at = now(request)
    found = await request.app[DB].read(screenings.between, at - FEED_PAST, at + FEED_FUTURE)
    return await _calendar(request, request.app[SETTINGS].site_name, found)


async def festival_ics(request: web.Request) -> web.Response:
    """`/festivals/{slug}.ics`: one festival's programme."""
    festival = await programme_actions.festival_for(request, "see")
    if festival.state == "draft":
        # Calendars and caches on the way know nobody.
        raise NotFound()
    found = await request.app[DB].read(screenings.of_festival, festival.id, public=True)
    return await _calendar(request, festival.text("title", request[LANG]), found)


async def _calendar(request: web.Request, name: str, found: list[Screening]) -> web.Response:
    import asyncio

    lang, site = request[LANG], request.app[SETTINGS].public_url
    # The zones' rules are read from files and written out: not for the loop.
    body = await asyncio.to_thread(feeds.calendar, name, found, lang, site, now(request))
    return web.Response(
        body=body,
        headers={
            "Content-Type": "text/calendar; charset=utf-8",
            "Cache-Control": "public, max-age=300",
            "Vary": "Accept-Language",
        },
    )


def routes(app: web.Application) -> None:
    """Mount the pages of the programme."""
    router, lang = app.router, "/{lang:en|fr}"
    router.add_get(f"{lang}/festivals", festival_list)
    router.add_get(lang + "/festivals/{slug:[a-z0-9-]+}", festival_page)
    router.add_get(lang + "/screenings/{slug:[a-z0-9-]+}", screening_page)
    router.add_get("/programme.ics", programme_ics)
    router.add_get("/festivals/{slug:[a-z0-9-]+}.ics", festival_ics)
