"""The keyboard alone begins, uploads, describes, publishes and plays a work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import FileChooser, Page, expect

from tests.browser.conftest import Works
from tests.gallery import film

MOST_STEPS = 150


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on `selector`; it must be seen there."""
    for _ in range(MOST_STEPS):
        await page.keyboard.press("Tab")
        if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


async def choose_by_keys(page: Page, choosers: asyncio.Queue[FileChooser]) -> FileChooser:
    """Open the file chooser by Enter; a key that comes while the page is still busy may be lost, and is pressed again."""
    await page.wait_for_load_state("load")
    for patience_s in (5, 10, 20):
        await tab_to(page, "[data-upload-files]")
        await page.keyboard.press("Enter")
        try:
            return await asyncio.wait_for(choosers.get(), patience_s)
        except TimeoutError:
            continue
    raise AssertionError("Enter does not open the file chooser")


async def test_the_keyboard_alone_brings_a_work_to_the_public(
    works: Works, signed_in: Callable[..., Awaitable[Page]], tmp_path: Path
) -> None:
    film(tmp_path, name="keys.mp4")
    page = await signed_in("admin")
    # Listened for from the start: whoever begins to listen as the key is pressed may be late.
    choosers: asyncio.Queue[FileChooser] = asyncio.Queue()
    page.on("filechooser", choosers.put_nowait)
    await page.goto("/en/studio/new")
    await expect(page.locator("[name='title.en']")).to_be_focused()
    await page.keyboard.type("By Keys")
    await tab_to(page, "input[name=medium]")
    await tab_to(page, "input[name=cities][value=linz]")
    await page.keyboard.press("Space")
    await tab_to(page, "form[action$='/studio/new'] button")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/en/studio/works/by-keys")

    await (await choose_by_keys(page, choosers)).set_files(tmp_path / "keys.mp4")
    await expect(page.locator("[data-file-state=ready]")).to_be_visible(timeout=120_000)

    await tab_to(page, "[name='statement.en']")
    await page.keyboard.type("Typed.")
    await tab_to(page, "[name='content_notes.en']")
    await tab_to(page, "form[data-keep] .form-end button")
    await page.keyboard.press("Enter")
    await expect(page.locator("#saved")).to_be_visible()

    await tab_to(page, "input[name=view]")
    await page.keyboard.press("ArrowDown")
    await tab_to(page, "form[action$='/publish'] button")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-state].state-published")).to_be_visible()

    await page.goto("/en/works/by-keys")
    await tab_to(page, "[data-play]")
    await page.keyboard.press("Enter")
    await page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    works.gallery.call("POST", "/api/v1/works/by-keys/withdraw", "admin")
    works.gallery.call("DELETE", "/api/v1/works/by-keys", "admin")
