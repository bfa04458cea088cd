"""What happened, in the order it happened."""

from __future__ import annotations

from showcase.store import events
from showcase.store.database import Database
from showcase.store.events import Event
from tests.store.rows import DAY, HOUR, NOW


async def test_events_are_read_oldest_first_after_the_last_one_seen(db: Database) -> None:
    assert await db.read(events.newest_id) == 0
    for n in range(5):
        await db.write(events.emit, NOW, "work", id=n, topic="its own field")
    found = await db.read(events.since, 0)
    assert found == [Event(e.id, "work", {"id": n, "topic": "its own field"}) for n, e in enumerate(found)]
    assert [e.id for e in found] == sorted(e.id for e in found)
    assert await db.read(events.since, found[2].id) == found[3:]
    assert await db.read(events.since, 0, 2) == found[:2]
    assert await db.read(events.newest_id) == found[-1].id


async def test_the_old_are_forgotten_and_their_numbers_never_come_again(db: Database) -> None:
    await db.write(events.emit, NOW - DAY, "work", id=1)
    await db.write(events.emit, NOW, "work", id=2)
    last = await db.read(events.newest_id)
    assert await db.write(events.prune, NOW - HOUR) == 1
    assert [e.data for e in await db.read(events.since, 0)] == [{"id": 2}]
    assert await db.write(events.prune, NOW + HOUR) == 1
    await db.write(events.emit, NOW, "work", id=3)
    assert [e.data for e in await db.read(events.since, last)] == [{"id": 3}]
