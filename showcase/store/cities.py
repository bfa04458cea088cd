"""The cities of the network. Operators add and retire them; nothing depends on how many there are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from importlib import resources
from typing import Any

import sqlalchemy as sa

from showcase.core import hues
from showcase.core.models import City, CityFestival
from showcase.errors import Conflict, NotFound
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import cities, city_festivals

_COLUMNS = [cities.c[name] for name in cities.c.keys()]


def all_cities(tx: sa.Connection, *, retired: bool = False) -> list[City]:
    """The cities from west to east, with their festivals."""
    query = sa.select(*_COLUMNS).order_by(cities.c.longitude, cities.c.slug)
    if not retired:
        query = query.where(cities.c.retired_at.is_(None))
    festivals: dict[str, list[CityFestival]] = {}
    for row in tx.execute(sa.select(city_festivals).order_by(city_festivals.c.id)):
        festivals.setdefault(row.city, []).append(
            CityFestival(row.name, tuple(row.months), row.frequency, row.kind, row.confidence, row.source, row.note)
        )
    return [_city(dict(row._mapping), tuple(festivals.get(row.slug, ()))) for row in tx.execute(query)]


def city(tx: sa.Connection, slug: str) -> City:
    """One city, retired or not. Raises NotFound."""
    found = next((c for c in all_cities(tx, retired=True) if c.slug == slug), None)
    if found is None:
        raise NotFound("no-such-city", city=slug)
    return found


def add(tx: sa.Connection, now: datetime, new: City) -> City:
    """Let a city join; its hue is worked out from its neighbours'. Raises Conflict when the slug is taken."""
    one_at_a_time(tx, "cities")
    if tx.scalar(sa.select(cities.c.slug).where(cities.c.slug == new.slug)) is not None:
        raise Conflict("city-exists", city=new.slug)
    there = [(c.longitude, c.hue) for c in all_cities(tx, retired=True)]
    new = replace(new, hue=hues.joining(there, new.longitude))
    _insert(tx, new)
    emit(tx, now, "city", slug=new.slug)
    return new


def retire(tx: sa.Connection, now: datetime, slug: str, *, retired: bool) -> None:
    """Take a city out of the lists, or bring it back. Its works and pages stay."""
    changed = tx.execute(cities.update().where(cities.c.slug == slug).values(retired_at=now if retired else None))
    if changed.rowcount == 0:
        raise NotFound("no-such-city", city=slug)
    emit(tx, now, "city", slug=slug)


def seed(tx: sa.Connection, now: datetime) -> int:
    """Fill an empty table with the cities the project ships; returns how many were added."""
    one_at_a_time(tx, "cities")
    if tx.scalar(sa.select(sa.func.count()).select_from(cities)):
        return 0
    facts = json.loads(resources.files("showcase").joinpath("data/cities.json").read_text("utf-8"))["cities"]
    facts.sort(key=lambda c: c["lon"])
    for fact, hue in zip(facts, hues.spread(len(facts)), strict=True):
        _insert(tx, _from_fact(fact, hue))
    emit(tx, now, "city")
    return len(facts)


def _insert(tx: sa.Connection, new: City) -> None:
    values = {name: getattr(new, name) for name in cities.c.keys()}
    tx.execute(cities.insert().values(**values | {"languages": list(new.languages)}))
    for f in new.festivals:
        tx.execute(
            city_festivals.insert().values(
                city=new.slug,
                name=f.name,
                months=list(f.months),
                frequency=f.frequency,
                kind=f.kind,
                confidence=f.confidence,
                source=f.source,
                note=f.note,
            )
        )


def _city(row: Mapping[str, Any], festivals: tuple[CityFestival, ...]) -> City:
    return City(**{**row, "languages": tuple(row["languages"])}, festivals=festivals)


def _from_fact(fact: Mapping[str, Any], hue: float) -> City:
    return City(
        slug=fact["slug"],
        name_en=fact["name_en"],
        name_fr=fact["name_fr"],
        name_local=fact["name_local"],
        lang_local=fact["languages"][0],
        country=fact["country"],
        zone=fact["tz"],
        latitude=fact["lat"],
        longitude=fact["lon"],
        hue=hue,
        languages=tuple(fact["languages"]),
        website=fact["website"],
        joined_year=fact["year"],
        retired_at=None,
        festivals=tuple(
            CityFestival(
                f["name"],
                tuple(f.get("months") or ()),
                f.get("frequency") or "",
                f.get("kind") or "",
                f.get("confidence") or "",
                f.get("source"),
                f.get("note"),
            )
            for f in fact["festivals"]
        ),
    )
