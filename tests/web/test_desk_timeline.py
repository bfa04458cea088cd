"""The desk's timeline as a page: its window, its rows, its shelf, its panel, and the form that gives rooms and a loop."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import House
from tests.web.test_desk_calls import pinned
from tests.web.test_programme_desk import begun, post
from tests.web.test_programme_rights import accepted, festival

PAGE = "/en/desk/festivals/ars-2026"


async def page(house: House, path: str = PAGE, who: str = "linz") -> str:
    answer = await house.ask("GET", path, who)
    assert answer.status == 200, await answer.text()
    return await answer.text()


def facts(text: str) -> dict[str, Any]:
    found = re.search(r"data-facts>(.*?)</script>", text, re.DOTALL)
    assert found is not None
    made: dict[str, Any] = json.loads(found[1])
    return made


async def test_the_timeline_is_a_list_for_each_room(house: House) -> None:
    await pinned(house, room="Hall")
    text = await page(house)
    rows = re.findall(r'data-row="(\w+)" data-room="(\w*)"', text)
    assert rows == [("channel", ""), ("room", "Hall"), ("on_demand", "")]
    block = re.search(r'<li class="slot ([^"]*)"[^>]*data-slot="tides"[^>]*>', text)
    assert block is not None
    assert block[1].split()[:2] == ["slot-premiere", "slot-draft"]
    assert 'data-starts="2026-11-25T13:00:00+00:00"' in block[0]
    assert "14:00–14:40" in text
    assert "has no captions" in text
    assert facts(text)["screenings"][0] | {"revision": 1} == {
        "slug": "tides", "title": "Tides", "kind": "premiere", "state": "draft", "room": "Hall", "place": "room", "guest": False,
        "starts": 1795611600000, "ends": 1795614000000, "revision": 1,
    }  # fmt: skip


async def test_without_a_day_it_is_today_while_the_festival_lasts_else_its_first_day(house: House) -> None:
    await festival(house)
    assert "Wednesday 25 November 2026" in (await page(house)).replace(",", "")
    house.later(timedelta(days=20))
    assert "Friday 20 November 2026" in (await page(house)).replace(",", "")


@pytest.mark.parametrize("query", ["?day=tomorrow", "?day=0001-01-01", "?day=9999-12-31", "?zoom=year"])
async def test_what_is_no_day_and_no_zoom_is_not_found(house: House, query: str) -> None:
    await festival(house)
    assert (await house.ask("GET", PAGE + query, "linz")).status == 404


async def test_the_day_the_clock_is_put_back_has_25_hours(house: House) -> None:
    await festival(house, starts_on="2026-10-24", ends_on="2026-10-26")
    text = await page(house, f"{PAGE}?zoom=day&day=2026-10-25")
    assert re.findall(r'class="desk-hour t"[^>]*>(\d\d)<', text)[:5] == ["00", "01", "02", "02", "03"]
    assert "--hours:25" in text
    assert [minutes for _, minutes in facts(text)["offsets"]] == [120, 60]
    spring = await page(house, f"{PAGE}?zoom=day&day=2027-03-28")
    assert re.findall(r'class="desk-hour t"[^>]*>(\d\d)<', spring)[:3] == ["00", "01", "03"]
    assert "25 h" in await page(house, f"{PAGE}?zoom=all")


async def test_the_shelf_has_what_may_be_shown_and_nothing_else(house: House) -> None:
    await begun(house)
    await house.work(fields={"title": {"en": "Only begun"}})
    text = await page(house, "/en/desk/festivals/ars")
    assert re.findall(r'data-work="([\w-]+)"', text) == ["tide"]
    assert "0:08" in text


async def test_others_have_no_timeline(house: House) -> None:
    made = await pinned(house)
    for who, status in ((None, 404), ("gwangju", 404), ("artist", 404), ("linz", 200), ("admin", 200)):
        assert (await house.ask("GET", PAGE, who)).status == status
    for who, status in ((None, 404), ("gwangju", 404), ("artist", 404), ("linz", 200)):
        assert (await house.ask("GET", f"/en/desk/screenings/{made['slug']}/panel", who)).status == status


async def test_the_panel_says_what_the_public_will_see(house: House) -> None:
    await pinned(house)
    text = await page(house, "/en/desk/screenings/tides/panel")
    assert "with it, this becomes public" in text
    assert re.search(r"data-publish>", text)
    await house.ask("PATCH", "/api/v1/screenings/tides", "linz", json={"slots": []})
    assert "data-publish disabled" in await page(house, "/en/desk/screenings/tides/panel")


# The form.


async def test_rooms_are_typed_a_line_each(house: House) -> None:
    await begun(house)
    form = {
        "revision": "1",
        "starts_on": "2026-11-20",
        "ends_on": "2026-11-30",
        "zone": "Europe/Vienna",
        "title__en": "Ars",
    }
    path = "/en/desk/festivals/ars"
    assert (await post(house, path, "linz", **form, rooms="Deep  Space\r\n\r\n Hall ")).status == 303
    assert (await (await house.ask("GET", "/api/v1/festivals/ars", "linz")).json())["rooms"] == ["Deep Space", "Hall"]
    refused = await post(house, path, "linz", **form | {"revision": "2"}, rooms="Hall\nhall")
    text = await refused.text()
    assert (refused.status, "Two rooms have the same name." in text, "Hall\nhall" in text) == (422, True, True)
    many = await post(house, path, "linz", **form | {"revision": "2"}, rooms="\n".join(f"R{n}" for n in range(13)))
    assert (many.status, "12 at most" in await many.text()) == (422, True)
    long = await post(house, path, "linz", **form | {"revision": "2"}, rooms="R" * 61)
    assert long.status == 422


FORM = {"starts_on": "2026-11-20", "ends_on": "2026-11-30", "zone": "Europe/Vienna", "title__en": "Ars"}


async def test_a_room_in_use_is_kept_in_the_form_too(house: House) -> None:
    await pinned(house, room="Hall")
    page = await post(house, PAGE, "linz", **FORM, revision="1", rooms="")
    assert (page.status, "“Tides” is in the room “Hall”" in await page.text()) == (422, True)


async def test_the_loop_is_chosen_in_the_form(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house, public=False)

    async def loop() -> Any:
        return (await (await house.ask("GET", "/api/v1/festivals/ars-2026", "linz")).json())["loop"]

    assert (await post(house, PAGE, "linz", **FORM, revision="1", loop=[slug, "", slug])).status == 303
    assert await loop() == [slug, slug]
    assert (await page(house)).count(f'<option value="{slug}" selected>') == 2
    refused = await post(house, PAGE, "linz", **FORM, revision="2", loop=["nothing"])
    assert (refused.status, "it is not for you to show" in await refused.text()) == (422, True)
    # A form without the fields leaves them alone.
    assert (await post(house, PAGE, "linz", **FORM, revision="2")).status == 303
    assert await loop() == [slug, slug]
    assert (await post(house, PAGE, "linz", **FORM, revision="3", loop=["", ""])).status == 303
    assert await loop() == []
