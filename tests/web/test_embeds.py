"""Screenings in frames on other sites, and what oEmbed tells of them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from showcase.store import works
from showcase.web.keys import DB
from tests.web.conftest import House
from tests.web.test_programme_rights import CLOSES, OPENS, accepted, festival, screening

SITE = "http://localhost:8080"


async def shown(house: House, count: int = 1, *, public: bool = True, **given: Any) -> str:
    """A screening of `count` works in a public festival; returns its slug."""
    works = [(await accepted(house))[0] for _ in range(count)]
    await festival(house)
    made = await screening(house, works[0], slots=[{"work": w} for w in works], **given)
    if public:
        answer = await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
        assert answer.status == 200, await answer.text()
    return str(made["slug"])


async def frame(house: House, slug: str, query: str = "", who: str | None = None) -> tuple[int, str]:
    answer = await house.ask("GET", f"/embed/screening/{slug}{query}", who)
    if answer.status in (200, 403):
        assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
    return answer.status, await answer.text()


def plays(page: str) -> list[str]:
    return re.findall(r'data-play-url="([^"]*)"', page)


async def test_what_is_on_demand_plays_while_it_is_on_with_a_list_to_choose_from(house: House) -> None:
    slug = await shown(house, 2)
    play = f"/api/v1/screenings/{slug}/play"
    status, early = await frame(house, slug)
    assert (status, plays(early), "On view from" in early) == (200, [], True)
    house.moment = OPENS
    status, page = await frame(house, slug)
    assert (status, plays(page)) == (200, [f"{play}?slot=0"])
    assert re.findall(r'href="(\?slot=[^"]*)"( aria-current="true")?', page) == [
        ("?slot=0&amp;lang=en", ' aria-current="true"'), ("?slot=1&amp;lang=en", ""),
    ]  # fmt: skip
    assert plays((await frame(house, slug, "?slot=1"))[1]) == [f"{play}?slot=1"]
    for odd in ("?slot=2", "?slot=-1", "?slot=x"):
        assert plays((await frame(house, slug, odd))[1]) == [f"{play}?slot=0"]
    assert f'href="{SITE}/fr/screenings/{slug}"' in (await frame(house, slug, "?lang=fr"))[1]
    house.moment = CLOSES
    status, late = await frame(house, slug)
    assert (status, plays(late), "It was on view until" in late) == (200, [], True)


async def test_one_work_needs_no_list(house: House) -> None:
    slug = await shown(house)
    house.moment = OPENS
    assert "?slot=" not in (await frame(house, slug))[1].replace("play?slot=0", "")


async def test_a_premiere_is_a_room_before_and_while_it_is_on(house: House) -> None:
    slug = await shown(house, kind="premiere")
    for moment in (house.moment, OPENS):
        house.moment = moment
        page = (await frame(house, slug))[1]
        assert ("data-together" in page, plays(page)) == (True, [f"/api/v1/screenings/{slug}/play"])
    house.moment = CLOSES
    assert "data-together" not in (await frame(house, slug))[1]


async def test_a_frame_is_kept_no_longer_than_it_holds(house: House) -> None:
    slug = await shown(house)
    house.moment = OPENS - timedelta(seconds=20)
    answer = await house.ask("GET", f"/embed/screening/{slug}")
    assert answer.headers["Cache-Control"] == "public, max-age=20"
    house.moment = OPENS
    assert (await house.ask("GET", f"/embed/screening/{slug}")).headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("who", [None, "linz", "admin"])
async def test_a_draft_is_not_there_whoever_asks(house: House, who: str | None) -> None:
    slug = await shown(house, public=False)
    assert (await frame(house, slug, who=who))[0] == 404
    assert (await house.ask("GET", f"/oembed?url={SITE}/en/screenings/{slug}", who)).status == 404


@pytest.mark.parametrize("kind", ["on_demand", "premiere"])
async def test_one_with_access_codes_says_so_and_plays_nothing(house: House, kind: str) -> None:
    slug = await shown(house, kind=kind, closed=True)
    house.moment = OPENS
    status, page = await frame(house, slug)
    assert (status, plays(page), "invited guests" in page) == (403, [], True)
    assert f'href="{SITE}/en/screenings/{slug}"' in page
    told = await house.ask("GET", f"/oembed?url={SITE}/en/screenings/{slug}")
    assert (told.status, "iframe" in await told.text()) == (401, False)
    assert "json+oembed" not in await (await house.ask("GET", f"/en/screenings/{slug}")).text()


async def test_what_was_withdrawn_says_so(house: House) -> None:
    slug = await shown(house)
    house.moment = OPENS
    await house.ask("POST", f"/api/v1/screenings/{slug}/withdraw", "linz")
    status, page = await frame(house, slug)
    assert (status, plays(page), "withdrawn" in page) == (200, [], True)
    told = await (await house.ask("GET", f"/oembed?url={SITE}/en/screenings/{slug}")).json()
    assert (told["type"], "html" in told) == ("link", False)


async def test_oembed_knows_a_screening_and_its_page_leads_there(house: House) -> None:
    slug = await shown(house)
    page = await (await house.ask("GET", f"/fr/screenings/{slug}")).text()
    (link,) = re.findall(r'type="application/json\+oembed" href="([^"]*)"', page)
    told = await house.ask("GET", link.removeprefix(SITE) + "&maxwidth=320")
    found = await told.json()
    assert (told.headers["Access-Control-Allow-Origin"], found["title"], found["author_name"]) == ("*", "Marées", "Ars")
    assert (found["version"], found["type"], found["width"], found["height"]) == ("1.0", "video", 320, 180)
    assert f'src="{SITE}/embed/screening/{slug}?lang=fr"' in found["html"]
    # A picture with its size, all or nothing (2.3.4), and the same for those who share the page; none of a closed one.
    assert not {"thumbnail_url", "thumbnail_width", "thumbnail_height"} & set(found)
    assert ("og:title" in page, "og:image" in page) == (True, False)


@pytest.mark.parametrize("closed", [False, True])
async def test_a_shared_screening_has_the_picture_of_its_first_public_work(house: House, closed: bool) -> None:
    slug = await shown(house, 2, closed=closed)
    both = await house.app[DB].read(works.by_ids, {1, 2})
    for work in both.values():
        files = [
            {"name": f"poster-{work.id}-{w}.jpg", "type": "image/jpeg", "width": w, "height": h, "size": 4}
            for w, h in ((320, 180), (1280, 720))
        ]
        poster = {"asset": work.assets[0].id, "thumbhash": "", "files": files}
        await house.write(works.set_poster, house.moment, work.id, poster)
    assert "og:image" not in await (await house.ask("GET", f"/en/screenings/{slug}")).text()
    await house.ask("POST", f"/api/v1/works/{both[2].slug}/publish", "artist", json={})
    page = await (await house.ask("GET", f"/en/screenings/{slug}")).text()
    assert re.findall(r'og:image" content="[^"]*/(poster[^"/]*)"', page) == ([] if closed else ["poster-2-1280.jpg"])
    if not closed:
        told = await (await house.ask("GET", f"/oembed?url={SITE}/en/screenings/{slug}")).json()
        assert (told["thumbnail_width"], told["thumbnail_height"]) == (1280, 720)
        assert told["thumbnail_url"].startswith(f"{SITE}/pictures/2/")
        for page in (f"{SITE}/en/screenings/{slug}", f"{SITE}/en/works/{both[2].slug}"):
            for most, size in (("&maxwidth=640", 320), ("&maxheight=180", 320), ("&maxwidth=200", None)):
                told = await (await house.ask("GET", f"/oembed?url={page}{most}")).json()
                assert told.get("thumbnail_width") == size
