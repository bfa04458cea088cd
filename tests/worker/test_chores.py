"""The small jobs: mails to a real (tiny) mail server, removed files, and what sweeping takes and leaves."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.errors import NotFound, Unavailable
from showcase.media.spool import Spool
from showcase.media.storage import Storage
from showcase.settings import Settings
from showcase.store import assets, events, festivals, jobs, outbox, works
from showcase.store.database import Database
from showcase.store.jobs import Job
from showcase.store.tables import events as event_table
from showcase.store.tables import jobs as job_table
from showcase.worker.chores import STRAY_AGE_S, SWEEP_EVERY, Chores
from tests.store.rows import a_work, an_asset, begin, person


class MailServer:
    """As much of RFC 5321 as one client needs. `refuse` is the answer to RCPT, when it shall be refused."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], EmailMessage]] = []
        self.logins: list[str] = []
        self.refuse = ""
        self.port = 0
        self._talks: set[asyncio.Task[None]] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients = "", []
        writer.write(b"220 mail.test ready\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line.split(" ")[0].upper()
            answer = "250 fine"
            if verb == "EHLO":
                answer = "250-mail.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN"
            elif verb == "AUTH":
                self.logins.append(base64.b64decode(line.split(" ")[2]).decode())
                answer = "235 welcome"
            elif verb == "MAIL":
                sender = line.partition("<")[2].partition(">")[0]
            elif verb == "RCPT":
                recipients.append(line.partition("<")[2].partition(">")[0])
                answer = self.refuse or answer
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                text = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                message = message_from_bytes(text.replace(b"\r\n..", b"\r\n."), policy=policy.default)
                assert isinstance(message, EmailMessage)
                self.mails.append((sender, recipients, message))
            elif verb == "QUIT":
                answer = "221 bye"
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
            if verb == "QUIT":
                break
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    made = MailServer()
    server = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


class Place:
    """The folders of a server, and its chores."""

    def __init__(self, db: Database, data: Path, **settings: Any) -> None:
        self.db, self.data = db, data
        self.storage, self.spool = Storage(data / "store"), Spool(data / "uploads")
        self.chores = Chores(db, self.storage, self.spool, Settings(data=data, **settings))

    async def store(self, key: str, *, age_s: float = 0) -> Path:
        """Put something at `key` that was last touched `age_s` ago."""
        await self.storage.put(key, b"bytes")
        path = self.storage.local(key)
        assert path is not None
        top = self.storage.root.joinpath(*Path(key).parts[:2])
        for touched in {path, top}:
            age(touched, age_s)
        return top

    async def upload(self, id: str, *, age_s: float = 0) -> Path:
        await self.spool.begin(id)
        age(self.spool.path(id), age_s)
        return self.spool.path(id)


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


@pytest.fixture
def place(db: Database, tmp_path: Path) -> Place:
    return Place(db, tmp_path / "data")


def now() -> datetime:
    return datetime.now(UTC)


OLD = STRAY_AGE_S + 60
YOUNG = STRAY_AGE_S - 60


def job(kind: str, subject: str = "") -> Job:
    return Job(1, kind, subject, {}, 1)


async def post(db: Database) -> int:
    body = "Bonjour Inês,\n\n.a line that begins with a dot\nhttps://show.example.org/en/sign-in/x\n"
    return await db.write(outbox.post, now(), "ines@example.org", "Votre accès — City to City 潮", body, send=True)


async def test_a_mail_is_sent_once_as_it_was_written(db: Database, tmp_path: Path, mail_server: MailServer) -> None:
    smtp = f"smtp://show%40example.org:p%3Ass@127.0.0.1:{mail_server.port}"
    place = Place(db, tmp_path / "data", smtp=smtp, mail_from="show@example.org")
    id = await post(db)
    written = await db.read(outbox.mail, id)

    await place.chores.mail(job("mail", str(id)))
    ((sender, recipients, message),) = mail_server.mails
    assert (sender, recipients) == ("show@example.org", ["ines@example.org"])
    assert (message["From"], message["To"], message["Subject"]) == (
        "show@example.org",
        written.recipient,
        written.subject,
    )
    assert message.get_content().replace("\r\n", "\n") == written.body
    assert mail_server.logins == ["\0show@example.org\0p:ss"]
    sent = await db.read(outbox.mail, id)
    assert (sent.body, sent.error, sent.sent_at is not None) == ("", None, True)

    await place.chores.mail(job("mail", str(id)))
    assert len(mail_server.mails) == 1


async def test_a_mail_that_is_refused_says_why_and_is_tried_again(
    db: Database, tmp_path: Path, mail_server: MailServer
) -> None:
    place = Place(db, tmp_path / "data", smtp=f"smtp://127.0.0.1:{mail_server.port}")
    id = await post(db)
    written = await db.read(outbox.mail, id)
    mail_server.refuse = "450 4.2.1 mailbox is busy"
    with pytest.raises(Unavailable, match="mail-not-sent"):
        await place.chores.mail(job("mail", str(id)))
    tried = await db.read(outbox.mail, id)
    assert (tried.sent_at, tried.body) == (None, written.body)
    assert tried.error is not None
    assert "mailbox is busy" in tried.error

    mail_server.refuse = ""
    await place.chores.mail(job("mail", str(id)))
    assert (await db.read(outbox.mail, id)).error is None
    assert len(mail_server.mails) == 1
    assert mail_server.logins == []


async def test_a_mail_server_that_is_away_is_waited_for(db: Database, tmp_path: Path, mail_server: MailServer) -> None:
    closed = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    place = Place(db, tmp_path / "data", smtp=f"smtp://127.0.0.1:{port}")
    id = await post(db)
    with pytest.raises(Unavailable, match="mail-not-sent"):
        await place.chores.mail(job("mail", str(id)))
    assert (await db.read(outbox.mail, id)).error is not None


async def test_without_a_mail_server_a_mail_stays_in_the_outbox(db: Database, place: Place) -> None:
    id = await post(db)
    before = await db.read(outbox.mail, id)
    await place.chores.mail(job("mail", str(id)))
    assert await db.read(outbox.mail, id) == before


async def test_a_mail_that_was_forgotten_is_not_found(place: Place) -> None:
    with pytest.raises(NotFound):
        await place.chores.mail(job("mail", "4711"))


async def test_everything_of_a_file_goes_and_nothing_of_another(place: Place) -> None:
    for asset in ("aa", "aaa"):
        await place.store(f"originals/{asset}")
        await place.store(f"media/{asset}/1/720p/0.m4s")
        await place.store(f"media/{asset}/2/720p/0.m4s")
        await place.store(f"pictures/{asset}/640.avif")
        await place.upload(asset)
    await place.chores.remove_files(job("remove-files", "aa"))
    left = sorted(str(p.relative_to(place.data)) for p in place.data.rglob("*") if p.is_file())
    assert left == [
        "store/media/aaa/1/720p/0.m4s",
        "store/media/aaa/2/720p/0.m4s",
        "store/originals/aaa",
        "store/pictures/aaa/640.avif",
        "uploads/aaa.part",
    ]
    # Nothing there is fine.
    await place.chores.remove_files(job("remove-files", "aa"))


async def test_the_bytes_of_a_removed_work_are_gone_once_its_jobs_are_done(db: Database, place: Place) -> None:
    mara = await db.write(person)
    work = await db.write(a_work)
    film = await db.write(an_asset, work.id)
    coming = await db.write(begin, mara.id, work.id)
    there = [
        await place.store(f"originals/{film.id}"),
        await place.store(f"media/{film.id}/1/720p/0.m4s"),
        await place.upload(coming),
    ]
    await db.write(works.delete, now(), work.id)
    while (claimed := await db.write(jobs.claim, now(), "w1", ["remove-files"])) is not None:
        await place.chores.remove_files(claimed)
        await db.write(jobs.finish, now(), claimed.id)
    assert [p.exists() for p in there] == [False] * 3


async def test_sweeping_takes_expired_uploads_and_leaves_those_that_still_come(db: Database, place: Place) -> None:
    mara = await db.write(person)
    work = await db.write(a_work)
    soon, later = now() - timedelta(minutes=1), now() + timedelta(hours=1)
    expired = await db.write(begin, mara.id, work.id, expires=soon)
    coming = await db.write(begin, mara.id, work.id, expires=later)
    paths = [await place.upload(expired), await place.upload(coming, age_s=6 * OLD)]
    await place.chores.sweep(job("sweep"))
    assert [p.exists() for p in paths] == [False, True]
    assert [u.id for u in await db.read(assets.uploads_of, work.id)] == [coming]


async def pictured(db: Database) -> str:
    """A festival with a picture; returns where that lies."""

    def make(tx: sa.Connection) -> str:
        days = {"starts_on": date(2026, 11, 20), "ends_on": date(2026, 11, 30)}
        made = festivals.create(tx, now(), fields={"title": {"en": "Ars"}}, city=None, zone="UTC", **days)
        folder = f"festival-{made.id}-0123456789abcdef"
        festivals.set_picture(tx, now(), made.id, {"folder": folder, "files": [], "thumbhash": ""})
        return folder

    return str(await db.write(make))


async def test_the_files_of_a_festivals_picture_go_by_a_job(db: Database, place: Place) -> None:
    folder = await pictured(db)
    path = await place.store(f"pictures/{folder}/picture-640.webp", age_s=YOUNG)
    number = int(folder.split("-")[1])
    assert await db.write(festivals.set_picture, now(), number, None) == folder
    assert await db.read(festivals.picture_folders) == set()
    await place.chores.remove_files(job("remove-files", folder))
    assert not path.exists()
    assert await db.write(festivals.set_picture, now(), number, None) is None
    with pytest.raises(NotFound):
        await db.write(festivals.set_picture, now(), number + 1, None)


async def test_sweeping_takes_old_strays_and_leaves_young_and_owned_bytes(
    db: Database, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    mara = await db.write(person)
    work = await db.write(a_work)
    owned = (await db.write(an_asset, work.id)).id
    coming = await db.write(begin, mara.id, work.id, expires=now() + timedelta(hours=1))

    async def everywhere(id: str, age_s: float) -> list[Path]:
        return [
            await place.store(f"originals/{id}", age_s=age_s),
            await place.store(f"media/{id}/1/720p/0.m4s", age_s=age_s),
            await place.store(f"pictures/{id}/640.avif", age_s=age_s),
        ]

    gone = [*await everywhere("old", OLD), await place.upload("oldupload", age_s=OLD)]
    kept = [
        *await everywhere("young", YOUNG),
        *await everywhere(owned, OLD),
        *await everywhere(coming, OLD),
        await place.store(f"pictures/{await pictured(db)}/picture-640.webp", age_s=OLD),
        await place.upload("youngupload", age_s=YOUNG),
        await place.upload(coming, age_s=OLD),
    ]
    await place.chores.sweep(job("sweep"))
    assert [p for p in gone if p.exists()] == []
    assert [p for p in kept if not p.exists()] == []
    assert sorted(r.getMessage() for r in caplog.records) == [
        "sweep: removing stray media/old",
        "sweep: removing stray originals/old",
        "sweep: removing stray pictures/old",
        "sweep: removing stray upload oldupload",
    ]


async def test_sweeping_takes_the_scratch_of_jobs_that_nobody_does(db: Database, place: Place) -> None:
    await db.write(jobs.enqueue, now(), "process", "a1")
    await db.write(jobs.enqueue, now(), "process", "a2")
    held = await db.write(jobs.claim, now(), "w1")
    ended = await db.write(jobs.claim, now(), "w1")
    assert held is not None
    assert ended is not None
    await db.write(jobs.put_back, now(), ended.id, "disk-full", timedelta(minutes=1))
    kept = place.data / "scratch" / f"a1-{held.id}-1"
    gone = [place.data / "scratch" / name for name in (f"a2-{ended.id}-1", f"a2-{ended.id}-2", "a3-4711-1")]
    for path in (kept, *gone):
        (path / "v360").mkdir(parents=True)
    await place.chores.sweep(job("sweep"))
    assert list((place.data / "scratch").iterdir()) == [kept]


async def test_sweeping_an_empty_place_is_fine(place: Place) -> None:
    await place.chores.sweep(job("sweep"))


async def test_sweeping_forgets_old_events_jobs_and_mails(db: Database, place: Place) -> None:
    ages = [timedelta(minutes=59), timedelta(minutes=61), timedelta(days=29), timedelta(days=31)]
    for old in ages:
        await db.write(events.emit, now() - old, "work", id=int(old.total_seconds()))
        await db.write(jobs.enqueue, now() - old, "film", str(old))
        done = await db.write(jobs.claim, now() - old, "w1")
        assert done is not None
        await db.write(jobs.finish, now() - old, done.id)
        await db.write(outbox.post, now() - old, "a@example.org", str(old), "Text", send=False)
    await place.chores.sweep(job("sweep"))

    def left(tx: sa.Connection) -> tuple[list[Any], list[Any], list[Any]]:
        works_told = tx.scalars(sa.select(event_table.c.data).where(event_table.c.topic == "work")).all()
        done = tx.scalars(
            sa.select(job_table.c.subject).where(job_table.c.state == "done").order_by(job_table.c.id)
        ).all()
        return list(works_told), list(done), [m.subject for m in reversed(outbox.newest(tx, 9))]

    month = [str(a) for a in ages[:3]]
    assert await db.read(left) == ([{"id": 59 * 60}], month, month)


async def test_sweeping_comes_back_later_once_also_when_it_fails(
    db: Database, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(_: str) -> list[str]:
        raise OSError("the disk failed")

    with monkeypatch.context() as patched:
        patched.setattr(place.storage, "names", breaks)
        with pytest.raises(OSError, match="the disk failed"):
            await place.chores.sweep(job("sweep"))
    await place.chores.sweep(job("sweep"))
    assert await db.read(jobs.counts) == {"queued": 1}
    assert await db.write(jobs.claim, now() + SWEEP_EVERY - timedelta(minutes=1), "w1") is None
    again = await db.write(jobs.claim, now() + SWEEP_EVERY, "w1")
    assert again is not None
    assert (again.kind, again.subject) == ("sweep", "")
