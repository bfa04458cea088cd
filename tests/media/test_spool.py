"""Unfinished uploads: nothing is lost, nothing is written twice, nothing comes in unchecked."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from showcase.errors import Conflict, Malformed, NotFound, TooLarge, Unavailable
from showcase.media import spool as module
from showcase.media.spool import ChecksumMismatch, Locked, Spool


@pytest.fixture
async def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "uploads")
    await made.begin("u1")
    return made


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def broken(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    raise ConnectionResetError


def sha256(data: bytes) -> str:
    return f"sha256 {base64.b64encode(hashlib.sha256(data).digest()).decode()}"


async def test_bytes_come_in_several_requests(spool: Spool) -> None:
    assert await spool.append("u1", 0, 9, chunks(b"abc", b"def")) == 6
    assert await spool.offset("u1") == 6
    assert await spool.append("u1", 6, 9, chunks(b"ghi")) == 9
    assert spool.path("u1").read_bytes() == b"abcdefghi"
    assert await spool.head("u1") == b"abcdefghi"


async def test_what_came_before_the_connection_broke_is_kept(spool: Spool) -> None:
    with pytest.raises(ConnectionResetError):
        await spool.append("u1", 0, 9, broken(b"abc"))
    assert await spool.offset("u1") == 3


async def test_a_request_starts_where_the_last_one_ended(spool: Spool) -> None:
    await spool.append("u1", 0, 9, chunks(b"abc"))
    for offset in (0, 2, 4):
        with pytest.raises(Conflict, match="wrong-offset"):
            await spool.append("u1", offset, 9, chunks(b"x"))
    assert spool.path("u1").read_bytes() == b"abc"


async def test_no_more_comes_in_than_was_said(spool: Spool) -> None:
    with pytest.raises(TooLarge):
        await spool.append("u1", 0, 4, chunks(b"abc", b"de"))
    assert spool.path("u1").read_bytes() == b"abc"


@pytest.mark.parametrize("name", ["sha1", "sha256", "md5"])
async def test_checked_bytes_are_kept_when_they_match(spool: Spool, name: str) -> None:
    digest = hashlib.new(name, b"abcdef", usedforsecurity=False).digest()
    header = f"{name} {base64.b64encode(digest).decode()}"
    assert await spool.append("u1", 0, 6, chunks(b"abc", b"def"), header) == 6
    assert spool.path("u1").read_bytes() == b"abcdef"


async def test_checked_bytes_that_do_not_match_are_forgotten(spool: Spool) -> None:
    await spool.append("u1", 0, 9, chunks(b"abc"))
    with pytest.raises(ChecksumMismatch):
        await spool.append("u1", 3, 9, chunks(b"dex"), sha256(b"def"))
    with pytest.raises(ConnectionResetError):
        await spool.append("u1", 3, 9, broken(b"d"), sha256(b"def"))
    assert spool.path("u1").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("header", "code"), [("crc32 AAAA", "checksum-algorithm"), ("sha1 ?", "checksum-encoding"), ("", None)]
)
async def test_a_checksum_is_one_we_know(spool: Spool, header: str, code: str | None) -> None:
    if code is None:
        assert await spool.append("u1", 0, 1, chunks(b"a"), header) == 1
        return
    with pytest.raises(Malformed, match=code):
        await spool.append("u1", 0, 1, chunks(b"a"), header)


async def test_one_writes_at_a_time(spool: Spool) -> None:
    go_on = asyncio.Event()
    started = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"abc"
        started.set()
        await go_on.wait()
        yield b"def"

    first = asyncio.create_task(spool.append("u1", 0, 6, slow()))
    await started.wait()
    with pytest.raises(Locked):
        await spool.append("u1", 3, 6, chunks(b"xyz"))
    go_on.set()
    assert await first == 6
    assert spool.path("u1").read_bytes() == b"abcdef"


async def test_a_cancelled_request_leaves_nothing_unchecked(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that writes is waited for: it must not write into the file after it was cut."""
    writes, may_write = threading.Event(), threading.Event()
    write = module._write

    def slow(file: object, chunk: bytes) -> None:
        writes.set()
        may_write.wait(10)
        write(file, chunk)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_write", slow)
    task = asyncio.create_task(spool.append("u1", 0, 3, chunks(b"abc"), sha256(b"abc")))
    await asyncio.to_thread(writes.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    may_write.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await spool.offset("u1") == 0


async def test_a_full_disk_is_told_as_such(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.path("u1").unlink()
    spool.path("u1").symlink_to("/dev/full")
    with pytest.raises(Unavailable, match="disk-full"):
        await spool.append("u1", 0, 3, chunks(b"abc"))


@pytest.mark.parametrize("id", ["", "..", "../u1", "a/b", "a.b", "é", "u1\0", "u1\n"])
async def test_what_is_no_id_is_not_found(spool: Spool, id: str) -> None:
    with pytest.raises(NotFound):
        spool.path(id)


async def test_a_forgotten_upload_is_gone(spool: Spool) -> None:
    assert [name for name, _ in spool.ids()] == ["u1"]
    await spool.remove("u1")
    await spool.remove("u1")
    assert list(spool.ids()) == []
    with pytest.raises(NotFound):
        await spool.offset("u1")
    with pytest.raises(NotFound):
        await spool.append("u1", 0, 1, chunks(b"a"))


async def test_an_upload_begins_once(spool: Spool) -> None:
    with pytest.raises(FileExistsError):
        await spool.begin("u1")
