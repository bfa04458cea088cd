"""A work plays in Chromium: by mouse, by keyboard, with captions and described sound, through withdrawal and a lost server."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Problems, Works

MOVES = (
    "() => { const v = document.querySelector('video'); return v.currentTime > 0.5 && !v.paused && v.videoWidth > 0 }"
)
SOUNDS = "() => { const v = document.querySelector('video'); return v.currentTime > 0.5 && !v.paused }"


@pytest.fixture
def base_url(works: Works) -> str:
    return works.gallery.server.url


async def test_a_film_plays_and_its_captions_show(page: Page, works: Works) -> None:
    await page.goto(f"/en/works/{works.film}")
    await page.get_by_role("button", name=re.compile("Play")).first.click()
    await page.wait_for_function(MOVES)
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_role("radio", name="English", exact=True).first.check()
    await page.wait_for_function(
        "() => [...document.querySelector('video').textTracks].some(t => t.mode === 'showing' && t.activeCues?.length"
        " && t.activeCues[0].text.includes('bell'))"
    )
    await page.get_by_role("radio", name=re.compile("audio description")).check()
    await page.wait_for_function("() => document.querySelector('video').currentTime > 3")


async def test_a_film_plays_in_french_by_keyboard_alone(page: Page, works: Works) -> None:
    await page.goto(f"/fr/works/{works.film}")
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.matches('[data-play]')"):
            break
    await page.keyboard.press("Enter")
    await page.wait_for_function(MOVES)
    await page.keyboard.press("Space")
    await page.wait_for_function("() => document.querySelector('video').paused")


@pytest.mark.parametrize("name", ["upright", "sound"])
async def test_other_shapes_play(name: str, page: Page, works: Works) -> None:
    await page.goto(f"/en/works/{getattr(works, name)}")
    await page.get_by_role("button", name=re.compile("Play")).first.click()
    await page.wait_for_function(MOVES if name == "upright" else SOUNDS)


async def test_a_sound_without_a_picture_has_its_title_below_its_controls(page: Page, works: Works) -> None:
    await page.goto(f"/en/works/{works.sound}")
    await expect(page.locator(".player-plate")).to_have_text("For the Ear")
    await page.get_by_role("button", name=re.compile("Play")).first.click()
    await page.wait_for_function(SOUNDS)
    await expect(page.locator(".player-plate")).to_be_visible()
    # By pointer: what lies over a control would take the press.
    await page.locator("media-play-button").click()
    await page.wait_for_function("() => document.querySelector('video').paused")


async def test_a_picture_is_shown_in_full(page: Page, works: Works) -> None:
    await page.goto(f"/en/works/{works.picture}")
    await page.wait_for_function(
        "() => [...document.querySelectorAll('[data-image] img')].some("
        "(i) => i.complete && i.naturalWidth > 0 && i.currentSrc.includes('/hls/'))"
    )


async def test_a_work_that_is_not_on_view_says_so(page: Page, works: Works) -> None:
    await page.goto(f"/en/works/{works.closed}")
    await expect(page.get_by_text("not on view now").first).to_be_visible()
    assert await page.locator("[data-play]").count() == 0


async def test_it_goes_on_where_it_was_left(works: Works, new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(base_url=works.gallery.server.url)
    await page.goto(f"/en/works/{works.long}")
    await page.get_by_role("button", name=re.compile("Play")).first.click()
    await page.wait_for_function(MOVES)
    await page.evaluate("document.querySelector('video').currentTime = 62")
    await page.wait_for_function(
        "() => { const v = document.querySelector('video'); return v.currentTime > 62 && !v.seeking }"
    )
    await page.evaluate("document.querySelector('video').pause()")
    await page.reload()
    await page.get_by_role("button", name=re.compile("Resume at 1:0")).click()
    await page.wait_for_function("() => document.querySelector('video').currentTime > 62")


async def test_an_embed_plays_inside_another_page(page: Page, works: Works) -> None:
    await page.goto(f"/embed/work/{works.film}?lang=fr")
    await page.locator("[data-play]").click()
    await page.wait_for_function(MOVES)


async def test_withdrawal_stops_whoever_watches(
    works: Works, new_page: Callable[..., Awaitable[Page]], problems: Problems
) -> None:
    problems.expect("410")
    gallery, slug = works.gallery, works.long
    page = await new_page(base_url=gallery.server.url)
    await page.goto(f"/en/works/{slug}")
    await page.get_by_role("button", name=re.compile("Play")).first.click()
    await page.wait_for_function(MOVES)
    gallery.call("POST", f"/api/v1/works/{slug}/withdraw", "artist")
    await page.evaluate("document.querySelector('video').currentTime = 140")
    await expect(page.get_by_text("withdrawn by its artists")).to_be_visible()
    # On its way to being public again it is nobody's for a moment: what is still in flight would be refused otherwise.
    await page.close()
    gallery.publish(slug)


async def test_a_choice_of_captions_is_kept(works: Works, new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(base_url=works.gallery.server.url)
    shows = (
        "() => [...document.querySelector('video').textTracks].some(t => t.mode === 'showing' && t.activeCues?.length"
        " && t.activeCues[0].text.includes('cloche'))"
    )
    await page.goto(f"/en/works/{works.film}")
    await page.get_by_role("button", name=re.compile("Play")).first.click()
    await page.wait_for_function(MOVES)
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_role("radio", name="Français", exact=True).first.check()
    await page.wait_for_function(shows)
    await page.evaluate("document.querySelector('video').pause()")
    await page.reload()
    await page.locator("[data-play]").first.click()
    await page.wait_for_function(MOVES)
    await page.wait_for_function(shows)
