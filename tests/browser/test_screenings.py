"""A screening's page turns over by itself when it opens and when it is over, and its works play in between."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from tests.browser.axe import axe
from tests.browser.conftest import Problems, Works


@pytest.fixture
def base_url(works: Works) -> str:
    return works.gallery.server.url


def festival(works: Works) -> str:
    """A public festival of Linz, made once."""
    found = works.gallery.call("GET", "/api/v1/festivals")["festivals"]
    if "ars" not in {f["slug"] for f in found}:
        new = {
            "slug": "ars", "city": "linz", "timezone": "Europe/Vienna", "title": {"en": "Ars", "fr": "Ars"}, "starts_on": "2026-01-01",
            "ends_on": "2026-12-31",
        }  # fmt: skip
        works.gallery.call("POST", "/api/v1/festivals", "linz", new)
        works.gallery.call("PATCH", "/api/v1/festivals/ars", "linz", {"state": "published"})
    return "ars"


def screening(works: Works, starts: datetime, ends: datetime, shown: list[str], title: str) -> str:
    new = {
        "festival": festival(works), "title": {"en": title, "fr": title}, "starts": starts.isoformat(), "ends": ends.isoformat(),
        "slots": [{"work": slug} for slug in shown],
    }  # fmt: skip
    slug = str(works.gallery.call("POST", "/api/v1/screenings", "linz", new)["slug"])
    works.gallery.call("POST", f"/api/v1/screenings/{slug}/publish", "linz")
    return slug


async def test_the_page_says_when_it_opens_and_lets_nobody_in_before(page: Page, works: Works) -> None:
    now = datetime.now(UTC)
    slug = screening(works, now + timedelta(hours=2), now + timedelta(hours=3), [works.closed], "To come")
    await page.goto(f"/en/screenings/{slug}")
    await expect(page.locator("[data-countdown]")).to_have_text(re.compile(r"^0[12]:\d\d:\d\d$"))
    await expect(page.locator("[data-for-you] time")).to_be_visible()
    assert await page.locator("[data-play]").count() == 0
    assert await axe(page) == []


async def test_lists_tell_the_time_on_the_readers_clock_where_it_is_another(
    works: Works, new_page: Callable[..., Awaitable[Page]]
) -> None:
    starts = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    slug = screening(works, starts, starts + timedelta(hours=1), [works.closed], "For you")
    for zone, there in (("Europe/Vienna", False), ("Asia/Kolkata", True)):
        page = await new_page(base_url=works.gallery.server.url, timezone_id=zone, locale="en-GB")
        await page.goto(f"/en/festivals/{festival(works)}")
        row = page.locator(".row", has=page.locator(f"a[href$='/{slug}']"))
        await expect(row.locator("[data-for-you]")).to_be_visible(visible=there)
        if there:
            await expect(row.locator("[data-for-you]")).to_contain_text(f"{starts.astimezone(ZoneInfo(zone)):%H:%M}")


async def test_works_play_while_it_is_on(page: Page, works: Works) -> None:
    now = datetime.now(UTC)
    slug = screening(
        works, now - timedelta(hours=1), now + timedelta(hours=1), [works.closed, works.upright, works.picture], "On"
    )
    await page.goto(f"/en/screenings/{slug}")
    # A work that is not on view by itself is, here.
    await page.locator("[data-play]").first.click()
    await page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    await page.wait_for_function(
        "() => [...document.querySelectorAll('[data-image] img')].some((i) => i.complete && i.currentSrc.includes('/hls/'))"
    )
    assert await axe(page) == []


async def test_it_opens_and_closes_by_itself(
    works: Works, new_page: Callable[..., Awaitable[Page]], problems: Problems
) -> None:
    problems.expect("410")
    # Times on a clock have whole minutes.
    now = datetime.now(UTC)
    opens = (now + timedelta(minutes=1)).replace(second=0, microsecond=0)
    slug = screening(works, opens, opens + timedelta(minutes=1), [works.long], "By itself")
    page = await new_page(base_url=works.gallery.server.url)
    await page.goto(f"/en/screenings/{slug}")
    assert await page.locator("[data-play]").count() == 0
    await expect(page.locator("[data-play]").first).to_be_visible(timeout=90_000)
    await page.locator("[data-play]").first.click()
    await page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    await expect(page.get_by_text("It was on view until")).to_be_visible(timeout=120_000)
    assert await page.locator("[data-play]").count() == 0


async def test_a_closed_screening_plays_for_whoever_types_its_code(
    page: Page, works: Works, problems: Problems
) -> None:
    problems.expect("401")
    now = datetime.now(UTC)
    slug = screening(
        works, now - timedelta(hours=1), now + timedelta(hours=1), [works.closed, works.picture], "For the jury"
    )
    path = f"/api/v1/screenings/{slug}"
    works.gallery.call("PATCH", path, "linz", {"closed": True})
    code = works.gallery.call("POST", f"{path}/codes", "linz", {"label": "The jury", "max_uses": 9})["code"]

    def uses() -> int:
        return int(works.gallery.call("GET", f"{path}/codes", "linz")["codes"][0]["uses"])

    await page.goto(f"/en/screenings/{slug}")
    await page.wait_for_load_state("networkidle")
    assert await axe(page) == []
    await page.locator("[data-play]").first.click()
    await expect(page.locator("[data-message]").first).to_contain_text("This is shown to invited guests.")
    field = page.get_by_label("Access code")
    await expect(field).to_be_focused()
    await field.fill("abcd-efgh-jkmn")
    await field.press("Enter")
    # Before anything is asked to play.
    await expect(page.locator("[data-code-said]")).to_contain_text("This access code is not known here.")
    await expect(field).to_be_focused()
    assert uses() == 0
    await field.fill(code.upper())
    await field.press("Enter")
    await page.wait_for_function(
        "() => [...document.querySelectorAll('[data-image] img')].some((i) => i.complete && i.currentSrc.includes('/hls/'))"
    )
    assert uses() == 1
    await page.locator("[data-play]").first.click()
    await page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    assert uses() == 2
    # The tab keeps the code: what is shown again is asked for with it.
    await page.reload()
    await expect(field).to_have_value(code.upper())
    assert await axe(page) == []


async def test_a_work_that_is_closed_in_a_country_says_so_there(
    works: Works, new_page: Callable[..., Awaitable[Page]], problems: Problems
) -> None:
    problems.expect("451")
    now = datetime.now(UTC)
    slug = screening(works, now - timedelta(hours=1), now + timedelta(hours=1), [works.closed], "Not everywhere")
    rights = f"/api/v1/works/{works.closed}/rights"
    works.gallery.call("PUT", rights, "linz", {"territories_mode": "only", "territories": ["AT"]})
    try:
        page = await new_page(base_url=works.gallery.server.url, extra_http_headers={"X-Country": "FR"})
        await page.goto(f"/fr/screenings/{slug}")
        # Before anybody presses anything; and then there is nothing to press.
        await expect(page.locator("[data-message]")).to_contain_text(
            "Ses droits ne permettent pas de la montrer dans votre pays."
        )
        await expect(page.locator("[data-play]")).to_be_hidden()
        assert await axe(page) == []
        page = await new_page(base_url=works.gallery.server.url, extra_http_headers={"X-Country": "AT"})
        await page.goto(f"/fr/screenings/{slug}")
        await page.locator("[data-play]").click()
        await page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    finally:
        works.gallery.call("PUT", rights, "linz", {})
