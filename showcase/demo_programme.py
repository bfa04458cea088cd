"""The programme of `showcase demo`: three sample festivals with channels, a premiere every ten minutes, windows on demand.

It is kept up for as long as the demo runs: what is missing ahead is added, what is long over is removed. What somebody
changes or withdraws at the desk stays as they want it, and only what is a sample is removed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from showcase.core import schedule
from showcase.core.models import Festival, Screening, Texts, Work
from showcase.store import channels, festivals, screenings, works

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NEAR, AROUND = 2 * HOUR, 48 * HOUR
"""Every ten minutes for so long from now on; every hour for so long before and after: yesterday and tomorrow anywhere."""

REPLAY = 3 * HOUR
MOST = 24
"""So many changes at once: whoever else writes need not wait for long."""

MARK = "(sample)"
"""How the English title of a sample ends."""


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
OPEN = ({"en": "Two Harbours (sample)", "fr": "Deux ports (exemple)"}, -2, 8, (5, 0))
OVER = ({"en": "Yesterday’s Room (sample)", "fr": "La salle d’hier (exemple)"}, -28, -20, (2,))
TO_COME = ({"en": "Tomorrow’s Room (sample)", "fr": "La salle de demain (exemple)"}, 20, 30, (1, 3))
WHICH = {title["en"]: which for title, _, _, which in (OPEN, OVER, TO_COME)}
TEXT = {"en": "A festival of samples, to look round.", "fr": "Un festival d’exemples, pour voir."}


@dataclass(frozen=True, slots=True)
class _Stand:
    """What there is at a moment: the works that can be shown, and what each festival has on its programme by now.

    `programmes` goes along with what is added. What was withdrawn stands in it, too: it is not made again.
    """

    tx: sa.Connection
    at: datetime
    works: Mapping[int, Work]
    hosts: Sequence[tuple[Festival, Sample]]
    programmes: dict[int, list[Screening]] = field(default_factory=dict)

    @property
    def shown(self) -> list[int]:
        return list(self.works)

    def all(self, kind: str) -> Iterator[Screening]:
        return (s for programme in self.programmes.values() for s in programme if s.kind == kind)

    def free(self, host: Festival, starts: datetime, ends: datetime, but: int | None = None) -> bool:
        """Whether nothing is on the channel of `host` at that time, other than `but`."""
        return not any(
            s.starts < ends and starts < s.ends and _on_channel(s) and s.id != but for s in self.programmes[host.id]
        )


def fill(tx: sa.Connection, at: datetime, shown: Sequence[int], *, soon: bool, grown: bool) -> list[Screening]:
    """Add what the programme lacks at a moment, and take away what is long over: the most urgent first, at most MOST.

    `shown` are the works there are by now; `grown`: there may have been fewer at the last time. `soon`: something is to
    be on air, or about to begin, whatever the clock shows. Returns what it added, changed or removed: nothing when
    nothing is lacking.
    """
    found = works.by_ids(tx, shown)
    playable = {id: w for id in shown if (w := found.get(id)) and w.state == "published" and w.main is not None}
    hosts = [(_festival(tx, at, sample), sample) for sample in FESTIVALS]
    # One that somebody took back is left alone.
    hosts = [(festival, sample) for festival, sample in hosts if festival.state == "published"]
    if not playable or not hosts:
        return []
    stand = _Stand(tx, at, playable, hosts)
    for festival, _ in hosts:
        stand.programmes[festival.id] = screenings.of_festival(tx, festival.id, public=True, withdrawn=True)
    return list(itertools.islice(_changes(stand, soon=soon, grown=grown), MOST))


def _changes(stand: _Stand, *, soon: bool, grown: bool) -> Iterator[Screening]:
    if soon:
        yield from _soon(stand)
    for festival, sample in stand.hosts:
        _days(stand, festival)
        if sample.loop and grown:
            _loop(stand, festival)
    yield from _windows(stand)
    there = {s.starts for s in stand.all("premiere")}
    for starts in _wanted(stand.at):
        if starts not in there and (made := _premiere(stand, starts)) is not None:
            yield made
    if grown:
        yield from _grow(stand)
    yield from _remove(stand)


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
    return replace(made, state="published")


def _days(stand: _Stand, festival: Festival) -> None:
    """Its days go along with today."""
    tx, at = stand.tx, stand.at
    today = at.astimezone(ZoneInfo(festival.zone)).date()
    days = {"starts_on": today - timedelta(days=3), "ends_on": today + timedelta(days=9)}
    if (festival.starts_on, festival.ends_on) != tuple(days.values()):
        festivals.update(tx, at, festival.id, values=days, fields={})


def _loop(stand: _Stand, festival: Festival) -> None:
    """Its channel shows all works there are between the premieres, unless somebody chose others."""
    slugs = tuple(w.slug for w in stand.works.values())
    if len(festival.loop) < len(slugs) and festival.loop == slugs[: len(festival.loop)]:
        festivals.set_loop(stand.tx, stand.at, festival.id, stand.shown)


def _on_channel(one: Screening) -> bool:
    return one.kind in screenings.PINNED and not one.room and one.state == "published"


def _soon(stand: _Stand) -> Iterator[Screening]:
    """A premiere at the next minute, unless one is on air for a while or begins within two."""
    at = stand.at
    ahead = (s for s in stand.all("premiere") if _on_channel(s) and not s.closed)
    if any(s.starts <= at + 2 * MINUTE and s.ends > at + MINUTE for s in ahead):
        return
    minute = at.replace(second=0, microsecond=0)
    made = _premiere(stand, minute + (MINUTE if at.second < 35 else 2 * MINUTE))
    if made is not None:
        yield made


def _wanted(at: datetime) -> list[datetime]:
    """When there are to be premieres: the nearest first."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    ten = hour + at.minute // 10 * 10 * MINUTE
    tens = {ten + n * 10 * MINUTE for n in range(1, NEAR // (10 * MINUTE) + 1)}
    around = AROUND // HOUR
    return sorted(
        tens | {hour + n * HOUR for n in range(-around, around + 1)}, key=lambda moment: (abs(moment - at), moment)
    )


def _number(starts: datetime) -> int:
    """Which ten minutes these are, of all."""
    return int(starts.timestamp()) // 600


def _choice(shown: Sequence[int], number: int) -> list[int]:
    """Three works in a row, others at each moment."""
    around = itertools.cycle(shown)
    return list(itertools.islice(around, number % len(shown), number % len(shown) + min(3, len(shown))))


def _picked(shown: Sequence[int], which: Sequence[int]) -> list[int]:
    """The works of a window, each once."""
    return list(dict.fromkeys(shown[n % len(shown)] for n in which))


def _title(work: Work) -> Texts:
    return {lang: work.text("title", lang) for lang in ("en", "fr")}


def _length(found: Mapping[int, Work], chosen: Sequence[int]) -> timedelta:
    """How long these works last with the slate behind each, to the full minute."""
    length = timedelta()
    for id in chosen:
        main = found[id].main
        length += timedelta(microseconds=(main.duration_us or 0) if main is not None else 0, seconds=5)
    return MINUTE * max(1, -(-length // MINUTE))


def _survives(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a moment can be told by the clock alone: not in the second of two hours that are called alike."""
    return schedule.moment(schedule.on_clock(moment, zone), zone).moment == moment


def _premiere(stand: _Stand, starts: datetime) -> Screening | None:
    """A premiere at that moment on a channel that is free; None when none is, or it would be on air already."""
    tx, at, number = stand.tx, stand.at, _number(starts)
    chosen = _choice(stand.shown, number)
    ends = starts + _length(stand.works, chosen)
    if starts <= at < ends:
        return None
    for turn in range(len(stand.hosts)):
        host, _ = stand.hosts[(number + number // 6 + turn) % len(stand.hosts)]
        zone = ZoneInfo(host.zone)
        if _survives(starts, zone) and _survives(ends, zone) and stand.free(host, starts, ends):
            break
    else:
        return None
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
        fields={"title": _title(stand.works[chosen[0]])},
        shown=[(id, None, 5) for id in chosen],
    )
    return _published(stand, host, made)


def _windows(stand: _Stand) -> Iterator[Screening]:
    """One window that is open, one to come, and one that is over."""
    at, there = stand.at, list(stand.all("on_demand"))
    if not any(s.starts <= at < s.ends for s in there):
        yield _window(stand, *OPEN)
    if not any(s.starts > at for s in there):
        yield _window(stand, *TO_COME)
    if not any(s.ends <= at for s in there):
        yield _window(stand, *OVER)


def _window(stand: _Stand, title: Texts, opens: int, closes: int, which: Sequence[int]) -> Screening:
    host, _ = stand.hosts[0]
    zone, hour = ZoneInfo(host.zone), stand.at.replace(minute=0, second=0, microsecond=0)
    made = screenings.create(
        stand.tx,
        stand.at,
        None,
        festival=host.id,
        zone=host.zone,
        kind="on_demand",
        starts_local=schedule.on_clock(hour + opens * HOUR, zone),
        ends_local=schedule.on_clock(hour + closes * HOUR, zone),
        fields={"title": title},
        shown=[(id, None, 0) for id in _picked(stand.shown, which)],
    )
    return _published(stand, host, made)


def _published(stand: _Stand, host: Festival, made: Screening) -> Screening:
    screenings.set_state(stand.tx, stand.at, made.id, "published", ("draft",))
    made = replace(made, state="published")
    stand.programmes[host.id].append(made)
    return made


def _grow(stand: _Stand) -> Iterator[Screening]:
    """Let what was made of fewer works, and is as it was made, have those that came since."""
    fewer = [stand.shown[:n] for n in range(1, len(stand.shown))]
    for host, _ in stand.hosts:
        for one in stand.programmes[host.id]:
            has, number, title = [s.work for s in one.slots], _number(one.starts), one.texts.get("title", {})
            if one.festival != host.id or one.state != "published" or not set(has) <= stand.works.keys():
                continue
            if one.kind == "on_demand" and (which := WHICH.get(title.get("en", ""))):
                chosen = _picked(stand.shown, which)
                if has != chosen and has in [_picked(shown, which) for shown in fewer]:
                    shown = [(id, None, 0) for id in chosen]
                    screenings.update(stand.tx, stand.at, one.id, values={}, fields={}, shown=shown)
                    yield one
            elif one.kind == "premiere" and one.starts > stand.at + schedule.DOORS and has:
                chosen, zone = _choice(stand.shown, number), ZoneInfo(one.zone)
                ends = one.starts + _length(stand.works, chosen)
                made = has in [_choice(shown, number) for shown in fewer] and title == _title(stand.works[has[0]])
                if has == chosen or not made or not _survives(ends, zone):
                    continue
                if stand.free(host, one.starts, ends, but=one.id):
                    screenings.update(
                        stand.tx,
                        stand.at,
                        one.id,
                        values={},
                        fields={"title": _title(stand.works[chosen[0]])},
                        local=(
                            one.starts_local,
                            schedule.on_clock(ends, zone),
                            schedule.on_clock(ends + REPLAY, zone),
                            one.zone,
                        ),
                        shown=[(id, None, 5) for id in chosen],
                    )
                    yield one


def _remove(stand: _Stand) -> Iterator[Screening]:
    """Take away samples that nobody can watch any more since AROUND."""
    for host, _ in stand.hosts:
        for one in stand.programmes[host.id]:
            long_over = schedule.closes(one) < stand.at - AROUND
            if long_over and one.festival == host.id and one.text("title", "en").endswith(MARK):
                screenings.set_state(stand.tx, stand.at, one.id, "withdrawn", ("published", "withdrawn"))
                screenings.delete(stand.tx, stand.at, one.id)
                yield one
