"""The in-process bus of events: one reader of the table, many listeners, each with a bounded queue.

It is woken by this process's own commits, by its children through a pipe (`wake`), by NOTIFY on PostgreSQL, and on
SQLite by looking every `poll` seconds for what other processes wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import sqlalchemy as sa

from showcase.errors import Unavailable
from showcase.metrics import DROPPED_EVENTS, LISTENERS
from showcase.store import events
from showcase.store.database import Database, is_sqlite
from showcase.store.events import Event

log = logging.getLogger(__name__)

QUEUE = 256
OVERLAP = 100
BATCH = 500


class Feed:
    """Hands each event to every listener. Run `run` as a task of the process."""

    def __init__(self, db: Database, *, poll: float = 0.5) -> None:
        self._db = db
        self._poll = poll
        self._wake = asyncio.Event()
        self._queues: set[asyncio.Queue[Event]] = set()
        self._watchers: list[Callable[[Event], None]] = []
        self._overlap = 0 if is_sqlite(db.url) else OVERLAP
        self._seen: deque[int] = deque(maxlen=OVERLAP * 8)

    def wake(self) -> None:
        """Look now instead of at the next poll."""
        self._wake.set()

    def watch(self, call: Callable[[Event], None]) -> None:
        """Call `call` with each event for as long as the process lives (caches)."""
        self._watchers.append(call)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[Event]]:
        """A queue of the events from now on. A listener that falls behind loses its oldest, counted."""
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
        self._queues.add(queue)
        LISTENERS.inc()
        try:
            yield queue
        finally:
            self._queues.discard(queue)
            LISTENERS.dec()

    async def run(self) -> None:
        """Read the table until cancelled. A database that is away is waited for."""
        last: int | None = None
        while True:
            try:
                async with self._listening() as lost:
                    if last is None:
                        last = await self._start()
                    while not lost.is_set():
                        # Before looking: who commits while this looks is looked for again.
                        self._wake.clear()
                        last, more = await self._pass_on(last)
                        if more:
                            continue
                        try:
                            async with asyncio.timeout(self._poll if not self._overlap else 5):
                                await self._wake.wait()
                        except TimeoutError:
                            continue
                log.warning("feed: the connection to the database was lost, listening anew")
            except (Unavailable, sa.exc.SQLAlchemyError) as error:
                log.warning("feed: the database is away (%s), trying again", error)
                await asyncio.sleep(1)

    async def _start(self) -> int:
        """From the newest event on; what is older was told before this process lived."""
        last = await self._db.read(events.newest_id)
        if self._overlap:
            self._seen.extend(e.id for e in await self._db.read(events.since, last - self._overlap) if e.id <= last)
        return last

    async def _pass_on(self, last: int) -> tuple[int, bool]:
        """Hand out what is new; returns the newest id and whether there may be more at once."""
        found = await self._db.read(events.since, last - self._overlap, BATCH)
        for event in found:
            if self._overlap:
                if event.id in self._seen:
                    continue
                self._seen.append(event.id)
            for call in self._watchers:
                try:
                    call(event)
                except Exception:
                    log.exception("feed: a watcher failed at event %d (%s)", event.id, event.topic)
            for queue in self._queues:
                if queue.full():
                    queue.get_nowait()
                    DROPPED_EVENTS.inc()
                queue.put_nowait(event)
        return max([last, *(e.id for e in found)]), len(found) == BATCH

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncio.Event]:
        """Be woken by NOTIFY on PostgreSQL; yields what is set when that connection is lost. Raises Unavailable."""
        lost = asyncio.Event()
        if not self._overlap:
            yield lost
            return
        import asyncpg

        def ended(_: object) -> None:
            lost.set()
            self.wake()

        url = sa.make_url(self._db.url).set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            connection = await asyncpg.connect(url, timeout=10)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable("database-away") from error
        try:
            try:
                connection.add_termination_listener(ended)
                await connection.add_listener(events.CHANNEL, lambda *_: self.wake())
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise Unavailable("database-away") from error
            yield lost
        finally:
            # It may be dead already; what it listened to does not matter any more.
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=2)
