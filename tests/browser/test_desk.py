"""The desk's timeline in a browser: by pointer and by key, two people at once, what stands against a move, undo."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import FloatRect, Locator, Page, Route, expect

from tests.browser.axe import axe
from tests.browser.conftest import Problems, Works

VIENNA = ZoneInfo("Europe/Vienna")
DAY = "2031-05-14"
WIDE = {"width": 1440, "height": 1000}
Enter = Callable[..., Awaitable[Page]]
_numbers = itertools.count(1)


@pytest.fixture
def base_url(works: Works) -> str:
    return works.gallery.server.url


@pytest.fixture
def fest(works: Works) -> str:
    """A festival of Linz of its own, with two rooms beside the channel's."""
    new = {
        "slug": f"desk-{next(_numbers)}", "city": "linz", "timezone": "Europe/Vienna", "title": {"en": "Desk", "fr": "Régie"},
        "starts_on": DAY, "ends_on": "2031-05-17", "rooms": ["Hall", "Attic"],
    }  # fmt: skip
    return str(works.gallery.call("POST", "/api/v1/festivals", "linz", new)["slug"])


def at(clock: str, day: str = DAY) -> str:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=VIENNA).isoformat()


def shown(works: Works, fest: str, title: str, begin: str, end: str, **given: Any) -> str:
    """A premiere of a work that is ready, or what else is given; returns its slug."""
    new = {
        "festival": fest, "kind": "premiere", "title": {"en": title, "fr": title}, "starts": at(begin), "ends": at(end),
        "slots": [{"work": works.long}],
    }  # fmt: skip
    return str(works.gallery.call("POST", "/api/v1/screenings", "linz", new | given)["slug"])


def stands(works: Works, slug: str) -> tuple[str, str, str]:
    """From when to when on the clock of Linz, and where."""
    one = works.gallery.call("GET", f"/api/v1/screenings/{slug}", "linz")
    return one["starts"][11:16], one["ends"][11:16], one["room"]


async def opened(signed_in: Enter, fest: str, who: str = "linz", query: str = f"?day={DAY}", **options: Any) -> Page:
    page = await signed_in(who, **({"viewport": WIDE, "reduced_motion": "reduce"} | options))
    await page.goto(f"/en/desk/festivals/{fest}{query}")
    await page.locator("[data-desk][data-live]").wait_for()
    return page


async def box(found: Locator) -> FloatRect:
    await found.scroll_into_view_if_needed()
    made = await found.bounding_box()
    assert made is not None
    return made


def block(page: Page, slug: str) -> Locator:
    return page.locator(f'[data-slot="{slug}"]')


async def hour(page: Page) -> float:
    """How many pixels an hour is."""
    return (await box(page.locator("[data-track]").first))["width"] / 24


async def pull(page: Page, x: float, y: float, to_x: float, to_y: float) -> None:
    """Press, move in steps and stay."""
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + (to_x - x) / 2, y + (to_y - y) / 2, steps=4)
    await page.mouse.move(to_x, to_y, steps=4)


async def said(page: Page, text: str) -> None:
    await expect(page.locator("[data-said]")).to_contain_text(text)


async def test_dragging_moves_a_block_to_another_time_and_room(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    here, row = await box(block(page, slug).locator(".slot-block")), await box(page.locator('[data-room="Attic"]'))
    x, y = here["x"] + here["width"] / 2, here["y"] + 20
    # An hour and 17 minutes later is an hour and a quarter: it goes by five minutes.
    await pull(page, x, y, x + await hour(page) * 1.29, row["y"] + 20)
    await expect(page.locator(".desk-say")).to_contain_text("13:15–15:15, Attic")
    await page.mouse.up()
    await said(page, "Saved. Tides")
    assert stands(works, slug) == ("13:15", "15:15", "Attic")
    await expect(page.locator('[data-room="Attic"] [data-slot]')).to_have_count(1)
    await expect(page.locator("[data-table]")).to_contain_text("13:15")
    # It was no visit.
    assert await page.locator("dialog[open]").count() == 0


async def test_an_edge_lengthens_and_escape_lets_go(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    here = await box(block(page, slug).locator(".slot-block"))
    right, y = here["x"] + here["width"] - 2, here["y"] + 20
    await pull(page, right, y, right + await hour(page), y)
    await page.keyboard.press("Escape")
    await page.mouse.up()
    assert await box(block(page, slug).locator(".slot-block")) == here
    # Letting go is no visit.
    assert await page.locator("dialog[open]").count() == 0
    await pull(page, right, y, right + await hour(page), y)
    await page.mouse.up()
    await said(page, "12:00–15:00")
    assert stands(works, slug) == ("12:00", "15:00", "")
    left = here["x"] + 2
    await pull(page, left, y, left - await hour(page) / 2, y)
    await page.mouse.up()
    await said(page, "11:30–15:00")
    assert stands(works, slug) == ("11:30", "15:00", "")


async def test_keys_move_resize_and_put_back(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    await block(page, slug).locator("a").focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "ArrowDown", "Control+ArrowRight", "Alt+ArrowRight"):
        await page.keyboard.press(key)
    await said(page, "13:05–15:15, Hall. Enter saves")
    assert stands(works, slug) == ("12:00", "14:00", "")
    await page.keyboard.press("Escape")
    await said(page, "Put back, not saved")
    await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await said(page, "Saved. Tides")
    assert stands(works, slug) == ("11:00", "13:00", "Hall")
    # The focus stays, so that one can go on.
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Enter")
    await said(page, "10:55–12:55")
    assert stands(works, slug) == ("10:55", "12:55", "Hall")


async def test_a_work_from_the_shelf_becomes_a_draft_where_it_is_dropped(
    works: Works, fest: str, signed_in: Enter
) -> None:
    page = await opened(signed_in, fest)
    work, row = page.locator(f'[data-work="{works.long}"]'), await box(page.locator('[data-room="Hall"] [data-track]'))
    start = await box(work.locator(".shelf-of"))
    await pull(page, start["x"] + 4, start["y"] + 6, row["x"] + row["width"] * 16 / 24 + 0.5, row["y"] + 20)
    await expect(page.locator(".desk-say")).to_contain_text("16:00–16:03, Hall")
    await expect(page.locator("[data-clocks-at]")).to_have_text("at Wed 14 May, 16:00")
    await page.mouse.up()
    await said(page, "A draft is made. Long")
    found = works.gallery.call("GET", f"/api/v1/screenings?festival={fest}", "linz")["screenings"]
    assert [(s["kind"], s["state"], s["room"], s["title"], s["starts"], s["ends"][11:16]) for s in found] == [
        ("premiere", "draft", "Hall", {"en": "Long", "fr": "Longue"}, at("16:00"), "16:03")
    ]
    # Onto the premiere: one work more, and as much longer.
    other, target = (
        page.locator(f'[data-work="{works.film}"]'),
        await box(block(page, found[0]["slug"]).locator(".slot-block")),
    )
    start = await box(other.locator(".shelf-of"))
    await pull(page, start["x"] + 4, start["y"] + 6, target["x"] + 2, target["y"] + 20)
    await expect(page.locator(".desk-say")).to_contain_text("Add to “Long”")
    await page.mouse.up()
    await said(page, "Added. Long")
    one = works.gallery.call("GET", f"/api/v1/screenings/{found[0]['slug']}", "linz")
    assert ([s["work"] for s in one["slots"]], one["ends"][11:16]) == ([works.long, works.film], "16:04")
    # Down where things are on demand, it stays for a day.
    row = await box(page.locator('[data-row="on_demand"] [data-track]'))
    start = await box(work.locator(".shelf-of"))
    await pull(page, start["x"] + 4, start["y"] + 6, row["x"] + row["width"] * 10 / 24 + 0.5, row["y"] + 10)
    await page.mouse.up()
    await said(page, "A draft is made. Long: Wed 14 May, 10:00 – Thu 15 May, 10:00, On demand")


async def test_an_image_goes_only_where_things_are_on_demand(works: Works, fest: str, signed_in: Enter) -> None:
    page = await opened(signed_in, fest)
    start = await box(page.locator(f'[data-work="{works.picture}"] .shelf-of'))
    row = await box(page.locator('[data-room="Hall"] [data-track]'))
    await pull(page, start["x"] + 4, start["y"] + 6, row["x"] + row["width"] / 2, row["y"] + 20)
    await expect(page.locator(".desk-say")).to_contain_text("only be shown on demand")
    await page.mouse.up()
    await page.get_by_role("button", name="Put into… Still").click()
    assert await page.get_by_label("Room", exact=True).locator("option:not(:disabled)").all_inner_texts() == [
        "On demand"
    ]
    assert works.gallery.call("GET", f"/api/v1/screenings?festival={fest}", "linz")["screenings"] == []


async def test_a_work_is_put_into_a_room_by_key_and_doubled(works: Works, fest: str, signed_in: Enter) -> None:
    page = await opened(signed_in, fest)
    await page.get_by_label("Find a work").fill("lONg")
    await expect(page.locator(".shelf-work:visible")).to_have_count(2)
    await page.get_by_role("button", name="Put into… Long").press("Enter")
    await page.get_by_label("Room", exact=True).select_option("Attic")
    await page.get_by_label("From, on the clock of Europe/Vienna").fill(f"{DAY}T18:30")
    await page.get_by_role("button", name="Make a draft").click()
    await said(page, "Long: Wed 14 May, 18:30–18:33, Attic")
    first = page.locator('[data-room="Attic"] [data-slot] a')
    await expect(first).to_be_focused()
    await page.keyboard.press("d")
    await said(page, "Long: Wed 14 May, 18:33–18:36, Attic")
    await expect(page.locator('[data-room="Attic"] [data-slot]')).to_have_count(2)


@pytest.mark.parametrize(
    ("now", "proposed"),
    [("09:00", "12:00"), ("18:07", "18:15"), ("23:50", "23:51"), ("00:00+24", "12:00")],
)
async def test_a_work_is_not_put_into_the_past_unasked(
    works: Works, fest: str, signed_in: Enter, now: str, proposed: str
) -> None:
    page = await opened(signed_in, fest)
    clock, _, later = now.partition("+")
    await page.clock.set_fixed_time(datetime.fromisoformat(at(clock)) + timedelta(hours=int(later or 0)))
    await page.get_by_role("button", name="Put into… Long").press("Enter")
    start = page.get_by_label("From, on the clock of Europe/Vienna")
    await expect(start).to_have_value(f"{DAY}T{proposed}")
    # What somebody typed, or goes on from the last one, stays, past or not.
    await start.fill(f"{DAY}T08:00")
    await page.get_by_role("button", name="Make a draft").click()
    await said(page, "Long: Wed 14 May, 08:00–08:03, On the channel")
    await page.get_by_role("button", name="Put into… Long").press("Enter")
    await expect(start).to_have_value(f"{DAY}T08:03")


async def test_what_stands_against_a_place_is_said_while_it_is_dragged_there(
    works: Works, fest: str, signed_in: Enter
) -> None:
    shown(works, fest, "In the way", "16:00", "18:00", room="Hall")
    slug = shown(works, fest, "Tides", "12:00", "14:00", room="Hall")
    page = await opened(signed_in, fest)
    here = await box(block(page, slug).locator(".slot-block"))
    x, y = here["x"] + here["width"] / 2, here["y"] + 20
    await pull(page, x, y, x + await hour(page) * 3, y)
    bubble = page.locator(".desk-say")
    # At once what this page knows, then the server's word.
    await expect(bubble).to_contain_text("At this time “In the way” is")
    await expect(bubble).to_contain_text("Move one of them, or give it another room.")
    await expect(bubble).to_contain_text("“Long” has no captions.")
    await expect(page.locator(".slot-clash")).to_have_count(1)
    await page.mouse.up()
    await said(page, "15:00–17:00")
    await expect(block(page, slug).locator(".flag-warning")).to_have_text("2")
    await block(page, slug).locator("a").click()
    await page.get_by_role("button", name="Move it to the next free time").click()
    await said(page, "18:00–20:00")
    assert stands(works, slug) == ("18:00", "20:00", "Hall")


async def test_the_other_persons_change_appears_by_itself(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    mine, theirs = await opened(signed_in, fest), await opened(signed_in, fest, "admin")
    await block(theirs, slug).locator("a").focus()
    await theirs.keyboard.press("Shift+ArrowRight")
    await theirs.keyboard.press("Enter")
    await expect(block(mine, slug)).to_have_attribute("data-starts", re.compile(r"T11:00"))
    await expect(mine.locator("[data-notes]")).to_contain_text(
        "Somebody else changed “Tides”: Wed 14 May, 13:00–15:00, On the channel."
    )
    # Who made the change is not told of it.
    await expect(theirs.locator("[data-notes] .desk-note")).to_have_count(0)
    works.gallery.call("DELETE", f"/api/v1/screenings/{slug}", "linz")
    await expect(block(mine, slug)).to_have_count(0)
    await expect(mine.locator("[data-notes]")).to_contain_text("Somebody else removed “Tides”.")


async def test_the_line_comes_back_after_an_answer_that_is_no_stream(
    works: Works, fest: str, signed_in: Enter, problems: Problems
) -> None:
    problems.expect("502")
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await signed_in("linz", viewport=WIDE, reduced_motion="reduce")

    async def proxy(route: Route) -> None:
        await route.fulfill(status=502, content_type="text/html", body="Bad Gateway")

    await page.route("**/api/v1/events*", proxy)
    await page.goto(f"/en/desk/festivals/{fest}?day={DAY}")
    away = page.get_by_text("What others change does not come in right now.").first
    await expect(away).to_be_visible(timeout=10_000)
    works.gallery.call("PATCH", f"/api/v1/screenings/{slug}", "admin", {"starts": at("20:00"), "ends": at("22:00")})
    await page.unroute("**/api/v1/events*")
    await expect(block(page, slug)).to_have_attribute("data-starts", re.compile(r"T18:00"), timeout=10_000)
    await expect(page.locator("[data-away]")).to_be_hidden()
    # A page that is left and shown again, as the browser kept it.
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    works.gallery.call("PATCH", f"/api/v1/screenings/{slug}", "admin", {"starts": at("16:00"), "ends": at("18:00")})
    await page.wait_for_timeout(1_000)
    await expect(block(page, slug)).to_have_attribute("data-starts", re.compile(r"T18:00"))
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await expect(block(page, slug)).to_have_attribute("data-starts", re.compile(r"T14:00"))


async def test_while_a_block_is_held_nothing_moves_under_it(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    other = shown(works, fest, "Ebb", "16:00", "17:00", room="Hall")
    page = await opened(signed_in, fest)
    await block(page, slug).locator("a").focus()
    await page.keyboard.press("Shift+ArrowRight")
    works.gallery.call("PATCH", f"/api/v1/screenings/{other}", "admin", {"starts": at("18:00"), "ends": at("19:00")})
    await page.wait_for_timeout(1_000)
    await expect(block(page, other)).to_have_attribute("data-starts", re.compile(r"T14:00"))
    await page.keyboard.press("Enter")
    await expect(block(page, other)).to_have_attribute("data-starts", re.compile(r"T16:00"))
    await expect(page.locator("[data-notes]")).to_contain_text("Somebody else changed “Ebb”")
    await expect(page.locator("[data-notes] .desk-note")).to_have_count(1)
    assert stands(works, slug) == ("13:00", "15:00", "")


async def test_a_stale_move_is_refused_told_and_can_be_made_all_the_same(
    works: Works, fest: str, signed_in: Enter, problems: Problems
) -> None:
    problems.expect("409")
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    await block(page, slug).locator("a").focus()
    await page.keyboard.press("Shift+ArrowRight")
    # While it is in the hand, somebody else moves it.
    works.gallery.call("PATCH", f"/api/v1/screenings/{slug}", "admin", {"starts": at("20:00"), "ends": at("22:00")})
    await page.wait_for_timeout(800)
    await page.keyboard.press("Enter")
    note = page.locator(".desk-note", has_text="Your change to")
    await expect(note).to_contain_text(
        "now Wed 14 May, 20:00–22:00, On the channel. Your change to Wed 14 May, 13:00–15:00"
    )
    assert stands(works, slug) == ("20:00", "22:00", "")
    await expect(block(page, slug)).to_have_attribute("data-starts", re.compile(r"T18:00"))
    await note.get_by_role("button", name="Move it there all the same").click()
    await said(page, "Saved. Tides: Wed 14 May, 13:00–15:00")
    assert stands(works, slug) == ("13:00", "15:00", "")


async def test_undo_takes_back_in_order_and_not_what_others_changed(
    works: Works, fest: str, signed_in: Enter, problems: Problems
) -> None:
    problems.expect("409")
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    undo = page.get_by_role("button", name="Undo")
    await expect(undo).to_be_disabled()
    await block(page, slug).locator("a").focus()
    for keys, text in (
        (("ArrowRight",), "12:05"),
        (("ArrowDown",), "12:05–14:05, Hall"),
        (("Control+ArrowLeft",), "12:05–14:00, Hall"),
    ):
        for key in (*keys, "Enter"):
            await page.keyboard.press(key)
        await said(page, f"Saved. Tides: Wed 14 May, {text}")
    await page.keyboard.press("d")
    await said(page, "A draft is made")
    await page.keyboard.press("Control+z")
    await said(page, "Taken back: Tides is gone.")
    await page.keyboard.press("Control+z")
    await said(page, "12:05–14:05, Hall")
    await undo.click()
    await said(page, "12:05–14:05, On the channel")
    assert stands(works, slug) == ("12:05", "14:05", "")
    works.gallery.call("PATCH", f"/api/v1/screenings/{slug}", "admin", {"starts": at("20:00"), "ends": at("22:00")})
    await expect(block(page, slug)).to_have_attribute("data-starts", re.compile(r"T18:00"))
    await undo.click()
    await expect(page.locator("[data-notes]")).to_contain_text("Somebody changed it since.")
    assert stands(works, slug) == ("20:00", "22:00", "")
    await expect(undo).to_be_disabled()


async def moved(page: Page, slug: str, *keys: str) -> None:
    """Move a block by keys, each saved by itself."""
    await block(page, slug).locator("a").focus()
    for key in keys:
        before = await block(page, slug).get_attribute("data-revision")
        await page.keyboard.press(key)
        await page.keyboard.press("Enter")
        await expect(block(page, slug)).not_to_have_attribute("data-revision", str(before))


async def test_undo_waits_its_turn_and_a_held_key_is_one_undo(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)

    async def slow(route: Route) -> None:
        await asyncio.sleep(0.3)
        await route.continue_()

    await moved(page, slug, "Shift+ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight")
    assert stands(works, slug) == ("15:00", "17:00", "Hall")
    await page.route("**/api/v1/screenings/*", slow)
    await page.keyboard.down("Control")
    for _ in range(4):
        await page.keyboard.down("z")
    await page.keyboard.up("z")
    await said(page, "Taken back. Tides: Wed 14 May, 14:00–16:00, Hall")
    await page.wait_for_timeout(700)
    assert stands(works, slug) == ("14:00", "16:00", "Hall")
    for _ in range(3):
        await page.keyboard.press("z")
    await said(page, "Taken back. Tides: Wed 14 May, 12:00–14:00, On the channel")
    await page.keyboard.up("Control")
    assert stands(works, slug) == ("12:00", "14:00", "")
    await expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    await expect(page.locator(".desk-note")).to_have_count(0)


async def test_what_could_not_be_sent_can_be_undone_later(
    works: Works, fest: str, signed_in: Enter, problems: Problems
) -> None:
    problems.expect("ERR_FAILED|503")
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    await moved(page, slug, "Shift+ArrowRight")
    undo, note = page.get_by_role("button", name="Undo"), page.locator(".desk-note")

    async def away(route: Route) -> None:
        await route.abort()

    async def busy(route: Route) -> None:
        await route.fulfill(status=503, json={"code": "busy", "detail": "Too busy."})

    for fails, text in ((away, "The server cannot be reached"), (busy, "Too busy.")):
        await page.route("**/api/v1/screenings/*", fails)
        await undo.click()
        await expect(note.first).to_contain_text(text)
        await expect(undo).to_be_enabled()
        await page.unroute("**/api/v1/screenings/*")
    await undo.click()
    await said(page, "Taken back.")
    assert stands(works, slug) == ("12:00", "14:00", "")


async def test_what_was_done_before_publishing_can_still_be_undone(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    sheet, undo = page.locator("[data-sheet-frame]"), page.get_by_role("button", name="Undo")
    await moved(page, slug, "Shift+ArrowRight", "Shift+ArrowRight")
    await block(page, slug).locator("a").press("Enter")
    await sheet.get_by_role("button", name="Make it public").click()
    await expect(sheet).to_contain_text("the public will see it with the festival")
    await page.keyboard.press("Escape")
    await undo.click()
    await said(page, "Taken back. Tides: Wed 14 May, 13:00–15:00")
    await block(page, slug).locator("a").press("Enter")
    await sheet.get_by_role("button", name="Withdraw at once").click()
    await page.get_by_role("dialog").last.get_by_role("button", name="Withdraw at once").click()
    await said(page, "Tides is withdrawn.")
    await undo.click()
    await said(page, "Taken back. Tides: Wed 14 May, 12:00–14:00")
    assert stands(works, slug) == ("12:00", "14:00", "")
    # What was made and is public by now does not just go.
    await block(page, slug).locator("a").press("d")
    await said(page, "A draft is made.")
    made = str(await page.locator('[data-slot][data-state="draft"]').get_attribute("data-slot"))
    await block(page, made).locator("a").press("Enter")
    await sheet.get_by_role("button", name="Make it public").click()
    await expect(sheet).to_contain_text("the public will see it with the festival")
    await page.keyboard.press("Escape")
    await undo.click()
    await expect(page.locator(".desk-note")).to_contain_text("It is no longer a draft.")
    await expect(block(page, made)).to_have_attribute("data-state", "published")
    # What one deletes oneself leaves nothing to undo.
    await moved(page, made, "Shift+ArrowRight")
    works.gallery.call("POST", f"/api/v1/screenings/{made}/withdraw", "linz")
    await expect(block(page, made)).to_have_attribute("data-state", "withdrawn")
    await block(page, made).locator("a").press("Enter")
    await sheet.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").last.get_by_role("button", name="Delete").click()
    await expect(block(page, made)).to_have_count(0)
    await expect(undo).to_be_disabled()


async def test_publishing_lists_what_the_public_gets_and_waits_for_errors(
    works: Works, fest: str, signed_in: Enter
) -> None:
    slug = shown(works, fest, "Tides", "12:00", "12:01")
    page = await opened(signed_in, fest)
    link = block(page, slug).locator("a")
    await link.press("Enter")
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_contain_text("with it, this becomes public")
    await expect(sheet).to_contain_text("Its works take 2:30")
    await expect(sheet.get_by_role("button", name="Make it public")).to_be_disabled()
    assert await axe(page) == []
    await sheet.get_by_role("button", name="Let it end later").click()
    await said(page, "12:00–12:03")
    await link.press("Enter")
    await sheet.get_by_role("button", name="Make it public").click()
    await expect(sheet).to_contain_text("the public will see it with the festival")
    await page.keyboard.press("Escape")
    await expect(block(page, slug)).to_have_attribute("data-state", "published")
    await expect(link).to_be_focused()
    await link.press("Enter")
    await sheet.get_by_role("button", name="Withdraw at once").click()
    await page.get_by_role("dialog").last.get_by_role("button", name="Withdraw at once").click()
    await expect(block(page, slug)).to_have_attribute("data-state", "withdrawn")


async def test_the_panels_fields_move_it_too(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest, viewport={"width": 320, "height": 800}, has_touch=True)
    await block(page, slug).locator("a").tap()
    sheet = page.get_by_role("dialog")
    await sheet.get_by_label("From").fill(f"{DAY}T09:10")
    await sheet.get_by_label("Until").fill(f"{DAY}T10:00")
    await sheet.get_by_label("Room", exact=True).select_option("Hall")
    await sheet.get_by_role("button", name="Move", exact=True).click()
    await said(page, "09:10–10:00, Hall")
    assert stands(works, slug) == ("09:10", "10:00", "Hall")


async def test_what_changed_while_the_panel_was_open_is_not_overwritten(
    works: Works, fest: str, signed_in: Enter, problems: Problems
) -> None:
    problems.expect("409")
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    await block(page, slug).locator("a").click()
    sheet = page.get_by_role("dialog")
    await sheet.get_by_label("Until").fill(f"{DAY}T15:00")
    works.gallery.call("PATCH", f"/api/v1/screenings/{slug}", "admin", {"starts": at("20:00"), "ends": at("22:00")})
    await expect(block(page, slug)).to_have_attribute("data-starts", re.compile(r"T18:00"))
    await sheet.get_by_role("button", name="Move", exact=True).click()
    await expect(page.locator("[data-notes]")).to_contain_text("Your change to Wed 14 May, 12:00–15:00")
    assert stands(works, slug) == ("20:00", "22:00", "")
    await block(page, slug).locator("a").click()
    works.gallery.call("PATCH", f"/api/v1/screenings/{slug}", "admin", {"title": {"en": "Ebb"}})
    await expect(block(page, slug).locator("[data-title]")).to_have_text("Ebb")
    await sheet.get_by_role("button", name="Make it public").click()
    await expect(sheet).to_contain_text("Look at it and try again.")
    await expect(sheet.get_by_role("heading", name="Ebb")).to_be_visible()
    await expect(block(page, slug)).to_have_attribute("data-state", "draft")


@pytest.mark.parametrize("way", ["ltr", "rtl"])
async def test_a_click_beside_the_panel_closes_it(way: str, works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    await page.evaluate("way => document.documentElement.dir = way", way)
    await block(page, slug).locator("a").press("Enter")
    sheet = page.locator("[data-sheet-frame]")
    await expect(sheet.get_by_role("heading", name="Tides")).to_be_visible()
    here = await box(sheet)
    assert (here["x"] > 0) == (way == "ltr")
    # Its own margin is not beside it.
    await page.mouse.click(here["x"] + 4, 500)
    await expect(sheet).to_be_visible()
    await page.mouse.click(here["x"] - 20 if way == "ltr" else here["x"] + here["width"] + 20, 500)
    await expect(sheet).to_be_hidden()


async def test_a_replay_lies_among_what_is_on_demand(works: Works, fest: str, signed_in: Enter) -> None:
    shown(works, fest, "Tides", "12:00", "14:00", replay_until=at("20:00"))
    page = await opened(signed_in, fest)
    replay = page.locator('[data-row="on_demand"] .slot-replay')
    await expect(replay).to_contain_text("replay until")
    await replay.locator("a").click()
    await expect(page.get_by_role("dialog").get_by_role("heading", name="Tides")).to_be_visible()


async def test_days_and_zooms_change_in_place_and_undo_stays(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    await block(page, slug).locator("a").focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await said(page, "12:05")
    await page.get_by_role("link", name="All of it").click()
    await page.wait_for_url("**zoom=all**")
    await expect(page.locator("[data-window]")).to_have_text("14–17 May 2031")
    await expect(page.locator(".desk-day")).to_have_count(4)
    await page.get_by_role("link", name="3 days").click()
    await page.get_by_role("link", name="Later").click()
    await page.wait_for_url("**day=2031-05-17")
    await expect(block(page, slug)).to_have_count(0)
    await page.go_back()
    await expect(block(page, slug)).to_have_count(1)
    await page.get_by_role("button", name="Undo").click()
    await said(page, "12:00–14:00")


async def test_other_cities_clocks_go_with_the_chosen_block(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00")
    page = await opened(signed_in, fest)
    await block(page, slug).locator("a").focus()
    gwangju = page.locator("[data-clocks] li", has_text="Gwangju")
    await expect(gwangju.locator("time")).to_have_text("19:00")
    await expect(page.locator("[data-clocks-at]")).to_have_text("at Wed 14 May, 12:00")
    await expect(page.locator("[data-clocks] li.night", has_text="Guadalajara")).to_have_count(1)
    await expect(page.locator("[data-clocks] li.night", has_text="Dakar")).to_have_count(0)


async def test_on_the_day_of_25_hours_a_block_lands_where_it_is_put(works: Works, signed_in: Enter) -> None:
    new = {
        "slug": f"desk-{next(_numbers)}", "city": "linz", "timezone": "Europe/Vienna", "title": {"en": "Clocks"}, "starts_on": "2031-10-26",
        "ends_on": "2031-10-26",
    }  # fmt: skip
    fest = works.gallery.call("POST", "/api/v1/festivals", "linz", new)["slug"]
    day = "2031-10-26"
    slug = shown(works, fest, "Tides", "12:00", "14:00", starts=at("12:00", day), ends=at("14:00", day))
    page = await opened(signed_in, fest, query=f"?day={day}")
    here, track = await box(block(page, slug).locator(".slot-block")), await box(page.locator("[data-track]").first)
    # Noon is 13 hours after that midnight.
    assert abs(here["x"] - track["x"] - track["width"] * 13 / 25) < 1
    x, y = here["x"] + here["width"] / 2, here["y"] + 20
    await pull(page, x, y, x - track["width"] * 12 / 25, y)
    await page.mouse.up()
    # Twelve hours before: from 01:00 to 02:00, the second time; kept is what the clock shows, of which the first counts.
    await said(page, "Saved. Tides")
    assert stands(works, slug)[0] == "01:00"


async def test_it_reads_without_javascript(works: Works, fest: str, signed_in: Enter) -> None:
    slug = shown(works, fest, "Tides", "12:00", "14:00", room="Hall")
    page = await signed_in("linz", viewport=WIDE)
    state = await page.context.storage_state()
    assert page.context.browser is not None
    context = await page.context.browser.new_context(
        base_url=works.gallery.server.url, storage_state=state, java_script_enabled=False, viewport=WIDE
    )
    plain = await context.new_page()
    await plain.goto(f"/en/desk/festivals/{fest}?day={DAY}")
    assert await plain.locator('[data-room="Hall"] .slot-title').all_inner_texts() == ["1\nTides"]
    await plain.get_by_role("link", name="Later").click()
    assert "15 May 2031" in await plain.locator("[data-window]").inner_text()
    await plain.get_by_role("link", name="Earlier").click()
    await block(plain, slug).locator("a").click()
    assert plain.url.endswith(f"/desk/screenings/{slug}")
    await context.close()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [320, 768, 1440])
async def test_axe_finds_nothing(width: int, scheme: str, works: Works, fest: str, signed_in: Enter) -> None:
    shown(works, fest, "A title that is longer than any block " * 3, "12:00", "14:00", room="Hall")
    shown(works, fest, "Tides", "12:30", "12:31", room="Hall")
    live = shown(works, fest, "Talk", "12:00", "13:00", kind="live", slots=[])
    shown(works, fest, "Open", "10:00", "12:00", kind="on_demand")
    works.gallery.call("POST", f"/api/v1/screenings/{live}/publish", "linz")
    page = await opened(signed_in, fest, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for lang, zoom in (("en", "day"), ("fr", "all"), ("fr", "three"), ("en", "hours")):
        await page.goto(f"/{lang}/desk/festivals/{fest}?zoom={zoom}&day={DAY}")
        await page.locator("[data-desk][data-live]").wait_for()
        await page.locator(".slot a").first.focus()
        assert await axe(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


async def test_of_two_hundred_screenings_each_is_there(works: Works, fest: str, signed_in: Enter) -> None:
    first = datetime.fromisoformat(f"{DAY}T00:00").replace(tzinfo=VIENNA)
    for n in range(200):
        starts = first + timedelta(minutes=28 * n)
        shown(
            works,
            fest,
            f"Number {n}",
            "12:00",
            "13:00",
            starts=starts.isoformat(),
            ends=(starts + timedelta(minutes=20)).isoformat(),
        )
    page = await opened(signed_in, fest, query="?zoom=all")
    await expect(page.locator("[data-slot]")).to_have_count(200)
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
