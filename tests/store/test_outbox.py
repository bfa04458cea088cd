"""Mails that wait, are sent, or say why not."""

from __future__ import annotations

import pytest

from showcase.errors import NotFound
from showcase.store import jobs, outbox
from showcase.store.database import Database
from showcase.store.outbox import Mail
from tests.store.rows import DAY, NOW, SECOND


async def test_a_mail_waits_with_its_job(db: Database) -> None:
    id = await db.write(outbox.post, NOW, "mara@example.org", "Sign in", "https://…/sign-in/x", send=True)
    assert await db.read(outbox.mail, id) == Mail(
        id, "mara@example.org", "Sign in", "https://…/sign-in/x", NOW, None, None
    )
    job = await db.write(jobs.claim, NOW, "w1")
    assert job is not None
    assert (job.kind, job.subject) == ("mail", str(id))


async def test_without_a_mail_server_it_is_only_written_down(db: Database) -> None:
    await db.write(outbox.post, NOW, "mara@example.org", "Sign in", "Text", send=False)
    assert await db.write(jobs.claim, NOW, "w1") is None


async def test_what_was_sent_forgets_its_text_and_its_trouble(db: Database) -> None:
    id = await db.write(outbox.post, NOW, "mara@example.org", "Sign in", "secret link", send=True)
    await db.write(outbox.not_sent, id, "450 busy" + "!" * 1000)
    tried = await db.read(outbox.mail, id)
    assert (tried.body, tried.error, tried.sent_at) == ("secret link", ("450 busy" + "!" * 1000)[:500], None)
    await db.write(outbox.sent, NOW + SECOND, id)
    assert await db.read(outbox.mail, id) == Mail(id, "mara@example.org", "Sign in", "", NOW, NOW + SECOND, None)


async def test_the_newest_stand_first_and_the_old_are_forgotten(db: Database) -> None:
    for n in range(4):
        await db.write(outbox.post, NOW + n * DAY, "mara@example.org", f"Mail {n}", "Text", send=False)
    assert [m.subject for m in await db.read(outbox.newest, 2)] == ["Mail 3", "Mail 2"]
    assert await db.write(outbox.prune, NOW + 2 * DAY) == 2
    assert [m.subject for m in await db.read(outbox.newest, 9)] == ["Mail 3", "Mail 2"]


async def test_a_mail_that_is_not_there_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound):
        await db.read(outbox.mail, 4711)
