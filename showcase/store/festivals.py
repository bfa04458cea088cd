"""Festivals: one row an edition."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from showcase.core.models import Festival, Texts
from showcase.errors import Conflict, Invalid, NotFound
from showcase.store import jobs, screenings, slugs, texts
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import cities, festivals, loops, works

FIELDS = ("title", "text", "picture_alt")


def festival(tx: sa.Connection, slug: str) -> Festival:
    """One festival. Raises NotFound."""
    return _one(_load(tx, sa.select(festivals).where(festivals.c.slug == slug)))


def by_id(tx: sa.Connection, id: int) -> Festival:
    """One festival by its number. Raises NotFound."""
    return _one(_load(tx, sa.select(festivals).where(festivals.c.id == id)))


def by_ids(tx: sa.Connection, ids: Iterable[int]) -> dict[int, Festival]:
    """Festivals by their numbers; what is not there is left out."""
    return {f.id: f for f in _load(tx, sa.select(festivals).where(festivals.c.id.in_(set(ids))))}


def listed(
    tx: sa.Connection, *, states: Iterable[str] = (), cities: frozenset[str] | None = None, network: bool = True
) -> list[Festival]:
    """Festivals, the latest first: in `states` (none: any), of `cities` (None: any) and, with `network`, of none."""
    query = sa.select(festivals)
    if wanted := list(states):
        query = query.where(festivals.c.state.in_(wanted))
    if cities is not None:
        own = festivals.c.city.in_(cities)
        query = query.where(sa.or_(own, festivals.c.city.is_(None)) if network else own)
    return _load(tx, query.order_by(festivals.c.starts_on.desc(), festivals.c.id.desc()))


def _one(found: list[Festival]) -> Festival:
    if not found:
        raise NotFound()
    return found[0]


def _load(tx: sa.Connection, query: sa.Select[Any]) -> list[Festival]:
    rows = list(tx.execute(query))
    by_id = texts.load(tx, "festival", [r.id for r in rows])
    looped: dict[int, list[str]] = {}
    for r in tx.execute(
        sa.select(loops.c.festival, works.c.slug)
        .join(works, works.c.id == loops.c.work)
        .where(loops.c.festival.in_([r.id for r in rows]))
        .order_by(loops.c.position)
    ):
        looped.setdefault(r.festival, []).append(r.slug)
    return [Festival(**r._mapping, texts=by_id.get(r.id, {}), loop=tuple(looped.get(r.id, ()))) for r in rows]


def create(
    tx: sa.Connection,
    now: datetime,
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
    """Make a draft. Raises Conflict (`festival-exists`) when `slug` is taken, Invalid when the city does not exist."""
    if city is not None and tx.scalar(sa.select(cities.c.slug).where(cities.c.slug == city)) is None:
        raise Invalid("no-such-city", fields={"city": "no-such-city"}, city=city)
    one_at_a_time(tx, "festivals")
    title = fields.get("title", {})
    if slug is None:
        slug = slugs.of_title(tx, festivals.c.slug, title, "festival")
    elif tx.scalar(sa.select(festivals.c.id).where(festivals.c.slug == slug)) is not None:
        raise Conflict("festival-exists", slug=slug)
    id = tx.execute(
        festivals.insert()
        .values(
            slug=slug, city=city, zone=zone, starts_on=starts_on, ends_on=ends_on, hue=hue, state="draft", revision=1,
            created_at=now, updated_at=now, rooms=list(rooms),
        )
        .returning(festivals.c.id)
    ).scalar_one()  # fmt: skip
    texts.save(tx, "festival", id, fields)
    _told(tx, now, id)
    return by_id(tx, id)


def update(
    tx: sa.Connection,
    now: datetime,
    id: int,
    *,
    values: Mapping[str, Any],
    fields: Mapping[str, Texts],
    revision: int | None = None,
) -> None:
    """Change what is given; with another zone, the screenings that it hosts move with it (`screenings.rezoned`).

    With `revision`, raises Conflict (`changed-meanwhile`) when somebody saved since that one.
    """
    # Locked: a zone that two change at once is compared with the one that it follows.
    before = tx.scalar(sa.select(festivals.c.zone).where(festivals.c.id == id).with_for_update())
    where = festivals.c.id == id
    if revision is not None:
        where &= festivals.c.revision == revision
    changed = tx.execute(
        festivals.update().where(where).values(**dict(values), revision=festivals.c.revision + 1, updated_at=now)
    )
    if changed.rowcount == 0:
        raise Conflict("changed-meanwhile")
    texts.save(tx, "festival", id, fields)
    if (zone := values.get("zone", before)) != before:
        screenings.rezoned(tx, now, id, zone)
    _told(tx, now, id)


def looped(tx: sa.Connection, id: int) -> list[int]:
    """The numbers of the works that the festival's channel shows between its screenings, in order."""
    return list(tx.scalars(sa.select(loops.c.work).where(loops.c.festival == id).order_by(loops.c.position)))


MOST_LOOPED = 60
"""So many works the network's channel shows in a loop at the most."""


def looped_by_all(tx: sa.Connection, now: datetime) -> list[int]:
    """The works that the channels of all public festivals that are on show between their screenings, each once: the first of
    every festival, then the second, up to `MOST_LOOPED`."""
    day = now.date()
    by_festival: dict[int, list[int]] = {}
    for r in tx.execute(
        sa.select(loops.c.festival, loops.c.work, festivals.c.zone, festivals.c.starts_on, festivals.c.ends_on)
        .join(festivals, festivals.c.id == loops.c.festival)
        .where(
            festivals.c.state == "published",
            festivals.c.starts_on <= day + timedelta(days=1),
            festivals.c.ends_on >= day - timedelta(days=1),
        )
        .order_by(festivals.c.id, loops.c.position)
    ):
        # Its days are those of its own calendar.
        if r.starts_on <= now.astimezone(ZoneInfo(r.zone)).date() <= r.ends_on:
            by_festival.setdefault(r.festival, []).append(r.work)
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(*by_festival.values()))
    return list(dict.fromkeys(work for work in in_turn if work is not None))[:MOST_LOOPED]


def set_loop(tx: sa.Connection, now: datetime, id: int, shown: Sequence[int]) -> None:
    """The works (by number) that the festival's channel shows between its screenings."""
    tx.execute(loops.delete().where(loops.c.festival == id))
    for position, work in enumerate(shown):
        tx.execute(loops.insert().values(festival=id, position=position, work=work))
    _told(tx, now, id)


def set_picture(
    tx: sa.Connection, now: datetime, id: int, picture: Mapping[str, Any] | None, *, alt: Texts | None = None
) -> str | None:
    """Give a festival another picture (None: none) and what is to be seen on it; a worker removes the files of the old one.

    Returns the folder that goes, None when there was none. Raises NotFound.
    """
    before = tx.execute(sa.select(festivals.c.picture).where(festivals.c.id == id).with_for_update()).one_or_none()
    if before is None:
        raise NotFound()
    given = dict(picture) if picture is not None else sa.null()
    tx.execute(festivals.update().where(festivals.c.id == id).values(picture=given, updated_at=now))
    if alt is not None:
        texts.save(tx, "festival", id, {"picture_alt": alt})
    gone = str(before.picture["folder"]) if before.picture else None
    if gone is not None:
        jobs.enqueue(tx, now, "remove-files", gone)
    _told(tx, now, id)
    return gone


def picture_folders(tx: sa.Connection) -> set[str]:
    """Where the pictures of festivals lie, under `pictures/`."""
    return {str(p["folder"]) for p in tx.scalars(sa.select(festivals.c.picture)) if p}


def set_state(tx: sa.Connection, now: datetime, id: int, state: str) -> None:
    """Publish, archive, or take back to being a draft. Raises NotFound."""
    changed = tx.execute(festivals.update().where(festivals.c.id == id).values(state=state, updated_at=now))
    if changed.rowcount == 0:
        raise NotFound()
    _told(tx, now, id)


def _told(tx: sa.Connection, now: datetime, id: int) -> None:
    emit(tx, now, "festival", id=id)
