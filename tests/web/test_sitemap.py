"""The map for search engines: every public page, and nothing else."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.web.conftest import House
from tests.web.test_feeds import shown
from tests.web.test_programme_rights import festival


async def test_the_map_has_all_public_pages_and_no_drafts(house: House) -> None:
    made = await shown(house)
    work, _ = await house.published()
    await festival(house, slug="secret", public=False)
    answer = await house.ask("GET", "/sitemap.xml")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    root = ET.fromstring(await answer.text())  # noqa: S314 - our own
    pages = [
        (e.text or "").removeprefix("http://localhost:8080")
        for e in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    ]
    artist = house.people["artist"].slug
    tails = (
        "festivals",
        "festivals/ars-2026",
        f"works/{work.slug}",
        f"artists/{artist}",
        f"screenings/{made['slug']}",
        "cities/linz",
    )
    assert {tail for tail in tails if f"/en/{tail}" in pages and f"/fr/{tail}" in pages} == set(tails)
    assert [p for p in pages if "secret" in p or p.endswith("/works/tide")] == []
    for page in pages:
        if page.startswith("/en/"):
            assert (await house.ask("GET", page)).status == 200, page
