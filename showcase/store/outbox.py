"""Mails that wait to be sent, or to be read on the local outbox page where no mail server is set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from showcase.errors import NotFound
from showcase.store import jobs
from showcase.store.tables import outbox


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain-text mail to one person."""

    id: int
    recipient: str
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None
    error: str | None


def post(tx: sa.Connection, now: datetime, recipient: str, subject: str, body: str, *, send: bool) -> int:
    """Write a mail; with `send`, a worker delivers it."""
    mail = tx.execute(
        outbox.insert().values(recipient=recipient, subject=subject, body=body, created_at=now).returning(outbox.c.id)
    ).scalar_one()
    if send:
        jobs.enqueue(tx, now, "mail", str(mail), priority=20)
    return int(mail)


def mail(tx: sa.Connection, id: int) -> Mail:
    """One mail. Raises NotFound."""
    row = tx.execute(sa.select(outbox).where(outbox.c.id == id)).first()
    if row is None:
        raise NotFound()
    return Mail(**row._mapping)


def newest(tx: sa.Connection, limit: int) -> list[Mail]:
    """The newest mails first."""
    return [Mail(**r._mapping) for r in tx.execute(sa.select(outbox).order_by(outbox.c.id.desc()).limit(limit))]


def sent(tx: sa.Connection, now: datetime, id: int) -> None:
    """Note that a mail was delivered; its text may hold a link and is forgotten."""
    tx.execute(outbox.update().where(outbox.c.id == id).values(sent_at=now, body="", error=None))


def not_sent(tx: sa.Connection, id: int, error: str) -> None:
    """Note why a mail could not be delivered."""
    tx.execute(outbox.update().where(outbox.c.id == id).values(error=error[:500]))


def prune(tx: sa.Connection, before: datetime) -> int:
    """Forget mails older than `before`."""
    return tx.execute(outbox.delete().where(outbox.c.created_at < before)).rowcount
