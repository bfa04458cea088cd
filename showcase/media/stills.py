"""Pictures for pages: one picture at several widths and formats, and its ThumbHash, made in a child process."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from showcase.errors import MediaError
from showcase.media import child, ffmpeg
from showcase.media.child import Limits

log = logging.getLogger(__name__)

_CHILD = Path(__file__).with_name("stills_child.py")
_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
LIMITS = Limits(data_bytes=3 << 30, cpu_s=300, file_bytes=256 << 20, wall_s=600)


@dataclass(frozen=True, slots=True)
class Image:
    """One picture file; sizes in pixels."""

    path: Path
    media_type: str
    width: int
    height: int
    size_bytes: int


async def derive(
    source: Path, folder: Path, stem: str, widths: Sequence[int], formats: Sequence[str], *, limits: Limits = LIMITS
) -> tuple[tuple[Image, ...], str]:
    """Write `{stem}-{width}.{format}` into `folder` and return them, widest last, with the ThumbHash in base64.

    Upright, sRGB, without metadata (where a picture was taken is nobody's business). Formats: "avif", "webp", "jpg".
    Raises MediaError, Unavailable.
    """
    command = [sys.executable, "-I", "-B", str(_CHILD), stem, ",".join(map(str, widths)), ",".join(formats)]
    ended = await child.run(command, cwd=folder, limits=limits, source=source, max_output_bytes=65_536)
    if not ended.ok:
        log.warning("stills of %s ended with %d (%s): %s", source.name, ended.code, ended.reason, ended.errors[-500:])
        raise child.fault(ended.code, ended.reason, ended.errors) or MediaError("unreadable")
    try:
        answer = json.loads(ended.output)
        if "refused" in answer:
            raise MediaError(str(answer["refused"]), **answer.get("params", {}))
        thumbhash = str(answer["thumbhash"])
        if not re.fullmatch(r"[A-Za-z0-9+/]{8,60}={0,2}", thumbhash):
            raise MediaError("unreadable")
        images = []
        for width in widths:
            for ending in formats:
                name = f"{stem}-{width}.{ending}"
                size = next((w, h) for path, w, h in answer["files"] if path == name)
                path = folder / name
                bytes_there = (await asyncio.to_thread(path.stat)).st_size
                images.append(Image(path, _TYPES[ending], int(size[0]), int(size[1]), bytes_there))
    except (ValueError, KeyError, TypeError, StopIteration, OSError) as error:
        raise MediaError("unreadable") from error
    return tuple(images), thumbhash


async def heic_to_png(binary: str, source: Path, folder: Path, *, limits: Limits = LIMITS) -> Path:
    """Let FFmpeg put a phone's HEIC tiles together; Pillow cannot read them. Raises MediaError, Unavailable."""
    target = folder / "heic.png"
    result = await ffmpeg.run(
        binary,
        ["-frames:v", "1", "-update", "1", "-y", "-compression_level", "1", target.name],
        cwd=folder,
        limits=limits,
        source=source,
        demuxer="mov,mp4,m4a,3gp,3g2,mj2",
    )
    if not result.ok or not target.exists():
        log.warning("HEIC %s: %s %s", source.name, result.reason, result.errors[-500:])
        raise ffmpeg.fault(result) or MediaError("heic")
    return target
