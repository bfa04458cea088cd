"""A programme as conference apps read it: the schedule.xml and schedule.json of c3voc.

Written after https://c3voc.de/schedule/schema.xsd and https://c3voc.de/schedule/schema.json (sources in
github.com/voc/schedule, `validator/`). Data in, text out. All times of one file are told in one zone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from showcase.core import schedule
from showcase.core.feeds_xml import clean, document, line, put
from showcase.core.models import Billed, Screening, best_text

SCHEMA = "https://c3voc.de/schedule/schema.json"
SLOT = "00:15"
# `[0-9]{1,2}` for the days is the most that the schema can tell.
MOST_DAYS = 99


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a file is about: a festival, or the network.

    `slug` names it, `festival` is the slug of the festival (None: the network's file, or one of no festival), `zone` is the clock of the whole file, `site` the address of the server (no slash at its end),
    `path` that of its page below it. `days` are there even when nothing is shown on them; `product` is the program
    and its version, `changed` when something in it changed last.
    """

    slug: str
    title: str
    zone: ZoneInfo
    site: str
    path: str
    lang: str
    days: tuple[date, ...]
    product: tuple[str, str]
    changed: datetime
    festival: str | None = None


Hall = tuple[str, str]
"""A room: the slug of its festival, and what it is called there ('': the one that feeds the channel)."""


@dataclass(frozen=True, slots=True)
class _Event:
    id: int
    guid: UUID
    starts: datetime
    minutes: int
    hall: Hall
    room: str
    slug: str
    url: str
    title: str
    subtitle: str
    track: str
    kind: str
    language: str
    abstract: str
    description: str
    persons: tuple[tuple[str, UUID | None], ...]
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    starts: datetime
    ends: datetime
    rooms: Mapping[str, Sequence[_Event]]


def acronym(slug: str) -> str:
    """A slug as the schema's acronym: `^[a-z0-9_-][a-z0-9_]{3,}…`, so no hyphens and at least four characters."""
    return slug.replace("-", "_").ljust(4, "_")


def duration(minutes: int) -> str:
    """A length as `H:MM` with any number of hours: `^[0-9]+:[0-9]{2}$`, as schedule.json has it."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def short_duration(minutes: int) -> str:
    """A length as schedule.xml has it: `HH:MM`, from 100 hours on `D:HH:MM`, at most 99 days."""
    days, rest = divmod(minutes, 24 * 60)
    if minutes < 100 * 60:
        return duration(minutes)
    return f"{days}:{duration(rest)}" if days <= MOST_DAYS else f"{MOST_DAYS}:23:59"


def xml(
    about: Occasion, screenings: Iterable[Screening], works: Mapping[int, Billed], places: Mapping[str, str]
) -> bytes:
    """schedule.xml: `screenings` by day and room. `works` are those that may be named, `places` the cities' names."""
    days = _days(about, screenings, works, places)
    root = ET.Element("schedule")
    put(root, "generator", name=about.product[0], version=about.product[1])
    put(root, "version", _version(about))
    conference = put(root, "conference")
    for tag, text in (
        ("acronym", acronym(about.slug)),
        ("title", line(about.title)),
        ("start", days[0].day.isoformat()),
        ("end", days[-1].day.isoformat()),
        ("days", str(len(days))),
        ("timeslot_duration", SLOT),
        ("base_url", f"{about.site}/"),
        ("time_zone_name", about.zone.key),
    ):
        put(conference, tag, text)
    for index, one in enumerate(days, 1):
        day = put(
            root, "day", index=str(index), date=one.day.isoformat(), start=one.starts.isoformat(), end=one.ends.isoformat()
        )  # fmt: skip
        for name, events in one.rooms.items():
            room = put(day, "room", name=name)
            for event in events:
                _event_xml(room, event)
    return document(root)


def _event_xml(room: ET.Element, event: _Event) -> None:
    made = put(room, "event", id=str(event.id), guid=str(event.guid))
    for tag, text in (
        ("date", event.starts.isoformat()),
        ("start", event.starts.strftime("%H:%M")),
        ("duration", short_duration(event.minutes)),
        ("room", event.room),
        ("slug", event.slug),
        ("url", event.url),
        ("title", event.title),
        ("subtitle", event.subtitle),
        ("track", event.track),
        ("type", event.kind),
        ("language", event.language),
        ("abstract", event.abstract),
        ("description", event.description),
    ):
        put(made, tag, text)
    recording = put(made, "recording")
    put(recording, "license")
    put(recording, "optout", "true")
    persons = put(made, "persons")
    for name, _ in event.persons:
        put(persons, "person", name)
    links = put(made, "links")
    for title, url in event.links:
        put(links, "link", title, href=url)
    put(made, "attachments")


def as_json(
    about: Occasion, screenings: Iterable[Screening], works: Mapping[int, Billed], places: Mapping[str, str]
) -> bytes:
    """schedule.json: as `xml`. It can say of a person who they are, and of a length any number of hours."""
    days = _days(about, screenings, works, places)
    halls = {name: events[0].hall for one in days for name, events in one.rooms.items()}
    found = {
        "$schema": SCHEMA,
        "generator": {"name": about.product[0], "version": about.product[1]},
        "schedule": {
            "version": _version(about),
            "base_url": f"{about.site}/",
            "conference": {
                "acronym": acronym(about.slug),
                "title": line(about.title),
                "start": days[0].day.isoformat(),
                "end": days[-1].day.isoformat(),
                "daysCount": len(days),
                "timeslot_duration": SLOT,
                "time_zone_name": about.zone.key,
                "url": about.site + about.path,
                "rooms": [
                    {
                        "name": name,
                        "guid": str(uuid5(NAMESPACE_URL, f"{about.site}/festivals/{host}/rooms/{room}")),
                        "description": None,
                        "capacity": None,
                    }
                    for name, (host, room) in halls.items()
                ],
                "days": [
                    {
                        "index": index,
                        "date": one.day.isoformat(),
                        "day_start": one.starts.isoformat(),
                        "day_end": one.ends.isoformat(),
                        "rooms": {name: [_event_json(e) for e in events] for name, events in one.rooms.items()},
                    }
                    for index, one in enumerate(days, 1)
                ],
            },
        },
    }
    return json.dumps(found, ensure_ascii=False).encode()


def _event_json(event: _Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "guid": str(event.guid),
        "date": event.starts.isoformat(),
        "start": event.starts.strftime("%H:%M"),
        "duration": duration(event.minutes),
        "room": event.room,
        "slug": event.slug,
        "url": event.url,
        "title": event.title,
        "subtitle": event.subtitle,
        "track": event.track,
        "type": event.kind,
        "language": event.language,
        "abstract": event.abstract,
        "description": event.description,
        "recording_license": "",
        "do_not_record": True,
        # With `public_name` and `id` beside it a person would be of two kinds at once, which the schema refuses (oneOf).
        "persons": [{"name": name} | ({"guid": str(guid)} if guid else {}) for name, guid in event.persons],
        "links": [{"title": title, "url": url, "type": "related"} for title, url in event.links],
        "attachments": [],
    }


def _version(about: Occasion) -> str:
    return about.changed.astimezone(about.zone).isoformat(timespec="seconds")


def _days(
    about: Occasion, screenings: Iterable[Screening], works: Mapping[int, Billed], places: Mapping[str, str]
) -> list[_Day]:
    rooms: dict[date, dict[str, list[_Event]]] = {day: {} for day in about.days}
    told = sorted(screenings, key=lambda s: (s.starts, s.id))
    names = _rooms(about, told)
    for screening in told:
        event = _event(about, screening, names[_hall(screening)], works, places)
        rooms.setdefault(event.starts.date(), {}).setdefault(event.room, []).append(event)
    return [
        _Day(day, _midnight(day, about.zone), _midnight(day + timedelta(days=1), about.zone), rooms[day])
        for day in sorted(rooms)
    ]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return schedule.moment(datetime.combine(day, time()), zone).moment.astimezone(zone)


def _hall(screening: Screening) -> Hall:
    return screening.festival_slug, line(screening.room)


def _rooms(about: Occasion, screenings: Iterable[Screening]) -> dict[Hall, str]:
    """What each room is called in this file: rooms of two festivals never share a name, whatever they are called there."""
    names: dict[Hall, str] = {}
    for screening in screenings:
        host, room = _hall(screening)
        festival = line(best_text(screening.festival_title, about.lang)) or host
        names[host, room] = room if room and host == about.festival else " · ".join(filter(None, (festival, room)))
    hosts: dict[str, set[str]] = {}
    for (host, _), name in names.items():
        hosts.setdefault(name, set()).add(host)
    return {hall: name if len(hosts[name]) == 1 else f"{name} ({hall[0]})" for hall, name in names.items()}


def _event(
    about: Occasion, screening: Screening, room: str, works: Mapping[int, Billed], places: Mapping[str, str]
) -> _Event:
    lang, page = about.lang, f"{about.site}/{about.lang}"
    shown = [works[s.work] for s in screening.slots if s.work in works]
    title = line(screening.text("title", lang)) or screening.slug
    subtitle = line(" · ".join(dict.fromkeys(w.called(lang) for w in shown)))
    abstract, _, description = clean(screening.text("text", lang)).strip().partition("\n\n")
    spoken = {w.original_lang for w in shown if w.original_lang}
    return _Event(
        id=screening.id,
        guid=uuid5(NAMESPACE_URL, f"{about.site}/screenings/{screening.id}"),
        starts=screening.starts.astimezone(about.zone),
        minutes=max(0, int((screening.ends - screening.starts).total_seconds()) // 60),
        hall=_hall(screening),
        room=room,
        slug=screening.slug,
        url=f"{page}/screenings/{screening.slug}",
        title=title,
        subtitle="" if subtitle == title else subtitle,
        track=places.get(screening.city or "", ""),
        kind=screening.kind,
        language=spoken.pop() if len(spoken) == 1 else screening.text_lang("title", lang),
        abstract=abstract.strip(),
        description=description.strip(),
        persons=_persons(about.site, shown),
        links=tuple((line(w.called(lang)), f"{page}/works/{w.slug}") for w in shown if w.state == "published"),
    )


def _persons(site: str, shown: Iterable[Billed]) -> tuple[tuple[str, UUID | None], ...]:
    """Everybody in the credits once, in their order; who has an account here also has an id that stays."""
    found: dict[str, UUID | None] = {}
    for credit in (c for work in shown for c in work.credits):
        if name := line(credit.name):
            found[name] = found.get(name) or (
                uuid5(NAMESPACE_URL, f"{site}/artists/{credit.person}") if credit.person else None
            )
    return tuple(found.items())
