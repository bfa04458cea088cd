"""Atom against RFC 4287: its sentences, and what stands in the feed for each."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

from showcase.core.feeds_atom import ATOM, XML_LANG, About, feed
from tests.core.programmes import NOON, screening

NAMES = {"en": "Premiere", "fr": "Première"}
ABOUT = About(
    "City to City: Programme",
    "https://show.example.org",
    "en",
    "programme",
    "programme.atom",
    ("Showcase", "1.0"),
    NOON,
)
FULL = screening(
    1, 0, texts={"title": {"en": "Tides\n<1>", "fr": "Marées"}, "text": {"fr": "Lent & long.\x0b"}}, updated_at=NOON,
)  # fmt: skip


def read(*found: Any, **about: Any) -> ET.Element:
    body = feed(replace(ABOUT, **about), found, lambda kind, lang: NAMES[lang])
    assert body.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    return ET.fromstring(body)  # noqa: S314 - our own


def tags(element: ET.Element) -> list[str]:
    return [child.tag.removeprefix(f"{{{ATOM}}}") for child in element]


def texts(element: ET.Element, name: str) -> list[str | None]:
    return [child.text for child in element.findall(f"{{{ATOM}}}{name}")]


def links(element: ET.Element) -> list[dict[str, str]]:
    return [child.attrib for child in element.findall(f"{{{ATOM}}}link")]


def entries(root: ET.Element) -> list[ET.Element]:
    return root.findall(f"{{{ATOM}}}entry")


def test_a_feed_has_what_it_must_have_once() -> None:
    root = read(FULL)
    # 4.1.1 "atom:feed elements MUST contain exactly one atom:id element."
    assert texts(root, "id") == ["tag:show.example.org,2026:en/programme.atom"]
    # "atom:feed elements MUST contain exactly one atom:title element."
    assert texts(root, "title") == ["City to City: Programme"]
    # "atom:feed elements MUST contain exactly one atom:updated element."
    assert texts(root, "updated") == [NOON.strftime("%Y-%m-%dT%H:%M:%SZ")]
    # "atom:feed elements SHOULD contain one atom:link element with a rel attribute value of "self"."
    assert [one["href"] for one in links(root) if one["rel"] == "self"] == [
        "https://show.example.org/en/programme.atom"
    ]
    # "atom:feed elements MUST contain one or more atom:author elements, unless all of the atom:feed element's child
    # atom:entry elements contain at least one atom:author element."
    assert [len(entry.findall(f"{{{ATOM}}}author")) for entry in entries(root)] == [1]
    # "The "xml:lang" attribute indicates the natural language for the element and its descendents." (2)
    assert root.get(XML_LANG) == "en"


def test_an_entry_has_what_it_must_have_once() -> None:
    (entry,) = entries(read(FULL))
    assert tags(entry) == ["id", "title", "updated", "author", "link", "link", "category", "summary"]
    # 4.1.2 "atom:entry elements MUST contain exactly one atom:id element."
    assert texts(entry, "id") == ["tag:show.example.org,2026:en/screening-1"]
    # "atom:entry elements MUST contain exactly one atom:title element." It is text: markup in it is none.
    assert texts(entry, "title") == ["Tides <1>"]
    # "atom:entry elements that contain no child atom:content element MUST contain at least one atom:link element with a rel
    # attribute value of "alternate"."
    assert [one["rel"] for one in links(entry)] == ["alternate", "alternate"]
    # "atom:entry elements MUST NOT contain more than one atom:link element with a rel attribute value of "alternate" that
    # has the same combination of type and hreflang attribute values."
    assert [(one["type"], one["hreflang"]) for one in links(entry)] == [("text/html", "en"), ("text/html", "fr")]
    # 4.2.2 "The atom:category element MUST have a "term" attribute."
    category = entry.find(f"{{{ATOM}}}category")
    assert category is not None
    assert category.attrib == {"term": FULL.kind, "label": "Premiere"}
    # 3.2.1 "Person constructs MUST contain exactly one "atom:name" element."
    author = entry.find(f"{{{ATOM}}}author")
    assert author is not None
    assert tags(author) == ["name", "uri"]


def test_dates_are_written_as_asked() -> None:
    # 3.3 "A Date construct is an element whose content MUST conform to the "date-time" production in [RFC3339]. In
    # addition, an uppercase "T" character MUST be used to separate date and time, and an uppercase "Z" character MUST be
    # present in the absence of a numeric time zone offset."
    root = read(FULL, replace(FULL, id=2, updated_at=NOON + timedelta(hours=3, microseconds=5)))
    dates = texts(root, "updated") + [d for e in entries(root) for d in texts(e, "updated")]
    assert [bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", d or "")) for d in dates] == [True] * 3
    # 4.2.15 "indicating the most recent instant in time when an entry or feed was modified"
    assert dates[0] == max(d or "" for d in dates)


def test_an_id_stays_whatever_else_changes() -> None:
    # 4.2.6 "When an Atom Document is relocated, migrated, syndicated, republished, exported, or imported, the content of its
    # atom:id element MUST NOT change."
    moved = replace(FULL, slug="another", texts={"title": {"en": "Another"}}, updated_at=NOON + timedelta(days=9))
    assert texts(entries(read(FULL))[0], "id") == texts(entries(read(moved))[0], "id")


def test_a_text_in_another_language_says_so() -> None:
    (entry,) = entries(read(FULL))
    summary = entry.find(f"{{{ATOM}}}summary")
    assert summary is not None
    assert (summary.get("type"), summary.get(XML_LANG)) == ("text", "fr")
    assert (summary.text or "").endswith(". Lent & long.")


def test_without_entries_it_is_a_feed_all_the_same() -> None:
    root = read()
    # 4.1.1 asks for an author of the feed where no entry has one.
    assert tags(root) == ["id", "title", "updated", "generator", "author", "link", "link", "link"]
    assert texts(root, "updated") == [NOON.strftime("%Y-%m-%dT%H:%M:%SZ")]
