"""The picture of a festival's timeline: windows of days, hours that are skipped or come twice, rooms and lanes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from showcase.core import schedule
from showcase.core.board import Day, Plan, draw, midnight, offsets, shown_days
from showcase.core.models import City, Festival, Screening

VIENNA = ZoneInfo("Europe/Vienna")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LINZ = City("linz", "Linz", "Linz", "Linz", "de", "AT", "Europe/Vienna", 48.31, 14.29, 5.0, ("de",), None, None, None)
FESTIVAL = Festival(
    1, "ars", "linz", "Europe/Vienna", date(2026, 10, 24), date(2026, 10, 26), None, "draft", 1, LONG_AGO, LONG_AGO,
    rooms=["Hall", "Attic"],
)  # fmt: skip
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def shown(id: int, starts: datetime, ends: datetime, room: str = "", kind: Any = "premiere", **more: Any) -> Screening:
    """A screening between two times on Vienna's clock."""
    made = Screening(
        id=id, slug=f"s{id}", festival=1, festival_slug="ars", festival_state="draft", festival_title={}, city="linz", hosts=(),
        host_cities=frozenset({"linz"}), kind=kind, state="draft", zone="Europe/Vienna", starts_local=starts, ends_local=ends,
        starts=schedule.moment(starts, VIENNA).moment, ends=schedule.moment(ends, VIENNA).moment, minimum_age=None, revision=1,
        created_at=LONG_AGO, updated_at=LONG_AGO, room=room,
    )  # fmt: skip
    return replace(made, **more)


def at(hour: float, day: date = AUTUMN) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(hours=hour)


def drawn(first: date, last: date, *screenings: Screening, now: datetime = LONG_AGO) -> Plan:
    return draw(FESTIVAL, first, last, VIENNA, screenings, now, LINZ)


def test_windows_are_a_day_three_days_or_the_festival() -> None:
    day = date(2026, 10, 24)
    assert [shown_days(FESTIVAL, zoom, day) for zoom in ("hours", "day", "three", "all")] == [
        (day, day),
        (day, day),
        (day, date(2026, 10, 26)),
        (FESTIVAL.starts_on, FESTIVAL.ends_on),
    ]


def test_a_day_on_which_the_clock_is_put_back_is_25_hours_and_has_its_hour_twice() -> None:
    plan = drawn(AUTUMN, AUTUMN)
    assert (plan.hours, plan.days) == (25, (Day(AUTUMN, 0.0, 100.0, 25.0),))
    assert [tick.at.astimezone(VIENNA).hour for tick in plan.ticks[:5]] == [0, 1, 2, 2, 3]
    assert [tick.x for tick in plan.ticks[:3]] == [0.0, 4.0, 8.0]


def test_a_day_on_which_the_clock_is_put_forward_is_23_hours_and_lacks_one() -> None:
    plan = drawn(SPRING, SPRING)
    assert plan.hours == 23
    assert [tick.at.astimezone(VIENNA).hour for tick in plan.ticks[:4]] == [0, 1, 3, 4]


def test_over_days_the_middle_one_is_as_wide_as_it_is_long() -> None:
    days = drawn(date(2026, 10, 24), date(2026, 10, 26)).days
    assert [round(d.width / 100 * 73, 2) for d in days] == [24, 25, 24]


def test_a_block_lies_where_its_moments_are() -> None:
    # From 22:00 to 04:00: seven hours, that night.
    night = shown(1, at(22, date(2026, 10, 24)), at(4))
    bar = drawn(date(2026, 10, 24), AUTUMN, night).rows[0].bars[0]
    assert (round(bar.x / 100 * 49, 3), round(bar.width / 100 * 49, 3)) == (22, 7)
    later = drawn(AUTUMN, AUTUMN, night).rows[0].bars[0]
    assert (later.before, later.after, later.x, round(later.width / 4, 3)) == (True, False, 0, 5)


def test_rows_are_the_channel_the_rooms_other_peoples_rooms_and_what_is_on_demand() -> None:
    plan = drawn(
        AUTUMN,
        AUTUMN,
        shown(1, at(10), at(11)),
        shown(2, at(10), at(11), "Attic"),
        shown(3, at(10), at(11), "Foyer", festival=2),
        shown(4, at(0), at(24), kind="on_demand"),
        shown(5, at(12), at(13), festival=2),
    )
    assert [(r.kind, r.name, [b.screening.id for b in r.bars]) for r in plan.rows] == [
        ("channel", "", [1, 5]),
        ("room", "Hall", []),
        ("room", "Attic", [2]),
        ("elsewhere", "", [3]),
        ("on_demand", "", [4]),
    ]


def test_what_overlaps_takes_lanes_and_names_reach_to_the_next_block() -> None:
    plan = drawn(AUTUMN, AUTUMN, shown(1, at(10), at(12)), shown(2, at(11), at(12)), shown(3, at(12), at(13)))
    row = plan.rows[0]
    assert (row.lanes, [(b.screening.id, b.lane) for b in row.bars]) == (2, [(1, 0), (2, 1), (3, 0)])
    assert [round(b.room / 4, 2) for b in row.bars] == [2, 13, 12]


def test_a_replay_lies_among_what_is_on_demand_from_the_end_of_its_screening_on() -> None:
    later = schedule.moment(at(20), VIENNA).moment
    row = drawn(AUTUMN, AUTUMN, shown(1, at(10), at(12), replay_until=later)).rows[-1]
    assert [(b.replay, b.screening.id, round(b.x / 4, 2), round(b.width / 4, 2)) for b in row.bars] == [
        (True, 1, 13, 8)
    ]
    day_after = drawn(date(2026, 10, 26), date(2026, 10, 26), shown(1, at(10), at(12), replay_until=later))
    assert day_after.rows[-1].bars == ()


def test_night_is_drawn_for_the_city_and_not_without_one() -> None:
    plan = drawn(AUTUMN, AUTUMN)
    assert len(plan.dark) == 4
    # The sun sets in Linz at about 16:55 on that day, as its clock shows then: 17.9 hours from midnight.
    assert 17.5 < plan.dark[0][-1].x / 4 < 18.2
    assert draw(FESTIVAL, AUTUMN, AUTUMN, VIENNA, [], LONG_AGO).dark == ()


def test_the_present_is_there_only_while_it_lasts() -> None:
    assert drawn(AUTUMN, AUTUMN).now is None
    assert drawn(AUTUMN, AUTUMN, now=midnight(AUTUMN, VIENNA) + timedelta(hours=5)).now == 20.0


def test_offsets_say_from_when_the_clock_is_how_far_ahead() -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    assert offsets(VIENNA, start, end) == (
        (start, 60),
        (datetime(2026, 3, 29, 1, tzinfo=UTC), 120),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), 60),
    )
    assert offsets(ZoneInfo("Asia/Kolkata"), start, end) == ((start, 330),)


@given(
    st.sampled_from(["Europe/Vienna", "America/Toronto", "Australia/Lord_Howe", "Asia/Tehran", "America/Santiago"]),
    st.dates(date(2020, 1, 1), date(2035, 12, 31)),
)
def test_the_ticks_of_any_day_lie_inside_it_in_order(name: str, day: date) -> None:
    zone = ZoneInfo(name)
    plan = draw(FESTIVAL, day, day, zone, [], LONG_AGO)
    xs = [tick.x for tick in plan.ticks]
    assert xs == sorted(set(xs))
    assert 23 <= plan.hours <= 25
    assert all(0 <= x < 100 for x in xs)
