"""A migrated, empty database, once on each engine."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
import sqlalchemy as sa

from showcase.store.database import Database
from showcase.store.tables import METADATA
from tests.postgres import ROLE, Postgres

# Whatever points to whatever, and whoever is still connected.
_EMPTY = "SET session_replication_role = replica; " + "; ".join(f"DELETE FROM {t}" for t in METADATA.tables)  # noqa: S608


@pytest.fixture(scope="session")
def store_postgresql_url(postgres: Postgres, postgres_template: str) -> str:
    return postgres.fresh_database(postgres_template)


@pytest.fixture
def postgresql_url(postgres: Postgres, store_postgresql_url: str) -> Iterator[str]:
    """One database for all these tests, emptied after each: a clone a test would take most of their time."""
    yield store_postgresql_url
    name = sa.make_url(store_postgresql_url).database
    options = ["-X", "-q", "-h", str(postgres.folder), "-U", ROLE, "-d", str(name), "-c", _EMPTY]
    subprocess.run([postgres.programs / "psql", *options], check=True, capture_output=True)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()
