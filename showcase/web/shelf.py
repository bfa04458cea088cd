"""Works as players need them, kept in memory: a segment is checked and found without asking the database.

Events of the store drop what changed, so a withdrawal counts at once on every node; a time limit is the net below.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar

from showcase.core import rights, sources
from showcase.core.models import Asset, Rendition, Screening, Work
from showcase.errors import NotFound, Unavailable
from showcase.store import screenings, works
from showcase.store.database import Database
from showcase.store.events import Event

SHELF = 500
SECONDS = 30
# Files that belong to the public page of a work, whatever its window says.
PAGE_ROLES = frozenset({"documentation", "installation-view", "trailer"})


@dataclass(frozen=True)
class Shelved:
    """A work with its files by id."""

    work: Work

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """The files by id."""
        return {a.id: a for a in self.work.assets}

    @cached_property
    def renditions(self) -> dict[tuple[str, str], Rendition]:
        """The renditions by asset and name."""
        return {(a.id, r.name): r for a in self.work.assets for r in a.renditions}

    @cached_property
    def shown(self) -> frozenset[str]:
        """The files that play when the work plays: the taken versions of the work, its captions and other sounds."""
        taken = [a for role in ("work", "captions", "audio-description", "audio-track") for a in self.work.taken(role)]
        return frozenset(a.id for a in taken)

    @cached_property
    def ends_us(self) -> dict[str, tuple[int, ...]]:
        """Where the segments of the lowest picture end, by the version that shows it: by them captions are cut."""
        return {a.id: track.ends_us for a in self.work.assets if (track := sources.picture(a)) is not None}

    @cached_property
    def playable(self) -> bool:
        """Whether there is something to play."""
        return self.work.main is not None and self.work.main.playable

    def beside(self, main: Asset) -> frozenset[str]:
        """What plays when `main` plays, which need not be the version that is taken: it, captions, other sounds."""
        return frozenset({main.id, *(i for i in self.shown if self.assets[i].role != "work")})

    def verdict(self, now: datetime, territory: str | None) -> rights.Verdict:
        """Whether the public may watch at `now` in a territory."""
        work = self.work
        return rights.verdict(
            work.state,
            work.window,
            self.playable,
            now,
            was_public=work.published_at is not None,
            rights=work.rights,
            territory=territory,
        )


T = TypeVar("T")


class _Cache(Generic[T]):
    """What is asked for most by number, as the database has it; many who ask at once ask it once."""

    def __init__(self, load: Callable[[int], Awaitable[T]]) -> None:
        self._load = load
        self._kept: OrderedDict[int, tuple[float, T]] = OrderedDict()
        self._loading: dict[int, asyncio.Future[T]] = {}
        self._generation = 0

    async def get(self, id: int) -> T:
        """What has this number. Raises NotFound. Without a database what is known goes on."""
        loop = asyncio.get_running_loop()
        kept = self._kept.get(id)
        if kept is not None and loop.time() - kept[0] < SECONDS:
            self._kept.move_to_end(id)
            return kept[1]
        if (loading := self._loading.get(id)) is not None:
            return await asyncio.shield(loading)
        loading = self._loading[id] = loop.create_future()
        generation = self._generation
        try:
            found = await self._read(id, kept)
        except BaseException as error:
            if isinstance(error, NotFound):
                self._kept.pop(id, None)
            loading.set_exception(error if isinstance(error, Exception) else NotFound())
            loading.exception()
            raise
        else:
            loading.set_result(found)
            if generation == self._generation:
                self._kept[id] = (loop.time(), found)
                if len(self._kept) > SHELF:
                    self._kept.popitem(last=False)
            return found
        finally:
            self._loading.pop(id, None)

    async def _read(self, id: int, kept: tuple[float, T] | None) -> T:
        try:
            return await self._load(id)
        except Unavailable:
            if kept is None:
                raise
            return kept[1]

    def forget(self, id: int | None) -> None:
        """Drop what has this number (None: everything), also what is being loaded."""
        self._generation += 1
        if id is None:
            self._kept.clear()
        else:
            self._kept.pop(id, None)


class Shelf:
    """The most asked-for works. `changed` is to be told of every event."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cache: _Cache[Shelved] = _Cache(self._load)

    async def _load(self, id: int) -> Shelved:
        return Shelved(await self._db.read(works.work_by_id, id))

    async def work(self, id: int) -> Shelved:
        """The work with this number. Raises NotFound."""
        return await self._cache.get(id)

    def changed(self, event: Event) -> None:
        """Drop what an event is about."""
        if event.topic in ("work", "asset"):
            self._cache.forget(event.data.get("id") or event.data.get("work") or 0)


class Showings:
    """The most asked-for screenings; their works stand on the shelf. `changed` is to be told of every event."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cache: _Cache[Screening] = _Cache(self._load)

    async def _load(self, id: int) -> Screening:
        return await self._db.read(screenings.by_id, id)

    async def screening(self, id: int) -> Screening:
        """The screening with this number. Raises NotFound."""
        return await self._cache.get(id)

    def changed(self, event: Event) -> None:
        """Drop what an event is about."""
        if event.topic == "screening":
            self._cache.forget(event.data.get("id") or 0)
        elif event.topic == "festival":
            self._cache.forget(None)
