"""The loop of a worker: claim a job, hold its lease while it runs, store how it ended.

A worker that is killed loses nothing: its lease runs out, another worker takes the job, and what was already stored
(renditions, rung by rung) is not made again. Attempts are bounded, failures keep a readable reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from showcase.core import failures
from showcase.errors import Cancelled, NotFound, ShowcaseError, Unavailable
from showcase.store import jobs
from showcase.store.database import Database
from showcase.store.jobs import LEASE, Job, LostLease

log = logging.getLogger(__name__)

# A cancelled job must end within a second.
LOOK_EVERY = 0.4
IDLE = 2.0
RETRY = timedelta(seconds=15)
# What is nobody's fault is waited for, in minutes from one time to the next, and that does not count as an attempt.
WAITS: Mapping[str, tuple[float, ...]] = {
    "disk-full": (1, 2, 5, 10, 15),
    "film-not-ready": (0.25, 0.5, 1),
    "mail-not-sent": (1, 5, 15, 60, 180, 360, 720),
}
WITHOUT_END = ("disk-full", "film-not-ready")

Do = Callable[[Job], Awaitable[None]]
GaveUp = Callable[[Job, ShowcaseError], Awaitable[None]]
T = TypeVar("T")


class Worker:
    """Does jobs of the kinds it is given, one at a time."""

    def __init__(self, db: Database, kinds: Mapping[str, Do], gave_up: GaveUp, *, attempts: int) -> None:
        self._db, self._kinds, self._gave_up, self._attempts = db, kinds, gave_up, attempts
        self._wake = asyncio.Event()
        self.name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}"

    def wake(self) -> None:
        """There may be something to do: look now."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled. A database that is away is waited for."""
        while True:
            self._wake.clear()
            job = None
            try:
                job = await self._claim()
            except Unavailable as error:
                log.warning("worker %s: %s, trying again", self.name, error)
            except Exception:
                # As long as the first migration is not through there are no tables.
                log.exception("worker %s cannot ask for jobs, trying again", self.name)
            if job is not None:
                await self._do(job)
                continue
            try:
                async with asyncio.timeout(IDLE):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _claim(self) -> Job | None:
        claiming = asyncio.create_task(self._db.write(jobs.claim, datetime.now(UTC), self.name, list(self._kinds)))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # Told to stop, and it may have a job by now: nobody should have to wait until its lease runs out.
            with contextlib.suppress(Unavailable):
                if (job := await claiming) is not None:
                    await self._db.write(jobs.give_back, datetime.now(UTC), job.id, worker=self.name)
            raise

    async def _do(self, job: Job) -> None:
        log.info("job %d: %s %s, attempt %d", job.id, job.kind, job.subject, job.attempt)
        work = asyncio.create_task(self._kind(job), name=f"job {job.id}")
        try:
            await self._settle(job, await self._watch(job, work))
        except asyncio.CancelledError:
            await _stop(work)
            at = datetime.now(UTC)
            try:
                done = not work.cancelled() and work.exception() is None
                if not (done and await self._db.write(jobs.finish, at, job.id, worker=self.name)):
                    await self._db.write(jobs.give_back, at, job.id, worker=self.name)
            except Unavailable:
                log.warning("job %d: the database is away, its lease will run out", job.id)
            raise

    async def _kind(self, job: Job) -> None:
        if job.attempt > self._attempts:
            # It was taken this often and never ended: its workers died of it.
            raise WorkerDied()
        await self._kinds[job.kind](job)

    async def _watch(self, job: Job, work: asyncio.Task[None]) -> BaseException | None:
        """Hold the lease for as long as the work takes; returns what ended it, None when it is done."""
        loop = asyncio.get_running_loop()
        renewed, away = loop.time(), False
        while True:
            await asyncio.wait([work], timeout=LOOK_EVERY)
            if work.done():
                return RuntimeError("it was cancelled from within") if work.cancelled() else work.exception()
            try:
                standing = await self._db.read(jobs.standing, job.id, self.name)
                if standing == "running" and loop.time() - renewed > LEASE.total_seconds() / 4:
                    await self._db.write(jobs.renew, datetime.now(UTC), job.id, self.name)
                    renewed = loop.time()
            except Unavailable as error:
                # The work may not need it. Whether the job is still ours is asked when the database is back.
                if not away:
                    log.warning("job %d: %s, working on", job.id, error)
                away = True
                continue
            away = False
            if standing != "running":
                await _stop(work)
                return Cancelled() if standing == "cancelling" else LostLease()

    async def _settle(self, job: Job, error: BaseException | None) -> None:
        """Store how a job ended."""
        if error is not None and not isinstance(error, (Cancelled, LostLease)):
            # A job that fails because what it is about was removed is cancelled, not tried again.
            error = await self._ended(job) or error
        match error:
            case None:
                await self._cancelled_unless(job, await self._finish(job, "done"))
            case LostLease():
                log.warning("job %d: the lease was lost, another worker has it", job.id)
            case NotFound():
                # What it was about is gone; there is nothing left to do.
                await self._finish(job, "cancelled")
            case Cancelled():
                await self._give_up(job, error)
                await self._finish(job, "cancelled")
                log.info("job %d cancelled", job.id)
            case ShowcaseError():
                reason = failures.sentence(error.code, error.params) if error.code in failures.FAILURES else str(error)
                await self._failed(job, error, again=error.status >= 500, reason=reason)
            case _:
                # A job must not end the worker; its crash is logged and counted.
                log.error("job %d crashed", job.id, exc_info=error)
                await self._failed(job, ShowcaseError("worker-failed"), again=True, reason=repr(error))

    async def _ended(self, job: Job) -> ShowcaseError | None:
        """Why a job is not this worker's to go on with; None when it is."""
        standing = await self._surely(lambda: self._db.read(jobs.standing, job.id, self.name))
        return {"running": None, "cancelling": Cancelled()}.get(standing, LostLease())

    async def _failed(self, job: Job, error: ShowcaseError, *, again: bool, reason: str) -> None:
        reason = reason[:1000]
        waits = int(job.payload.get("waits", 0))
        wait = _wait(error.code, waits) if again else None
        if wait is not None or (again and job.attempt < self._attempts):
            log.warning("job %d failed (%s), it will be tried again", job.id, reason)
            delay, waited = (RETRY * job.attempt, None) if wait is None else (wait, waits + 1)
            await self._cancelled_unless(job, await self._put_back(job, reason, delay, waited))
            return
        log.warning("job %d failed for good: %s", job.id, reason)
        await self._give_up(job, error)
        await self._cancelled_unless(job, await self._finish(job, "failed", reason))

    async def _cancelled_unless(self, job: Job, stored: bool) -> None:
        """How a job ended could not be stored where it was cancelled in its last moment, or lost."""
        if not stored and (error := await self._ended(job)) is not None:
            await self._settle(job, error)

    async def _put_back(self, job: Job, reason: str, delay: timedelta, waits: int | None) -> bool:
        at = datetime.now(UTC)
        return await self._surely(
            lambda: self._db.write(jobs.put_back, at, job.id, reason, delay, worker=self.name, waits=waits)
        )

    async def _finish(self, job: Job, state: str, reason: str | None = None) -> bool:
        return await self._surely(
            lambda: self._db.write(jobs.finish, datetime.now(UTC), job.id, state, reason, worker=self.name)
        )

    async def _give_up(self, job: Job, error: ShowcaseError) -> None:
        """Tell whoever waits for the job. When that fails, the job still ends."""
        try:
            await self._surely(lambda: self._gave_up(job, error))
        except NotFound:
            log.info("job %d: what it was about is gone", job.id)
        except Exception:
            log.exception("job %d: nobody could be told that it failed", job.id)

    async def _surely(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until the database is there."""
        while True:
            try:
                return await call()
            except Unavailable as error:
                log.warning("worker %s: %s, trying again", self.name, error)
                await asyncio.sleep(IDLE)


def _wait(code: str, waits: int) -> timedelta | None:
    """How long to wait after having waited so often for the same; None where there is no waiting, or no longer."""
    minutes = WAITS.get(code, ())
    if minutes and code in WITHOUT_END:
        return timedelta(minutes=minutes[min(waits, len(minutes) - 1)])
    return timedelta(minutes=minutes[waits]) if waits < len(minutes) else None


async def _stop(work: asyncio.Task[None]) -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


class WorkerDied(ShowcaseError):
    """A job whose workers died each time."""

    status = 422
    code = "worker-failed"
