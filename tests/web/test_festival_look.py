"""How a festival looks: its own colour, in the form, in the API and on its pages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.conftest import House
from tests.web.test_programme_desk import post
from tests.web.test_programme_rights import accepted, festival, screening

FESTIVAL = "/api/v1/festivals/ars-2026"
DESK = "/en/desk/festivals/ars-2026"
FACTS = {"title__en": "Ars", "zone": "Europe/Vienna", "starts_on": "2026-11-20", "ends_on": "2026-11-30"}


async def shown(house: House, path: str = FESTIVAL, who: str | None = None) -> dict[str, Any]:
    answer = await house.ask("GET", path, who)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def hues(house: House, path: str) -> set[str]:
    """The hues that the page's main part sets around what it shows, city marks left out."""
    page = await (await house.ask("GET", path)).text()
    return set(re.findall(r'<(?:section|article|div|li)[^>]* style="--hue:([\d.]+)"', page.partition("<main")[2]))


async def test_a_festival_has_its_citys_colour_until_it_has_its_own(house: House) -> None:
    await festival(house)
    city = str((await shown(house, "/api/v1/cities/linz"))["hue"])
    pages = ("/en/festivals/ars-2026", "/en/channels/ars-2026", "/en/festivals")
    assert (await shown(house))["hue"] is None
    assert [await hues(house, path) for path in pages] == [{city}] * 3
    changed = await house.ask("PATCH", FESTIVAL, "linz", json={"hue": 312.5})
    assert (changed.status, (await changed.json())["hue"]) == (200, 312.5)
    assert [await hues(house, path) for path in pages] == [{"312.5"}] * 3
    # What is left out stays; null is its city's again.
    assert (await (await house.ask("PATCH", FESTIVAL, "linz", json={"rooms": []})).json())["hue"] == 312.5
    assert (await (await house.ask("PATCH", FESTIVAL, "linz", json={"hue": None})).json())["hue"] is None
    assert await hues(house, pages[0]) == {city}


async def test_its_screenings_have_its_colour_on_their_pages_and_in_lists(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    await screening(house, slug, kind="on_demand")
    assert (await house.ask("POST", "/api/v1/screenings/tides/publish", "linz", json={})).status == 200
    await house.ask("PATCH", FESTIVAL, "linz", json={"hue": 312.5})
    assert "312.5" in await hues(house, "/en/screenings/tides")
    assert "312.5" in await hues(house, "/en/festivals/ars-2026")
    assert '<main style="--hue:312.5"' in await (await house.ask("GET", "/embed/screening/tides")).text()


async def test_the_networks_festival_may_have_a_colour_of_its_own(house: House) -> None:
    await festival(house, "admin", slug="all", city=None, hue=0)
    assert (await shown(house, "/api/v1/festivals/all"))["hue"] == 0
    assert await hues(house, "/en/festivals/all") == {"0.0"}


@pytest.mark.parametrize("hue", [-1, 360.5, "NaN", "red", True, [120]])
async def test_what_is_no_hue_is_refused_at_its_field(house: House, hue: Any) -> None:
    await festival(house)
    answer = await house.ask("PATCH", FESTIVAL, "linz", json={"hue": hue})
    told = [(e["field"], e["code"]) for e in (await answer.json())["errors"]] if answer.status == 422 else []
    assert (answer.status, told[0][0] if told else None) == (422, "hue")
    assert (await shown(house))["hue"] is None


async def test_the_form_takes_a_colour_and_gives_it_back(house: House) -> None:
    await festival(house)
    assert (await post(house, DESK, "linz", **FACTS, colour="own", hue="145")).status == 303
    assert (await shown(house))["hue"] == 145
    page = await (await house.ask("GET", DESK, "linz")).text()
    assert re.search(r'value="own" checked', page)
    assert re.search(r'name="hue"[^>]* value="145"', page)
    # The form of an older page says nothing about it.
    assert (await post(house, DESK, "linz", **FACTS)).status == 303
    assert (await shown(house))["hue"] == 145
    assert (await post(house, DESK, "linz", **FACTS, colour="city", hue="145")).status == 303
    assert (await shown(house))["hue"] is None


async def test_a_finer_hue_is_not_rounded_by_somebody_who_changes_something_else(house: House) -> None:
    await festival(house, hue=145.25)
    assert (await post(house, DESK, "linz", **FACTS, colour="own", hue="145")).status == 303
    assert (await shown(house))["hue"] == 145.25
    assert (await post(house, DESK, "linz", **FACTS, colour="own", hue="146")).status == 303
    assert (await shown(house))["hue"] == 146


@pytest.mark.parametrize("hue", ["361", "red;x:y", "", "-4"])
async def test_a_wrong_colour_is_said_and_nothing_typed_is_lost(house: House, hue: str) -> None:
    await festival(house)
    answer = await post(house, DESK, "linz", **(FACTS | {"title__en": "Kept"}), colour="own", hue=hue)
    page = await answer.text()
    assert (answer.status, 'value="Kept"' in page, 'id="f-hue-error"' in page, "red;" in page) == (
        422,
        True,
        True,
        False,
    )
