"""HLS: grants to playlists to bytes. Everything under `/hls/{grant}/` is checked, down to the segment.

Public grants are only as good as the window is open right now; preview grants are for a work's artists and staff, page
grants for what belongs to its public page (trailer, documentation).
"""

from __future__ import annotations

import functools
import logging
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from showcase.core import grants, playlist, rights, schedule, storyboard
from showcase.core.grants import Grant
from showcase.core.models import SHOWABLE, SOUND_ROLES, Asset, Rendition, Screening, Work
from showcase.core.timeline import Segments, on_demand
from showcase.errors import Conflict, Gone, NotFound, NotHere, NotOpenYet, ShowcaseError, Unauthenticated
from showcase.metrics import REFUSALS
from showcase.web import on_channel, territory
from showcase.web.door import DOOR
from showcase.web.keys import KEY, SETTINGS, SHELF, SHOWINGS, STORAGE, now
from showcase.web.pages import Handler
from showcase.web.sendfile import IMMUTABLE, Descriptors, answer
from showcase.web.shelf import PAGE_ROLES, Shelved

log = logging.getLogger(__name__)

DESCRIPTORS: web.AppKey[Descriptors] = web.AppKey("DESCRIPTORS")
TYPES = {"m4s": "video/iso.segment", "mp4": "video/mp4", "vtt": "text/vtt; charset=utf-8", "jpg": "image/jpeg"}
TYPES |= {
    "webp": "image/webp",
    "avif": "image/avif",
    "u8": "application/octet-stream",
    "bin": "application/octet-stream",
}
# Players on other sites may fetch what a grant opens; the grant is the permission, no cookie is read.
CORS = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
LABELS = {"en": "English", "fr": "Français"}


@functools.lru_cache(4096)
def parsed(key: bytes, token: str) -> Grant | None:
    """The grant that a token carries, None when it is none of ours."""
    return grants.parse(key, token)


def refuse(shelved: Shelved, at: datetime, where: str | None) -> None:
    """Raise what stands against watching a work by its public window at `at` in a territory; nothing when it is open."""
    _raise(shelved.verdict(at, where))


def refuse_rights(request: web.Request, work: Work, use: rights.Use, at: datetime, where: str | None) -> None:
    """Raise what the rights of a work say against showing it for `use` at `at`; nothing when they allow it.

    `where` is the territory of the grant, so that who asks does not matter and a cache may share the answer. What comes
    to this server itself from elsewhere, as with a grant that was handed on, is refused all the same.
    """
    _raise(rights.may_show(work.rights, use, at, where))
    if work.rights.mode != "everywhere" and (here := territory.known(request)) is not None and here != where:
        _raise(rights.may_show(work.rights, use, at, here))


def _raise(verdict: rights.Verdict) -> None:
    if verdict.open:
        return
    REFUSALS.labels(verdict.code).inc()
    case = {"case": "rights"} if verdict.by_rights else {}
    if verdict.code == "not-open-yet":
        raise NotOpenYet(opens=verdict.opens, **case)
    if verdict.code in ("closed", "withdrawn"):
        raise Gone(verdict.code, **case)
    if verdict.code == "not-in-your-territory":
        raise NotHere()
    if verdict.code == "not-ready":
        raise Conflict("not-ready")
    raise NotFound()


async def granted(request: web.Request) -> tuple[Grant, Shelved, Asset]:
    """The grant of a request, the work and the file it opens, checked against the clock and the work as they are now.

    Raises NotFound for a file that the grant does not open.
    """
    grant = parsed(request.app[KEY], request.match_info["grant"])
    if grant is None:
        raise NotFound()
    at = now(request)
    if grant.expires <= at:
        raise Unauthenticated("grant-expired")
    id = request.match_info["asset"]
    if grant.kind == "channel":
        return grant, *await on_channel.shown(request, on_channel.of_festival(grant.subject, grant.territory))
    if grant.kind == "screening":
        screening = await request.app[SHOWINGS].screening(grant.subject)
        refuse_screening(screening, at)
        refuse_strangers(screening, grant)
        if on_channel.pinned(screening, at):
            return grant, *await on_channel.shown(request, on_channel.of_screening(screening.id, grant.territory))
        shown = await shown_in(request, screening, id)
        refuse_rights(request, shown[0].work, schedule.use(screening, at), at, grant.territory)
        return grant, *shown
    shelved = await request.app[SHELF].work(grant.subject)
    if grant.kind == "work":
        refuse(shelved, at, grant.territory)
        refuse_rights(request, shelved.work, "on_demand", at, grant.territory)
    elif grant.kind == "page" and shelved.work.state != "published":
        raise Gone("withdrawn")
    asset = shelved.assets.get(id)
    if asset is None or not may_fetch(grant, shelved, asset):
        raise NotFound()
    return grant, shelved, asset


def refuse_screening(screening: Screening, at: datetime) -> None:
    """Raise what stands against watching a screening at `at`; nothing while it is open."""
    if not screening.public:
        raise NotFound()
    if screening.state == "withdrawn":
        raise Gone("withdrawn")
    found = schedule.phase(screening, at)
    if found == "upcoming" and not on_channel.doors_open(screening, at):
        raise NotOpenYet(opens=screening.starts)
    if found == "ended":
        raise Gone("closed")


def refuse_strangers(screening: Screening, grant: Grant) -> None:
    """Raise Unauthenticated (`code-needed`) for a grant from before a screening was closed to all but guests."""
    if screening.closed and not grant.code:
        raise Unauthenticated("code-needed")


async def shown_in(request: web.Request, screening: Screening, id: str) -> tuple[Shelved, Asset]:
    """The work and the file `id` that a slot of `screening` shows: its version, captions, other sounds.

    Raises NotFound when no slot shows it, Gone when its work was withdrawn.
    """
    for slot in screening.slots:
        try:
            shelved = await request.app[SHELF].work(slot.work)
        except NotFound:
            # Deleted a moment ago; the other slots go on.
            continue
        main = schedule.playing(shelved.work, slot.version)
        if main is None or id not in shelved.beside(main):
            continue
        if shelved.work.state == "withdrawn":
            raise Gone("withdrawn")
        if shelved.work.state in SHOWABLE:
            return shelved, shelved.assets[id]
    raise NotFound()


def on_page(shelved: Shelved, asset: Asset) -> bool:
    """Whether a file belongs to the public page of its work: documentation, a trailer that is shown."""
    return asset.role in PAGE_ROLES and asset in shelved.work.taken(asset.role)


def may_fetch(grant: Grant, shelved: Shelved, asset: Asset) -> bool:
    """Whether a grant for a work opens this file of it."""
    if grant.kind == "work":
        return asset.id in shelved.shown
    if grant.kind == "page":
        return asset.id == grant.asset and on_page(shelved, asset)
    return not grant.asset or asset.id == grant.asset or asset.id in shelved.shown


def text(body: str, media_type: str, max_age: int, grant: Grant) -> web.Response:
    """A small text with how long it may be kept."""
    who = "private" if grant.kind == "preview" else "public"
    return web.Response(
        body=body.encode(),
        headers=CORS | {"Content-Type": media_type, "Cache-Control": f"{who}, max-age={max_age}"},
    )


async def master(request: web.Request) -> web.Response:
    """The multivariant playlist of a work, or of one version of it."""
    grant, shelved, asset = await granted(request)
    return text(write_master(shelved, asset, with_tracks=grant.kind != "page"), playlist.MEDIA_TYPE, 2, grant)


def write_master(shelved: Shelved, asset: Asset, *, with_tracks: bool) -> str:
    """The master playlist of `asset`, with the captions and descriptions that are shown with it."""
    videos = [r for r in asset.renditions if r.kind == "video"]
    sounds = [r for r in asset.renditions if r.kind == "audio"]
    if not sounds:
        raise Conflict("not-ready")
    beside = [shelved.assets[i] for i in sorted(shelved.shown)] if with_tracks else []
    # Of each the newest: one that was made anew stands beside the old one, which somebody may be playing still.
    others = [
        (a, r) for a in beside if a.role in SOUND_ROLES for r in [r for r in a.renditions if r.kind == "audio"][-1:]
    ]
    captions = [(a, r) for a in beside if a.role == "captions" for r in a.renditions if r.kind == "captions"]
    # The newest: one whose loudness was changed stands beside the old one, which somebody may be playing still.
    best = sounds[-1]
    audio = [_sound(best, f"{best.name}/index.m3u8", _name(asset, best.lang), default=True)]
    audio += [
        _sound(
            r,
            f"../{a.id}/{r.name}/index.m3u8",
            a.label or _name(a, a.lang),
            lang=a.lang,
            described=a.role == "audio-description",
        )
        for a, r in sorted(others, key=lambda o: (o[0].role, o[0].lang))
    ]
    variants = [
        playlist.Variant(f"{r.name}/index.m3u8", r.bandwidth, r.average, r.codecs, r.width, r.height, r.fps)
        for r in videos
    ]
    if not videos:
        # The sound of an audio work is its own variant: there is no picture to go beside.
        variants = [
            playlist.Variant(f"{best.name}/index.m3u8", best.bandwidth, best.average, best.codecs),
        ]
        audio = []
    tracks = [
        playlist.Alternative(f"../{a.id}/{r.name}/index.m3u8", a.label or _name(a, a.lang), a.lang)
        for a, r in sorted(captions, key=lambda c: c[0].lang)
    ]
    return playlist.master(variants, audio, tracks)


def _sound(
    r: Rendition, uri: str, name: str, *, lang: str | None = None, default: bool = False, described: bool = False
) -> playlist.Alternative:
    return playlist.Alternative(
        uri,
        name,
        lang or r.lang,
        default=default,
        described=described,
        bandwidth=r.bandwidth,
        average=r.average,
        codecs=r.codecs,
    )


def _name(asset: Asset, lang: str) -> str:
    if lang in ("und", ""):
        return "Original"
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(lang, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        name = None
    return LABELS.get(lang) or (name[:1].upper() + name[1:] if name else lang)


async def media(request: web.Request) -> web.Response:
    """The playlist of one rendition."""
    grant, _, asset = await granted(request)
    rendition = _rendition(asset, request.match_info["rendition"])
    if rendition.kind == "captions":
        body = playlist.captions("captions.vtt", rendition.length_us)
    else:
        body = playlist.media(on_demand(Segments.of("", rendition.durations_us)))
    return text(body, playlist.MEDIA_TYPE, 60, grant)


def _rendition(asset: Asset, name: str) -> Rendition:
    found = next((r for r in asset.renditions if r.name == name), None)
    if found is None:
        raise NotFound()
    return found


async def segment(request: web.Request) -> web.StreamResponse:
    """An init or media segment, or the captions of a track."""
    grant, shelved, asset = await granted(request)
    info = request.match_info
    rendition = shelved.renditions.get((asset.id, info["rendition"]))
    if rendition is None:
        raise NotFound()
    heard = 0.0
    if rendition.kind == "audio" and info["file"].startswith("s"):
        number = int(info["file"][1:].partition(".")[0])
        heard = rendition.durations_us[number] / 1e6 if number < len(rendition.durations_us) else 0.0
    return await send(request, f"{rendition.folder}/{info['file']}", grant, heard)


async def send(request: web.Request, key: str, grant: Grant, heard_s: float = 0.0) -> web.StreamResponse:
    """A stored file, which never changes. What is not public is kept by nobody but the browser that asked.

    `heard_s` are the seconds of sound in it, by which viewers are counted.
    """
    ending = key.rpartition(".")[2]
    caching = "private, max-age=3600" if grant.kind == "preview" else IMMUTABLE
    headers = CORS | {"Content-Type": TYPES.get(ending, "application/octet-stream"), "Cache-Control": caching}
    path = request.app[STORAGE].local(key)
    if path is not None:
        found = request.app[DESCRIPTORS].get(path)
        if grant.kind != "preview":
            request.app[DOOR].sent(found[1], heard_s)
        return answer(request, found, headers)
    return web.Response(body=await request.app[STORAGE].get(key), headers=headers)


async def extra(request: web.Request) -> web.StreamResponse:
    """What belongs to a file beside its renditions: storyboard, peaks, pictures of an image work."""
    grant, _, asset = await granted(request)
    name = request.match_info["file"]
    board = asset.details.get("storyboard")
    if name == "storyboard.vtt" and board:
        return text(storyboard.webvtt(board, asset.duration_us or 0), "text/vtt; charset=utf-8", 3600, grant)
    allowed = {*(board or {}).get("sheets", ()), asset.details.get("peaks")}
    allowed |= {i["name"] for i in asset.details.get("images", ())}
    if name not in allowed or "folder" not in asset.details:
        raise NotFound()
    return await send(request, f"{asset.details['folder']}/{name}", grant)


def permission(
    request: web.Request,
    shelved: Shelved,
    asset: Asset,
    kind: str,
    subject: int,
    opens: datetime | None,
    closes: datetime | None,
    *,
    narrowed: str = "",
    code: int = 0,
    phase: schedule.Phase | None = None,
) -> dict[str, Any]:
    """What a call that lets somebody watch answers: addresses, how long they last, and where to renew them.

    `code` is the number of the access code that let them in.
    """
    lasts = timedelta(minutes=request.app[SETTINGS].grant_minutes)
    where = territory.of(request) if kind in ("work", "screening") else None
    token, expires = grants.issue(request.app[KEY], kind, subject, now(request), lasts, narrowed, where, code)
    base, details = f"/hls/{token}/{asset.id}", asset.details
    return {
        "hls": f"{base}/master.m3u8",
        "whep": None,
        "phase": phase or ("on_air" if kind in ("work", "screening") else "replay"),
        "starts": opens.isoformat() if opens is not None else None,
        "ends": closes.isoformat() if closes is not None else None,
        "expires": expires.isoformat(),
        "renew": "/api/v1/grants",
        "storyboard": f"{base}/storyboard.vtt" if details.get("storyboard") else None,
        "peaks": f"{base}/{details['peaks']}" if details.get("peaks") else None,
        "images": [
            {"url": f"{base}/{i['name']}", "type": i["type"], "width": i["width"], "height": i["height"]}
            for i in details.get("images", ())
        ],
        "work": shelved.work.slug,
    }


async def quick(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Media without the middleware of pages: no session, no log line, errors as plain words."""
    try:
        return await handler(request)
    except ShowcaseError as error:
        return web.Response(
            status=error.status,
            text=error.code,
            headers=CORS | {"Cache-Control": "no-store", "X-Error": error.code},
        )
    except web.HTTPException as error:
        return web.Response(
            status=error.status, headers=CORS | {k: v for k, v in error.headers.items() if k != "Content-Type"}
        )


async def preflight(_: web.Request) -> web.Response:
    """Players on other sites ask first when they send a Range (Fetch standard)."""
    return web.Response(
        status=204,
        headers=CORS
        | {
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": "Range",
            "Access-Control-Max-Age": "86400",
        },
    )


def routes(app: web.Application) -> None:
    """Mount `/hls/`."""
    router = app.router
    router.add_get("/hls/{grant}/{asset}/{rendition}/{file:init\\.mp4|s\\d{5,6}\\.m4s|captions\\.vtt}", segment)
    router.add_get("/hls/{grant}/{asset}/{rendition}/index.m3u8", media)
    router.add_get("/hls/{grant}/{asset}/master.m3u8", master)
    router.add_get("/hls/{grant}/{asset}/{file:[a-z0-9-]+\\.[a-z0-9]+}", extra)
    router.add_route("OPTIONS", "/hls/{tail:.*}", preflight)
