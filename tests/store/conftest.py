"""A migrated, empty database, once on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from showcase.store.database import Database


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()
