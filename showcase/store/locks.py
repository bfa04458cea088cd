"""One at a time: what a unique index cannot say, or would only say as an error."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa


def one_at_a_time(tx: sa.Connection, what: str) -> None:
    """Let only one transaction at a time do `what`; the next one waits, and then sees what this one did.

    SQLite has one writer anyway. On PostgreSQL it is an advisory lock, which ends with the transaction.
    """
    if tx.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.blake2b(what.encode(), digest_size=8).digest(), "big", signed=True)
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.literal(key, sa.BigInteger))))
