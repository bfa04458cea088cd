"""How Alembic reaches the database: the same addresses as the server, one transaction for all steps."""

from __future__ import annotations

import asyncio
from typing import Literal

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from showcase.store.tables import METADATA, Instant

# Any number does, as long as it is always the same: two nodes that start at once migrate one after the other.
MIGRATION_LOCK = 0x5340_57CA


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our type into migrations as what it is in the database, so that they never change with the code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


def run(connection: sa.Connection) -> None:
    """Apply the migrations on `connection`."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATION_LOCK})
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def online(url: str) -> None:
    """Open the database at `url` and migrate it."""
    engine = create_async_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        # Python's driver opens a transaction for rows only: without this, half a migration would stay.
        @sa.event.listens_for(engine.sync_engine, "begin")
        def begun(tx: sa.Connection) -> None:
            tx.exec_driver_sql("PRAGMA busy_timeout=60000")
            tx.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    asyncio.run(online(context.config.attributes["url"]))
