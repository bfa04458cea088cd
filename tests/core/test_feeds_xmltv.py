"""XMLTV against its DTD: its order of elements, and what tv_validate_file asks on top."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from lxml import etree

from showcase.core.feeds_xmltv import Channel, guide, linear
from showcase.core.models import Credit
from tests.core.programmes import NOON, screening, slots, work

# Where Debian's xmltv-util puts it.
DTD = Path("/usr/share/xmltv/xmltv.dtd")
# <!ELEMENT programme (title+, sub-title*, desc*, credits?, date?, category*, keyword*, language?, orig-language?, length?,
# icon*, url*, country*, episode-num*, video?, audio?, previously-shown?, premiere?, last-chance?, new?, subtitles*, rating*,
# star-rating*, review*, image* )>
PROGRAMME = re.compile(
    r"(title )+(sub-title )*(desc )*(credits )?(date )?(category )*(keyword )*(language )?(orig-language )?(length )?(icon )*"
    r"(url )*(country )*(episode-num )*(video )?(audio )?(previously-shown )?(premiere )?(last-chance )?(new )?(subtitles )*"
    r"(rating )*(star-rating )*(review )*(image )*"
)
# <!ELEMENT credits (director*, actor*, writer*, adapter*, producer*, composer*, editor*, presenter*, commentator*, guest* )>
CREDITS = re.compile(
    r"(director )*(actor )*(writer )*(adapter )*(producer )*(composer )*(editor )*(presenter )*(commentator )*(guest )*"
)
NAMES = {
    ("premiere", "en"): "Premiere",
    ("premiere", "fr"): "Première",
    ("live", "en"): "Live",
    ("live", "fr"): "En direct",
}
WORKS = {
    1: work(
        1, credits=(Credit("Cy", "music"), Credit("Ada", "Artist"), Credit("Bo", "lights"), Credit("Di", "editing"))
    ),
    2: work(2, year=2025, original_lang=None),
}
FULL = screening(
    1, 0, texts={"title": {"en": "Tides\n<1>", "fr": "Marées"}, "text": {"en": "Slow & long.\x0b", "fr": " "}}, slots=slots(1),
    languages=("en", "fr"),
)  # fmt: skip


def channel(slug: str | None, *shown: Any, **name: str) -> Channel:
    return Channel(slug, name or {"en": slug or "All"}, shown)


def read(*channels: Channel, **first_shown: Any) -> ET.Element:
    body = guide(
        channels,
        WORKS,
        first_shown.get("first", {}),
        lambda *k: NAMES[k],
        "https://show.example.org",
        ("Showcase", "1"),
    )
    root = ET.fromstring(body)  # noqa: S314 - our own
    check(root)
    if DTD.exists():
        dtd = etree.DTD(str(DTD))
        assert dtd.validate(etree.fromstring(body)), dtd.error_log
    return root


def check(root: ET.Element) -> None:
    """Assert the order that the DTD asks, and what XMLTV::ValidateFile looks at."""
    # <!ELEMENT tv (channel*, programme*)>
    assert re.fullmatch("(channel )*(programme )*", "".join(f"{e.tag} " for e in root))
    ids = [c.get("id", "") for c in root.iter("channel")]
    # "an xmltvid does not look like a proper id, i.e. it does not match /^[-a-zA-Z0-9]+(\.[-a-zA-Z0-9]+)+$/"
    assert all(re.fullmatch(r"[-a-zA-Z0-9]+(\.[-a-zA-Z0-9]+)+", id) for id in ids)
    # "More than one channel-entry found for a channelid."
    assert len(set(ids)) == len(ids)
    for one in root.iter("channel"):
        # <!ELEMENT channel (display-name+, icon*, url*) >
        assert re.fullmatch("(display-name )+(icon )*(url )*", "".join(f"{e.tag} " for e in one))
    last: dict[str, str] = {}
    for one in root.iter("programme"):
        assert PROGRAMME.fullmatch("".join(f"{e.tag} " for e in one))
        for found in one.iter("credits"):
            assert CREDITS.fullmatch("".join(f"{e.tag} " for e in found))
        start, stop, where = one.get("start", ""), one.get("stop", ""), one.get("channel", "")
        assert re.fullmatch(r"\d{14} \+0000", start)
        assert re.fullmatch(r"\d{14} \+0000", stop)
        assert where in ids
        # "Empty title", "Empty description"; and the DTD: "textual element content may not contain newlines"
        for element in one.iter():
            if element.tag in ("title", "sub-title", "desc", "category", "url", "date", "language"):
                assert (element.text or "").strip()
            if element.tag in ("title", "sub-title"):
                assert "\n" not in (element.text or "")
        # Sorted, and one thing at a time.
        assert last.get(where, "") <= start < stop
        last[where] = stop
    starts = [one.get("start", "") for one in root.iter("programme")]
    assert starts == sorted(starts)


def test_an_entry_tells_all_of_a_screening_in_both_languages() -> None:
    (entry,) = read(channel(None, FULL)).iter("programme")
    assert dict(entry.items()) == {
        "start": "20261125120000 +0000", "stop": "20261125130000 +0000", "channel": "network.showcase",
    }  # fmt: skip
    assert [(e.tag, e.get("lang"), e.text) for e in entry if e.tag not in ("credits", "subtitles")] == [
        ("title", "en", "Tides <1>"), ("title", "fr", "Marées"), ("sub-title", "en", "Work 1"), ("sub-title", "fr", "Œuvre 1"),
        ("desc", "en", "Slow & long."), ("date", None, "2026"), ("category", "en", "Premiere"), ("category", "fr", "Première"),
        ("language", None, "ja"), ("url", None, "https://show.example.org/en/screenings/screening-1"),
        ("url", None, "https://show.example.org/fr/screenings/screening-1"), ("premiere", None, None),
    ]  # fmt: skip
    assert [(e.tag, e.text) for e in entry.iterfind("credits/*")] == [
        ("director", "Ada"),
        ("composer", "Cy"),
        ("editor", "Di"),
    ]
    assert [e.text for e in entry.iterfind("subtitles/language")] == ["en", "fr"]


def test_a_screening_without_words_or_works_is_called_by_its_address() -> None:
    (entry,) = read(channel(None, screening(3, 0, texts={}, kind="live"))).iter("programme")
    assert [(e.tag, e.text) for e in entry if e.tag in ("title", "desc", "credits", "premiere")] == [
        ("title", "screening-3")
    ]
    (entry,) = read(channel(None, screening(3, 0, texts={"title": {"ja": "潮"}}))).iter("programme")
    assert [(e.get("lang"), e.text) for e in entry.iterfind("title")] == [("ja", "潮")]


@pytest.mark.parametrize(
    ("kind", "first", "told"),
    [
        ("premiere", {}, ["premiere"]),
        ("premiere", {1: NOON, 2: NOON}, ["premiere"]),
        ("premiere", {1: NOON - timedelta(days=1), 2: NOON}, []),
        ("premiere", {1: NOON - timedelta(days=2), 2: NOON - timedelta(days=1)}, ["previously-shown"]),
        ("live", {1: NOON, 2: NOON}, []),
        ("live", {1: NOON - timedelta(days=2), 2: NOON - timedelta(days=1)}, ["previously-shown"]),
    ],
)
def test_it_is_a_premiere_or_was_shown_before_only_when_that_is_so(kind: str, first: Any, told: list[str]) -> None:
    (entry,) = read(channel(None, screening(1, 0, kind=kind, slots=slots(1, 2))), first=first).iter("programme")
    found = [e for e in entry if e.tag in ("premiere", "previously-shown")]
    assert [e.tag for e in found] == told
    assert [e.get("start") for e in found if e.tag == "previously-shown"] in ([], ["20261124120000 +0000"])


def test_a_channel_shows_one_thing_at_a_time_and_nothing_that_is_on_view_for_days() -> None:
    shown = [
        screening(5, 3), screening(4, 3), screening(1, 0, 2), screening(2, 1), screening(3, 2), screening(6, 3.5),
        screening(7, -9, 90, kind="on_demand"), screening(8, 9, 0), screening(9, 12, -1),
    ]  # fmt: skip
    assert [s.id for s in linear(shown)] == [1, 3, 4]


def test_what_is_in_a_room_of_its_own_or_closed_is_not_on_the_channel_and_takes_nothing_off_it() -> None:
    shown = [screening(1, 0, 3, room="Hall"), screening(2, 0.5, 2, closed=True), screening(3, 1)]
    assert [s.id for s in linear(shown)] == [3]


def test_the_network_and_each_festival_that_shows_something_have_a_channel() -> None:
    two = screening(2, 0.5)
    root = read(
        channel(None, FULL, two, en="City to City", fr="City to City"), channel("ars-2026", FULL, en="Ars", fr="Arts"),
        channel("network", two), channel("quiet"),
    )  # fmt: skip
    assert [(c.get("id"), [e.text for e in c]) for c in root.iter("channel")] == [
        ("network.showcase", ["City to City", "City to City", "https://show.example.org/en/programme"]),
        ("ars-2026.showcase", ["Ars", "Arts", "https://show.example.org/en/festivals/ars-2026"]),
        ("network.festival.showcase", ["network", "https://show.example.org/en/festivals/network"]),
    ]
    # What overlaps on the network's channel stands on its festival's own.
    assert [(p.get("channel"), p.get("start", "")[8:12]) for p in root.iter("programme")] == [
        ("ars-2026.showcase", "1200"),
        ("network.showcase", "1200"),
        ("network.festival.showcase", "1230"),
    ]


def test_an_empty_guide_is_one_too() -> None:
    assert [c.get("id") for c in read(channel(None), channel("ars")).iter("channel")] == ["network.showcase"]
