"""The migrations make exactly the tables that the code uses."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import showcase.store
from showcase.store.database import migrate
from showcase.store.tables import METADATA
from tests.postgres import Postgres

FOLDER = Path(showcase.store.__file__).with_name("migrations")


def config(url: str) -> Config:
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.attributes["url"] = url
    return made


def on(url: str, call: Any) -> Any:
    async def run() -> Any:
        engine = create_async_engine(url, poolclass=NullPool)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(call)
        finally:
            await engine.dispose()

    return asyncio.run(run())


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.fresh_database()
    yield url
    postgres.drop(url)


def tables(connection: sa.Connection) -> list[str]:
    return sorted(sa.inspect(connection).get_table_names())


ALL = sorted([*METADATA.tables, "alembic_version"])


def test_they_lead_from_nothing_to_the_tables_and_back(empty_url: str) -> None:
    migrate(empty_url)
    assert on(empty_url, tables) == ALL
    migrate(empty_url)
    assert on(empty_url, tables) == ALL
    command.downgrade(config(empty_url), "base")
    assert on(empty_url, tables) == ["alembic_version"]
    migrate(empty_url)
    assert on(empty_url, tables) == ALL


def test_alembic_finds_no_difference_to_the_tables(database_url: str) -> None:
    command.check(config(database_url))  # raises when there is one

    def differences(connection: sa.Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA))

    assert on(database_url, differences) == []


def test_names_keys_and_defaults_are_those_of_the_tables(empty_url: str) -> None:
    """Autogenerate looks neither at primary keys nor at defaults: compare with tables made without migrations."""

    def shape(connection: sa.Connection) -> dict[str, Any]:
        inspector = sa.inspect(connection)
        return {
            name: {
                "columns": [
                    (c["name"], str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(name)
                ],
                "primary": inspector.get_pk_constraint(name),
                "foreign": sorted(inspector.get_foreign_keys(name), key=lambda k: str(k["name"])),
                "unique": sorted(inspector.get_unique_constraints(name), key=lambda k: str(k["name"])),
                "indexes": sorted(inspector.get_indexes(name), key=lambda k: str(k["name"])),
            }
            for name in METADATA.tables
        }

    migrate(empty_url)
    migrated = on(empty_url, shape)
    command.downgrade(config(empty_url), "base")
    on(empty_url, METADATA.create_all)
    assert migrated == on(empty_url, shape)


def test_event_numbers_are_never_used_again_on_sqlite(sqlite_url: str) -> None:
    made = on(sqlite_url, lambda c: c.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'events'")))
    assert "AUTOINCREMENT" in made


def test_there_is_one_line_of_migrations() -> None:
    scripts = ScriptDirectory(str(FOLDER))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


def test_a_migration_that_breaks_off_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import BatchOperations

    create = BatchOperations.create_index

    def breaks(self: BatchOperations, name: str, *args: Any, **kw: Any) -> None:
        if name == "ix_renditions_asset":
            raise RuntimeError("the power failed")
        create(self, name, *args, **kw)

    with monkeypatch.context() as patched:
        patched.setattr(BatchOperations, "create_index", breaks)
        with pytest.raises(RuntimeError, match="the power failed"):
            migrate(empty_url)
    assert on(empty_url, tables) == []
    migrate(empty_url)
    assert on(empty_url, tables) == ALL


def test_two_nodes_that_start_at_once_migrate_one_after_the_other(empty_url: str) -> None:
    code = "import sys; from showcase.store.database import migrate; migrate(sys.argv[1])"
    nodes = [
        subprocess.Popen([sys.executable, "-c", code, empty_url], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    ended = [(node.communicate(timeout=60)[1], node.returncode) for node in nodes]
    assert ended == [("", 0), ("", 0)]
    assert on(empty_url, tables) == ALL
