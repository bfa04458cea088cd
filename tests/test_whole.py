"""The whole product as processes, on both engines: a film travels from a disk to a segment, whatever is killed on the way."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from showcase.errors import Unavailable
from showcase.media import ffmpeg
from tests import processes
from tests.server import free_port, wait
from tests.summary import MEDIA, missing

PATIENCE_S = 120
CHUNK = 256 * 1024


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of 720p with sound, so that its ladder takes a while."""
    try:
        binary = ffmpeg.binary()
    except Unavailable as error:
        missing(MEDIA, str(error))
    path = tmp_path_factory.mktemp("film") / "Flut und Ebbe 🌊.mp4"
    picture = "testsrc2=s=1280x720:r=25:d=12,noise=alls=12:allf=t"
    command = [binary, "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=f=220:r=48000:d=12"]
    subprocess.run([*command, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path], check=True)
    return path


class Whole:
    """A server process that can be killed and started again on the same data and port."""

    def __init__(self, data: Path, database: str) -> None:
        self.data, self.port = data, free_port()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("SHOWCASE_")}
        self.env = {**inherited, "SHOWCASE_DATABASE": database, "SHOWCASE_DATA": str(data)}
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "showcase", "serve", "--port", str(self.port)]
        self.process = processes.start(command, self.log, env=self.env)
        wait(self.process, self.port, self.log)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def run(self, *words: str) -> str:
        command = [sys.executable, "-m", "showcase", *words]
        return subprocess.run(command, env=self.env, check=True, capture_output=True, text=True).stdout.strip()

    def workers(self) -> list[int]:
        """The worker children of the server."""
        assert self.process is not None
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (OSError, ValueError):
                continue
            if parent == self.process.pid and b"--child" in words:
                found.append(int(entry.name))
        return found


@pytest.fixture
def whole(tmp_path: Path, database_url: str) -> Iterator[Whole]:
    server = Whole(tmp_path / "data", database_url)
    server.data.mkdir()
    server.run("user", "artist@example.org", "--role", "artist", "--city", "linz", "--name", "Ada")
    server.run("user", "linz@example.org", "--role", "staff", "--city", "linz")
    server.start()
    yield server
    assert server.process is not None
    processes.stop(server.process)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def call(session: aiohttp.ClientSession, method: str, url: str, token: str, **kwargs: Any) -> Any:
    async with session.request(method, url, headers={"Authorization": f"Bearer {token}"}, **kwargs) as answer:
        assert answer.status < 300, (url, answer.status, await answer.text())
        return await answer.json() if answer.content_type == "application/json" else None


async def begin(session: aiohttp.ClientSession, whole: Whole, token: str, slug: str, film: Path) -> str:
    """Announce an upload; returns its address."""
    words = {"filename": film.name, "work": slug, "role": "work"}
    metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items())
    headers = {
        "Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0", "Upload-Length": str(film.stat().st_size),
        "Upload-Metadata": metadata,
    }  # fmt: skip
    async with session.post(f"{whole.url}/uploads", headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        return str(answer.headers["Location"])


async def send(session: aiohttp.ClientSession, url: str, token: str, film: Path, *, chunks: int | None = None) -> None:
    """Send what is missing (at most so many chunks)."""
    headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    async with session.head(url, headers=headers) as answer:
        offset = int(answer.headers["Upload-Offset"])
    data = film.read_bytes()
    while offset < len(data) and (chunks is None or chunks > 0):
        patch = {**headers, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        async with session.patch(url, headers=patch, data=data[offset : offset + CHUNK]) as answer:
            assert answer.status == 204, await answer.text()
            offset = int(answer.headers["Upload-Offset"])
        chunks = None if chunks is None else chunks - 1


async def until(ask: Any) -> Any:
    """Ask until there is an answer."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if (found := await ask()) is not None:
                return found
            await asyncio.sleep(0.1)


async def test_a_film_arrives_whatever_is_killed(whole: Whole, session: aiohttp.ClientSession, film: Path) -> None:
    token = whole.run("token", "artist@example.org")
    staff = whole.run("token", "linz@example.org")
    new = {"title": {"en": "Tide", "fr": "Marée"}, "cities": ["linz"], "credits": [{"name": "Ada", "city": "linz"}]}
    slug = (await call(session, "POST", f"{whole.url}/api/v1/works", token, json=new))["slug"]
    work = f"{whole.url}/api/v1/works/{slug}"

    # The server dies in the middle of an upload.
    place = await begin(session, whole, token, slug, film)
    await send(session, whole.url + place, token, film, chunks=2)
    whole.kill()
    whole.start()
    await send(session, whole.url + place, token, film)

    # The worker dies in the middle of a transcode: when the first quality is there and the others are not.
    async def first() -> Any:
        asset = (await call(session, "GET", work, token))["assets"][0]
        return asset if asset["renditions"] and asset["state"] == "processing" else None

    begun = await until(first)
    (worker,) = whole.workers()
    os.kill(worker, signal.SIGKILL)
    assert begun["playable"] is True

    async def ready() -> Any:
        assets = (await call(session, "GET", work, token))["assets"]
        assert len(assets) == 1
        assert assets[0]["state"] in ("processing", "ready"), assets[0]["error"]
        return assets[0] if assets[0]["state"] == "ready" else None

    asset = await until(ready)
    assert asset["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()
    assert asset["filename"] == film.name
    assert [r["name"] for r in asset["renditions"]] == ["v240", "v360", "v480", "v720"]
    assert [t["kind"] for t in asset["tracks"]] == ["audio"]
    assert abs(asset["duration"] - 12) < 0.05

    # It is shown, and every segment of it is there.
    await call(session, "POST", f"{work}/publish", staff, json={"on_view": {"from": None, "until": None}})
    async with session.post(f"{work}/play", json={}) as answer:
        play = await answer.json()
    assert play["phase"] == "on_air"
    fetched = 0
    for uri in await lines(session, whole.url + play["hls"]):
        for segment in await lines(session, uri):
            async with session.get(segment) as answer:
                assert (answer.status, answer.content_type) == (200, "video/iso.segment")
                fetched += len(await answer.read())
    assert fetched > 500_000

    # The original comes back as it was.
    original = f"{whole.url}/en/studio/works/{slug}/assets/{asset['id']}/original"
    async with session.get(original, headers={"Authorization": f"Bearer {token}"}) as answer:
        assert hashlib.sha256(await answer.read()).hexdigest() == asset["sha256"]

    # Nothing is left lying about: no half upload, no scratch, no folder without a row.
    assert [p.name for p in (whole.data / "uploads").iterdir()] == []
    assert [p.name for p in (whole.data / "scratch").glob("*")] == []
    assert [p.name for p in (whole.data / "files" / "originals").iterdir()] == [asset["id"]]
    assert [p.name for p in (whole.data / "files" / "media").iterdir()] == [asset["id"]]


async def lines(session: aiohttp.ClientSession, url: str) -> list[str]:
    """The addresses in a playlist."""
    async with session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        text = await answer.text()
    found = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [f"{url.rpartition('/')[0]}/{line}" for line in found]


def test_a_killed_server_leaves_its_database_whole(whole: Whole) -> None:
    whole.kill()
    url = sa.make_url(whole.env["SHOWCASE_DATABASE"])
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    whole.start()
    assert whole.run("migrate") == "The database is up to date."
