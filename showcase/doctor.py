"""`showcase doctor`: everything the product needs from its machine, checked and said in words."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from showcase.errors import ShowcaseError
from showcase.settings import Settings

ENCODERS = ("libx264", "aac")
FILTERS = ("zscale", "tonemap", "photosensitivity", "ebur128", "thumbnail")
EARLIEST_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `bad` stands against running, `warn` is worth knowing."""

    level: Literal["good", "warn", "bad"]
    name: str
    detail: str


def run(settings: Settings) -> Iterator[Check]:
    """All checks, as they are made."""
    yield from _ffmpeg(settings)
    yield _limits()
    yield from _disk(settings)
    yield _database(settings)
    yield _clock()
    yield _port(settings)
    yield _mail(settings)
    yield _address(settings)
    yield _territory(settings)


def _ffmpeg(settings: Settings) -> Iterator[Check]:
    from showcase.media import ffmpeg

    try:
        binary = ffmpeg.binary(settings.ffmpeg)
    except ShowcaseError:
        where = settings.ffmpeg or "PATH"
        yield Check(
            "bad", "FFmpeg", f"none of version {ffmpeg.OLDEST} or newer at {where}, and imageio-ffmpeg brings none here"
        )
        return
    yield Check("good", "FFmpeg", f"{binary}, version {ffmpeg.version(binary)}")
    for kind, wanted in (("encoders", ENCODERS), ("filters", FILTERS)):
        said = subprocess.run(
            [binary, "-hide_banner", f"-{kind}"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
        names = {word for line in said.splitlines() for word in line.split()[1:2]}
        lacking = [name for name in wanted if name not in names]
        if lacking:
            yield Check(
                "bad", f"FFmpeg's {kind}", f"{', '.join(lacking)} missing: take another build, or unset SHOWCASE_FFMPEG"
            )
        else:
            yield Check("good", f"FFmpeg's {kind}", ", ".join(wanted))


def _limits() -> Check:
    lacking = [name for name in ("setpriv", "prlimit", "nice") if shutil.which(name) is None]
    if lacking:
        return Check(
            "warn",
            "limits",
            f"{', '.join(lacking)} missing (util-linux, coreutils): FFmpeg runs without limits of memory and time",
        )
    return Check("good", "limits", "FFmpeg runs with limits of memory, time and file size")


def _disk(settings: Settings) -> Iterator[Check]:
    # The folder, or the nearest one above it that is there: nothing is written by a check.
    folder = next(p for p in (settings.data.resolve(), *settings.data.resolve().parents) if p.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        yield Check("bad", "data folder", f"{settings.data} cannot be written")
        return
    free = shutil.disk_usage(folder).free
    gigabytes = free / 1e9
    if free < settings.disk_reserve:
        yield Check(
            "bad", "disk", f"{gigabytes:.1f} GB free in {settings.data}: less than the reserve, no upload will be taken"
        )
    elif free < 4 * settings.disk_reserve:
        yield Check("warn", "disk", f"{gigabytes:.1f} GB free in {settings.data}: it will be full soon")
    else:
        yield Check("good", "disk", f"{gigabytes:.1f} GB free in {settings.data}")


def _database(settings: Settings) -> Check:
    import sqlalchemy as sa

    from showcase.store.database import Database, head, is_sqlite, schema

    url = sa.make_url(settings.database_url)
    shown = url.render_as_string(hide_password=True)
    if is_sqlite(settings.database_url) and url.database and not Path(url.database).exists():
        return Check("good", "database", f"{shown}: not there yet, the first start makes it")

    async def ask() -> str | None:
        db = Database(settings.database_url)
        try:
            return await db.read(schema)
        finally:
            await db.close()

    try:
        current = asyncio.run(ask())
    except (ShowcaseError, OSError, sa.exc.SQLAlchemyError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        return Check("bad", "database", f"{shown}: {reason}")
    if current != head():
        return Check(
            "warn",
            "database",
            f"{shown}: schema {current or 'empty'}; the next start, or showcase migrate, brings it to {head()}",
        )
    return Check("good", "database", f"{shown}, at the newest schema")


def _clock() -> Check:
    year = time.gmtime().tm_year
    if year < EARLIEST_YEAR:
        return Check("bad", "clock", f"this machine thinks it is {year}: every screening goes by its clock")
    try:
        said = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    if said == "yes":
        return Check("good", "clock", "synchronised")
    return Check(
        "warn", "clock", "whether it is synchronised cannot be told here: run NTP (chrony or systemd-timesyncd)"
    )


def _port(settings: Settings) -> Check:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Check(
                "warn",
                "port",
                f"{settings.host}:{settings.port} cannot be taken ({error.strerror}); is the server running?",
            )
    return Check("good", "port", f"{settings.host}:{settings.port} is free")


def _mail(settings: Settings) -> Check:
    if settings.smtp is None:
        return Check("warn", "mail", "no mail server is set: links are read by the administrator on the outbox page")
    return Check("good", "mail", f"sent as {settings.mail_from}")


def _address(settings: Settings) -> Check:
    if settings.base_url is None:
        return Check("warn", "address", f"SHOWCASE_BASE_URL is not set: links in mails say {settings.public_url}")
    if not settings.secure:
        return Check(
            "warn", "address", f"{settings.public_url} is not https: passwords and sessions travel in the clear"
        )
    return Check("good", "address", settings.public_url)


def _territory(settings: Settings) -> Check:
    from showcase.web.territory import Territories

    if settings.territory_header and not settings.trusted_proxies:
        return Check(
            "bad",
            "territories",
            f"{settings.territory_header} is not believed: set SHOWCASE_TRUSTED_PROXIES to how many proxies stand in front",
        )
    known = Territories(settings.territory_database)
    try:
        known.open()
    except ValueError as error:
        return Check("bad", "territories", str(error))
    known.close()
    unknown = (
        f"viewers of whom it is not known count as {'inside' if settings.territory_unknown == 'open' else 'outside'}"
    )
    ways = [str(way) for way in (settings.territory_header, settings.territory_database) if way]
    if not ways:
        return Check("warn", "territories", f"neither a header nor a database says where viewers are: {unknown}")
    return Check("good", "territories", f"by {', then '.join(ways)}; {unknown}")
