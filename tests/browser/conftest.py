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
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

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
