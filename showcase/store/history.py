"""Who changed what of the programme, and what it was before, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from showcase.core.models import Screening
from showcase.errors import NotFound
from showcase.store.tables import history, people

Action = Literal["created", "changed", "published", "withdrawn", "restored"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a screening: who (None: the account is gone), when, and the two states of what changed by field.

    `before` is empty for what was created then.
    """

    id: int
    at: datetime
    person: str | None
    action: Action
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def fields(self) -> tuple[str, ...]:
        """What differs."""
        return tuple(sorted({*self.before, *self.after}))


def stands(change: Change, present: Screening) -> bool:
    """Whether all that a change made of a screening is so still, apart from its being public."""
    now_is = snapshot(present)
    return all(now_is.get(name) == change.after.get(name) for name in change.fields if name != "state")


def snapshot(one: Screening) -> dict[str, Any]:
    """All that staff can change of a screening, as JSON."""
    return {
        "starts": one.starts_local.isoformat(),
        "ends": one.ends_local.isoformat(),
        "replay_until": one.replay_until_local.isoformat() if one.replay_until_local is not None else None,
        "room": one.room,
        "minimum_age": one.minimum_age,
        "slots": [[s.work_slug, s.version, s.pause_s] for s in one.slots],
        "hosts": list(one.hosts),
        "closed": one.closed,
        "state": one.state,
    } | {f"{name}.{lang}": text for name, by_lang in one.texts.items() for lang, text in by_lang.items()}


def record(
    tx: sa.Connection, now: datetime, person: int | None, action: Action, before: Screening | None, after: Screening
) -> None:
    """Note a change in the transaction that makes it. What changed nothing is not noted."""
    was, now_is = snapshot(before) if before is not None else {}, snapshot(after)
    differ = {name for name in (*was, *now_is) if was.get(name) != now_is.get(name)}
    if not differ:
        return
    tx.execute(
        history.insert().values(
            screening=after.id,
            person=person,
            at=now,
            action=action,
            before={name: was.get(name) for name in sorted(differ)} if before is not None else {},
            after={name: now_is.get(name) for name in sorted(differ)},
        )
    )


def of_screening(tx: sa.Connection, screening: int, limit: int = 50) -> list[Change]:
    """The changes of a screening, the latest first."""
    return _load(tx, history.c.screening == screening, limit)


def change(tx: sa.Connection, screening: int, id: int) -> Change:
    """One change. Raises NotFound when it is none of this screening's."""
    found = _load(tx, sa.and_(history.c.screening == screening, history.c.id == id), 1)
    if not found:
        raise NotFound()
    return found[0]


def _load(tx: sa.Connection, where: sa.ColumnElement[bool], limit: int) -> list[Change]:
    query = (
        sa.select(history.c.id, history.c.at, people.c.name, history.c.action, history.c.before, history.c.after)
        .outerjoin(people, people.c.id == history.c.person)
        .where(where)
        .order_by(history.c.id.desc())
        .limit(limit)
    )
    return [Change(*row) for row in tx.execute(query)]
