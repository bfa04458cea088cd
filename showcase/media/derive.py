"""What is made beside the renditions: poster, storyboard, flashes, loudness and peaks.

Pictures come from the lowest rungs where this run has made them (a twentieth of the work, and our own file), else from
the source.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from showcase.core.ladder import SAMPLE_RATE, Colour, Plan, Probe, VideoStream, scale_filters
from showcase.errors import Unavailable
from showcase.media import ffmpeg, recipe, stills
from showcase.media.child import Limits
from showcase.media.stills import Image

log = logging.getLogger(__name__)

POSTER_WIDTHS = (640, 1_280)
PEAKS = 1_000
TILES = 200
"""At most about so many storyboard tiles, so that a long film does not cost megabytes."""

# A change of brightness of a quarter of the picture between black and white measures 0.4 in FFmpeg's filter.
FLASH_STEP = 0.4
# ITU-R BT.1702, Ofcom and WCAG 2.3.1: more than three flashes in any second; a flash is two opposing changes.
FLASH_CHANGES = 7
_SILENT_LUFS = -69.0


@dataclass(frozen=True, slots=True)
class Input:
    """Where FFmpeg reads from: the source as standard input, or a playlist of our own in the working directory."""

    stream: str
    source: Path | None = None
    demuxer: str | None = None
    playlist: str | None = None

    def arguments(self) -> list[str]:
        """The input as arguments, where it is not standard input."""
        return [] if self.playlist is None else ["-protocol_whitelist", "file", "-i", self.playlist]


@dataclass(frozen=True, slots=True)
class Storyboard:
    """Tiles of a film in sheets, row by row: tile n shows the time n x `interval_us`. Sizes in pixels."""

    interval_us: int
    columns: int
    rows: int
    tile_width: int
    tile_height: int
    tiles: int
    sheets: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Loudness:
    """EBU R128: integrated in LUFS and true peak in dBTP (None for silence), range in LU."""

    integrated: float | None
    range: float
    true_peak: float | None


async def poster(
    binary: str, film: Input, source: Input, probe: Probe, plan: Plan, folder: Path, limits: Limits
) -> tuple[tuple[Image, ...], str]:
    """Choose a typical picture (FFmpeg's `thumbnail`) and make it from the source in full quality.

    Returns the images and their ThumbHash; none if no picture could be had, which is no reason to fail a film.
    """
    assert probe.video is not None  # noqa: S101 - films only
    count = max(1, min(100, plan.length_us // 2_000_000))
    chosen = await _run(
        binary, film, [f"[{film.stream}]thumbnail={count},showinfo[o]"], ["-frames:v", "1", "-f", "null", "-"],
        folder, limits, before=["-skip_frame", "nokey"], loglevel="info",
    )  # fmt: skip
    found = re.search(r"pts_time:\s*([\d.]+)", chosen.errors)
    at = float(found[1]) if found else 0.0
    return await frame(binary, source, film, probe, at, "poster", folder, limits)


async def frame(
    binary: str, source: Input, film: Input, probe: Probe, at_s: float, stem: str, folder: Path, limits: Limits
) -> tuple[tuple[Image, ...], str]:
    """The picture of a film at `at_s` seconds as images called `stem`, from the source, or from `film` if that fails."""
    assert probe.video is not None  # noqa: S101 - films only
    width, height = probe.video.displayed
    wide = min(width, POSTER_WIDTHS[-1]) & ~1 or 2
    high = max(2, 2 * round(height * wide / width / 2))
    picture = folder / f"{stem}.png"
    still = ["-frames:v", "1", "-update", "1", "-y", picture.name]
    ours = replace(probe.video, alpha=False, rgb=False, interlaced=False, colour=Colour("bt709", "bt709", "bt709"))
    for taken, stream in ((source, probe.video), (film, ours)):
        before = ["-ss", f"{at_s:.3f}"] if taken.playlist is None else []
        graph = f"[{taken.stream}]{_upright(stream)}{scale_filters(stream, wide, high)},format=rgb24[o]"
        result = await _run(binary, taken, [graph], still, folder, limits, before=before)
        if result.ok and await asyncio.to_thread(picture.exists):
            break
    else:
        log.warning("no picture from %s: %s", folder.name, result.errors[-300:])
        return (), ""
    return await stills.derive(picture, folder, stem, _fitting(wide), ("webp", "jpg"))


def _upright(video: VideoStream) -> str:
    """Filters before scaling for a single picture; FFmpeg itself turns it."""
    steps = "bwdif=mode=send_frame:deint=all," if video.interlaced else ""
    if video.alpha:
        steps += (
            "format=gbrap|gbrap10le|gbrap12le|gbrap16le,premultiply=inplace=1,format=gbrp|gbrp10le|gbrp12le|gbrp16le,"
        )
    return steps


def _fitting(width: int) -> tuple[int, ...]:
    return tuple(sorted({min(width, w) for w in POSTER_WIDTHS}))


async def cover(binary: str, source: Input, folder: Path, limits: Limits) -> tuple[tuple[Image, ...], str]:
    """The cover picture inside a sound file, as a poster; none if it is broken."""
    frame = folder / "poster.png"
    graph = f"[{source.stream}]scale='min(1280,iw)':-2,format=rgb24[o]"
    result = await _run(binary, source, [graph], ["-frames:v", "1", "-update", "1", "-y", frame.name], folder, limits)
    if not result.ok or not await asyncio.to_thread(frame.exists):
        return (), ""
    return await stills.derive(frame, folder, "poster", POSTER_WIDTHS, ("webp", "jpg"))


async def storyboard(
    binary: str, film: Input, probe: Probe, plan: Plan, folder: Path, limits: Limits
) -> Storyboard | None:
    """Tiles from key frames only; None if FFmpeg made none."""
    assert probe.video is not None  # noqa: S101 - films only
    interval_s = max(2, 2 * math.ceil(plan.length_us / 1_000_000 / TILES / 2))
    tiles = max(1, math.ceil(plan.length_us / 1_000_000 / interval_s))
    columns, rows = min(10, tiles), min(10, math.ceil(tiles / 10))
    width, height = probe.video.displayed
    scale = min(160 / max(width, height), 1.0)
    wide, high = max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))
    # Key frames are every two seconds, less or plus one frame: half a second of slack finds each, without drift.
    pick = f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{interval_s - 0.5})'"
    graph = f"[{film.stream}]{pick},scale={wide}:{high}:out_range=pc,setsar=1,format=yuvj420p,tile={columns}x{rows}[o]"
    for old in await asyncio.to_thread(lambda: list(folder.glob("storyboard-*.jpg"))):
        await asyncio.to_thread(old.unlink)
    result = await _run(
        binary, film, [graph], ["-fps_mode", "passthrough", "-q:v", "5", "-start_number", "0", "storyboard-%03d.jpg"],
        folder, limits, before=["-skip_frame", "nokey"],
    )  # fmt: skip
    sheets = await asyncio.to_thread(lambda: tuple(sorted(folder.glob("storyboard-*.jpg"))))
    if not sheets:
        log.warning("no storyboard: %s", result.errors[-300:])
        return None
    tiles = min(tiles, len(sheets) * columns * rows)
    return Storyboard(interval_s * 1_000_000, columns, rows, wide, high, tiles, sheets)


async def flashes(binary: str, film: Input, folder: Path, limits: Limits) -> tuple[tuple[int, int], ...] | None:
    """Times (start, end in microseconds) in which more than three flashes fall into one second; None: not known."""
    graph = (
        f"[{film.stream}]scale=320:180:flags=fast_bilinear,photosensitivity=bypass=1,"
        f"metadata=mode=print:key=lavfi.photosensitivity.frame-badness:function=greater:value={FLASH_STEP}:file=flashes.txt[o]"
    )
    result = await _run(binary, film, [graph], ["-f", "null", "-"], folder, limits)
    printed = folder / "flashes.txt"
    if not result.ok or not await asyncio.to_thread(printed.exists):
        log.warning("flashes not measured: %s", result.errors[-300:])
        return None
    return flash_ranges(await asyncio.to_thread(_changes, printed))


def _changes(path: Path) -> list[int]:
    return [round(float(t) * 1_000_000) for t in re.findall(r"pts_time:([\d.]+)", path.read_text("utf-8", "replace"))]


def flash_ranges(changes_us: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Join times of great changes into ranges in which `FLASH_CHANGES` of them stand within a second."""
    found: list[tuple[int, int]] = []
    for first, last in zip(changes_us, changes_us[FLASH_CHANGES - 1 :], strict=False):
        if last - first > 1_000_000:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple(found)


async def loudness(
    binary: str, source: Input, plan: Plan, folder: Path, limits: Limits
) -> tuple[Loudness | None, Path | None]:
    """Measure the sound as the artist made it (no gain), and write its peaks: one byte each, 255 is full scale."""
    if plan.audio is None or not plan.audio.streams:
        return None, None
    window = max(48, -(-plan.samples // PEAKS))
    graph = (
        f"{recipe.sound(plan.audio, plan.samples, primed=False)},asplit[x][y];"
        "[x]ebur128=peak=true:framelog=quiet,anullsink;"
        f"[y]asetnsamples=n={window}:p=0,astats=metadata=1:reset=1:measure_overall=Peak_level:measure_perchannel=none,"
        "ametadata=mode=print:key=lavfi.astats.Overall.Peak_level:file=peaks.txt[o]"
    )
    result = await _run(binary, source, [graph], ["-f", "null", "-"], folder, limits, loglevel="info")
    if not result.ok:
        log.warning("loudness not measured: %s", result.errors[-300:])
        return None, None
    length_s = plan.samples / SAMPLE_RATE
    return ebur128(result.errors), await asyncio.to_thread(_peaks, folder, length_s)


def _peaks(folder: Path, length_s: float) -> Path | None:
    """Turn the levels FFmpeg printed (dBFS, "-inf" for silence) into bytes."""
    printed = folder / "peaks.txt"
    levels = re.findall(r"Peak_level=(\S+)", printed.read_text("utf-8", "replace")) if printed.exists() else []
    if not levels or length_s <= 0:
        return None
    target = folder / "peaks.u8"
    target.write_bytes(bytes(min(255, round(255 * 10 ** (_number(v, -200.0) / 20))) for v in levels))
    return target


def _number(text: str, otherwise: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return value if math.isfinite(value) else otherwise


def ebur128(said: str) -> Loudness | None:
    """Read the summary of FFmpeg's `ebur128` filter."""
    summary = said[said.rfind("Summary:") :] if "Summary:" in said else ""
    values = {k: _number(v, -200.0) for k, v in re.findall(r"\b(I|LRA|Peak):\s+(\S+)", summary)}
    if "I" not in values:
        return None
    integrated, peak = values["I"], values.get("Peak", -200.0)
    return Loudness(
        integrated if integrated > _SILENT_LUFS else None, values.get("LRA", 0.0), peak if peak > -150 else None
    )


async def _run(
    binary: str,
    taken: Input,
    graph: Sequence[str],
    output: Sequence[str],
    folder: Path,
    limits: Limits,
    *,
    before: Sequence[str] = (),
    loglevel: str = "warning",
) -> ffmpeg.Result:
    """Run one filter graph with one output `[o]` over an input. Raises Unavailable where a failure is our own fault."""
    arguments = ["-filter_complex", *graph, "-map", "[o]", *output]
    if taken.playlist is not None:
        arguments = [*before, *taken.arguments(), *arguments]
        before = ()
    result = await ffmpeg.run(
        binary, arguments, cwd=folder, limits=limits, source=taken.source, demuxer=taken.demuxer, before=before,
        loglevel=loglevel,
    )  # fmt: skip
    if isinstance(ours := ffmpeg.fault(result), Unavailable):
        raise ours
    return result
