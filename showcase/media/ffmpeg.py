"""One FFmpeg, bounded: it sees one open file as standard input, and may open nothing else for reading by name."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from showcase.errors import MediaError, Unavailable
from showcase.media import child
from showcase.media.child import Limits

OLDEST = 7
"""The oldest major version of FFmpeg that knows the `fd:` protocol's options and the flags used here."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run of FFmpeg ended.

    `reason` is "done", "exit" (non-zero), "signal" (killed), "wall", "stall" or "cpu". `position_us` is the
    last place it reported, in microseconds of the output. `errors` is the tail of what it said, for the log, not
    for people.
    """

    code: int
    reason: str
    position_us: int
    errors: str
    output: bytes
    wall_s: float

    @property
    def ok(self) -> bool:
        """Whether it ended by itself and without an error."""
        return self.reason == "done"


STOPPED = 255
"""FFmpeg's exit code when it was told to stop by a signal; but also that of -1, "Operation not permitted"."""


def fault(result: Result) -> MediaError | Unavailable | None:
    """As `child.fault`. A run may end well and have written nothing: what the disk says counts in any case."""
    if result.code == STOPPED and result.reason == "exit" and "Operation not permitted" not in result.errors:
        return Unavailable("interrupted")
    return child.fault(result.code, result.reason, result.errors)


def binary(setting: str | None = None) -> str:
    """Find FFmpeg: the setting, else PATH if new enough, else the one that comes with imageio-ffmpeg.

    Blocks for some ten milliseconds (it asks for the version): call it at start, or in a thread.
    Raises Unavailable "no-ffmpeg".
    """
    if setting:
        found = shutil.which(setting)
        if found is None or (version(found) or 0) < OLDEST:
            raise Unavailable("no-ffmpeg", path=setting)
        return found
    on_path = shutil.which("ffmpeg")
    if on_path is not None and (version(on_path) or 0) >= OLDEST:
        return on_path
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise Unavailable("no-ffmpeg", path="ffmpeg") from error


def version(path: str) -> int | None:
    """The major version of the FFmpeg at `path`, None if it does not tell. A build from git counts as newest. Blocks."""
    try:
        said = subprocess.run([path, "-version"], capture_output=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(rb"ffmpeg version (?:n?(\d+)\.|N-|git)", said)
    if match is None:
        return None
    return int(match[1]) if match[1] else 99


def command(
    ffmpeg: str,
    arguments: Sequence[str],
    *,
    demuxer: str | None,
    before: Sequence[str] = (),
    loglevel: str = "warning",
) -> list[str]:
    """The whole command line. `demuxer` is the whitelist for standard input, None if there is no input; `before` are
    options of the input (as `-ss`)."""
    source = (
        [] if demuxer is None else ["-protocol_whitelist", "fd", "-format_whitelist", demuxer, *before, "-i", "fd:"]
    )
    # `-nostdin` keeps FFmpeg from reading commands off the very descriptor that holds the film.
    return [
        ffmpeg, "-nostdin", "-hide_banner", "-v", loglevel, "-nostats", "-stats_period", "0.5",
        "-progress", "pipe:{progress}", *source, *arguments,
    ]  # fmt: skip


async def run(
    ffmpeg: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    limits: Limits,
    source: Path | None = None,
    demuxer: str | None = None,
    before: Sequence[str] = (),
    position: Callable[[int], None] | None = None,
    loglevel: str = "warning",
    max_output_bytes: int = 0,
) -> Result:
    """Run FFmpeg on `source`, which it gets as standard input and may open with `demuxer` only.

    `arguments` follow the input; outputs are names relative to `cwd`. `position` is called with microseconds of
    output done. Cancelling kills it at once. Raises OSError if it cannot be started.
    """
    if source is not None and demuxer is None:
        raise ValueError("a source needs the demuxer that may open it")
    last_us = -1

    def line(text: str) -> bool:
        nonlocal last_us
        key, _, value = text.partition("=")
        if key != "out_time_us" or not value.isdigit() or int(value) <= last_us:
            return False
        last_us = int(value)
        if position is not None:
            position(last_us)
        return True

    ended = await child.run(
        command(ffmpeg, arguments, demuxer=demuxer, before=before, loglevel=loglevel),
        cwd=cwd,
        limits=limits,
        source=source,
        line=line,
        max_output_bytes=max_output_bytes,
    )
    reason = "done" if ended.ok else ended.reason
    return Result(ended.code, reason, max(0, last_us), ended.errors, ended.output, ended.wall_s)
