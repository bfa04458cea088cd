"""One bounded child process: limits on data, time and file sizes, nothing inherited, dead when its task is.

`ffmpeg`, `probe` and `stills` run what they run through here, because all of them read files of strangers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from showcase.errors import MediaError, Unavailable

log = logging.getLogger(__name__)

_CHECK_S = 0.5  # how often the clocks are looked at
_KEEP_BYTES = 32_768  # the tail of stderr
_TICKS = os.sysconf("SC_CLK_TCK")

# What FFmpeg and Python say when they may have no more memory (threads and encoders are memory too).
_MEMORY = (
    "Cannot allocate memory",
    "Resource temporarily unavailable",
    "malloc of size",
    "Generic error in an external library",
    "Error while opening encoder",
    "MemoryError",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: bytes of data (RLIMIT_DATA), seconds of processor, bytes of each file it writes.

    3 GiB of data suits a ladder from 4K (it needs 2.3); RLIMIT_AS is not used, for code and mappings count there.
    `wall_s` and `stall_s` are seconds; a child stalls when its position has not moved for that long (None: never).
    `nice` is how far it stands back for others, up to 19.
    """

    data_bytes: int = 3 << 30
    cpu_s: int = 7_200
    file_bytes: int = 8 << 30
    wall_s: float = 7_200
    stall_s: float | None = None
    nice: int = 10


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended. `reason` is "exit", "wall", "stall", "cpu", "signal" (killed by another, or by the size of a
    file) or "output" (it said more than it may). `errors` is the tail of stderr."""

    code: int
    reason: str
    errors: str
    output: bytes
    wall_s: float

    @property
    def ok(self) -> bool:
        """Whether it did its work."""
        return self.reason == "exit" and self.code == 0


def fault(code: int, reason: str, errors: str) -> MediaError | Unavailable | None:
    """Why a child failed where that is a limit or our own fault; None where it is the file's, or something else.

    MediaError `too-demanding`, Unavailable `disk-full` or `interrupted`.
    """
    if "No space left on device" in errors:
        return Unavailable("disk-full")
    limits = (-signal.SIGXCPU, -signal.SIGXFSZ)
    if reason in ("wall", "stall", "cpu") or code in limits or (reason == "exit" and any(m in errors for m in _MEMORY)):
        return MediaError("too-demanding")
    if reason == "signal" and code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP):
        return Unavailable("interrupted")  # whoever stops us, or the system that has no memory left
    return None


def bounded(command: Sequence[str], limits: Limits) -> list[str]:
    """Put the limits before a command with util-linux where it is there; a `preexec_fn` would block the loop for 15 ms.

    The child is also told to die with the thread that started it, which is the loop's.
    """
    before: list[str] = []
    if (setpriv := shutil.which("setpriv")) is not None:
        before += [setpriv, "--pdeathsig", "KILL", "--"]
    if (prlimit := shutil.which("prlimit")) is not None:
        before += [
            prlimit,
            f"--data={limits.data_bytes}",
            f"--cpu={limits.cpu_s + 10}",  # the clocks say so before, and as what it is
            f"--fsize={limits.file_bytes}",
            "--core=0",
            "--",
        ]
    if (nice := shutil.which("nice")) is not None:
        before += [nice, "-n", str(limits.nice)]
    return [*before, *command]


async def run(
    command: Sequence[str],
    *,
    cwd: Path,
    limits: Limits,
    source: Path | None = None,
    line: Callable[[str], bool] | None = None,
    max_output_bytes: int = 0,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run `command` in its own session with `source` (or nothing) as standard input, and wait for it.

    `{progress}` in an argument becomes the number of a pipe whose lines go to `line`, which says whether that line
    was a step forward (for the stall clock). Standard output is collected up to `max_output_bytes`, and thrown away
    if that is 0. Cancelling ends the whole process group at once. Raises OSError if it cannot start.
    """
    started = time.monotonic()
    stdin = await asyncio.to_thread(open, source, "rb") if source is not None else None
    try:
        read_fd, write_fd = os.pipe()
        try:
            told = [a.replace("{progress}", str(write_fd)) for a in command]
            process = await asyncio.create_subprocess_exec(
                *await asyncio.to_thread(bounded, told, limits),
                stdin=stdin if stdin is not None else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if max_output_bytes else asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(write_fd,),
                cwd=cwd,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **(env or {})},
                start_new_session=True,
            )
        except BaseException:
            os.close(read_fd)
            raise
        finally:
            os.close(write_fd)
    finally:
        if stdin is not None:
            stdin.close()
    return await _attend(process, os.fdopen(read_fd, "rb", 0), limits, line, max_output_bytes, started)


async def _attend(
    process: asyncio.subprocess.Process,
    progress: BinaryIO,
    limits: Limits,
    line: Callable[[str], bool] | None,
    max_output_bytes: int,
    started: float,
) -> Ended:
    """Read what it says and watch the clocks until it has ended, whatever way."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), progress
    )
    moved = time.monotonic()
    reason = "exit"
    tail = bytearray()
    output = bytearray()

    async def errors() -> None:
        assert process.stderr is not None  # noqa: S101 - asked for above
        while block := await process.stderr.read(8_192):
            tail.extend(block)
            del tail[:-_KEEP_BYTES]

    async def said() -> None:
        nonlocal reason
        while process.stdout is not None and (block := await process.stdout.read(65_536)):
            if len(output) + len(block) > max_output_bytes:
                reason = "output"
                kill(process)
                return
            output.extend(block)

    async def steps() -> None:
        nonlocal moved
        while raw := await reader.readline():
            if line is not None and line(raw.decode("utf-8", "replace").strip()):
                moved = time.monotonic()

    async def clocks() -> None:
        nonlocal reason
        while True:
            await asyncio.sleep(_CHECK_S)
            now = time.monotonic()
            if now - started > limits.wall_s:
                reason = "wall"
            elif limits.stall_s is not None and now - moved > limits.stall_s:
                reason = "stall"
            elif await asyncio.to_thread(_cpu_s, process.pid) > limits.cpu_s:
                reason = "cpu"
            else:
                continue
            kill(process)
            return

    watch = asyncio.create_task(clocks())
    readers = asyncio.gather(errors(), said(), steps())
    try:
        await readers
        code = await process.wait()
    finally:
        # A grandchild would outlive its parent and hold the pipes: the whole group goes, in every case.
        kill(process)
        watch.cancel()
        readers.cancel()
        transport.close()
        if process.returncode is None:
            # Reap it even if this task is cancelled a second time; SIGKILL makes this a matter of milliseconds.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(process.wait()), 2)
    if reason == "exit" and code < 0:
        reason = "signal"
    return Ended(code, reason, bytes(tail).decode("utf-8", "replace"), bytes(output), time.monotonic() - started)


def _cpu_s(pid: int) -> float:
    """What a process has used of the processor, 0 where the system does not tell (proc(5), `utime` and `stime`)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def kill(process: asyncio.subprocess.Process) -> None:
    """End a child's whole process group; it leads one, since it has a session of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
