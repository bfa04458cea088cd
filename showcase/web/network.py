"""The cities as pages need them: kept in memory, forgotten when one changes."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from showcase.core.models import City, Work
from showcase.store import cities
from showcase.store.database import Database
from showcase.store.events import Event


class Network:
    """All cities by slug, from west to east, retired ones too (their works stay)."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: dict[str, City] | None = None
        self._generation = 0

    async def cities(self) -> Mapping[str, City]:
        """Slug -> city."""
        if self._kept is None:
            generation = self._generation
            found = {c.slug: c for c in await self._db.read(cities.all_cities, retired=True)}
            if generation != self._generation:
                return found
            self._kept = found
        return self._kept

    def changed(self, event: Event) -> None:
        """Forget what an event is about."""
        if event.topic == "city":
            self._generation += 1
            self._kept = None


NETWORK: web.AppKey[Network] = web.AppKey("NETWORK")


async def all_cities(request: web.Request) -> Mapping[str, City]:
    """Slug -> city, from west to east."""
    return await request.app[NETWORK].cities()


def active(cities: Mapping[str, City]) -> list[City]:
    """The cities that are in the network today."""
    return [c for c in cities.values() if c.retired_at is None]


def of_work(work: Work, cities: Mapping[str, City]) -> list[City]:
    """The cities of a work, in its order."""
    return [cities[slug] for slug in work.cities if slug in cities]
