"""Where the sun is: sunrise, sunset and the stretches of night at a place, by NOAA's solar equations.

The equations are those of NOAA's solar calculator (https://gml.noaa.gov/grad/solcalc/calcdetails.html), which follow
Jean Meeus, Astronomical Algorithms, chapters 22, 25 and 28: Julian centuries, the sun's apparent longitude, the
obliquity of the ecliptic with its nutation, the equation of time. Between 1900 and 2100 they are good to some seconds
where the sun crosses the horizon steeply, as in all latitudes short of the polar circles.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from math import acos, asin, cos, degrees, radians, sin, tan
from typing import Literal

# The altitude of the sun's centre, in degrees, when its upper limb is on the horizon: 34' of refraction and 16' of radius.
HORIZON = -0.833
# ... and when the twilights of the almanacs end: civil, nautical, astronomical.
CIVIL, NAUTICAL, ASTRONOMICAL = -6.0, -12.0, -18.0

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_CENTURY = timedelta(days=36_525)
_DAY = timedelta(days=1)

Nights = tuple[tuple[datetime, datetime], ...]


@lru_cache(4096)
def declination(moment: datetime) -> tuple[float, float]:
    """Return the sun's declination in degrees and the equation of time in minutes at `moment` (aware).

    The equation of time is what a sundial is ahead of a clock that keeps local mean time.
    """
    t = (moment - _J2000) / _CENTURY
    mean_longitude = radians((280.46646 + t * (36_000.76983 + t * 0.0003032)) % 360)
    anomaly = radians(357.52911 + t * (35_999.05029 - t * 0.0001537))
    eccentricity = 0.016708634 - t * (0.000042037 + t * 0.0000001267)
    centre = radians(
        sin(anomaly) * (1.914602 - t * (0.004817 + t * 0.000014))
        + sin(2 * anomaly) * (0.019993 - t * 0.000101)
        + sin(3 * anomaly) * 0.000289
    )
    node = radians(125.04 - 1934.136 * t)
    apparent = mean_longitude + centre - radians(0.00569 + 0.00478 * sin(node))
    seconds = 21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))
    obliquity = radians(23 + (26 + seconds / 60) / 60 + 0.00256 * cos(node))
    y = tan(obliquity / 2) ** 2
    equation = (
        y * sin(2 * mean_longitude)
        - 2 * eccentricity * sin(anomaly)
        + 4 * eccentricity * y * sin(anomaly) * cos(2 * mean_longitude)
        - 0.5 * y * y * sin(4 * mean_longitude)
        - 1.25 * eccentricity * eccentricity * sin(2 * anomaly)
    )
    return degrees(asin(sin(obliquity) * sin(apparent))), 4 * degrees(equation)


def sunrise_sunset(
    latitude: float, longitude: float, day: date, altitude: float = HORIZON
) -> tuple[datetime, datetime] | Literal["polar day", "polar night"]:
    """Return when the sun rises and sets around the noon of `day` at a place, in UTC.

    `latitude` and `longitude` are degrees, north and east positive; `day` is the date there by the sun. "polar day"
    when it does not set both before and after that noon, "polar night" when it does not rise.
    """
    noon = _noon(longitude, day)
    if not _up(latitude, noon, altitude, upper=True):
        return "polar night"
    midnights = (_culmination(longitude, noon + half, upper=False) for half in (-_DAY / 2, _DAY / 2))
    if any(_up(latitude, m, altitude, upper=False) for m in midnights):
        return "polar day"
    return _crossing(latitude, noon, altitude, -1), _crossing(latitude, noon, altitude, 1)


@lru_cache(4096)
def nights(latitude: float, longitude: float, start: datetime, end: datetime, altitude: float = HORIZON) -> Nights:
    """Return the stretches of [start, end) in which the sun is below `altitude`, in order, none touching another.

    `start` and `end` are aware UTC, `latitude` and `longitude` degrees, north and east positive. With `altitude` as it
    is, night is when nothing of the sun is above the horizon: () in a polar day, the whole in a polar night.
    """
    found: list[tuple[datetime, datetime]] = []
    for falls, rises in _darkness(latitude, longitude, start, end, altitude):
        a, b = max(falls, start), min(rises, end)
        if a >= b:
            continue
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], b)
        else:
            found.append((a, b))
    return tuple(found)


def _darkness(
    latitude: float, longitude: float, start: datetime, end: datetime, altitude: float
) -> Iterator[tuple[datetime, datetime]]:
    """The darkness around each midnight, from the noon before at the earliest to the noon after at the latest."""
    first = (start + timedelta(days=longitude / 360)).date() - _DAY
    noons = [_noon(longitude, first + n * _DAY) for n in range((end - start).days + 4)]
    day = [_up(latitude, noon, altitude, upper=True) for noon in noons]
    for n, (before, after) in enumerate(pairwise(noons)):
        midnight = _culmination(longitude, before + _DAY / 2, upper=False)
        if after <= start or before >= end or _up(latitude, midnight, altitude, upper=False):
            continue
        yield (
            _crossing(latitude, before, altitude, 1) if day[n] else before,
            _crossing(latitude, after, altitude, -1) if day[n + 1] else after,
        )


def _noon(longitude: float, day: date) -> datetime:
    """When the sun is highest on `day`, the date there by the sun."""
    mean = datetime.combine(day, time(12), UTC) - timedelta(days=longitude / 360)
    return _culmination(longitude, mean, upper=True)


def _culmination(longitude: float, near: datetime, *, upper: bool) -> datetime:
    """When the sun passes the meridian (`upper`: noon, else midnight), close to `near`."""
    _, equation = declination(near)
    # Minutes by the sundial of the place; those to or from the full half day are what is missing.
    clock = near.hour * 60 + near.minute + near.second / 60 + near.microsecond / 60_000_000 + equation + 4 * longitude
    away = (clock - (720 if upper else 0) + 720) % 1440 - 720
    return near - timedelta(minutes=away)


def _up(latitude: float, moment: datetime, altitude: float, *, upper: bool) -> bool:
    """Whether the sun is above `altitude` when it passes the meridian at `moment`."""
    phi, delta = radians(latitude), radians(declination(moment)[0])
    turn = cos(phi) * cos(delta)
    return sin(phi) * sin(delta) + (turn if upper else -turn) > sin(radians(altitude))


def _crossing(latitude: float, noon: datetime, altitude: float, side: int) -> datetime:
    """When the sun passes `altitude` before (`side` -1) or after (1) `noon`. Whoever calls knows that it does."""
    phi, height = radians(latitude), sin(radians(altitude))
    mean_noon = noon + timedelta(minutes=declination(noon)[1])
    moment = noon
    # What it takes from noon follows from where the sun then is: the third time changes nothing that can be seen.
    for _ in range(3):
        angle, equation = declination(moment)
        delta = radians(angle)
        cosine = (height - sin(phi) * sin(delta)) / (cos(phi) * cos(delta))
        away = degrees(acos(max(-1.0, min(1.0, cosine))))
        moment = mean_noon + timedelta(minutes=4 * away * side - equation)
    return moment
