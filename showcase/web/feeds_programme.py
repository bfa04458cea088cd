"""The programme for other programs: calendars, conference apps, television guides. They know nobody: drafts are not there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from aiohttp import hdrs, web

from showcase import __version__
from showcase.core import feeds_atom, feeds_schedule, feeds_xmltv, schedule
from showcase.core.models import SITE_LANGUAGES, Billed, Festival, Screening
from showcase.errors import NotFound
from showcase.store import festivals, screenings, works
from showcase.web import feeds, festival_actions, network, words
from showcase.web.keys import DB, LANG, SETTINGS, now
from showcase.web.static import matches

PAST, FUTURE = timedelta(days=31), timedelta(days=366)
# What a feed reader gets: changed so lately, or coming so soon; and no more than that many.
LATELY, SOON, ENTRIES = timedelta(days=31), timedelta(days=62), 200
PRODUCT = ("Showcase", __version__)
NETWORK_SLUG = "showcase"


async def programme_ics(request: web.Request) -> web.Response:
    """`/programme.ics`: the network's programme (RFC 5545), a month back and a year ahead."""
    at = now(request)
    found = await request.app[DB].read(screenings.between, at - PAST, at + FUTURE, withdrawn=True)
    return await _calendar(request, request.app[SETTINGS].site_name, found)


async def festival_ics(request: web.Request) -> web.Response:
    """`/festivals/{slug}.ics`: one festival's programme."""
    festival = await _public_festival(request)
    found = await request.app[DB].read(screenings.of_festival, festival.id, public=True, withdrawn=True)
    return await _calendar(request, festival.text("title", _language(request)), found)


async def _calendar(request: web.Request, name: str, found: Sequence[Screening]) -> web.Response:
    lang, site = _language(request), request.app[SETTINGS].public_url
    return await _feed(request, "text/calendar", lambda: feeds.calendar(name, found, lang, site, now(request)))


async def programme_xml(request: web.Request) -> web.Response:
    """`/schedule.xml`: the network's programme for conference apps, in UTC, a month back and a year ahead."""
    at, settings = now(request), request.app[SETTINGS]
    lang = _language(request)
    found, billed = await request.app[DB].read(_between, at - PAST, at + FUTURE)
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    about = feeds_schedule.Occasion(
        slug=NETWORK_SLUG,
        title=settings.site_name,
        zone=words.zone("UTC"),
        site=settings.public_url,
        path=f"/{lang}/programme",
        lang=lang,
        # A file without a day is none.
        days=() if any(s.state == "published" for s in found) else (today.date(),),
        product=PRODUCT,
        changed=max((s.updated_at for s in found), default=today),
    )
    return await _schedule(request, "application/xml", feeds_schedule.xml, about, found, billed)


async def festival_xml(request: web.Request) -> web.Response:
    """`/festivals/{slug}/schedule.xml`: one festival's programme for conference apps, on its own clock."""
    return await _festival_schedule(request, "application/xml", feeds_schedule.xml)


async def festival_json(request: web.Request) -> web.Response:
    """`/festivals/{slug}/schedule.json`: the same as JSON."""
    return await _festival_schedule(request, "application/json", feeds_schedule.as_json)


async def _festival_schedule(request: web.Request, content_type: str, write: Callable[..., bytes]) -> web.Response:
    festival, lang = await _public_festival(request), _language(request)
    found, billed = await request.app[DB].read(_of_festival, festival.id)
    about = feeds_schedule.Occasion(
        slug=festival.slug,
        title=festival.text("title", lang) or festival.slug,
        zone=words.zone(festival.zone),
        site=request.app[SETTINGS].public_url,
        path=f"/{lang}/festivals/{festival.slug}",
        lang=lang,
        days=tuple(schedule.days(festival)),
        product=PRODUCT,
        changed=max((festival.updated_at, *(s.updated_at for s in found))),
        festival=festival.slug,
    )
    return await _schedule(request, content_type, write, about, found, billed)


async def _schedule(
    request: web.Request,
    content_type: str,
    write: Callable[..., bytes],
    about: feeds_schedule.Occasion,
    found: Iterable[Screening],
    billed: dict[int, Billed],
) -> web.Response:
    places = {slug: city.name(about.lang) for slug, city in (await network.all_cities(request)).items()}
    # The format has no word for what was withdrawn: it is not there, and the version is another.
    shown = [s for s in found if s.state == "published"]
    return await _feed(request, content_type, lambda: write(about, shown, billed, places))


def _between(tx: sa.Connection, start: datetime, end: datetime) -> tuple[list[Screening], dict[int, Billed]]:
    return _with_works(tx, screenings.between(tx, start, end, withdrawn=True))


def _of_festival(tx: sa.Connection, festival: int) -> tuple[list[Screening], dict[int, Billed]]:
    return _with_works(tx, screenings.of_festival(tx, festival, public=True, withdrawn=True))


def _with_works(tx: sa.Connection, found: list[Screening]) -> tuple[list[Screening], dict[int, Billed]]:
    return found, works.billed(tx, _works(found))


def _works(found: Iterable[Screening]) -> set[int]:
    return {slot.work for screening in found for slot in screening.slots}


async def xmltv(request: web.Request) -> web.Response:
    """`/xmltv.xml`: a channel a festival and one of the network, with what has a time of its own."""
    at, settings = now(request), request.app[SETTINGS]

    def read(
        tx: sa.Connection,
    ) -> tuple[list[Festival], list[Screening], dict[int, Billed], dict[int, datetime]]:
        found = screenings.between(tx, at - PAST, at + FUTURE, kinds=feeds_xmltv.LINEAR_KINDS)
        shown = _works(found)
        public = festivals.listed(tx, states=screenings.PUBLIC_FESTIVALS)
        return public, found, works.billed(tx, shown), screenings.first_shown(tx, shown)

    public, found, billed, first_shown = await request.app[DB].read(read)
    channels = [feeds_xmltv.Channel(None, dict.fromkeys(SITE_LANGUAGES, settings.site_name), tuple(found))]
    for festival in public:
        own = tuple(s for s in found if festival.slug in (s.festival_slug, *s.hosts))
        channels.append(feeds_xmltv.Channel(festival.slug, festival.texts.get("title", {}), own))

    def write() -> bytes:
        return feeds_xmltv.guide(channels, billed, first_shown, _kind, settings.public_url, PRODUCT)

    # It is in both languages for everybody.
    return await _feed(request, "application/xml", write, vary=None)


async def atom(request: web.Request) -> web.Response:
    """`/{lang}/programme.atom`: what is new in the programme, and what comes (RFC 4287)."""
    at, settings, lang = now(request), request.app[SETTINGS], request[LANG]
    found = await request.app[DB].read(screenings.fresh, at - LATELY, at, at + SOON, ENTRIES)
    about = feeds_atom.About(
        title=f"{settings.site_name}: {words.catalogue(lang).gettext('Programme')}",
        site=settings.public_url,
        lang=lang,
        page="programme",
        path="programme.atom",
        product=PRODUCT,
        # Without an entry it says the same all day long.
        changed=at.replace(hour=0, minute=0, second=0, microsecond=0),
    )
    # The language stands in its address.
    return await _feed(request, "application/atom+xml", lambda: feeds_atom.feed(about, found, _kind), vary=None)


def _kind(kind: str, lang: str) -> str:
    return words.called("kind", kind, lang)


async def _public_festival(request: web.Request) -> Festival:
    """The festival that the address names. Raises NotFound for drafts, whoever asks: caches on the way know nobody."""
    festival = await festival_actions.festival_for(request, "see")
    if festival.state == "draft":
        raise NotFound()
    return festival


def _language(request: web.Request) -> str:
    """`?lang=`, else what the caller likes best (RFC 9110 12.5.4). Not the language of whoever is signed in: the answer is
    kept for everybody."""
    asked = request.query.get("lang", "")
    return asked if asked in SITE_LANGUAGES else words.negotiate(request) or SITE_LANGUAGES[0]


async def _feed(
    request: web.Request,
    content_type: str,
    write: Callable[[], bytes],
    *,
    vary: str | None = "Accept-Language",
    seconds: int = 300,
) -> web.Response:
    """Answer with what `write` makes, in a thread (zones are read from files, and the text may be long); 304 when the
    caller has it."""

    def made() -> tuple[bytes, str]:
        body = write()
        return body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'

    body, etag = await asyncio.to_thread(made)
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={seconds}"} | ({"Vary": vary} if vary else {})
    if matches(request.headers.get(hdrs.IF_NONE_MATCH, ""), etag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers={"Content-Type": f"{content_type}; charset=utf-8"} | headers)


def routes(app: web.Application) -> None:
    """Mount the feeds."""
    router, festival = app.router, "/festivals/{slug:[a-z0-9-]+}"
    router.add_get("/programme.ics", programme_ics)
    router.add_get(f"{festival}.ics", festival_ics)
    router.add_get("/schedule.xml", programme_xml)
    router.add_get(f"{festival}/schedule.xml", festival_xml)
    router.add_get(f"{festival}/schedule.json", festival_json)
    router.add_get("/xmltv.xml", xmltv)
    router.add_get("/{lang:en|fr}/programme.atom", atom)
