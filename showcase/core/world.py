"""The world programme: one day of the whole network as a picture, in numbers.

Across, a day of UTC in minutes from its start; down, lanes: a row of one lane or more for each city, from west to east,
so that the edge of night runs through the rows. Screenings that overlap in a city take lanes of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from showcase.core import sun
from showcase.core.models import City, Screening

MINUTES = 1440
# The sun below these altitudes: after sunset, and after each of the three twilights.
DEPTHS = (sun.HORIZON, sun.CIVIL, sun.NAUTICAL, sun.ASTRONOMICAL)
# However short it is, a block takes this much of its lane: it must be wide enough for a finger.
LEAST = 48.0

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `x`, `width` long, in the unit of its picture: here minutes."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """A city and its part of the picture; `city` None is the row of what belongs to the whole network.

    `dark` has a tuple of stretches for each of DEPTHS, the next inside the one before. `midnights` are where a date
    begins there, and the date.
    """

    city: City | None
    top: int
    lanes: int
    dark: tuple[tuple[Stretch, ...], ...] = ()
    midnights: tuple[tuple[float, date], ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A screening in its lane (counted from the top of the picture).

    `before` and `after` say that it goes on beyond the day. `room` is how many minutes its name may take on `side` of
    where it begins ("above": from its start on), until the next block of the lane or the end of the day.
    """

    screening: Screening
    row: int
    lane: int
    x: float
    width: float
    before: bool
    after: bool
    side: Literal["above", "behind", "ahead"]
    room: float


@dataclass(frozen=True, slots=True)
class World:
    """The picture of a day: `lanes` is its height; `now` is where the present is, None on another day."""

    day: date
    lanes: int
    rows: tuple[Row, ...]
    blocks: tuple[Block, ...]
    now: float | None


def bounds(day: date) -> tuple[datetime, datetime]:
    """The start and the end of a day of UTC."""
    start = datetime.combine(day, time(), UTC)
    return start, start + _DAY


def draw(
    day: date,
    cities: Sequence[City],
    zones: Mapping[str, tzinfo],
    screenings: Iterable[Screening],
    now: datetime,
) -> World:
    """Lay out `day`: every one of `cities`, in their order, and what of `screenings` touches the day.

    `zones` has the time zone of each city by its slug. A screening of a city that is not among them, or of none, goes
    into a row of the whole network, above the others; that row is there only when it is needed.
    """
    start, end = bounds(day)
    known = {c.slug for c in cities}
    shown: dict[str | None, list[Screening]] = {}
    for s in screenings:
        if s.starts < end and s.ends > start:
            shown.setdefault(s.city if s.city in known else None, []).append(s)
    rows: list[Row] = []
    blocks: list[Block] = []
    top = 0
    for city in (*((None,) if None in shown else ()), *cities):
        lanes = pack(shown.get(city.slug if city else None, ()), start, end)
        sky = (_dark(city, start, end), midnights(zones[city.slug], start, end)) if city else ()
        row = Row(city, top, max(1, len(lanes)), *sky)
        for n, lane in enumerate(lanes):
            blocks.extend(_blocks(lane, len(rows), top + n, start, end))
        rows.append(row)
        top += row.lanes
    return World(day, top, tuple(rows), tuple(_in_order(blocks)), _x(now, start) if start <= now < end else None)


def pack(screenings: Iterable[Screening], start: datetime, end: datetime) -> list[list[Screening]]:
    """Share `screenings` among as few lanes as keep them from touching: what has its hour first, then what is on demand."""
    lanes: list[list[Screening]] = []
    for s in sorted(screenings, key=lambda s: (s.kind == "on_demand", max(s.starts, start), -_length(s), s.slug)):
        x, width = _span(s, start, end)
        for lane in lanes:
            spans = (_span(other, start, end) for other in lane)
            if all(x >= a + w or x + width <= a for a, w in spans):
                lane.append(s)
                break
        else:
            lanes.append([s])
    return [sorted(lane, key=lambda s: s.starts) for lane in lanes]


def midnights(zone: tzinfo, start: datetime, end: datetime) -> tuple[tuple[float, date], ...]:
    """Where in [start, end) a new date begins in `zone`, in minutes, and which. A skipped midnight is when the day begins."""
    first = start.astimezone(zone).date()
    found = []
    for n in range((end - start).days + 2):
        day = first + n * _DAY
        moment = datetime.combine(day, time(), zone).astimezone(UTC)
        if start <= moment < end:
            found.append((_x(moment, start), day))
    return tuple(found)


def _dark(city: City, start: datetime, end: datetime) -> tuple[tuple[Stretch, ...], ...]:
    return tuple(
        tuple(
            Stretch(_x(a, start), _x(b, start) - _x(a, start))
            for a, b in sun.nights(city.latitude, city.longitude, start, end, depth)
        )
        for depth in DEPTHS
    )


def _blocks(lane: Sequence[Screening], row: int, number: int, start: datetime, end: datetime) -> Iterable[Block]:
    """The blocks of one lane. The name of what is on demand stands above its line, others behind their block or, near the end, ahead."""
    spans = [_clipped(s, start, end) for s in lane]
    for n, (s, (x, width)) in enumerate(zip(lane, spans, strict=True)):
        behind = (spans[n + 1][0] if n + 1 < len(spans) else MINUTES) - x
        ahead = x - (sum(spans[n - 1]) if n else 0)
        # What stands ahead must not meet the name of the block before it.
        near_end = n == len(spans) - 1 and n == 0 and behind - width < 180 < ahead
        side: Literal["above", "behind", "ahead"] = "behind"
        if s.kind == "on_demand":
            side, near_end = "above", near_end and width < 120
        if near_end:
            side = "ahead"
        room = {"above": behind, "behind": behind - width, "ahead": ahead}[side]
        yield Block(s, row, number, x, width, s.starts < start, s.ends > end, side, room)


def _in_order(blocks: Iterable[Block]) -> list[Block]:
    """What has its hour by time, then what is on demand: the order of the list."""
    return sorted(blocks, key=lambda b: (b.screening.kind == "on_demand", b.screening.starts, b.screening.ends, b.lane))


def _length(screening: Screening) -> timedelta:
    return screening.ends - screening.starts


def _x(moment: datetime, start: datetime) -> float:
    return round((moment - start) / _MINUTE, 2)


def _clipped(screening: Screening, start: datetime, end: datetime) -> tuple[float, float]:
    """Where it begins within the day and how long it is there."""
    x = _x(max(screening.starts, start), start)
    return x, _x(min(screening.ends, end), start) - x


def _span(screening: Screening, start: datetime, end: datetime) -> tuple[float, float]:
    """The part of a lane that it takes."""
    x, width = _clipped(screening, start, end)
    return x, max(width, LEAST)


def foremost(blocks: Sequence[Block], now: datetime, count: int) -> list[Block]:
    """What to name first: what is on at its hour, then what comes, then what is on demand; nothing that is over."""

    def rank(block: Block) -> tuple[int, datetime]:
        s = block.screening
        if s.kind == "on_demand":
            return (2, s.ends) if s.starts <= now else (1, s.starts)
        return (0, s.starts) if s.starts <= now else (1, s.starts)

    return sorted((b for b in blocks if b.screening.ends > now), key=rank)[:count]
