"""Every page in both languages and schemes: axe-core finds nothing, nothing is wider than a phone, it reads without JavaScript."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page

from tests.browser.axe import axe
from tests.browser.conftest import Problems, Works

PUBLIC = (
    "/{lang}/", "/{lang}/programme", "/{lang}/programme?day=2026-06-21&city=linz", "/{lang}/works", "/{lang}/works?city=york", "/{lang}/works/{film}", "/{lang}/works/{closed}", "/{lang}/works/{sound}",
    "/{lang}/works/{picture}", "/{lang}/works/{upright}", "/{lang}/cities", "/{lang}/cities/linz", "/{lang}/cities/york", "/{lang}/about",
    "/{lang}/sign-in", "/embed/work/{film}?lang={lang}", "/embed/work/{closed}?lang={lang}", "/{lang}/nothing/here",
)  # fmt: skip
INSIDE = {
    "artist": (
        "/{lang}/studio", "/{lang}/studio/new", "/{lang}/studio/works/{film}", "/{lang}/studio/works/{draft}", "/{lang}/account",
        "/{lang}/works/{draft}", "/{lang}/artists/sample-artist",
    ),
    "admin": ("/{lang}/desk", "/{lang}/desk/people", "/{lang}/desk/cities", "/{lang}/desk/outbox", "/{lang}/desk/jobs", "/api/docs"),
}  # fmt: skip
SCHEMES = ("dark", "light")


def address(path: str, lang: str, works: Works) -> str:
    names = {name: getattr(works, name) for name in ("film", "upright", "sound", "picture", "closed", "draft")}
    return path.format(lang=lang, **names)


async def looked_at(page: Page, path: str) -> list[str]:
    """What is wrong with a page at phone width and at 1440 pixels."""
    wrong = []
    for width in (320, 1440):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(path)
        wrong += [f"{width}: {v.rule} {v.targets}" for v in await axe(page)]
        over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wrong.append(f"{width}: {over} px wider than the window")
    return wrong


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("lang", ["en", "fr"])
async def test_public_pages(
    lang: str, scheme: str, works: Works, new_page: Callable[..., Awaitable[Page]], problems: Problems
) -> None:
    problems.expect("404")
    page = await new_page(base_url=works.gallery.server.url, color_scheme=scheme, reduced_motion="reduce")
    wrong = {}
    for path in PUBLIC:
        if found := await looked_at(page, address(path, lang, works)):
            wrong[path] = found
    assert wrong == {}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("who", list(INSIDE))
async def test_pages_for_people_who_work_here(
    who: str, scheme: str, works: Works, signed_in: Callable[..., Awaitable[Page]]
) -> None:
    page = await signed_in(who, color_scheme=scheme, reduced_motion="reduce")
    wrong = {}
    for lang in ("en", "fr"):
        for path in INSIDE[who]:
            if found := await looked_at(page, address(path, lang, works)):
                wrong[lang, path] = found
    assert wrong == {}


async def test_pages_read_without_javascript(works: Works, new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(base_url=works.gallery.server.url, java_script_enabled=False)
    await page.goto(f"/en/works/{works.film}")
    assert await page.inner_text("h1") == "A Bell, Once"
    assert await page.locator(".player-noscript").is_visible()
    await page.goto("/en/works")
    await page.get_by_label("City").select_option("dakar")
    await page.get_by_role("button", name="Show").click()
    assert await page.locator("main article h2").all_inner_texts() == ["A Bell, Once"]


async def test_the_language_link_leads_to_the_same_page(works: Works, new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(base_url=works.gallery.server.url, locale="fr-FR")
    await page.goto("/")
    assert page.url.endswith("/fr/")
    await page.goto(f"/fr/works/{works.film}")
    assert await page.inner_text("h1") == "Une cloche, une fois"
    await page.get_by_role("link", name="English").click()
    assert page.url.endswith(f"/en/works/{works.film}")
    assert await page.get_attribute("html", "lang") == "en"


async def test_a_right_to_left_title_says_so(works: Works, new_page: Callable[..., Awaitable[Page]]) -> None:
    page = await new_page(base_url=works.gallery.server.url)
    await page.goto(f"/en/works/{works.upright}")
    title = page.get_by_text("זקוף").first
    assert await title.get_attribute("dir") == "rtl"
    assert await title.get_attribute("lang") == "he"
