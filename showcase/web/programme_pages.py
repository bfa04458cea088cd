"""Festivals and screenings as the audience sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from showcase.core import rights, rules, schedule
from showcase.core.models import SHOWABLE, SITE_LANGUAGES, Asset, Screening, Work
from showcase.store import festivals, screenings, works
from showcase.web import embeds, feeds, festival_actions, network, public, rooms, screening_actions, words
from showcase.web.keys import CHANGES, DB, LANG, PERSON, SETTINGS, now
from showcase.web.pages import public as for_everybody
from showcase.web.pages import render, turns_with


@for_everybody
async def festival_page(request: web.Request) -> web.Response:
    """A festival: its days, its text, its programme."""
    festival = await festival_actions.festival_for(request, "see")
    inside = rules.allows_festival(request[PERSON], "edit", festival)
    found = await request.app[DB].read(screenings.of_festival, festival.id, public=True)
    cities = await network.all_cities(request)
    at = now(request)
    turns_with(request, found)
    phases = {s.id: schedule.phase(s, at) for s in found}
    return render(
        request,
        "public/festival.html",
        festival=festival,
        city=cities.get(festival.city or ""),
        screenings=found,
        phases=phases,
        ended={id for id, phase in phases.items() if phase == "ended"},
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
    screening = await screening_actions.screening_for(request, "see")
    return render(
        request,
        "public/screening.html",
        **await _watching(request, screening),
        inside=rules.allows_screening(request[PERSON], "edit", screening),
        structured=feeds.event_data(screening, request[LANG], request.app[SETTINGS].public_url),
    )


async def embed(request: web.Request) -> web.Response:
    """`/embed/screening/{slug}`: the room, or the player of one of the works (`?slot=`), for frames on other sites.

    Nobody is known there. Raises NotFound for drafts; one with access codes says so and leads to its page (403).
    """
    if (asked := request.query.get("lang")) in SITE_LANGUAGES:
        request[LANG] = asked
    request[PERSON] = None
    screening = await screening_actions.screening_for(request, "see")
    watching = await _watching(request, screening)
    if screening.closed:
        page = render(
            request, "public/embed_screening.html", status=403, **watching | {"room": None}, chosen=None, number=None
        )
        return embeds.framed(page)
    on = screening.state == "published" and watching["phase"] in ("on_air", "replay")
    shown = watching["shown"]
    playable = [n for n, one in enumerate(shown) if on and one["verdict"].open and (one["player"] or one["image_url"])]
    number = words.whole(request.query.get("slot"), 0, len(shown) - 1) if shown else None
    if number not in playable:
        number = playable[0] if playable else None
    page = render(
        request,
        "public/embed_screening.html",
        **watching,
        chosen=shown[number] if number is not None else None,
        number=number,
        playable=playable,
    )
    seconds: float = embeds.KEPT_S
    if (turns := watching["turns"]) is not None:
        seconds = min(seconds, (turns - now(request)).total_seconds())
    return embeds.framed(page, int(seconds))


async def _watching(request: web.Request, screening: Screening) -> dict[str, Any]:
    """What a screening's page and its frame show: the room, or its works with their players."""
    at, cities = now(request), await network.all_cities(request)
    shown, found = [], await request.app[DB].read(works.by_ids, {s.work for s in screening.slots})
    moments = [schedule.changes_at(screening, at), *(rights.changes_at(w.rights, at) for w in found.values())]
    if (turns := min(filter(None, moments), default=None)) is not None:
        request[CHANGES] = turns
    for number, slot in enumerate(screening.slots):
        work = found.get(slot.work)
        if work is None or work.state not in SHOWABLE:
            # Withdrawn, sent back or just removed: nothing of it is told here. The others keep their numbers.
            continue
        main = schedule.playing(work, slot.version)
        shown.append(_shown(request, screening, number, work, main, at))
    lang, room = request[LANG], None
    told = rooms.showings(screening, found, lang) if screening.kind != "on_demand" else []
    if schedule.pinned(screening, at) and screening.state == "published":
        notes = screening.text("notes", lang)
        room = rooms.room(
            request,
            play_url=f"/api/v1/screenings/{screening.slug}/play",
            key=screening.slug,
            title=screening.text("title", lang),
            kind=screening.kind,
            told=told,
            starts=screening.starts,
            ends=screening.ends,
            slug=screening.slug,
            minimum_age=screening.minimum_age,
            code=screening.slug if screening.closed else None,
            notes=[*([notes] if notes else []), *(n for o in told if (n := o["work"].text("content_notes", lang)))],
        )
    return {
        "screening": screening,
        "phase": schedule.phase(screening, at),
        "turns": turns if screening.state == "published" else None,
        "room": room,
        "told": told,
        "shown": shown,
        "cities": cities,
        "city": cities.get(screening.city or ""),
        "preview": embeds.preview(screening, found) if screening.state == "published" else None,
    }


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


def routes(app: web.Application) -> None:
    """Mount the pages of the programme."""
    router, lang = app.router, "/{lang:en|fr}"
    router.add_get(f"{lang}/festivals", festival_list)
    router.add_get(lang + "/festivals/{slug:[a-z0-9-]+}", festival_page)
    router.add_get(lang + "/screenings/{slug:[a-z0-9-]+}", screening_page)
    router.add_get("/embed/screening/{slug:[a-z0-9-]+}", embed)
