"""Access codes of closed screenings. A code is shown once, when it is made; only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from showcase.errors import NotFound
from showcase.store.tables import access_codes

# Without those that are taken for one another when they are read out or copied by hand.
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 12
"""59 random bits: nobody guesses it, and no salt is needed."""


@dataclass(frozen=True, slots=True)
class AccessCode:
    """A code as it is listed. `max_uses` None: as often as one likes."""

    id: int
    screening: int
    label: str
    uses: int
    max_uses: int | None
    created_at: datetime
    revoked_at: datetime | None

    @property
    def good(self) -> bool:
        """Whether it lets somebody in once more."""
        return self.revoked_at is None and (self.max_uses is None or self.uses < self.max_uses)


def digest(code: str) -> str:
    """What is kept of a code: the SHA-256 of its letters and digits, so that dashes, blanks and case do not count."""
    plain = "".join(c for c in code.lower() if c.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def make(
    tx: sa.Connection, now: datetime, screening: int, label: str, max_uses: int | None = None
) -> tuple[AccessCode, str]:
    """Make a code for a screening; returns it and the code itself, which is told nowhere else."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    row = {"screening": screening, "label": label, "code_hash": digest(letters), "uses": 0, "max_uses": max_uses}
    id = tx.execute(access_codes.insert().values(**row, created_at=now).returning(access_codes.c.id)).scalar_one()
    return by_id(tx, id), "-".join(letters[n : n + 4] for n in range(0, LENGTH, 4))


def by_id(tx: sa.Connection, id: int) -> AccessCode:
    """A code by its number. Raises NotFound."""
    return _one(tx, access_codes.c.id == id)


def of_screening(tx: sa.Connection, screening: int) -> list[AccessCode]:
    """The codes of a screening, the oldest first."""
    return _load(tx, access_codes.c.screening == screening)


def given(tx: sa.Connection, screening: int, code: str) -> AccessCode:
    """The code of a screening that somebody gives, good or not. Raises NotFound."""
    return _one(tx, (access_codes.c.screening == screening) & (access_codes.c.code_hash == digest(code)))


def use(tx: sa.Connection, id: int) -> bool:
    """Count one use. False, and nothing is counted, when the code is not good any more."""
    left = access_codes.c.max_uses.is_(None) | (access_codes.c.uses < access_codes.c.max_uses)
    counted = tx.execute(
        access_codes.update()
        .where(access_codes.c.id == id, access_codes.c.revoked_at.is_(None), left)
        .values(uses=access_codes.c.uses + 1)
    )
    return counted.rowcount == 1


def revoke(tx: sa.Connection, now: datetime, screening: int, id: int) -> None:
    """Let a code of a screening open nothing more; twice is fine. Raises NotFound."""
    one = (access_codes.c.id == id) & (access_codes.c.screening == screening)
    found = _one(tx, one)
    if found.revoked_at is None:
        tx.execute(access_codes.update().where(one).values(revoked_at=now))


def _one(tx: sa.Connection, where: sa.ColumnElement[bool]) -> AccessCode:
    found = _load(tx, where)
    if not found:
        raise NotFound()
    return found[0]


def _load(tx: sa.Connection, where: sa.ColumnElement[bool]) -> list[AccessCode]:
    c = access_codes.c
    query = sa.select(c.id, c.screening, c.label, c.uses, c.max_uses, c.created_at, c.revoked_at)
    return [AccessCode(*row) for row in tx.execute(query.where(where).order_by(c.id))]
