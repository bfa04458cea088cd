"""Screenings and works for the tests of feeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from showcase.core.models import Billed, Credit, Screening, Slot

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def screening(id: int, hours: float, length: float = 1, **changes: Any) -> Screening:
    """A premiere in Linz, `hours` after noon (UTC) and `length` hours long."""
    starts = NOON + timedelta(hours=hours)
    ends = starts + timedelta(hours=length)
    values: dict[str, Any] = {
        "id": id, "slug": f"screening-{id}", "festival": 1, "festival_slug": "ars-2026", "festival_state": "published",
        "festival_title": {"en": "Ars", "fr": "Ars"}, "city": "linz", "hosts": (), "host_cities": frozenset({"linz"}),
        "kind": "premiere", "state": "published", "zone": "Europe/Vienna", "starts_local": starts.replace(tzinfo=None),
        "ends_local": ends.replace(tzinfo=None), "starts": starts, "ends": ends, "minimum_age": None, "revision": 1,
        "created_at": NOON, "updated_at": NOON, "texts": {"title": {"en": f"No. {id}"}},
    }  # fmt: skip
    return Screening(**values | changes)


def work(id: int, **changes: Any) -> Billed:
    values: dict[str, Any] = {
        "id": id, "slug": f"work-{id}", "state": "published", "year": 2026, "original_lang": "ja",
        "title": {"en": f"Work {id}", "fr": f"Œuvre {id}"}, "credits": (Credit("Ada", "artist", "linz", "ada"),),
    }  # fmt: skip
    return Billed(**values | changes)


def slots(*works: int) -> tuple[Slot, ...]:
    return tuple(Slot(id, f"work-{id}", None) for id in works)
