"""Where people watch together: the room of a premiere, and the page of a festival's channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from showcase.core import schedule
from showcase.core.models import SHOWABLE, Festival, Screening, Work
from showcase.core.rights import NOWHERE
from showcase.errors import NotFound
from showcase.store import channels, festivals, screenings, works
from showcase.web import network, pictures, territory
from showcase.web.keys import DB, LANG, now
from showcase.web.pages import public, render, turns_with

COMING = 12


def showings(screening: Screening, works: Mapping[int, Work], lang: str) -> list[dict[str, Any]]:
    """What a premiere shows and when: title, start and end of each work that may be told of, and whether its rights are
    `open` for it (else there is slate).

    A work whose length is not known yet has none: the others follow without it, as on the channel.
    """
    told: list[dict[str, Any]] = []
    at = screening.starts
    for slot in screening.slots:
        work = works.get(slot.work)
        asset = schedule.playing(work, slot.version) if work is not None else None
        length = timedelta(microseconds=(asset.duration_us or 0) if asset is not None else 0)
        if work is not None and work.state in SHOWABLE:
            cleared = channels.cleared(work, screening, None)
            told.append(
                {"title": work.text("title", lang), "starts": at, "ends": at + length, "work": work, "open": cleared}
            )
        at += length + timedelta(seconds=slot.pause_s)
    return told


def room(
    request: web.Request,
    *,
    play_url: str,
    key: str,
    title: str,
    kind: str,
    told: Sequence[Mapping[str, Any]] = (),
    starts: datetime | None = None,
    ends: datetime | None = None,
    slug: str = "",
    minimum_age: int | None = None,
    notes: Sequence[str] = (),
    code: str | None = None,
) -> dict[str, Any]:
    """What `templates/parts/room.html` takes. Without times it is a channel, which is always on.

    `code`: the closed screening whose access code is needed.
    """
    stills = (pictures.poster(one["work"]) for one in told if one["work"].state == "published")
    picture = next((still for still in stills if still is not None), None)
    return {
        "starts": starts,
        "ends": ends,
        "slug": slug,
        "kind": kind,
        "notes": list(notes),
        "min_age": minimum_age,
        "showings": [
            {"title": one["title"], "starts": _ms(one["starts"]), "ends": _ms(one["ends"])}
            for one in told
            if one["open"]
        ],
        "player": {
            "play_url": play_url,
            "key": key,
            "title": title,
            "title_lang": "",
            "lang": "",
            "medium": "video",
            "driven": True,
            "poster": picture.src if picture else None,
            "poster_srcset": picture.srcset if picture else None,
            "poster_alt": "",
            "placeholder": picture.placeholder if picture else None,
            "width": 16,
            "height": 9,
            "hue": None,
            "duration": None,
            "min_age": None,
            "notes": [],
            "code": code,
        },
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@public
async def channel_page(request: web.Request) -> web.Response:
    """`/{lang}/channels/{festival}`: a festival's 24-hour channel (`network`: the whole network's), now and next."""
    db, at, lang, slug = request.app[DB], now(request), request[LANG], request.match_info["slug"]
    festival: Festival | None = None
    if slug != "network":
        festival = await db.read(festivals.festival, slug)
        if festival.state == "draft":
            raise NotFound()
    found = await db.read(screenings.on_channel, at, festival.id if festival is not None else None)
    coming = found[:COMING]
    turns_with(request, coming)
    cities = await network.all_cities(request)
    return render(
        request,
        "public/channel.html",
        festival=festival,
        city=cities.get(festival.city or "") if festival is not None else None,
        slug=slug,
        coming=coming,
        phases={s.id: schedule.phase(s, at) for s in coming},
        cities=cities,
        # The page is the same everywhere: of countries it says what holds where they cannot be told.
        looped=await db.read(
            _looped,
            festival.id if festival is not None else None,
            at,
            NOWHERE if territory.countries(request) == "closed" else None,
        ),
        room=room(
            request,
            play_url=f"/api/v1/channels/{slug}/play",
            key=f"channel-{slug}",
            title=festival.text("title", lang) if festival is not None else "",
            kind="channel",
        ),
    )


def _looped(tx: sa.Connection, festival: int | None, at: datetime, territory: str | None) -> list[Work]:
    """The works that a channel shows between its screenings, as far as they can be shown now."""
    numbers = festivals.looped(tx, festival) if festival is not None else festivals.looped_by_all(tx, at)
    found = works.by_ids(tx, set(numbers), renditions=True)
    return [found[n] for n in numbers if n in found and channels.in_a_loop(found[n], (at,), territory)]


def routes(app: web.Application) -> None:
    """Mount the channels' pages."""
    app.router.add_get("/{lang:en|fr}/channels/{slug:[a-z0-9-]+}", channel_page)
