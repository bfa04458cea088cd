"""A film of any length of one still picture, cheaply, and a channel's slates.

Two seconds are encoded once at each rung, and a frame of silence. All else is boxes: the same samples again with another
time (`fmp4`). No picture refers to a later one, so a film may end after any frame, to 40 ms.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from showcase.core import ladder
from showcase.core.channel import LEAST_LEAD
from showcase.core.ladder import AAC_FRAME, GOP_S, SAMPLE_RATE, AudioPlan, Plan, Rendition, Rung
from showcase.errors import MediaError, Unavailable
from showcase.media import ffmpeg, fmp4, packaging, recipe
from showcase.media.child import Limits
from showcase.media.fmp4 import Sample, Track

log = logging.getLogger(__name__)

T = TypeVar("T")

FPS = 25
GOP_FRAMES = GOP_S * FPS
RUNGS: tuple[Rung, ...] = tuple(r for r in ladder.rungs((1_920, 1_080), Fraction(FPS)) if r.short <= 1_080)
"""The pictures of a channel, lowest first: 426x240 to 1920x1080."""

BODY_SEGMENTS = 30
LEADS = range(LEAST_LEAD, 2 * GOP_FRAMES)
"""Lengths of a lead in frames: 2.00 to 3.96 s, so that with bodies of 2 s every length from 2 s on can be had."""

SOUND = AudioPlan("a-und", "und", (), "")
LEAST_FREE = 64 << 20
"""With less of the disk free (bytes), what FFmpeg wrote may be broken for want of room."""

_PICTURES = "png_pipe,jpeg_pipe,webp_pipe"
_ENCODED = "encoded"


@dataclass(frozen=True, slots=True)
class Slate:
    """What a channel shows between works: at every rung, with silence.

    `body` is a minute in segments of 2 s, of which any number may be shown. `leads` are one segment each, by their length
    in frames. All begin at time 0 with a key picture, and have the same init segment.
    """

    body: tuple[Rendition, ...]
    leads: Mapping[int, tuple[Rendition, ...]]


async def film(
    picture: Path,
    scratch: Path,
    *,
    frames: int,
    segment_frames: int = 2 * GOP_FRAMES,
    rungs: Sequence[Rung] = RUNGS,
    binary: str,
    limits: Limits,
) -> tuple[Rendition, ...]:
    """Make a film of `picture` (PNG, JPEG, WebP; turned as its EXIF says) that lasts `frames` frames, in `scratch/<name of a rung>/`.

    The last segment may be shorter than `segment_frames`; one of under 100 ms is joined to the one before. There is no
    sound. Raises MediaError (the picture's fault), Unavailable (ours: killed, disk full).
    """
    if frames < 1 or segment_frames < 1:
        raise ValueError("a film has frames")
    tracks = await _pictures(picture, scratch, rungs, binary, limits)
    lengths = cut(frames, segment_frames)
    return await _written(lambda: _film(scratch, rungs, tracks, lengths), scratch)


async def slate(picture: Path, scratch: Path, *, binary: str, limits: Limits) -> Slate:
    """Make a slate of `picture`: the body in `scratch/body/<name>/`, leads in `scratch/lead-<frames>/<name>/`.

    Errors are those of `film`.
    """
    tracks = await _pictures(picture, scratch, RUNGS, binary, limits)
    silence = await _silence(scratch, binary, limits)

    def both(folder: str, lengths: Sequence[int]) -> tuple[Rendition, ...]:
        sound = _rendition(scratch / folder, SOUND.name, silence, sound_segments(silence, lengths), lang=SOUND.lang)
        return (*_film(scratch / folder, RUNGS, tracks, lengths), sound)

    def work() -> Slate:
        return Slate(
            body=both("body", [GOP_FRAMES] * BODY_SEGMENTS),
            leads={frames: both(f"lead-{frames}", [frames]) for frames in LEADS},
        )

    return await _written(work, scratch)


def cut(frames: int, segment_frames: int) -> list[int]:
    """The lengths of the segments of a film, in frames."""
    whole, rest = divmod(frames, segment_frames)
    lengths = [segment_frames] * whole
    if whole and rest * 1_000_000 < packaging.TAIL_US * FPS:
        lengths[-1] += rest
    elif rest:
        lengths.append(rest)
    return lengths


def picture_samples(group: Sequence[Sample], frames: int) -> list[Sample]:
    """`frames` pictures: the group again and again, the last one cut off where it must be."""
    lengths = [len(group)] * (frames // len(group))
    if rest := frames % len(group):
        lengths.append(rest)
    if len(lengths) > 1 and rest == 1:
        # Two key pictures in a row would have to differ in idr_pic_id (ITU-T H.264 7.4.3): none stands alone.
        lengths[-2:] = [len(group) - 1, 2]
    return [sample for length in lengths for sample in group[:length]]


def sound_segments(silence: Track, lengths: Iterable[int]) -> list[list[Sample]]:
    """Silence for segments of these lengths in picture frames. Each ends as near to its picture as AAC frames allow."""
    (frame,) = silence.samples
    ends = itertools.accumulate(lengths, initial=0)
    edges = [round(Fraction(end * SAMPLE_RATE, FPS * AAC_FRAME)) for end in ends]
    return [[frame] * (b - a) for a, b in itertools.pairwise(edges)]


async def _pictures(
    picture: Path, scratch: Path, rungs: Sequence[Rung], binary: str, limits: Limits
) -> tuple[Track, ...]:
    """Encode one group of the picture at each rung, in one process."""
    names = [r.name for r in rungs]
    arguments = recipe.still(rungs, frames=GOP_FRAMES, fps=FPS)
    tracks = await _encoded(arguments, names, scratch, binary, limits, picture)
    if any(len(t.samples) != GOP_FRAMES for t in tracks):
        raise await asyncio.to_thread(_fault, scratch, packaging.Broken("not all frames were written"))
    return tracks


async def _silence(scratch: Path, binary: str, limits: Limits) -> Track:
    """One frame of silence. It is one from the middle: the first names the encoder, the last may be short."""
    plan = Plan("sound", GOP_S * 1_000_000, audio=SOUND)
    (track,) = await _encoded(recipe.only_sound(plan), [SOUND.name], scratch, binary, limits)
    return Track(track.init, track.number, (track.samples[len(track.samples) // 2],))


async def _encoded(
    arguments: Sequence[str],
    names: Sequence[str],
    scratch: Path,
    binary: str,
    limits: Limits,
    source: Path | None = None,
) -> tuple[Track, ...]:
    """Run FFmpeg for outputs of one segment each, and read them. What it wrote is removed."""
    folder = scratch / _ENCODED

    def fresh() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        for name in names:
            (folder / name).mkdir(parents=True)

    def read() -> tuple[Track, ...]:
        made = []
        for name in names:
            init = (folder / name / "init.mp4").read_bytes()
            made.append(fmp4.read(init, b"".join(f.read_bytes() for f in packaging.segment_files(folder / name))))
        shutil.rmtree(folder)
        return tuple(made)

    await _written(fresh, scratch)
    demuxer = None if source is None else _PICTURES
    result = await ffmpeg.run(binary, arguments, cwd=folder, limits=limits, source=source, demuxer=demuxer)
    fault = ffmpeg.fault(result)
    # It may also end well although it could not write.
    if not result.ok or isinstance(fault, Unavailable):
        log.warning("still film: FFmpeg ended with %d (%s): %s", result.code, result.reason, result.errors[-1_000:])
        raise fault or MediaError("unreadable")
    return await _written(read, scratch)


async def _written(work: Callable[[], T], scratch: Path) -> T:
    """Do work on files in a thread, and say whose fault it is when it fails."""
    try:
        return await asyncio.to_thread(work)
    except (packaging.Broken, OSError) as error:
        raise await asyncio.to_thread(_fault, scratch, error) from error


def _fault(scratch: Path, error: Exception) -> MediaError | Unavailable:
    log.warning("still film: %s", error)
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or shutil.disk_usage(scratch).free < LEAST_FREE:
        return Unavailable("disk-full")
    return MediaError("unreadable")


def _film(
    scratch: Path, rungs: Sequence[Rung], tracks: Sequence[Track], lengths: Sequence[int]
) -> tuple[Rendition, ...]:
    """Write the pictures of all rungs, in segments of these lengths in frames. Blocks."""
    made = []
    for rung, track in zip(rungs, tracks, strict=True):
        segments = (picture_samples(track.samples, length) for length in lengths)
        made.append(_rendition(scratch, rung.name, track, segments, width=rung.width, height=rung.height))
    return tuple(made)


def _rendition(
    scratch: Path,
    name: str,
    track: Track,
    segments: Iterable[Sequence[Sample]],
    *,
    lang: str = "und",
    width: int = 0,
    height: int = 0,
) -> Rendition:
    """Write a rendition's folder and measure it. Blocks."""
    folder = scratch / name
    shutil.rmtree(folder, ignore_errors=True)  # what a killed attempt left must not be taken for segments
    folder.mkdir(parents=True)
    (folder / "init.mp4").write_bytes(track.init)
    starts = 0
    for n, samples in enumerate(segments):
        (folder / f"s{n:05d}.m4s").write_bytes(fmp4.segment(n + 1, track.number, starts, samples))
        starts += sum(s.duration for s in samples)
    fps = Fraction(FPS if width else 0)
    return packaging.measure(folder, name, lang=lang, width=width, height=height, fps=fps)
