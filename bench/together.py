"""How well players are in step: two of ours and Shaka on one premiere for three minutes, across works and slates."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import works
from bench.figures import Figure
from tests.gallery import Gallery, film, running_gallery

SHAKA = Path(__file__).parents[1] / "node_modules" / "shaka-player" / "dist" / "shaka-player.compiled.js"
LENGTH_S, PAUSE_S, LAST_S = 50, 15, 180
NAMES = ("chromium", "chromium-browser", "google-chrome")
WATCH = """(shaka) => {
    const video = shaka ? document.querySelector("#shaka") : document.querySelector("[data-together] video");
    const step = () => shaka ? window.step : document.querySelector("[data-together]").step;
    window.seen = [];
    window.shapes = [];
    setInterval(() => {
        window.seen.push({ at: Date.now(), late: step()?.late ?? null, stalled: video.readyState < 3 });
    }, 100);
    let size = "";
    const frame = (now, about) => {
        const found = `${about.width}x${about.height}`;
        if (found !== size) window.shapes.push({ at: performance.timeOrigin + about.expectedDisplayTime, size: found });
        size = found;
        video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
}"""
SHAKA_PAGE = """async ([address, step, clock]) => {
    document.body.innerHTML = '<video id="shaka" muted autoplay style="width:640px"></video>';
    const video = document.querySelector("#shaka");
    const { Step } = await import(step);
    const { Clock } = await import(clock);
    shaka.polyfill.installAll();
    const player = (window.player = new shaka.Player());
    await player.attach(video);
    const time = new Clock();
    await time.start();
    await player.load(address);
    await video.play();
    window.step = new Step(video, () => player.getPlayheadTimeAsDate()?.getTime() ?? null, () => time.now());
}"""


def measure(folder: Path) -> list[Figure]:
    """Needs Chromium; the spread is over all moments at which all three play."""
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        raise RuntimeError("there is no Chromium on PATH")
    with running_gallery(folder) as gallery:
        tall = works.show(gallery, film(folder, size="360x640", seconds=LENGTH_S, name="tall.mp4"), "tall")
        square = works.show(gallery, film(folder, size="480x360", seconds=LENGTH_S, name="square.mp4"), "square")
        begins = (datetime.now(UTC) + timedelta(seconds=100)).replace(second=0, microsecond=0)
        slug = _premiere(gallery, [tall, square, tall], begins)
        return asyncio.run(_watch(gallery, chromium, slug, begins))


def _premiere(gallery: Gallery, shown: list[str], begins: datetime) -> str:
    new = {
        "slug": "step", "city": "linz", "timezone": "Europe/Vienna", "title": {"en": "Step"}, "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
    }  # fmt: skip
    gallery.call("POST", "/api/v1/festivals", "linz", new)
    gallery.call("PATCH", "/api/v1/festivals/step", "linz", {"state": "published"})
    screening = {
        "festival": "step", "kind": "premiere", "title": {"en": "In step"}, "starts": begins.isoformat(),
        "slots": [{"work": work, "pause": PAUSE_S} for work in shown],
    }  # fmt: skip
    slug = str(gallery.call("POST", "/api/v1/screenings", "linz", screening)["slug"])
    gallery.call("POST", f"/api/v1/screenings/{slug}/publish", "linz")
    return slug


async def _watch(gallery: Gallery, chromium: str, slug: str, begins: datetime) -> list[Figure]:
    from playwright.async_api import async_playwright

    url = gallery.server.url
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--mute-audio", "--disable-background-timer-throttling", "--disable-renderer-backgrounding"],
        )  # fmt: skip
        pages = []
        for _ in range(2):
            page = await (await browser.new_context(viewport={"width": 640, "height": 480})).new_page()
            await page.goto(f"{url}/en/screenings/{slug}")
            await page.locator("[data-sound]").click()
            pages.append(page)
        third = await (await browser.new_context(bypass_csp=True)).new_page()
        await third.goto(f"{url}/en/about")
        tree = await third.evaluate(
            "() => document.querySelector('link[href*=\"/static/\"]').href.match(/.*\\/static\\/[^/]+/)[0]"
        )
        await third.add_script_tag(path=str(SHAKA))
        await asyncio.sleep(max(0.0, (begins - datetime.now(UTC)).total_seconds() - 15))
        given = gallery.call("POST", f"/api/v1/screenings/{slug}/play", None, {}, X_Requested_With="showcase")
        await third.evaluate(SHAKA_PAGE, [url + given["hls"], f"{tree}/js/room/step.js", f"{tree}/js/room/clock.js"])
        for page in pages:
            await page.wait_for_function("() => document.querySelector('[data-together]')?.step?.late != null")
        for page, shaka in ((pages[0], False), (pages[1], False), (third, True)):
            await page.evaluate(WATCH, shaka)
        await asyncio.sleep(max(0.0, (begins - datetime.now(UTC)).total_seconds()) + LAST_S - 5)
        seen = [await page.evaluate("() => ({seen: window.seen, shapes: window.shapes})") for page in (*pages, third)]
        await browser.close()
    return _figures(seen, begins)


def _figures(seen: list[dict[str, Any]], begins: datetime) -> list[Figure]:
    if dump := os.environ.get("BENCH_DUMP"):
        Path(dump).write_text(json.dumps({"begins": begins.timestamp(), "seen": seen}))
    tenths: dict[int, list[float]] = {}
    for one in seen:
        for sample in one["seen"]:
            if sample["late"] is not None and sample["at"] / 1000 > begins.timestamp():
                tenths.setdefault(sample["at"] // 100, []).append(sample["late"] * 1000)
    spreads = [max(found) - min(found) for found in tenths.values() if len(found) == len(seen)]
    late = [abs(value) for found in tenths.values() for value in found]
    stalls = sum(sample["stalled"] for one in seen for sample in one["seen"])
    firsts = []
    for one in seen:
        for number, shape in enumerate(("360x640", "480x360", "360x640")):
            due = begins.timestamp() * 1000 + number * (LENGTH_S + PAUSE_S) * 1000
            near = [
                abs(s["at"] - due)
                for s in one["shapes"]
                if _portrait(s["size"]) == _portrait(shape) and abs(s["at"] - due) < 3000
            ]
            firsts += [min(near)] if near else []
    note = f"{len(spreads):,} moments in {LAST_S} s"
    return [
        Figure("together: spread of two hls.js and one Shaka, p95", statistics.quantiles(spreads, n=20)[18], "ms", 50, note),
        Figure("together: behind or ahead of the moment, p95", statistics.quantiles(late, n=20)[18], "ms", None, note),
        Figure("together: first frame of a work beside its moment, worst", max(firsts), "ms", 100, f"{len(firsts)} starts"),
        Figure("together: samples without a picture to show", stalls, "", 0),
    ]  # fmt: skip


def _portrait(size: str) -> str:
    width, _, height = size.partition("x")
    return "tall" if int(width) < int(height) else "square" if int(width) * 3 == int(height) * 4 else "slate"
