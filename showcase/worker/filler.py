"""What channels show besides films: slates between works, and a still picture while a work for the ears sounds."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from showcase.core import sources
from showcase.core.models import Asset, Festival, Rendition, Work
from showcase.errors import NotFound
from showcase.media import slate_picture, stillfilm
from showcase.media.child import Limits
from showcase.media.storage import Storage
from showcase.settings import Settings, shipped
from showcase.store import assets, channels, cities, festivals, jobs, works
from showcase.store.database import Database
from showcase.store.jobs import Job

log = logging.getLogger(__name__)

LINES = ("The programme goes on in a moment.", "Le programme reprend dans un instant.")
LIMITS = Limits(wall_s=600)


class Filler:
    """Does `slate` jobs (their subject is a festival, 0 the network) and `still` jobs (of an asset)."""

    def __init__(self, db: Database, storage: Storage, settings: Settings, binary: str) -> None:
        self._db, self._storage, self._settings, self._binary = db, storage, settings, binary

    async def slate(self, job: Job) -> None:
        """Make the slate of a festival's design, unless there is one."""
        number = int(job.subject)
        festival = await self._db.read(festivals.by_id, number) if number else None
        design = channels.design(festival)
        if await self._db.read(channels.slate_folder, design) is not None:
            return
        hue = await self._db.read(_hue, festival)
        titles = [festival.text("title", lang) for lang in ("en", "fr")] if festival is not None else []
        folder = f"slates/{design}-{secrets.token_hex(3)}"
        async with self._scratch(job) as scratch:
            made = await stillfilm.slate(
                await self._drawn(scratch, list(dict.fromkeys(titles)) or [self._settings.site_name], LINES, hue),
                scratch / "slate",
                binary=self._binary,
                limits=LIMITS,
            )
            await self._db.read(jobs.hold, job)
            await self._storage.copy_folder(scratch / "slate", folder)
        kept = {
            "body": [channels.row_of(r) for r in made.body],
            "leads": {str(n): [channels.row_of(r) for r in lead] for n, lead in made.leads.items()},
        }
        await self._write(job, channels.add_slate, design, folder, kept)
        log.info("slate %s is ready", design)

    async def still(self, job: Job) -> None:
        """Make the film of a work for the ears: its poster, or its title, for as long as it sounds."""
        asset = await self._db.read(assets.asset, job.subject)
        work = await self._db.read(works.work_by_id, asset.work)
        if asset.state != "ready" or not asset.duration_us or not for_the_ears(asset):
            return
        async with self._scratch(job) as scratch:
            made = await stillfilm.film(
                await self._picture(work, scratch),
                scratch / "still",
                frames=max(1, asset.duration_us * stillfilm.FPS // 1_000_000),
                binary=self._binary,
                limits=LIMITS,
            )
            prefix = f"media/{asset.id}/{secrets.token_hex(4)}"
            await self._db.read(jobs.hold, job)
            await self._storage.copy_folder(scratch / "still", prefix)
        renditions = [
            Rendition(**{**channels.row_of(r), "durations_us": r.durations_us, "name": f"still-{r.name}-{job.id}", "kind": sources.STILL}, folder=f"{prefix}/{r.name}")
            for r in made
        ]  # fmt: skip

        def store(tx: sa.Connection, at: datetime) -> None:
            for rendition in renditions:
                assets.add_rendition(tx, at, asset.id, rendition)

        await self._write(job, store)

    async def _picture(self, work: Work, scratch: Path) -> Path:
        """The poster of a work as a file; a drawn title where it has none."""
        files = [f for f in (work.poster or {}).get("files", ()) if f["type"] in ("image/jpeg", "image/png")]
        if work.poster is not None and files:
            best = max(files, key=lambda f: f["width"])
            path = scratch / f"poster.{best['name'].rpartition('.')[2]}"
            data = await self._storage.get(f"pictures/{work.poster['asset']}/{best['name']}")
            await asyncio.to_thread(path.write_bytes, data)
            return path
        titles = list(dict.fromkeys(work.text("title", lang) for lang in ("en", "fr")))
        names = list(dict.fromkeys(c.name for c in work.credits))[:3]
        return await self._drawn(
            scratch, titles, names, await self._db.read(_hue_of_city, next(iter(work.cities), None))
        )

    async def _drawn(self, scratch: Path, titles: list[str], lines: Any, hue: float | None) -> Path:
        path = scratch / "picture.png"
        fonts = shipped("static") / "vendor" / "fonts"
        await asyncio.to_thread(slate_picture.draw, path, titles=titles, lines=lines, hue=hue, fonts=fonts)
        return path

    async def _write(self, job: Job, f: Any, *args: Any) -> None:
        def held(tx: sa.Connection) -> None:
            jobs.hold(tx, job)
            f(tx, datetime.now(UTC), *args)

        await self._db.write(held)

    @asynccontextmanager
    async def _scratch(self, job: Job) -> AsyncIterator[Path]:
        scratch = self._settings.data / "scratch" / f"{job.kind}-{job.subject}-{job.id}-{job.attempt}"

        def fresh() -> None:
            shutil.rmtree(scratch, ignore_errors=True)
            for name in ("slate", "still"):
                (scratch / name).mkdir(parents=True)

        await asyncio.to_thread(fresh)
        try:
            yield scratch
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, True)


def for_the_ears(asset: Asset) -> bool:
    """Whether a file is a work without a picture."""
    kinds = {r.kind for r in asset.renditions}
    return asset.role == "work" and "audio" in kinds and "video" not in kinds


def _hue(tx: sa.Connection, festival: Festival | None) -> float | None:
    if festival is None or festival.hue is not None:
        return festival.hue if festival is not None else None
    return _hue_of_city(tx, festival.city)


def _hue_of_city(tx: sa.Connection, city: str | None) -> float | None:
    try:
        return cities.city(tx, city).hue if city is not None else None
    except NotFound:
        return None
