"""Works, people and files for the tests of rules, rights and lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from showcase.core.models import Asset, Person, Rendition, Role, RoleName, Work

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def person(id: int, *roles: tuple[RoleName, str | None], disabled: bool = False) -> Person:
    return Person(
        id, f"p{id}@example.org", f"P{id}", f"p{id}", "en", tuple(Role(r, c) for r, c in roles), disabled=disabled
    )


def work(**changes: Any) -> Work:
    values: dict[str, Any] = {
        "id": 1,
        "slug": "tidal",
        "state": "draft",
        "medium": "video",
        "year": None,
        "original_lang": None,
        "link": None,
        "minimum_age": None,
        "levelled": False,
        "spherical": False,
        "window": None,
        "poster": None,
        "made_by": None,
        "revision": 1,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        "published_at": None,
    }
    return Work(**(values | changes))


def asset(**changes: Any) -> Asset:
    values: dict[str, Any] = {
        "id": "a1",
        "work": 1,
        "role": "work",
        "lang": "und",
        "label": "",
        "version": 1,
        "taken": True,
        "filename": "tidal.mov",
        "size": 1,
        "sha256": None,
        "state": "ready",
        "stage": "ready",
        "progress": 1.0,
        "error": None,
        "duration_us": 60_000_000,
        "details": {},
        "made_by": None,
        "created_at": LONG_AGO,
        "renditions": (rendition("v360", "video"), rendition("a-und", "audio")),
    }
    return Asset(**(values | changes))


def rendition(name: str, kind: str) -> Rendition:
    return Rendition(name, kind, "und", 0, 0, 0.0, "", 0, 0, 0, (60_000_000,), folder=f"media/a1/1/{name}")
