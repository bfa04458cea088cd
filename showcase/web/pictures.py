"""Posters and other stills of works, pictures of festivals: where they are, who may see them, and what stands there while
they load."""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import io
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from showcase.core import rules
from showcase.core.models import Asset, Festival, Work
from showcase.errors import NotFound
from showcase.store import festivals
from showcase.web import streams
from showcase.web.keys import DB, PERSON, SHELF, STORAGE
from showcase.web.sendfile import answer
from showcase.web.shapes import picture_url

# Short, for a withdrawn work's pictures go with it.
PUBLIC = "public, max-age=300"


Preview = tuple[str, int, int]
"""A picture for other sites and programs: its path, width and height in pixels."""

ANY_SIZE = (1_000_000, 1_000_000)


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
    return _picture(work.poster, lambda name: picture_url(work, name)) if work.poster else None


def of_asset(work: Work, asset: Asset) -> Picture | None:
    """The picture of one file."""
    kept = asset.details.get("poster")
    return _picture(kept, lambda name: picture_url(work, name, asset.id)) if kept else None


def of_festival(festival: Festival) -> Picture | None:
    """The picture of a festival, None when it has none."""
    return _picture(festival.picture, lambda name: festival_url(festival, name)) if festival.picture else None


def festival_url(festival: Festival, name: str) -> str:
    """The address of one file of a festival's picture: another picture has other addresses."""
    folder = str((festival.picture or {})["folder"])
    return f"/pictures/festivals/{festival.id}/{folder.rpartition('-')[2]}/{name}"


def festival_preview(festival: Festival) -> Preview | None:
    """The largest JPEG of a festival's picture."""
    return _preview(festival.picture, lambda name: festival_url(festival, name), ANY_SIZE)


def _preview(kept: Mapping[str, Any] | None, url: Callable[[str], str], within: tuple[int, int]) -> Preview | None:
    files = [
        f
        for f in (kept or {}).get("files", ())
        if f["type"] == "image/jpeg" and f["width"] <= within[0] and f["height"] <= within[1]
    ]
    if not files:
        return None
    largest = max(files, key=lambda f: f["width"])
    return url(largest["name"]), largest["width"], largest["height"]


def _picture(kept: Mapping[str, Any], url: Callable[[str], str]) -> Picture | None:
    files = sorted((f for f in kept["files"] if f["type"] == "image/webp"), key=lambda f: f["width"])
    files = files or list(kept["files"])
    if not files:
        return None
    sources = [f"{url(f['name'])} {f['width']}w" for f in files]
    largest = files[-1]
    return Picture(
        url(files[0]["name"]),
        ", ".join(sources),
        largest["width"],
        largest["height"],
        placeholder(kept.get("thumbhash", "")),
    )


def preview(work: Work, within: tuple[int, int] = ANY_SIZE) -> Preview | None:
    """The largest JPEG of the poster that is not wider and not higher than `within`."""
    return _preview(work.poster, lambda name: picture_url(work, name), within)


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
    return await _file(request, f"pictures/{asset.id}/{name}", open_to_all=shown and work.state == "published")


async def serve_festival(request: web.Request) -> web.StreamResponse:
    """`/pictures/festivals/{id}/{key}/{file}`: for everybody while the festival is public, else for its staff."""
    info = request.match_info
    festival = await request.app[DB].read(festivals.by_id, int(info["id"]))
    rules.require_festival(request[PERSON], "see", festival)
    kept, name = festival.picture or {}, info["file"]
    if kept.get("folder") != f"festival-{festival.id}-{info['key']}" or name not in {f["name"] for f in kept["files"]}:
        raise NotFound()
    return await _file(request, f"pictures/{kept['folder']}/{name}", open_to_all=festival.state != "draft")


async def _file(request: web.Request, key: str, *, open_to_all: bool) -> web.StreamResponse:
    headers = {
        "Content-Type": streams.TYPES.get(key.rpartition(".")[2], "application/octet-stream"),
        "Cache-Control": PUBLIC if open_to_all else "private, no-store",
    }
    path = request.app[STORAGE].local(key)
    if path is not None:
        return answer(request, request.app[streams.DESCRIPTORS].get(path), headers)
    return web.Response(body=await request.app[STORAGE].get(key), headers=headers)


def routes(app: web.Application) -> None:
    """Mount `/pictures/`."""
    app.router.add_get("/pictures/festivals/{id:\\d{1,15}}/{key:[0-9a-f]+}/{file:[a-z0-9-]+\\.[a-z]+}", serve_festival)
    app.router.add_get("/pictures/{work:\\d{1,15}}/{asset:[0-9a-z]+}/{file:[a-z0-9-]+\\.[a-z]+}", serve)
