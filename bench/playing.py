"""How soon a work plays in Chromium on a slow line, and whether it goes on."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from bench import works
from bench.figures import Figure, load
from tests.browser.conftest import ARGUMENTS, NAMES
from tests.gallery import running_gallery

BITS, LATENCY_MS = 2_000_000, 150
SECONDS = 30
WATCHED_MS = 20_000
VISITORS = 3
TIMEOUT_MS = 60_000
LINE = {
    "offline": False,
    "latency": LATENCY_MS,
    "downloadThroughput": BITS / 8,
    "uploadThroughput": BITS / 8,
}
# performance.now() counts from the navigation. Media events do not bubble, but they can be caught on the way down.
WATCH = """
const seen = (window.seen = { enabled: 0, clicked: 0, moving: 0, stalls: [] });
let last = 0;
addEventListener("click", () => (seen.clicked ||= performance.now()), true);
addEventListener("waiting", (event) => seen.moving && seen.stalls.push(event.target.currentTime), true);
(function watch() {
  if (document.querySelector("[data-play]:not([disabled])")) seen.enabled ||= performance.now();
  const time = document.querySelector("video")?.currentTime ?? 0;
  if (last > 0 && time > last) seen.moving = performance.now();
  else requestAnimationFrame(watch);
  last = time;
})();
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """Milliseconds from the navigation until the button could be pressed, was pressed, and the picture moved; stalls."""

    enabled: float
    clicked: float
    moving: float
    stalls: list[float]

    @property
    def from_click_s(self) -> float:
        """Seconds from the click to a moving picture."""
        return (self.moving - self.clicked) / 1_000


def measure(folder: Path) -> list[Figure]:
    """Visitors with an empty cache, each of whom comes back."""
    with running_gallery(folder) as gallery, sync_playwright() as playwright:
        slug = works.show(gallery, works.noisy(folder, "slow.mp4", size="1280x720", seconds=SECONDS), "slow")
        binary = os.environ.get("SHOWCASE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
        browser = playwright.chromium.launch(executable_path=binary, args=ARGUMENTS, chromium_sandbox=os.geteuid() != 0)
        cold, warm = visitors(browser, f"{gallery.server.url}/en/works/{slug}")
        browser.close()
    line = f"2 Mbit/s, {LATENCY_MS} ms; median of {VISITORS}"
    busy = f"{WATCHED_MS // 1000} s each; {load()}"
    return [
        Figure("playing: cold, click to moving picture", _middle(v.from_click_s for v in cold), "s", 4, line),
        Figure("playing: cold, from the navigation", _middle(v.moving / 1_000 for v in cold), "s", None, "clicked at once"),
        Figure("playing: cold, button usable", _middle(v.enabled / 1_000 for v in cold), "s", None, "from the navigation"),
        Figure("playing: warm, click to moving picture", _middle(v.from_click_s for v in warm), "s", 2, line),
        Figure("playing: warm, from the navigation", _middle(v.moving / 1_000 for v in warm), "s", None, "clicked at once"),
        Figure("playing: stalls of all cold visits", sum(len(v.stalls) for v in cold), "", 0, busy),
    ]  # fmt: skip


def _middle(values: Iterable[float]) -> float:
    return statistics.median(values)


def visitors(browser: Browser, url: str) -> tuple[list[Visit], list[Visit]]:
    """First and second visits."""
    cold, warm = [], []
    for _ in range(VISITORS):
        context = browser.new_context()
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(WATCH)
        cold.append(visit(context, url, WATCHED_MS))
        warm.append(visit(context, url, 1_000))
        context.close()
    return cold, warm


def visit(context: BrowserContext, url: str, watched_ms: int) -> Visit:
    """Open the page, press Play as soon as that can be done, watch for a while; from the beginning."""
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", LINE)
    page.goto(url, wait_until="commit")
    page.wait_for_function("() => window.seen.enabled")
    over = page.locator("[data-start-over]")
    (over if over.is_visible() else page.locator("[data-play]")).click()
    page.wait_for_function("() => window.seen.moving")
    page.wait_for_timeout(watched_ms)
    found = Visit(**page.evaluate("window.seen"))
    page.close()
    return found
