"""Fixtures for tests in a real browser: the system's Chromium, driven by Playwright.

One Chromium serves the whole run, so these tests and their async fixtures live in one event loop, the
session's. The hook below arranges that for the tests; an async fixture here says
`@pytest_asyncio.fixture(loop_scope="session")`. aiohttp_client lives in another loop: use `server`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from tests.gallery import ENGLISH, FRENCH, Gallery, draw, running_gallery
from tests.gallery import film as moving
from tests.server import Server, running_server
from tests.summary import BROWSER, missing

NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_MS = 10_000
ARGUMENTS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine: no proxy, and every other name and address fails as if it did not exist.
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
    # Camera, microphone and sound without devices or questions.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--mute-audio",
]
# Violations reach the console too, but not all of them as errors, and not with what was blocked.
REPORT_CSP = """document.addEventListener("securitypolicyviolation", (event) => console.error(
    `CSP: ${event.effectiveDirective} blocked ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`
));"""


class Problems:
    """What went wrong in a test's pages: console errors, uncaught exceptions, CSP violations."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def expect(self, pattern: str) -> None:
        """Forgive the problems in which `pattern` is found, past and to come."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        return [text for text in self.seen if not any(known.search(text) for known in self._expected)]

    def watch(self, context: BrowserContext) -> None:
        context.on("weberror", lambda thrown: self.seen.append(f"uncaught: {thrown.error}"))
        context.on("console", self._console)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.seen.append(f"console: {message.text} ({message.location['url']})")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium."""
    chosen = os.environ.get("SHOWCASE_CHROMIUM")
    path = shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing(BROWSER, f"there is no {chosen or 'Chromium on PATH'}")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for the whole run."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=chromium, args=ARGUMENTS, chromium_sandbox=os.geteuid() != 0
        )
        yield running
        await running.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`showcase serve` on an empty data folder, for the whole run."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def base_url(server: Server) -> str:
    """Where `page.goto("/en/")` goes; a module with a server of its own overrides it."""
    return server.url


@pytest.fixture
def problems() -> Problems:
    """The problems of this test's pages; those not expected fail the test when it ends."""
    return Problems()


@pytest_asyncio.fixture(loop_scope="session")
async def new_page(
    browser: Browser, base_url: str, problems: Problems
) -> AsyncIterator[Callable[..., Awaitable[Page]]]:
    """A function that opens a page for another visitor: own cookies, `options` as of Browser.new_context."""
    contexts: list[BrowserContext] = []

    async def open_page(**options: Any) -> Page:
        context = await browser.new_context(**{"base_url": base_url, **options})
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        problems.watch(context)
        await context.add_init_script(REPORT_CSP)
        return await context.new_page()

    yield open_page
    for context in contexts:
        await context.close()
    if found := problems.unexpected():
        pytest.fail("the browser reported:\n" + "\n".join(found), pytrace=False)


@pytest_asyncio.fixture(loop_scope="session")
async def page(new_page: Callable[..., Awaitable[Page]]) -> Page:
    """A page in a browser that knows nothing yet."""
    return await new_page()


@dataclass(frozen=True, slots=True)
class Works:
    """A gallery and the works in it: a film with captions, a silent upright one, a sound, a picture, one that is not on
    view, one of two and a half minutes, a draft."""

    gallery: Gallery
    film: str
    upright: str
    sound: str
    picture: str
    closed: str
    long: str
    draft: str


@pytest.fixture(scope="session")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """A gallery for the whole run; tests leave these works as they are."""
    folder = tmp_path_factory.mktemp("gallery")
    # Where a visitor is, a test says in a header.
    placed = {"SHOWCASE_TERRITORY_HEADER": "X-Country", "SHOWCASE_TRUSTED_PROXIES": "1"}
    with running_gallery(folder, placed) as gallery:
        film = gallery.work(
            statement={"en": "A bell is struck once.\n\nThe rest is listening.", "fr": "Une cloche sonne une fois."},
            content_notes={"en": "Flickering light", "fr": "Lumière vacillante"},
            credits=[{"name": "Ada", "city": "linz"}, {"name": "Awa", "city": "dakar"}],
            cities=["linz", "dakar"],
        )
        gallery.upload(film, "bell.mp4", moving(folder, size="1280x720"))
        gallery.upload(film, "bell.en.vtt", ENGLISH.encode(), role="captions", lang="en")
        gallery.upload(film, "bell.fr.vtt", FRENCH.encode(), role="captions", lang="fr")
        gallery.ready(film)
        tone = ["-f", "lavfi", "-i", "sine=f=550:r=48000:d=8"]
        gallery.upload(
            film, "described.flac", draw(folder, "described.flac", *tone), role="audio-description", lang="en"
        )
        upright = gallery.work(title={"en": "Upright", "fr": "Debout", "original": {"lang": "he", "text": "זקוף"}})
        gallery.upload(upright, "upright.mp4", moving(folder, size="360x640", sound=False, name="upright.mp4"))
        sound = gallery.work(title={"en": "For the Ear", "fr": "Pour l'oreille"}, medium="audio")
        gallery.upload(sound, "tone.wav", draw(folder, "tone.wav", *tone))
        picture = gallery.work(title={"en": "Still", "fr": "Immobile"}, medium="image")
        gallery.upload(
            picture,
            "still.png",
            draw(folder, "still.png", "-f", "lavfi", "-i", "mandelbrot=s=1600x900", "-frames:v", "1"),
        )
        closed = gallery.work(title={"en": "Closed " + "and very long " * 9, "fr": "Fermée"})
        gallery.upload(closed, "closed.mp4", moving(folder, seconds=2, name="closed.mp4"))
        long = gallery.work(title={"en": "Long", "fr": "Longue"})
        gallery.upload(long, "long.mp4", moving(folder, size="320x240", seconds=150, name="long.mp4"))
        draft = gallery.work(title={"en": "Draft", "fr": "Brouillon"})
        for slug in (film, upright, sound, picture, closed, long):
            gallery.ready(slug)
            gallery.publish(slug, **({"on_view": None} if slug == closed else {}))
        yield Works(gallery, film, upright, sound, picture, closed, long, draft)


@pytest_asyncio.fixture(loop_scope="session")
async def signed_in(works: Works, new_page: Callable[..., Awaitable[Page]]) -> Callable[..., Awaitable[Page]]:
    """A function that opens a page for somebody who is signed in, through the button of a link."""

    async def enter(who: str, **options: Any) -> Page:
        page = await new_page(base_url=works.gallery.server.url, **options)
        await page.goto(works.gallery.link(who))
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(re.compile(r"/(studio|desk)$"))
        return page

    return enter
