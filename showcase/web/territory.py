"""In which country a request comes from: by a header of the proxy in front, or by the operator's database of addresses.

Rights are by territory (core/rights). Nobody is tracked for it: the country alone is looked up, and kept nowhere but in
the grant that follows from it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from aiohttp import web

from showcase.core.rights import NOWHERE
from showcase.core.schedule import Countries
from showcase.web.keys import SETTINGS, TERRITORIES
from showcase.web.limits import address

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 60
_CODE = re.compile(r"[A-Z]{2}")
# What databases and proxies say where they do not know (Cloudflare: XX), or know a union or a network alone.
_NO_COUNTRY = frozenset({"XX", "ZZ", "EU", "AP"})


class Reader(Protocol):
    """A database of addresses, as `maxminddb.open_database` opens it."""

    def get(self, ip_address: str) -> object:
        """The record of an address, None when it has none. Raises ValueError for what is no address."""

    def close(self) -> None:
        """Let go of the file."""


class Territories:
    """The countries of addresses, from a MaxMind DB file; nothing is known without one."""

    def __init__(self, path: Path | None = None, reader: Reader | None = None) -> None:
        self._path = path
        self._reader = reader
        self._seen: tuple[int, int] | None = None

    def open(self) -> None:
        """Open the file, if there is one to open. Raises ValueError when it cannot be read, in words for the operator.

        Blocks: call it before the loop runs.
        """
        if self._path is not None:
            self._reader, self._seen = _opened(self._path)

    async def watch(self) -> None:
        """Open the file again whenever another one has taken its place, as updates of such databases do."""
        while self._path is not None:
            await asyncio.sleep(LOOK_AGAIN_S)
            await self.look_again()

    async def look_again(self) -> None:
        """Open the file again if it is another one; what was open stays when it cannot be read."""
        if self._path is None:
            return
        try:
            if await asyncio.to_thread(_mark, self._path) == self._seen:
                return
            before, (self._reader, self._seen) = self._reader, await asyncio.to_thread(_opened, self._path)
        except (OSError, ValueError) as error:
            log.warning("territory database: %s; the one that was read before stays", error)
            return
        if before is not None:
            before.close()
        log.info("territory database %s read again", self._path)

    def close(self) -> None:
        """Let go of the file. Calling it twice is fine."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def country(self, ip: str) -> str | None:
        """The country of an address (ISO 3166-1 alpha-2), None when it is not known. The file is in memory: microseconds."""
        if self._reader is None:
            return None
        try:
            record = self._reader.get(ip)
        except (ValueError, RuntimeError):
            # No address (a socket), one of a kind that the database does not have, or a damaged place in the file.
            return None
        for name in ("country", "registered_country"):
            found = record.get(name) if isinstance(record, Mapping) else None
            if isinstance(found, Mapping) and (code := _code(found.get("iso_code"))) is not None:
                return code
        return None


def _opened(path: Path) -> tuple[Reader, tuple[int, int]]:
    import maxminddb

    try:
        mark = _mark(path)
        return maxminddb.open_database(path, maxminddb.MODE_AUTO), mark
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise ValueError(f"{path} cannot be read as a MaxMind database: {error}") from error


def _mark(path: Path) -> tuple[int, int]:
    """What tells a file from the one that takes its place."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ino


def _code(value: object) -> str | None:
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if _CODE.fullmatch(code) and code not in _NO_COUNTRY else None


def known(request: web.Request) -> str | None:
    """The country that a request comes from (ISO 3166-1 alpha-2), None when it cannot be told.

    The header that the settings name counts only behind a proxy that is trusted: from anybody else it is a claim.
    """
    settings = request.app[SETTINGS]
    if settings.territory_header and settings.trusted_proxies:
        # A proxy that adds its line to one that came with the request adds it at the end (RFC 9110 5.3).
        lines = ",".join(request.headers.getall(settings.territory_header, []))
        if (code := _code(lines.rpartition(",")[2])) is not None:
            return code
    return request.app[TERRITORIES].country(address(request))


def told(request: web.Request) -> bool:
    """Whether this server tells territories apart at all."""
    settings = request.app[SETTINGS]
    return bool((settings.territory_header and settings.trusted_proxies) or settings.territory_database)


def countries(request: web.Request) -> Countries:
    """What becomes of rights that are for some countries: they are told apart, or all stand open, or all closed."""
    return "told" if told(request) else request.app[SETTINGS].territory_unknown


def of(request: web.Request) -> str | None:
    """The territory of a request, as `core/rights` takes it: of whom it is not known counts as the settings say."""
    code = known(request)
    if code is None and request.app[SETTINGS].territory_unknown == "closed":
        return NOWHERE
    return code
