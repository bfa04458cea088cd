"""Reading back what was made, and running `transcode.process` in tests that do not run a loop of their own."""

from __future__ import annotations

import asyncio
import io
from array import array
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av

from showcase.core import ladder
from showcase.core.ladder import Rendition
from showcase.media import ffmpeg, packaging, transcode

AAC_FRAME_US = 21_334


@dataclass(slots=True)
class Made:
    """What `process` made: its outcome, the folder, the order in which renditions were handed over, and the progress."""

    outcome: transcode.Outcome
    folder: Path
    order: list[str] = field(default_factory=list)
    progress: list[tuple[float, str]] = field(default_factory=list)

    def rendition(self, name: str) -> Rendition:
        return next(r for r in self.outcome.renditions if r.name == name)

    def stream(self, name: str) -> bytes:
        """A rendition as one file: init and all segments, as a player puts them together."""
        return joined(self.folder / name)

    def lengths_us(self) -> dict[str, int]:
        return {r.name: sum(r.durations_us) for r in self.outcome.renditions}


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture, three bytes a pixel."""

    width: int
    height: int
    row_bytes: int
    rgb: bytes

    def colour(self, across: float, down: float) -> str:
        """The plain colour at a place, both from 0 to 1."""
        at = int(down * (self.height - 1)) * self.row_bytes + 3 * int(across * (self.width - 1))
        return "".join(name for name, value in zip("RGB", self.rgb[at : at + 3], strict=True) if value > 127) or "black"


def joined(folder: Path) -> bytes:
    parts = [folder / "init.mp4", *packaging.segment_files(folder)]
    return b"".join(p.read_bytes() for p in parts)


async def processed(source: Path, folder: Path, **options: Any) -> Made:
    """Run `process` and then `ladder`, and see that each rendition is whole when it is handed over."""
    order: list[str] = []
    progress: list[tuple[float, str]] = []

    async def ready(rendition: Rendition, where: Path) -> None:
        assert len(packaging.segment_files(where)) == len(rendition.durations_us)
        order.append(rendition.name)

    outcome = await transcode.process(
        source, folder, progress=lambda at, stage: progress.append((at, stage)), ready=ready, **options
    )
    if ladder.plan(outcome.probe).high:
        high = await transcode.ladder(
            source,
            folder,
            outcome.probe,
            have=options.get("have", frozenset()),
            progress=lambda at, stage: progress.append((at, stage)),
            ready=ready,
            binary=options.get("binary") or ffmpeg.binary(),
            allowance=options.get("allowance", transcode.Allowance()),
        )
        outcome = replace(outcome, renditions=outcome.renditions + high)
    return Made(outcome, folder, order, progress)


def made_from(source: Path, folder: Path, **options: Any) -> Made:
    return asyncio.run(processed(source, folder, **options))


def pictures(data: bytes) -> list[Picture]:
    """All pictures of a film."""
    with av.open(io.BytesIO(data)) as film:
        return [picture(f) for f in film.decode(video=0)]


def picture(frame: av.VideoFrame) -> Picture:
    plane = frame.reformat(format="rgb24").planes[0]
    return Picture(frame.width, frame.height, plane.line_size, bytes(plane))


def samples(data: bytes) -> tuple[array[float], ...]:
    """The sound of a file, as one array a channel; silence is 0."""
    with av.open(io.BytesIO(data)) as film:
        channels = tuple(array("f") for _ in range(film.streams.audio[0].channels))
        for frame in film.decode(audio=0):
            for channel, plane in zip(channels, frame.planes, strict=True):
                channel.frombytes(bytes(plane)[: 4 * frame.samples])
    return channels


def level(channel: array[float], start_s: float, end_s: float) -> float:
    """The largest sample between two moments."""
    return max(abs(v) for v in channel[int(start_s * 48_000) : int(end_s * 48_000)])
