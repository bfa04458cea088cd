"""The map of the site."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from showcase.core.feeds_sitemap import MOST_PAGES, sitemap

MAP, XHTML = "{http://www.sitemaps.org/schemas/sitemap/0.9}", "{http://www.w3.org/1999/xhtml}"


def test_each_page_is_there_in_each_language_and_names_the_others() -> None:
    root = ET.fromstring(sitemap("https://show.example.org", ["", "works/a&b"]))  # noqa: S314 - our own
    assert root.tag == f"{MAP}urlset"
    found = [
        (
            url.findtext(f"{MAP}loc"),
            [(e.get("rel"), e.get("hreflang"), e.get("href")) for e in url.iter(f"{XHTML}link")],
        )
        for url in root
    ]
    pages = {
        lang: [f"https://show.example.org/{lang}/", f"https://show.example.org/{lang}/works/a&b"]
        for lang in ("en", "fr")
    }
    assert found == [
        (pages[lang][n], [("alternate", other, pages[other][n]) for other in ("en", "fr")])
        for n in range(2)
        for lang in ("en", "fr")
    ]


def test_it_is_never_longer_than_its_protocol_allows() -> None:
    # sitemaps.org: "each Sitemap file that you provide must have no more than 50,000 URLs and must be no larger than 50MB"
    body = sitemap("https://show.example.org", (f"works/{'x' * 80}-{n}" for n in range(MOST_PAGES + 5)))
    assert body.count(b"<loc>") == 50_000
    assert len(body) < 50 * 1024 * 1024
