"""What staff do to festivals, once for the pages and the API: who may, what must hold, what is written."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from showcase.core import rules
from showcase.core.models import Festival, Texts
from showcase.errors import Conflict, Forbidden, Invalid
from showcase.store import festivals, screenings
from showcase.web import festival_channel, programme_texts, screening_checks
from showcase.web.keys import DB, PERSON, now, signed_in

log = logging.getLogger(__name__)

LONGEST = timedelta(days=400)


async def festival_for(request: web.Request, action: rules.FestivalAction) -> Festival:
    """The festival that the address names, for somebody who may do `action` to it."""
    festival = await request.app[DB].read(festivals.festival, request.match_info["slug"])
    rules.require_festival(request[PERSON], action, festival)
    return festival


async def create(
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
    programme_texts.check(fields)
    programme_texts.require_title(fields)
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


async def update(
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
    programme_texts.check(fields)
    _check_days(values.get("starts_on", festival.starts_on), values.get("ends_on", festival.ends_on))

    def write(tx: sa.Connection, at: datetime) -> Festival:
        given = dict(values)
        if rooms is not None:
            festival_channel.check_rooms(tx, festival, rooms)
            given["rooms"] = list(rooms)
        shown = festival_channel.loop_works(tx, request, festival, loop) if loop is not None else None
        moves = given.get("zone", festival.zone) != festivals.by_id(tx, festival.id).zone
        before = {s.id: s for s in screenings.of_festival(tx, festival.id, public=True)} if moves else {}
        festivals.update(tx, at, festival.id, values=given, fields=fields, revision=revision)
        if shown is not None and tuple(loop or ()) != festival.loop:
            festivals.set_loop(tx, at, festival.id, shown)
        for one in screenings.by_ids(tx, before).values():
            if screening_checks.gone_by(before[one.id], one, at):
                raise Conflict("would-be-over", case="zone", title=one.texts.get("title", {}))
        changed = festivals.by_id(tx, festival.id)
        if "title" in fields:
            # With the languages that stay, whoever wrote them.
            programme_texts.require_title(changed.texts)
        return changed

    return await request.app[DB].write(write, now(request))


def _check_days(starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise Invalid(fields={"ends_on": "window-order"})
    if ends_on - starts_on > LONGEST or not 1970 <= starts_on.year <= 2200:
        raise Invalid(fields={"ends_on": "bad-time"})
