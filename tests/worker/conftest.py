"""A migrated, empty SQLite database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from showcase.store.database import Database
from tests.media.conftest import binary, make

__all__ = ["binary", "db", "make"]


@pytest.fixture
async def db(sqlite_url: str) -> AsyncIterator[Database]:
    database = Database(sqlite_url)
    yield database
    await database.close()
