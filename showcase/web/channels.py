"""Channels as this process knows them: their timelines, and the playlists that are the same until they change.

A timeline follows from the database alone; it is computed when somebody asks for the channel, and again when an event
tells that its programme changed. A channel that nobody watches costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from showcase.core import channel, ladder, playlist, sources
from showcase.core.channel import Timeline
from showcase.core.channel_plan import Plan
from showcase.errors import Unavailable
from showcase.store import assets, channels
from showcase.store.channels import Kept, Publishing
from showcase.store.database import Database
from showcase.store.events import Event

log = logging.getLogger(__name__)

TARGET_US = ladder.SEGMENT_S * 1_000_000
WINDOW_US = 90 * 1_000_000
LINGER_US = WINDOW_US + 60 * 1_000_000
"""How long a segment may still be fetched after it has played."""

SETTLE_US = TARGET_US + 4 * 1_000_000
"""A change counts one segment after the publishing lead, and as much later as other nodes may take to hear of it."""

SECONDS = 30
AGAIN_S = 1.0
OFFER_US = 500_000
CLOCK_US = 60_000_000
"""A clock that is set back by less goes on from where it was; by more, it is believed."""

MOST = 1_000
PATIENCE_S = 1.0
"""So long a request waits for a channel to be looked at again, before it goes on with what is known."""

TOPICS = frozenset({"screening", "festival", "slate", "channel", "work", "asset"})


@dataclass(slots=True)
class Watched:
    """A channel that was asked for: its timeline, and what was computed of it for this moment."""

    revision: int
    plan: Plan
    timeline: Timeline
    works: frozenset[int]
    checked: float
    missing: bool = False
    told: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    offer: tuple[int, dict[str, list[tuple[int, int]]]] = (0, {})
    latest: int = 0

    def moment(self, now: int) -> int:
        """The time to go by, microseconds since 1970: a clock that was set back a little takes nothing back."""
        if not now < self.latest < now + CLOCK_US:
            self.latest = now
        return self.latest


class Channels:
    """The channels that are asked for. `changed` is to be told of every event."""

    def __init__(self, db: Database, now: Callable[[], datetime], ahead_s: float) -> None:
        self._db, self._now = db, now
        self.ahead_us = round(ahead_s * 1_000_000)
        self._publishing = Publishing(self.ahead_us, SETTLE_US, LINGER_US, SECONDS * 1_000_000)
        self._known: OrderedDict[str, Watched] = OrderedDict()
        self._owners: dict[str, int] = {}
        self._loading: dict[str, asyncio.Task[Watched]] = {}
        self._generation = 0

    async def _channel(self, key: str) -> Watched:
        loop = asyncio.get_running_loop()
        known = self._known.get(key)
        if known is not None and loop.time() - known.checked < (AGAIN_S * 5 if known.missing else SECONDS):
            self._known.move_to_end(key)
            return known
        loading = self._loading.get(key)
        if loading is None:
            # Many viewers at once ask the database once; one who leaves does not stop it for the others.
            loading = self._loading[key] = asyncio.create_task(self._load(key), name=f"channel {key}")
            loading.add_done_callback(lambda done: self._loaded(key, done))
        if known is None:
            return await asyncio.shield(loading)
        # A change counts at once; a database that hangs holds nobody up.
        done, _ = await asyncio.wait([loading], timeout=PATIENCE_S)
        return loading.result() if done else known

    def _loaded(self, key: str, done: asyncio.Task[Watched]) -> None:
        self._loading.pop(key, None)
        if not done.cancelled():
            done.exception()

    async def close(self) -> None:
        """End what is being loaded."""
        loading = list(self._loading.values())
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)

    async def _load(self, key: str) -> Watched:
        loop = asyncio.get_running_loop()
        known, started, generation = self._known.get(key), loop.time(), self._generation
        try:
            found = await self._look(key, known)
        except Unavailable:
            if known is None:
                raise
            # The timeline goes on for as long as it may be right; the database is asked again in a moment.
            log.warning("channel %s goes on without the database", key)
            known.checked = loop.time() - SECONDS + AGAIN_S
            return known
        # What happened meanwhile this may not know of yet: the next one who asks looks again.
        checked = started if generation == self._generation else float("-inf")
        if known is not None and known.revision == found.revision:
            known.checked, known.works, known.missing = checked, found.works, found.missing
            return known
        latest = known.latest if known is not None else 0
        timeline = found.plan.timeline()
        watched = Watched(found.revision, found.plan, timeline, found.works, checked, found.missing, latest=latest)
        self._known[key] = watched
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return watched

    async def _look(self, key: str, known: Watched | None) -> Kept:
        has = (known.revision, known.plan) if known is not None else None
        found: Kept | None = await self._db.read(channels.kept, self._now(), key, self._publishing, has)
        if found is not None and (not found.missing or (known is not None and known.missing)):
            return found
        latest = known.moment(channels.us(self._now())) if known is not None else 0
        renewed: Kept = await self._db.write(channels.renew, self._now, key, self._publishing, latest)
        log.info("channel %s: revision %d", key, renewed.revision)
        return renewed

    async def told(self, key: str, name: str) -> tuple[bytes, int]:
        """The playlist of a rendition now, and how many seconds it may be kept. KeyError: no such rendition."""
        rendition = _NUMBERS[name]
        watched = await self._channel(key)
        now = watched.moment(channels.us(self._now()))
        known = watched.told.get(rendition)
        if known is None or now >= known[0] or now < known[0] - CLOCK_US:
            shown, changes = channel.published(
                watched.timeline, rendition, now, ahead_us=self.ahead_us, window_us=WINDOW_US
            )
            numbers = self._numbers(watched, rendition, now) if not shown.runs else (0, 0)
            text = playlist.media(shown, pinned=True, target_us=TARGET_US, numbers=numbers)
            known = (changes, text.encode())
            watched.told[rendition] = known
        return known[1], max(1, (known[0] - now) // 1_000_000)

    def _numbers(self, watched: Watched, rendition: int, now: int) -> tuple[int, int]:
        """The numbers that the next segment will have, where nothing is told."""
        sequence, discontinuity = watched.timeline.counters(now + self.ahead_us)
        return (sequence[rendition] if sequence else 0), discontinuity

    async def offers(self, key: str, place: str, number: int | None) -> bool:
        """Whether a segment (None: the init segment) of a place is published and not too long past."""
        watched = await self._channel(key)
        now = watched.moment(channels.us(self._now()))
        at = watched.offer[0]
        if not 0 <= now - at < OFFER_US:
            self._offer(watched, now)
        if self._offered(watched, place, number):
            return True
        # What a playlist told of a moment ago is not refused because this was computed a moment before.
        if at != now:
            self._offer(watched, now)
        return self._offered(watched, place, number)

    def _offer(self, watched: Watched, now: int) -> None:
        found = channel.on_offer(watched.timeline, len(sources.NAMES), now, ahead_us=self.ahead_us, behind_us=LINGER_US)
        watched.offer = (now, found)

    @staticmethod
    def _offered(watched: Watched, place: str, number: int | None) -> bool:
        ranges = watched.offer[1].get(f"../../{place}/", ())
        return any(number is None or a <= number < b for a, b in ranges)

    async def owner(self, asset: str) -> int:
        """The work that a file belongs to, which never changes. Raises NotFound."""
        work = self._owners.get(asset)
        if work is None:
            work = await self._db.read(assets.work_of, asset)
            if len(self._owners) > 50 * MOST:
                self._owners.clear()
            self._owners[asset] = work
        return work

    def changed(self, event: Event) -> None:
        """Look again at the channels that an event may be about."""
        if event.topic in TOPICS:
            self._generation += 1
        work = event.data.get("id") if event.topic == "work" else event.data.get("work")
        for key, watched in self._known.items():
            name = key.partition("~")[0]
            touched = (
                event.topic in ("festival", "slate")
                # A premiere's own channel knows no other screening.
                or (event.topic == "screening" and (name[0] != "s" or name == f"s{event.data.get('id')}"))
                or (event.topic == "channel" and event.data.get("key") == key)
                or (event.topic in ("work", "asset") and work in watched.works)
            )
            if touched:
                watched.checked = float("-inf")


_NUMBERS = {name: number for number, name in enumerate(sources.NAMES)}
CHANNELS: web.AppKey[Channels] = web.AppKey("CHANNELS", Channels)


def master() -> str:
    """The master playlist of every channel: it is loaded once, and the works that come are of all kinds.

    The rates are the ladder's peaks for these rungs, the levels the highest that works have there (60 pictures a
    second).
    """
    levels = {"v240": "15", "v360": "1f", "v480": "1f", "v720": "20", "v1080": "2a"}
    rungs = {r.name: r for r in ladder.rungs((1920, 1080))}
    variants = [
        playlist.Variant(
            f"{name}/index.m3u8",
            rungs[name].peak,
            rungs[name].average,
            f"avc1.6400{levels[name]}",
            rungs[name].width,
            rungs[name].height,
        )
        for name in sources.RUNGS
    ]
    audio = [
        playlist.Alternative(
            f"{name}/index.m3u8",
            label,
            "und",
            default=not described,
            described=described,
            bandwidth=160_000,
            average=128_000,
            codecs="mp4a.40.2",
        )
        for name, label, described in (("main", "Main", False), ("ad", "Audio description", True))
    ]
    captions = [
        playlist.Alternative(f"{lang}/index.m3u8", name, lang) for lang, name in (("en", "English"), ("fr", "Français"))
    ]
    return playlist.master(variants, audio, captions)
