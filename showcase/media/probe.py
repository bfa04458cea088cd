"""What a file really holds: sniffed, then read to its end in a child process, and the child's answer checked."""

from __future__ import annotations

import json
import logging
import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from showcase.core.ladder import AudioStream, Colour, Probe, VideoStream
from showcase.errors import MediaError
from showcase.media import child
from showcase.media.child import Limits
from showcase.media.languages import bcp47
from showcase.media.sniff import HEAD_BYTES, Sniffed, media

log = logging.getLogger(__name__)

_CHILD = Path(__file__).with_name("probe_child.py")
_ANSWER_BYTES = 262_144
_SMALLEST = 16  # pixels
_EXACT = frozenset({"mp4", "mov", "m4a", "matroska", "webm", "avi", "wav", "flac", "aiff"})
"""Containers whose header says how long the file is, rather than guess it from its size."""

# ITU-T H.273 code points in FFmpeg's names, as far as they change what is done.
_MATRICES = {0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc"}
_PRIMARIES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 11: "smpte431", 12: "smpte432"}
_TRANSFERS = {
    1: "bt709",
    6: "smpte170m",
    8: "linear",
    13: "iec61966-2-1",
    14: "bt2020-10",
    16: "smpte2084",
    18: "arib-std-b67",
}
_GPANO = re.compile(rb"GPano:ProjectionType\s*(?:=\s*[\"']|>)\s*equirectangular")


async def probe(
    path: Path, *, max_duration_us: int = 6 * 3_600_000_000, limits: Limits | None = None, kind: Sniffed | None = None
) -> Probe:
    """Find out what `path` holds, at most `max_duration_us` long.

    The file is read to its end (demuxed, not decoded), so the length is what is there, not what the header claims.
    A header that claims clearly more is refused, since most of the film would be missing. `kind` saves sniffing again.
    Raises MediaError with a code of `core/failures`, Unavailable when the child was killed.
    """
    import asyncio

    head, size_bytes = await asyncio.to_thread(_head, path)
    kind = kind or media(head[:HEAD_BYTES])
    # Reading takes as long as the disk: half a minute, and a second for each 10 MB, before it counts as stuck.
    bounds = limits or Limits(
        data_bytes=2 << 30, cpu_s=120 + size_bytes // 50_000_000, file_bytes=0, wall_s=30 + size_bytes / 10_000_000
    )
    if kind.container == "heic":
        return _heic(head, kind, size_bytes)
    if kind.kind == "image":
        found = await _ask("image", "", path, bounds)
        if not (kind.container == "gif" and found.get("frames", 1) != 1):
            return _still(found, head, kind, size_bytes)
    assert kind.demuxer is not None  # noqa: S101 - only images that Pillow reads have none
    found = await _ask("streams", kind.demuxer, path, bounds)
    result = _film(found, kind, size_bytes)
    claimed_us = max(
        _whole(found.get("claimed_us"), 0, 1 << 60), result.duration_us * _stated_bytes(head) // size_bytes
    )
    if kind.container in _EXACT and claimed_us > result.duration_us * 1.05 + 2_000_000:
        raise MediaError(
            "shorter-than-stated", stated=round(claimed_us / 1_000_000), found=round(result.duration_us / 1_000_000)
        )
    if result.duration_us > max_duration_us:
        raise MediaError("too-long", minutes=result.duration_us // 60_000_000, limit=max_duration_us // 60_000_000)
    return result


def _stated_bytes(head: bytes) -> int:
    """How large a WAV, AVI or AIFF says it is (FFmpeg goes by the bytes that are there); 0 where it does not say.

    Programs that write into a pipe put 2 or 4 GB there, for they do not know yet.
    """
    order: Literal["little", "big"] = "big" if head.startswith(b"FORM") else "little"
    stated = int.from_bytes(head[4:8], order) + 8 if head.startswith((b"RIFF", b"FORM")) else 0
    return stated if stated < 0x7F00_0000 else 0


def _head(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        return file.read(262_144), path.stat().st_size


async def _ask(mode: str, demuxer: str, path: Path, limits: Limits) -> dict[str, Any]:
    """Run the child and take its answer for what it is: a stranger's word. Raises MediaError, Unavailable."""
    command = [sys.executable, "-I", "-B", str(_CHILD), mode, demuxer]
    ended = await child.run(command, cwd=_CHILD.parent, limits=limits, source=path, max_output_bytes=_ANSWER_BYTES)
    if ended.reason in ("wall", "stall"):
        raise MediaError("too-slow-to-read")
    if not ended.ok:
        log.warning("probe of %s ended with %d (%s): %s", path.name, ended.code, ended.reason, ended.errors[-500:])
        raise child.fault(ended.code, ended.reason, ended.errors) or MediaError("unreadable")
    try:
        answer = json.loads(ended.output)
    except ValueError:
        raise MediaError("unreadable") from None
    if not isinstance(answer, dict):
        raise MediaError("unreadable")
    if (code := answer.get("refused")) is not None:
        params = answer.get("params")
        raise MediaError(str(code), **(params if isinstance(params, dict) else {}))
    return answer


def _whole(value: object, low: int, high: int) -> int:
    """An integer within bounds, or MediaError "unreadable"."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise MediaError("unreadable")
    return value


def _word(value: object) -> str:
    """A short plain name, as of a codec."""
    return re.sub(r"[^\w.+() -]", "", str(value))[:40]


def _pair(value: object, most: int) -> Fraction:
    """A positive fraction from two integers; anything else is 0."""
    if isinstance(value, list) and len(value) == 2 and all(isinstance(v, int) for v in value) and value[1] > 0:
        fraction = Fraction(value[0], value[1])
        return fraction if 0 < fraction <= most else Fraction(0)
    return Fraction(0)


def _times(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise MediaError("unreadable")
    start, end = (_whole(v, 0, 1 << 60) for v in value)
    return start, max(start, end)


def _film(found: dict[str, Any], kind: Sniffed, size_bytes: int) -> Probe:
    seen = found.get("video")
    video = _video(seen) if isinstance(seen, dict) else None
    heard = found.get("audio")
    audio = tuple(_audio(a) for a in heard[:64]) if isinstance(heard, list) else ()
    audio = tuple(a for a in audio if a.channels and a.rate)
    duration_us = _whole(found.get("duration_us"), 0, 1 << 60)
    if video is None and not audio:
        raise MediaError("nothing-to-show")
    if duration_us < 40_000:
        raise MediaError("too-short")
    cover = found.get("cover")
    return Probe(
        container=kind.container,
        demuxer=kind.demuxer or "",
        duration_us=duration_us,
        size_bytes=size_bytes,
        video=video,
        audio=audio,
        spherical=found.get("spherical") is True,
        cover=_whole(cover, 0, 64) if cover is not None else None,
    )


def _video(seen: dict[str, Any]) -> VideoStream:
    sar = _pair(seen.get("sar"), 20) or Fraction(1)
    if sar < Fraction(1, 20):
        sar = Fraction(1)
    codes = seen.get("colour")
    matrix, primaries, transfer, spread = codes if isinstance(codes, list) and len(codes) == 4 else (2, 2, 2, 0)
    pix_fmt = _word(seen.get("pix_fmt"))
    start_us, end_us = _times(seen.get("times"))
    stream = VideoStream(
        index=_whole(seen.get("index"), 0, 64),
        codec=_word(seen.get("codec")),
        width=_whole(seen.get("width"), 1, 16_384),
        height=_whole(seen.get("height"), 1, 16_384),
        sar=sar,
        rotation=-round(_whole(seen.get("rotation"), -360, 360) / 90) * 90 % 360,
        fps=_pair(seen.get("fps"), 1_000) or Fraction(25),
        vfr=seen.get("vfr") is True,
        interlaced=seen.get("interlaced") is True,
        pix_fmt=pix_fmt,
        bit_depth=_whole(seen.get("bit_depth"), 1, 32),
        alpha=seen.get("alpha") is True,
        rgb=seen.get("rgb") is True,
        colour=Colour(
            _MATRICES.get(matrix, "unknown"),
            _PRIMARIES.get(primaries, "unknown"),
            _TRANSFERS.get(transfer, "unknown"),
            spread == 2 or pix_fmt.startswith("yuvj"),
        ),
        start_us=start_us,
        end_us=end_us,
    )
    if min(stream.displayed) < _SMALLEST:
        raise MediaError("picture-too-small", width=stream.width, height=stream.height)
    return stream


def _audio(heard: object) -> AudioStream:
    if not isinstance(heard, dict):
        raise MediaError("unreadable")
    start_us, end_us = _times(heard.get("times"))
    return AudioStream(
        index=_whole(heard.get("index"), 0, 64),
        codec=_word(heard.get("codec")),
        rate=_whole(heard.get("rate"), 0, 1_000_000),
        channels=_whole(heard.get("channels"), 0, 64),
        layout=_word(heard.get("layout")),
        language=bcp47(str(heard.get("language"))),
        default=heard.get("default") is True,
        start_us=start_us,
        end_us=end_us,
    )


def _picture(width: int, height: int, head: bytes, kind: Sniffed, size_bytes: int) -> Probe:
    if min(width, height) < _SMALLEST:
        raise MediaError("picture-too-small", width=width, height=height)
    stream = VideoStream(index=0, codec=kind.container, width=width, height=height)
    return Probe(
        kind.container, kind.demuxer or "", 0, size_bytes, stream, still=True, spherical=bool(_GPANO.search(head))
    )


def _still(found: dict[str, Any], head: bytes, kind: Sniffed, size_bytes: int) -> Probe:
    width, height = _whole(found.get("width"), 1, 1 << 20), _whole(found.get("height"), 1, 1 << 20)
    return _picture(width, height, head, kind, size_bytes)


def _heic(head: bytes, kind: Sniffed, size_bytes: int) -> Probe:
    """HEIC tells the size of the whole picture in the largest of its `ispe` boxes (ISO/IEC 23008-12 6.5.3)."""
    sizes = [
        (
            int.from_bytes(head[m.end() + 4 : m.end() + 8], "big"),
            int.from_bytes(head[m.end() + 8 : m.end() + 12], "big"),
        )
        for m in re.finditer(rb"\x00\x00\x00\x14ispe", head)
    ]
    width, height = max(sizes, key=lambda s: s[0] * s[1], default=(0, 0))
    if width * height == 0:
        raise MediaError("unreadable")
    if width * height > 200_000_000:
        raise MediaError("picture-too-large", width=width, height=height)
    return _picture(width, height, head, kind, size_bytes)
