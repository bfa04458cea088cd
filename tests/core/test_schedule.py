"""Local time and its traps, on every day of two years in every zone of the network."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showcase.core.schedule import moment, on_clock

CITIES = json.loads(resources.files("showcase").joinpath("data/cities.json").read_text("utf-8"))["cities"]
ZONES = sorted({c["tz"] for c in CITIES})
VIENNA = ZoneInfo("Europe/Vienna")


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31, 23, 59)),
)
def test_a_time_on_a_clock_comes_back_as_it_was_unless_the_clock_jumps_over_it(zone: str, local: datetime) -> None:
    local = local.replace(second=0, microsecond=0)
    found = moment(local, ZoneInfo(zone))
    shown = on_clock(found.moment, ZoneInfo(zone))
    if found.trap == "skipped":
        assert timedelta(0) < shown - local <= timedelta(hours=1)
    else:
        assert shown == local


@pytest.mark.parametrize("zone", ZONES)
def test_every_evening_of_two_years_is_where_it_stands(zone: str) -> None:
    place = ZoneInfo(zone)
    for n in range(730):
        local = datetime(2026, 1, 1, 20) + timedelta(days=n)
        assert on_clock(moment(local, place).moment, place) == local


def test_the_nights_on_which_the_clock_is_changed() -> None:
    skipped = moment(datetime(2026, 3, 29, 2, 30), VIENNA)
    assert (skipped.trap, skipped.moment) == ("skipped", datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
    repeated = moment(datetime(2026, 10, 25, 2, 30), VIENNA)
    assert (repeated.trap, repeated.moment) == ("repeated", datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert moment(datetime(2026, 10, 25, 3, 30), VIENNA).trap is None
