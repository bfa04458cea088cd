"""The worker children of a server: started with it, started again when one dies, ended with it.

A child reads lines from its standard input, each of which means 'look for work', and ends when it is closed; it writes
a line to its standard output after each commit that others may want to know of. Nothing else crosses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable

from showcase.settings import Settings

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
# A child that dies at once must not be started a hundred times a second.
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
LONG_ENOUGH_S = 60.0


class Children:
    """Keeps `settings.workers` children running."""

    def __init__(self, settings: Settings, told: Callable[[], None]) -> None:
        self._settings = settings
        self._told = told
        self._running: set[asyncio.subprocess.Process] = set()
        self._closing = False

    def wake(self) -> None:
        """There may be something to do."""
        for process in self._running:
            if process.stdin is not None and not process.stdin.is_closing():
                with contextlib.suppress(ConnectionError):
                    process.stdin.write(b"\n")

    async def run(self) -> None:
        """Run all children until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._settings.workers):
                group.create_task(self._keep(number), name=f"worker child {number}")

    async def _keep(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        pause_s = SHORTEST_PAUSE_S
        while not self._closing:
            started = loop.time()
            code = await self._one()
            if self._closing:
                return
            pause_s = SHORTEST_PAUSE_S if loop.time() - started > LONG_ENOUGH_S else min(pause_s * 2, LONGEST_PAUSE_S)
            log.error("worker child %d ended with %s, another starts in %.1f s", number, code, pause_s)
            await asyncio.sleep(pause_s)

    async def _one(self) -> int | None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "showcase",
            "worker",
            "--child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment(self._settings),
            # Ctrl-C goes to the whole group of a terminal; children end when their parent says so.
            start_new_session=True,
        )
        log.info("worker child %d started", process.pid)
        self._running.add(process)
        try:
            assert process.stdout is not None  # noqa: S101 - asked for above
            while await process.stdout.readline():
                self._told()
            return await process.wait()
        finally:
            self._running.discard(process)
            await _end(process)

    async def close(self) -> None:
        """End all children: they hand back what they are doing."""
        self._closing = True
        await asyncio.gather(*(_end(p) for p in list(self._running)))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
    except TimeoutError:
        log.warning("worker child %d does not end, killing it", process.pid)
        process.kill()
        await process.wait()


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a child gets them: whatever came from the command line or a file, it sees the same."""
    found = {k: v for k, v in os.environ.items() if not k.startswith("SHOWCASE_") or k == "SHOWCASE_CONFIG"}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None:
            continue
        secret = getattr(value, "get_secret_value", None)
        text = secret() if secret is not None else str(value)
        found[f"SHOWCASE_{name.upper()}"] = text
    return found
