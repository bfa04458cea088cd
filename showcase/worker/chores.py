"""The small jobs: mails, removed files, and sweeping up what was left behind."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from showcase.errors import Unavailable
from showcase.media.spool import Spool
from showcase.media.storage import Storage
from showcase.settings import Settings
from showcase.store import assets, channels, events, festivals, jobs, outbox
from showcase.store.database import Database
from showcase.store.jobs import Job

log = logging.getLogger(__name__)

PLACES = ("originals", "media", "pictures")
SWEEP_EVERY = timedelta(minutes=10)
# Bytes without a row may belong to something that is being made right now.
STRAY_AGE_S = 24 * 3600


class Chores:
    """Does `mail`, `remove-files` and `sweep` jobs."""

    def __init__(self, db: Database, storage: Storage, spool: Spool, settings: Settings) -> None:
        self._db, self._storage, self._spool, self._settings = db, storage, spool, settings

    async def mail(self, job: Job) -> None:
        """Send a mail by SMTP. Raises Unavailable, to be tried again."""
        import aiosmtplib

        mail = await self._db.read(outbox.mail, int(job.subject))
        if self._settings.smtp is None or mail.sent_at is not None:
            return
        url = urlsplit(self._settings.smtp.get_secret_value())
        message = EmailMessage()
        message["From"] = self._settings.mail_from
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        message.set_content(mail.body)
        try:
            await aiosmtplib.send(
                message,
                hostname=url.hostname or "localhost",
                port=url.port or (465 if url.scheme == "smtps" else 25),
                username=unquote(url.username) if url.username else None,
                password=unquote(url.password) if url.password else None,
                use_tls=url.scheme == "smtps",
                timeout=30,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            await self._db.write(outbox.not_sent, mail.id, str(error))
            raise Unavailable("mail-not-sent") from error
        await self._db.write(outbox.sent, datetime.now(UTC), mail.id)

    async def remove_files(self, job: Job) -> None:
        """Remove everything that is stored of an asset, of an upload that never became one, or of a festival's picture."""
        if job.subject.isalnum():
            # A festival's picture was never an upload that could go on.
            await self._spool.remove(job.subject)
        for place in PLACES:
            await self._storage.remove(f"{place}/{job.subject}")

    async def sweep(self, job: Job) -> None:
        """Forget what is over, remove what nobody owns, and come back later."""
        at = datetime.now(UTC)
        # First of all: also when this one fails there is a next one.
        await self._db.write(jobs.enqueue, at, "sweep", "", delay=SWEEP_EVERY)
        for id in await self._db.read(assets.expired_uploads, at):
            await self._spool.remove(id)
            await self._db.write(assets.forget_upload, id)
        # What there is before what is known: something that comes meanwhile is known.
        there = await asyncio.to_thread(lambda: list(self._spool.ids()))
        wanted = await self._db.read(assets.unfinished_uploads)
        for id, touched in there:
            if id not in wanted and time.time() - touched > STRAY_AGE_S:
                log.warning("sweep: removing stray upload %s", id)
                await self._spool.remove(id)
        await self._strays()
        await self._db.write(events.prune, at - timedelta(hours=1))
        await self._db.write(jobs.prune, at - timedelta(days=30))
        await self._db.write(channels.forget, at, at - timedelta(days=2))
        for folder in await self._db.write(channels.drop_slates, at - timedelta(days=1)):
            await self._storage.remove(folder)
        await self._db.write(outbox.prune, at - timedelta(days=30))

    async def _strays(self) -> None:
        stored = [(place, name) for place in PLACES for name in await self._storage.names(place)]
        scratch = self._settings.data / "scratch"
        working = await asyncio.to_thread(lambda: list(scratch.glob("*")))
        known = await self._db.read(assets.known) | await self._db.read(assets.unfinished_uploads)
        known |= await self._db.read(festivals.picture_folders)
        for place, name in stored:
            path = self._storage.local(f"{place}/{name}")
            if name not in known and path is not None and await asyncio.to_thread(_stray, path):
                log.warning("sweep: removing stray %s/%s", place, name)
                await self._storage.remove(f"{place}/{name}")
        held = await self._db.read(jobs.held)
        for path in working:
            made_for = re.fullmatch(r"\w+-(\d+)-\d+", path.name)
            over = int(made_for[1]) not in held if made_for else await asyncio.to_thread(_stray, path)
            if over:
                await asyncio.to_thread(shutil.rmtree, path, True)


def _stray(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > STRAY_AGE_S
    except FileNotFoundError:
        return False
