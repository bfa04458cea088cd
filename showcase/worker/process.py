"""From an uploaded file to everything that is needed to show it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from showcase.core.ladder import Rendition as Made
from showcase.core.models import SOUND_ROLES, Asset, Rendition, Work
from showcase.errors import MediaError, ShowcaseError
from showcase.media import captions, stills, transcode
from showcase.media.storage import Storage
from showcase.settings import Settings
from showcase.store import assets, works
from showcase.store.database import Database
from showcase.store.jobs import Job

log = logging.getLogger(__name__)

REPORT_EVERY = 0.7
# EBU R128 (2023): the programme loudness that an artist may have a work brought to, and the peak it must not pass.
TARGET_LUFS, PEAK_DBTP = -23.0, -1.0


class Processor:
    """Does `process` jobs (their subject is an asset)."""

    def __init__(self, db: Database, storage: Storage, settings: Settings, binary: str) -> None:
        self._db, self._storage, self._settings, self._binary = db, storage, settings, binary
        self._scratch = settings.data / "scratch"

    async def process(self, job: Job) -> None:
        """Make an asset ready. Raises MediaError with what is wrong with the file."""
        asset = await self._db.read(assets.asset, job.subject)
        work = await self._db.read(works.work_by_id, asset.work)
        if asset.state == "ready":
            return
        at = datetime.now(UTC)
        await self._db.write(assets.report, at, asset.id, state="processing", stage="probe", progress=asset.progress)
        scratch = self._scratch / asset.id
        await asyncio.to_thread(_fresh, scratch)
        try:
            async with self._storage.as_file(f"originals/{asset.id}") as source:
                if asset.sha256 is None:
                    await self._db.write(assets.set_hash, asset.id, await asyncio.to_thread(_sha256, source))
                if asset.size == 0:
                    raise MediaError("empty")
                if asset.role == "captions":
                    await self._captions(asset, source)
                else:
                    await self._film(asset, work, source, scratch)
            at = datetime.now(UTC)
            await self._db.write(assets.report, at, asset.id, state="ready", stage="ready", progress=1.0)
            await self._db.write(assets.take_if_first, at, asset.id)
            log.info("asset %s is ready", asset.id)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, True)

    async def level(self, job: Job) -> None:
        """Make the sound of a film anew, brought to the target loudness or as it was, as its artist switched it.

        The new sound has a name of its own: whoever plays the old one now plays it to its end.
        """
        asset = await self._db.read(assets.asset, job.subject)
        work = await self._db.read(works.work_by_id, asset.work)
        sounds = [r for r in asset.renditions if r.kind == "audio"]
        gain = _gain(asset, work)
        if asset.state != "ready" or not sounds or gain == asset.details.get("gain", 0.0):
            return
        run = asset.details.get("run", 1) + 1
        scratch = self._scratch / f"{asset.id}-level"
        await asyncio.to_thread(_fresh, scratch)

        async def ready(made: Made, folder: Path) -> None:
            prefix = f"media/{asset.id}/{run}/{made.name}"
            await self._storage.copy_folder(folder, prefix)
            await self._db.write(
                assets.add_rendition, datetime.now(UTC), asset.id, Rendition(**_fields(made), folder=prefix)
            )

        try:
            async with self._storage.as_file(f"originals/{asset.id}") as source:
                await transcode.process(
                    source,
                    scratch,
                    role="audio-track",
                    progress=lambda _at, _stage: None,
                    ready=ready,
                    binary=self._binary,
                    allowance=self._allowance(),
                    lang=sounds[-1].lang,
                    name=f"{sounds[0].name}-{run}",
                    length_us=asset.duration_us,
                    gain_db=gain,
                )
            at = datetime.now(UTC)
            await self._db.write(assets.report, at, asset.id, details={"run": run, "gain": gain})
            log.info("asset %s: sound changed by %.1f dB", asset.id, gain)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, True)

    async def poster(self, job: Job) -> None:
        """Make the picture of a film at the moment its artist chose the poster of the work."""
        asset = await self._db.read(assets.asset, job.subject)
        work = await self._db.read(works.work_by_id, asset.work)
        at_us = int(job.payload["at_us"])
        scratch = self._scratch / f"{asset.id}-poster"
        await asyncio.to_thread(_fresh, scratch)
        try:
            async with self._storage.as_file(f"originals/{asset.id}") as source:
                images, thumbhash = await transcode.picture_at(
                    source, scratch, at_us, f"poster-{at_us // 1000}", binary=self._binary, allowance=self._allowance()
                )
                if not images:
                    raise MediaError("unreadable")
                await self._poster(asset, work, images, thumbhash, chosen=True)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, True)

    def _allowance(self) -> transcode.Allowance:
        return transcode.Allowance(
            max_duration_us=round(self._settings.work_max_hours * 3_600_000_000),
            data_bytes=self._settings.ffmpeg_memory,
        )

    async def gave_up(self, job: Job, error: ShowcaseError) -> None:
        """Tell the artist how it ended."""
        state = "cancelled" if error.code == "cancelled" else "failed"
        params = {k: v for k, v in error.params.items() if isinstance(v, (str, int, float))}
        await self._db.write(
            assets.report,
            datetime.now(UTC),
            job.subject,
            state=state,
            stage=state,
            error={"code": error.code, "params": params},
        )

    async def _captions(self, asset: Asset, source: Path) -> None:
        found = await asyncio.to_thread(lambda: captions.read(source.read_bytes(), asset.filename))
        folder = f"media/{asset.id}/1/captions"
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
        at = datetime.now(UTC)
        await self._db.write(assets.add_rendition, at, asset.id, rendition)
        details = {"cues": len(found.cues), "transcript": found.transcript}
        await self._db.write(assets.report, at, asset.id, details=details, duration_us=end)

    async def _film(self, asset: Asset, work: Work, source: Path, scratch: Path) -> None:
        run = asset.details.get("run", 1)
        prefix = f"media/{asset.id}/{run}"
        reporting = _Reporting(self._db, asset.id)

        async def ready(made: Made, folder: Path) -> None:
            await self._storage.copy_folder(folder, f"{prefix}/{made.name}")
            rendition = Rendition(**_fields(made), folder=f"{prefix}/{made.name}")
            await self._db.write(assets.add_rendition, datetime.now(UTC), asset.id, rendition)
            await self._db.write(assets.take_if_first, datetime.now(UTC), asset.id)

        async def picture(made: transcode.Picture) -> None:
            await self._poster(asset, work, made.images, made.thumbhash)

        main = work.main
        length_us = main.duration_us if asset.role in SOUND_ROLES and main is not None else None
        reporter = asyncio.create_task(reporting.run(), name=f"progress of {asset.id}")
        try:
            outcome = await transcode.process(
                source,
                scratch,
                role=asset.role,
                have=frozenset(r.name for r in asset.renditions),
                progress=reporting.tell,
                ready=ready,
                picture=picture,
                binary=self._binary,
                allowance=self._allowance(),
                lang=None if asset.lang == "und" else asset.lang,
                length_us=length_us,
                gain_db=_gain(asset, work),
            )
        finally:
            reporter.cancel()
            await asyncio.gather(reporter, return_exceptions=True)
        details = await self._keep(outcome, f"{prefix}/extra", scratch)
        at = datetime.now(UTC)
        await self._db.write(assets.report, at, asset.id, details=details, duration_us=outcome.duration_us or None)
        if outcome.images:
            # The public page shows a small likeness; the picture itself opens with the work's window.
            shown = outcome.poster.images if asset.role != "work" else _likeness(outcome.poster.images)
            await self._poster(asset, work, shown, outcome.poster.thumbhash)
        if outcome.spherical and asset.role == "work" and not work.spherical:
            await self._db.write(works.update, at, work.id, values={"spherical": True}, fields={})

    async def _keep(self, outcome: transcode.Outcome, folder: str, scratch: Path) -> dict[str, Any]:
        extra = scratch / "extra"
        await asyncio.to_thread(_fresh, extra)
        details: dict[str, Any] = {"folder": folder, "source": _source(outcome)}

        def collect() -> None:
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
                details["images"] = [_image(i) for i in outcome.images]
                for image in outcome.images:
                    shutil.copy2(image.path, extra / image.path.name)

        await asyncio.to_thread(collect)
        if outcome.loudness is not None:
            details["loudness"] = asdict(outcome.loudness)
        details["flashes"] = [list(f) for f in outcome.flashes]
        await self._storage.copy_folder(extra, folder)
        return details

    async def _poster(
        self, asset: Asset, work: Work, images: tuple[stills.Image, ...], thumbhash: str, *, chosen: bool = False
    ) -> None:
        """Keep the pictures of a file; they become the work's own when it has none, or when they were chosen as such."""
        if not images:
            return
        for image in images:
            data = await asyncio.to_thread(image.path.read_bytes)
            await self._storage.put(f"pictures/{asset.id}/{image.path.name}", data)
        kept = {"asset": asset.id, "files": [_image(i) for i in images], "thumbhash": thumbhash}
        at = datetime.now(UTC)
        if chosen or asset.role == "poster":
            await self._db.write(works.set_poster, at, work.id, kept | {"chosen": True})
            return
        await self._db.write(assets.report, at, asset.id, details={"poster": kept})
        current = await self._db.read(works.work_by_id, work.id)
        if current.poster is not None and current.poster.get("chosen"):
            return
        if asset.role == "work" and (current.poster is None or current.main is None or current.main.id == asset.id):
            await self._db.write(works.set_poster, at, work.id, kept)


class _Reporting:
    """Passes progress on to the database, at most once in `REPORT_EVERY` seconds."""

    def __init__(self, db: Database, asset: str) -> None:
        self._db, self._asset = db, asset
        self._told = (0.0, "probe")

    def tell(self, progress: float, stage: str) -> None:
        self._told = (progress, stage)

    async def run(self) -> None:
        last: tuple[float, str] | None = None
        while True:
            if (told := self._told) != last:
                last = told
                await self._db.write(
                    assets.report, datetime.now(UTC), self._asset, progress=round(told[0], 4), stage=told[1]
                )
            await asyncio.sleep(REPORT_EVERY)


def _gain(asset: Asset, work: Work) -> float:
    """Decibels that bring a work to the target loudness, if its artist switched that on and it was measured."""
    loudness = asset.details.get("loudness")
    if not work.levelled or not loudness or loudness["integrated"] is None:
        return 0.0
    gain = TARGET_LUFS - loudness["integrated"]
    if loudness["true_peak"] is not None:
        gain = min(gain, PEAK_DBTP - loudness["true_peak"])
    return round(float(gain), 2)


def _likeness(images: tuple[stills.Image, ...]) -> tuple[stills.Image, ...]:
    """The smallest of each format."""
    least = min(i.width for i in images)
    return tuple(i for i in images if i.width == least)


def _fields(made: Made) -> dict[str, Any]:
    return {name: getattr(made, name) for name in Made.__dataclass_fields__}


def _image(image: stills.Image) -> dict[str, Any]:
    return {
        "name": image.path.name,
        "type": image.media_type,
        "width": image.width,
        "height": image.height,
        "size": image.size_bytes,
    }


def _source(outcome: transcode.Outcome) -> dict[str, Any]:
    """What the original is, for its page."""
    video = outcome.probe.video
    found: dict[str, Any] = {"container": outcome.probe.container}
    if video is not None:
        width, height = video.displayed
        found |= {"width": width, "height": height, "fps": round(float(video.fps), 3), "codec": video.codec}
    if outcome.probe.audio:
        found["audio"] = outcome.probe.audio[0].codec
        found["channels"] = outcome.probe.audio[0].channels
    return found


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
