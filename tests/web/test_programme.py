"""The page of the world programme: days, filters, what addresses it takes."""

from __future__ import annotations

import asyncio
import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from showcase.core.models import Screening
from showcase.store import festivals, screenings
from tests.web.conftest import START, House


async def page(house: House, query: str = "", lang: str = "en") -> str:
    answer = await house.ask("GET", f"/{lang}/programme{query}")
    assert answer.status == 200, await answer.text()
    return await answer.text()


async def test_without_a_day_it_is_today_by_utc(house: House) -> None:
    text = await page(house)
    assert "Wednesday" in text
    assert "25 November 2026" in text
    assert 'style="--x:50.000%"' in text  # the line of the present, at noon
    house.later(timedelta(days=1))
    assert "26 November 2026" in await page(house, "?page=1")


async def test_every_city_is_there_from_west_to_east_with_the_hour_there(house: House) -> None:
    text = await page(house)
    rows = re.findall(r'data-there="([\w/]+)">(\d\d:\d\d)<', text)
    assert len(rows) == 22
    assert rows[0] == ("America/Mexico_City", "06:00")
    assert rows[-1] == ("Asia/Tokyo", "21:00")


async def test_another_day_has_no_present_and_leads_to_its_neighbours(house: House) -> None:
    text = await page(house, "?day=2026-06-21&city=linz")
    assert "data-now" not in text
    links = re.findall(r'<a(?: rel="\w+")? href="(/en/programme\?[^"]*)"', text)
    assert links == [
        "/en/programme?day=2026-06-20&amp;city=linz",
        "/en/programme?city=linz",
        "/en/programme?day=2026-06-22&amp;city=linz",
    ]


async def test_the_language_link_keeps_the_day(house: House) -> None:
    text = await page(house, "?day=2026-06-21&kind=on_demand")
    assert 'href="/fr/programme?day=2026-06-21&amp;kind=on_demand"' in text
    french = await page(house, "?day=2026-06-21", "fr")
    assert "dimanche 21 juin 2026" in french


async def test_a_day_without_screenings_says_so(house: House) -> None:
    assert "No screening on this day." in await page(house)
    assert "Take one of the filters away" in await page(house, "?city=york")


@pytest.mark.parametrize(
    "query", ["?day=tomorrow", "?day=2026-02-30", "?day=0001-01-01", "?day=9999-12-31", "?city=atlantis", "?kind=dance"]
)
async def test_what_is_no_day_no_city_and_no_kind_is_not_found(house: House, query: str) -> None:
    assert (await house.ask("GET", f"/en/programme{query}")).status == 404


@pytest.mark.parametrize("day", [date(2015, 1, 1), date(2099, 12, 31)])
async def test_the_first_and_the_last_day_lead_no_further(house: House, day: date) -> None:
    text = await page(house, f"?day={day}")
    assert text.count('rel="prev"') + text.count('rel="next"') == 1


async def opening(
    house: House, *, starts: datetime, length: timedelta, title: str = "Opening", kind: str = "on_demand", **given: Any
) -> Screening:
    """A public screening of Linz, `starts` on the clock there."""
    await asyncio.to_thread(ZoneInfo, "Europe/Vienna")  # its file is read at its first use
    festival = await house.write(
        festivals.create, START, fields={"title": {"en": "Days of Light"}}, city="linz", zone="Europe/Vienna",
        starts_on=starts.date(), ends_on=starts.date() + timedelta(days=9),
    )  # fmt: skip
    await house.write(festivals.set_state, START, festival.id, "published")
    made: Screening = await house.write(
        screenings.create, START, None, festival=festival.id, zone="Europe/Vienna", kind=kind,
        starts_local=starts, ends_local=starts + length, fields={"title": {"en": title, "fr": "Ouverture"}}, **given,
    )  # fmt: skip
    await house.write(screenings.set_state, START, made.id, "published", ("draft",))
    return made


async def test_a_screening_stands_in_the_row_of_its_city_at_its_hours(house: House) -> None:
    made = await opening(house, starts=datetime(2026, 11, 25, 19), length=timedelta(hours=3))
    text = await page(house)
    assert f'href="/en/screenings/{made.slug}"' in text
    # 18:00 to 21:00 UTC: three quarters into the day, an eighth of it long.
    assert re.findall(r"--x:([\d.]+);--w:([\d.]+);", text) == [("75.000", "12.500")]
    assert "1 screening<" in text
    assert "until 25 November 2026, 21:00, UTC" in text
    assert "Ouverture" in await page(house, lang="fr")


async def test_filters_leave_what_fits(house: House) -> None:
    await opening(house, starts=datetime(2026, 11, 25, 19), length=timedelta(hours=3))
    asked = ("?city=linz", "?city=dakar", "?kind=on_demand", "?city=york", "?day=2026-11-26")
    found = {query: 'class="show ' in await page(house, query) for query in asked}
    assert found == {
        "?city=linz": True, "?city=dakar": False, "?kind=on_demand": True, "?city=york": False, "?day=2026-11-26": False,
    }  # fmt: skip


async def test_a_title_is_text_and_never_markup(house: House) -> None:
    await opening(
        house,
        starts=datetime(2026, 11, 25, 19),
        length=timedelta(hours=3),
        title="<script>alert(1)</script>",
    )
    assert "<script>alert" not in await page(house)


@pytest.mark.parametrize("path", ["", "programme", "festivals/days-of-light", "channels/days-of-light", "works/tide"])
async def test_on_air_is_said_from_the_moment_on_and_no_longer(house: House, path: str) -> None:
    work, _ = await house.published()
    made = await opening(house, starts=datetime(2026, 11, 25, 14), length=timedelta(hours=1), kind="premiere", shown=[(work.id, None, 0)])  # fmt: skip

    async def on_air(which: int) -> bool:
        answer = await house.ask("GET", f"/en/{path}?page={which}")
        assert answer.status == 200
        return bool(re.search(r'<span class="(?:air">On air|view view-open">On now)<', await answer.text()))

    said = []
    for which, moment in enumerate((made.starts, made.ends), 1):
        # A page is kept for ten seconds: it must not be when it says something else by then.
        house.moment = moment - timedelta(milliseconds=50)
        said.append(await on_air(which))
        house.moment = moment
        await asyncio.sleep(0.06)
        said.append(await on_air(which))
    assert said == [False, True, True, False]
