"""What the operator's machines ask: is it alive, can it serve, and how is it doing."""

from __future__ import annotations

import asyncio
import hmac

import sqlalchemy as sa
from aiohttp import web

from showcase import metrics
from showcase.errors import Forbidden, ShowcaseError
from showcase.store import jobs
from showcase.web.keys import DB, SETTINGS, STORAGE, now
from showcase.web.limits import address

# A job that is due waits for longer only when no worker is there, or when films stand in a queue.
PATIENCE_S = 600
NO_STORE = {"Cache-Control": "no-store"}


async def healthz(_: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"}, headers=NO_STORE)


async def _waited_s(request: web.Request) -> float:
    """How long the oldest job that is due has waited, in seconds."""
    oldest = await request.app[DB].read(jobs.oldest_waiting)
    return max(0.0, (now(request) - oldest).total_seconds()) if oldest is not None else 0.0


async def readyz(request: web.Request) -> web.Response:
    """It can serve: the database answers and there is room on the disk (503 when not)."""
    checks: dict[str, str] = {}
    try:
        await request.app[DB].read(lambda tx: tx.execute(sa.select(1)).scalar_one())
        checks["database"] = "ok"
    except ShowcaseError as error:
        checks["database"] = error.code
    enough = await asyncio.to_thread(request.app[STORAGE].free_bytes) > request.app[SETTINGS].disk_reserve
    # A full disk stops uploads, not the audience: it is told, and the node stays in service.
    checks["disk"] = "ok" if enough else "low"
    if checks["database"] == "ok":
        # Nobody works: the audience is served all the same, and the operator is told.
        checks["workers"] = "ok" if await _waited_s(request) < PATIENCE_S else "waiting"
    ready = checks["database"] == "ok"
    return web.json_response(
        {"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503, headers=NO_STORE
    )


async def measures(request: web.Request) -> web.Response:
    """Prometheus text. For this machine, or with the token of the settings."""
    token = request.app[SETTINGS].metrics_token
    if token is not None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
            raise Forbidden()
    elif address(request) not in ("127.0.0.1", "::1") or "X-Forwarded-For" in request.headers:
        raise Forbidden()
    counts = await request.app[DB].read(jobs.counts)
    metrics.OLDEST_JOB.set(await _waited_s(request))
    for state in ("queued", "running", "cancelling", "done", "failed", "cancelled"):
        metrics.JOBS.labels(state).set(counts.get(state, 0))
    return web.Response(
        body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"} | NO_STORE
    )


def routes(app: web.Application) -> None:
    """Mount the operator's addresses."""
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", measures)
