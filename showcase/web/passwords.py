"""Passwords by argon2id (RFC 9106), in threads: one check takes a processor for a quarter of a second."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 1_000
# Each check takes 64 MB for as long as it lasts.
_AT_ONCE = 2


@functools.cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@functools.cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


class Passwords:
    """Makes and checks hashes, a few at a time."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """The hash to keep."""
        async with self._room:
            return await asyncio.to_thread(lambda: _hasher().hash(password))

    async def fits(self, hashed: str | None, password: str) -> bool:
        """Whether `password` has this hash. Without one it takes as long and answers no: addresses stay unknown."""
        async with self._room:
            return await asyncio.to_thread(_fits, hashed, password)


def _fits(hashed: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(hashed or _nobody(), password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False
