"""What stands in a rendition's real files: exact times, codecs and rates, from the boxes (ISO/IEC 14496-12).

Blocking (reads whole folders): call it in a thread.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from showcase.core.ladder import SEGMENT_S, Rendition

TAIL_US = 100_000
"""A last segment shorter than this is joined to the one before: a player would stumble over it."""


class Broken(ValueError):
    """A file that is not the fragmented MP4 it should be."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """The time of one fragment in its track's timescale."""

    starts: int
    length: int
    samples: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of content, end) of each box. Raises Broken where sizes do not fit."""
    end = len(data) if end is None else end
    while start < end:
        if end - start < 8:
            raise Broken("a box is cut off")
        size, kind, head = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        if size < head or start + size > end:
            raise Broken(f"{kind!r} does not fit")
        yield kind, start + head, start + size
        start += size


def find(data: bytes, path: Sequence[bytes], start: int = 0, end: int | None = None) -> tuple[int, int]:
    """The content of the first box at a path of types."""
    for name in path:
        for kind, a, b in boxes(data, start, end):
            if kind == name:
                start, end = a, b
                break
        else:
            raise Broken(f"no {name!r}")
    return start, len(data) if end is None else end


def _int(data: bytes, at: int, size: int = 4, *, signed: bool = False) -> int:
    return int.from_bytes(data[at : at + size], "big", signed=signed)


def timescale(init: bytes) -> int:
    """Ticks per second of the first track (`mdhd`)."""
    start, _ = find(init, (b"moov", b"trak", b"mdia", b"mdhd"))
    scale = _int(init, start + (20 if init[start] else 12))
    if scale <= 0:
        raise Broken("timescale 0")
    return scale


def codecs(init: bytes) -> str:
    """The RFC 6381 name of the first track's codec: profile, constraints and level from `avcC`, object type from `esds`."""
    start, end = find(init, (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"))
    kind, a, b = next(boxes(init, start + 8, end), (b"", 0, 0))
    if kind == b"avc1":
        a, _ = find(init, (b"avcC",), a + 78, b)
        return f"avc1.{init[a + 1 : a + 4].hex()}"
    if kind == b"mp4a":
        a, b = find(init, (b"esds",), a + 28, b)
        # The DecoderSpecificInfo (tag 5) starts with five bits of audio object type (ISO/IEC 14496-3 1.6.2.1).
        at = a + 4
        while at < b and init[at] != 5:
            tag = init[at]
            at += 1
            while init[at] & 0x80:
                at += 1
            at += 1 + {3: 3, 4: 13}.get(tag, b)
        if at >= b:
            raise Broken("no audio object type")
        at += 1
        while init[at] & 0x80:
            at += 1
        return f"mp4a.40.{init[at + 1] >> 3}"
    raise Broken(f"{kind!r} is no codec of ours")


def fragments(segment: bytes) -> tuple[Fragment, ...]:
    """Time and length of each fragment, from `tfdt`, `tfhd` and `trun` (8.8.7, 8.8.8, 8.8.12)."""
    found = []
    for kind, start, end in boxes(segment):
        if kind != b"moof":
            continue
        a, b = find(segment, (b"traf",), start, end)
        found.append(_fragment(segment, a, b))
    if not found:
        raise Broken("no fragment")
    return tuple(found)


def _fragment(data: bytes, start: int, end: int) -> Fragment:
    usual = starts = length = samples = 0
    for kind, a, _ in boxes(data, start, end):
        flags = _int(data, a + 1, 3)
        if kind == b"tfhd":
            at = a + 8 + 8 * bool(flags & 1) + 4 * bool(flags & 2)
            usual = _int(data, at) if flags & 8 else 0
        elif kind == b"tfdt":
            starts = _int(data, a + 4, 8 if data[a] else 4)
        elif kind == b"trun":
            count = _int(data, a + 4)
            samples += count
            if not flags & 0x100:
                length += usual * count
                continue
            at = a + 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
            row = 4 * sum(bool(flags & f) for f in (0x100, 0x200, 0x400, 0x800))
            length += sum(_int(data, at + i * row) for i in range(count))
    return Fragment(starts, length, samples)


def segment_files(folder: Path) -> list[Path]:
    """The segments of a rendition in order."""
    return sorted(folder.glob("s*.m4s"))


def join_tail(folder: Path) -> None:
    """Append a last segment of under `TAIL_US` to the one before; several fragments in a segment are allowed."""
    files = segment_files(folder)
    if len(files) < 2:
        return
    tail = files[-1].read_bytes()
    scale = timescale((folder / "init.mp4").read_bytes())
    if sum(f.length for f in fragments(tail)) * 1_000_000 >= TAIL_US * scale:
        return
    with files[-2].open("ab") as before:
        for kind, start, end in boxes(tail):
            if kind in (b"moof", b"mdat"):
                before.write(tail[start - 8 : end])
    files[-1].unlink()


def measure(
    folder: Path, name: str, *, lang: str = "und", width: int = 0, height: int = 0, fps: Fraction = Fraction(0)
) -> Rendition:
    """Measure a finished rendition folder. Raises Broken, or OSError.

    A segment lasts until the next one starts; the times are rounded where segments meet, so they never drift.
    """
    init = (folder / "init.mp4").read_bytes()
    scale = timescale(init)
    starts: list[int] = []
    sizes: list[int] = []
    end = 0
    for file in segment_files(folder):
        data = file.read_bytes()
        runs = fragments(data)
        if starts and runs[0].starts != end:
            raise Broken(f"{file.name} starts at {runs[0].starts}, not at {end}")
        starts.append(runs[0].starts)
        sizes.append(len(data))
        end = runs[-1].starts + runs[-1].length
    if not starts or starts[0] != 0:
        raise Broken("the first segment does not start at 0" if starts else "no segments")
    edges = [round(Fraction(s * 1_000_000, scale)) for s in (*starts, end)]
    durations = tuple(b - a for a, b in itertools.pairwise(edges))
    kind = "video" if width else "audio"
    return Rendition(
        name=name,
        kind=kind,
        lang=lang,
        width=width,
        height=height,
        fps=round(float(fps), 3),
        codecs=codecs(init),
        bandwidth=peak_rate(sizes, durations),
        average=-(-sum(sizes) * 8_000_000 // max(1, sum(durations))),
        size_bytes=len(init) + sum(sizes),
        durations_us=durations,
    )


def peak_rate(sizes: Sequence[int], durations_us: Sequence[int]) -> int:
    """The peak segment bit rate in bit/s (RFC 8216bis 4.4.6.2): the largest of any run of segments which together
    last between half and one and a half target durations."""
    target_us = max(SEGMENT_S * 1_000_000, round(max(durations_us) / 1_000_000) * 1_000_000)
    peak = 0
    for first in range(len(sizes)):
        size = length = 0
        for at in range(first, len(sizes)):
            size += sizes[at]
            length += durations_us[at]
            if 2 * length > 3 * target_us:
                break
            if 2 * length >= target_us:
                peak = max(peak, -(-size * 8_000_000 // length))
    return peak or -(-sum(sizes) * 8_000_000 // max(1, sum(durations_us)))


def playlist(rendition: Rendition, folder: str) -> str:
    """A plain HLS playlist of a rendition below `folder`, for our own FFmpeg to read it back."""
    longest = max(1, round(max(rendition.durations_us) / 1_000_000))
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{longest}", "#EXT-X-PLAYLIST-TYPE:VOD"]
    lines.append(f'#EXT-X-MAP:URI="{folder}/init.mp4"')
    for number, length in enumerate(rendition.durations_us):
        lines += [f"#EXTINF:{length / 1_000_000:.6f},", f"{folder}/s{number:05d}.m4s"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])
