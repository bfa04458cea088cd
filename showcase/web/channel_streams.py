"""Channels as HLS: `/hls/{grant}/channel/…`. One master playlist for all that comes, media playlists from memory."""

from __future__ import annotations

import asyncio
import functools
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from showcase.core import grants, playlist, sources, webvtt
from showcase.core.grants import Grant
from showcase.core.models import Screening
from showcase.core.schedule import Phase
from showcase.core.timeline import Segments
from showcase.errors import Gone, NotFound, Unauthenticated
from showcase.media.storage import Storage
from showcase.store import channels as channel_rows
from showcase.store import festivals
from showcase.web import network, on_channel, streams
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
        return grant, on_channel.of_festival(grant.subject)
    if grant.kind != "screening":
        raise NotFound()
    screening = await request.app[SHOWINGS].screening(grant.subject)
    streams.refuse_screening(screening, at)
    if not on_channel.pinned(screening, at):
        raise Gone("closed")
    return grant, on_channel.of_screening(screening.id)


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
    body = webvtt.HEAD
    source = sources.of_work(shelved.work, main)
    if info["rendition"] != sources.NO_CAPTIONS and source is not None:
        captions = shelved.assets.get(info["rendition"].removeprefix("c-"))
        made = next((r for r in captions.renditions if r.kind == "captions"), None) if captions is not None else None
        if captions is None or made is None or captions.id not in shelved.shown:
            raise NotFound()
        picture: Segments = source.tracks[0]
        number = int(info["file"][1:].partition(".")[0])
        if number >= len(picture.ends_us):
            raise NotFound()
        starts = picture.ends_us[number - 1] if number else 0
        blocks = await _blocks(request.app[STORAGE], f"{made.folder}/captions.vtt")
        body = webvtt.segment(blocks, starts, picture.ends_us[number])
    return streams.text(body, streams.TYPES["vtt"], 3600, grant)


async def _blocks(storage: Storage, key: str) -> tuple[webvtt.Block, ...]:
    text = (await storage.get(key)).decode()
    return await asyncio.to_thread(_cut, text) if len(text) > 100_000 else _cut(text)


_cut = functools.lru_cache(64)(webvtt.blocks)


def permission(request: web.Request, screening: Screening, phase: Phase, *, code: int = 0) -> dict[str, Any]:
    """What somebody gets who may watch a premiere: see `streams.permission`."""
    return _permission(request, "screening", screening.id, phase, screening.starts, screening.ends, code)


async def channel_permission(request: web.Request, slug: str) -> dict[str, Any]:
    """What somebody gets who asks for a festival's channel (`network`: the whole network's). Raises NotFound."""
    number = 0
    if slug != "network":
        festival = await request.app[DB].read(festivals.festival, slug)
        if festival.state == "draft":
            raise NotFound()
        number = festival.id
    return _permission(request, "channel", number, "on_air", None, None)


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
    code: int = 0,
) -> dict[str, Any]:
    lasts = timedelta(minutes=request.app[SETTINGS].grant_minutes)
    token, expires = grants.issue(request.app[KEY], kind, subject, now(request), lasts, code=code)
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
    cities = await network.all_cities(request)

    def entry(number: int, id: str, name: str, group: str) -> list[str]:
        token, _ = grants.issue(request.app[KEY], "channel", number, at, M3U_LASTS)
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
            "Cache-Control": "public, max-age=300",
            "Vary": "Accept-Language",
            "Access-Control-Allow-Origin": "*",
        },
    )


SLATES: web.AppKey[dict[str, str]] = web.AppKey("SLATES")


def routes(app: web.Application) -> None:
    """Mount the channels' part of `/hls/`; before the works' part, whose addresses are wider."""
    app[SLATES] = {}
    router = app.router
    router.add_get("/channels.m3u", playlist_of_channels)
    names = "|".join(sources.NAMES)
    router.add_get(f"/hls/{{grant}}/channel/{{name:{names}}}/index.m3u8", media_playlist)
    router.add_get("/hls/{grant}/channel/master.m3u8", master_playlist)
    slate = "/hls/{grant}/slate/{design:[0-9a-f]+}/{part:[a-z0-9-]+}"
    router.add_get(f"{slate}/{sources.NO_CAPTIONS}/{{file:s\\d+\\.vtt}}", no_captions)
    router.add_get(f"{slate}/{{rendition:[a-z0-9-]+}}/{{file:{_FILE}}}", slate_segment)
    router.add_get("/hls/{grant}/{asset}/{rendition:c-[0-9a-z]+}/{file:s\\d{5,6}\\.vtt}", caption_segment)
