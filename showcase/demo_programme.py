"""The programme of `showcase demo`: three sample festivals with channels, a premiere every ten minutes, windows on demand.

It is kept up for as long as the demo runs: what is missing ahead is added, what is long over is removed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from showcase.core import schedule
from showcase.core.models import Festival, Screening, Texts
from showcase.store import channels, festivals, screenings, works

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NEAR, AHEAD, BACK = 2 * HOUR, 36 * HOUR, 26 * HOUR
"""Every ten minutes for so long from now on; every hour for so long before and after."""

REPLAY = 3 * HOUR


@dataclass(frozen=True, slots=True)
class Sample:
    """A festival of samples. With `loop` its channel shows works between the premieres, else slate."""

    slug: str
    city: str
    zone: str
    title: Texts
    loop: bool


FESTIVALS = (
    Sample("sample-festival", "linz", "Europe/Vienna", {"en": "Sample Festival", "fr": "Festival d’exemple"}, True),
    Sample(
        "sample-festival-gwangju",
        "gwangju",
        "Asia/Seoul",
        {"en": "Sample Festival Gwangju", "fr": "Festival d’exemple de Gwangju"},
        True,
    ),
    Sample(
        "sample-festival-dakar",
        "dakar",
        "Africa/Dakar",
        {"en": "Sample Festival Dakar", "fr": "Festival d’exemple de Dakar"},
        False,
    ),
)
# (title, hours from now at which it opens and closes, which samples)
WINDOWS = (
    ({"en": "Sample: Two Harbours", "fr": "Exemple : Deux ports"}, -2, 8, (5, 0)),
    ({"en": "Sample: Yesterday’s Room", "fr": "Exemple : La salle d’hier"}, -28, -20, (2,)),
    ({"en": "Sample: Tomorrow’s Room", "fr": "Exemple : La salle de demain"}, 20, 30, (1, 3)),
)
TEXT = {"en": "A festival of samples, to look round.", "fr": "Un festival d’exemples, pour voir."}


def fill(tx: sa.Connection, at: datetime, shown: Sequence[int], *, whole: bool, soon: bool) -> list[Screening]:
    """Add what the programme lacks at a moment; returns what it added.

    `shown` are the works there are, films first. Not `whole`: some are still being made, so only what is about to
    begin is added. `soon`: something is to be on air, or about to begin, whatever the clock shows.
    """
    hosts = [_festival(tx, at, sample) for sample in FESTIVALS]
    near = [s for h in hosts for s in screenings.of_festival(tx, h.id, public=True) if s.ends > at - BACK]
    made = list(_premieres(tx, at, hosts, near, shown, whole=whole, soon=soon))
    if whole:
        for host, sample in zip(hosts, FESTIVALS, strict=True):
            _keep_up(tx, at, host, shown if sample.loop else ())
        if not any(s.kind == "on_demand" and s.ends > at for s in near):
            made += [_window(tx, at, hosts[0], shown, *window) for window in WINDOWS]
    return made


def _festival(tx: sa.Connection, at: datetime, sample: Sample) -> Festival:
    found = next((f for f in festivals.listed(tx) if f.slug == sample.slug), None)
    if found is not None:
        return found
    today = at.astimezone(ZoneInfo(sample.zone)).date()
    made = festivals.create(
        tx,
        at,
        fields={"title": sample.title, "text": TEXT},
        city=sample.city,
        zone=sample.zone,
        starts_on=today - timedelta(days=3),
        ends_on=today + timedelta(days=9),
        slug=sample.slug,
    )
    festivals.set_state(tx, at, made.id, "published")
    channels.ask_for_slate(tx, at, made.id)
    return made


def _keep_up(tx: sa.Connection, at: datetime, festival: Festival, loop: Sequence[int]) -> None:
    """Its days go along with today; its loop is there; what is long over goes."""
    today = at.astimezone(ZoneInfo(festival.zone)).date()
    days = {"starts_on": today - timedelta(days=3), "ends_on": today + timedelta(days=9)}
    if (festival.starts_on, festival.ends_on) != tuple(days.values()):
        festivals.update(tx, at, festival.id, values=days, fields={})
    if loop and not festival.loop:
        festivals.set_loop(tx, at, festival.id, loop)
    for one in screenings.of_festival(tx, festival.id, public=True):
        if one.kind == "premiere" and one.ends + REPLAY < at - BACK:
            screenings.set_state(tx, at, one.id, "withdrawn", ("published",))
            screenings.delete(tx, at, one.id)


def _premieres(
    tx: sa.Connection,
    at: datetime,
    hosts: Sequence[Festival],
    near: Sequence[Screening],
    shown: Sequence[int],
    *,
    whole: bool,
    soon: bool,
) -> Iterator[Screening]:
    there = {s.starts for s in near if s.kind == "premiere"}
    minute = at.replace(second=0, microsecond=0)
    next_minute = minute + MINUTE if at.second < 35 else minute + 2 * MINUTE
    wanted: list[datetime] = []
    running = (s for s in near if s.kind == "premiere" and s.ends > at + MINUTE and s.starts <= at + 2 * MINUTE)
    if soon and not any(running):
        wanted.append(next_minute)
    if whole:
        ten = minute - timedelta(minutes=minute.minute % 10)
        wanted += [ten + n * 10 * MINUTE for n in range(1, NEAR // (10 * MINUTE) + 1)]
        hour = minute.replace(minute=0)
        wanted += [hour + n * HOUR for n in range(-(BACK // HOUR), AHEAD // HOUR)]
    for starts in sorted(set(wanted) - there):
        if any(abs(starts - other) < 4 * MINUTE for other in there):
            continue
        there.add(starts)
        number = int(starts.timestamp()) // 600
        yield _premiere(tx, at, hosts[(number + number // 6) % len(hosts)], starts, _choice(shown, number))


def _choice(shown: Sequence[int], number: int) -> list[int]:
    """Three works in a row, others at each moment."""
    around = itertools.cycle(shown)
    return list(itertools.islice(around, number % len(shown), number % len(shown) + min(3, len(shown))))


def _premiere(tx: sa.Connection, at: datetime, host: Festival, starts: datetime, chosen: Sequence[int]) -> Screening:
    found = works.by_ids(tx, chosen)
    first = found[chosen[0]]
    title = {lang: first.text("title", lang) for lang in ("en", "fr")}
    zone = ZoneInfo(host.zone)
    length = timedelta()
    for id in chosen:
        main = found[id].main
        length += timedelta(microseconds=(main.duration_us or 0) if main is not None else 0) + timedelta(seconds=5)
    ends = starts + MINUTE * max(1, -(-length // MINUTE))
    made = screenings.create(
        tx,
        at,
        None,
        festival=host.id,
        zone=host.zone,
        kind="premiere",
        starts_local=schedule.on_clock(starts, zone),
        ends_local=schedule.on_clock(ends, zone),
        replay_until_local=schedule.on_clock(ends + REPLAY, zone),
        fields={"title": title},
        shown=[(id, None, 5) for id in chosen],
    )
    screenings.set_state(tx, at, made.id, "published", ("draft",))
    return screenings.by_id(tx, made.id)


def _window(
    tx: sa.Connection,
    at: datetime,
    host: Festival,
    shown: Sequence[int],
    title: Texts,
    opens: int,
    closes: int,
    which: Sequence[int],
) -> Screening:
    zone, hour = ZoneInfo(host.zone), at.replace(minute=0, second=0, microsecond=0)
    made = screenings.create(
        tx,
        at,
        None,
        festival=host.id,
        zone=host.zone,
        kind="on_demand",
        starts_local=schedule.on_clock(hour + opens * HOUR, zone),
        ends_local=schedule.on_clock(hour + closes * HOUR, zone),
        fields={"title": title},
        shown=[(shown[n % len(shown)], None, 0) for n in which],
    )
    screenings.set_state(tx, at, made.id, "published", ("draft",))
    return made
