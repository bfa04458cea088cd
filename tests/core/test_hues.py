"""Hues: evenly spread, and a newcomer stands between its neighbours."""

from __future__ import annotations

import pytest

from showcase.core.hues import joining, spread


def test_hues_are_evenly_spread() -> None:
    assert spread(4) == [5.0, 95.0, 185.0, 275.0]
    assert spread(0) == []


@pytest.mark.parametrize(
    ("longitude", "hue"),
    [
        (10.0, 60.0),  # between the two
        (120.0, 240.0),  # east of both: round the globe, between the last and the first
        (-170.0, 240.0),  # and west of both is the same gap
    ],
)
def test_a_city_that_joins_stands_between_its_neighbours(longitude: float, hue: float) -> None:
    assert joining([(50.0, 100.0), (-30.0, 20.0)], longitude) == hue


def test_the_first_two_cities_are_far_apart() -> None:
    assert joining([], 12.0) == 5.0
    assert joining([(12.0, 5.0)], 139.0) == 185.0
