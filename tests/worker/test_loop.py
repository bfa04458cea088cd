"""The loop of a worker, with kinds of jobs made up for the test."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.errors import MediaError, NotFound, ShowcaseError, Unavailable
from showcase.store import assets, jobs, works
from showcase.store.database import Database, migrate
from showcase.store.jobs import LEASE, Job
from showcase.store.tables import jobs as table
from showcase.tasks import Tasks
from showcase.worker import loop
from showcase.worker.loop import Worker
from tests.store.rows import a_rendition, a_work, an_asset


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once. How soon a cancelled job ends stays as it is."""
    monkeypatch.setattr(loop, "RETRY", timedelta(0))
    monkeypatch.setattr(loop, "IDLE", 0.05)


class Told:
    """Keeps who was told that a job failed."""

    def __init__(self) -> None:
        self.of: list[tuple[str, str]] = []

    async def gave_up(self, job: Job, error: ShowcaseError) -> None:
        self.of.append((job.subject, error.code))


def a_worker(db: Database, do: Callable[[Job], Awaitable[None]], told: Told | None = None, attempts: int = 3) -> Worker:
    return Worker(db, {"film": do}, (told or Told()).gave_up, attempts=attempts)


@asynccontextmanager
async def working(*workers: Worker) -> AsyncIterator[list[asyncio.Task[Any]]]:
    tasks = Tasks()
    started = [tasks.start(w.run(), name=w.name) for w in workers]
    try:
        async with asyncio.timeout(30):
            yield started
            assert [t for t in started if t.done() and not t.cancelled()] == []
    finally:
        await tasks.close()


def now() -> datetime:
    return datetime.now(UTC)


async def queue(db: Database, subject: str = "a1", **payload: Any) -> None:
    await db.write(jobs.enqueue, now(), "film", subject, payload)


def row(tx: sa.Connection, subject: str) -> tuple[str, int, str | None]:
    """State, attempts and reason of a job."""
    found = tx.execute(
        sa.select(table.c.state, table.c.attempts, table.c.error).where(table.c.subject == subject)
    ).one()
    return found.state, found.attempts, found.error


async def until(db: Database, state: str, subject: str = "a1") -> tuple[str, int, str | None]:
    while (found := await db.read(row, subject))[0] != state:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return found


async def test_jobs_are_done_one_after_the_other_and_stored_as_done(db: Database) -> None:
    done: list[Job] = []

    async def do(job: Job) -> None:
        done.append(job)

    for n in range(3):
        await queue(db, f"a{n}", rung=n)
    async with working(a_worker(db, do)):
        for n in range(3):
            assert await until(db, "done", f"a{n}") == ("done", 1, None)
    assert [(j.kind, j.subject, j.payload, j.attempt) for j in done] == [
        ("film", f"a{n}", {"rung": n}, 1) for n in range(3)
    ]


async def test_a_worker_that_is_woken_looks_at_once(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "IDLE", 3600.0)

    async def do(_: Job) -> None:
        pass

    worker = a_worker(db, do)
    db.changed = worker.wake
    async with working(worker):
        for n in range(5):
            await queue(db, f"a{n}")
            await until(db, "done", f"a{n}")


async def test_workers_share_the_jobs_and_no_job_is_done_twice(database_url: str) -> None:
    db = Database(database_url)
    done: list[tuple[str, str]] = []

    def doing(name: str) -> Callable[[Job], Awaitable[None]]:
        async def do(job: Job) -> None:
            done.append((name, job.subject))
            await asyncio.sleep(0.02)

        return do

    for n in range(20):
        await queue(db, f"a{n}")
    async with working(*(a_worker(db, doing(f"w{n}")) for n in range(3))):
        while (await db.read(jobs.counts)).get("done") != 20:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert sorted(s for _, s in done) == sorted(f"a{n}" for n in range(20))
    assert {w for w, _ in done} == {"w0", "w1", "w2"}
    await db.close()


async def test_what_cannot_be_shown_fails_for_good_in_words(db: Database) -> None:
    told = Told()

    async def do(_: Job) -> None:
        raise MediaError("too-long", minutes=500, limit=360)

    await queue(db)
    async with working(a_worker(db, do, told)):
        state, attempts, reason = await until(db, "failed")
    assert (state, attempts) == ("failed", 1)
    assert reason == "The work lasts 500 minutes; 360 are the limit here. Upload it in parts, or ask the festival."
    assert told.of == [("a1", "too-long")]


async def test_what_is_away_is_tried_again_until_it_is_there(db: Database) -> None:
    tries: list[int] = []
    told = Told()

    async def do(job: Job) -> None:
        tries.append(job.attempt)
        if job.attempt < 3:
            raise Unavailable("database-away")

    await queue(db)
    async with working(a_worker(db, do, told)):
        assert (await until(db, "done"))[1] == 3
    assert tries == [1, 2, 3]
    assert told.of == []


async def test_what_stays_away_fails_after_the_last_try(db: Database) -> None:
    tries: list[int] = []
    told = Told()

    async def do(job: Job) -> None:
        tries.append(job.attempt)
        raise Unavailable("database-away")

    await queue(db)
    async with working(a_worker(db, do, told, attempts=2)):
        assert await until(db, "failed") == ("failed", 2, "database-away")
    assert tries == [1, 2]
    assert told.of == [("a1", "database-away")]


async def test_what_is_nobodys_fault_is_waited_for_longer_each_time_and_is_no_attempt(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(loop.WAITS, "disk-full", (0, 0.0001, 0.0002))  # type: ignore[index]
    tries: list[tuple[int, int]] = []
    told = Told()

    async def do(job: Job) -> None:
        tries.append((job.attempt, job.payload.get("waits", 0)))
        if len(tries) <= 6:
            raise Unavailable("disk-full")

    await queue(db, rung=1)
    async with working(a_worker(db, do, told, attempts=2)):
        assert (await until(db, "done"))[1] == 1
    assert tries == [(1, n) for n in range(7)]
    assert told.of == []


def test_a_full_disk_is_waited_for_without_end_and_a_mail_server_for_a_day() -> None:
    minutes = [w and w / timedelta(minutes=1) for w in (loop._wait("disk-full", n) for n in range(8))]
    assert minutes == [1, 2, 5, 10, 15, 15, 15, 15]
    mails = [loop._wait("mail-not-sent", n) for n in range(8)]
    assert mails[0] == timedelta(minutes=1)
    assert sum((m for m in mails if m is not None), timedelta(0)) > timedelta(hours=20)
    assert mails[7] is None
    assert loop._wait("database-away", 0) is None


@pytest.mark.parametrize("fails", [None, Unavailable("database-away"), MediaError("no-sound")])
async def test_a_job_that_is_cancelled_in_its_last_moment_is_cancelled(
    db: Database, monkeypatch: pytest.MonkeyPatch, fails: ShowcaseError | None
) -> None:
    """After it was looked for the last time, and before its end is stored."""
    told = Told()
    monkeypatch.setattr(loop, "LOOK_EVERY", 3600.0)

    def late(store: Callable[..., Any]) -> Callable[..., Any]:
        def stored(tx: sa.Connection, *args: Any, **kwargs: Any) -> Any:
            if kwargs.get("state") != "cancelled" and "cancelled" not in args:
                jobs.cancel(tx, now(), "film", "a1")
            return store(tx, *args, **kwargs)

        return stored

    monkeypatch.setattr(loop.jobs, "finish", late(jobs.finish))
    monkeypatch.setattr(loop.jobs, "put_back", late(jobs.put_back))

    async def do(_: Job) -> None:
        if fails is not None:
            raise fails

    await queue(db)
    async with working(a_worker(db, do, told)):
        assert (await until(db, "cancelled"))[:2] == ("cancelled", 1)
    assert told.of[-1] == ("a1", "cancelled")


async def test_a_crash_is_logged_and_tried_a_bounded_number_of_times(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()

    async def do(job: Job) -> None:
        raise ZeroDivisionError(f"attempt {job.attempt}")

    await queue(db)
    async with working(a_worker(db, do, told)):
        assert await until(db, "failed") == ("failed", 3, "ZeroDivisionError('attempt 3')")
    assert told.of == [("a1", "worker-failed")]
    crashes = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert [r.exc_info[0] for r in crashes if r.exc_info] == [ZeroDivisionError] * 3


async def test_a_job_whose_workers_died_each_time_is_not_begun_again(db: Database) -> None:
    told = Told()
    begun: list[int] = []

    async def do(job: Job) -> None:
        begun.append(job.attempt)

    await queue(db)
    at = now() - timedelta(hours=1)
    await db.write(lambda tx: tx.execute(table.update().values(run_after=at)))
    for n in range(3):
        assert await db.write(jobs.claim, at + n * (LEASE + timedelta(seconds=1)), f"dead {n}") is not None
    async with working(a_worker(db, do, told)):
        assert await until(db, "failed") == ("failed", 4, "worker-failed")
    assert begun == []
    assert told.of == [("a1", "worker-failed")]


async def test_a_job_about_something_that_is_gone_ends_quietly(db: Database) -> None:
    told = Told()

    async def do(_: Job) -> None:
        raise NotFound()

    await queue(db)
    async with working(a_worker(db, do, told)):
        assert await until(db, "cancelled") == ("cancelled", 1, None)
    assert told.of == []


async def test_a_cancelled_job_ends_soon_and_the_next_one_begins(db: Database) -> None:
    told = Told()
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def do(job: Job) -> None:
        if job.subject == "next":
            return
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    await queue(db)
    await queue(db, "next")
    async with working(a_worker(db, do, told)):
        await begun.wait()
        await db.write(jobs.cancel, now(), "film", "a1")
        async with asyncio.timeout(5):
            await stopped.wait()
            assert await until(db, "cancelled") == ("cancelled", 1, None)
            await until(db, "done", "next")
    assert told.of == [("a1", "cancelled")]


async def test_a_job_that_fails_while_it_is_cancelled_is_cancelled(db: Database) -> None:
    told = Told()

    async def do(_: Job) -> None:
        await db.write(jobs.cancel, now(), "film", "a1")
        raise OSError("the file went away")

    await queue(db)
    async with working(a_worker(db, do, told)):
        assert await until(db, "cancelled") == ("cancelled", 1, None)
    assert told.of == [("a1", "cancelled")]


async def test_a_removed_work_ends_its_running_job_and_the_worker_goes_on(db: Database) -> None:
    """`gave_up` has nobody to tell: the row is gone."""
    work = await db.write(a_work)
    film = await db.write(an_asset, work.id)
    await db.write(lambda tx: tx.execute(table.update().values(kind="film")))
    begun = asyncio.Event()

    async def do(job: Job) -> None:
        if job.subject == "next":
            return
        begun.set()
        while True:
            await db.write(assets.add_rendition, now(), job.subject, a_rendition(job.subject))
            await asyncio.sleep(0.01)

    async def gave_up(job: Job, error: ShowcaseError) -> None:
        await db.write(assets.report, now(), job.subject, state="cancelled", error={"code": error.code})

    async with working(Worker(db, {"film": do}, gave_up, attempts=3)):
        await begun.wait()
        await db.write(works.delete, now(), work.id)
        await queue(db, "next")
        await until(db, "done", "next")

    def ended(tx: sa.Connection) -> list[tuple[str, str, str]]:
        columns = (table.c.kind, table.c.subject, table.c.state)
        return [tuple(r) for r in tx.execute(sa.select(*columns).order_by(table.c.id))]

    # The job itself was renamed for this test, so nobody cancelled it: its rendition found no file any more.
    assert await db.read(ended) == [
        ("film", film.id, "cancelled"),
        ("remove-files", film.id, "queued"),
        ("film", "next", "done"),
    ]


async def test_a_gave_up_that_crashes_does_not_keep_the_job_nor_the_worker(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def do(job: Job) -> None:
        if job.subject == "a1":
            raise MediaError("empty")

    async def gave_up(_: Job, __: ShowcaseError) -> None:
        raise ValueError("nobody there")

    await queue(db)
    await queue(db, "next")
    async with working(Worker(db, {"film": do}, gave_up, attempts=3)):
        assert await until(db, "failed") == (
            "failed",
            1,
            "The file is empty. Choose it again, or export it once more.",
        )
        await until(db, "done", "next")
    assert [r.exc_info[0] for r in caplog.records if r.exc_info] == [ValueError]


async def test_a_worker_that_stops_gives_its_job_back_uncounted(db: Database) -> None:
    begun, cleaned = asyncio.Event(), asyncio.Event()

    async def do(_: Job) -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.02)  # a child process takes a moment to end
            cleaned.set()

    await queue(db)
    async with working(a_worker(db, do)):
        await begun.wait()
    assert cleaned.is_set()
    assert await db.read(row, "a1") == ("queued", 0, None)
    job = await db.write(jobs.claim, now(), "another")
    assert job is not None
    assert job.attempt == 1


async def test_a_worker_that_stops_at_any_moment_leaves_no_job_behind(db: Database) -> None:
    """Given back or done, never held: whatever the worker was just doing when it was told to stop."""

    async def do(_: Job) -> None:
        await asyncio.sleep(0.005)

    for n in range(25):
        await queue(db, f"a{n}")
        task = asyncio.create_task(a_worker(db, do).run())
        await asyncio.sleep(n * 0.002)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert set(await db.read(jobs.counts)) <= {"queued", "done"}
    async with working(a_worker(db, do)):
        while await db.read(jobs.counts) != {"done": 25}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_worker_whose_lease_was_lost_stops_and_changes_nothing(db: Database) -> None:
    told = Told()
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def do(_: Job) -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    await queue(db)
    async with working(a_worker(db, do, told)):
        await begun.wait()
        taken = await db.write(jobs.claim, now() + LEASE + timedelta(seconds=1), "another")
        assert taken is not None
        await stopped.wait()
        await queue(db, "next")
        await until(db, "running", "next")
        assert await db.read(row, "a1") == ("running", 2, None)
        assert await db.read(jobs.standing, taken.id, "another") == "running"
    assert told.of == []


async def test_a_lease_is_renewed_while_the_work_goes_on(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LEASE", timedelta(seconds=0.2))
    monkeypatch.setattr(loop, "LOOK_EVERY", 0.02)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def do(_: Job) -> None:
        begun.set()
        await go_on.wait()

    def lease(tx: sa.Connection) -> datetime:
        until = tx.scalar(sa.select(table.c.lease_until))
        assert until is not None
        return until

    await queue(db)
    async with working(a_worker(db, do)):
        await begun.wait()
        first = await db.read(lease)
        while await db.read(lease) <= first:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        go_on.set()
        assert await until(db, "done") == ("done", 1, None)


async def test_a_job_that_is_cancelled_from_within_is_a_crash_and_not_the_end_of_the_worker(db: Database) -> None:
    async def do(job: Job) -> None:
        if job.subject == "a1":
            raise asyncio.CancelledError

    await queue(db)
    await queue(db, "next")
    async with working(a_worker(db, do, attempts=1)):
        assert await until(db, "failed") == ("failed", 1, "RuntimeError('it was cancelled from within')")
        await until(db, "done", "next")


async def test_a_database_that_is_not_there_yet_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'later' / 'showcase.db'}"
    db = Database(url)

    async def do(_: Job) -> None:
        pass

    async with working(a_worker(db, do)) as (task,):
        await asyncio.sleep(0.2)
        assert not task.done()
        # A file without tables: the migration is not through yet.
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "showcase.db").touch()
        while not any("cannot ask for jobs" in r.getMessage() for r in caplog.records):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.to_thread(migrate, url)
        await queue(db)
        await until(db, "done")
    await db.close()


class Leaving(Database):
    """A database that can be sent away: a network that breaks cannot be had in a test."""

    away = False

    async def read(self, f: Any, *args: Any, **kwargs: Any) -> Any:
        if self.away:
            raise Unavailable("database-away")
        return await super().read(f, *args, **kwargs)

    async def write(self, f: Any, *args: Any, **kwargs: Any) -> Any:
        if self.away:
            raise Unavailable("database-away")
        return await super().write(f, *args, **kwargs)


@pytest.mark.parametrize("fails", [False, True])
async def test_work_goes_on_while_the_database_is_away_and_its_end_is_stored_later(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    monkeypatch.setattr(loop, "LOOK_EVERY", 0.02)
    told = Told()
    here, leaving = Database(sqlite_url), Leaving(sqlite_url)
    begun, go_on = asyncio.Event(), asyncio.Event()
    begins: list[str] = []

    async def do(job: Job) -> None:
        begins.append(job.subject)
        begun.set()
        await go_on.wait()
        if fails:
            raise MediaError("no-sound")

    await queue(here)
    async with working(a_worker(leaving, do, told)):
        await begun.wait()
        leaving.away = True
        await asyncio.sleep(0.2)
        go_on.set()
        await asyncio.sleep(0.2)
        assert await here.read(row, "a1") == ("running", 1, None)
        leaving.away = False
        assert (await until(here, "failed" if fails else "done"))[:2] == ("failed" if fails else "done", 1)
    assert begins == ["a1"]
    assert told.of == ([("a1", "no-sound")] if fails else [])
    await here.close()
    await leaving.close()


async def test_a_worker_stops_also_while_the_database_is_away(sqlite_url: str) -> None:
    here, leaving = Database(sqlite_url), Leaving(sqlite_url)
    begun = asyncio.Event()

    async def do(_: Job) -> None:
        begun.set()
        await asyncio.sleep(3600)

    await queue(here)
    async with working(a_worker(leaving, do)) as (task,):
        await begun.wait()
        leaving.away = True
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
    # Its lease runs out, then another worker takes it.
    assert await here.read(row, "a1") == ("running", 1, None)
    assert await here.write(jobs.claim, now() + LEASE + timedelta(seconds=1), "another") is not None
    await here.close()
    await leaving.close()
