"""Samples of fragmented MP4 taken out and put together anew, without encoding (ISO/IEC 14496-12, 8.8; CMAF's layout).

Pure: bytes in, bytes out. Only tracks whose samples are shown in the order in which they are decoded: of those, any
first part is a film as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from showcase.media.packaging import Broken, boxes, find

# 8.8.7.1 and 8.8.8.1: what `tfhd` and `trun` hold, by the bits of their flags.
_BASE_OFFSET, _DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x1, 0x2, 0x8, 0x10, 0x20
_BASE_IS_MOOF = 0x020000
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_EACH_DURATION, _EACH_SIZE, _EACH_FLAGS, _EACH_SHIFT = 0x100, 0x200, 0x400, 0x800

_STYP = b"msdh\0\0\0\0msdh"
"""8.16.2: a media segment as DASH and CMAF mean it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One access unit: its length in the track's timescale, its flags (8.8.3.1), its bytes."""

    duration: int
    flags: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Track:
    """What a short encoded file holds: its `init` as it is, the number of its one track, and the samples."""

    init: bytes
    number: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class _Usual:
    """What holds for a sample of which nothing else is said."""

    description: int
    duration: int
    size: int
    flags: int


def read(init: bytes, segment: bytes) -> Track:
    """All samples of a segment with one track. Raises Broken, also where samples are shown in another order."""
    start, end = find(init, (b"moov", b"mvex", b"trex"))
    if end - start < 24:
        raise Broken("trex is cut off")
    number, *usual = (_word(init, start + at) for at in (4, 8, 12, 16, 20))
    samples: list[Sample] = []
    for kind, a, b in boxes(segment):
        if kind != b"moof":
            continue
        trafs = [(x, y) for inner, x, y in boxes(segment, a, b) if inner == b"traf"]
        if len(trafs) != 1:
            raise Broken(f"{len(trafs)} tracks in a fragment")
        samples += _fragment(segment, a - 8, trafs[0], number, _Usual(*usual))
    if not samples:
        raise Broken("no samples")
    return Track(init, number, tuple(samples))


def _fragment(data: bytes, base: int, traf: tuple[int, int], number: int, usual: _Usual) -> list[Sample]:
    """The samples of one `traf`; offsets count from `base`, where its `moof` starts."""
    samples: list[Sample] = []
    at = base
    for kind, a, b in boxes(data, *traf):
        if kind == b"tfhd":
            usual = _header(data, a, number, usual)
        elif kind == b"trun":
            run, at = _run(data, (a, b), base, at, usual)
            samples += run
    return samples


def _header(data: bytes, a: int, number: int, usual: _Usual) -> _Usual:
    """`tfhd` (8.8.7): what holds in this fragment."""
    flags = _word(data, a) & 0xFFFFFF
    if _word(data, a + 4) != number:
        raise Broken("a fragment of another track")
    if flags & _BASE_OFFSET:
        raise Broken("offsets from the start of a file")
    at = a + 8

    def value(flag: int, otherwise: int) -> int:
        nonlocal at
        if not flags & flag:
            return otherwise
        at += 4
        return _word(data, at - 4)

    return _Usual(
        value(_DESCRIPTION, usual.description),
        value(_DURATION, usual.duration),
        value(_SIZE, usual.size),
        value(_FLAGS, usual.flags),
    )


def _run(data: bytes, trun: tuple[int, int], base: int, at: int, usual: _Usual) -> tuple[list[Sample], int]:
    """`trun` (8.8.8): its samples, and where their bytes end. Without an offset they follow those before."""
    a, b = trun
    flags, count, row = _word(data, a) & 0xFFFFFF, _word(data, a + 4), a + 8
    first_flags: int | None = None
    if flags & _DATA_OFFSET:
        at = base + int.from_bytes(data[row : row + 4], "big", signed=True)
        row += 4
    if flags & _FIRST_FLAGS:
        first_flags = _word(data, row)
        row += 4
    columns = [f for f in (_EACH_DURATION, _EACH_SIZE, _EACH_FLAGS, _EACH_SHIFT) if flags & f]
    if row + 4 * len(columns) * count > b:
        raise Broken("trun is cut off")
    samples = []
    for n in range(count):
        said = {f: _word(data, row + 4 * i) for i, f in enumerate(columns)}
        row += 4 * len(columns)
        if said.get(_EACH_SHIFT):
            raise Broken("samples are shown in another order than decoded")
        size = said.get(_EACH_SIZE, usual.size)
        if not base <= at <= at + size <= len(data):
            raise Broken("a sample lies outside the file")
        own = first_flags if n == 0 and first_flags is not None else usual.flags
        samples.append(
            Sample(said.get(_EACH_DURATION, usual.duration), said.get(_EACH_FLAGS, own), data[at : at + size])
        )
        at += size
    return samples, at


def segment(sequence: int, track: int, starts: int, samples: Sequence[Sample]) -> bytes:
    """A media segment of one fragment: `styp`, `moof`, `mdat`.

    `sequence` is the fragment's number (`mfhd`, from 1), `starts` its decode time in the track's timescale (`tfdt`, 64
    bits). A value which all samples share is said once, in `tfhd`.
    """
    if not samples:
        raise ValueError("a segment without samples")
    fields: tuple[tuple[int, int, Callable[[Sample], int]], ...] = (
        (_DURATION, _EACH_DURATION, lambda s: s.duration),
        (_SIZE, _EACH_SIZE, lambda s: len(s.data)),
        (_FLAGS, _EACH_FLAGS, lambda s: s.flags),
    )
    header_flags, run_flags = _BASE_IS_MOOF, _DATA_OFFSET
    header = _words(track)
    columns: list[list[int]] = []
    for once, each, value in fields:
        values = [value(s) for s in samples]
        if len(set(values)) == 1:
            header_flags |= once
            header += _words(values[0])
        else:
            run_flags |= each
            columns.append(values)
    rows = b"".join(_words(*row) for row in zip(*columns, strict=True))

    def moof(offset: int) -> bytes:
        traf = (
            _full(b"tfhd", 0, header_flags, header)
            + _full(b"tfdt", 1, 0, starts.to_bytes(8, "big"))
            + _full(b"trun", 0, run_flags, _words(len(samples), offset) + rows)
        )
        return _box(b"moof", _full(b"mfhd", 0, 0, _words(sequence)) + _box(b"traf", traf))

    # The bytes follow the head of `mdat`, counted from the start of `moof`, whose size does not depend on the number.
    offset = len(moof(0)) + 8
    return _box(b"styp", _STYP) + moof(offset) + _box(b"mdat", b"".join(s.data for s in samples))


def _box(kind: bytes, content: bytes) -> bytes:
    return _words(8 + len(content)) + kind + content


def _full(kind: bytes, version: int, flags: int, content: bytes) -> bytes:
    """A box with version and flags (4.2)."""
    return _box(kind, _words(version << 24 | flags) + content)


def _words(*values: int) -> bytes:
    return b"".join(v.to_bytes(4, "big") for v in values)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
