"""Work to be done later, by whoever takes it. A job is held by a lease: when its worker dies, another takes over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from showcase.errors import Cancelled, ShowcaseError
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import jobs

LEASE = timedelta(seconds=20)


class LostLease(ShowcaseError):
    """Another worker has the job now."""

    code = "lost-lease"


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `subject` is what it is about (an asset's id); `attempt` counts from 1; `worker` holds it."""

    id: int
    kind: str
    subject: str
    payload: Mapping[str, Any]
    attempt: int
    worker: str = field(default="", compare=False)


def enqueue(
    tx: sa.Connection,
    now: datetime,
    kind: str,
    subject: str,
    payload: Mapping[str, Any] | None = None,
    *,
    priority: int = 0,
    delay: timedelta = timedelta(0),
) -> None:
    """Add a job. If the same one waits already, it gets this payload and time. Higher `priority` goes first."""
    one_at_a_time(tx, f"queue {kind} {subject}")
    waiting = sa.and_(jobs.c.kind == kind, jobs.c.subject == subject, jobs.c.state == "queued")
    if tx.execute(jobs.update().where(waiting).values(payload=dict(payload or {}), run_after=now + delay)).rowcount:
        return
    tx.execute(
        jobs.insert().values(
            kind=kind,
            subject=subject,
            payload=dict(payload or {}),
            state="queued",
            priority=priority,
            attempts=0,
            run_after=now + delay,
            created_at=now,
        )
    )
    emit(tx, now, "job", kind=kind)


def claim(tx: sa.Connection, now: datetime, worker: str, kinds: Collection[str] | None = None) -> Job | None:
    """Take the next job that is due, or one whose worker let its lease run out; None when there is none.

    `kinds` are those the worker knows (None: any).
    """
    due = sa.or_(
        sa.and_(jobs.c.state == "queued", jobs.c.run_after <= now),
        sa.and_(jobs.c.state.in_(("running", "cancelling")), jobs.c.lease_until < now),
    )
    if kinds is not None:
        due = sa.and_(due, jobs.c.kind.in_(list(kinds)))
    row = tx.execute(
        sa.select(jobs.c.id, jobs.c.kind, jobs.c.subject, jobs.c.payload, jobs.c.attempts)
        .where(due)
        .order_by(jobs.c.priority.desc(), jobs.c.run_after, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    tx.execute(
        jobs.update()
        .where(jobs.c.id == row.id)
        .values(
            state=sa.case((jobs.c.state == "cancelling", "cancelling"), else_="running"),
            worker=worker,
            lease_until=now + LEASE,
            attempts=jobs.c.attempts + 1,
        )
    )
    return Job(row.id, row.kind, row.subject, row.payload, row.attempts + 1, worker)


def renew(tx: sa.Connection, now: datetime, job: int, worker: str) -> bool:
    """Hold on to a job; False when it is no longer this worker's."""
    changed = tx.execute(jobs.update().where(jobs.c.id == job, jobs.c.worker == worker).values(lease_until=now + LEASE))
    return changed.rowcount == 1


def standing(tx: sa.Connection, job: int, worker: str) -> str:
    """The state of a job as its worker must see it: `running`, `cancelling`, or `lost` to another worker."""
    row = tx.execute(sa.select(jobs.c.state, jobs.c.worker).where(jobs.c.id == job)).first()
    if row is None or row.worker != worker or row.state not in ("running", "cancelling"):
        return "lost"
    return str(row.state)


def hold(tx: sa.Connection, job: Job) -> None:
    """Go on only while a job is its worker's. Raises Cancelled, LostLease."""
    if (found := standing(tx, job.id, job.worker)) != "running":
        raise Cancelled() if found == "cancelling" else LostLease()


def finish(
    tx: sa.Connection,
    now: datetime,
    job: int,
    state: str = "done",
    error: str | None = None,
    *,
    worker: str | None = None,
) -> bool:
    """End a job as `done`, `failed` or `cancelled`, with a readable reason; with `worker`, only one it still holds.

    One that is being cancelled ends as `cancelled` and not otherwise. Returns whether it ended.
    """
    mine = _held(job, worker)
    if state != "cancelled":
        mine = sa.and_(mine, jobs.c.state != "cancelling")
    changed = tx.execute(jobs.update().where(mine).values(state=state, error=error, finished_at=now, lease_until=None))
    return changed.rowcount == 1


def put_back(
    tx: sa.Connection,
    now: datetime,
    job: int,
    error: str,
    delay: timedelta,
    *,
    worker: str | None = None,
    waits: int | None = None,
) -> bool:
    """Let a job be tried again after `delay`; with `worker`, only one it still holds.

    `waits`: it is the so many-th time that it waits for something that is not its fault, and that is no attempt.
    Returns False, and leaves it as it is, when it is being cancelled or was lost.
    """
    mine = sa.and_(_held(job, worker), jobs.c.state == "running")
    values: dict[str, Any] = {"state": "queued", "error": error, "worker": None, "lease_until": None}
    if waits is not None:
        payload = tx.scalar(sa.select(jobs.c.payload).where(mine)) or {}
        values |= {"payload": {**payload, "waits": waits}, "attempts": jobs.c.attempts - 1}
    return tx.execute(jobs.update().where(mine).values(**values, run_after=now + delay)).rowcount == 1


def give_back(tx: sa.Connection, now: datetime, job: int, *, worker: str | None = None) -> None:
    """A worker that stops hands its job over at once, and it does not count as an attempt.

    A job that is being cancelled goes to the next worker as well, who brings that to its end.
    """
    # No worker holds it now, as if its lease had run out.
    open_again = sa.literal(now - timedelta(microseconds=1), jobs.c.lease_until.type)
    tx.execute(
        jobs.update()
        .where(_held(job, worker), jobs.c.state.in_(("running", "cancelling")))
        .values(
            state=sa.case((jobs.c.state == "running", "queued"), else_=jobs.c.state),
            worker=None,
            lease_until=sa.case((jobs.c.state == "cancelling", open_again)),
            run_after=now,
            attempts=jobs.c.attempts - 1,
        )
    )


def _held(job: int, worker: str | None) -> sa.ColumnElement[bool]:
    return jobs.c.id == job if worker is None else sa.and_(jobs.c.id == job, jobs.c.worker == worker)


def cancel(tx: sa.Connection, now: datetime, kind: str, subject: str) -> bool:
    """End the jobs of `kind` about `subject`: waiting ones at once, a running one is told. Returns whether one runs."""
    mine = sa.and_(jobs.c.kind == kind, jobs.c.subject == subject)
    tx.execute(jobs.update().where(mine, jobs.c.state == "queued").values(state="cancelled", finished_at=now))
    running = jobs.c.state.in_(("running", "cancelling"))
    return tx.execute(jobs.update().where(mine, running).values(state="cancelling")).rowcount > 0


def held(tx: sa.Connection) -> set[int]:
    """The jobs that some worker holds."""
    return set(tx.scalars(sa.select(jobs.c.id).where(jobs.c.state.in_(("running", "cancelling")))))


def counts(tx: sa.Connection) -> dict[str, int]:
    """How many jobs are in each state."""
    return {state: n for state, n in tx.execute(sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state))}


def oldest_waiting(tx: sa.Connection) -> datetime | None:
    """Since when the job that waits longest could be done (in the future where all are to wait); None without any."""
    oldest: datetime | None = tx.scalar(sa.select(sa.func.min(jobs.c.run_after)).where(jobs.c.state == "queued"))
    return oldest


def failed(tx: sa.Connection, limit: int) -> list[sa.Row[Any]]:
    """The newest failed jobs with their reasons."""
    return list(
        tx.execute(
            sa.select(jobs.c.id, jobs.c.kind, jobs.c.subject, jobs.c.error, jobs.c.attempts, jobs.c.finished_at)
            .where(jobs.c.state == "failed")
            .order_by(jobs.c.id.desc())
            .limit(limit)
        )
    )


def prune(tx: sa.Connection, before: datetime) -> int:
    """Forget jobs that ended before `before`."""
    return tx.execute(jobs.delete().where(jobs.c.finished_at < before)).rowcount
