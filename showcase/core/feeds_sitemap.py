"""A map of the site for search engines: the sitemap protocol 0.9 with Google's `xhtml:link` for languages."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from xml.etree import ElementTree as ET

from showcase.core.feeds_xml import clean, document
from showcase.core.models import SITE_LANGUAGES

_MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"
# sitemaps.org: "no more than 50,000 URLs"; each page is there in every language.
MOST_PAGES = 50_000 // len(SITE_LANGUAGES)


def sitemap(site: str, tails: Iterable[str]) -> bytes:
    """The pages `tails` (what follows the language in an address) in each language, each naming the others.

    What is beyond the protocol's 50,000 addresses is left out: the most important come first.
    """
    ET.register_namespace("", _MAP)
    ET.register_namespace("xhtml", _XHTML)
    root = ET.Element(f"{{{_MAP}}}urlset")
    for tail in islice(tails, MOST_PAGES):
        for lang in SITE_LANGUAGES:
            entry = ET.SubElement(root, f"{{{_MAP}}}url")
            ET.SubElement(entry, f"{{{_MAP}}}loc").text = clean(f"{site}/{lang}/{tail}")
            for other in SITE_LANGUAGES:
                given = {"rel": "alternate", "hreflang": other, "href": clean(f"{site}/{other}/{tail}")}
                ET.SubElement(entry, f"{{{_XHTML}}}link", given)
    return document(root)
