"""Resumable uploads: tus 1.0.0 with creation, creation-with-upload, termination, checksum and expiration.

https://tus.io/protocols/resumable-upload. The offset is what lies on the disk, the last byte makes the asset and its
job in one transaction, and every refusal that can be known from the announcement is made before a byte travels.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from aiohttp import web

from showcase.core import rules
from showcase.core.languages import normal_tag
from showcase.core.models import ASSET_ROLES
from showcase.core.names import safe_filename
from showcase.errors import (
    Conflict,
    Gone,
    Invalid,
    Malformed,
    MediaError,
    NotFound,
    ShowcaseError,
    TooLarge,
    Unavailable,
    UnsupportedType,
)
from showcase.media import captions, sniff
from showcase.media.spool import CHECKSUMS, HEAD_BYTES
from showcase.metrics import UPLOAD_BYTES
from showcase.store import assets, works
from showcase.web import words
from showcase.web.keys import DB, LANG, SETTINGS, SPOOL, STORAGE, now, signed_in
from showcase.web.limits import limit

log = logging.getLogger(__name__)

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
CAPTION_LIMIT = captions.LIMIT_KB * 1024
PICTURE_LIMIT = 200 * 1024 * 1024
READ = 256 * 1024
# A client that vanished (another network, a closed lid) does not end its connection: it is given up after this.
SILENCE_S = 60
# So long a writer may be silent before a client that comes back takes its place.
PATIENCE_S = 2
# How long the row of a finished upload is kept: a client that missed the last answer asks again.
FINISHED_KEPT = timedelta(days=1)
REFUSED_ENDINGS = frozenset(
    [
        "exe",
        "dll",
        "msi",
        "bat",
        "cmd",
        "sh",
        "ps1",
        "js",
        "html",
        "htm",
        "svg",
        "php",
        "py",
        "jar",
        "app",
        "dmg",
        "iso",
        "zip",
        "rar",
        "7z",
        "tar",
        "gz",
        "m3u8",
        "m3u",
        "mpd",
        "pls",
        "ffconcat",
        "txt",
        "doc",
        "docx",
    ]
)


@dataclass(slots=True)
class Reading:
    """A request that brings bytes: since when it waits for more (None: it does not), and what ends that wait."""

    ended: asyncio.Event
    since: float | None = None
    limit: asyncio.Timeout | None = None


READING: web.AppKey[dict[str, Reading]] = web.AppKey("READING")


class WrongVersion(ShowcaseError):
    """The client speaks another version of tus (412)."""

    status = 412
    code = "tus-version"


def _headers(more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"Tus-Resumable": VERSION, "Cache-Control": "no-store", **(more or {})}


def _checked_version(request: web.Request) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongVersion()


def parse_metadata(header: str) -> dict[str, str]:
    """`Upload-Metadata`: pairs of a key and base64, comma separated. Raises Malformed."""
    found: dict[str, str] = {}
    if not header.isascii():
        raise Malformed("malformed")
    for pair in filter(None, (p.strip() for p in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
            if "\0" in found[key]:
                raise Malformed("malformed")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise Malformed("malformed") from None
    return found


def _number(request: web.Request, header: str, code: str) -> int:
    value = request.headers.get(header, "")
    if not (value.isascii() and value.isdigit() and len(value) <= 16):
        raise Malformed(code)
    return int(value)


async def options(request: web.Request) -> web.Response:
    """What this server can do (tus 1.0.0, OPTIONS)."""
    return web.Response(
        status=204,
        headers=_headers(
            {
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(request.app[SETTINGS].upload_max),
                "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
            }
        ),
    )


async def create(request: web.Request) -> web.Response:
    """Announce an upload; perhaps with its first bytes."""
    _checked_version(request)
    person = signed_in(request)
    limit(request, "upload", str(person.id))
    settings, db, at = request.app[SETTINGS], request.app[DB], now(request)
    size = _number(request, "Upload-Length", "upload-length")
    metadata = parse_metadata(request.headers.get("Upload-Metadata", ""))
    role = metadata.get("role") or "work"
    if role not in ASSET_ROLES:
        raise Invalid("bad-choice", fields={"role": "bad-choice"})
    lang = metadata.get("lang", "")
    if lang and (lang := normal_tag(lang) or "") == "":
        raise Invalid("bad-language", fields={"lang": "bad-language"})
    filename = safe_filename(metadata.get("filename", ""))
    if "work" not in metadata:
        raise Invalid("required", fields={"work": "required"})
    work = await db.read(works.work, metadata["work"])
    rules.require(person, "edit", work)
    _refuse_early(filename, role, size, settings.upload_max, request[LANG])
    id = assets.new_id()
    spool = request.app[SPOOL]
    expires = at + timedelta(hours=settings.upload_expiry_hours)
    free = await asyncio.to_thread(request.app[STORAGE].free_bytes)
    room = free - settings.disk_reserve + await spool.kept_bytes()
    await spool.begin(id)
    try:
        await db.write(
            assets.begin_upload,
            at,
            id,
            person.id,
            work.id,
            role=role,
            lang=lang or ("en" if role in ("captions", "audio-description", "audio-track") else "und"),
            filename=filename,
            metadata=request.headers.get("Upload-Metadata", ""),
            size=size,
            expires=expires,
            quota=None if person.administrator else settings.upload_quota,
            room=room,
        )
    except ShowcaseError as error:
        await spool.remove(id)
        if error.code == "quota":
            raise TooLarge("quota", limit=words.size(settings.upload_quota, request[LANG])) from None
        raise
    log.info("upload %s of %d bytes begun by person %d", id, size, person.id)
    headers = {"Location": f"/uploads/{id}", "Upload-Expires": _http_date(expires)}
    if request.content_type == "application/offset+octet-stream" and request.body_exists:
        headers["Upload-Offset"] = str(await _take(request, id, 0))
    elif size == 0:
        await _finish(request, id)
    return web.Response(status=201, headers=_headers(headers))


def _refuse_early(filename: str, role: str, size: int, largest: int, lang: str) -> None:
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    if ending in REFUSED_ENDINGS and not (role == "captions" and ending == "txt"):
        raise UnsupportedType("unsupported-type")
    largest = min(largest, {"captions": CAPTION_LIMIT, "poster": PICTURE_LIMIT}.get(role, largest))
    if size > largest:
        raise TooLarge("file-too-large", limit=words.size(largest, lang))


async def _own(request: web.Request) -> assets.Upload:
    person = signed_in(request)
    upload = await request.app[DB].read(assets.upload, request.match_info["id"])
    if upload.person != person.id:
        # Co-authors and staff may see the work, but only who began an upload writes to it.
        raise NotFound()
    if upload.asset is None and upload.expires_at <= now(request):
        raise Gone("closed")
    # They may edit the work no longer, since it was begun.
    rules.require(person, "edit", await request.app[DB].read(works.work_by_id, upload.work))
    return upload


async def head(request: web.Request) -> web.Response:
    """How far an upload has come."""
    _checked_version(request)
    upload = await _own(request)
    offset = upload.size if upload.asset is not None else await _reached(request, upload)
    return web.Response(
        status=200,
        headers=_headers(
            {
                "Upload-Offset": str(offset),
                "Upload-Length": str(upload.size),
                "Upload-Metadata": upload.metadata,
                "Upload-Expires": _http_date(upload.expires_at),
            }
        ),
    )


async def _reached(request: web.Request, upload: assets.Upload) -> int:
    spool = request.app[SPOOL]
    try:
        offset = await spool.offset(upload.id)
        if offset == upload.size:
            # Killed after the last byte: the client will send nothing more. Writing nothing makes sure that nobody else
            # writes (a checksum may still take bytes back) and that the bytes are on the disk.
            offset = await spool.append(upload.id, offset, upload.size, _nothing())
            await _finish(request, upload.id)
        return offset
    except NotFound:
        # Killed between moving the last bytes and writing the row: finish what was begun.
        async with request.app[STORAGE].as_file(f"originals/{upload.id}"):
            await _finish(request, upload.id)
        return upload.size


async def patch(request: web.Request) -> web.Response:
    """More bytes."""
    _checked_version(request)
    if request.content_type != "application/offset+octet-stream":
        raise UnsupportedType("unsupported-type")
    upload = await _own(request)
    offset = _number(request, "Upload-Offset", "wrong-offset")
    if upload.asset is not None:
        if offset != upload.size:
            raise Conflict("wrong-offset")
        reached = upload.size
    else:
        reached = await _take(request, upload.id, offset)
    expires = now(request) + timedelta(hours=request.app[SETTINGS].upload_expiry_hours)
    return web.Response(
        status=204, headers=_headers({"Upload-Offset": str(reached), "Upload-Expires": _http_date(expires)})
    )


async def _take(request: web.Request, id: str, offset: int) -> int:
    spool, db, settings = request.app[SPOOL], request.app[DB], request.app[SETTINGS]
    upload = await db.read(assets.upload, id)
    before = offset
    if request.content_length is not None and offset + request.content_length > upload.size:
        raise TooLarge("upload-too-long")
    reading = request.app[READING]
    await _take_over(reading.get(id), id)
    mine = Reading(asyncio.Event())
    reading.setdefault(id, mine)
    try:
        offset = await spool.append(
            id, offset, upload.size, _chunks(request, id, mine), request.headers.get("Upload-Checksum")
        )
    finally:
        if reading.get(id) is mine:
            del reading[id]
        mine.ended.set()
        at = now(request)
        expires = at + timedelta(hours=settings.upload_expiry_hours)
        await db.write(assets.prolong_upload, id, expires)
    UPLOAD_BYTES.inc(offset - before)
    if before < HEAD_BYTES and offset:
        await _refuse_kind(request, upload)
    if offset == upload.size:
        await _finish(request, id)
    return offset


async def _chunks(request: web.Request, id: str, mine: Reading) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S) as mine.limit:
                mine.since = loop.time()
                chunk = await request.content.read(READ)
        except TimeoutError:
            raise ConnectionResetError(f"nothing more came for upload {id}") from None
        finally:
            mine.since = None
        if not chunk:
            return
        yield chunk


async def _nothing() -> AsyncIterator[bytes]:
    for chunk in tuple[bytes, ...]():
        yield chunk


async def _take_over(earlier: Reading | None, id: str) -> None:
    """End an earlier request that holds this upload and brings nothing: its client came back on another line."""
    at = asyncio.get_running_loop().time()
    if earlier is None or earlier.limit is None or earlier.since is None or at - earlier.since < PATIENCE_S:
        return
    log.info("upload %s: its client came back, the earlier connection is given up", id)
    earlier.limit.reschedule(at)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await earlier.ended.wait()


async def _refuse_kind(request: web.Request, upload: assets.Upload) -> None:
    """The first bytes are here: say at once when this is nothing that can be shown. Captions are read when whole."""
    if upload.role == "captions":
        return
    head = await request.app[SPOOL].head(upload.id)
    if len(head) < min(HEAD_BYTES, upload.size):
        return
    try:
        found = sniff.sniff(head)
        if upload.role == "poster" and found.kind != "image":
            raise MediaError("not-a-picture")
        if found.refusal is not None:
            raise MediaError(found.refusal, kind=found.container)
    except ShowcaseError as error:
        await request.app[SPOOL].remove(upload.id)
        await request.app[DB].write(assets.forget_upload, upload.id)
        log.info("upload %s refused: %s", upload.id, error.code)
        raise UnsupportedType(error.code, **error.params) from error


async def _finish(request: web.Request, id: str) -> None:
    db, spool, storage = request.app[DB], request.app[SPOOL], request.app[STORAGE]
    # The bytes go to their place first: a row without bytes could not be mended, bytes without a row are swept.
    path = spool.path(id)
    if path.exists():
        try:
            await storage.adopt(path, f"originals/{id}")
        except Unavailable:
            # Two requests may find an upload complete; one of them moves it.
            if path.exists():
                raise
    asset = await db.write(assets.finish_upload, now(request), id, FINISHED_KEPT)
    log.info("upload %s complete: version %d of %s", id, asset.version, asset.role)


async def terminate(request: web.Request) -> web.Response:
    """Give an upload up (tus termination)."""
    _checked_version(request)
    upload = await _own(request)
    if upload.asset is not None:
        raise Gone("closed")
    await request.app[SPOOL].remove(upload.id)
    await request.app[DB].write(assets.forget_upload, upload.id)
    return web.Response(status=204, headers=_headers())


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


async def overridden(request: web.Request) -> web.Response:
    """Networks that let only POST through (tus: `X-HTTP-Method-Override`)."""
    method = request.headers.get("X-HTTP-Method-Override", "").upper()
    handler = {"PATCH": patch, "DELETE": terminate, "HEAD": head}.get(method)
    if handler is None:
        raise Malformed("malformed")
    return await handler(request)


def routes(app: web.Application) -> None:
    """Mount `/uploads`."""
    app[READING] = {}
    router = app.router
    router.add_route("OPTIONS", "/uploads", options)
    router.add_route("OPTIONS", "/uploads/{id:[0-9a-z]{1,32}}", options)
    router.add_post("/uploads", create)
    router.add_post("/uploads/", create)
    router.add_route("HEAD", "/uploads/{id:[0-9a-z]{1,32}}", head)
    router.add_patch("/uploads/{id:[0-9a-z]{1,32}}", patch)
    router.add_delete("/uploads/{id:[0-9a-z]{1,32}}", terminate)
    router.add_post("/uploads/{id:[0-9a-z]{1,32}}", overridden)
