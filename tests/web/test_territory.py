"""Where a request comes from: a header that is believed behind a trusted proxy alone, or the operator's database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, make_mocked_request
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from showcase import app as application
from showcase.core.rights import NOWHERE
from showcase.settings import Settings
from showcase.web import keys, territory
from showcase.web.territory import Territories


class Book:
    """A database of addresses that a test writes."""

    def __init__(self, records: dict[str, object]) -> None:
        self.records = records
        self.closed = 0

    def get(self, ip_address: str) -> object:
        if "." not in ip_address and ":" not in ip_address:
            raise ValueError(f"{ip_address} is no address")
        found = self.records.get(ip_address)
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        self.closed += 1


BOOK = {
    "198.51.100.1": {"country": {"iso_code": "AT"}, "registered_country": {"iso_code": "DE"}},
    "198.51.100.2": {"registered_country": {"iso_code": "fr"}},
    "198.51.100.3": {"country": {"iso_code": "EU"}},
    "198.51.100.4": {"country": "AT"},
    "198.51.100.5": "AT",
    "198.51.100.6": RuntimeError("a damaged place in the file"),
    "2001:db8::1": {"country": {"iso_code": "SN"}},
}


def request(headers: dict[str, Any] | None = None, reader: Book | None = None, **settings: Any) -> web.Request:
    app = web.Application()
    app[keys.SETTINGS] = Settings(**settings)
    app[keys.TERRITORIES] = Territories(reader=reader)
    return make_mocked_request("GET", "/", headers=headers or {}, app=app)


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("AT", "AT"), ("at", "AT"), (" KR ", "KR"), ("XX", None), ("T1", None), ("ZZ", None), ("EU", None), ("", None), ("AUT", None),
        ("Österreich", None), ("FR, AT", "AT"), ("AT,", None),
    ],
)  # fmt: skip
def test_the_header_of_a_trusted_proxy_says_it(value: str, country: str | None) -> None:
    asked = request({"CF-IPCountry": value}, territory_header="CF-IPCountry", trusted_proxies=1)
    assert (territory.known(asked), territory.of(asked)) == (country, country)


@pytest.mark.parametrize(("header", "proxies"), [("CF-IPCountry", 0), (None, 1), ("X-Country", 1)])
def test_from_anybody_else_it_is_a_claim(header: str | None, proxies: int) -> None:
    asked = request({"CF-IPCountry": "AT"}, territory_header=header, trusted_proxies=proxies)
    assert territory.known(asked) is None


def test_the_line_that_the_proxy_added_counts() -> None:
    from multidict import CIMultiDict

    lines: Any = CIMultiDict([("CF-IPCountry", "AT"), ("CF-IPCountry", "FR")])
    assert territory.known(request(lines, territory_header="CF-IPCountry", trusted_proxies=1)) == "FR"


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("198.51.100.1", "AT"), ("198.51.100.2", "FR"), ("198.51.100.3", None), ("198.51.100.4", None), ("198.51.100.5", None),
        ("198.51.100.6", None), ("198.51.100.9", None), ("2001:db8::1", "SN"), ("unix", None),
    ],
)  # fmt: skip
def test_the_database_is_asked_for_the_address_that_the_proxy_says(address: str, country: str | None) -> None:
    asked = request({"X-Forwarded-For": f"203.0.113.7, {address}"}, Book(BOOK), trusted_proxies=1)
    assert territory.known(asked) == country


def test_the_header_comes_before_the_database_and_the_database_after_it() -> None:
    given = {"X-Forwarded-For": "198.51.100.1"}
    behind = {"territory_header": "CF-IPCountry", "trusted_proxies": 1}
    assert territory.known(request(given | {"CF-IPCountry": "KR"}, Book(BOOK), **behind)) == "KR"
    assert territory.known(request(given | {"CF-IPCountry": "XX"}, Book(BOOK), **behind)) == "AT"


def test_the_unknown_count_as_the_settings_say() -> None:
    assert territory.of(request()) is None
    assert territory.of(request(territory_unknown="closed")) == NOWHERE
    known = request({"X-Forwarded-For": "198.51.100.1"}, Book(BOOK), trusted_proxies=1, territory_unknown="closed")
    assert territory.of(known) == "AT"


def written(path: Path, networks: dict[str, str]) -> Path:
    """A real database of this shape, put in its place whole."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Sample-Country")
    for network, code in networks.items():
        writer.insert_network(IPSet([network]), {"country": {"iso_code": code}})
    fresh = path.with_suffix(".new")
    writer.to_db_file(str(fresh))
    os.replace(fresh, path)
    return path


async def test_a_real_database_is_read_and_read_again_when_another_takes_its_place(tmp_path: Path) -> None:
    path = written(tmp_path / "country.mmdb", {"198.51.100.0/24": "AT", "2001:db8::/32": "SN"})
    known = Territories(path)
    assert known.country("198.51.100.7") is None
    known.open()
    asked = ("198.51.100.7", "2001:db8::7", "203.0.113.1", "-", "")
    assert [known.country(a) for a in asked] == ["AT", "SN", None, None, None]
    written(path, {"198.51.100.0/24": "FR"})
    await known.look_again()
    assert [known.country(a) for a in asked] == ["FR", None, None, None, None]
    half = tmp_path / "half"
    half.write_bytes(b"of an update")
    os.replace(half, path)
    await known.look_again()
    assert known.country("198.51.100.7") == "FR"
    path.unlink()
    await known.look_again()
    assert known.country("198.51.100.7") == "FR"
    known.close()
    known.close()
    assert known.country("198.51.100.7") is None


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_a_database_that_cannot_be_read_is_told_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "country.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"country\.mmdb cannot be read as a MaxMind database"):
        Territories(path).open()


def test_a_server_without_its_database_does_not_start_and_says_why(tmp_path: Path) -> None:
    environment = os.environ | {"SHOWCASE_TERRITORY_DATABASE": str(tmp_path / "country.mmdb"), "SHOWCASE_PORT": "0"}
    command = [sys.executable, "-m", "showcase", "serve", "--data", str(tmp_path / "data")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "country.mmdb cannot be read as a MaxMind database" in ended.stderr
    assert "Traceback" not in ended.stderr


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    from aiohttp.test_utils import TestServer

    async with TestClient(TestServer(application.make(settings, workers=False))) as client:
        yield client


async def test_a_server_opens_its_database(tmp_path: Path, sqlite_url: str) -> None:
    path = written(tmp_path / "country.mmdb", {"198.51.100.0/24": "AT"})
    settings = Settings(data=tmp_path, database=sqlite_url, secret="x", workers=0, territory_database=path)
    async with running(settings) as client:
        found = client.app[keys.TERRITORIES] if client.app is not None else None
        assert found is not None
        assert found.country("198.51.100.7") == "AT"
