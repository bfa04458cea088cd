"""Channels: what a playlist costs beside an empty handler, what 22 cost that nobody watches, and an audience that comes
and stays together.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import works
from bench.figures import Figure
from bench.pages import per_request
from bench.processes import children as children_of
from bench.processes import cpu_s
from tests.gallery import Gallery, film, running_gallery
from tests.server import free_port

FESTIVALS = 22
IDLE_S = 40
VIEWERS = 2_000
COME_S, WATCH_S = 40.0, 20.0
EMPTY = """
import sys
from aiohttp import web
async def empty(_): return web.Response()
app = web.Application(); app.router.add_get("/a/{b}/c/{d}", empty)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
"""


def measure(folder: Path) -> list[Figure]:
    """Ratios within one run, and the latency of an audience of 2,000."""
    with running_gallery(folder) as gallery:
        slug = works.show(gallery, film(folder, seconds=20), "channel")
        names = [_festival(gallery, n) for n in range(FESTIVALS)]
        costs = [*_playlist(gallery, names[0]), *_idle(gallery, names)]
        begins = (datetime.now(UTC) + timedelta(seconds=COME_S + 80)).replace(second=0, microsecond=0)
        return [*costs, *_audience(gallery, _premiere(gallery, names[0], slug, begins), begins)]


def _festival(gallery: Gallery, number: int) -> str:
    slug = f"festival-{number}"
    new = {
        "slug": slug, "city": "linz", "timezone": "Europe/Vienna", "title": {"en": f"Festival {number}"},
        "starts_on": "2026-01-01", "ends_on": "2026-12-31",
    }  # fmt: skip
    gallery.call("POST", "/api/v1/festivals", "linz", new)
    gallery.call("PATCH", f"/api/v1/festivals/{slug}", "linz", {"state": "published"})
    return slug


def _premiere(gallery: Gallery, festival: str, work: str, begins: datetime) -> str:
    new = {
        "festival": festival, "kind": "premiere", "title": {"en": "Together"}, "starts": begins.isoformat(),
        "ends": (begins + timedelta(minutes=5)).isoformat(), "slots": [{"work": work}] * 3,
    }  # fmt: skip
    slug = str(gallery.call("POST", "/api/v1/screenings", "linz", new)["slug"])
    gallery.call("POST", f"/api/v1/screenings/{slug}/publish", "linz")
    return slug


def _watch(gallery: Gallery, path: str) -> str:
    """The folder of a channel's playlists, once its slate is there."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        base = str(gallery.call("POST", path, None, {}, X_Requested_With="showcase")["hls"]).rpartition("/")[0]
        with urllib.request.urlopen(f"{gallery.server.url}{base}/v240/index.m3u8", timeout=30) as answer:
            if b"#EXTINF" in answer.read():
                return base
        time.sleep(1)
    raise RuntimeError("the channel stays dark")


def _playlist(gallery: Gallery, festival: str) -> list[Figure]:
    base = _watch(gallery, f"/api/v1/channels/{festival}/play")
    port = free_port()
    empty = subprocess.Popen([sys.executable, "-c", EMPTY, str(port)])
    try:
        _answers(f"http://127.0.0.1:{port}/a/b/c/d")
        ratios, costs = [], []
        for _ in range(3):
            floor = per_request(f"http://127.0.0.1:{port}", empty.pid, "/a/b/c/d", {})
            cost = per_request(gallery.server.url, gallery.server.pid, f"{base}/v720/index.m3u8", {})
            ratios.append(cost / floor)
            costs.append(cost)
    finally:
        empty.terminate()
        empty.wait()
    note = f"median of 3; {statistics.median(costs) * 1000:.0f} µs a playlist"
    return [Figure("channels: a playlist, beside an empty aiohttp handler", statistics.median(ratios), "x", 1.5, note)]


def _answers(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def _idle(gallery: Gallery, names: list[str]) -> list[Figure]:
    """All channels were looked at once, so that they are known; now nobody does."""
    for name in names:
        _watch(gallery, f"/api/v1/channels/{name}/play")
    pids = [gallery.server.pid, *children_of(gallery.server.pid)]
    _quiet(gallery)
    before, started = cpu_s(*pids), time.monotonic()
    time.sleep(IDLE_S)
    share = (cpu_s(*pids) - before) / (time.monotonic() - started) * 100
    note = f"server and worker together over {IDLE_S} s; {len(pids) - 1} worker, no other process"
    return [Figure(f"channels: {FESTIVALS} that nobody watches", share, "% of a core", 0.5, note)]


def _quiet(gallery: Gallery) -> None:
    """Wait until the slates of all festivals are made: worker and FFmpeg rest."""
    quiet = 0
    while quiet < 3:
        pids = [gallery.server.pid, *(q for p in children_of(gallery.server.pid) for q in (p, *children_of(p)))]
        before = cpu_s(*pids)
        time.sleep(3)
        quiet = quiet + 1 if len(pids) == 2 and cpu_s(*pids) - before < 0.1 else 0


def _audience(gallery: Gallery, screening: str, begins: datetime) -> list[Figure]:
    """Viewers come within `COME_S` seconds before the moment (the page spreads them over eight minutes), and stay."""
    before = cpu_s(gallery.server.pid)
    started = time.monotonic()
    took, refused, why = asyncio.run(_come(gallery.server.url, screening, begins))
    busy = (cpu_s(gallery.server.pid) - before) / (time.monotonic() - started)
    p99 = statistics.quantiles(took, n=100)[98]
    note = f"{len(took):,} requests of {VIEWERS:,} viewers within {COME_S + WATCH_S:.0f} s; server {busy * 100:.0f} % of a core"
    return [
        Figure("channels: an audience turns over, p99 of a request", p99, "s", 1, note),
        Figure("channels: of them refused", refused, "", 0, why),
    ]


async def _come(url: str, screening: str, begins: datetime) -> tuple[list[float], int, str]:
    from collections import Counter

    import aiohttp

    took: list[float] = []
    refused = 0
    why: Counter[str] = Counter()

    async def ask(session: aiohttp.ClientSession, method: str, path: str) -> bytes:
        nonlocal refused
        at = time.monotonic()
        headers = {"X-Requested-With": "showcase"} if method == "POST" else {}
        try:
            async with session.request(
                method, url + path, headers=headers, json={} if method == "POST" else None
            ) as answer:
                body = await answer.read()
                if answer.status != 200:
                    refused += 1
                    why[f"{answer.status} {path.rpartition('.')[2][:5]} {body[:40]!r}"] += 1
        except (aiohttp.ClientError, TimeoutError):
            refused += 1
            body = b""
        took.append(time.monotonic() - at)
        return body

    async def viewer(session: aiohttp.ClientSession, wait_s: float, until: float) -> None:
        import json

        await asyncio.sleep(wait_s)
        await ask(session, "GET", "/api/v1/time")
        given: dict[str, Any] = json.loads(await ask(session, "POST", f"/api/v1/screenings/{screening}/play") or b"{}")
        if "hls" not in given:
            return
        base = given["hls"].rpartition("/")[0]
        await ask(session, "GET", given["hls"])
        seen: set[str] = set()
        while time.monotonic() < until:
            for name in ("v240", "main"):
                text = (await ask(session, "GET", f"{base}/{name}/index.m3u8")).decode()
                uris = [line for line in text.splitlines() if line and not line.startswith("#")]
                for uri in [u for u in uris[-2:] if name + u not in seen]:
                    seen.add(name + uri)
                    await ask(session, "GET", base.rpartition("/")[0] + "/" + uri.removeprefix("../../"))
            await asyncio.sleep(4)

    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=30)
    ) as session:
        lead = (begins - datetime.now(UTC)).total_seconds() - COME_S
        await asyncio.sleep(max(0.0, lead))
        until = time.monotonic() + COME_S + WATCH_S
        async with asyncio.TaskGroup() as group:
            for n in range(VIEWERS):
                group.create_task(viewer(session, n / VIEWERS * COME_S, until))
    return took, refused, ", ".join(f"{n} x {what}" for what, n in why.most_common(3))
