"""Channels as HLS: `/hls/{grant}/channel/…`. One master playlist for all that comes, media playlists from memory."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from showcase.core import grants, playlist, sources, webvtt
from showcase.core.grants import Grant
from showcase.core.models import Screening
from showcase.core.schedule import Phase
from showcase.errors import Gone, NotFound, Unauthenticated
from showcase.store import channels as channel_rows
from showcase.store import festivals
from showcase.web import network, on_channel, streams, territory
from showcase.web.channels import CHANNELS, master
from showcase.web.keys import DB, KEY, LANG, SETTINGS, SHOWINGS, STORAGE, now

_MASTER = master()
M3U_LASTS = timedelta(days=31)
_FILE = "init\\.mp4|s\\d{5,6}\\.m4s"


async def _granted(request: web.Request) -> tuple[Grant, str]:
    """The grant of a request and the key of the channel that it opens now."""
    grant = streams.parsed(request.app[KEY], request.match_info["grant"])
    if grant is None:
        raise NotFound()
    at = now(request)
    if grant.expires <= at:
        raise Unauthenticated("grant-expired")
    if grant.kind == "channel":
        return grant, on_channel.of_festival(grant.subject, grant.territory)
    if grant.kind != "screening":
        raise NotFound()
    screening = await request.app[SHOWINGS].screening(grant.subject)
    streams.refuse_screening(screening, at)
    streams.refuse_strangers(screening, grant)
    if not on_channel.pinned(screening, at):
        raise Gone("closed")
    return grant, on_channel.of_screening(screening.id, grant.territory)


async def master_playlist(request: web.Request) -> web.Response:
    """The fixed multivariant playlist."""
    grant, _ = await _granted(request)
    return streams.text(_MASTER, playlist.MEDIA_TYPE, 60, grant)


async def media_playlist(request: web.Request) -> web.Response:
    """The playlist of one rendition as it is now; it may be kept until it changes."""
    _, key = await _granted(request)
    body, seconds = await request.app[CHANNELS].told(key, request.match_info["name"])
    return web.Response(
        body=body,
        headers=streams.CORS | {"Content-Type": playlist.MEDIA_TYPE, "Cache-Control": f"public, max-age={seconds}"},
    )


async def slate_segment(request: web.Request) -> web.StreamResponse:
    """A segment of what fills the gaps. It is nobody's work, so any running grant of a channel opens it."""
    grant, _ = await _granted(request)
    info = request.match_info
    folder = await _slate_folder(request, info["design"])
    # Silence is listened to as well: the body's segments are of two seconds.
    heard = 2.0 if info["rendition"] not in sources.RUNGS and info["file"].startswith("s") else 0.0
    return await streams.send(request, f"{folder}/{info['part']}/{info['rendition']}/{info['file']}", grant, heard)


async def _slate_folder(request: web.Request, design: str) -> str:
    known = request.app[SLATES]
    if design not in known:
        folder = await request.app[DB].read(channel_rows.slate_folder, design)
        if folder is None:
            raise NotFound()
        known[design] = folder
    return known[design]


async def no_captions(request: web.Request) -> web.Response:
    """Captions of a slate: none, said as WebVTT says it."""
    grant, _ = await _granted(request)
    return streams.text(webvtt.HEAD, streams.TYPES["vtt"], 3600, grant)


async def caption_segment(request: web.Request) -> web.Response:
    """What is said during one segment of a work."""
    grant, shelved, main = await streams.granted(request)
    info = request.match_info
    if info["rendition"] == sources.NO_CAPTIONS:
        return streams.text(webvtt.HEAD, streams.TYPES["vtt"], 3600, grant)
    captions, ends = shelved.assets.get(info["rendition"].removeprefix("c-")), shelved.ends_us.get(main.id, ())
    made = next((r for r in captions.renditions if r.kind == "captions"), None) if captions is not None else None
    number = int(info["file"][1:].partition(".")[0])
    if captions is None or made is None or captions.id not in shelved.shown or number >= len(ends):
        raise NotFound()
    blocks = await _blocks(request, f"{made.folder}/captions.vtt")
    body = webvtt.segment(blocks, ends[number - 1] if number else 0, ends[number])
    return streams.text(body, streams.TYPES["vtt"], 3600, grant)


async def _blocks(request: web.Request, key: str) -> tuple[webvtt.Block, ...]:
    """The cues of a stored file, which never changes."""
    known = request.app[CUES]
    if key not in known:
        data = await request.app[STORAGE].get(key)
        if len(known) >= CUES_KEPT:
            known.clear()
        known[key] = await asyncio.to_thread(lambda: webvtt.blocks(data.decode()))
    return known[key]


def permission(
    request: web.Request, screening: Screening, phase: Phase, *, code: int = 0, where: str | None = None
) -> dict[str, Any]:
    """What somebody gets who may watch a premiere: see `streams.permission`.

    `where` is the territory of the permission that is renewed: a player that is on stays with the numbers it has, and what
    is closed where the viewer is by now is refused segment by segment.
    """
    return _permission(request, "screening", screening.id, phase, screening.starts, screening.ends, code, where)


async def channel_permission(request: web.Request, slug: str, where: str | None = None) -> dict[str, Any]:
    """What somebody gets who asks for a festival's channel (`network`: the whole network's). Raises NotFound.

    `where` is as in `permission`.
    """
    number = 0
    if slug != "network":
        festival = await request.app[DB].read(festivals.festival, slug)
        if festival.state == "draft":
            raise NotFound()
        number = festival.id
    return _permission(request, "channel", number, "on_air", None, None, 0, where)


async def slug_of(request: web.Request, number: int) -> str:
    """What the channel of a festival is called in addresses. Raises NotFound."""
    return (await request.app[DB].read(festivals.by_id, number)).slug if number else "network"


def _permission(
    request: web.Request,
    kind: str,
    subject: int,
    phase: Phase,
    starts: datetime | None,
    ends: datetime | None,
    code: int,
    where: str | None,
) -> dict[str, Any]:
    lasts = timedelta(minutes=request.app[SETTINGS].grant_minutes)
    where = where or territory.of(request)
    token, expires = grants.issue(request.app[KEY], kind, subject, now(request), lasts, territory=where, code=code)
    return {
        "hls": f"/hls/{token}/channel/master.m3u8",
        "whep": None,
        "phase": phase,
        "starts": starts.isoformat() if starts is not None else None,
        "ends": ends.isoformat() if ends is not None else None,
        "expires": expires.isoformat(),
        "renew": "/api/v1/grants",
        "live": True,
    }


async def playlist_of_channels(request: web.Request) -> web.Response:
    """`/channels.m3u`: every channel for television players, the network's first, with permissions that last."""
    at, site, lang = now(request), request.app[SETTINGS].public_url, request[LANG]
    found = await request.app[DB].read(festivals.listed, states=("published",))
    cities, where = await network.all_cities(request), territory.of(request)

    def entry(number: int, id: str, name: str, group: str) -> list[str]:
        token, _ = grants.issue(request.app[KEY], "channel", number, at, M3U_LASTS, territory=where)
        plain = name.replace('"', "'").replace("\n", " ")
        return [
            f'#EXTINF:-1 tvg-id="{id}.showcase" tvg-name="{plain}" group-title="{group}",{plain}',
            f"{site}/hls/{token}/channel/master.m3u8",
        ]

    lines = [f'#EXTM3U x-tvg-url="{site}/xmltv.xml"']
    lines += entry(0, "network", request.app[SETTINGS].site_name, request.app[SETTINGS].site_name)
    for festival in found:
        city = cities.get(festival.city or "")
        group = city.name(lang) if city is not None else request.app[SETTINGS].site_name
        lines += entry(festival.id, festival.slug, festival.text("title", lang), group)
    return web.Response(
        body=("\n".join(lines) + "\n").encode(),
        headers={
            "Content-Type": "audio/x-mpegurl; charset=utf-8",
            # The permissions are for one territory.
            "Cache-Control": "private, max-age=300" if territory.told(request) else "public, max-age=300",
            "Vary": "Accept-Language",
            "Access-Control-Allow-Origin": "*",
        },
    )


SLATES: web.AppKey[dict[str, str]] = web.AppKey("SLATES")
CUES: web.AppKey[dict[str, tuple[webvtt.Block, ...]]] = web.AppKey("CUES")
CUES_KEPT = 64


def routes(app: web.Application) -> None:
    """Mount the channels' part of `/hls/`; before the works' part, whose addresses are wider."""
    app[SLATES] = {}
    app[CUES] = {}
    router = app.router
    router.add_get("/channels.m3u", playlist_of_channels)
    names = "|".join(sources.NAMES)
    router.add_get(f"/hls/{{grant}}/channel/{{name:{names}}}/index.m3u8", media_playlist)
    router.add_get("/hls/{grant}/channel/master.m3u8", master_playlist)
    slate = "/hls/{grant}/slate/{design:[0-9a-f]+}/{part:[a-z0-9-]+}"
    router.add_get(f"{slate}/{sources.NO_CAPTIONS}/{{file:s\\d+\\.vtt}}", no_captions)
    router.add_get(f"{slate}/{{rendition:[a-z0-9-]+}}/{{file:{_FILE}}}", slate_segment)
    router.add_get("/hls/{grant}/{asset}/{rendition:c-[0-9a-z]+}/{file:s\\d{5,6}\\.vtt}", caption_segment)
