"""Public pages as a visitor, a search engine and another site see them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from xml.etree import ElementTree as ET

from showcase.store import cities, works
from tests.web.conftest import START, House

TITLE = re.compile(r'<h2 class="work-title"[^>]*><a [^>]*>(.*?)</a>')


async def text(house: House, path: str, who: str | None = None) -> str:
    answer = await house.ask("GET", path, who)
    assert answer.status == 200, path
    return await answer.text()


async def test_the_start_is_in_the_readers_language(house: House) -> None:
    for accepted, lang in (("fr-CA,fr;q=0.9", "fr"), ("de, en;q=0.5", "en"), ("", "en"), ("fr;q=0.2, en;q=0.3", "en")):
        answer = await house.ask("GET", "/", headers={"Accept-Language": accepted})
        assert (answer.status, answer.headers["Location"]) == (302, f"/{lang}/")


async def test_works_are_filtered_by_city_year_and_medium(house: House) -> None:
    for title, city, medium in (("Tide", "linz", "video"), ("Bell", "dakar", "audio"), ("Both", "linz", "audio")):
        await house.published(fields={"title": {"en": title}}, cities=[city], medium=medium, who="admin")

    async def shown(query: str) -> list[str]:
        return sorted(TITLE.findall(await text(house, f"/en/works{query}")))

    assert await shown("") == ["Bell", "Both", "Tide"]
    assert await shown("?city=linz") == ["Both", "Tide"]
    assert await shown("?medium=audio&city=linz") == ["Both"]
    assert await shown("?year=2026") == ["Bell", "Both", "Tide"]
    assert await shown("?year=1999") == []
    assert "No work fits" in await text(house, "/en/works?year=1999")
    assert (await house.ask("GET", "/en/works?city=atlantis")).status == 404


async def test_many_works_come_in_pages_without_gaps(house: House) -> None:
    names = [f"Work {n:02d}" for n in range(27)]
    for name in names:
        work = await house.work(fields={"title": {"en": name}})
        await house.write(works.set_state, START, work.id, "published", ("draft",))
    first, second = await text(house, "/en/works"), await text(house, "/en/works?page=2")
    assert sorted(TITLE.findall(first) + TITLE.findall(second)) == names
    assert 'rel="next"' in first
    assert 'rel="next"' not in second
    listed, after = [], ""
    while True:
        answer = await house.ask("GET", f"/api/v1/works?limit=10{after}")
        page = await answer.json()
        listed += [w["title"]["en"] for w in page["works"]]
        if page["next"] is None:
            break
        assert f"after={page['next']}" in answer.headers["Link"]
        after = f"&after={page['next']}"
    assert sorted(listed) == names


async def test_a_page_is_kept_told_by_its_tag_and_made_anew_when_something_changes(house: House) -> None:
    work, _ = await house.published()
    path = f"/en/works/{work.slug}"
    first = await house.ask("GET", path)
    again = await house.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    changed = await house.ask("PATCH", f"/api/v1/works/{work.slug}", "artist", json={"title": {"en": "Ebb"}})
    assert changed.status == 200
    after = await house.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (after.status, "Ebb" in await after.text()) == (200, True)


async def test_what_the_artist_sees_is_not_kept_for_others(house: House) -> None:
    work, _ = await house.published()
    path = f"/en/works/{work.slug}"
    inside = await house.ask("GET", path, "artist")
    assert inside.headers["Cache-Control"] == "private, no-store"
    assert "Edit in the studio" in await inside.text()
    assert "Edit in the studio" not in await text(house, path)


async def test_other_sites_and_search_engines_find_what_they_ask_for(house: House) -> None:
    work, _ = await house.published()
    page = await text(house, f"/en/works/{work.slug}")
    structured = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert structured is not None
    data = json.loads(structured[1])
    assert (data["@type"], data["name"], data["duration"], data["creator"]) == (
        "VideoObject", "Tide", "PT8S", [{"@type": "Person", "name": "Ada"}],
    )  # fmt: skip
    assert '<meta property="og:title" content="Tide">' in page
    site = "http://localhost:8080"
    embed = await (await house.ask("GET", f"/oembed?url={site}/fr/works/{work.slug}&maxwidth=320")).json()
    assert (embed["title"], embed["width"], embed["type"]) == ("Marée", 320, "video")
    assert f"{site}/embed/work/{work.slug}?lang=fr" in embed["html"]
    assert (await house.ask("GET", f"/oembed?url=https://elsewhere.example/en/works/{work.slug}")).status == 404
    tree = ET.fromstring(await text(house, "/sitemap.xml"))  # noqa: S314 - our own
    places = [e.text for e in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert f"{site}/fr/works/{work.slug}" in places
    assert f"{site}/en/cities/linz" in places
    assert "Disallow: /hls/" in await text(house, "/robots.txt")


async def test_a_city_that_retires_leaves_the_lists_and_keeps_its_page(house: House) -> None:
    work, _ = await house.published()
    await house.write(cities.retire, START, "linz", retired=True)
    assert "/en/cities/linz" not in await text(house, "/en/cities")
    assert work.slug in await text(house, "/en/cities/linz")
    assert "no longer in the network" in await text(house, "/en/cities/linz")


async def test_an_artists_page_is_there_with_a_public_work(house: House) -> None:
    slug = house.people["artist"].slug
    assert (await house.ask("GET", f"/en/artists/{slug}")).status == 404
    await house.published()
    assert "Tide" in await text(house, f"/en/artists/{slug}")


async def test_a_window_is_told_in_words(house: House) -> None:
    work, _ = await house.published()
    until = START + timedelta(days=3)
    window = {"on_view": {"from": None, "until": until.isoformat()}}
    await house.ask("POST", f"/api/v1/works/{work.slug}/publish", "admin", json=window)
    assert "On view until 28 November 2026" in await text(house, f"/en/works/{work.slug}")
    assert "28 novembre 2026" in await text(house, f"/fr/works/{work.slug}")


async def test_a_picture_is_served_to_those_who_may_see_the_page(house: House) -> None:
    from showcase.web.keys import STORAGE

    work, asset = await house.published()
    await house.app[STORAGE].put(f"pictures/{asset}/poster-640.webp", b"RIFF")
    poster = {
        "asset": asset,
        "thumbhash": "",
        "files": [{"name": "poster-640.webp", "type": "image/webp", "width": 640, "height": 360, "size": 4}],
    }
    await house.write(works.set_poster, START, work.id, poster)
    path = f"/pictures/{work.id}/{asset}/poster-640.webp"
    answer = await house.ask("GET", path)
    assert (answer.status, answer.headers["Content-Type"], await answer.read()) == (200, "image/webp", b"RIFF")
    assert (await house.ask("GET", f"/pictures/{work.id}/{asset}/other-640.webp")).status == 404
    await house.ask("POST", f"/api/v1/works/{work.slug}/withdraw", "artist")
    assert (await house.ask("GET", path)).status == 404
    assert (await house.ask("GET", path, "artist")).status == 200
