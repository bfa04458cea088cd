"""Captions cut into segments, as a channel shows them: our own stored WebVTT in, segments out (W3C WebVTT, RFC 8216 3.5)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

_TIMES = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)\.(\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)\.(\d{3})")
HEAD = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n"
"""Every source's segments count from 0, so a cue's time is its time within the work (RFC 8216 3.5)."""


@dataclass(frozen=True, slots=True)
class Block:
    """One cue as it stands in the file, with its times in microseconds."""

    starts_us: int
    ends_us: int
    text: str


def blocks(text: str) -> tuple[Block, ...]:
    """The cues of a file, by their start."""
    found = []
    for chunk in text.replace("\r\n", "\n").split("\n\n"):
        times = _TIMES.search(chunk)
        if times is not None:
            found.append(Block(_us(times.groups()[:4]), _us(times.groups()[4:]), chunk.strip("\n")))
    return tuple(sorted(found, key=lambda b: (b.starts_us, b.ends_us)))


def _us(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, milli = (int(p or 0) for p in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + milli * 1_000


def segment(found: Sequence[Block], starts_us: int, ends_us: int) -> str:
    """The segment of [starts, ends): each cue that is on in it, whole, as RFC 8216 3.5 asks of cues that span several."""
    last = bisect_left(found, ends_us, key=lambda b: b.starts_us)
    shown = [b.text for b in found[:last] if b.ends_us > starts_us]
    return "\n\n".join([HEAD.rstrip("\n"), *shown]) + "\n"
