"""A timeline is a list of segments with times. A playlist is one window of it, written down.

On demand it is one run from zero, whole and ended; a premiere, a channel or a replay are runs of many works pinned to
the clock. Integer microseconds throughout, so that nothing drifts.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of one rendition: where they are (`prefix` before `init.mp4` and `s00000.m4s`) and how long.

    `ending`: `m4s`, or `vtt` for captions, which have no init segment.
    """

    prefix: str
    durations_us: tuple[int, ...]
    ends_us: tuple[int, ...]
    ending: str = "m4s"

    @classmethod
    def of(cls, prefix: str, durations_us: Sequence[int], ending: str = "m4s") -> Segments:
        """Build them from the durations alone."""
        return cls(prefix, tuple(durations_us), tuple(accumulate(durations_us)), ending)

    @property
    def length_us(self) -> int:
        """All of it."""
        return self.ends_us[-1] if self.ends_us else 0


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive segments of one source, from `first` on. `starts_us` is where the first one stands on the timeline.

    `sequence` and `discontinuity` are the media sequence number of the first segment and the discontinuity sequence
    number of the run (RFC 8216 4.3.3.2, 4.3.3.3); whoever edits a timeline keeps them.
    """

    starts_us: int
    segments: Segments
    first: int
    count: int
    sequence: int
    discontinuity: int

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Index of each segment and where it starts on the timeline."""
        offset = self.segments.ends_us[self.first - 1] if self.first else 0
        for index in range(self.first, self.first + self.count):
            before = self.segments.ends_us[index - 1] if index else 0
            yield index, self.starts_us + before - offset


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a timeline as a playlist shows it. `ended`: nothing will follow."""

    runs: tuple[Run, ...]
    ended: bool


def on_demand(segments: Segments) -> Window:
    """All of one rendition, from zero, ended."""
    return Window((Run(0, segments, 0, len(segments.durations_us), 0, 0),), ended=True)


def window(runs: Sequence[Run], since_us: int, until_us: int, *, ended: bool) -> Window:
    """The part of `runs` (sorted, not overlapping) between two moments.

    A segment is in when it ends after `since_us` and lies wholly before `until_us`, as with a real encoder.
    """
    found: list[Run] = []
    complete = True
    for run in runs:
        offset = run.segments.ends_us[run.first - 1] if run.first else 0
        base = run.starts_us - offset
        ends = run.segments.ends_us
        last = run.first + run.count
        a = max(run.first, bisect.bisect_right(ends, since_us - base, run.first, last))
        b = min(last, bisect.bisect_right(ends, until_us - base, run.first, last))
        if b < last:
            complete = False
        if a < b:
            starts = base + (ends[a - 1] if a else 0)
            found.append(Run(starts, run.segments, a, b - a, run.sequence + a - run.first, run.discontinuity))
        if b < last:
            break
    return Window(tuple(found), ended=ended and complete)
