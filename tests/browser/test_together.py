"""A viewer of a premiere presses 'Sound on' once: countdown, works in step, the replay; nothing else is pressed or reloaded."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from showcase.media import ffmpeg
from tests import processes
from tests.browser.axe import axe
from tests.browser.conftest import Problems, Works
from tests.browser.test_other_players import run
from tests.browser.test_screenings import festival
from tests.gallery import running_gallery

IN_STEP = "() => Math.abs(document.querySelector('[data-together]').step.late ?? 9) < 0.5"
SAMPLE = """() => {
    const el = document.querySelector("[data-together]");
    const video = el.querySelector("video");
    window.seen = [];
    setInterval(() => {
        const track = [...video.textTracks].find((t) => t.mode === "showing");
        window.seen.push({
            at: performance.now(), time: video.currentTime, size: `${video.videoWidth}x${video.videoHeight}`,
            waiting: el.dataset.waiting ?? "", late: el.step?.late ?? null, muted: video.muted, paused: video.paused,
            cue: [...(track?.activeCues ?? [])].map((c) => c.text).join(" "),
            sound: video.webkitAudioDecodedByteCount,
        });
    }, 100);
}"""


@pytest.fixture
def base_url(works: Works) -> str:
    return works.gallery.server.url


@pytest_asyncio.fixture(loop_scope="session")
async def beside() -> AsyncIterator[Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]]:
    """A function that starts something beside the test; it ends with the test at the latest."""
    started: list[asyncio.Task[None]] = []

    def start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        started.append(asyncio.create_task(work))
        return started[-1]

    yield start
    for task in started:
        task.cancel()
    await asyncio.gather(*started, return_exceptions=True)


def premiere(works: Works, shown: list[str], starts: datetime, title: str, **given: Any) -> str:
    """A public premiere at a full minute, with four seconds between the works; returns its slug.

    Without a festival it gets one of its own: two cannot be on one channel at the same time.
    """
    if "festival" not in given:
        own = {
            "city": "linz", "timezone": "Europe/Vienna", "title": {"en": title, "fr": title}, "starts_on": "2026-01-01",
            "ends_on": "2026-12-31",
        }  # fmt: skip
        given["festival"] = works.gallery.call("POST", "/api/v1/festivals", "linz", own)["slug"]
        works.gallery.call("PATCH", f"/api/v1/festivals/{given['festival']}", "linz", {"state": "published"})
    new = {
        "kind": "premiere", "title": {"en": title, "fr": title}, "starts": starts.isoformat(),
        "slots": [{"work": slug, "pause": 4} for slug in shown],
    } | given  # fmt: skip
    slug = str(works.gallery.call("POST", "/api/v1/screenings", "linz", new)["slug"])
    works.gallery.call("POST", f"/api/v1/screenings/{slug}/publish", "linz")
    return slug


def next_minute(least_s: int) -> datetime:
    """A full minute at least so many seconds from now."""
    at = datetime.now(UTC) + timedelta(seconds=least_s + 59)
    return at.replace(second=0, microsecond=0)


async def recorded(works: Works, slug: str, into: Path) -> None:
    """What FFmpeg keeps of a channel in half a minute, by the line in docs/api.md."""
    play = works.gallery.call("POST", f"/api/v1/screenings/{slug}/play", None, {})
    base = works.gallery.server.url + str(play["hls"]).removesuffix("master.m3u8")
    await run(
        ffmpeg.binary(), "-v", "error", "-i", f"{base}v360/index.m3u8", "-i", f"{base}main/index.m3u8",
        "-map", "0:v", "-map", "1:a", "-c", "copy", "-t", "36", str(into),
    )  # fmt: skip


async def test_a_premiere_from_a_minute_before_to_its_replay(
    works: Works,
    new_page: Callable[..., Awaitable[Page]],
    beside: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    tmp_path: Path,
) -> None:
    starts = next_minute(25)
    shown = [works.film, works.upright, works.sound]
    until = (starts + timedelta(hours=1)).isoformat()
    slug = premiere(works, shown, starts, "Together", replay_until=until)
    page = await new_page(base_url=works.gallery.server.url, locale="fr-FR")
    await page.goto(f"/fr/screenings/{slug}")
    await expect(page.locator("[data-count]")).to_contain_text(":")
    assert await axe(page) == []
    await page.locator("[data-sound]").click()
    await page.wait_for_function(
        "() => document.querySelector('[data-together] [data-player]').dataset.state === 'playing'", timeout=90_000
    )
    await page.locator("media-captions-button").wait_for(state="attached")
    await page.evaluate("() => document.querySelector('media-captions-button').click()")
    await page.evaluate(SAMPLE)
    recording = beside(recorded(works, slug, tmp_path / "recorded.mkv"))
    # Somebody who comes late is let in at the present, without sound until they ask for it.
    await asyncio.sleep(max(0.0, (starts - datetime.now(UTC)).total_seconds() + 2))
    await page.wait_for_function("() => document.querySelector('[data-showing][aria-current=true]')")
    late = await new_page(base_url=works.gallery.server.url)
    await late.goto(f"/en/screenings/{slug}")
    asked: list[str] = []
    late.on("request", lambda request: asked.append(request.url))
    await late.wait_for_function("() => document.querySelector('[data-together]')?.step?.late != null", timeout=30_000)
    await late.get_by_role("button", name="Settings").click()
    await late.get_by_role("radio", name="Audio description").first.check()
    assert await late.evaluate("() => document.querySelector('[data-together] video').muted") is True
    assert await late.evaluate("() => document.querySelector('[data-together] video').videoHeight") >= 240
    await asyncio.sleep(max(0.0, (starts - datetime.now(UTC)).total_seconds() + 38))
    seen = await page.evaluate("() => window.seen")
    # However busy the machine is, both find their way to the same moment.
    for each in (page, late):
        await each.wait_for_function(IN_STEP, timeout=15_000)

    sizes = [s["size"] for n, s in enumerate(seen) if n == 0 or s["size"] != seen[n - 1]["size"]]
    shapes = [size for size in sizes if size in ("1280x720", "360x640")]
    assert "360x640" in shapes, sizes
    # Slate, the film, slate, the upright one, slate, the still of the sound: it never stood still in between.
    assert stalled(seen) == []
    assert not seen[-1]["muted"]
    # The described sound, whatever of the works has one.
    assert any("/ad/index.m3u8" in url for url in asked)
    # Captions of the film in the page's language, and none over the works that have none.
    cues = {s["cue"] for s in seen if s["size"] == "1280x720" and s["waiting"] == ""} - {""}
    assert cues, "no captions"
    assert {s["cue"] for s in seen if s["size"] == "360x640"} == {""}
    assert {"start", "between", ""} == {s["waiting"] for s in seen} - {"after"}
    await late.close()

    # FFmpeg wrote the same down, one rendition and the sound, right across the works: every picture of it is sound.
    await recording
    pictures, errors = await run(
        ffmpeg.binary(), "-v", "error", "-i", str(tmp_path / "recorded.mkv"), "-map", "0:v", "-map", "0:a",
        "-fps_mode", "passthrough", "-f", "framemd5", "-",
    )  # fmt: skip
    assert errors == ""
    # Slate, the film, slate, the upright one, slate: 36 seconds at 25 pictures a second, and no second is left out.
    assert len(re.findall(rb"^0,", pictures, re.MULTILINE)) >= 35 * 25

    # It is over at the full minute, and its page is that of the replay by itself.
    await expect(page.locator("[data-play]").first).to_be_visible(timeout=60_000)
    assert await page.locator("[data-together]").count() == 0
    await page.locator("[data-play]").first.click()
    await page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")


async def test_back_to_the_screening_after_a_pause(works: Works, page: Page) -> None:
    slug = premiere(works, [works.long], datetime.now(UTC).replace(second=0, microsecond=0), "Pause")
    await page.goto(f"/en/screenings/{slug}")
    await page.locator("[data-sound]").click()
    await page.wait_for_function("() => document.querySelector('[data-together]')?.step?.late != null", timeout=30_000)
    await page.evaluate("() => document.querySelector('[data-together] video').pause()")
    back = page.locator("[data-back]")
    await expect(back).to_be_visible()
    await asyncio.sleep(6)
    await back.click()
    await page.wait_for_function(IN_STEP, timeout=20_000)
    await expect(back).to_be_hidden()


async def test_a_channel_plays_around_the_clock(works: Works, page: Page) -> None:
    name = festival(works)
    await page.goto(f"/en/channels/{name}")
    await page.wait_for_function("() => document.querySelector('[data-together]')?.step?.late != null", timeout=30_000)
    assert await axe(page) == []
    # FFmpeg reads the same channel for a while without an error.
    play = works.gallery.call("POST", f"/api/v1/channels/{name}/play", None, {})
    address = works.gallery.server.url + str(play["hls"])
    _, errors = await run(
        ffmpeg.binary(), "-v", "error", "-t", "12", "-i", address, "-map", "0:v:0", "-map", "0:a:0", "-f", "null", "-"
    )
    assert [line for line in errors.splitlines() if "error" in line.lower()] == []


async def test_a_closed_premiere_begins_by_itself_for_whoever_typed_its_code(
    works: Works, page: Page, problems: Problems
) -> None:
    problems.expect("401")
    starts = next_minute(20)
    slug = premiere(
        works, [works.film], starts, "For the jury", closed=True, ends=(starts + timedelta(minutes=2)).isoformat()
    )
    path = f"/api/v1/screenings/{slug}/codes"
    code = works.gallery.call("POST", path, "linz", {"label": "The jury"})["code"]
    await page.goto(f"/en/screenings/{slug}")
    await page.locator("[data-sound]").click()
    await expect(page.locator("[data-message]")).to_contain_text("This is shown to invited guests.", timeout=90_000)
    assert await axe(page) == []
    await page.get_by_label("Access code").fill(code)
    await page.get_by_label("Access code").press("Enter")
    await page.wait_for_function("() => document.querySelector('[data-together]')?.step?.late != null", timeout=90_000)
    await page.wait_for_function("() => document.querySelector('[data-together] video').videoHeight >= 240")
    assert [c["uses"] for c in works.gallery.call("GET", path, "linz")["codes"]] == [1]


def stalled(seen: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """Seconds in which less than half a second was shown."""
    playing = [s for s in seen if not s["paused"]]
    return [
        (a, b)
        for a, b in zip(playing, playing[10:], strict=False)
        if b["time"] - a["time"] < 0.5 * (b["at"] - a["at"]) / 1000
    ]


async def test_edits_of_the_programme_make_no_viewer_stall(works: Works, page: Page) -> None:
    name = festival(works)
    await page.goto(f"/en/channels/{name}")
    await page.wait_for_function("() => document.querySelector('[data-together]')?.step?.late != null", timeout=30_000)
    await page.evaluate(SAMPLE)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    call = works.gallery.call
    slug = premiere(works, [works.upright], now + timedelta(minutes=5), "Edited", festival=name)
    for number in range(30):
        starts = now + timedelta(minutes=3 + number % 7)
        change = {"starts": starts.isoformat(), "ends": (starts + timedelta(minutes=1)).isoformat()}
        await asyncio.to_thread(call, "PATCH", f"/api/v1/screenings/{slug}", "linz", change)
        if number % 10 == 5:
            await asyncio.to_thread(call, "POST", f"/api/v1/screenings/{slug}/withdraw", "linz")
            await asyncio.to_thread(call, "POST", f"/api/v1/screenings/{slug}/publish", "linz")
        await asyncio.sleep(0.7)
    seen = await page.evaluate("() => window.seen")
    await asyncio.to_thread(call, "POST", f"/api/v1/screenings/{slug}/withdraw", "linz")
    assert len(seen) > 100
    assert stalled(seen) == []


async def test_a_server_that_starts_again_is_waited_for(
    new_page: Callable[..., Awaitable[Page]], problems: Problems, tmp_path: Path
) -> None:
    problems.expect("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|503")
    with running_gallery(tmp_path) as gallery:
        new = {
            "slug": "ars", "city": "linz", "timezone": "Europe/Vienna", "title": {"en": "Ars", "fr": "Ars"},
            "starts_on": "2026-01-01", "ends_on": "2026-12-31",
        }  # fmt: skip
        gallery.call("POST", "/api/v1/festivals", "linz", new)
        gallery.call("PATCH", "/api/v1/festivals/ars", "linz", {"state": "published"})
        page = await new_page(base_url=gallery.server.url)
        await page.goto("/en/channels/ars")
        await page.wait_for_function(
            "() => document.querySelector('[data-together]')?.step?.late != null", timeout=60_000
        )
        await page.evaluate("() => (window.mine = true)")
        os.kill(gallery.server.pid, signal.SIGKILL)
        await asyncio.sleep(10)
        log, port = tmp_path / "again.log", gallery.server.url.rpartition(":")[2]
        command = [sys.executable, "-m", "showcase", "serve", "--data", gallery.server.data, "--port", port]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SHOWCASE_")}
        again = processes.start(command, log, env=inherited)
        try:
            await asyncio.sleep(20)
            await page.wait_for_function(IN_STEP, timeout=30_000)
            # Nobody has reloaded, and it is in step again.
            state = await page.evaluate(
                "() => ({mine: window.mine, paused: document.querySelector('[data-together] video').paused})"
            )
            assert (state["mine"], state["paused"]) == (True, False)
            before = await page.evaluate("() => document.querySelector('[data-together] video').currentTime")
            await asyncio.sleep(3)
            after = await page.evaluate("() => document.querySelector('[data-together] video').currentTime")
            assert after - before > 1.5
        finally:
            processes.stop(again)
