"""The programme of `showcase demo`, kept up minute by minute: whatever the clock shows, it is as was promised."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from showcase import demo_programme
from showcase.core import schedule
from showcase.core.models import Screening
from showcase.store import assets, cities, festivals, screenings, works
from showcase.store.database import Database
from tests.store.rows import a_work, an_asset, make_ready

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 11, 25, 12, 0, 20, tzinfo=UTC)
# 02:00 in Vienna comes twice: 00:00 and 01:00 of UTC.
AUTUMN = datetime(2026, 10, 25, 0, 58, 40, tzinfo=UTC)
LENGTH_US = 24_000_000


def made(tx: sa.Connection, count: int) -> list[int]:
    """So many public works of 24 seconds."""
    shown = []
    for number in range(count):
        work = a_work(tx, f"{number} (sample)")
        film = an_asset(tx, work.id)
        make_ready(tx, film.id)
        assets.report(tx, NOON, film.id, state="ready", stage="ready", progress=1.0, duration_us=LENGTH_US)
        assets.take_if_first(tx, NOON, film.id)
        works.set_state(tx, NOON, work.id, "published", ("draft",))
        shown.append(work.id)
    return shown


def prepare(tx: sa.Connection, count: int) -> list[int]:
    cities.seed(tx, NOON)
    return made(tx, count)


def keep_up(
    tx: sa.Connection, at: datetime, shown: Sequence[int], *, start: bool = False, grown: bool = False
) -> list[Screening]:
    """What the demo does each minute; `start`: at its start."""
    changed: list[Screening] = []
    for turn in range(30):
        changed += (found := demo_programme.fill(tx, at, shown, soon=start and not turn, grown=start or grown))
        if not found:
            return changed
    raise AssertionError("it never ends")


def programme(tx: sa.Connection) -> dict[str, list[Screening]]:
    """What stands on the programme of each sample festival."""
    return {
        sample.slug: screenings.of_festival(tx, festivals.festival(tx, sample.slug).id, public=True)
        for sample in demo_programme.FESTIVALS
    }


def premieres(found: dict[str, list[Screening]]) -> list[Screening]:
    return [s for own in found.values() for s in own if s.kind == "premiere"]


def check(found: dict[str, list[Screening]], at: datetime) -> None:
    """Assert what holds at any moment."""
    for own in found.values():
        shown = [s for s in own if s.kind != "on_demand"]
        overlaps = [(a.starts, b.starts) for a, b in itertools.pairwise(shown) if b.starts < a.ends]
        assert overlaps == []
        assert all(s.starts < s.ends < (s.replay_until or s.ends + MINUTE) for s in shown)
    starts = {s.starts for s in premieres(found)}
    first = at.replace(minute=at.minute // 10 * 10, second=0, microsecond=0)
    missing = [m for n in range(1, 13) if (m := first + n * 10 * MINUTE) not in starts]
    assert missing == []
    windows = [s for own in found.values() for s in own if s.kind == "on_demand"]
    phases = {schedule.phase(s, at) for s in windows}
    assert phases == {"on_air", "upcoming", "ended"}, at
    assert len(windows) < 20
    # Yesterday and tomorrow, on the clock of UTC and of each festival.
    for zone in ("UTC", *(s.zone for s in demo_programme.FESTIVALS)):
        today = at.astimezone(ZoneInfo(zone)).date()
        days = Counter(s.starts.astimezone(ZoneInfo(zone)).date() for s in premieres(found))
        assert min(days[today - DAY], days[today + DAY]) >= 23, (at, zone)
    assert len(starts) < 2 * 24 + 3 * 24 * 6 + 60


def check_start(found: dict[str, list[Screening]], at: datetime) -> None:
    assert any(s.starts <= at + 2 * MINUTE and s.ends > at + MINUTE for s in premieres(found)), at


@pytest.fixture
def tx(sqlite_url: str) -> Iterator[sa.Connection]:
    """One long transaction without a loop: thousands of small statements are several times as fast."""
    engine = sa.create_engine(sqlite_url.replace("+aiosqlite", ""))
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        pytest.param(NOON, 51, id="two days"),
        pytest.param(NOON.replace(hour=22, minute=57, second=50), 2, id="midnight"),
        pytest.param(AUTUMN - HOUR, 3, id="the clock goes back"),
    ],
)
def test_it_is_whole_at_each_minute_and_nothing_is_there_twice(tx: sa.Connection, start: datetime, hours: int) -> None:
    shown, restarts = prepare(tx, 6), (0, 4, 61, 66, 129, 1501)
    for n in range(hours * 60):
        # Each minute at first, then some of each hour.
        if n > 30 and n % 60 != 31 and n not in restarts:
            continue
        at = start + n * MINUTE
        changed = keep_up(tx, at, shown, start=n in restarts)
        found = programme(tx)
        check(found, at)
        if n in restarts:
            check_start(found, at)
            assert keep_up(tx, at, shown) == []
        # A restart may begin one more at any minute, others stand alone.
        times = Counter(s.starts for s in premieres(found))
        assert [moment for moment, count in times.items() if count > 1] == []
        assert n == 0 or len(changed) < 30


def test_something_begins_within_two_minutes_whenever_it_is_started(tx: sa.Connection) -> None:
    shown = prepare(tx, 2)
    for seconds in range(0, 1230, 17):
        at = NOON + seconds * timedelta(seconds=1)
        keep_up(tx, at, shown, start=True)
        found = programme(tx)
        check(found, at)
        check_start(found, at)


def test_what_somebody_put_on_a_channel_sends_it_to_another(tx: sa.Connection) -> None:
    shown = prepare(tx, 6)
    keep_up(tx, NOON, shown, start=True)
    for own in list(programme(tx).values())[:2]:
        for one in own:
            if one.kind == "premiere" and one.starts > NOON:
                screenings.set_state(tx, NOON, one.id, "withdrawn", ("published",))
                screenings.delete(tx, NOON, one.id)
        put(tx, own[0], NOON + MINUTE, 5 * HOUR, "A long night")
    assert keep_up(tx, NOON, shown, start=True)
    found = programme(tx)
    check(found, NOON)
    check_start(found, NOON)
    # It is no sample, so it stays however long it is over.
    keep_up(tx, NOON + 9 * DAY, shown, start=True)
    kept = [s for own in programme(tx).values() for s in own if s.kind == "live"]
    assert len(kept) == 2


def put(tx: sa.Connection, beside: Screening, starts: datetime, length: timedelta, title: str) -> Screening:
    zone = ZoneInfo(beside.zone)
    one = screenings.create(
        tx, starts, None, festival=beside.festival, zone=beside.zone, kind="live",
        starts_local=schedule.on_clock(starts, zone), ends_local=schedule.on_clock(starts + length, zone),
        fields={"title": {"en": title}},
    )  # fmt: skip
    screenings.set_state(tx, starts, one.id, "published", ("draft",))
    return one


def test_after_a_week_it_starts_again_and_what_is_long_over_is_gone(tx: sa.Connection) -> None:
    shown = prepare(tx, 6)
    keep_up(tx, NOON, shown, start=True)
    at = NOON + 7 * DAY
    keep_up(tx, at, shown, start=True)
    found = programme(tx)
    check(found, at)
    check_start(found, at)
    assert min(s.starts for own in found.values() for s in own) > at - 2 * DAY - HOUR


def test_what_was_withdrawn_is_not_made_again_and_a_festival_that_was_taken_back_is_left_alone(
    tx: sa.Connection,
) -> None:
    shown = prepare(tx, 6)
    keep_up(tx, NOON, shown, start=True)
    for own in programme(tx).values():
        screenings.set_state(tx, NOON, own[-1].id, "withdrawn", ("published",))
    assert keep_up(tx, NOON + MINUTE, shown) == []
    for sample in demo_programme.FESTIVALS:
        festivals.set_state(tx, NOON, festivals.festival(tx, sample.slug).id, "draft")
    assert keep_up(tx, NOON + HOUR, shown, start=True) == []


def test_a_work_that_is_withdrawn_is_in_nothing_new(tx: sa.Connection) -> None:
    shown = prepare(tx, 3)
    keep_up(tx, NOON, shown, start=True)
    works.set_state(tx, NOON, shown[1], "withdrawn", ("published",))
    made = keep_up(tx, NOON + HOUR, shown)
    assert {slot.work for one in made for slot in one.slots} == {shown[0], shown[2]}
    works.set_state(tx, NOON, shown[0], "withdrawn", ("published",))
    works.set_state(tx, NOON, shown[2], "withdrawn", ("published",))
    assert keep_up(tx, NOON + 2 * HOUR, shown) == []


def test_two_works_are_enough_and_what_comes_takes_those_that_came_since(tx: sa.Connection) -> None:
    shown = prepare(tx, 6)
    keep_up(tx, NOON, shown[:2], start=True)
    before = programme(tx)
    check(before, NOON)
    changed_here = next(s for s in premieres(before) if s.starts > NOON + HOUR)
    screenings.update(tx, NOON, changed_here.id, values={}, fields={"title": {"en": "Ours"}})
    at = NOON + MINUTE
    keep_up(tx, at, shown, grown=True)
    after = programme(tx)
    check(after, at)
    used = {s.id: {slot.work for slot in s.slots} for own in after.values() for s in own}
    assert used[changed_here.id] <= set(shown[:2])
    for one in premieres(after):
        if one.id != changed_here.id:
            # Of what is over, on, or about to open its doors nothing changes.
            assert len(used[one.id]) == (3 if one.starts > at + schedule.DOORS else 2)
            assert one.ends - one.starts == (2 * MINUTE if len(used[one.id]) == 3 else MINUTE)
    assert set().union(*(used[s.id] for s in premieres(after))) == set(shown)
    windows = {s.text("title", "en"): [slot.work for slot in s.slots] for own in after.values() for s in own if s.kind == "on_demand"}  # fmt: skip
    assert windows == {
        "Two Harbours (sample)": [shown[5], shown[0]],
        "Yesterday’s Room (sample)": [shown[2]],
        "Tomorrow’s Room (sample)": [shown[1], shown[3]],
    }
    loops = [len(festivals.festival(tx, sample.slug).loop) for sample in demo_programme.FESTIVALS]
    assert loops == [6, 6, 0]
    assert keep_up(tx, at, shown, grown=True) == []


def test_a_moment_that_a_clock_cannot_tell_is_taken_by_another(tx: sa.Connection) -> None:
    keep_up(tx, AUTUMN, prepare(tx, 6), start=True)
    found = programme(tx)
    twice = [datetime(2026, 10, 25, 1, tzinfo=UTC) + n * 10 * MINUTE for n in range(6)]
    assert set(twice) <= {s.starts for s in premieres(found)}
    assert not set(twice) & {s.starts for s in found["sample-festival"]}


async def test_it_begins_with_what_is_most_urgent_and_ends(db: Database) -> None:
    shown = await db.write(prepare, 2)
    first = await db.write(demo_programme.fill, NOON, shown, soon=True, grown=True)
    assert [(s.kind, s.starts - NOON.replace(second=0)) for s in first[:4]] == [
        ("premiere", MINUTE), ("on_demand", -2 * HOUR), ("on_demand", 20 * HOUR), ("on_demand", -28 * HOUR),
    ]  # fmt: skip
    assert len(first) == demo_programme.MOST
    await db.write(keep_up, NOON, shown)
    check(await db.read(programme), NOON)
    assert await db.write(keep_up, NOON, shown, start=True) == []
