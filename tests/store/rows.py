"""Rows that most tests of the store need, made by the store's own functions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from showcase.core.models import Asset, City, Person, Rendition, Work
from showcase.store import assets, cities, people, works
from showcase.store.tables import METADATA

NOW = datetime(2026, 9, 1, 12, 0, 0, 250_000, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)

_numbers = itertools.count(1)


def person(tx: sa.Connection, name: str = "Mara Lindqvist", email: str | None = None) -> Person:
    return people.create(tx, NOW, email or f"person{next(_numbers)}@example.org", name)


def a_city(slug: str, longitude: float = 0.0, **changed: Any) -> City:
    values: dict[str, Any] = {
        "slug": slug,
        "name_en": slug.title(),
        "name_fr": slug.title(),
        "name_local": slug.title(),
        "lang_local": "en",
        "country": "GB",
        "zone": "Europe/London",
        "latitude": 50.0,
        "longitude": longitude,
        "hue": 0.0,
        "languages": ("en",),
        "website": None,
        "joined_year": 2026,
        "retired_at": None,
    }
    return City(**values | changed)


def a_work(
    tx: sa.Connection,
    title: str = "Tide Tables",
    *,
    author: int | None = None,
    at: datetime = NOW,
    in_cities: Sequence[str] = (),
    medium: str = "video",
    year: int | None = 2026,
    **given: Any,
) -> Work:
    return works.create(
        tx, at, author, fields={"title": {"en": title}}, medium=medium, in_cities=in_cities, year=year, **given
    )


def an_asset(
    tx: sa.Connection,
    work: int,
    *,
    role: str = "work",
    lang: str = "",
    size: int = 1000,
    person: int | None = None,
    at: datetime = NOW,
    filename: str = "film.mp4",
) -> Asset:
    return assets.add(tx, at, assets.new_id(), work, role=role, lang=lang, filename=filename, size=size, person=person)


def a_rendition(asset: str, name: str = "720p", **changed: Any) -> Rendition:
    values: dict[str, Any] = {
        "name": name,
        "kind": "video",
        "lang": "",
        "width": 1280,
        "height": 720,
        "fps": 25.0,
        "codecs": "avc1.64001f",
        "bandwidth": 3_000_000,
        "average": 2_500_000,
        "size_bytes": 5_000_000_000,
        "durations_us": (4_000_000, 4_000_000, 1_480_000),
        "folder": f"media/{asset}/1/{name}",
    }
    return Rendition(**values | changed)


def make_ready(tx: sa.Connection, asset: str) -> None:
    """Let an asset be one that plays: a rung of picture, one of sound."""
    assets.add_rendition(tx, NOW, asset, a_rendition(asset))
    sound = a_rendition(asset, "audio", kind="audio", width=0, height=0, fps=0.0, codecs="mp4a.40.2")
    assets.add_rendition(tx, NOW, asset, sound)
    assets.report(tx, NOW, asset, state="ready", stage="ready", progress=1.0)


def begin(tx: sa.Connection, person: int, work: int, **changed: Any) -> str:
    """Promise an upload; returns its id."""
    id = assets.new_id()
    given: dict[str, Any] = {
        "role": "work",
        "lang": "",
        "filename": "film.mp4",
        "metadata": "filename ZmlsbS5tcDQ=",
        "size": 1000,
        "expires": NOW + 7 * DAY,
    }
    assets.begin_upload(tx, NOW, id, person, work, **given | changed)
    return id


def seed(tx: sa.Connection) -> None:
    cities.seed(tx, NOW)


def sizes(tx: sa.Connection) -> Mapping[str, int]:
    """How many rows each table holds, those without any left out."""
    counted = {t.name: tx.scalar(sa.select(sa.func.count()).select_from(t)) or 0 for t in METADATA.tables.values()}
    return {name: n for name, n in counted.items() if n}
