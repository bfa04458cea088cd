"""Bytes at rest, by key. A folder today; every call is one that an object store has too.

Keys: `originals/<asset>`, `media/<asset>/<run>/<rendition>/…`, `pictures/<asset>/…`. What is stored is never
overwritten: a new run of processing has a new key.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

from obstore.exceptions import BaseError
from obstore.store import LocalStore

from showcase.errors import NotFound, Unavailable


class Storage:
    """Files under `root`, which is made when it is not there."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(prefix=self.root)

    def local(self, key: str) -> Path | None:
        """Where `key` lies as a file of this machine, None where the storage is elsewhere. It need not exist.

        Raises NotFound for a key that would leave the storage.
        """
        parts = key.split("/")
        if not all(parts) or "." in parts or ".." in parts or "\0" in key:
            raise NotFound()
        return self.root.joinpath(*parts)

    async def put(self, key: str, data: bytes) -> None:
        """Store `data`, whole or not at all. Raises NotFound for a key that would leave the storage, Unavailable."""
        self.local(key)
        try:
            await self._store.put_async(key, data)
        except (OSError, BaseError) as error:  # obstore has an error of its own for a full disk
            raise Unavailable("disk-full") from error

    async def get(self, key: str) -> bytes:
        """Everything under `key`. Raises NotFound."""
        self.local(key)
        try:
            return bytes(await (await self._store.get_async(key)).bytes_async())
        except FileNotFoundError:
            raise NotFound() from None

    async def adopt(self, path: Path, key: str) -> None:
        """Move a file of this machine into the storage; on one disk that is a rename."""
        try:
            await asyncio.to_thread(_move, path, self._place(key))
        except OSError as error:
            raise Unavailable("disk-full") from error

    async def copy_folder(self, folder: Path, prefix: str) -> None:
        """Store all files of a folder under `prefix` and leave it where it is; on one disk they are links.

        It is there whole or not at all. What is there already stays, for it is whole too.
        """

        def copy() -> None:
            target = self._place(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            coming = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
            try:
                shutil.copytree(folder, coming, copy_function=_link)
                with contextlib.suppress(FileExistsError):
                    _name(coming, target)
            finally:
                shutil.rmtree(coming, ignore_errors=True)

        try:
            await asyncio.to_thread(copy)
        except OSError as error:
            raise Unavailable("disk-full") from error

    async def remove(self, prefix: str) -> None:
        """Remove everything at and under `prefix`; nothing there is fine."""

        def gone() -> None:
            target = self._place(prefix)
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)

        await asyncio.to_thread(gone)

    async def names(self, prefix: str) -> list[str]:
        """What lies directly under `prefix`: files and folders alike."""
        self.local(prefix)
        found = await self._store.list_with_delimiter_async(prefix)
        names = [*found["common_prefixes"], *(o["path"] for o in found["objects"])]
        return sorted(PurePosixPath(n).name for n in names)

    @asynccontextmanager
    async def as_file(self, key: str) -> AsyncIterator[Path]:
        """The bytes of `key` as a file of this machine that may be read. Raises NotFound."""
        path = self._place(key)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound()
        yield path

    def free_bytes(self) -> int:
        """What the disk still holds. Blocks for microseconds."""
        return shutil.disk_usage(self.root).free

    def _place(self, key: str) -> Path:
        path = self.local(key)
        assert path is not None  # noqa: S101 - this storage is a folder
        return path


def _name(folder: Path, target: Path) -> None:
    """Rename a folder. Raises FileExistsError, also where the system calls that otherwise."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            raise FileExistsError(errno.EEXIST, "stored already", str(target)) from error
        raise


def _move(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(path, target)
    except OSError:  # another disk
        shutil.move(path, target)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)
