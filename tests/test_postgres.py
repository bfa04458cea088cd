"""The PostgreSQL of the tests: it answers, and one test's database is not another's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.postgres import Postgres


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


async def test_it_answers_in_utf_8_on_a_socket_of_its_own(postgres: Postgres) -> None:
    connection = await asyncpg.connect(host=str(postgres.folder), user="showcase", database="postgres")
    try:
        assert await connection.fetchval("SELECT 1") == 1
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert await connection.fetchval("SHOW listen_addresses") == ""
        assert await connection.fetchval("SELECT upper('é札幌')") == "É札幌"
    finally:
        await connection.close()


async def test_a_clone_has_the_rows_of_its_template_and_keeps_its_own(postgres: Postgres) -> None:
    template = postgres.create_database()
    async with connected(postgres.url(template)) as connection:
        await connection.execute(sa.text("CREATE TABLE city AS SELECT 'Enghien-les-Bains' AS name"))

    first, second = postgres.fresh_database(template), postgres.fresh_database(template)
    async with connected(first) as connection:
        await connection.execute(sa.text("INSERT INTO city VALUES ('Sapporo')"))

    async with connected(first) as one, connected(second) as other:
        names = sa.text("SELECT name FROM city ORDER BY name")
        assert (await one.scalars(names)).all() == ["Enghien-les-Bains", "Sapporo"]
        assert (await other.scalars(names)).all() == ["Enghien-les-Bains"]


async def test_a_database_in_use_can_be_dropped(postgres: Postgres) -> None:
    url = postgres.fresh_database()
    connection = await asyncpg.connect(host=str(postgres.folder), user="showcase", database=sa.make_url(url).database)
    postgres.drop(url)
    with pytest.raises(asyncpg.PostgresError):
        await connection.fetchval("SELECT 1")
    await connection.close()


async def test_the_database_is_migrated_and_fresh(database_url: str) -> None:
    async with connected(database_url) as connection:
        tables = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
        assert "alembic_version" in tables
        await connection.execute(sa.text("CREATE TABLE left_behind (id INTEGER PRIMARY KEY)"))


async def test_nothing_is_left_behind_by_the_test_before(database_url: str) -> None:
    async with connected(database_url) as connection:
        tables = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    assert "left_behind" not in tables
