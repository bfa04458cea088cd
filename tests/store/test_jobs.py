"""Jobs: claimed once, held by a lease, tried a bounded number of times, cancelled."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.errors import Cancelled
from showcase.store import events, jobs
from showcase.store.database import Database
from showcase.store.jobs import LEASE, Job
from showcase.store.tables import jobs as table
from tests.store.rows import DAY, HOUR, NOW, SECOND


def row(tx: sa.Connection, subject: str) -> dict[str, Any]:
    """How a job stands, by its subject."""
    columns = (table.c.state, table.c.worker, table.c.attempts, table.c.error, table.c.lease_until, table.c.finished_at)
    return dict(tx.execute(sa.select(*columns).where(table.c.subject == subject)).one()._mapping)


def state(tx: sa.Connection, subject: str) -> str:
    return str(row(tx, subject)["state"])


async def claim(db: Database, worker: str = "w1", at: datetime = NOW) -> Job | None:
    return await db.write(jobs.claim, at, worker)


async def claimed(db: Database, worker: str = "w1", at: datetime = NOW) -> Job:
    job = await claim(db, worker, at)
    assert job is not None
    return job


async def test_a_job_is_claimed_with_what_it_is_about_and_ends_as_done(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1", {"rungs": [360, 720]})
    job = await claimed(db)
    assert job == Job(job.id, "process", "a1", {"rungs": [360, 720]}, 1)
    assert await db.read(row, "a1") == {
        "state": "running",
        "worker": "w1",
        "attempts": 1,
        "error": None,
        "lease_until": NOW + LEASE,
        "finished_at": None,
    }
    assert await claim(db, "w2") is None
    await db.write(jobs.finish, NOW + SECOND, job.id)
    assert await db.read(row, "a1") == {
        "state": "done",
        "worker": "w1",
        "attempts": 1,
        "error": None,
        "lease_until": None,
        "finished_at": NOW + SECOND,
    }
    assert await claim(db, "w2", NOW + DAY) is None


async def test_nothing_waits_in_an_empty_queue(db: Database) -> None:
    assert await claim(db) is None


async def test_claimers_at_once_get_one_job_each(db: Database) -> None:
    for n in range(30):
        await db.write(jobs.enqueue, NOW, "process", f"a{n}")
    got = await asyncio.gather(*(claim(db, f"w{n}") for n in range(40)))
    assert sorted(j.subject for j in got if j is not None) == sorted(f"a{n}" for n in range(30))
    # PostgreSQL skips rows that others are looking at, so somebody may have gone away with nothing: but never two.
    assert await db.read(jobs.counts) == {"running": 30}


async def test_the_same_job_waits_once(db: Database) -> None:
    await asyncio.gather(*(db.write(jobs.enqueue, NOW, "process", "a1") for _ in range(10)))
    await db.write(jobs.enqueue, NOW, "process", "a2")
    await db.write(jobs.enqueue, NOW, "remove-files", "a1")
    assert await db.read(jobs.counts) == {"queued": 3}


async def test_what_waits_already_gets_the_newer_wish(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "poster", "a1", {"at_us": 1}, delay=HOUR)
    await db.write(jobs.enqueue, NOW, "poster", "a1", {"at_us": 2})
    assert (await claimed(db)).payload == {"at_us": 2}
    assert await db.read(jobs.counts) == {"running": 1}


async def test_only_who_holds_a_job_may_go_on(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    stalled = await claimed(db, "w1")
    await db.read(jobs.hold, stalled)
    successor = await claimed(db, "w2", NOW + LEASE + SECOND)
    with pytest.raises(jobs.LostLease):
        await db.read(jobs.hold, stalled)
    await db.read(jobs.hold, successor)
    assert await db.read(jobs.held) == {stalled.id}
    await db.write(jobs.cancel, NOW, "process", "a1")
    with pytest.raises(Cancelled):
        await db.read(jobs.hold, successor)
    await db.write(jobs.finish, NOW, successor.id, "cancelled")
    with pytest.raises(jobs.LostLease):
        await db.read(jobs.hold, successor)
    assert await db.read(jobs.held) == set()


async def test_waiting_for_what_is_nobodys_fault_is_no_attempt(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "poster", "a1", {"at_us": 1})
    for waits in (1, 2):
        job = await claimed(db, at=NOW + waits * HOUR)
        assert await db.write(jobs.put_back, NOW, job.id, "disk-full", SECOND, worker="w1", waits=waits) is True
    job = await claimed(db, at=NOW + 3 * HOUR)
    assert (job.attempt, job.payload) == (1, {"at_us": 1, "waits": 2})


async def test_a_job_that_is_cancelled_neither_waits_again_nor_ends_otherwise(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    job = await claimed(db)
    assert await db.write(jobs.cancel, NOW, "process", "a1") is True
    assert await db.write(jobs.put_back, NOW, job.id, "interrupted", SECOND, worker="w1") is False
    assert await db.write(jobs.finish, NOW, job.id, worker="w1") is False
    assert await db.write(jobs.finish, NOW, job.id, "failed", "damaged", worker="w1") is False
    assert await db.read(jobs.standing, job.id, "w1") == "cancelling"
    assert await db.write(jobs.cancel, NOW, "process", "a1") is True
    assert await db.write(jobs.finish, NOW, job.id, "cancelled", worker="w1") is True
    assert await db.write(jobs.cancel, NOW, "process", "a1") is False


async def test_a_job_that_waits_to_be_tried_again_is_cancelled_at_once(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    job = await claimed(db)
    await db.write(jobs.put_back, NOW, job.id, "interrupted", HOUR)
    assert await db.write(jobs.cancel, NOW, "process", "a1") is False
    assert await db.read(state, "a1") == "cancelled"


async def test_it_is_known_how_long_jobs_wait(db: Database) -> None:
    assert await db.read(jobs.oldest_waiting) is None
    await db.write(jobs.enqueue, NOW, "sweep", "", delay=HOUR)
    assert await db.read(jobs.oldest_waiting) == NOW + HOUR
    await db.write(jobs.enqueue, NOW - DAY, "process", "a1")
    assert await db.read(jobs.oldest_waiting) == NOW - DAY
    await claimed(db)
    assert await db.read(jobs.oldest_waiting) == NOW + HOUR


async def test_a_job_may_be_queued_again_while_it_runs(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "sweep", "")
    await claimed(db)
    await db.write(jobs.enqueue, NOW, "sweep", "", delay=HOUR)
    assert await db.read(jobs.counts) == {"queued": 1, "running": 1}


async def test_the_higher_priority_goes_first_then_the_older(db: Database) -> None:
    for subject, priority in (("film1", 0), ("film2", 0), ("captions", 10), ("mail", 20)):
        await db.write(jobs.enqueue, NOW, "any", subject, priority=priority)
    assert [(await claimed(db)).subject for _ in range(4)] == ["mail", "captions", "film1", "film2"]


async def test_a_worker_claims_only_what_it_knows(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    assert await db.write(jobs.claim, NOW, "w1", ["mail", "captions"]) is None
    assert await db.write(jobs.claim, NOW, "w1", []) is None
    job = await db.write(jobs.claim, NOW, "w1", ["mail", "process"])
    assert job == Job(job.id if job else 0, "process", "a1", {}, 1)


async def test_a_delayed_job_waits_for_its_time(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "sweep", "", delay=HOUR)
    assert await claim(db, at=NOW + HOUR - SECOND) is None
    assert (await claimed(db, at=NOW + HOUR)).subject == ""


async def test_another_worker_takes_over_when_a_lease_runs_out(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    first = await claimed(db, "w1")
    assert await claim(db, "w2", NOW + LEASE) is None
    second = await claimed(db, "w2", NOW + LEASE + SECOND)
    assert second == Job(first.id, "process", "a1", {}, 2)
    assert await db.read(jobs.standing, first.id, "w1") == "lost"
    assert await db.read(jobs.standing, first.id, "w2") == "running"
    assert await db.write(jobs.renew, NOW + LEASE + SECOND, first.id, "w1") is False


async def test_a_lease_that_is_renewed_holds(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    job = await claimed(db, "w1")
    assert await db.write(jobs.renew, NOW + LEASE, job.id, "w1") is True
    assert await claim(db, "w2", NOW + LEASE + SECOND) is None
    assert await db.read(jobs.standing, job.id, "w1") == "running"


async def test_every_try_counts_also_those_whose_worker_died(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    at = NOW
    for attempt in range(1, 5):
        assert (await claimed(db, f"w{attempt}", at)).attempt == attempt
        at += LEASE + SECOND


async def test_a_job_that_is_put_back_waits_and_keeps_its_reason(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "mail", "7")
    job = await claimed(db)
    await db.write(jobs.put_back, NOW, job.id, "mail-not-sent", timedelta(seconds=15))
    assert await db.read(row, "7") == {
        "state": "queued",
        "worker": None,
        "attempts": 1,
        "error": "mail-not-sent",
        "lease_until": None,
        "finished_at": None,
    }
    assert await claim(db, at=NOW + 14 * SECOND) is None
    assert (await claimed(db, at=NOW + 15 * SECOND)).attempt == 2


async def test_a_job_that_is_given_back_is_free_at_once_and_was_not_tried(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    job = await claimed(db, "w1")
    await db.write(jobs.give_back, NOW, job.id, worker="w1")
    assert await db.read(row, "a1") == {
        "state": "queued",
        "worker": None,
        "attempts": 0,
        "error": None,
        "lease_until": None,
        "finished_at": None,
    }
    assert (await claimed(db, "w2")).attempt == 1


async def test_a_cancelled_job_that_is_given_back_is_brought_to_its_end_by_the_next_worker(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    job = await claimed(db, "w1")
    await db.write(jobs.cancel, NOW, "process", "a1")
    await db.write(jobs.give_back, NOW, job.id, worker="w1")
    assert await claimed(db, "w2") == job
    assert await db.read(jobs.standing, job.id, "w2") == "cancelling"


async def test_a_worker_that_lost_a_job_changes_nothing_about_it(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    await claimed(db, "w1")
    later = NOW + LEASE + SECOND
    job = await claimed(db, "w2", later)
    there = await db.read(row, "a1")
    await db.write(jobs.finish, later, job.id, "failed", "too late", worker="w1")
    await db.write(jobs.put_back, later, job.id, "too late", SECOND, worker="w1")
    await db.write(jobs.give_back, later, job.id, worker="w1")
    assert await db.read(row, "a1") == there


async def test_cancelling_ends_a_waiting_job_and_tells_a_running_one(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "waiting")
    await db.write(jobs.cancel, NOW + SECOND, "process", "waiting")
    assert await db.read(row, "waiting") == {
        "state": "cancelled",
        "worker": None,
        "attempts": 0,
        "error": None,
        "lease_until": None,
        "finished_at": NOW + SECOND,
    }
    assert await claim(db) is None

    await db.write(jobs.enqueue, NOW, "process", "running")
    await db.write(jobs.enqueue, NOW, "remove-files", "running")
    job = await claimed(db)
    await db.write(jobs.cancel, NOW, "process", "running")
    assert await db.read(jobs.standing, job.id, "w1") == "cancelling"
    # Other kinds of jobs about the same thing go on.
    assert await db.read(jobs.counts) == {"cancelled": 1, "cancelling": 1, "queued": 1}
    await db.write(jobs.finish, NOW, job.id, "cancelled")
    await db.write(jobs.cancel, NOW + HOUR, "process", "running")
    assert (await db.read(jobs.counts))["cancelled"] == 2


async def test_a_worker_that_dies_while_it_is_cancelled_leaves_it_to_another(db: Database) -> None:
    await db.write(jobs.enqueue, NOW, "process", "a1")
    await claimed(db, "w1")
    await db.write(jobs.cancel, NOW, "process", "a1")
    job = await claimed(db, "w2", NOW + LEASE + SECOND)
    assert await db.read(jobs.standing, job.id, "w2") == "cancelling"


async def test_failed_jobs_are_listed_the_newest_first_with_their_reasons(db: Database) -> None:
    for n in range(4):
        await db.write(jobs.enqueue, NOW, "process", f"a{n}")
        job = await claimed(db)
        await db.write(jobs.finish, NOW + n * SECOND, job.id, "failed" if n else "done", f"reason {n}" if n else None)
    listed = await db.read(jobs.failed, 2)
    assert [(r.kind, r.subject, r.error, r.attempts, r.finished_at) for r in listed] == [
        ("process", "a3", "reason 3", 1, NOW + 3 * SECOND),
        ("process", "a2", "reason 2", 1, NOW + 2 * SECOND),
    ]


async def test_old_jobs_are_forgotten_once_they_ended(db: Database) -> None:
    for subject in ("old", "new", "waiting"):
        await db.write(jobs.enqueue, NOW, "process", subject)
    old, new = await claimed(db), await claimed(db)
    await db.write(jobs.finish, NOW - DAY, old.id)
    await db.write(jobs.finish, NOW, new.id)
    assert await db.write(jobs.prune, NOW - HOUR) == 1
    assert await db.read(jobs.counts) == {"done": 1, "queued": 1}


async def test_a_new_job_is_told_to_workers(db: Database) -> None:
    told: list[bool] = []
    db.changed = lambda: told.append(True)
    await db.write(jobs.enqueue, NOW, "process", "a1")
    await db.write(jobs.enqueue, NOW, "process", "a1")
    assert told == [True]
    assert [(e.topic, e.data) for e in await db.read(events.since, 0)] == [("job", {"kind": "process"})]
