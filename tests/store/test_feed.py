"""The bus of events: each one once and in order, to everybody who listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.metrics import REGISTRY
from showcase.store import events
from showcase.store.database import Database, migrate
from showcase.store.events import Event
from showcase.store.feed import OVERLAP, QUEUE, Feed
from showcase.store.tables import events as table
from showcase.tasks import Tasks
from tests.postgres import Postgres
from tests.store.rows import NOW


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[None]:
    """A feed that has found its place: what is emitted from now on is new to it."""
    tasks = Tasks()
    ready = asyncio.Event()
    start = feed._start

    async def started() -> int:
        last = await start()
        ready.set()
        return last

    feed._start = started  # type: ignore[method-assign]
    task = tasks.start(feed.run(), name="feed")
    try:
        async with asyncio.timeout(20):
            await asyncio.wait([task, asyncio.ensure_future(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
        assert not task.done()
        yield
    finally:
        await tasks.close()


async def take(queue: asyncio.Queue[Event], count: int) -> list[Any]:
    """The `id` fields of the next events."""
    async with asyncio.timeout(20):
        return [(await queue.get()).data["id"] for _ in range(count)]


async def emit(db: Database, *ids: int) -> None:
    for id in ids:
        await db.write(events.emit, NOW, "work", id=id)


async def test_everybody_gets_each_event_once_and_in_order(db: Database) -> None:
    await emit(db, *range(-150, 0))  # before it lived: not told
    feed = Feed(db, poll=0.02)
    db.changed = feed.wake
    watched: list[int] = []
    feed.watch(lambda e: watched.append(e.data["id"]))
    async with running(feed), feed.listen() as one, feed.listen() as other:
        await emit(db, *range(40))
        await asyncio.gather(*(emit(db, n) for n in range(40, 80)))
        got = await take(one, 80)
        assert got[:40] == list(range(40))
        assert sorted(got) == list(range(80))
        assert await take(other, 80) == watched == got
        # Looking again tells nothing twice.
        for _ in range(5):
            feed.wake()
            await asyncio.sleep(0.01)
        assert (one.qsize(), other.qsize(), len(watched)) == (0, 0, 80)


async def test_more_than_one_batch_at_once_comes_whole(db: Database) -> None:
    feed = Feed(db, poll=60)
    told: list[int] = []
    feed.watch(lambda e: told.append(e.data["id"]))

    def many(tx: sa.Connection) -> None:
        for n in range(1234):
            events.emit(tx, NOW, "work", id=n)

    async with running(feed):
        await db.write(many)
        feed.wake()
        async with asyncio.timeout(20):
            while len(told) < 1234:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert told == list(range(1234))


async def test_emitting_wakes_listeners_without_waiting_for_the_next_look(db: Database) -> None:
    feed = Feed(db, poll=3600)
    db.changed = feed.wake
    async with running(feed), feed.listen() as queue:
        for n in range(30):
            await emit(db, n)
            assert await take(queue, 1) == [n]


async def test_what_is_committed_while_it_looks_is_found_at_once(db: Database) -> None:
    feed = Feed(db, poll=3600)
    db.changed = feed.wake
    read = db.read
    late = iter([1])

    async def slow(f: Any, *args: Any, **kwargs: Any) -> Any:
        found = await read(f, *args, **kwargs)
        if f is events.since and found and next(late, None):
            # Committed after the look, before the feed goes to sleep.
            await emit(db, 2)
        return found

    db.read = slow  # type: ignore[method-assign]
    async with running(feed), feed.listen() as queue:
        await emit(db, 1)
        assert await take(queue, 2) == [1, 2]


async def test_what_another_process_wrote_is_heard(db: Database) -> None:
    other = Database(db.url)
    feed = Feed(db, poll=0.02)
    async with running(feed), feed.listen() as queue:
        await emit(other, 1, 2, 3)
        assert await take(queue, 3) == [1, 2, 3]
    await other.close()


async def test_a_slow_listener_loses_its_own_oldest_events_and_they_are_counted(db: Database) -> None:
    def dropped() -> float:
        return REGISTRY.get_sample_value("showcase_events_dropped_total") or 0.0

    def many(tx: sa.Connection) -> None:
        for n in range(QUEUE + 44):
            events.emit(tx, NOW, "work", id=n)

    before = dropped()
    feed = Feed(db, poll=0.02)
    quick: list[int] = []
    feed.watch(lambda e: quick.append(e.data["id"]))
    async with running(feed), feed.listen() as slow:
        await db.write(many)
        async with asyncio.timeout(20):
            while len(quick) < QUEUE + 44:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await take(slow, QUEUE) == list(range(44, QUEUE + 44))
        assert slow.empty()
    assert dropped() - before == 44
    assert quick == list(range(QUEUE + 44))


async def test_listeners_are_counted_while_they_listen(db: Database) -> None:
    def listening() -> float | None:
        return REGISTRY.get_sample_value("showcase_event_listeners")

    feed = Feed(db)
    before = listening() or 0.0
    async with feed.listen(), feed.listen():
        assert listening() == before + 2
    assert listening() == before


async def test_a_watcher_that_fails_takes_nothing_from_the_others(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    feed = Feed(db, poll=0.02)

    def fails(event: Event) -> None:
        raise ValueError(f"cannot take {event.data['id']}")

    feed.watch(fails)
    async with running(feed), feed.listen() as queue:
        await emit(db, 1, 2)
        assert await take(queue, 2) == [1, 2]
    assert [r.getMessage().split(" at ")[0] for r in caplog.records] == ["feed: a watcher failed"] * 2


async def test_a_lower_number_that_is_committed_later_is_not_missed(postgresql_url: str) -> None:
    """PostgreSQL numbers events when they are written, not when they are committed."""
    db = Database(postgresql_url)
    feed = Feed(db, poll=3600)
    db.changed = feed.wake

    def wait_inside(tx: sa.Connection, numbered: asyncio.Event, go_on: asyncio.Event) -> None:
        events.emit(tx, NOW, "work", id=1)
        numbered.set()
        sa.util.await_only(go_on.wait())

    numbered, go_on = asyncio.Event(), asyncio.Event()
    async with running(feed), feed.listen() as queue:
        first = asyncio.create_task(db.write(wait_inside, numbered, go_on))
        await numbered.wait()
        await emit(db, *range(2, OVERLAP))
        assert await take(queue, OVERLAP - 2) == list(range(2, OVERLAP))
        go_on.set()
        await first
        assert await take(queue, 1) == [1]
        await emit(db, 1000)
        assert await take(queue, 1) == [1000]
        assert queue.empty()
    await db.close()


async def test_a_listening_connection_that_is_lost_is_made_anew(
    postgres: Postgres, postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    db = Database(postgresql_url)
    name = sa.make_url(postgresql_url).database
    feed = Feed(db, poll=3600)
    async with running(feed), feed.listen() as queue:
        await emit(db, 1)
        assert await take(queue, 1) == [1]
        await asyncio.to_thread(
            postgres.execute,
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'",  # noqa: S608
        )
        await emit(db, 2)
        assert await take(queue, 1) == [2]
        await emit(db, 3)
        assert await take(queue, 1) == [3]
        assert queue.empty()
    assert any("feed: " in r.getMessage() for r in caplog.records)
    await db.close()


async def test_a_database_that_is_away_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "later"
    url = f"sqlite+aiosqlite:///{folder / 'showcase.db'}"
    db = Database(url)
    feed = Feed(db, poll=0.02)
    tasks = Tasks()
    async with feed.listen() as queue:
        tasks.start(feed.run(), name="feed")
        async with asyncio.timeout(20):
            while not caplog.records:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await asyncio.to_thread(migrate, url)
            while not queue.qsize():
                await db.write(events.emit, NOW, "work", id=1)
                await asyncio.sleep(0.05)
        await tasks.close()
    assert "database is away" in caplog.records[0].getMessage()
    await db.close()


async def test_events_that_were_pruned_stop_nothing(db: Database) -> None:
    feed = Feed(db, poll=0.02)
    async with running(feed), feed.listen() as queue:
        await emit(db, 1)
        assert await take(queue, 1) == [1]
        await db.write(lambda tx: tx.execute(table.delete()))
        await emit(db, 2)
        assert await take(queue, 1) == [2]
