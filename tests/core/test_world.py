"""The picture of a day: rows, nights, blocks and lanes as numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from showcase.core.models import City, Screening
from showcase.core.world import LEAST, MINUTES, Block, World, bounds, draw, foremost, midnights, pack

DAY = date(2026, 11, 25)
START, END = bounds(DAY)
NOON = START + timedelta(hours=12)


def city(slug: str, latitude: float, longitude: float) -> City:
    return City(slug, slug, slug, slug, "en", "XX", "UTC", latitude, longitude, 5.0, ("en",), None, None, None)


CALI, LINZ, GWANGJU = city("cali", 3.45, -76.53), city("linz", 48.31, 14.29), city("gwangju", 35.15, 126.92)
CITIES = [CALI, LINZ, GWANGJU]
ZONES: dict[str, tzinfo] = {
    "cali": timezone(timedelta(hours=-5)),
    "linz": timezone(timedelta(hours=1)),
    "gwangju": timezone(timedelta(hours=9)),
}


def shown(slug: str, starts: float, ends: float, at: str | None = "linz", kind: Any = "premiere") -> Screening:
    """A screening from one hour of the day to another."""
    a, b = (START + timedelta(hours=h) for h in (starts, ends))
    return Screening(
        id=1, slug=slug, festival=1, festival_slug="f", festival_state="published", festival_title={"en": "F"}, city=at,
        hosts=(), host_cities=frozenset(), kind=kind, state="published", zone="UTC", starts_local=a, ends_local=b,
        starts=a, ends=b, minimum_age=None, revision=1, created_at=a, updated_at=a,
    )  # fmt: skip


def drawn(*screenings: Screening, now: datetime = NOON) -> World:
    return draw(DAY, CITIES, ZONES, screenings, now)


def places(world: World) -> list[tuple[str, int, int, float, float]]:
    return [(b.screening.slug, b.row, b.lane, b.x, b.width) for b in world.blocks]


def test_an_empty_day_has_a_row_a_city_and_the_night_of_each() -> None:
    world = drawn()
    assert [(r.city, r.top, r.lanes) for r in world.rows] == [(CALI, 0, 1), (LINZ, 1, 1), (GWANGJU, 2, 1)]
    assert (world.day, world.lanes, world.blocks, world.now) == (DAY, 3, (), 720.0)
    for row in world.rows:
        night, *twilights = row.dark
        assert len(twilights) == 3
        assert 10 * 60 < sum(s.width for s in night) < 16 * 60
        assert all(s.x >= 0 and s.x + s.width <= MINUTES for depth in row.dark for s in depth)
    # At noon in Greenwich it is day in Linz and evening in Gwangju.
    dark_at_noon = [any(s.x <= 720 < s.x + s.width for s in row.dark[0]) for row in world.rows]
    assert dark_at_noon == [False, False, True]


def test_midnight_stands_where_a_date_begins_there() -> None:
    assert [row.midnights for row in drawn().rows] == [
        ((300.0, DAY),),
        ((1380.0, DAY + timedelta(days=1)),),
        ((900.0, DAY + timedelta(days=1)),),
    ]
    assert midnights(UTC, START, END) == ((0.0, DAY),)


def test_a_block_lies_where_its_hours_are() -> None:
    world = drawn(shown("a", 20, 21.5))
    assert places(world) == [("a", 1, 1, 1200.0, 90.0)]
    assert (world.blocks[0].before, world.blocks[0].after) == (False, False)


def test_what_goes_beyond_the_day_is_cut_and_says_so() -> None:
    world = drawn(shown("long", -30, 40, kind="on_demand"), shown("late", 23, 25, at="cali"))
    found = {b.screening.slug: (b.x, b.width, b.before, b.after) for b in world.blocks}
    assert found == {"long": (0.0, 1440.0, True, True), "late": (1380.0, 60.0, False, True)}


def test_what_only_touches_the_day_is_not_in_it() -> None:
    assert drawn(shown("before", -2, 0), shown("after", 24, 25)).blocks == ()


def test_what_overlaps_takes_lanes_and_moves_the_rows_below() -> None:
    world = drawn(
        shown("film", 20, 22), shown("talk", 21, 23), shown("after", 22, 23), shown("window", 0, 24, kind="on_demand")
    )
    assert [(r.top, r.lanes) for r in world.rows] == [(0, 1), (1, 3), (4, 1)]
    assert {slug: lane for slug, _, lane, _, _ in places(world)} == {"film": 1, "after": 1, "talk": 2, "window": 3}
    assert world.lanes == 5


def test_a_short_one_still_takes_the_room_of_a_finger() -> None:
    brief = [shown("a", 10, 10 + 1 / 60), shown("b", 10.5, 11), shown("c", 10 + LEAST / 60, 12)]
    assert [[s.slug for s in lane] for lane in pack(brief, START, END)] == [["a", "c"], ["b"]]


def test_what_is_of_no_city_stands_above_all_in_a_row_of_its_own() -> None:
    world = drawn(shown("opening", 17, 20, at=None), shown("guest", 9, 10, at="elsewhere"), shown("own", 9, 10))
    assert [r.city for r in world.rows] == [None, *CITIES]
    assert [(slug, row, lane) for slug, row, lane, _, _ in places(world)] == [
        ("guest", 0, 0),
        ("own", 2, 2),
        ("opening", 0, 0),
    ]
    assert world.rows[0].dark == ()


def test_the_list_goes_by_the_hour_and_ends_with_what_is_on_demand() -> None:
    world = drawn(
        shown("window", -9, 40, kind="on_demand"), shown("second", 20, 21), shown("first", 3, 4, at="gwangju")
    )
    assert [b.screening.slug for b in world.blocks] == ["first", "second", "window"]


def test_now_is_on_its_own_day_only() -> None:
    assert drawn(now=START).now == 0.0
    assert drawn(now=END).now is None
    assert drawn(now=START - timedelta(seconds=1)).now is None


def test_a_name_stands_behind_its_block_or_ahead_near_the_end_or_above_a_line() -> None:
    world = drawn(
        shown("noon", 12, 13), shown("late", 22, 23, at="cali"), shown("window", 6, 18, at="gwangju", kind="on_demand")
    )
    assert {b.screening.slug: (b.side, b.room) for b in world.blocks} == {
        "noon": ("behind", 660.0),
        "late": ("ahead", 1320.0),
        "window": ("above", 1080.0),
    }


def test_what_is_on_comes_first_and_what_is_over_not_at_all() -> None:
    world = drawn(
        shown("over", 9, 10), shown("on", 11, 13), shown("next", 14, 15), shown("later", 20, 21),
        shown("window", 0, 23, kind="on_demand"), shown("opens", 13, 23, kind="on_demand"),
    )  # fmt: skip
    order = [b.screening.slug for b in foremost(world.blocks, NOON, 9)]
    assert order == ["on", "opens", "next", "later", "window"]
    assert [b.screening.slug for b in foremost(world.blocks, NOON, 2)] == ["on", "opens"]


hours = st.floats(-48, 48).map(lambda h: round(h, 2))


@given(
    st.lists(
        st.tuples(
            hours,
            st.floats(0.02, 60),
            st.sampled_from(["cali", "linz", None]),
            st.sampled_from(["live", "premiere", "on_demand"]),
        ),
        max_size=25,
    )
)
def test_blocks_of_a_lane_never_touch_and_all_are_there(given_: list[tuple[float, float, str | None, str]]) -> None:
    wanted = [shown(f"s{n}", a, a + length, at, kind) for n, (a, length, at, kind) in enumerate(given_)]
    world = drawn(*wanted)
    assert {b.screening.slug for b in world.blocks} == {s.slug for s in wanted if s.starts < END and s.ends > START}
    lanes: dict[int, list[Block]] = {}
    for b in world.blocks:
        assert b.x >= 0
        assert b.x + b.width <= MINUTES + 0.01
        row = world.rows[b.row]
        assert row.top <= b.lane < row.top + row.lanes
        lanes.setdefault(b.lane, []).append(b)
    for lane in lanes.values():
        ordered = sorted(lane, key=lambda b: b.x)
        assert all(a.x + max(a.width, LEAST) <= b.x for a, b in pairwise(ordered))
    assert world.lanes == sum(r.lanes for r in world.rows)
