"""Posters and other stills of works: where they are, who may see them, and what stands there while they load."""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from showcase.core import rules
from showcase.core.models import Asset, Work
from showcase.errors import NotFound
from showcase.web import streams
from showcase.web.keys import PERSON, SHELF, STORAGE
from showcase.web.sendfile import answer
from showcase.web.shapes import picture_url

# Short, for a withdrawn work's pictures go with it.
PUBLIC = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class Picture:
    """What an `<img>` needs. `placeholder` is a data: address of a few hundred bytes, '' when there is none."""

    src: str
    srcset: str
    width: int
    height: int
    placeholder: str


def poster(work: Work) -> Picture | None:
    """The poster of a work, None when it has none."""
    return _picture(work, work.poster, None) if work.poster else None


def of_asset(work: Work, asset: Asset) -> Picture | None:
    """The picture of one file."""
    kept = asset.details.get("poster")
    return _picture(work, kept, asset.id) if kept else None


def _picture(work: Work, kept: Mapping[str, Any], asset: str | None) -> Picture | None:
    files = sorted((f for f in kept["files"] if f["type"] == "image/webp"), key=lambda f: f["width"])
    files = files or list(kept["files"])
    if not files:
        return None
    sources = [f"{picture_url(work, f['name'], asset)} {f['width']}w" for f in files]
    largest = files[-1]
    src = picture_url(work, files[0]["name"], asset)
    return Picture(src, ", ".join(sources), largest["width"], largest["height"], placeholder(kept.get("thumbhash", "")))


def preview_url(work: Work) -> str | None:
    """The largest JPEG of the poster, for other sites' previews."""
    files = [f for f in (work.poster or {}).get("files", ()) if f["type"] == "image/jpeg"]
    return picture_url(work, max(files, key=lambda f: f["width"])["name"]) if files else None


@functools.lru_cache(2_000)
def placeholder(thumbhash: str) -> str:
    """A ThumbHash as a PNG in a data: address, '' for none or a broken one."""
    if not thumbhash:
        return ""
    from thumbhash import thumb_hash_to_rgba

    try:
        # The library prints what it finds.
        with contextlib.redirect_stdout(io.StringIO()):
            width, height, rgba = thumb_hash_to_rgba(list(base64.b64decode(thumbhash, validate=True)))
    except (binascii.Error, ValueError, IndexError, ZeroDivisionError):
        return ""
    return "data:image/png;base64," + base64.b64encode(png(int(width), int(height), bytes(rgba))).decode()


def png(width: int, height: int, rgba: bytes) -> bytes:
    """A PNG of 8 bit RGB from RGBA bytes (ISO/IEC 15948); transparency is left out, for a stage is black anyway."""
    rows = b"".join(
        b"\0" + b"".join(rgba[4 * i : 4 * i + 3] for i in range(y * width, (y + 1) * width)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


async def serve(request: web.Request) -> web.StreamResponse:
    """`/pictures/{work}/{asset}/{file}`: for everybody while the page is public, else for artists and staff."""
    info = request.match_info
    shelved = await request.app[SHELF].work(int(info["work"]))
    work = shelved.work
    asset = shelved.assets.get(info["asset"])
    poster_here = (work.poster or {}).get("asset") == info["asset"]
    if asset is None or not rules.allows(request[PERSON], "see", work):
        raise NotFound()
    shown = poster_here or asset in work.taken(asset.role)
    if not shown and not rules.allows(request[PERSON], "preview", work):
        raise NotFound()
    name = info["file"]
    known = {f["name"] for kept in (work.poster, asset.details.get("poster")) if kept for f in kept["files"]}
    if name not in known:
        raise NotFound()
    headers = {
        "Content-Type": streams.TYPES.get(name.rpartition(".")[2], "application/octet-stream"),
        "Cache-Control": PUBLIC if shown and work.state == "published" else "private, no-store",
    }
    key = f"pictures/{asset.id}/{name}"
    path = request.app[STORAGE].local(key)
    if path is not None:
        return answer(request, request.app[streams.DESCRIPTORS].get(path), headers)
    return web.Response(body=await request.app[STORAGE].get(key), headers=headers)


def routes(app: web.Application) -> None:
    """Mount `/pictures/`."""
    app.router.add_get("/pictures/{work:\\d{1,15}}/{asset:[0-9a-z]+}/{file:[a-z0-9-]+\\.[a-z]+}", serve)
