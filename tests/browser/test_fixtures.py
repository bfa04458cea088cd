"""The browser of the tests: it sees this machine only, and it tells on a page that misbehaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from tests.browser.axe import axe
from tests.browser.conftest import Problems

PAGES = {
    "good": "<h1>Channel</h1><p>Nothing is showing now.",
    "no-alternative": "<h1>Channel</h1><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' width=9>",
    "inline-script": "<script>document.title = 'ran'</script>",
    "throws": "<script src='/throws.js'></script>",
}


async def show(request: web.Request) -> web.Response:
    head = "<!doctype html><html lang=en><title>Test</title><link rel=icon href=data:,>"
    return web.Response(
        text=f"{head}<main>{PAGES[request.match_info['name']]}</main>",
        content_type="text/html",
        headers={"Content-Security-Policy": "default-src 'self'; img-src data:"},
    )


async def throws(request: web.Request) -> web.Response:
    return web.Response(text="throw new Error('on purpose')", content_type="text/javascript")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pages() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/throws.js", throws)
    app.router.add_get("/{name}", show)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.fixture
def base_url(pages: str) -> str:
    return pages


async def test_a_good_page_has_no_problems(page: Page, problems: Problems) -> None:
    await page.goto("/good")
    assert await page.inner_text("h1") == "Channel"
    assert await axe(page) == []
    assert problems.seen == []


async def test_axe_finds_an_image_without_an_alternative(page: Page) -> None:
    await page.goto("/no-alternative")
    assert [(one.rule, one.targets) for one in await axe(page)] == [("image-alt", ("img",))]


async def test_a_blocked_script_is_a_problem(page: Page, problems: Problems) -> None:
    await page.goto("/inline-script")
    assert await page.title() == "Test"
    assert any("CSP: script-src-elem blocked inline" in problem for problem in problems.unexpected())
    problems.expect("CSP|Content Security Policy")
    assert problems.unexpected() == []


async def test_an_uncaught_exception_is_a_problem(page: Page, problems: Problems) -> None:
    await page.goto("/throws")
    assert [problem for problem in problems.unexpected() if "on purpose" in problem] == problems.seen != []
    problems.expect("on purpose")


@pytest.mark.parametrize("elsewhere", ["example.org", "127.0.0.9"])
async def test_other_hosts_do_not_exist(page: Page, problems: Problems, elsewhere: str) -> None:
    problems.expect("ERR_NAME_NOT_RESOLVED|Content Security Policy|CSP")
    await page.goto("/good")
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        await page.goto(f"http://{elsewhere}/")


async def test_visitors_do_not_share_cookies(new_page: Callable[..., Awaitable[Page]]) -> None:
    artist, audience = await new_page(), await new_page(locale="fr-FR")
    await artist.goto("/good")
    await artist.evaluate("document.cookie = 'seen=1'")
    await audience.goto("/good")
    assert await audience.evaluate("[document.cookie, navigator.language]") == ["", "fr-FR"]
