"""Hues: evenly spread, and a newcomer stands between its neighbours."""

from __future__ import annotations

import pytest

from showcase.core.hues import joining, spread, srgb


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


@pytest.mark.parametrize(
    ("oklch", "rgb"),
    [
        # The primaries of sRGB, as CSS Color 4 has them in OKLCH.
        ((0.62796, 0.25768, 29.234), (255, 0, 0)),
        ((0.86644, 0.29483, 142.495), (0, 255, 0)),
        ((0.45201, 0.31321, 264.052), (0, 0, 255)),
        ((1.0, 0.0, 0.0), (255, 255, 255)),
        ((0.0, 0.0, 77.0), (0, 0, 0)),
        ((0.59987, 0.0, 0.0), (128, 128, 128)),
    ],
)
def test_a_hue_is_a_colour_of_a_screen(oklch: tuple[float, float, float], rgb: tuple[int, int, int]) -> None:
    assert srgb(*oklch) == rgb


def test_a_colour_that_no_screen_has_loses_chroma_only() -> None:
    assert srgb(0.86644, 0.4, 142.495) == (0, 255, 0)
    assert len({srgb(0.78, 0.15, hue) for hue in range(360)}) == 360
