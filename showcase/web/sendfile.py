"""Media files to sockets with as little work as can be: descriptors stay open, the kernel copies.

`FileResponse` opens, stats and closes for each request; media files never change, so one descriptor serves them all.
"""

from __future__ import annotations

import io
import os
import stat
from collections import OrderedDict
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from showcase.errors import NotFound
from showcase.metrics import SEGMENT_BYTES

DESCRIPTORS = 512
CHUNK = 256 * 1024
LONGEST_NUMBER = 18  # digits; no file has so many bytes
IMMUTABLE = "public, max-age=31536000, immutable"


class OpenFile(io.FileIO):
    """A file that closes itself when the last answer that sends it lets go."""

    def __del__(self) -> None:
        self.close()


class Descriptors:
    """Open files by path; the least recently used is closed when no answer uses it any more."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[OpenFile, int]] = OrderedDict()

    def get(self, path: Path) -> tuple[OpenFile, int]:
        """An open file and its size in bytes. Raises NotFound. Blocks for microseconds: one open of a local file."""
        key = str(path)
        found = self._open.get(key)
        if found is not None:
            self._open.move_to_end(key)
            return found
        try:
            fd = os.open(key, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            raise NotFound() from None
        status = os.fstat(fd)
        file = OpenFile(fd, "rb")
        if not stat.S_ISREG(status.st_mode):
            file.close()
            raise NotFound()
        found = self._open[key] = (file, status.st_size)
        if len(self._open) > DESCRIPTORS:
            # Not closed here: an answer may be sending it. It closes when the last one lets go.
            self._open.popitem(last=False)
        return found

    def forget(self, part: str) -> None:
        """Let go of files whose path has `part` in it, so that removed ones free the disk."""
        for key in [k for k in self._open if part in k]:
            del self._open[key]

    def close(self) -> None:
        """Let go of all. Calling it twice is fine."""
        self._open.clear()


class FileSlice(web.StreamResponse):
    """An answer whose body is `count` bytes of an open file from `offset`."""

    def __init__(self, file: OpenFile, offset: int, count: int, *, status: int, headers: dict[str, str]) -> None:
        super().__init__(status=status, headers=headers)
        self._file, self._offset, self._count = file, offset, count

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head, then the bytes."""
        self.content_length = self._count
        writer = await super().prepare(request)
        if request.method == hdrs.METH_HEAD or not self._count or request.transport is None:
            return writer
        if request.transport.get_extra_info("sslcontext") is not None:
            # Under TLS there is no sendfile, and asyncio's fallback would move an offset that answers share.
            fd, at, left = self._file.fileno(), self._offset, self._count
            while left:
                data = os.pread(fd, min(CHUNK, left), at)
                if not data:
                    break
                at, left = at + len(data), left - len(data)
                await self.write(data)
        else:
            await request._loop.sendfile(request.transport, self._file, self._offset, self._count)
        SEGMENT_BYTES.inc(self._count)
        await super().write_eof()
        return writer


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last+1 byte that a Range header asks for (RFC 9110 14.2); None: all of it, as for what is no single range.

    Raises HTTPRequestRangeNotSatisfiable.
    """
    if not header or not header.startswith("bytes=") or "," in header:
        return None
    first, _, last = header[6:].strip().partition("-")
    good = (first + last).isascii() and (first or last).isdigit() and (not last or last.isdigit())
    if not good or max(len(first), len(last)) > LONGEST_NUMBER:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    if start >= size or end <= start:
        raise web.HTTPRequestRangeNotSatisfiable(headers={hdrs.CONTENT_RANGE: f"bytes */{size}"})
    return start, end


def answer(request: web.Request, found: tuple[OpenFile, int], headers: dict[str, str]) -> FileSlice:
    """All of a file, or the range that is asked for."""
    file, size = found
    asked = parse_range(request.headers.get(hdrs.RANGE), size)
    headers[hdrs.ACCEPT_RANGES] = "bytes"
    if asked is None:
        return FileSlice(file, 0, size, status=200, headers=headers)
    headers[hdrs.CONTENT_RANGE] = f"bytes {asked[0]}-{asked[1] - 1}/{size}"
    return FileSlice(file, asked[0], asked[1] - asked[0], status=206, headers=headers)
