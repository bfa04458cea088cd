"""A worker as a process: opens what it needs, does jobs until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping

from showcase.errors import ShowcaseError
from showcase.media import ffmpeg
from showcase.media.spool import Spool
from showcase.media.storage import Storage
from showcase.settings import Settings
from showcase.store.database import Database, is_sqlite
from showcase.store.events import Event
from showcase.store.feed import Feed
from showcase.store.jobs import Job
from showcase.worker.chores import Chores
from showcase.worker.filler import Filler
from showcase.worker.loop import Do, Worker
from showcase.worker.process import Processor

# Who does what, each one at a time: films take minutes, and a mail or a caption file must not wait for them; nor must
# the first quality of one film wait for the last of another.
LANES: tuple[tuple[str, ...], ...] = (
    ("process", "level"),
    ("ladder",),
    ("captions", "poster", "slate", "still", "mail", "remove-files", "old-sounds", "sweep"),
)

log = logging.getLogger(__name__)


async def run(settings: Settings, *, child: bool) -> None:
    """Work until SIGTERM or SIGINT; as a `child` of a server, until standard input is closed."""
    binary = await asyncio.to_thread(ffmpeg.binary, settings.ffmpeg)
    db = Database(settings.database_url)
    storage = Storage(settings.data / "files")
    processor = Processor(db, storage, settings, binary)
    chores = Chores(db, storage, Spool(settings.data / "uploads"), settings)
    filler = Filler(db, storage, settings, binary)
    kinds: Mapping[str, Do] = {
        "process": processor.process,
        "captions": processor.process,
        "ladder": processor.ladder,
        "level": processor.level,
        "old-sounds": processor.old_sounds,
        "poster": processor.poster,
        "slate": filler.slate,
        "still": filler.still,
        "mail": chores.mail,
        "remove-files": chores.remove_files,
        "sweep": chores.sweep,
    }

    async def gave_up(job: Job, error: ShowcaseError) -> None:
        # A mail that could not be sent shows its reason in the outbox already.
        if job.kind in ("process", "ladder", "captions", "level", "poster"):
            await processor.gave_up(job, error)

    workers = [Worker(db, {k: kinds[k] for k in lane}, gave_up, attempts=settings.job_attempts) for lane in LANES]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(worker.run(), name=f"worker {worker.name}") for worker in workers]

            def wake() -> None:
                for worker in workers:
                    worker.wake()

            if child:
                db.changed = _tell_parent
                tasks.append(group.create_task(_listen(wake, stop), name="parent"))
            elif not is_sqlite(settings.database_url):
                feed = Feed(db)

                def changed(event: Event) -> None:
                    if event.topic == "job":
                        wake()

                feed.watch(changed)
                tasks.append(group.create_task(feed.run(), name="feed"))
            log.info("worker %s is ready (%s)", workers[0].name, binary)
            await stop.wait()
            for task in tasks:
                task.cancel()
    finally:
        await db.close()


def _tell_parent() -> None:
    # The parent reads this and looks at the table of events at once; it may be gone already.
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), b"\n")


async def _listen(wake: Callable[[], None], stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        wake()
    stop.set()
