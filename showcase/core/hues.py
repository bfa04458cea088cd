"""One colour a city: OKLCH hues that say where in the world something comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence


def spread(count: int, start: float = 5.0) -> list[float]:
    """`count` hues in degrees, evenly spaced, for cities in the order of their longitude."""
    return [round((start + 360 * n / count) % 360, 1) for n in range(count)]


def joining(neighbours: Sequence[tuple[float, float]], longitude: float) -> float:
    """The hue for a city that joins at `longitude`, among `(longitude, hue)` of those that are there.

    It takes the middle of the hues of its neighbours to the west and the east, round the globe.
    """
    if not neighbours:
        return 5.0
    ordered = sorted(neighbours)
    west = next((n for n in reversed(ordered) if n[0] <= longitude), ordered[-1])
    east = next((n for n in ordered if n[0] > longitude), ordered[0])
    gap = (east[1] - west[1]) % 360 or 360.0
    return round((west[1] + gap / 2) % 360, 1)


def srgb(lightness: float, chroma: float, hue: float) -> tuple[int, int, int]:
    """An OKLCH colour (0 to 1, 0 to about 0.4, degrees) in sRGB, 0 to 255 each (CSS Color 4, 9.4 and 10).

    One that sRGB does not have loses chroma until it has it, and keeps lightness and hue.
    """
    low, high = 0.0, chroma
    linear = _linear(lightness, chroma, hue)
    if not _within(linear):
        while high - low > 1e-4:
            middle = (low + high) / 2
            low, high = (middle, high) if _within(_linear(lightness, middle, hue)) else (low, middle)
        linear = _linear(lightness, low, hue)
    red, green, blue = (round(255 * _encoded(min(1.0, max(0.0, v)))) for v in linear)
    return red, green, blue


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLCH as linear light in sRGB's primaries, by the matrices of B. Ottosson (2020)."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _within(linear: Sequence[float]) -> bool:
    return all(-1e-4 <= v <= 1 + 1e-4 for v in linear)


def _encoded(value: float) -> float:
    """The transfer function of sRGB (IEC 61966-2-1)."""
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
