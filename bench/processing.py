"""What processing a film costs beside the bare FFmpeg it runs, and how soon the first picture is there."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import works
from bench.figures import Figure, load
from showcase.core.ladder import Rendition
from showcase.media import child, ffmpeg, recipe, transcode
from tests.gallery import draw

SECONDS = 20
TIMES = 3
"""The long film is the short one, so many times."""
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Call:
    """One FFmpeg as Showcase ran it."""

    command: tuple[str, ...]
    source: Path | None


def measure(folder: Path) -> list[Figure]:
    """CPU of both in turns on 1080p; then the lowest rung of a longer film."""
    works.noisy(folder, "short.mp4", size="1920x1080", seconds=SECONDS)
    short, long = folder / "short.mp4", folder / "long.mp4"
    draw(folder, long.name, "-stream_loop", str(TIMES - 1), "-i", str(short), "-c", "copy")
    ratios, ours = [], []
    for number in range(ROUNDS):
        scratch = folder / f"scratch-{number}"
        scratch.mkdir()
        mine, calls = processed(short, scratch)
        ratios.append(mine / bare(calls, scratch))
        ours.append(mine)
        shutil.rmtree(scratch)
    length = SECONDS * TIMES
    wall, cpu, name = asyncio.run(lowest(long, folder / "first"))
    how = f"{SECONDS} s of 1080p, all renditions, poster, storyboard, measurements; median of {ROUNDS} rounds in turns"
    return [
        Figure("processing: CPU beside bare FFmpeg", statistics.median(ratios), "x", 1.05, how),
        Figure("processing: CPU a second of film", statistics.median(ours) / SECONDS, "CPU s", None, "1080p, 25 a second"),
        Figure(f"processing: {name} of {length} s is whole", wall / length, "x its length", 0.6, load()),
        Figure("processing: the same in CPU", cpu / length, "CPU s a second", None, "0.6 x on two cores is 1.2"),
    ]  # fmt: skip


def used_s() -> float:
    """CPU seconds of this process and of all children that have ended."""
    each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in each)


async def _whole(source: Path, scratch: Path, ready: transcode.Ready, binary: str) -> None:
    """What a worker makes of a film, in its two jobs: the first rungs and all beside them, then the other rungs."""
    made: list[str] = []

    async def noted(rendition: Rendition, folder: Path) -> None:
        made.append(rendition.name)
        await ready(rendition, folder)

    outcome = await transcode.process(source, scratch, progress=lambda _at, _stage: None, ready=noted, binary=binary)
    await transcode.ladder(
        source, scratch, outcome.probe, have=frozenset(made), progress=lambda _at, _stage: None, ready=noted, binary=binary,
        allowance=transcode.Allowance(),
    )  # fmt: skip


def processed(source: Path, scratch: Path) -> tuple[float, list[Call]]:
    """Process `source` as a worker does; returns the CPU seconds and every FFmpeg that was run."""
    binary, calls, run = ffmpeg.binary(), list[Call](), child.run

    async def recorded(command: Sequence[str], **options: Any) -> child.Ended:
        if command[0] == binary:
            calls.append(Call(tuple(command), options.get("source")))
        return await run(command, **options)

    async def ready(_rendition: Rendition, _folder: Path) -> None:
        pass

    before = used_s()
    child.run = recorded
    try:
        asyncio.run(_whole(source, scratch, ready, binary))
    finally:
        child.run = run
    return used_s() - before, calls


def bare(calls: Sequence[Call], scratch: Path) -> float:
    """CPU seconds of the same commands, one after the other, with nothing around them."""
    before = used_s()
    for call in calls:
        for playlist in scratch.rglob(recipe.PLAYLIST):
            playlist.unlink()
        # The same position reports, to nowhere.
        command = [word.replace("pipe:{progress}", os.devnull) for word in call.command]
        with (call.source or Path(os.devnull)).open("rb") as stdin:
            done = subprocess.run(command, stdin=stdin, cwd=scratch, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"FFmpeg alone ends with {done.returncode}: {done.stderr[-500:]!r}")
    return used_s() - before


async def lowest(source: Path, scratch: Path) -> tuple[float, float, str]:
    """Seconds on the clock and of CPU until the lowest rung is whole, and its name. The rest is not made."""
    scratch.mkdir()
    begun, before = time.monotonic(), used_s()

    async def ready(rendition: Rendition, _folder: Path) -> None:
        if rendition.kind == "video":
            raise Enough(time.monotonic() - begun, used_s() - before, rendition.name)

    try:
        await transcode.process(source, scratch, progress=lambda _at, _stage: None, ready=ready)
    except Enough as enough:
        return enough.wall_s, enough.cpu_s, enough.name
    raise RuntimeError("a film without a picture")


class Enough(Exception):
    """The first rendition is whole: seconds on the clock and of CPU, and its name."""

    def __init__(self, wall_s: float, cpu_s: float, name: str) -> None:
        super().__init__(name)
        self.wall_s, self.cpu_s, self.name = wall_s, cpu_s, name
