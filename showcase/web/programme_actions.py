"""What staff do to festivals and screenings, once for the pages and the API: who may, what must hold, what is written."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from showcase.core import rules, schedule
from showcase.core.models import SHOWABLE, Asset, Festival, Screening, ScreeningKind, Slot, Texts
from showcase.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from showcase.store import channels, festivals, history, screenings, works
from showcase.web import festival_channel, words
from showcase.web.keys import DB, LANG, PERSON, SHELF, now, signed_in
from showcase.web.shapes import TextIn
from showcase.web.shelf import Shelved

log = logging.getLogger(__name__)

LIMITS = {"title": 200, "text": 8_000, "languages": 500, "notes": 1_000, "picture_alt": 300}
Shown = tuple[str, str | None, int]
"""A work by its slug, its version (None: the one that is taken), and the seconds of pause behind it."""

LONGEST = timedelta(days=400)


def given(**texts: TextIn | None) -> dict[str, Texts]:
    """Field -> language -> text of what was given."""
    return {name: text.texts() for name, text in texts.items() if text is not None}


async def festival_for(request: web.Request, action: rules.FestivalAction) -> Festival:
    """The festival that the address names, for somebody who may do `action` to it."""
    festival = await request.app[DB].read(festivals.festival, request.match_info["slug"])
    rules.require_festival(request[PERSON], action, festival)
    return festival


async def screening_for(request: web.Request, action: rules.ScreeningAction) -> Screening:
    """The screening that the address names, for somebody who may do `action` to it."""
    screening = await request.app[DB].read(screenings.screening, request.match_info["slug"])
    rules.require_screening(request[PERSON], action, screening)
    return screening


async def create_festival(
    request: web.Request,
    *,
    fields: Mapping[str, Texts],
    city: str | None,
    zone: str,
    starts_on: date,
    ends_on: date,
    slug: str | None = None,
    hue: float | None = None,
    rooms: Sequence[str] = (),
) -> Festival:
    """Make a draft of one's city, or (administrators) of the network."""
    person = signed_in(request)
    if not rules.may_host(person, city):
        raise Forbidden()
    _check_texts(fields)
    _require_title(fields)
    _check_days(starts_on, ends_on)

    def write(tx: sa.Connection, at: datetime) -> Festival:
        festival_channel.check_rooms(tx, None, rooms)
        return festivals.create(
            tx,
            at,
            fields=fields,
            city=city,
            zone=zone,
            starts_on=starts_on,
            ends_on=ends_on,
            slug=slug,
            hue=hue,
            rooms=rooms,
        )

    made = await request.app[DB].write(write, now(request))
    log.info("festival %s begun by person %d", made.slug, person.id)
    return made


async def update_festival(
    request: web.Request,
    festival: Festival,
    *,
    values: Mapping[str, Any],
    fields: Mapping[str, Texts],
    revision: int | None,
    rooms: Sequence[str] | None = None,
    loop: Sequence[str] | None = None,
) -> Festival:
    """Change what is given; `loop` are works by slug.

    Raises Invalid when no title would be left, Conflict as the store does.
    """
    _check_texts(fields)
    _check_days(values.get("starts_on", festival.starts_on), values.get("ends_on", festival.ends_on))

    def write(tx: sa.Connection, at: datetime) -> Festival:
        given = dict(values)
        if rooms is not None:
            festival_channel.check_rooms(tx, festival, rooms)
            given["rooms"] = list(rooms)
        shown = festival_channel.loop_works(tx, request, festival, loop) if loop is not None else None
        festivals.update(tx, at, festival.id, values=given, fields=fields, revision=revision)
        if shown is not None and tuple(loop or ()) != festival.loop:
            festivals.set_loop(tx, at, festival.id, shown)
        changed = festivals.by_id(tx, festival.id)
        if "title" in fields:
            # With the languages that stay, whoever wrote them.
            _require_title(changed.texts)
        return changed

    return await request.app[DB].write(write, now(request))


def _check_days(starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise Invalid(fields={"ends_on": "window-order"})
    if ends_on - starts_on > LONGEST or not 1970 <= starts_on.year <= 2200:
        raise Invalid(fields={"ends_on": "bad-time"})


def _check_texts(fields: Mapping[str, Texts]) -> None:
    for name, by_lang in fields.items():
        for lang, text in by_lang.items():
            if len(text) > LIMITS[name]:
                raise Invalid(fields={f"{name}.{lang}": "too-long"})


def _require_title(fields: Mapping[str, Texts]) -> None:
    if not any(t.strip() for t in fields.get("title", {}).values()):
        raise Invalid(fields={"title": "required"})


async def create_screening(
    request: web.Request,
    festival: Festival,
    *,
    kind: str,
    starts_local: datetime,
    ends_local: datetime | None,
    fields: Mapping[str, Texts],
    shown: Sequence[Shown],
    hosts: Sequence[str] = (),
    minimum_age: int | None = None,
    room: str = "",
    replay_until_local: datetime | None = None,
    closed: bool = False,
) -> Screening:
    """Make a draft in a festival that one may edit. Without an end, a premiere lasts as long as its works."""
    person = signed_in(request)
    _check_texts(fields)
    _check_room(room, festival)
    if ends_local is None and kind != "premiere":
        raise Invalid(fields={"ends": "required"})

    def write(tx: sa.Connection, at: datetime) -> Screening:
        found = _works(tx, request, shown)
        end = ends_local if ends_local is not None else _end(tx, starts_local, found)
        made = screenings.create(
            tx,
            at,
            person.id,
            festival=festival.id,
            zone=festival.zone,
            kind=kind,
            starts_local=starts_local,
            ends_local=end,
            fields=fields,
            shown=found,
            hosts=_hosts(tx, request, hosts),
            minimum_age=minimum_age,
            room=room,
            replay_until_local=replay_until_local,
            closed=closed,
        )
        history.record(tx, at, person.id, "created", None, made)
        return made

    made = await request.app[DB].write(write, now(request))
    log.info("screening %s begun by person %d", made.slug, person.id)
    return made


def _end(tx: sa.Connection, starts_local: datetime, shown: Sequence[screenings.Shown]) -> datetime:
    """When these works are through: at the next full minute."""
    total = timedelta()
    for position, (id, version, pause_s) in enumerate(shown):
        asset = schedule.playing(works.work_by_id(tx, id), version)
        total += timedelta(microseconds=(asset.duration_us or 0) if asset is not None else 0)
        total += timedelta(seconds=pause_s if position < len(shown) - 1 else 0)
    return starts_local + timedelta(minutes=max(1, -(-total // timedelta(minutes=1))))


def _check_room(room: str, festival: Festival) -> None:
    if room and room not in festival.rooms:
        raise Invalid(fields={"room": "no-such-room"})


async def update_screening(
    request: web.Request,
    screening: Screening,
    *,
    values: Mapping[str, Any],
    fields: Mapping[str, Texts],
    local: tuple[datetime, datetime, datetime | None, str] | None = None,
    shown: Sequence[Shown] | None = None,
    hosts: Sequence[str] | None = None,
    revision: int | None = None,
) -> Screening:
    """Change what is given. Raises Conflict (`not-publishable`) when a public screening would have errors then."""
    _check_texts(fields)

    def write(tx: sa.Connection, at: datetime) -> Screening:
        return _update(
            tx,
            at,
            request,
            screening,
            values=values,
            fields=fields,
            local=local,
            shown=shown,
            hosts=hosts,
            revision=revision,
        )

    return await request.app[DB].write(write, now(request))


def _update(
    tx: sa.Connection,
    at: datetime,
    request: web.Request,
    screening: Screening,
    *,
    values: Mapping[str, Any],
    fields: Mapping[str, Texts],
    local: tuple[datetime, datetime, datetime | None, str] | None,
    shown: Sequence[Shown] | None,
    hosts: Sequence[str] | None,
    revision: int | None,
    action: history.Action = "changed",
) -> Screening:
    kept = frozenset((s.work_slug, s.version) for s in screening.slots)
    if (room := values.get("room", screening.room)) != screening.room:
        _check_room(room, festivals.by_id(tx, screening.festival))
    before = screenings.by_id(tx, screening.id)
    screenings.update(
        tx,
        at,
        screening.id,
        values=values,
        fields=fields,
        local=local,
        shown=_works(tx, request, shown, kept) if shown is not None else None,
        hosts=_hosts(tx, request, hosts, frozenset(screening.hosts)) if hosts is not None else None,
        revision=revision,
    )
    changed = screenings.by_id(tx, screening.id)
    if changed.state == "published":
        _refuse_errors(_conflicts(tx, changed), request[LANG])
    history.record(tx, at, signed_in(request).id, action, before, changed)
    return changed


async def restore(request: web.Request, screening: Screening, id: int) -> Screening:
    """Take a change back: what it changed is again as it was before. Raises NotFound, and as `update_screening`.

    Whether it is public is not among it: publishing and withdrawing are steps of their own. Raises Conflict
    (`changed-meanwhile`) when what it changed was changed again since.
    """

    def write(tx: sa.Connection, at: datetime) -> Screening:
        change = history.change(tx, screening.id, id)
        if not change.before:
            raise NotFound()
        present = screenings.by_id(tx, screening.id)
        stands = history.snapshot(present)
        if any(stands.get(name) != change.after.get(name) for name in change.fields if name != "state"):
            raise Conflict("changed-meanwhile", case="again")
        # Who saves at this very moment raises the revision.
        given = _back(change, present)
        return _update(tx, at, request, present, **given, revision=present.revision, action="restored")

    return await request.app[DB].write(write, now(request))


def _back(change: history.Change, present: Screening) -> dict[str, Any]:
    """What `_update` takes to make what a change changed as it was before."""
    was = change.before

    def clock(name: str, current: datetime | None) -> datetime | None:
        if name not in was:
            return current
        return datetime.fromisoformat(was[name]) if was[name] else None

    fields: dict[str, dict[str, str]] = {}
    for name in change.fields:
        field, _, lang = name.partition(".")
        if lang:
            fields.setdefault(field, {})[lang] = was.get(name) or ""
    starts, ends = clock("starts", present.starts_local), clock("ends", present.ends_local)
    assert starts is not None  # noqa: S101 - a screening has both
    assert ends is not None  # noqa: S101
    replay = clock("replay_until", present.replay_until_local)
    return {
        "values": {name: was[name] for name in ("room", "minimum_age", "closed") if name in was},
        "fields": fields,
        "local": (starts, ends, replay, present.zone) if {"starts", "ends", "replay_until"} & set(was) else None,
        "shown": [(slug, version, pause) for slug, version, pause in was["slots"]] if "slots" in was else None,
        "hosts": was.get("hosts"),
    }


def _works(
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


def _hosts(
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


async def conflicts(request: web.Request, screening: Screening) -> tuple[schedule.Conflict, ...]:
    """What stands against a screening."""
    return (await conflicts_of(request, [screening]))[screening.id]


async def conflicts_of(request: web.Request, found: Sequence[Screening]) -> dict[int, tuple[schedule.Conflict, ...]]:
    """What stands against each of many screenings, by their numbers, in one read of all their works."""
    return await request.app[DB].read(_conflicts_of, found)


def _conflicts_of(tx: sa.Connection, found: Sequence[Screening]) -> dict[int, tuple[schedule.Conflict, ...]]:
    hosts = festivals.by_ids(tx, {s.festival for s in found})
    shown = works.by_ids(tx, {slot.work for s in found for slot in s.slots})
    beside = screenings.beside(tx, found)
    return {
        s.id: schedule.conflicts(s, hosts[s.festival], shown, words.zone(s.zone), beside.get(s.id, ())) for s in found
    }


def _conflicts(tx: sa.Connection, screening: Screening) -> tuple[schedule.Conflict, ...]:
    return _conflicts_of(tx, [screening])[screening.id]


def _refuse_errors(found: Sequence[schedule.Conflict], lang: str) -> None:
    errors = [words.sentence(c.code, c.params, lang) for c in found if c.severity == "error"]
    if errors:
        raise Conflict("not-publishable", errors=" ".join(errors))


async def delete(request: web.Request) -> Screening:
    """Remove a draft or a withdrawn screening: for the staff of its host festival alone. Returns what it was."""
    screening = await screening_for(request, "edit")
    host = await request.app[DB].read(festivals.by_id, screening.festival)
    rules.require_festival(request[PERSON], "edit", host)
    await request.app[DB].write(screenings.delete, now(request), screening.id)
    return screening


async def publish(request: web.Request, revision: int | None = None) -> Screening:
    """Make it public. Raises Conflict (`not-publishable`) while errors stand, naming them; with `revision`, Conflict
    (`changed-meanwhile`) when somebody saved since that one."""
    screening, person = await screening_for(request, "edit"), signed_in(request)

    def write(tx: sa.Connection, at: datetime) -> Screening:
        before = screenings.by_id(tx, screening.id)
        screenings.set_state(tx, at, screening.id, "published", ("draft", "withdrawn", "published"), revision)
        _refuse_errors(_conflicts(tx, before), request[LANG])
        if screening.kind in screenings.PINNED:
            channels.ask_for_slate(tx, at, screening.festival)
        made = screenings.by_id(tx, screening.id)
        history.record(tx, at, person.id, "published", before, made)
        return made

    made = await request.app[DB].write(write, now(request))
    log.info("screening %s published", made.slug)
    return made


async def withdraw(request: web.Request) -> Screening:
    """Close it at once, everywhere; its page says so."""
    screening, person = await screening_for(request, "edit"), signed_in(request)

    def write(tx: sa.Connection, at: datetime) -> Screening:
        before = screenings.by_id(tx, screening.id)
        screenings.set_state(tx, at, screening.id, "withdrawn", ("published",))
        made = screenings.by_id(tx, screening.id)
        history.record(tx, at, person.id, "withdrawn", before, made)
        return made

    made = await request.app[DB].write(write, now(request))
    log.info("screening %s withdrawn", screening.slug)
    return made


async def check_screening(
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
        _check_room(room, festival)
    if ends_local is None and kind != "premiere":
        raise Invalid(fields={"ends": "required"})
    zone, at = words.zone(festival.zone if screening is None else screening.zone), now(request)

    def look(tx: sa.Connection) -> tuple[datetime, tuple[schedule.Conflict, ...]]:
        given = shown if shown is not None else [(s.work_slug, s.version, s.pause_s) for s in found.slots]
        numbers = _works(tx, request, given, kept)
        end = ends_local if ends_local is not None else _end(tx, starts_local, numbers)
        slots = [
            Slot(id, slug, version, pause) for (id, version, pause), (slug, _, _) in zip(numbers, given, strict=True)
        ]
        supposed = replace(
            found,
            room=room,
            starts_local=starts_local,
            ends_local=end,
            starts=schedule.moment(starts_local, zone).moment,
            ends=schedule.moment(end, zone).moment,
            slots=tuple(slots),
        )
        return supposed.ends, _conflicts(tx, supposed)

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


async def playing(request: web.Request, screening: Screening, slot: int) -> tuple[Shelved, Asset]:
    """The work and the file that a slot plays. Raises NotFound or Conflict (`not-ready`)."""
    one = screening.slots[slot]
    shelved = await request.app[SHELF].work(one.work)
    if shelved.work.state not in SHOWABLE:
        raise Gone("withdrawn")
    main = schedule.playing(shelved.work, one.version)
    if main is None:
        raise Conflict("not-ready")
    return shelved, main
