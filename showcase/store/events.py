"""What happened, written in the transaction that made it happen and read by whoever listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from showcase.store.tables import events

CHANNEL = "showcase_events"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened (`id` 0: in the transaction that wrote it): `topic` is `work`, `asset`, `city`, `person` or `job`."""

    id: int
    topic: str
    data: Mapping[str, Any]


def emit(tx: sa.Connection, now: datetime, topic: str, /, **data: Any) -> None:
    """Tell listeners once this transaction is committed. `data` is small and JSON: ids and states, no secrets."""
    tx.execute(events.insert().values(topic=topic, data=data, at=now))
    tx.info.setdefault("emitted", []).append(Event(0, topic, data))
    if tx.dialect.name == "postgresql":
        tx.execute(sa.text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def newest_id(tx: sa.Connection) -> int:
    """The id of the newest event, 0 when there is none."""
    return tx.scalar(sa.select(sa.func.max(events.c.id))) or 0


def since(tx: sa.Connection, last: int, limit: int = 500) -> list[Event]:
    """The events after `last`, oldest first.

    On PostgreSQL a transaction may commit a lower id after a higher one, so callers ask with some overlap.
    """
    query = (
        sa.select(events.c.id, events.c.topic, events.c.data)
        .where(events.c.id > last)
        .order_by(events.c.id)
        .limit(limit)
    )
    return [Event(*row) for row in tx.execute(query)]


def prune(tx: sa.Connection, before: datetime) -> int:
    """Forget events older than `before`; returns how many."""
    return tx.execute(events.delete().where(events.c.at < before)).rowcount
