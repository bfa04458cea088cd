"""A picture that came whole, as its page needs it: looked at, made into sizes in a scratch folder, stored."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

from showcase.errors import Invalid, MediaError
from showcase.media import stills
from showcase.media.child import Limits
from showcase.media.storage import Storage

WIDTHS = (640, 1_280, 2_560)
FORMATS = ("webp", "jpg")
# A web server waits for it: less than a worker may use. 1 GiB is enough for some 60 million pixels.
LIMITS = Limits(data_bytes=1 << 30, cpu_s=60, file_bytes=64 << 20, wall_s=90)
NARROWEST = WIDTHS[0]


def kind(data: bytes) -> str | None:
    """What a picture is by its first bytes: "jpeg", "png", "webp" or "tiff"; None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "tiff"
    return None


async def make(storage: Storage, scratch: Path, owner: str, data: bytes) -> dict[str, Any]:
    """Store `data` in the usual sizes under `pictures/{owner}-{random}/` and say what is there.

    `folder`, `files` (name, type, width and height in pixels, size in bytes) and `thumbhash`. `scratch` is where it may
    work. Raises Invalid (`picture`: `picture-kind`, `picture-unreadable`, `picture-pixels`, `picture-narrow`), Unavailable.
    """
    if kind(data) is None:
        raise _refused("picture-kind")
    place = await asyncio.to_thread(_begin, scratch, data)
    try:
        try:
            images, thumbhash = await stills.derive(place / "source", place, "picture", WIDTHS, FORMATS, limits=LIMITS)
        except MediaError as error:
            large = error.code in ("picture-too-large", "too-demanding")
            raise _refused("picture-pixels" if large else "picture-unreadable") from error
        widest = max(image.width for image in images)
        if widest < NARROWEST:
            raise _refused("picture-narrow", width=widest, least=NARROWEST)
        folder = f"{owner}-{secrets.token_hex(8)}"
        files: list[dict[str, Any]] = []
        for image in images:
            if any((f["type"], f["width"]) == (image.media_type, image.width) for f in files):
                # It is smaller than the usual sizes: they are one.
                continue
            await storage.put(f"pictures/{folder}/{image.path.name}", await asyncio.to_thread(image.path.read_bytes))
            files.append(
                {
                    "name": image.path.name,
                    "type": image.media_type,
                    "width": image.width,
                    "height": image.height,
                    "size": image.size_bytes,
                }
            )
        return {"folder": folder, "files": files, "thumbhash": thumbhash}
    finally:
        await asyncio.to_thread(shutil.rmtree, place, True)


def _refused(code: str, **params: object) -> Invalid:
    return Invalid(None, fields={"picture": code}, **params)


def _begin(scratch: Path, data: bytes) -> Path:
    scratch.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="picture-", dir=scratch))
    (place / "source").write_bytes(data)
    return place
