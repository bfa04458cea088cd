"""The world programme in a browser: by keys, at any moment of the day, narrow and wide, without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Page

from showcase.store import festivals, screenings
from showcase.store.database import Database
from tests.browser.axe import axe
from tests.browser.conftest import Works

# No other test looks at this day.
DAY = date(2031, 3, 20)
MIDNIGHT = datetime.combine(DAY, time(), UTC)
SHOWN = {
    # City: zone, hours from and to by UTC, title.
    "linz": ("Europe/Vienna", 10, 14, "Water, Mirror, Water"),
    "cali": ("America/Bogota", 12, 18, "Slow Weather"),
    "gwangju": ("Asia/Seoul", 4, 11.5, "A very long title that does not fit into any lane of a picture of the world"),
}
OPEN = f"/en/programme?day={DAY}"
FOCUSED = "document.activeElement.closest('.show')?.dataset.place"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shown(works: Works) -> AsyncIterator[Works]:
    """Three screenings on a day far ahead, written beside the running server."""
    db = Database(f"sqlite+aiosqlite:///{works.gallery.server.data / 'showcase.db'}")
    now = datetime.now(UTC)
    for city, (zone, starts, ends, title) in SHOWN.items():
        festival = await db.write(
            festivals.create, now, fields={"title": {"en": "Days of Light", "fr": "Jours de lumière"}}, city=city, zone="UTC",
            starts_on=DAY, ends_on=DAY + timedelta(days=3),
        )  # fmt: skip
        await db.write(festivals.set_state, now, festival.id, "published")
        made = await db.write(
            screenings.create, now, None, festival=festival.id, zone=zone, kind="on_demand",
            starts_local=local(starts, zone), ends_local=local(ends, zone), fields={"title": {"en": title, "fr": title}},
        )  # fmt: skip
        await db.write(screenings.set_state, now, made.id, "published", ("draft",))
    yield works
    await db.close()


def local(hours: float, zone: str) -> datetime:
    """What the clock of `zone` shows at an hour of the day by UTC."""
    return (MIDNIGHT + timedelta(hours=hours)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@pytest.fixture
def base_url(shown: Works) -> str:
    return shown.gallery.server.url


async def test_keys_lead_from_block_to_block(new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(viewport={"width": 1440, "height": 900})
    await page.goto(OPEN)
    await page.locator(".show a").first.focus()
    seen = [await page.evaluate(FOCUSED)]
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "ArrowLeft", "End", "Home"):
        await page.keyboard.press(key)
        seen.append(await page.evaluate(FOCUSED))
    # The list goes by time (Gwangju, Linz, Cali), the rows from west to east (Cali, Linz, Gwangju).
    assert seen == ["Gwangju", "Linz", "Cali", "Linz", "Gwangju", "Cali", "Gwangju"]
    assert await page.locator("[data-clock-there] dt").inner_text() == "Gwangju"


async def test_escape_takes_the_words_away_and_the_next_visit_brings_them_back(
    new_page: Callable[..., Awaitable[Page]],
) -> None:
    page = await new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    await page.goto(OPEN)
    words = "getComputedStyle(document.querySelector('.show .show-words')).opacity"
    first = page.locator(".show a").first
    await first.focus()
    shown = [await page.evaluate(words)]
    await page.keyboard.press("Escape")
    shown.append(await page.evaluate(words))
    await page.keyboard.press("ArrowUp")
    await first.focus()
    shown.append(await page.evaluate(words))
    assert shown == ["1", "0", "1"]


async def test_arrow_keys_go_through_the_day_and_on_to_the_next(new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(viewport={"width": 1440, "height": 900}, timezone_id="Asia/Kolkata")
    await page.goto(OPEN)
    slider = page.get_by_role("slider", name="Move through the day")
    await slider.focus()
    assert await slider.get_attribute("aria-valuetext") == "12:00 UTC, 17:30 your time"
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("PageDown")
    assert await slider.get_attribute("aria-valuetext") == "10:45 UTC, 16:15 your time"
    assert await page.locator("[data-clock-utc] time").inner_text() == "10:45"
    assert await page.locator(".show-then").evaluate_all("found => found.map(one => one.dataset.place)") == [
        "Gwangju",
        "Linz",
    ]
    for _ in range(11):
        await page.keyboard.press("PageDown")
    await page.wait_for_url(f"**/en/programme?day={DAY - timedelta(days=1)}")
    assert await slider.get_attribute("aria-valuetext") == "23:45 UTC, 05:15 your time"
    assert await slider.evaluate("one => one === document.activeElement")
    await page.keyboard.press("ArrowRight")
    await page.wait_for_url(f"**{OPEN}")


async def test_filters_exchange_the_picture_and_it_still_answers(new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(viewport={"width": 1440, "height": 900})
    await page.goto(OPEN)
    await page.get_by_label("City").select_option("cali")
    await page.locator(".filters-count", has_text="1 screening").wait_for()
    assert page.url.endswith("city=cali")
    assert await page.locator(".show").count() == 1
    assert await page.get_by_role("slider").count() == 1
    await page.locator(".show a").focus()
    assert await page.locator("[data-clock-there] dt").inner_text() == "Cali"


async def test_the_readers_own_time_is_said_everywhere(new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(viewport={"width": 1440, "height": 900}, timezone_id="America/Toronto")
    await page.goto(OPEN)
    assert await page.locator("[data-axis] .t span").first.inner_text() == "20"
    assert await page.locator(".show-words [data-yours]").first.text_content() == "until 20 Mar, 07:30, your time"


async def test_narrow_it_is_an_agenda(new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(viewport={"width": 320, "height": 800})
    await page.goto(OPEN)
    boxes = [await row.bounding_box() for row in await page.locator(".show").all()]
    assert all(box is not None for box in boxes)
    tops = [box["y"] for box in boxes if box]
    assert tops == sorted(tops)
    assert all(b - a > 60 for a, b in pairwise(tops))
    assert await page.locator(".show-title").first.is_visible()


async def test_it_reads_without_javascript(new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(viewport={"width": 1440, "height": 900}, java_script_enabled=False)
    await page.goto(OPEN)
    assert await page.locator(".show .show-title").all_text_contents() == [
        SHOWN[c][3] for c in ("gwangju", "linz", "cali")
    ]
    await page.get_by_label("City").select_option("linz")
    await page.get_by_role("button", name="Show").click()
    assert await page.locator(".show .show-title").all_text_contents() == ["Water, Mirror, Water"]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [320, 768, 1440])
async def test_axe_finds_nothing_with_the_words_of_a_block_open(
    width: int, scheme: str, new_page: Callable[..., Awaitable[Page]]
) -> None:
    page = await new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    for lang in ("en", "fr"):
        await page.goto(OPEN.replace("/en/", f"/{lang}/"))
        await page.locator(".show a").last.focus()
        assert await axe(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
