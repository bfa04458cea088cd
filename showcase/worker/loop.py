"""The loop of a worker: claim a job, hold its lease while it runs, store how it ended.

A worker that is killed loses nothing: its lease runs out, another worker takes the job, and what was already stored
(renditions, rung by rung) is not made again. Attempts are bounded, failures keep a readable reason.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from showcase.errors import Cancelled, NotFound, ShowcaseError, Unavailable
from showcase.store import jobs
from showcase.store.database import Database
from showcase.store.jobs import LEASE, Job

log = logging.getLogger(__name__)

# A cancelled job must end within a second.
LOOK_EVERY = 0.4
IDLE = 2.0
RETRY = timedelta(seconds=15)

Do = Callable[[Job], Awaitable[None]]
GaveUp = Callable[[Job, ShowcaseError], Awaitable[None]]


class LostLease(ShowcaseError):
    """Another worker has the job now."""

    code = "lost-lease"


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
            try:
                job = await self._db.write(jobs.claim, datetime.now(UTC), self.name)
                if job is not None:
                    await self._do(job)
                    continue
            except Unavailable as error:
                log.warning("worker %s: %s, trying again", self.name, error)
            try:
                async with asyncio.timeout(IDLE):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _do(self, job: Job) -> None:
        log.info("job %d: %s %s, attempt %d", job.id, job.kind, job.subject, job.attempt)
        work = asyncio.create_task(self._kind(job), name=f"job {job.id}")
        try:
            await self._watch(job, work)
            await work
        except asyncio.CancelledError:
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
            await self._db.write(jobs.give_back, datetime.now(UTC), job.id)
            raise
        except Cancelled as error:
            await self._gave_up(job, error)
            await self._db.write(jobs.finish, datetime.now(UTC), job.id, "cancelled")
            log.info("job %d cancelled", job.id)
        except LostLease:
            log.warning("job %d: the lease was lost, another worker has it", job.id)
        except NotFound:
            # What it was about is gone; there is nothing left to do.
            await self._db.write(jobs.finish, datetime.now(UTC), job.id, "cancelled")
        except ShowcaseError as error:
            await self._failed(job, error, again=error.status >= 500)
        except Exception as error:  # noqa: BLE001 - a job must not end the worker; the crash is logged and counted
            log.error("job %d crashed", job.id, exc_info=error)
            await self._failed(job, ShowcaseError("worker-failed"), again=True, reason=repr(error))
        else:
            await self._db.write(jobs.finish, datetime.now(UTC), job.id)

    async def _kind(self, job: Job) -> None:
        if job.attempt > self._attempts:
            # It was taken this often and never ended: its workers died of it.
            raise WorkerDied()
        await self._kinds[job.kind](job)

    async def _watch(self, job: Job, work: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while not work.done():
            await asyncio.wait([work], timeout=LOOK_EVERY)
            if work.done():
                return
            standing = await self._db.read(jobs.standing, job.id, self.name)
            if standing != "running":
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                raise Cancelled() if standing == "cancelling" else LostLease()
            if loop.time() - renewed > LEASE.total_seconds() / 4:
                renewed = loop.time()
                await self._db.write(jobs.renew, datetime.now(UTC), job.id, self.name)

    async def _failed(self, job: Job, error: ShowcaseError, *, again: bool, reason: str | None = None) -> None:
        at = datetime.now(UTC)
        reason = (reason or str(error))[:1000]
        if again and job.attempt < self._attempts:
            log.warning("job %d failed (%s), it will be tried again", job.id, reason)
            await self._db.write(jobs.put_back, at, job.id, reason, RETRY * job.attempt)
            return
        log.warning("job %d failed for good: %s", job.id, reason)
        await self._gave_up(job, error)
        await self._db.write(jobs.finish, at, job.id, "failed", reason)


class WorkerDied(ShowcaseError):
    """A job whose workers died each time."""

    status = 422
    code = "worker-failed"
