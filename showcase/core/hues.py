"""One colour a city: OKLCH hues that say where in the world something comes from."""

from __future__ import annotations

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
