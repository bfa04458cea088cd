"""The database: engines, transactions, migration at start.

Store functions are plain `def f(tx: sa.Connection, …)`; `read` and `write` run one as one transaction, on SQLite and
PostgreSQL alike. SQLite has one writer (WAL, `BEGIN IMMEDIATE`) and readers beside it that cannot write.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from showcase.errors import Unavailable
from showcase.store.events import Event

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def is_sqlite(url: str) -> bool:
    """Whether `url` names an SQLite file."""
    return sa.make_url(url).get_backend_name() == "sqlite"


class Database:
    """Reads and writes by store functions.

    After each commit that emitted events, `committed` is called with them, so that this process's own caches never
    show what was before its own write, then `changed`, which wakes the feed for everybody else.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.changed: Callable[[], None] = lambda: None
        self.committed: Callable[[Sequence[Event]], None] = lambda events: None
        self._open: set[asyncio.Task[Any]] = set()
        if is_sqlite(url):
            self._writer = _sqlite(url, writes=True)
            self._reader = _sqlite(url, writes=False)
        else:
            wait = {"timeout": 10}
            self._writer = create_async_engine(url, pool_size=5, max_overflow=5, pool_pre_ping=True, connect_args=wait)
            self._reader = create_async_engine(
                url,
                pool_size=10,
                max_overflow=10,
                pool_pre_ping=True,
                connect_args=wait,
                execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
            )

    async def read(self, f: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f` in a transaction that sees one state of the database and cannot change it."""

        async def transaction() -> T:
            async with self._reader.connect() as connection, connection.begin():
                return await connection.run_sync(f, *args, **kwargs)

        with _away_told():
            return await self._whole(transaction)

    async def write(self, f: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f` in a transaction and commit it; nothing of it stays when it raises.

        Who is cancelled meanwhile is so after the transaction, which may have been committed.
        """
        emitted: list[Event] = []

        def call(tx: sa.Connection) -> T:
            nonlocal emitted
            tx.info.pop("emitted", None)
            result = f(tx, *args, **kwargs)
            emitted = tx.info.pop("emitted", [])
            return result

        async def transaction() -> T:
            async with self._writer.begin() as connection:
                result = await connection.run_sync(call)
            if emitted:
                self.committed(emitted)
                self.changed()
            return result

        with _away_told():
            return await self._whole(transaction)

    async def _whole(self, transaction: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Let a transaction end, also when its caller is cancelled.

        Abandoned in the middle, its connection would hold the lock of SQLite until a thread comes to an end somewhere.
        """
        task = asyncio.create_task(_again_when_busy(transaction), name="transaction")
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.gather(asyncio.shield(task), return_exceptions=True)
            raise

    async def close(self) -> None:
        """Let open transactions end and close all connections. Calling it twice is fine."""
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._writer.dispose()
        await self._reader.dispose()


async def _again_when_busy(transaction: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a transaction, again when SQLite was busy: nothing of it stayed then.

    Many connections that are opened at the same moment, or a disk that is slow for long, can outlast `busy_timeout`.
    """
    for pause_s in _BUSY_PAUSES_S:
        try:
            return await transaction()
        except sa.exc.DBAPIError as error:
            code = getattr(error.orig, "sqlite_errorcode", None)
            if code is None or code & 0xFF not in _SQLITE_BUSY:
                raise
            log.warning("SQLite is busy (%s), trying again", error.orig)
        await asyncio.sleep(pause_s)
    return await transaction()


@contextmanager
def _away_told() -> Iterator[None]:
    """Tell a database that is away from a statement that is wrong: only the first is worth another try."""
    try:
        yield
    except Exception as error:
        if is_away(error):
            raise Unavailable("database-away") from error
        raise


# SQLite: busy, locked, out of memory, read or write failed, disk full, cannot open, locking failed.
_BUSY_PAUSES_S = (0.05, 0.5)
_SQLITE_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_SQLITE_AWAY = frozenset({5, 6, 7, 10, 13, 14, 15})
# PostgreSQL: connection lost, out of resources, shut down or starting up.
_POSTGRESQL_AWAY = ("08", "53", "57P")


def is_away(error: BaseException) -> bool:
    """Whether `error` says that the database cannot be reached now, in the words of either engine."""
    if isinstance(error, (OSError, sa.exc.TimeoutError)):
        return True
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _SQLITE_AWAY
    if (state := getattr(cause, "sqlstate", None)) is not None:
        return str(state).startswith(_POSTGRESQL_AWAY)
    # asyncpg has no state for a connection that is closed already.
    return isinstance(error, sa.exc.InterfaceError)


def _sqlite(url: str, *, writes: bool) -> AsyncEngine:
    # One writer and no overflow: writers queue here instead of failing with 'database is locked'.
    engine = create_async_engine(
        url,
        isolation_level=None,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1 if writes else 4,
        max_overflow=0,
        pool_timeout=60,
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def opened(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        try:
            for pragma in (
                "busy_timeout=10000",
                "journal_mode=WAL",
                "synchronous=NORMAL",
                "foreign_keys=ON",
                "temp_store=MEMORY",
                f"query_only={'OFF' if writes else 'ON'}",
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
        except BaseException:
            # The file may be locked, as while another process migrates it: nobody else closes this connection.
            connection.close()
            raise

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def schema(tx: sa.Connection) -> str | None:
    """The revision of the schema in the database, None when it is empty."""
    if not sa.inspect(tx).has_table("alembic_version"):
        return None
    revision: str | None = tx.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def head() -> str:
    """The newest revision that this version of Showcase knows. Blocks: reads the migrations."""
    from alembic.script import ScriptDirectory

    newest = ScriptDirectory(str(Path(__file__).with_name("migrations"))).get_current_head()
    assert newest is not None  # noqa: S101 - there is a first one
    return newest


def migrate(url: str, revision: str = "head") -> None:
    """Bring the schema at `url` to `revision`. Blocks: call it before the loop runs, or in a thread."""
    from alembic import command
    from alembic.config import Config

    where = sa.make_url(url)
    if is_sqlite(url) and where.database:
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["url"] = url
    command.upgrade(config, revision)
