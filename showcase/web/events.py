"""`GET /api/v1/events`: what happens to one's own works and screenings, as server-sent events (WHATWG HTML 9.2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from showcase.core import rules
from showcase.core.models import Festival, Work
from showcase.errors import NotFound, TooMany
from showcase.store import festivals
from showcase.store.events import Event
from showcase.web import shapes
from showcase.web.keys import DB, FEED, LANG, PERSON, SHELF, SHOWINGS
from showcase.web.limits import limit, network_of

# Proxies close what is silent for long.
BEAT_S = 15
# Progress comes often; a page needs it a few times a second at most.
GATHER_S = 0.25
# A sign-in may end while a stream is open: a browser asks again by itself, with the cookie it then has.
LASTS_S = 15 * 60
PATIENCE_S = 20
FROM_ONE_NETWORK, IN_ALL = 40, 2_000


async def stream(request: web.Request) -> web.StreamResponse:
    """Events of the works and screenings the caller may edit; `?work=slug` narrows it to one, `?festival=slug` to the
    programme of one. For the audience: what was published."""
    limit(request, "events")
    person = request[PERSON]
    only: int | None = None
    if slug := request.query.get("work"):
        from showcase.store import works

        work = await request.app[DB].read(works.work, slug)
        rules.require(person, "edit", work)
        only = work.id
    of: Festival | None = None
    if slug := request.query.get("festival"):
        of = await request.app[DB].read(festivals.festival, slug)
        rules.require_festival(person, "see", of)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    async with request.app[STREAMS].room(network_of(request)), request.app[FEED].listen() as queue:
        await response.prepare(request)
        await _write(response, b"retry: 2000\n\n")
        end = asyncio.get_running_loop().time() + LASTS_S
        while (left := end - asyncio.get_running_loop().time()) > 0:
            gathered = await _gather(queue, min(BEAT_S, left))
            if any(e.topic == "person" for e in gathered) and person is not None:
                # What they may see may have changed: the browser asks again by itself, as who it is then.
                break
            if not gathered:
                await _write(response, b": still here\n\n")
            for name, data in await _told(request, gathered, only, of):
                await _write(response, f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode())
    return response


async def _write(response: web.StreamResponse, data: bytes) -> None:
    # Who reads nothing for so long is gone, and must not hold the stream's place.
    async with asyncio.timeout(PATIENCE_S):
        await response.write(data)


class Streams:
    """How many streams are open, in all and from one network."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextlib.asynccontextmanager
    async def room(self, network: str) -> AsyncIterator[None]:
        """Count one stream while it lasts. Raises TooMany when there are too many already."""
        if self._open[network] >= FROM_ONE_NETWORK or self._open.total() >= IN_ALL:
            raise TooMany(retry_after=30)
        self._open[network] += 1
        try:
            yield
        finally:
            self._open[network] -= 1
            if not self._open[network]:
                del self._open[network]


STREAMS: web.AppKey[Streams] = web.AppKey("STREAMS")


async def _gather(queue: asyncio.Queue[Event], wait_s: float) -> list[Event]:
    """What comes within a moment, of each thing only once."""
    try:
        async with asyncio.timeout(wait_s):
            found = [await queue.get()]
    except TimeoutError:
        return []
    await asyncio.sleep(GATHER_S)
    while not queue.empty():
        found.append(queue.get_nowait())
    newest = {(e.topic, e.data.get("asset") or e.data.get("id")): e for e in found}
    return sorted(newest.values(), key=lambda e: e.id)


async def _told(
    request: web.Request, found: list[Event], only: int | None, of: Festival | None
) -> list[tuple[str, dict[str, Any]]]:
    told: list[tuple[str, dict[str, Any]]] = []
    for event in found:
        if event.topic in ("screening", "festival"):
            one = await _of_programme(request, event, of) if only is None else None
            told += [one] if one is not None else []
            continue
        if of is not None:
            continue
        number = event.data.get("work") if event.topic == "asset" else event.data.get("id")
        if event.topic not in ("asset", "work") or number is None or (only is not None and number != only):
            continue
        if request[PERSON] is None and "state" not in event.data:
            continue
        try:
            work = (await request.app[SHELF].work(int(number))).work
        except NotFound:
            continue
        if (one := _one(request, event, work)) is not None:
            told.append(one)
    return told


async def _of_programme(request: web.Request, event: Event, of: Festival | None) -> tuple[str, dict[str, Any]] | None:
    """What is told of a screening or a festival: when it is public, or the caller may edit it."""
    db, person = request.app[DB], request[PERSON]
    gone_from = event.data.get("gone_from")
    try:
        if event.topic == "festival" or gone_from is not None:
            festival = await db.read(festivals.by_id, int(gone_from or event.data["id"]))
            action: rules.FestivalAction = "edit" if gone_from is not None else "see"
            if (of is not None and of.id != festival.id) or not rules.allows_festival(person, action, festival):
                return None
            return event.topic, {"festival": festival.slug} | ({"removed": True} if gone_from is not None else {})
        screening = await request.app[SHOWINGS].screening(int(event.data["id"]))
    except (NotFound, KeyError):
        return None
    if of is not None and of.slug not in (screening.festival_slug, *screening.hosts):
        return None
    told = {"slug": screening.slug, "festival": screening.festival_slug, "state": screening.state}
    if rules.allows_screening(person, "edit", screening):
        return "screening", told | {"revision": screening.revision}
    return ("screening", told) if screening.public else None


def _one(request: web.Request, event: Event, work: Work) -> tuple[str, dict[str, Any]] | None:
    if rules.allows(request[PERSON], "edit", work):
        if event.topic == "work":
            return "work", {"slug": work.slug, "state": work.state, "poster": shapes.poster_out(work)}
        asset = next((a for a in work.assets if a.id == event.data.get("asset")), None)
        if asset is None:
            return "removed", {"work": work.slug, "asset": event.data.get("asset")}
        return "asset", {"work": work.slug} | shapes.asset_out(asset, request[LANG], inside=True)
    # The audience hears of what becomes public or no longer is, and of nothing else.
    if event.topic == "work" and work.published_at and event.data.get("state") in ("published", "withdrawn"):
        return "work", {"slug": work.slug, "state": work.state}
    return None
