"""Bytes at rest: whole or not at all, and never outside."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from showcase.errors import NotFound, Unavailable
from showcase.media import storage as storage_module
from showcase.media.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "storage")


async def test_what_is_put_can_be_got(storage: Storage) -> None:
    await storage.put("pictures/a1/poster é 640.webp", b"picture")
    assert await storage.get("pictures/a1/poster é 640.webp") == b"picture"
    path = storage.local("pictures/a1/poster é 640.webp")
    assert path is not None
    assert path.read_bytes() == b"picture"


async def test_what_is_not_there_is_not_found(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.get("pictures/a1")
    with pytest.raises(NotFound):
        async with storage.as_file("originals/a1"):
            pass
    assert await storage.names("pictures") == []
    await storage.remove("pictures/a1")


@pytest.mark.parametrize(
    "key", ["", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a//b", "a/", "./a", "a/./b", "a\0b"]
)
async def test_no_key_leaves_the_storage(storage: Storage, tmp_path: Path, key: str) -> None:
    (tmp_path / "x").write_text("outside")
    source = tmp_path / "source"
    source.mkdir()
    for attempt in (
        storage.get(key),
        storage.put(key, b"x"),
        storage.remove(key),
        storage.names(key),
        storage.adopt(tmp_path / "x", key),
        storage.copy_folder(source, key),
        storage.as_file(key).__aenter__(),
    ):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(NotFound):
        storage.local(key)
    assert (tmp_path / "x").read_text() == "outside"
    assert storage.root.is_dir()


async def test_a_file_is_adopted_by_renaming_it(storage: Storage, tmp_path: Path) -> None:
    upload = tmp_path / "upload.part"
    upload.write_bytes(b"film")
    number = upload.stat().st_ino
    await storage.adopt(upload, "originals/a1")
    async with storage.as_file("originals/a1") as path:
        assert (path.read_bytes(), path.stat().st_ino) == (b"film", number)
    assert not upload.exists()


async def test_a_folder_is_copied_as_links(storage: Storage, tmp_path: Path) -> None:
    made = tmp_path / "v360"
    made.mkdir()
    (made / "init.mp4").write_bytes(b"init")
    await storage.copy_folder(made, "media/a1/1/v360")
    assert await storage.names("media/a1/1/v360") == ["init.mp4"]
    assert await storage.names("media/a1/1") == ["v360"]
    # The scratch folder goes, what is stored stays.
    shutil.rmtree(made)
    assert await storage.get("media/a1/1/v360/init.mp4") == b"init"


async def test_a_folder_that_another_has_stored_stays_as_it_is(storage: Storage, tmp_path: Path) -> None:
    made = tmp_path / "v360"
    made.mkdir()
    (made / "init.mp4").write_bytes(b"late")
    await storage.put("media/a1/1/v360/s00000.m4s", b"theirs")
    await storage.copy_folder(made, "media/a1/1/v360")
    assert await storage.names("media/a1/1/v360") == ["s00000.m4s"]
    assert await storage.names("media/a1/1") == ["v360"]


async def test_a_folder_is_there_whole_or_not_at_all(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    made = tmp_path / "v360"
    made.mkdir()
    (made / "init.mp4").write_bytes(b"init")
    monkeypatch.setattr(storage_module, "_link", full)
    with pytest.raises(Unavailable, match="disk-full"):
        await storage.copy_folder(made, "media/a1/1/v360")
    assert await storage.names("media/a1/1") == []


async def test_another_disk_is_copied_to(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def across(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", across)
    made = tmp_path / "v360"
    made.mkdir()
    (made / "init.mp4").write_bytes(b"init")
    await storage.copy_folder(made, "media/a1/1/v360")
    assert await storage.get("media/a1/1/v360/init.mp4") == b"init"


async def test_all_under_a_prefix_is_removed(storage: Storage) -> None:
    await storage.put("media/a1/1/v360/init.mp4", b"x")
    await storage.put("media/a10/1/v360/init.mp4", b"y")
    await storage.remove("media/a1")
    assert await storage.names("media") == ["a10"]
    await storage.remove("media/a10/1/v360/init.mp4")
    with pytest.raises(NotFound):
        await storage.get("media/a10/1/v360/init.mp4")


async def test_a_disk_that_takes_no_more_is_told_as_such(storage: Storage, tmp_path: Path) -> None:
    # A file where a folder is needed: the nearest to a full disk that can be had everywhere.
    await storage.put("media", b"in the way")
    (tmp_path / "made").mkdir()
    (tmp_path / "upload").touch()
    for attempt in (
        storage.put("media/a1", b"x"),
        storage.adopt(tmp_path / "upload", "media/a1/x"),
        storage.copy_folder(tmp_path / "made", "media/a1/x"),
    ):
        with pytest.raises(Unavailable, match="disk-full"):
            await attempt


def test_free_space_is_known(storage: Storage) -> None:
    assert storage.free_bytes() > 0
