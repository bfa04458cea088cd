"""A festival's timeline as a picture, in numbers: days across on the festival's clock, its rooms down.

Across, hundredths of the window's width. A window is whole days of a zone; one in which the clock is changed is 23 or 25
hours long and drawn so. Down, rows of one lane or more: what is on at the same time in a room takes lanes of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from showcase.core import schedule, sun
from showcase.core.models import City, Festival, Screening
from showcase.core.world import DEPTHS, Stretch

Zoom = Literal["hours", "day", "three", "all"]
RowKind = Literal["channel", "room", "elsewhere", "on_demand"]

# How many hours lie between two ticks, by how many days there are.
_STEPS = ((1, 1), (3, 3), (8, 6), (16, 12))
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the window; `hours` is how long it is there."""

    day: date
    x: float
    width: float
    hours: float


@dataclass(frozen=True, slots=True)
class Tick:
    """An hour on the axis and what the clock shows then; an hour that comes twice has two."""

    x: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Bar:
    """A screening in its lane. `before` and `after`: it goes on beyond the window. `room` is the width until the next
    bar of the lane, or the end of the window: how far its name may reach. `replay`: it is not the screening itself, but
    the time after it in which its works may be watched on demand; its `starts` and `ends` are those of that time."""

    screening: Screening
    lane: int
    x: float
    width: float
    before: bool
    after: bool
    room: float
    replay: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A place. `name` is the room's; empty but for `kind` "room"."""

    kind: RowKind
    name: str
    lanes: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The picture of [start, end). `dark` has a tuple of stretches (in hundredths of the window) for
    each of `world.DEPTHS`; `now` None: not in it."""

    start: datetime
    end: datetime
    days: tuple[Day, ...]
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    dark: tuple[tuple[Stretch, ...], ...]
    now: float | None

    @property
    def hours(self) -> float:
        """How many hours lie across."""
        return (self.end - self.start) / timedelta(hours=1)


def shown_days(festival: Festival, zoom: Zoom, day: date) -> tuple[date, date]:
    """The first and the last day that a window shows."""
    if zoom == "all":
        return festival.starts_on, festival.ends_on
    return day, day + (2 if zoom == "three" else 0) * _DAY


def draw(
    festival: Festival,
    first: date,
    last: date,
    zone: ZoneInfo,
    screenings: Iterable[Screening],
    now: datetime,
    city: City | None = None,
) -> Plan:
    """Lay the days from `first` to `last` out; `screenings` are all of the festival, `city` is whose night is drawn."""
    start, end = midnight(first, zone), midnight(last + _DAY, zone)

    def x(moment: datetime) -> float:
        return round((moment - start) / (end - start) * 100, 4)

    days = []
    for n in range((last - first).days + 1):
        day = first + n * _DAY
        a, b = midnight(day, zone), midnight(day + _DAY, zone)
        days.append(Day(day, x(a), round(x(b) - x(a), 4), (b - a) / timedelta(hours=1)))
    inside: dict[tuple[RowKind, str], list[Screening]] = {(k, n): [] for k, n in _places(festival)}
    replays: set[int] = set()
    for s in screenings:
        place = place_of(s, festival)
        found = inside.setdefault(place, [])
        if s.starts < end and max(s.ends, s.starts + timedelta(minutes=1)) > start:
            found.append(s)
        if (
            s.kind != "on_demand"
            and s.replay_until is not None
            and s.ends < min(end, s.replay_until)
            and s.replay_until > start
        ):
            replays.add(s.id)
            inside["on_demand", ""].append(replace(s, starts=s.ends, ends=s.replay_until))
    order: tuple[RowKind, ...] = ("channel", "room", "elsewhere", "on_demand")
    rows = []
    for kind, name in sorted(inside, key=lambda place: order.index(place[0])):
        lanes = _lanes(inside[kind, name])
        bars = [bar for n, lane in enumerate(lanes) for bar in _bars(lane, n, start, end)]
        if kind == "on_demand":
            bars = [replace(bar, replay=bar.screening.id in replays) for bar in bars]
        rows.append(Row(kind, name, max(1, len(lanes)), tuple(sorted(bars, key=lambda b: b.screening.starts))))
    dark = tuple(
        tuple(Stretch(x(a), round(x(b) - x(a), 4)) for a, b in sun.nights(at.latitude, at.longitude, start, end, depth))
        for at in (city,)
        if at is not None
        for depth in DEPTHS
    )
    present = x(now) if start <= now < end else None
    return Plan(start, end, tuple(days), _ticks(first, last, zone, x), tuple(rows), dark, present)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day begins on the clock of `zone`."""
    return schedule.moment(datetime.combine(day, time()), zone).moment


def place_of(screening: Screening, festival: Festival) -> tuple[RowKind, str]:
    """The row of a screening. The channel's is that of what the festival hosts and co-hosts without a room."""
    if screening.kind == "on_demand":
        return "on_demand", ""
    if not screening.room:
        return "channel", ""
    if screening.festival == festival.id:
        return "room", screening.room
    return "elsewhere", ""


def _places(festival: Festival) -> list[tuple[RowKind, str]]:
    return [("channel", ""), *(("room", name) for name in festival.rooms), ("on_demand", "")]


def _lanes(screenings: Iterable[Screening]) -> list[list[Screening]]:
    """Share among as few lanes as keep them from touching, by time."""
    lanes: list[list[Screening]] = []
    for s in sorted(screenings, key=lambda s: (s.starts, s.id)):
        for lane in lanes:
            if lane[-1].ends <= s.starts:
                lane.append(s)
                break
        else:
            lanes.append([s])
    return lanes


def _bars(lane: Sequence[Screening], number: int, start: datetime, end: datetime) -> Iterable[Bar]:
    def x(moment: datetime) -> float:
        return round((moment - start) / (end - start) * 100, 4)

    for n, s in enumerate(lane):
        a, b = max(s.starts, start), max(min(s.ends, end), s.starts)
        until = lane[n + 1].starts if n + 1 < len(lane) else end
        yield Bar(
            s,
            number,
            x(a),
            max(0.0, round(x(b) - x(a), 4)),
            s.starts < start,
            s.ends > end,
            round(x(until) - x(a), 4),
        )


def _ticks(first: date, last: date, zone: ZoneInfo, x: Callable[[datetime], float]) -> tuple[Tick, ...]:
    step = next((hours for most, hours in _STEPS if (last - first).days + 1 <= most), 24)
    found = []
    moment, end = midnight(first, zone), midnight(last + _DAY, zone)
    while moment < end:
        local = schedule.on_clock(moment, zone)
        if local.hour % step == 0:
            found.append(Tick(x(moment), moment))
        moment += timedelta(hours=1)
    return tuple(found)


def offsets(zone: ZoneInfo, start: datetime, end: datetime) -> tuple[tuple[datetime, int], ...]:
    """From when on the clock of `zone` is ahead of UTC by how many minutes, in [start, end).

    With it a page that knows no rules of time zones turns moments into times on that clock, and back.
    """

    def ahead(moment: datetime) -> int:
        offset = moment.astimezone(zone).utcoffset()
        return round((offset or timedelta()) / timedelta(minutes=1))

    found = [(start, ahead(start))]
    moment = start
    while moment < end:
        later = min(moment + _DAY, end)
        if ahead(later) != found[-1][1]:
            # Within this day: to the minute.
            low, high = moment, later
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
                low, high = (middle, high) if ahead(middle) == found[-1][1] else (low, middle)
            found.append((high.astimezone(UTC), ahead(high)))
        moment = later
    return tuple(found)
