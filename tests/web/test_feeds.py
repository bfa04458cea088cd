"""What other programs take from the programme, over HTTP: who gets what, in which language, and for how long."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import icalendar
import pytest

from showcase.store import people
from showcase.store.tables import screenings as rows
from tests.core.test_feeds_schedule import check_json, check_xml
from tests.core.test_feeds_xmltv import check as check_guide
from tests.web.conftest import House
from tests.web.test_programme_rights import accepted, festival, screening

FEEDS = (
    "/programme.ics", "/festivals/ars-2026.ics", "/schedule.xml", "/festivals/ars-2026/schedule.xml",
    "/festivals/ars-2026/schedule.json", "/xmltv.xml",
)  # fmt: skip
TYPES = {".ics": "text/calendar", ".xml": "application/xml", ".json": "application/json"}


async def shown(house: House, kind: str = "premiere", *, public: bool = True, **given: Any) -> dict[str, Any]:
    """A screening of an accepted work in the festival of Linz."""
    slug, _ = await accepted(house)
    await festival(house)
    made = await screening(house, slug, **given)
    if public:
        await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    await house.write(lambda tx: tx.execute(rows.update().values(kind=kind)))
    return made


async def text(house: House, path: str, who: str | None = None, **headers: str) -> str:
    answer = await house.ask("GET", path, who, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert answer.status == 200, await answer.text()
    return await answer.text()


async def tree(house: House, path: str, **headers: str) -> ET.Element:
    return ET.fromstring(await text(house, path, **headers))  # noqa: S314 - our own


@pytest.mark.parametrize("path", FEEDS)
async def test_each_feed_has_the_screening_and_is_kept_until_it_changes(house: House, path: str) -> None:
    made = await shown(house)
    first = await house.ask("GET", path)
    assert (first.status, first.content_type, first.charset) == (200, TYPES[path[path.rindex(".") :]], "utf-8")
    assert (first.headers["Cache-Control"], first.headers.get("Vary")) == (
        "public, max-age=300",
        None if path == "/xmltv.xml" else "Accept-Language",
    )
    assert made["slug"] in await first.text()
    known = {"If-None-Match": first.headers["ETag"]}
    again = await house.ask("GET", path, headers=known)
    assert (again.status, again.headers["ETag"], await again.read()) == (304, first.headers["ETag"], b"")
    await house.ask("PATCH", f"/api/v1/screenings/{made['slug']}", "linz", json={"title": {"en": "Ebb"}})
    assert (await house.ask("GET", path, headers=known)).status == 200


@pytest.mark.parametrize("path", FEEDS)
@pytest.mark.parametrize("who", [None, "other", "linz", "admin"])
async def test_drafts_are_in_no_feed_whoever_asks(house: House, path: str, who: str | None) -> None:
    made = await shown(house, public=False, title={"en": "Not told yet"})
    assert "Not told yet" not in await text(house, path, who)
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    assert "Not told yet" in await text(house, path, who)
    # A festival that is taken back takes its programme with it.
    await house.ask("PATCH", "/api/v1/festivals/ars-2026", "linz", json={"state": "draft"})
    answer = await house.ask("GET", path, who)
    assert answer.status == (404 if "ars-2026" in path else 200)
    assert "Not told yet" not in await answer.text()


async def test_what_was_withdrawn_is_in_calendars_alone(house: House) -> None:
    made = await shown(house)
    versions = [(await tree(house, "/schedule.xml")).findtext("version")]
    house.later(timedelta(minutes=1))
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/withdraw", "linz")
    found = {path: made["slug"] in await text(house, path) for path in FEEDS}
    assert found == {path: path.endswith(".ics") for path in FEEDS}
    versions.append((await tree(house, "/schedule.xml")).findtext("version"))
    assert versions == ["2026-11-25T12:00:00+00:00", "2026-11-25T12:01:00+00:00"]


async def test_a_work_that_is_no_longer_shown_is_named_nowhere(house: House) -> None:
    await shown(house, title={"en": "An evening"})
    named = ("/schedule.xml", "/festivals/ars-2026/schedule.json", "/xmltv.xml")
    assert {path: "Ada" in await text(house, path) for path in named} == dict.fromkeys(named, True)
    await house.ask("POST", "/api/v1/works/tide/withdraw", "artist")
    assert {path: "Ada" in await text(house, path) for path in named} == dict.fromkeys(named, False)


async def test_the_language_is_the_one_asked_for_else_the_callers_and_never_that_of_a_session(house: House) -> None:
    await shown(house)
    for path in FEEDS[:-1]:
        assert "Tides" in await text(house, path)
        assert "Marées" in await text(house, path, Accept_Language="fr-CA, en;q=0.5")
        assert "Marées" in await text(house, f"{path}?lang=fr", Accept_Language="en")
        assert "Tides" in await text(house, f"{path}?lang=xx", Accept_Language="de")
    await house.write(people.rename, house.moment, house.people["artist"].id, "Ada", "fr")
    # Caches on the way keep it for everybody.
    assert "Tides" in await text(house, "/programme.ics", "artist")
    guide = await text(house, "/xmltv.xml", Accept_Language="en")
    assert ("Tides" in guide, "Marées" in guide, "Première" in guide) == (True, True, True)


async def test_schedules_are_as_their_schemas_ask_and_each_in_one_zone(house: House) -> None:
    made = await shown(house, text={"en": "<i>&\u0001 one\n\ntwo", "fr": ""})
    own, network = await tree(house, "/festivals/ars-2026/schedule.xml"), await tree(house, "/schedule.xml")
    check_xml(own)
    check_xml(network)
    check_json(await (await house.ask("GET", "/festivals/ars-2026/schedule.json")).json())
    for root, zone, starts in (
        (own, "Europe/Vienna", "2026-11-25T14:00:00+01:00"),
        (network, "UTC", "2026-11-25T13:00:00+00:00"),
    ):
        (event,) = root.iter("event")
        assert (root.findtext("conference/time_zone_name"), event.findtext("date")) == (zone, starts)
        assert (event.findtext("slug"), event.findtext("track")) == (made["slug"], "Linz")
        assert (event.findtext("abstract"), event.findtext("description")) == ("<i>& one", "two")
    assert len(own.findall("day")) == 11


async def test_the_schedule_of_a_network_without_a_programme_has_a_day(house: House) -> None:
    root = await tree(house, "/schedule.xml")
    check_xml(root)
    assert [d.get("date") for d in root.iter("day")] == ["2026-11-25"]


async def test_the_guide_has_what_has_a_time_of_its_own(house: House) -> None:
    made = await shown(house)
    root = await tree(house, "/xmltv.xml")
    check_guide(root)
    assert [c.get("id") for c in root.iter("channel")] == ["network.showcase", "ars-2026.showcase"]
    assert [(p.get("channel"), p.get("start"), p.findtext("url", "")) for p in root.iter("programme")] == [
        (channel, "20261125130000 +0000", f"http://localhost:8080/en/screenings/{made['slug']}")
        for channel in ("ars-2026.showcase", "network.showcase")
    ]
    await house.write(lambda tx: tx.execute(rows.update().values(kind="on_demand")))
    assert list((await tree(house, "/xmltv.xml")).iter("programme")) == []


async def test_a_co_host_has_it_in_its_feeds_on_its_own_clock(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    await festival(house, "gwangju", slug="gmaf", city="gwangju", timezone="Asia/Seoul", title={"en": "GMAF"})
    made = await screening(house, slug, "admin", co_hosts=["gmaf"])
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    await house.write(lambda tx: tx.execute(rows.update().values(kind="live")))
    (event,) = (await tree(house, "/festivals/gmaf/schedule.xml")).iter("event")
    assert (event.findtext("date"), event.findtext("room")) == ("2026-11-25T22:00:00+09:00", "Ars")
    assert "gmaf.showcase" in await text(house, "/xmltv.xml")


async def test_controls_are_in_no_calendar(house: House) -> None:
    await shown(house, title={"en": "Ti\u0007des"}, text={"en": "a\u0001b\u0008c", "fr": ""})
    body = await (await house.ask("GET", "/programme.ics")).read()
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert (str(event["SUMMARY"]), str(event["DESCRIPTION"])) == ("Tides", "Premiere · Ars\nabc")


async def test_pages_name_their_feeds(house: House) -> None:
    await shown(house)
    link = re.compile(r'<link rel="alternate" type="([\w/]+)" href="([^"]+)"')
    found = {path: link.findall(await text(house, path)) for path in ("/en/festivals/ars-2026", "/fr/programme")}
    assert found == {
        "/en/festivals/ars-2026": [
            ("text/calendar", "/festivals/ars-2026.ics?lang=en"),
            ("application/xml", "/festivals/ars-2026/schedule.xml?lang=en"),
            ("application/json", "/festivals/ars-2026/schedule.json?lang=en"),
        ],
        "/fr/programme": [
            ("text/calendar", "/programme.ics?lang=fr"),
            ("application/xml", "/schedule.xml?lang=fr"),
            ("application/xml", "/xmltv.xml"),
        ],
    }
    for _, href in (one for links in found.values() for one in links):
        assert (await house.ask("GET", href)).status == 200
    await house.ask("PATCH", "/api/v1/festivals/ars-2026", "linz", json={"state": "draft"})
    assert link.findall(await text(house, "/en/festivals/ars-2026", "linz")) == []


ENTRY = "{http://www.w3.org/2005/Atom}entry"
TITLE = "{http://www.w3.org/2005/Atom}title"


async def atom(house: House, lang: str = "en") -> list[str | None]:
    return [e.findtext(TITLE) for e in (await tree(house, f"/{lang}/programme.atom")).iter(ENTRY)]


async def test_feed_readers_get_what_is_new_in_the_language_of_the_address(house: House) -> None:
    made = await shown(house, title={"en": "Ebb", "fr": "Reflux"})
    first = await house.ask("GET", "/en/programme.atom", headers={"Accept-Language": "fr"})
    assert (first.status, first.content_type, first.charset) == (200, "application/atom+xml", "utf-8")
    assert (first.headers["Cache-Control"], "Vary" in first.headers) == ("public, max-age=300", False)
    assert (await atom(house), await atom(house, "fr")) == (["Ebb"], ["Reflux"])
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await house.ask("GET", "/en/programme.atom", headers=known)).status == 304
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/withdraw", "linz")
    assert await atom(house) == []
    link = '<link rel="alternate" type="application/atom+xml" href="/fr/programme.atom"'
    assert link in await text(house, "/fr/programme")


async def test_feed_readers_get_no_drafts_and_nothing_that_is_long_over(house: House) -> None:
    await shown(house, public=False)
    assert await atom(house, "en") == []


async def test_what_changed_last_comes_first_and_what_is_old_goes(house: House) -> None:
    made = await shown(house, title={"en": "Older"})
    house.later(timedelta(minutes=1))
    other = await screening(house, made["slots"][0]["work"], title={"en": "Newer", "fr": "Plus récent"})
    assert (await house.ask("POST", f"/api/v1/screenings/{other['slug']}/publish", "linz")).status == 200
    assert await atom(house) == ["Newer", "Older"]
    house.later(timedelta(minutes=1))
    await house.ask("PATCH", f"/api/v1/screenings/{made['slug']}", "linz", json={"title": {"en": "One"}})
    assert await atom(house) == ["One", "Newer"]
    house.later(timedelta(days=30))
    assert await atom(house) == ["One", "Newer"]
    house.later(timedelta(days=2))
    assert await atom(house) == []
