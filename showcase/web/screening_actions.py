"""What staff do to screenings, once for the pages and the API: who may, what must hold, what is written."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from showcase.core import rules, schedule
from showcase.core.models import SHOWABLE, Asset, Festival, Screening, Texts
from showcase.errors import Conflict, Gone, Invalid, NotFound
from showcase.store import channels, festivals, history, screenings
from showcase.web import programme_texts, screening_checks
from showcase.web.keys import DB, LANG, PERSON, SHELF, now, signed_in
from showcase.web.screening_checks import Shown
from showcase.web.shelf import Shelved

log = logging.getLogger(__name__)


async def screening_for(request: web.Request, action: rules.ScreeningAction) -> Screening:
    """The screening that the address names, for somebody who may do `action` to it."""
    screening = await request.app[DB].read(screenings.screening, request.match_info["slug"])
    rules.require_screening(request[PERSON], action, screening)
    return screening


async def create(
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
    programme_texts.check(fields)
    screening_checks.check_room(room, festival)
    if ends_local is None and kind != "premiere":
        raise Invalid(fields={"ends": "required"})

    def write(tx: sa.Connection, at: datetime) -> Screening:
        found = screening_checks.works_given(tx, request, shown)
        end = ends_local if ends_local is not None else screening_checks.end_after(tx, starts_local, found)
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
            hosts=screening_checks.hosts_given(tx, request, hosts),
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


async def update(
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
    programme_texts.check(fields)

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
        screening_checks.check_room(room, festivals.by_id(tx, screening.festival))
    before = screenings.by_id(tx, screening.id)
    screenings.update(
        tx,
        at,
        screening.id,
        values=values,
        fields=fields,
        local=local,
        shown=screening_checks.works_given(tx, request, shown, kept) if shown is not None else None,
        hosts=screening_checks.hosts_given(tx, request, hosts, frozenset(screening.hosts))
        if hosts is not None
        else None,
        revision=revision,
    )
    changed = screenings.by_id(tx, screening.id)
    if screening_checks.gone_by(before, changed, at):
        raise Conflict("would-be-over")
    if changed.state == "published":
        screening_checks.refuse_errors(screening_checks.read_conflicts(tx, request, changed, at), request[LANG])
    history.record(tx, at, signed_in(request).id, action, before, changed)
    return changed


async def restore(request: web.Request, screening: Screening, id: int) -> Screening:
    """Take a change back: what it changed is again as it was before. Raises NotFound, and as `update`.

    Whether it is public is not among it: publishing and withdrawing are steps of their own. Raises Conflict
    (`changed-meanwhile`) when what it changed was changed again since.
    """

    def write(tx: sa.Connection, at: datetime) -> Screening:
        change = history.change(tx, screening.id, id)
        if not change.before:
            raise NotFound()
        present = screenings.by_id(tx, screening.id)
        if not history.stands(change, present):
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
        screening_checks.refuse_errors(screening_checks.read_conflicts(tx, request, before, at), request[LANG])
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
