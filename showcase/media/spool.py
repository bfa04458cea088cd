"""Unfinished uploads: one growing file each. How much has come is the file's size, so a killed server loses nothing.

One writer at a time holds a lock on the file (`flock`), also across processes: a client that reconnects while its dead
connection still writes is told so instead of writing twice.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from typing import IO

from showcase.errors import Conflict, Malformed, NotFound, ShowcaseError, TooLarge, Unavailable

CHECKSUMS = ("sha1", "sha256", "md5")
HEAD_BYTES = 4096


class ChecksumMismatch(ShowcaseError):
    """The bytes of one request do not match its checksum and are forgotten (tus: 460)."""

    status = 460
    code = "checksum-mismatch"


class Locked(Conflict):
    """Somebody writes to this upload right now (tus: 423)."""

    status = 423
    code = "upload-locked"


class Spool:
    """The folder of unfinished uploads."""

    def __init__(self, root: Path, *, reserve: int = 0) -> None:
        """`reserve`: bytes of the disk that are left free whatever was promised."""
        self.root, self._reserve = root, reserve
        root.mkdir(parents=True, exist_ok=True)

    def path(self, id: str) -> Path:
        """Where the bytes of an upload are. Raises NotFound for what is no id."""
        if not id.isalnum() or not id.isascii():
            raise NotFound()
        return self.root / f"{id}.part"

    async def begin(self, id: str) -> None:
        """Make room for an upload."""
        await asyncio.to_thread(self.path(id).touch, exist_ok=False)

    async def offset(self, id: str) -> int:
        """How many bytes have come. Raises NotFound."""
        try:
            return (await asyncio.to_thread(self.path(id).stat)).st_size
        except FileNotFoundError:
            raise NotFound() from None

    async def head(self, id: str) -> bytes:
        """The first bytes, to tell what kind of file it is."""

        def read() -> bytes:
            with self.path(id).open("rb") as file:
                return file.read(HEAD_BYTES)

        return await asyncio.to_thread(read)

    async def append(
        self, id: str, offset: int, size: int, chunks: AsyncIterator[bytes], checksum: str | None = None
    ) -> int:
        """Write the bytes of one request at `offset`; returns the new offset.

        A connection that breaks keeps what came, unless it came with a `checksum` (tus `Upload-Checksum`), which is
        only kept whole. Raises Conflict (`wrong-offset`), Locked, TooLarge, ChecksumMismatch, Unavailable (disk).
        """
        digest, expected = _checksum(checksum) if checksum else (None, b"")
        file = await asyncio.to_thread(self._open, id)
        try:
            if os.fstat(file.fileno()).st_size != offset:
                raise Conflict("wrong-offset")
            file.seek(offset)
            at, whole = offset, False
            try:
                async for chunk in chunks:
                    if at + len(chunk) > size:
                        raise TooLarge("upload-too-long")
                    if digest is not None:
                        digest.update(chunk)
                    await _whole(asyncio.to_thread(self._write, file, chunk))
                    at += len(chunk)
                whole = True
            finally:
                if digest is not None and not (whole and digest.digest() == expected):
                    file.truncate(offset)
                elif at == size:
                    await _whole(asyncio.to_thread(os.fsync, file.fileno()))
            if digest is not None and digest.digest() != expected:
                raise ChecksumMismatch()
            return at
        finally:
            file.close()

    def _open(self, id: str) -> IO[bytes]:
        try:
            file = self.path(id).open("r+b", buffering=0)
        except FileNotFoundError:
            raise NotFound() from None
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise Locked() from None
        return file

    async def remove(self, id: str) -> None:
        """Forget the bytes of an upload."""
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(self.path(id).unlink)

    async def kept_bytes(self) -> int:
        """What has come of all unfinished uploads."""
        return await asyncio.to_thread(lambda: sum(p.stat().st_size for p in self.root.glob("*.part")))

    def _write(self, file: IO[bytes], chunk: bytes) -> None:
        if shutil.disk_usage(self.root).free - len(chunk) < self._reserve:
            raise Unavailable("disk-full")
        _write(file, chunk)

    def ids(self) -> Iterator[tuple[str, float]]:
        """Each upload there is, with the moment of its last byte in seconds of the epoch. Blocks."""
        for path in self.root.glob("*.part"):
            with contextlib.suppress(FileNotFoundError):
                yield path.stem, path.stat().st_mtime


async def _whole(work: Awaitable[None]) -> None:
    """Wait for a thread even when cancelled: the file must not be cut or closed under its hands."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _write(file: IO[bytes], chunk: bytes) -> None:
    left = memoryview(chunk)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise Unavailable("disk-full") from error


def _checksum(header: str) -> tuple[hashlib._Hash, bytes]:
    name, _, value = header.strip().partition(" ")
    if name not in CHECKSUMS:
        raise Malformed("checksum-algorithm")
    try:
        return hashlib.new(name, usedforsecurity=False), base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("checksum-encoding") from None
