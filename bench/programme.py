"""The programme among 100,000 screenings beside 1,000, and what its page costs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench import works
from bench.figures import Figure
from bench.pages import per_request
from showcase.store import screenings as rows
from showcase.store.database import Database
from showcase.store.tables import festivals, screenings, texts
from tests.gallery import Gallery, running_gallery

FEW, MANY = 1_000, 100_000
TODAY, MONTH = 40, 260


def measure(folder: Path) -> list[Figure]:
    """The same day and month, with few and with many other screenings in ten years around."""
    costs: list[dict[str, float]] = []
    for count in (FEW, MANY):
        (folder / str(count)).mkdir()
        with running_gallery(folder / str(count)) as gallery:
            _fill(gallery, count)
            cookie = {"Cookie": works.cookie(gallery, "other")}
            url, pid = gallery.server.url, gallery.server.pid
            costs.append(
                {
                    "page": per_request(url, pid, "/en/programme", cookie, times=120),
                    "api": per_request(url, pid, "/api/v1/screenings", {}, times=60),
                    "warm": per_request(url, pid, "/en/programme", {}, times=1_000),
                }
            )
    few, many = costs
    return [
        Figure("programme: the page, 100,000 screenings beside 1,000", many["page"] / few["page"], "x", 1.5, _note(few["page"], many["page"])),
        Figure("programme: the API's month, the same", many["api"] / few["api"], "x", 1.5, _note(few["api"], many["api"])),
        Figure("programme: the page, warm", many["warm"], "CPU ms", 10, "kept for everybody; 1,000 requests"),
        Figure("programme: the page, rendered each time", many["page"], "CPU ms", None, "signed in"),
    ]  # fmt: skip


def _note(few: float, many: float) -> str:
    return f"{few:.1f} and {many:.1f} CPU ms, rendered each time; {TODAY} on the day, {TODAY + MONTH} in the month"


def _fill(gallery: Gallery, count: int) -> None:
    new = {
        "slug": "full", "city": "linz", "timezone": "Europe/Vienna", "title": {"en": "Full"}, "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
    }  # fmt: skip
    gallery.call("POST", "/api/v1/festivals", "linz", new)
    gallery.call("PATCH", "/api/v1/festivals/full", "linz", {"state": "published"})
    asyncio.run(_insert(f"sqlite+aiosqlite:///{gallery.server.data / 'showcase.db'}", count))


async def _insert(url: str, count: int) -> None:
    db = Database(url)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    now = datetime.now(UTC)

    def starts(number: int) -> datetime:
        if number < TODAY:
            return midnight + timedelta(minutes=36 * number)
        if number < TODAY + MONTH:
            return midnight + timedelta(days=2, hours=number * 24 * 28 / MONTH)
        # Years around, but not the month that is asked for.
        hours = 24 * 365 * 5 * (number / count)
        return midnight + (timedelta(days=60, hours=hours) if number % 2 else -timedelta(days=60, hours=hours))

    def fill(tx: sa.Connection) -> None:
        festival = tx.scalar(sa.select(festivals.c.id))
        made, told = [], []
        for number in range(count):
            # One in four is a window of two weeks, but on the day and in the month all are short.
            long = number % 4 == 0 and number >= TODAY + MONTH
            at, length = starts(number), timedelta(days=14) if long else timedelta(hours=1)
            made.append(
                {
                    "id": number + 1, "slug": f"screening-{number}", "festival": festival, "kind": "on_demand" if long else "premiere",
                    "state": "published", "zone": "UTC", "starts_local": at.replace(tzinfo=None),
                    "ends_local": (at + length).replace(tzinfo=None), "starts_at": at, "ends_at": at + length,
                    "span": rows.span(length), "revision": 1, "created_at": now, "updated_at": now,
                }
            )  # fmt: skip
            told.append(
                {
                    "entity": "screening",
                    "entity_id": number + 1,
                    "field": "title",
                    "lang": "en",
                    "text": f"No. {number}",
                }
            )
        for part in range(0, count, 5_000):
            tx.execute(screenings.insert(), made[part : part + 5_000])
            tx.execute(texts.insert(), told[part : part + 5_000])
        tx.execute(sa.text("ANALYZE"))

    await db.write(fill)
    await db.close()
