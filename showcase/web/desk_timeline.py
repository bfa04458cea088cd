"""A festival's timeline as its page shows it: the window that an address asks for, its blocks, the shelf, the clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, get_args
from urllib.parse import urlencode

from aiohttp import web

from showcase.core import board, rules, schedule, sun
from showcase.core.models import SHOWABLE, City, Festival, Person, Screening, Work
from showcase.errors import NotFound
from showcase.store import works
from showcase.web import festival_channel, network, words
from showcase.web.keys import DB, LANG, now, signed_in

ZOOMS: tuple[board.Zoom, ...] = get_args(board.Zoom)
SHELF = 500
# So far before and after what is shown the page knows the clock's changes.
AROUND = timedelta(days=40)
_DAY = timedelta(days=1)
Against = Mapping[int, Sequence[schedule.Conflict]]


@dataclass(frozen=True, slots=True)
class Look:
    """What a block shows beside its times: the hues of its works' cities, and how much stands against it."""

    hue: float | None
    hue_2: float | None
    errors: int
    warnings: int
    editable: bool


async def shelf_of(request: web.Request) -> list[Work]:
    """What the caller may put in: works of their own cities; for administrators all that were accepted."""
    person = signed_in(request)
    own = None if person.administrator else person.staff_of
    which = works.Filter(states=SHOWABLE) if own is None else works.Filter(cities=own)
    return await request.app[DB].read(works.listed, which, SHELF)


async def loopable(request: web.Request, festival: Festival) -> list[Work]:
    """What the caller may put into the festival's loop, and what is in it."""
    shelf = {
        w.slug: w for w in await shelf_of(request) if w.state in SHOWABLE and w.medium in festival_channel.ON_A_CHANNEL
    }
    for slug in festival.loop:
        if slug not in shelf:
            shelf[slug] = await request.app[DB].read(works.work, slug)
    return _by_title(list(shelf.values()), request[LANG])


async def timeline(
    request: web.Request, festival: Festival, screenings: Sequence[Screening], against: Against
) -> dict[str, Any]:
    """What `desk/timeline.html` needs. Raises NotFound for an address that names no day or no zoom."""
    at, zone, cities = now(request), words.zone(festival.zone), await network.all_cities(request)
    zoom, day = _zoom(request), _day(request, festival, at)
    first, last = board.shown_days(festival, zoom, day)
    city = cities.get(festival.city or "")
    picture = board.draw(festival, first, last, zone, screenings, at, city)
    shelf = await shelf_of(request)
    known = {w.id: w for w in shelf}
    # Works of other cities are in it as well.
    missing = {slot.work for s in screenings for slot in s.slots} - known.keys()
    known |= await request.app[DB].read(works.by_ids, missing)
    step = 3 if zoom == "three" else 1
    active = network.active(cities)
    return {
        "plan": picture,
        "zoom": zoom,
        "zooms": [(z, _link(request, z, first if z != "all" else day)) for z in ZOOMS],
        "day": day,
        "first": first,
        "last": last,
        "earlier": None if zoom == "all" else _link(request, zoom, first - step * _DAY),
        "later": None if zoom == "all" else _link(request, zoom, first + step * _DAY),
        "today": _link(request, "day" if zoom == "all" else zoom, at.astimezone(zone).date()),
        "looks": {s.id: _look(s, known, cities, against.get(s.id, ()), signed_in(request)) for s in screenings},
        "shelf": [w for w in _by_title(shelf, request[LANG]) if w.state in SHOWABLE],
        "elsewhere": [(c, _nights(c, picture)) for c in active if c.slug != festival.city],
        "page_facts": _facts(festival, screenings, picture, request[LANG]),
    }


def _zoom(request: web.Request) -> board.Zoom:
    asked = request.query.get("zoom") or "day"
    for zoom in ZOOMS:
        if zoom == asked:
            return zoom
    raise NotFound()


def _day(request: web.Request, festival: Festival, at: datetime) -> date:
    """The day that is asked for; without one today while the festival lasts, else its first day."""
    text = request.query.get("day")
    if not text:
        today = at.astimezone(words.zone(festival.zone)).date()
        return today if festival.starts_on <= today <= festival.ends_on else festival.starts_on
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotFound() from None
    if not 1970 <= day.year <= 2200:
        raise NotFound()
    return day


def _link(request: web.Request, zoom: board.Zoom, day: date) -> str:
    slug = request.match_info["slug"]
    return f"/{request[LANG]}/desk/festivals/{slug}?{urlencode({'zoom': zoom, 'day': day.isoformat()})}"


def _look(
    screening: Screening,
    known: Mapping[int, Work],
    cities: Mapping[str, City],
    against: Sequence[schedule.Conflict],
    person: Person,
) -> Look:
    """The hue of what is shown: its first work's cities', else its host's."""
    of = [cities[c] for slot in screening.slots[:1] for c in known[slot.work].cities if c in cities]
    host = cities.get(screening.city or "")
    of = of or ([host] if host is not None else [])
    errors = sum(c.severity == "error" for c in against)
    return Look(
        of[0].hue if of else None,
        of[1].hue if len(of) > 1 else None,
        errors,
        len(against) - errors,
        rules.allows_screening(person, "edit", screening),
    )


def _nights(city: City, picture: board.Plan) -> str:
    """When it is night there within the window, as 'from-to' in minutes of it."""

    def minutes(moment: datetime) -> int:
        return round((moment - picture.start) / timedelta(minutes=1))

    dark = sun.nights(city.latitude, city.longitude, picture.start, picture.end)
    return " ".join(f"{minutes(a)}-{minutes(b)}" for a, b in dark)


def _facts(festival: Festival, screenings: Sequence[Screening], picture: board.Plan, lang: str) -> Mapping[str, Any]:
    """What the page's scripts know: the window, the festival's clock, and when everything is, beyond the window too."""
    zone = words.zone(festival.zone)
    begins = min([picture.start, board.midnight(festival.starts_on, zone), *(s.starts for s in screenings)]) - AROUND
    ends = max([picture.end, board.midnight(festival.ends_on, zone), *(s.ends for s in screenings)]) + AROUND
    return {
        "festival": festival.slug,
        "zone": festival.zone,
        "start": _ms(picture.start),
        "end": _ms(picture.end),
        "offsets": [[_ms(since), ahead] for since, ahead in board.offsets(zone, begins, ends)],
        "screenings": [
            {
                "slug": s.slug,
                "title": s.text("title", lang) or s.slug,
                "kind": s.kind,
                "state": s.state,
                "room": s.room,
                "place": board.place_of(s, festival)[0],
                "starts": _ms(s.starts),
                "ends": _ms(s.ends),
                "revision": s.revision,
                "guest": s.festival != festival.id,
            }
            for s in screenings
        ],
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _by_title(found: Sequence[Work], lang: str) -> list[Work]:
    return sorted(found, key=lambda w: w.text("title", lang).casefold())
