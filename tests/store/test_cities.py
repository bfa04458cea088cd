"""The cities of the network: seeded once, joined and retired, each with a hue that stays."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from importlib import resources
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from showcase.core.models import City, CityFestival
from showcase.errors import Conflict, NotFound
from showcase.store import cities, events
from showcase.store.database import Database
from tests.store.rows import HOUR, NOW, a_city, a_work, seed, sizes


def facts() -> list[dict[str, Any]]:
    text = resources.files("showcase").joinpath("data/cities.json").read_text("utf-8")
    return sorted(json.loads(text)["cities"], key=lambda c: c["lon"])


async def test_the_22_cities_stand_from_west_to_east_with_evenly_spread_hues(db: Database) -> None:
    assert await db.write(cities.seed, NOW) == 22
    found = await db.read(cities.all_cities)
    assert [c.slug for c in found] == [f["slug"] for f in facts()]
    assert [c.longitude for c in found] == sorted(c.longitude for c in found)
    hues = [c.hue for c in found]
    assert hues[0] == 5.0
    assert len(set(hues)) == 22
    assert [round((b - a) % 360, 1) for a, b in zip(hues, hues[1:] + hues[:1], strict=True)] == pytest.approx(
        [360 / 22] * 22, abs=0.11
    )


async def test_what_is_known_of_each_city_is_kept_whole(db: Database) -> None:
    await db.write(cities.seed, NOW)
    for fact, city in zip(facts(), await db.read(cities.all_cities), strict=True):
        assert city == City(
            slug=fact["slug"],
            name_en=fact["name_en"],
            name_fr=fact["name_fr"],
            name_local=fact["name_local"],
            lang_local=fact["languages"][0],
            country=fact["country"],
            zone=fact["tz"],
            latitude=fact["lat"],
            longitude=fact["lon"],
            hue=city.hue,
            languages=tuple(fact["languages"]),
            website=fact["website"],
            joined_year=fact["year"],
            retired_at=None,
            festivals=tuple(
                CityFestival(
                    f["name"],
                    tuple(f.get("months") or ()),
                    f.get("frequency") or "",
                    f.get("kind") or "",
                    f.get("confidence") or "",
                    f.get("source"),
                    f.get("note"),
                )
                for f in fact["festivals"]
            ),
        )
        ZoneInfo(city.zone)  # raises for a zone that does not exist
        assert await db.read(cities.city, city.slug) == city


async def test_cities_are_seeded_once_also_by_nodes_that_start_together(db: Database) -> None:
    assert sorted(await asyncio.gather(*(db.write(cities.seed, NOW) for _ in range(5)))) == [0, 0, 0, 0, 22]
    assert await db.write(cities.seed, NOW) == 0
    assert (await db.read(sizes))["cities"] == 22


async def test_a_city_joins_between_its_neighbours_and_no_hue_changes(db: Database) -> None:
    await db.write(seed)
    before = await db.read(cities.all_cities)
    west, east = next((a, b) for a, b in pairwise(before) if b.longitude - a.longitude > 1)
    festival = CityFestival("Ebb and Flow", (3, 4), "annual", "light", "high", "https://example.org", None)
    new = a_city("dunmore", (west.longitude + east.longitude) / 2, festivals=(festival,), languages=("en", "ga"))

    joined = await db.write(cities.add, NOW, new)
    assert joined == replace(new, hue=joined.hue)
    assert (joined.hue - west.hue) % 360 == pytest.approx(((east.hue - west.hue) % 360) / 2, abs=0.11)
    after = await db.read(cities.all_cities)
    place = before.index(east)
    assert after == [*before[:place], joined, *before[place:]]


async def test_a_city_that_retires_leaves_the_lists_and_keeps_its_page_and_hue(db: Database) -> None:
    await db.write(seed)
    before = await db.read(cities.all_cities)
    york = next(c for c in before if c.slug == "york")
    work = await db.write(a_work, in_cities=["york", "braga"])

    await db.write(cities.retire, NOW, "york", retired=True)
    gone = replace(york, retired_at=NOW)
    assert await db.read(cities.all_cities) == [c for c in before if c is not york]
    assert await db.read(cities.all_cities, retired=True) == [gone if c is york else c for c in before]
    assert await db.read(cities.city, "york") == gone
    assert work.cities == ("york", "braga")

    # Who joins beside it does not take its hue.
    joined = await db.write(cities.add, NOW, a_city("selby", york.longitude + 0.001))
    assert joined.hue not in [c.hue for c in before]
    await db.write(cities.retire, NOW + HOUR, "york", retired=False)
    assert [c for c in await db.read(cities.all_cities) if c != joined] == before


async def test_the_first_city_of_all_and_one_at_the_same_place_have_hues(db: Database) -> None:
    one = await db.write(cities.add, NOW, a_city("one", 10.0))
    two = await db.write(cities.add, NOW, a_city("two", 10.0))
    three = await db.write(cities.add, NOW, a_city("three", -170.0))
    assert [c.hue for c in (one, two, three)] == [5.0, 185.0, 275.0]
    assert [c.slug for c in await db.read(cities.all_cities)] == ["three", "one", "two"]


async def test_a_name_that_is_taken_is_refused(db: Database) -> None:
    await db.write(seed)
    with pytest.raises(Conflict, match="city-exists"):
        await db.write(cities.add, NOW, a_city("york"))
    ended = await asyncio.gather(
        *(db.write(cities.add, NOW, a_city("dunmore")) for _ in range(4)), return_exceptions=True
    )
    assert len([e for e in ended if isinstance(e, City)]) == 1
    assert len([e for e in ended if isinstance(e, Conflict)]) == 3


async def test_a_city_that_does_not_exist_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound, match="no-such-city"):
        await db.read(cities.city, "atlantis")
    with pytest.raises(NotFound, match="no-such-city"):
        await db.write(cities.retire, NOW, "atlantis", retired=True)


async def test_joining_and_retiring_are_told(db: Database) -> None:
    await db.write(cities.add, NOW, a_city("dunmore"))
    await db.write(cities.retire, NOW, "dunmore", retired=True)
    assert [(e.topic, e.data) for e in await db.read(events.since, 0)] == [("city", {"slug": "dunmore"})] * 2
