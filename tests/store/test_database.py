"""Transactions on both engines: all or nothing, one writer at a time on SQLite, readers that only read."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from showcase.core.models import Person
from showcase.errors import Conflict, Unavailable
from showcase.store import events, outbox, people
from showcase.store.database import Database, is_sqlite, migrate
from showcase.store.tables import METADATA, Instant
from showcase.store.tables import people as people_table
from tests.postgres import Postgres
from tests.store.rows import NOW, person, sizes


async def test_what_a_write_did_is_read_afterwards(db: Database) -> None:
    mara = await db.write(people.create, NOW, " Mara@Example.org", "Mara Lindqvist", lang="fr")
    assert mara == Person(mara.id, "mara@example.org", "Mara Lindqvist", "mara-lindqvist", "fr")
    assert await db.read(people.by_id, mara.id) == mara


async def test_nothing_of_a_failed_write_stays(db: Database) -> None:
    told: list[str] = []
    db.changed = lambda: told.append("changed")

    def half(tx: sa.Connection) -> None:
        mara = people.create(tx, NOW, "mara@example.org", "Mara")
        people.give_role(tx, NOW, mara.id, "administrator", None)
        outbox.post(tx, NOW, "mara@example.org", "Welcome", "Come in.", send=True)
        raise Conflict("wrong-state")

    with pytest.raises(Conflict):
        await db.write(half)
    assert await db.read(sizes) == {}
    assert told == []
    # What the failed one emitted is not put on the account of the next one, which uses the same connection.
    await db.write(people.create, NOW, "mara@example.org", "Mara")
    assert told == []


async def test_nothing_of_a_cancelled_write_stays_and_the_next_one_works(db: Database) -> None:
    def slow(tx: sa.Connection, n: int) -> None:
        for m in range(20):
            people.create(tx, NOW, f"cancelled{n}-{m}@example.org", "Mara")

    for n in range(12):
        task = asyncio.create_task(db.write(slow, n))
        await asyncio.sleep(n * 0.002)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        written = await db.read(sizes)
        assert written.get("people", 0) % 20 == 0
    before = (await db.read(sizes)).get("people", 0)
    await db.write(people.create, NOW, "next@example.org", "Next")
    assert (await db.read(sizes)) == {"people": before + 1}


async def test_a_cancelled_read_leaves_the_next_ones_alone(db: Database) -> None:
    def slow(tx: sa.Connection) -> int:
        return sum(tx.scalar(sa.select(sa.literal(1))) or 0 for _ in range(50))

    for n in range(12):
        task = asyncio.create_task(db.read(slow))
        await asyncio.sleep(n * 0.001)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert await asyncio.gather(*(db.read(slow) for _ in range(12))) == [50] * 12


async def test_many_writers_at_once_are_all_served(db: Database) -> None:
    made = await asyncio.gather(
        *(db.write(people.create, NOW, f"writer{n}@example.org", "Writer") for n in range(150)),
        *(db.read(sizes) for _ in range(50)),
    )
    assert len({p.id for p in made if isinstance(p, Person)}) == 150
    assert await db.read(sizes) == {"people": 150}


async def test_two_processes_may_write_to_one_sqlite_file(sqlite_url: str) -> None:
    one, other = Database(sqlite_url), Database(sqlite_url)
    try:
        await asyncio.gather(
            *((one, other)[n % 2].write(people.create, NOW, f"writer{n}@example.org", "Writer") for n in range(120))
        )
        assert await one.read(sizes) == await other.read(sizes) == {"people": 120}
    finally:
        await one.close()
        await other.close()


async def test_readers_cannot_write(db: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        await db.read(people.create, NOW, "mara@example.org", "Mara")
    assert await db.read(sizes) == {}
    # The connection that refused is a good one again.
    await db.write(people.create, NOW, "mara@example.org", "Mara")
    assert await asyncio.gather(*(db.read(sizes) for _ in range(20))) == [{"people": 1}] * 20


async def test_a_reader_sees_one_state_while_others_write(db: Database) -> None:
    begun, written = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def twice(tx: sa.Connection) -> tuple[dict[str, int], dict[str, int]]:
        before = dict(sizes(tx))
        loop.call_soon(begun.set)
        sa.util.await_only(written.wait())
        return before, dict(sizes(tx))

    reading = asyncio.create_task(db.read(twice))
    await begun.wait()
    await db.write(people.create, NOW, "mara@example.org", "Mara")
    written.set()
    assert await reading == ({}, {})
    assert await db.read(sizes) == {"people": 1}


async def test_rows_that_others_point_to_cannot_go(db: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        await db.write(people.give_role, NOW, 4711, "artist", None)
    assert await db.read(sizes) == {}


async def test_moments_keep_their_instant_to_the_microsecond(db: Database) -> None:
    local = datetime(2026, 10, 25, 2, 30, 0, 1, tzinfo=timezone(timedelta(hours=9)))
    mail = await db.write(outbox.post, local, "a@example.org", "Hello", "Text", send=False)
    read = (await db.read(outbox.mail, mail)).created_at
    assert read == local
    assert read.tzinfo is UTC


async def test_a_moment_without_a_zone_is_refused(db: Database) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(sa.exc.StatementError, match="a moment needs its time zone"):
        await db.write(outbox.post, naive, "a@example.org", "Hello", "Text", send=False)


async def test_changed_is_called_once_after_the_commit_that_emitted(db: Database) -> None:
    seen: list[int] = []

    def emit_twice(tx: sa.Connection) -> str:
        events.emit(tx, NOW, "work", id=1)
        events.emit(tx, NOW, "work", id=2)
        assert seen == []
        return "done"

    db.changed = lambda: seen.append(1)
    assert await db.write(emit_twice) == "done"
    assert seen == [1]
    await db.write(people.create, NOW, "mara@example.org", "Mara")
    assert seen == [1]


async def test_it_closes_twice_and_opens_again_when_it_is_used(db: Database) -> None:
    await db.write(people.create, NOW, "mara@example.org", "Mara")
    await db.close()
    await db.close()
    assert await db.read(sizes) == {"people": 1}


async def test_a_wrong_statement_is_not_a_database_that_is_away(db: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        await db.write(lambda tx: tx.execute(sa.text("SELECT * FROM no_such_table")))
    with pytest.raises(sa.exc.DBAPIError):
        await db.read(lambda tx: tx.execute(sa.text("SELEKT")))


async def test_a_locked_sqlite_file_is_away(sqlite_url: str) -> None:
    db = Database(sqlite_url)

    def impatient(tx: sa.Connection) -> None:
        tx.exec_driver_sql("PRAGMA busy_timeout=20")

    path = sa.make_url(sqlite_url).database
    assert path is not None
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        await db.write(impatient)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="database-away"):
            await db.write(people.create, NOW, "mara@example.org", "Mara")
        # Readers do not care (WAL).
        assert await db.read(sizes) == {}
        holder.execute("ROLLBACK")
        await db.write(people.create, NOW, "mara@example.org", "Mara")
        assert await db.read(sizes) == {"people": 1}
    finally:
        holder.close()
        await db.close()


async def test_a_file_that_is_no_database_leaves_no_connection_open(tmp_path: Path) -> None:
    path = tmp_path / "showcase.db"
    path.write_bytes(b"GIF89a" * 1000)
    db = Database(f"sqlite+aiosqlite:///{path}")
    with pytest.raises(sa.exc.DatabaseError, match="file is not a database"):
        await db.read(sizes)
    await db.close()
    gc.collect()  # a connection that nobody closed would warn now


async def test_a_file_that_cannot_be_opened_is_away(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'showcase.db'}")
    with pytest.raises(Unavailable, match="database-away"):
        await db.read(sizes)
    await db.close()
    # The driver does not wait for the thread of a connection that was never open; it must end before the loop does.
    async with asyncio.timeout(20):
        while any("_connection_worker_thread" in t.name for t in threading.enumerate()):  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_postgresql_that_does_not_answer_is_away(tmp_path: Path) -> None:
    db = Database(f"postgresql+asyncpg://showcase@/showcase?host={tmp_path}")
    with pytest.raises(Unavailable, match="database-away"):
        await db.read(sizes)
    with pytest.raises(Unavailable, match="database-away"):
        await db.write(people.create, NOW, "mara@example.org", "Mara")
    await db.close()


async def test_connections_that_postgresql_ended_are_away_once_and_then_new(
    postgres: Postgres, postgresql_url: str
) -> None:
    db = Database(postgresql_url)
    name = sa.make_url(postgresql_url).database
    kill = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608

    def ended_in_the_middle(tx: sa.Connection) -> None:
        people.create(tx, NOW, "mara@example.org", "Mara")
        postgres.execute(kill)
        people.create(tx, NOW, "ines@example.org", "Inês")

    with pytest.raises(Unavailable, match="database-away"):
        await db.write(ended_in_the_middle)
    # Idle connections that were ended are noticed before they are used.
    assert await db.read(sizes) == {}
    await asyncio.to_thread(postgres.execute, kill)
    assert await db.read(sizes) == {}
    await db.close()


def test_every_moment_in_the_tables_is_an_instant() -> None:
    naive = [
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.DateTime)
        and not isinstance(column.type, Instant)
        # What stands on a clock has its zone beside it.
        and not column.name.endswith("_local")
    ]
    assert naive == []


async def test_a_folder_with_any_name_will_do(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'œuvres 100%' / 'deep' / 'showcase.db'}"
    assert is_sqlite(url)
    await asyncio.to_thread(migrate, url)
    db = Database(url)
    mara = await db.write(person)
    assert await db.read(lambda tx: tx.scalar(sa.select(people_table.c.id))) == mara.id
    await db.close()


async def test_a_transaction_that_found_sqlite_busy_is_run_again(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    tries: list[int] = []

    def once_busy(tx: sa.Connection) -> int:
        people.create(tx, NOW, "ada@example.org", "Ada")
        tries.append(len(tries))
        if len(tries) == 1:
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise sa.exc.OperationalError("BEGIN", {}, busy)
        return len(tries)

    try:
        assert await db.write(once_busy) == 2
        assert await db.read(sizes) == {"people": 1}
    finally:
        await db.close()
