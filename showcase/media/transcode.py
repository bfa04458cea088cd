"""From an uploaded file to renditions: `process` probes, plans, makes it playable and derives, `ladder` makes the rest.

Everything happens in `scratch`, a folder of its own which the caller removes. What an earlier attempt has stored
(`have`) is not made again.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from showcase.core.ladder import AudioPlan, Plan, Probe, Rendition, Rung, plan
from showcase.core.models import SOUND_ROLES
from showcase.errors import MediaError, Unavailable
from showcase.media import derive, ffmpeg, packaging, recipe, stills
from showcase.media.child import Limits
from showcase.media.derive import Input, Loudness, Storyboard
from showcase.media.probe import probe
from showcase.media.stills import Image

log = logging.getLogger(__name__)

LOW = "low.m3u8"
LACKING_US = 100_000
"""A rendition that ends so much early is damaged; up to a second before, its last picture has been held (`plan`)."""

LEAST_FREE = 64 << 20
"""With less of the disk free (bytes), what FFmpeg wrote may be broken for want of room."""

Progress = Callable[[float, str], None]
Ready = Callable[[Rendition, Path], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a file may cost. Times are per second of film, besides half a minute to start with.

    `reserve_bytes` of the disk stay free; `nice` is how far an FFmpeg stands back for others.
    """

    max_duration_us: int = 6 * 3_600_000_000
    data_bytes: int = 3 << 30
    file_bytes: int = 8 << 30
    cpu_per_s: float = 120.0
    wall_per_s: float = 120.0
    stall_s: float = 180.0
    reserve_bytes: int = 0
    nice: int = 10

    def limits(self, length_us: int, *, stalls: bool = True) -> Limits:
        """Limits for one FFmpeg over `length_us`; passes without output report no position and cannot stall."""
        length_s = length_us / 1_000_000
        return Limits(
            data_bytes=self.data_bytes,
            cpu_s=round(120 + length_s * self.cpu_per_s),
            file_bytes=self.file_bytes,
            wall_s=300 + length_s * self.wall_per_s,
            stall_s=self.stall_s if stalls else None,
            nice=self.nice,
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """The poster at several sizes (WebP and JPEG) and its ThumbHash (base64, "" where there is none)."""

    images: tuple[Image, ...] = ()
    thumbhash: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that came of a file. Paths lie in the scratch folder. `renditions` are those made now, not those in `have`.

    `images` are a still's sizes; `flashes` are (start, end) in microseconds, None when they could not be looked for;
    `peaks` is a file of up to 1,000 bytes over the whole length.
    """

    probe: Probe
    duration_us: int
    renditions: tuple[Rendition, ...] = ()
    poster: Picture = Picture()
    storyboard: Storyboard | None = None
    loudness: Loudness | None = None
    peaks: Path | None = None
    flashes: tuple[tuple[int, int], ...] | None = ()
    images: tuple[Image, ...] = ()

    @property
    def spherical(self) -> bool:
        """Whether the file says that it is a 360 degree picture."""
        return self.probe.spherical


class Stages:
    """One progress over stages of known weight, in their order: from 0 to 1, never back."""

    def __init__(self, weights: dict[str, float], tell: Progress) -> None:
        total = sum(weights.values()) or 1.0
        self._tell = tell
        self._shares = {name: weight / total for name, weight in weights.items()}
        self._done = 0.0
        self._told = 0.0
        self._stage = ""

    def enter(self, stage: str) -> None:
        """All stages before it are done."""
        names = list(self._shares)
        self._done = sum(self._shares[n] for n in names[: names.index(stage)])
        self._stage = stage
        self.at(0.0)

    def at(self, fraction: float) -> None:
        """So much of this stage is done."""
        now = self._done + self._shares[self._stage] * min(1.0, max(0.0, fraction))
        self._told = max(self._told, min(1.0, now))
        self._tell(self._told, self._stage)

    def done(self) -> None:
        """All is done."""
        self._told = 1.0
        self._tell(1.0, "done")


async def process(
    source: Path,
    scratch: Path,
    *,
    role: str = "work",
    have: frozenset[str] = frozenset(),
    progress: Progress,
    ready: Ready,
    picture: Callable[[Picture], Awaitable[None]] | None = None,
    binary: str | None = None,
    allowance: Allowance = Allowance(),
    lang: str | None = None,
    length_us: int | None = None,
) -> Outcome:
    """Make everything a file needs to be shown, but the higher rungs of a film, which are left to `ladder`.

    `ready` is awaited with each rendition and its folder (init.mp4, s00000.m4s …) as soon as that is whole. It must
    leave the folder where it is; a copy or a link is fine. `picture` is awaited with the poster as soon as there is
    one. `progress` gets 0..1 (over `ladder` as well) and the name of the stage. `binary` is the FFmpeg to run (None:
    found by `ffmpeg.binary`). `lang` overrides the file's language. For the roles in `SOUND_ROLES` only one audio
    rendition is made, `length_us` long.

    Raises MediaError (the file's fault, in words), Unavailable (ours: no FFmpeg, killed, disk full).
    """
    tool: str = await asyncio.to_thread(ffmpeg.binary) if binary is None else binary
    progress(0.0, "probe")
    found = await probe(source, max_duration_us=allowance.max_duration_us)
    if role in SOUND_ROLES:
        if not found.audio:
            raise MediaError("no-sound")
        found = replace(found, video=None, still=False)
    work = plan(found, length_us=length_us, lang=lang)
    job = _Job(tool, source, scratch, found, work, have, ready, allowance)
    if work.kind == "still":
        return await job.still(Stages({"images": 1.0}, progress))
    if work.kind == "sound":
        return await job.sound_only(Stages({"audio": 0.7, "loudness": 0.3}, progress))
    return await job.film(Stages(_weights(found, work), progress), picture)


async def ladder(
    source: Path,
    scratch: Path,
    found: Probe,
    *,
    have: frozenset[str],
    progress: Progress,
    ready: Ready,
    binary: str,
    allowance: Allowance,
) -> tuple[Rendition, ...]:
    """Make the rungs of a film that `process` left, except those in `have`. Arguments and errors are as there."""
    work = plan(found)
    job = _Job(binary, source, scratch, found, work, have, ready, allowance)
    stages = Stages(_weights(found, work), progress)
    stages.enter("ladder")
    made = await job.rungs(work.high, stages, audio=False)
    stages.done()
    return tuple(made)


async def sound(
    source: Path,
    scratch: Path,
    found: Probe,
    *,
    name: str,
    lang: str,
    length_us: int,
    gain_db: float,
    ready: Ready,
    binary: str,
    allowance: Allowance,
) -> None:
    """Make the sound of a file anew, called `name`, `length_us` long and louder by `gain_db`. Errors as `process`."""
    work = plan(replace(found, video=None, still=False), length_us=length_us, lang=lang)
    assert work.audio is not None  # noqa: S101 - every sound has its track
    work = replace(work, audio=replace(work.audio, name=name))
    job = _Job(binary, source, scratch, found, work, frozenset(), ready, allowance, gain_db)
    stages = Stages({"audio": 1.0}, lambda _at, _stage: None)
    stages.enter("audio")
    await job.rungs((), stages, audio=True)


async def picture_at(
    source: Path, scratch: Path, found: Probe, at_us: int, stem: str, *, binary: str, allowance: Allowance
) -> tuple[tuple[Image, ...], str]:
    """The picture of a film at a moment, as images called `stem` in `scratch`, with its ThumbHash; empty if there is none.

    Raises MediaError, Unavailable.
    """
    if found.video is None or found.still:
        raise MediaError("nothing-to-show")
    taken = Input(f"0:{found.video.index}", source, found.demuxer)
    limits = allowance.limits(found.duration_us, stalls=False)
    return await derive.frame(binary, taken, taken, found, at_us / 1_000_000, stem, scratch, limits)


def _weights(found: Probe, work: Plan) -> dict[str, float]:
    """Stages of a film and about what share of the processor each takes, in megapixels a second of film."""
    assert found.video is not None  # noqa: S101 - films only
    decode = 0.3 * found.video.width * found.video.height
    effort = {"veryfast": 1.0, "faster": 1.6}

    def cost(rungs: Sequence[Rung]) -> float:
        return (decode + sum(r.width * r.height * effort.get(r.preset, 1.0) for r in rungs)) if rungs else 0.0

    low = min(work.rungs, key=lambda r: r.short)
    return {
        _first_stage(work): cost(work.low),
        "poster": 0.01 * decode,
        "storyboard": 0.03 * low.width * low.height,
        "flashes": 0.3 * low.width * low.height,
        "loudness": 20_000.0,
        "ladder": cost(work.high),
    }


def _first_stage(work: Plan) -> str:
    return work.low[-1].name


@dataclass(slots=True)
class _Job:
    """One run of `process` or `ladder`: what it knows throughout."""

    binary: str
    source: Path
    scratch: Path
    found: Probe
    work: Plan
    have: frozenset[str]
    ready: Ready
    allowance: Allowance
    gain_db: float = 0.0

    async def still(self, stages: Stages) -> Outcome:
        """A photograph or drawing: its sizes, the first of which are its poster too."""
        stages.enter("images")
        source = self.source
        if self.found.container == "heic":
            source = await stills.heic_to_png(self.binary, source, self.scratch)
        stages.at(0.3)
        images, thumbhash = await stills.derive(
            source, self.scratch, "image", self.work.image_widths, ("avif", "webp", "jpg")
        )
        stages.done()
        smaller = tuple(i for i in images if i.media_type != "image/avif" and i.width <= 1_280)
        return Outcome(self.found, 0, poster=Picture(smaller or images, thumbhash), images=images)

    async def sound_only(self, stages: Stages) -> Outcome:
        """A work for the ears, or a track that belongs to a film."""
        stages.enter("audio")
        made: list[Rendition] = []
        audio = self._audio()
        if audio.name not in self.have:
            made += await self.rungs((), stages, audio=True)
        stages.enter("loudness")
        limits = self.allowance.limits(self.work.length_us, stalls=False)
        measured, peaks = await derive.loudness(self.binary, self._input("0:a:0"), self.work, self.scratch, limits)
        cover = Picture()
        if self.found.cover is not None:
            source = self._input(f"0:{self.found.cover}")
            cover = Picture(*await derive.cover(self.binary, source, self.scratch, limits))
        stages.done()
        return Outcome(self.found, self.work.length_us, tuple(made), cover, loudness=measured, peaks=peaks)

    async def film(self, stages: Stages, picture: Callable[[Picture], Awaitable[None]] | None) -> Outcome:
        """The playable part first, then what the page shows."""
        work, video = self.work, self.found.video
        assert video is not None  # noqa: S101 - films only
        stages.enter(_first_stage(work))
        made = await self.rungs(work.low, stages, audio=self._audio().name not in self.have)
        source = self._input(f"0:{video.index}")
        film = await asyncio.to_thread(self._low, made) or source
        limits = self.allowance.limits(work.length_us, stalls=False)
        stages.enter("poster")
        found = Picture(*await derive.poster(self.binary, film, source, self.found, work, self.scratch, limits))
        if picture is not None and found.images:
            await picture(found)
        stages.enter("storyboard")
        board = await derive.storyboard(self.binary, film, self.found, work, self.scratch, limits)
        stages.enter("flashes")
        flashes = await derive.flashes(self.binary, film, self.scratch, limits)
        stages.enter("loudness")
        measured, peaks = await derive.loudness(self.binary, source, work, self.scratch, limits)
        stages.enter("ladder")
        if not work.high:
            stages.done()
        return Outcome(self.found, work.length_us, tuple(made), found, board, measured, peaks, flashes)

    def _audio(self) -> AudioPlan:
        assert self.work.audio is not None  # noqa: S101 - every film and sound has its track
        return self.work.audio

    def _input(self, stream: str) -> Input:
        return Input(stream, self.source, self.found.demuxer)

    def _low(self, made: Sequence[Rendition]) -> Input | None:
        """A playlist of the best low rung made just now, if its files still stand."""
        films = [r for r in made if r.kind == "video"]
        if not films or not (self.scratch / films[-1].name / "init.mp4").exists():
            return None
        (self.scratch / LOW).write_text(packaging.playlist(films[-1], films[-1].name), "utf-8")
        return Input("0:v:0", playlist=LOW)

    async def rungs(self, rungs: Sequence[Rung], stages: Stages, *, audio: bool) -> list[Rendition]:
        """Make those of the rungs that are not there yet, and the sound if wanted."""
        wanted = [r for r in rungs if r.name not in self.have]
        if not wanted and not audio:
            return []
        if not wanted:
            return await self._encode((), recipe.only_sound(self.work, gain_db=self.gain_db), stages, audio=True)
        assert self.found.video is not None  # noqa: S101 - films only
        arguments = recipe.film(self.found.video, self.work, wanted, with_audio=audio, gain_db=self.gain_db)
        return await self._encode(wanted, arguments, stages, audio=audio)

    async def _encode(
        self, rungs: Sequence[Rung], arguments: Sequence[str], stages: Stages, *, audio: bool
    ) -> list[Rendition]:
        """Run one encoding process, measure what it made, and hand each rendition over."""
        names = [r.name for r in rungs] + ([self._audio().name] if audio else [])
        await asyncio.to_thread(_fresh, self.scratch, names)
        length_us = max(1, self.work.length_us)
        if await self._free() < _needed_bytes(self.work, rungs) + self.allowance.reserve_bytes:
            raise Unavailable("disk-full")
        result = await ffmpeg.run(
            self.binary,
            arguments,
            cwd=self.scratch,
            limits=self.allowance.limits(length_us),
            source=self.source,
            demuxer=self.found.demuxer,
            before=recipe.steady(self.found.video if rungs else None),
            position=lambda at_us: stages.at(at_us / length_us),
        )
        # It may also end well although it could not write.
        if not result.ok or isinstance(ffmpeg.fault(result), Unavailable):
            raise failure(result, self.found)
        made: list[Rendition] = []
        if audio:
            track = self._audio()
            made.append(await self._measure(track.name, lang=track.lang))
        for rung in rungs:
            made.append(await self._measure(rung.name, width=rung.width, height=rung.height, fps=self.work.fps))
        for rendition in made:
            reached = sum(rendition.durations_us)
            if reached < length_us - LACKING_US:
                raise await self._broken(at=reached // 1_000_000)
            await self.ready(rendition, self.scratch / rendition.name)
        return made

    async def _measure(
        self, name: str, *, lang: str = "und", width: int = 0, height: int = 0, fps: Fraction = Fraction(0)
    ) -> Rendition:
        def work() -> Rendition:
            folder = self.scratch / name
            (folder / recipe.PLAYLIST).unlink(missing_ok=True)
            packaging.join_tail(folder)
            return packaging.measure(folder, name, lang=lang, width=width, height=height, fps=fps)

        try:
            return await asyncio.to_thread(work)
        except (packaging.Broken, OSError) as error:
            log.warning("rendition %s of %s: %s", name, self.source.name, error)
            raise await self._broken(at=0, error=error) from error

    async def _broken(self, *, at: int, error: Exception | None = None) -> MediaError | Unavailable:
        """Whose fault it is that FFmpeg wrote something broken: it does not always tell that the disk was full."""
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or await self._free() < LEAST_FREE:
            return Unavailable("disk-full")
        return MediaError("damaged", at=at)

    async def _free(self) -> int:
        return (await asyncio.to_thread(shutil.disk_usage, self.scratch)).free


def _needed_bytes(work: Plan, rungs: Sequence[Rung]) -> int:
    """At most so much of the disk these rungs take, with a sound."""
    rate = sum(r.average for r in rungs) + (work.audio.bitrate if work.audio is not None else 0)
    return rate * work.length_us // 8_000_000


def _fresh(scratch: Path, names: Sequence[str]) -> None:
    """Empty folders: what a killed attempt left behind must not be taken for segments."""
    for name in names:
        shutil.rmtree(scratch / name, ignore_errors=True)
        (scratch / name).mkdir(parents=True)


TOO_MANY_ERRORS = 69
"""FFmpeg's exit code when more than two thirds of a stream could not be decoded."""


def failure(result: ffmpeg.Result, found: Probe) -> MediaError | Unavailable:
    """What to tell the artist about a run that failed, or the operator if it was our fault."""
    at = result.position_us // 1_000_000
    log.warning("FFmpeg ended with %d (%s) at %d s: %s", result.code, result.reason, at, result.errors[-1_000:])
    known = ffmpeg.fault(result)
    if isinstance(known, Unavailable):
        return known
    if result.code == TOO_MANY_ERRORS:
        # Its position means nothing then: the last good picture was repeated to the end.
        codec = found.video.codec if found.video is not None else found.audio[0].codec
        return MediaError("undecodable", codec=codec)
    if found.audio and "Changing audio frame properties on the fly" in result.errors:
        return MediaError("undecodable", codec=found.audio[0].codec)
    if known is not None:
        return known
    return MediaError("damaged", at=at)
