"""From an uploaded file to everything that is needed to show it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from showcase.core import ladder
from showcase.core.ladder import Probe
from showcase.core.ladder import Rendition as Made
from showcase.core.models import Asset, Rendition, Work
from showcase.errors import Cancelled, MediaError, ShowcaseError, Unavailable
from showcase.media import captions, probe, stills, transcode
from showcase.media.storage import Storage
from showcase.settings import Settings
from showcase.store import assets, jobs, works
from showcase.store.database import Database
from showcase.store.jobs import Job
from showcase.worker import outcomes
from showcase.worker.filler import for_the_ears

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

REPORT_EVERY = 0.7
HASHED_AT_ONCE = 16 << 20
# What reading a file to its end (twice: its hash, its packets) is counted as of all that is done with it.
READING = 0.05
SOUNDS_KEPT = 2
# What is waited for without an end stands in the stage, for the artist to read.
WAITED_FOR = ("disk-full", "film-not-ready")


class Processor:
    """Does `process`, `captions`, `ladder`, `level` and `poster` jobs (their subject is an asset).

    All that is written is so by `_write` or after `jobs.hold`: a worker that was stalled, and lost its job meanwhile,
    changes nothing.
    """

    def __init__(self, db: Database, storage: Storage, settings: Settings, binary: str) -> None:
        self._db, self._storage, self._settings, self._binary = db, storage, settings, binary
        self._scratch = settings.data / "scratch"

    async def process(self, job: Job) -> None:
        """Make an asset playable, and ready if it has no higher rungs. Raises MediaError with what is wrong with it."""
        asset = await self._db.read(assets.asset, job.subject)
        work = await self._db.read(works.work_by_id, asset.work)
        if asset.state == "ready":
            return
        await self._write(job, assets.report, asset.id, state="processing", stage="probe")
        async with self._told(job), self._source(job) as (source, scratch), self._reporting(job, asset) as reporting:
            length_us = outcomes.length_us(asset, work)
            if asset.sha256 is None:
                sha256 = await _sha256(source, lambda part: reporting.tell(READING / 2 * part, "probe"))
                await self._write(job, assets.report, asset.id, sha256=sha256)
            if asset.size == 0:
                raise MediaError("empty")
            if asset.role == "captions":
                await self._captions(job, asset, source)
            elif ladder.as_kept(asset.details.get("probe")) is None:  # else an earlier try came to its end
                await self._film(job, asset, work, source, scratch, reporting, length_us)
        await self._write(job, outcomes.playable, asset.id)

    async def ladder(self, job: Job) -> None:
        """Make the higher rungs of a film that is playable, and with that ready."""
        asset = await self._db.read(assets.asset, job.subject)
        found = ladder.as_kept(asset.details.get("probe"))
        if asset.state == "ready" or found is None:
            return
        await self._write(job, assets.report, asset.id, state="processing", stage="ladder")
        async with self._told(job), self._source(job) as (source, scratch), self._reporting(job, asset) as reporting:
            await transcode.ladder(
                source,
                scratch,
                found,
                have=frozenset(r.name for r in asset.renditions),
                progress=reporting.encoding,
                ready=self._storing(job, asset),
                binary=self._binary,
                allowance=self._allowance(nice=19),
            )
        await self._write(job, outcomes.ready, asset.id)
        log.info("asset %s is ready", asset.id)

    async def level(self, job: Job) -> None:
        """Make the sound of a file anew where it is not as it should be: levelled or not, and as long as its film.

        The new sound has a name of its own: whoever plays the old one now plays it to its end.
        """
        asset = await self._db.read(assets.asset, job.subject)
        work = await self._db.read(works.work_by_id, asset.work)
        sounds = [r for r in asset.renditions if r.kind == "audio"]
        gain, length_us = outcomes.gain(asset, work), outcomes.length_us(asset, work) or asset.duration_us
        as_it_is = (asset.details.get("gain", 0.0), asset.duration_us)
        if asset.state != "ready" or not sounds or length_us is None or (gain, length_us) == as_it_is:
            return
        async with self._source(job) as (source, scratch):
            await transcode.sound(
                source,
                scratch,
                await self._probe(asset, source),
                name=f"a-{sounds[-1].lang}-{job.id}",
                lang=sounds[-1].lang,
                length_us=length_us,
                gain_db=gain,
                ready=self._storing(job, asset),
                binary=self._binary,
                allowance=self._allowance(),
            )
        details = {"gain": gain, "notice": None}
        # Who plays the sound before the last may do so to the end.
        delay = timedelta(minutes=self._settings.grant_minutes, microseconds=length_us)

        def store(tx: sa.Connection, at: datetime) -> None:
            assets.report(tx, at, asset.id, details=details, duration_us=length_us)
            jobs.enqueue(tx, at, "old-sounds", asset.id, delay=delay)

        await self._write(job, store)
        log.info("asset %s: sound made anew, %.1f dB", asset.id, gain)

    async def old_sounds(self, job: Job) -> None:
        """Remove all but the newest sounds of a file."""
        for folder in await self._write(job, assets.drop_old_sounds, job.subject, SOUNDS_KEPT):
            await self._storage.remove(folder)

    async def poster(self, job: Job) -> None:
        """Make the picture of a film at the moment its artist chose the poster of the work."""
        asset = await self._db.read(assets.asset, job.subject)
        work = await self._db.read(works.work_by_id, asset.work)
        at_us = int(job.payload["at_us"])
        async with self._source(job) as (source, scratch):
            images, thumbhash = await transcode.picture_at(
                source,
                scratch,
                await self._probe(asset, source),
                at_us,
                f"poster-{at_us // 1000}",
                binary=self._binary,
                allowance=self._allowance(),
            )
            if not images:
                raise MediaError("unreadable")
            await self._poster(job, asset, work, images, thumbhash, chosen=True)
        await self._write(job, assets.report, asset.id, details={"notice": None})

    async def gave_up(self, job: Job, error: ShowcaseError) -> None:
        """Tell the artist how it ended: as the state of the file, or as a notice where the file itself is as it was."""
        await asyncio.to_thread(self._clear, job)
        params = {k: v for k, v in error.params.items() if isinstance(v, (str, int, float))}
        told = {"code": error.code, "params": params}
        at, cancelled = datetime.now(UTC), isinstance(error, Cancelled)
        if job.kind in ("level", "poster"):
            if not cancelled:
                await self._db.write(assets.report, at, job.subject, details={"notice": told})
            return
        state = "cancelled" if cancelled else "failed"

        def end(tx: sa.Connection) -> None:
            if cancelled:
                assets.cancel(tx, at, job.subject)  # it may have handed over to the next job just now
            assets.report(tx, at, job.subject, state=state, stage=state, error=told)

        await self._db.write(end)

    def _clear(self, job: Job) -> None:
        for path in self._scratch.glob(f"{job.subject}-{job.id}-*"):
            shutil.rmtree(path, ignore_errors=True)

    async def _write(
        self, job: Job, f: Callable[Concatenate[sa.Connection, datetime, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write for a job that is still held. Raises Cancelled, LostLease."""

        def held(tx: sa.Connection) -> T:
            jobs.hold(tx, job)
            return f(tx, datetime.now(UTC), *args, **kwargs)

        return await self._db.write(held)

    @asynccontextmanager
    async def _source(self, job: Job) -> AsyncIterator[tuple[Path, Path]]:
        """The original of a job's asset, and an empty folder that no other holder of the job shares."""
        scratch = self._scratch / f"{job.subject}-{job.id}-{job.attempt}"

        def fresh() -> None:
            self._clear(job)  # what a worker that died, or lost the job, has left
            scratch.mkdir(parents=True)

        try:
            await asyncio.to_thread(fresh)
            async with self._storage.as_file(f"originals/{job.subject}") as source:
                yield source, scratch
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Unavailable("disk-full") from error
            raise
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, True)

    @asynccontextmanager
    async def _told(self, job: Job) -> AsyncIterator[None]:
        """Let the artist read what a job waits for."""
        try:
            yield
        except Unavailable as error:
            if error.code in WAITED_FOR:
                with contextlib.suppress(ShowcaseError):
                    await self._write(job, assets.report, job.subject, stage=error.code)
            raise

    @asynccontextmanager
    async def _reporting(self, job: Job, asset: Asset) -> AsyncIterator[_Reporting]:
        """Passes progress on to the database, at most once in `REPORT_EVERY` seconds."""
        reporting = _Reporting(asset.progress)

        last: tuple[float, str] | None = None

        async def store() -> None:
            nonlocal last
            if (told := reporting.told) is None or told == last:
                return
            try:
                await self._write(job, assets.report, asset.id, progress=round(told[0], 4), stage=told[1])
                last = told
            except Unavailable as error:
                log.warning("asset %s: progress not stored: %s", asset.id, error)

        async def report() -> None:
            while True:
                await store()
                await asyncio.sleep(REPORT_EVERY)

        reporter = asyncio.create_task(report(), name=f"progress of {asset.id}")
        try:
            yield reporting
        finally:
            reporter.cancel()
            await asyncio.gather(reporter, return_exceptions=True)
        await store()

    async def _probe(self, asset: Asset, source: Path) -> Probe:
        """What was found in a file when it was processed, without reading it to its end again."""
        kept = ladder.as_kept(asset.details.get("probe"))
        return kept or await probe.probe(source, max_duration_us=self._allowance().max_duration_us)

    def _allowance(self, nice: int = 10) -> transcode.Allowance:
        return transcode.Allowance(
            max_duration_us=round(self._settings.work_max_hours * 3_600_000_000),
            data_bytes=self._settings.ffmpeg_memory,
            reserve_bytes=self._settings.disk_reserve,
            nice=nice,
        )

    def _storing(self, job: Job, asset: Asset) -> transcode.Ready:
        """Stores renditions under a name that nothing else has: what is stored is never changed."""
        prefix = outcomes.new_prefix(asset)

        async def ready(made: Made, folder: Path) -> None:
            rendition = Rendition(**outcomes.fields(made), folder=f"{prefix}/{made.name}")
            await self._db.read(jobs.hold, job)
            await self._storage.copy_folder(folder, rendition.folder)

            def store(tx: sa.Connection, at: datetime) -> None:
                assets.add_rendition(tx, at, asset.id, rendition)
                assets.take_if_first(tx, at, asset.id)

            await self._write(job, store)

        return ready

    async def _captions(self, job: Job, asset: Asset, source: Path) -> None:
        found = await asyncio.to_thread(lambda: captions.read(source.read_bytes(), asset.filename))
        folder = f"{outcomes.new_prefix(asset)}/captions"
        await self._db.read(jobs.hold, job)
        await self._storage.put(f"{folder}/captions.vtt", found.vtt.encode())
        end = max((c.end_us for c in found.cues), default=0)
        rendition = Rendition(
            name="captions",
            kind="captions",
            lang=asset.lang,
            width=0,
            height=0,
            fps=0.0,
            codecs="wvtt",
            bandwidth=0,
            average=0,
            size_bytes=len(found.vtt.encode()),
            durations_us=(end,),
            folder=folder,
        )
        details = {"cues": len(found.cues), "transcript": found.transcript}

        def store(tx: sa.Connection, at: datetime) -> None:
            assets.add_rendition(tx, at, asset.id, rendition)
            assets.report(tx, at, asset.id, details=details, duration_us=end)

        await self._write(job, store)

    async def _film(
        self,
        job: Job,
        asset: Asset,
        work: Work,
        source: Path,
        scratch: Path,
        reporting: _Reporting,
        length_us: int | None,
    ) -> None:
        async def picture(made: transcode.Picture) -> None:
            await self._poster(job, asset, work, made.images, made.thumbhash)

        outcome = await transcode.process(
            source,
            scratch,
            role=asset.role,
            have=frozenset(r.name for r in asset.renditions),
            progress=reporting.encoding,
            ready=self._storing(job, asset),
            picture=picture,
            binary=self._binary,
            allowance=self._allowance(),
            lang=None if asset.lang == "und" else asset.lang,
            length_us=length_us,
        )
        details = await self._keep(job, outcome, f"{outcomes.new_prefix(asset)}/extra", scratch)
        if outcome.images:
            # The public page shows a small likeness; the picture itself opens with the work's window.
            shown = outcome.poster.images if asset.role != "work" else outcomes.likeness(outcome.poster.images)
            await self._poster(job, asset, work, shown, outcome.poster.thumbhash)

        def store(tx: sa.Connection, at: datetime) -> None:
            assets.report(tx, at, asset.id, details=details, duration_us=outcome.duration_us or None)
            assets.fit_sounds(tx, at, asset.work)
            if outcome.spherical and asset.role == "work" and not work.spherical:
                works.update(tx, at, work.id, values={"spherical": True}, fields={})

        await self._write(job, store)

    async def _keep(self, job: Job, outcome: transcode.Outcome, folder: str, scratch: Path) -> dict[str, Any]:
        extra = scratch / "extra"
        details: dict[str, Any] = {
            "folder": folder,
            "source": outcomes.source(outcome),
            "probe": ladder.to_keep(outcome.probe),
        }

        def collect() -> None:
            extra.mkdir()
            if (board := outcome.storyboard) is not None:
                for sheet in board.sheets:
                    shutil.copy2(sheet, extra / sheet.name)
                details["storyboard"] = {
                    "interval_us": board.interval_us,
                    "columns": board.columns,
                    "rows": board.rows,
                    "width": board.tile_width,
                    "height": board.tile_height,
                    "sheets": [s.name for s in board.sheets],
                }
            if outcome.peaks is not None:
                shutil.copy2(outcome.peaks, extra / "peaks.u8")
                details["peaks"] = "peaks.u8"
            if outcome.probe.still:
                details["images"] = [outcomes.image(i) for i in outcome.images]
                for image in outcome.images:
                    shutil.copy2(image.path, extra / image.path.name)

        await asyncio.to_thread(collect)
        if outcome.loudness is not None:
            details["loudness"] = asdict(outcome.loudness)
        details["flashes"] = None if outcome.flashes is None else [list(f) for f in outcome.flashes]
        await self._db.read(jobs.hold, job)
        await self._storage.copy_folder(extra, folder)
        return details

    async def _poster(
        self,
        job: Job,
        asset: Asset,
        work: Work,
        images: tuple[stills.Image, ...],
        thumbhash: str,
        *,
        chosen: bool = False,
    ) -> None:
        """Keep the pictures of a file; they become the work's own when it has none, or when they were chosen as such."""
        if not images:
            return
        await self._db.read(jobs.hold, job)
        for image in images:
            data = await asyncio.to_thread(image.path.read_bytes)
            await self._storage.put(f"pictures/{asset.id}/{image.path.name}", data)
        kept = {"asset": asset.id, "files": [outcomes.image(i) for i in images], "thumbhash": thumbhash}

        def store(tx: sa.Connection, at: datetime) -> None:
            if chosen or asset.role == "poster":
                works.set_poster(tx, at, work.id, kept | {"chosen": True})
                for sounding in filter(for_the_ears, works.work_by_id(tx, work.id).assets):
                    jobs.enqueue(tx, at, "still", sounding.id)
                return
            assets.report(tx, at, asset.id, details={"poster": kept})
            current = works.work_by_id(tx, work.id)
            if current.poster is not None and current.poster.get("chosen"):
                return
            if asset.role == "work" and (current.poster is None or current.main is None or current.main.id == asset.id):
                works.set_poster(tx, at, work.id, kept)

        await self._write(job, store)


class _Reporting:
    """How far a file is: what it was told last, and never back behind where an earlier try was."""

    def __init__(self, begun: float) -> None:
        self._furthest = begun
        self.told: tuple[float, str] | None = None

    def tell(self, progress: float, stage: str) -> None:
        """So much of all is done."""
        self._furthest = max(self._furthest, progress)
        self.told = (self._furthest, stage)

    def encoding(self, progress: float, stage: str) -> None:
        """So much is done of what comes after reading."""
        self.tell(READING + (1 - READING) * progress if progress else READING / 2, stage)


async def _sha256(path: Path, told: Callable[[float], None]) -> str:
    """Hash a file, telling how much of it is done. Cancelling ends it soon."""
    digest = hashlib.sha256()
    size = (await asyncio.to_thread(path.stat)).st_size
    with await asyncio.to_thread(path.open, "rb") as file:
        while data := await asyncio.to_thread(file.read, HASHED_AT_ONCE):
            await asyncio.to_thread(digest.update, data)
            told(file.tell() / max(1, size))
    return digest.hexdigest()
