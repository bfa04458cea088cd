"""What is looked at before a screening is kept or made public: its works, its co-hosts, its room, its conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from aiohttp import web

from showcase.core import rules, schedule
from showcase.core.models import Festival, Screening, ScreeningKind, Slot
from showcase.errors import Conflict, Invalid, NotFound
from showcase.store import festivals, screenings, works
from showcase.web import territory, words
from showcase.web.keys import DB, PERSON, now

Shown = tuple[str, str | None, int]
"""A work by its slug, its version (None: the one that is taken), and the seconds of pause behind it."""


def works_given(
    tx: sa.Connection,
    request: web.Request,
    shown: Sequence[Shown],
    kept: frozenset[tuple[str, str | None]] = frozenset(),
) -> list[screenings.Shown]:
    """Works by slug as numbers. A screening opens media, so only those who may preview a work put it in; what is in
    already (`kept`, with its version) may stay."""
    found = []
    for position, (slug, version, pause_s) in enumerate(shown):
        try:
            work = works.work(tx, slug)
        except NotFound:
            work = None
        if work is None or not ((slug, version) in kept or rules.allows(request[PERSON], "preview", work)):
            raise Invalid(fields={f"slots.{position}.work": "no-such-work"})
        found.append((work.id, version, pause_s))
    return found


def hosts_given(
    tx: sa.Connection, request: web.Request, hosts: Sequence[str], kept: frozenset[str] = frozenset()
) -> list[int]:
    """Festivals by slug as numbers. Only the staff of a festival put something into its programme."""
    found = []
    for position, slug in enumerate(hosts):
        try:
            festival = festivals.festival(tx, slug)
        except NotFound:
            festival = None
        if festival is None or not (slug in kept or rules.allows_festival(request[PERSON], "edit", festival)):
            raise Invalid(fields={f"co_hosts.{position}": "no-such-festival"})
        found.append(festival.id)
    return found


def check_room(room: str, festival: Festival) -> None:
    """Raise Invalid unless it is one of the festival's rooms, or none."""
    if room and room not in festival.rooms:
        raise Invalid(fields={"room": "no-such-room"})


def end_after(tx: sa.Connection, starts_local: datetime, shown: Sequence[screenings.Shown]) -> datetime:
    """When these works are through: at the next full minute."""
    total = timedelta()
    for position, (id, version, pause_s) in enumerate(shown):
        asset = schedule.playing(works.work_by_id(tx, id), version)
        total += timedelta(microseconds=(asset.duration_us or 0) if asset is not None else 0)
        total += timedelta(seconds=pause_s if position < len(shown) - 1 else 0)
    return starts_local + timedelta(minutes=max(1, -(-total // timedelta(minutes=1))))


async def conflicts(request: web.Request, screening: Screening) -> tuple[schedule.Conflict, ...]:
    """What stands against a screening."""
    return (await conflicts_of(request, [screening]))[screening.id]


async def conflicts_of(request: web.Request, found: Sequence[Screening]) -> dict[int, tuple[schedule.Conflict, ...]]:
    """What stands against each of many screenings, by their numbers, in one read of all their works."""
    return await request.app[DB].read(read_conflicts_of, found, now(request), territory.countries(request))


def read_conflicts_of(
    tx: sa.Connection, found: Sequence[Screening], at: datetime, countries: schedule.Countries
) -> dict[int, tuple[schedule.Conflict, ...]]:
    """As `conflicts_of`, within a transaction."""
    hosts = festivals.by_ids(tx, {s.festival for s in found})
    shown = works.by_ids(tx, {slot.work for s in found for slot in s.slots})
    beside = screenings.beside(tx, found)
    return {
        s.id: schedule.conflicts(s, hosts[s.festival], shown, words.zone(s.zone), at, beside.get(s.id, ()), countries)
        for s in found
    }


def read_conflicts(
    tx: sa.Connection, request: web.Request, screening: Screening, at: datetime
) -> tuple[schedule.Conflict, ...]:
    """As `conflicts`, within a transaction."""
    return read_conflicts_of(tx, [screening], at, territory.countries(request))[screening.id]


def gone_by(before: Screening, after: Screening, at: datetime) -> bool:
    """Whether something public that is to come would be over, unseen, by a change."""
    return before.state == "published" and before.public and before.starts > at and after.ends <= at


def refuse_errors(found: Sequence[schedule.Conflict], lang: str) -> None:
    """Raise Conflict (`not-publishable`) that names the errors among these, if there are."""
    errors = [words.sentence(c.code, c.params, lang) for c in found if c.severity == "error"]
    if errors:
        raise Conflict("not-publishable", errors=" ".join(errors))


async def suppose(
    request: web.Request,
    festival: Festival,
    screening: Screening | None,
    *,
    kind: ScreeningKind,
    room: str,
    starts_local: datetime,
    ends_local: datetime | None,
    shown: Sequence[Shown] | None,
) -> tuple[datetime, tuple[schedule.Conflict, ...]]:
    """When it would end, and what would stand against a screening that were so, for somebody who may make it so.

    `screening` None: a new one. Nothing is kept.
    """
    kept = frozenset((s.work_slug, s.version) for s in screening.slots) if screening is not None else frozenset()
    if screening is None or room != screening.room:
        check_room(room, festival)
    if ends_local is None and kind != "premiere":
        raise Invalid(fields={"ends": "required"})
    zone, at = words.zone(festival.zone if screening is None else screening.zone), now(request)

    def look(tx: sa.Connection) -> tuple[datetime, tuple[schedule.Conflict, ...]]:
        given = shown if shown is not None else [(s.work_slug, s.version, s.pause_s) for s in found.slots]
        numbers = works_given(tx, request, given, kept)
        end = ends_local if ends_local is not None else end_after(tx, starts_local, numbers)
        slots = [
            Slot(id, slug, version, pause) for (id, version, pause), (slug, _, _) in zip(numbers, given, strict=True)
        ]
        supposed = replace(
            found,
            # Also of one that is public it is told that it would lie in the past.
            state="draft",
            room=room,
            starts_local=starts_local,
            ends_local=end,
            starts=schedule.moment(starts_local, zone).moment,
            ends=schedule.moment(end, zone).moment,
            slots=tuple(slots),
        )
        against = read_conflicts(tx, request, supposed, at)
        if screening is not None and gone_by(screening, supposed, at):
            worse = [replace(c, severity="error") if c.code == "screening-past" else c for c in against]
            against = tuple(sorted(worse, key=lambda c: c.severity))
        return supposed.ends, against

    found = screening if screening is not None else _supposed(festival, kind, at)
    return await request.app[DB].read(look)


def _supposed(festival: Festival, kind: ScreeningKind, at: datetime) -> Screening:
    """A draft that is nowhere kept; it will be called after its works."""
    return Screening(
        id=0,
        slug="",
        festival=festival.id,
        festival_slug=festival.slug,
        festival_state=festival.state,
        festival_title=festival.texts.get("title", {}),
        city=festival.city,
        hosts=(),
        host_cities=frozenset({festival.city} if festival.city else ()),
        kind=kind,
        state="draft",
        zone=festival.zone,
        starts_local=at,
        ends_local=at,
        starts=at,
        ends=at,
        minimum_age=None,
        revision=1,
        created_at=at,
        updated_at=at,
        texts={"title": {"en": festival.slug}},
    )
