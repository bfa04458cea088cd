"""schedule.xml and schedule.json against what c3voc's schemas ask: each requirement stands above its assertion.

The schemas are github.com/voc/schedule, validator/xsd/schedule.xml.xsd and validator/json/schema.json.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from showcase.core.feeds_schedule import Occasion, acronym, as_json, duration, short_duration, xml
from showcase.core.models import Credit
from tests.core.programmes import NOON, screening, slots, work

ABOUT = Occasion(
    slug="ars-2026", title="Ars", zone=ZoneInfo("Europe/Vienna"), site="https://show.example.org", path="/en/festivals/ars-2026",
    lang="en", days=(date(2026, 11, 25), date(2026, 11, 26)), product=("Showcase", "1"), changed=NOON,
)  # fmt: skip
TEXT = {"title": {"en": "Tides", "fr": "Marées"}, "text": {"en": "First.\n\nThen <b>more</b> & more.\x07"}}
WORKS = {
    1: work(1),
    2: work(2, state="accepted", credits=(Credit("Grace", "sound"), Credit("Ada", "artist", "linz", "ada"))),
}
SHOWN = [
    screening(7, 7, 1.5, texts=TEXT, slots=slots(1, 2, 3)),
    screening(8, 12.5),  # half past one on the next day in Vienna
    screening(9, -2, 150, kind="on_demand", festival_slug="else", festival_title={"fr": "Ailleurs"}, city=None),
]
PLACES = {"linz": "Linz"}


def read_xml(about: Occasion = ABOUT, shown: Any = SHOWN) -> ET.Element:
    return ET.fromstring(xml(about, shown, WORKS, PLACES))  # noqa: S314 - our own


def read_json(about: Occasion = ABOUT, shown: Any = SHOWN) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(as_json(about, shown, WORKS, PLACES))
    return found


def check_xml(root: ET.Element) -> None:
    """Assert what the XSD asks."""
    # <xs:sequence>: generator minOccurs="0", version, conference, day maxOccurs="unbounded" (so at least one)
    tags = [e.tag for e in root]
    assert tags == ["generator", "version", "conference"] + ["day"] * (len(tags) - 3)
    assert len(tags) > 3
    conference = {e.tag: e.text or "" for e in root[2]}
    # <xs:all> of conference
    assert set(conference) <= {
        "title",
        "acronym",
        "start",
        "end",
        "days",
        "timeslot_duration",
        "base_url",
        "time_zone_name",
    }
    assert len(root[2]) == len(conference)
    assert {"title", "acronym"} <= set(conference)
    date.fromisoformat(conference["start"])
    date.fromisoformat(conference["end"])
    assert int(conference["days"]) == len(tags) - 3
    # httpURI: pattern "https?://.*"
    assert re.fullmatch("https?://.*", conference["base_url"])
    # <xs:unique name="day_index_unique">; index is an xs:positiveInteger
    assert [d.get("index") for d in root.iter("day")] == [str(n + 1) for n in range(len(tags) - 3)]
    for day in root.iter("day"):
        assert set(day.keys()) == {"index", "date", "start", "end"}
        for moment in ("start", "end"):
            # dateTimeTZ: pattern ".+(Z|\+[0-9]{1,2}:[0-9]{2}|-[0-9]{1,2}:[0-9]{2})"
            assert re.fullmatch(r".+(Z|[+-][0-9]{1,2}:[0-9]{2})", day.get(moment, ""))
        assert all(room.tag == "room" and set(room.keys()) == {"name"} for room in day)
    for event in root.iter("event"):
        # <xs:all> of event: what has no minOccurs="0" is there, nothing twice, nothing else
        found = {e.tag: e.text or "" for e in event}
        assert len(found) == len(event)
        assert {"room", "title", "subtitle", "type", "date", "start", "duration", "abstract", "slug", "track"} <= set(
            found
        )
        assert set(found) <= {
            "room", "title", "subtitle", "type", "date", "start", "duration", "abstract", "slug", "track", "logo", "persons",
            "language", "description", "recording", "links", "attachments", "video_download_url", "url",
        }  # fmt: skip
        # id: xs:positiveInteger, required; guid: uuid, required
        assert int(event.get("id", "0")) > 0
        assert re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", event.get("guid", ""))
        # start: pattern "([0-2][0-9]:[0-5][0-9])|…"; duration: "([0-9]{1,2}:[0-9]{2})|([0-9]{1,2}:[0-9]{2}:[0-9]{1,2})"
        assert re.fullmatch("[0-2][0-9]:[0-5][0-9]", found["start"])
        assert re.fullmatch("[0-9]{1,2}:[0-9]{2}|[0-9]{1,2}:[0-9]{2}:[0-9]{1,2}", found["duration"])
        assert re.fullmatch(r".+(Z|[+-][0-9]{1,2}:[0-9]{2})", datetime.fromisoformat(found["date"]).isoformat())
        assert re.fullmatch("https?://.*", found["url"])
        # recording: <xs:all> license, optout (xs:boolean)
        recording = event.find("recording")
        assert recording is not None
        assert [(e.tag, e.text) for e in recording] == [("license", None), ("optout", "true")]
        assert all(e.tag == "person" for e in event.iterfind("persons/*"))
        assert all(set(e.keys()) == {"href"} for e in event.iterfind("links/*"))
    # <xs:unique> guid_unique, id_unique, slug_unique
    events = list(root.iter("event"))
    for values in (
        [e.get("guid") for e in events],
        [e.get("id") for e in events],
        [e.findtext("slug") for e in events],
    ):
        assert len(set(values)) == len(values)


def check_json(found: dict[str, Any]) -> None:
    """Assert what the JSON schema asks."""
    # "additionalProperties": false; "required": ["schedule"]
    assert set(found) == {"$schema", "generator", "schedule"}
    assert {"conference", "version"} <= set(found["schedule"])
    conference = found["schedule"]["conference"]
    # Conference: "required", "additionalProperties": false
    assert {"title", "acronym", "days", "daysCount", "start", "end", "timeslot_duration"} <= set(conference)
    assert set(conference) <= {
        "acronym", "title", "description", "start", "end", "daysCount", "timeslot_duration", "time_zone_name", "logo", "colors",
        "keywords", "url", "tracks", "rooms", "meta", "days",
    }  # fmt: skip
    # acronym: "pattern": "^[a-z0-9_-][a-z0-9_]{3,}(-2[0-9]{3}-[a-z]+)?$"
    assert re.search("^[a-z0-9_-][a-z0-9_]{3,}(-2[0-9]{3}-[a-z]+)?$", conference["acronym"])
    # time_zone_name: "pattern": "^([A-Z][a-z]+/[A-Z][a-z]+)|UTC$"
    assert re.search("^([A-Z][a-z]+/[A-Z][a-z]+)|UTC$", conference["time_zone_name"])
    assert conference["daysCount"] == len(conference["days"])
    for room in conference["rooms"]:
        # Room: "required": ["guid", "name"], "additionalProperties": false
        assert set(room) == {"guid", "name", "description", "capacity"}
        assert str(UUID(room["guid"])) == room["guid"]
    for day in conference["days"]:
        # Day: "required": ["date", "day_end", "day_start", "index", "rooms"], "additionalProperties": false
        assert set(day) == {"date", "day_end", "day_start", "index", "rooms"}
        for event in (e for events in day["rooms"].values() for e in events):
            # Event: "required"
            required = {
                "abstract", "date", "duration", "guid", "id", "language", "links", "persons", "room", "slug", "start", "subtitle",
                "title", "track", "type", "url",
            }  # fmt: skip
            assert required <= set(event)
            # "additionalProperties": false
            assert set(event) - required <= {"logo", "description", "recording_license", "do_not_record", "attachments"}
            assert event["id"] >= 1
            assert str(UUID(event["guid"])) == event["guid"]
            # Duration: "pattern": "^[0-9]+:[0-9]{2}$"; slug: "pattern": "^[a-z0-9_-]+[a-z0-9]$"
            assert re.search("^[0-9]+:[0-9]{2}$", event["duration"])
            assert re.search("^[a-z0-9_-]+[a-z0-9]$", event["slug"])
            for person in event["persons"]:
                # Person: "oneOf" Frab ("required": ["public_name", "id"]) and Pretalx ("required": ["name"])
                assert ("name" in person) != ({"public_name", "id"} <= set(person))


def test_the_files_are_as_their_schemas_ask() -> None:
    for about in (ABOUT, replace(ABOUT, slug="ars", days=(), zone=ZoneInfo("UTC"), lang="fr")):
        check_xml(read_xml(about))
        check_json(read_json(about))
    check_xml(read_xml(shown=[]))
    check_json(read_json(shown=[]))


def test_an_event_tells_what_when_and_by_whom() -> None:
    event = next(e for e in read_xml().iter("event") if e.get("id") == "7")
    assert {e.tag: e.text for e in event if not len(e)} == {
        "date": "2026-11-25T20:00:00+01:00", "start": "20:00", "duration": "01:30", "room": "Ars", "slug": "screening-7",
        "url": "https://show.example.org/en/screenings/screening-7", "title": "Tides", "subtitle": "Work 1 · Work 2",
        "track": "Linz", "type": "premiere", "language": "ja", "abstract": "First.", "description": "Then <b>more</b> & more.",
        "attachments": None,
    }  # fmt: skip
    assert [e.text for e in event.iterfind("persons/person")] == ["Ada", "Grace"]
    # What is accepted and not public has no page to lead to.
    assert [(e.text, e.get("href")) for e in event.iterfind("links/link")] == [
        ("Work 1", "https://show.example.org/en/works/work-1")
    ]


def test_the_json_says_the_same_and_who_a_person_is() -> None:
    found = read_json()["schedule"]["conference"]
    (event,) = found["days"][0]["rooms"]["Ars"]
    assert event == {
        "id": 7, "guid": next(e.get("guid") for e in read_xml().iter("event") if e.get("id") == "7"),
        "date": "2026-11-25T20:00:00+01:00", "start": "20:00", "duration": "01:30", "room": "Ars", "slug": "screening-7",
        "url": "https://show.example.org/en/screenings/screening-7", "title": "Tides", "subtitle": "Work 1 · Work 2",
        "track": "Linz", "type": "premiere", "language": "ja", "abstract": "First.", "description": "Then <b>more</b> & more.",
        "recording_license": "", "do_not_record": True, "attachments": [],
        "persons": [{"name": "Ada", "guid": str(uuid5(NAMESPACE_URL, f"{ABOUT.site}/artists/ada"))}, {"name": "Grace"}],
        "links": [{"title": "Work 1", "url": "https://show.example.org/en/works/work-1", "type": "related"}],
    }  # fmt: skip


def test_days_are_those_of_the_calendar_there_and_of_the_festival() -> None:
    days = {d.get("date"): [e.get("id") for e in d.iter("event")] for d in read_xml().iter("day")}
    assert days == {"2026-11-25": ["9", "7"], "2026-11-26": ["8"]}
    outside = [*SHOWN, screening(10, 24 * 4)]
    days = {d.get("date"): [e.get("id") for e in d.iter("event")] for d in read_xml(shown=outside).iter("day")}
    assert list(days) == ["2026-11-25", "2026-11-26", "2026-11-29"]
    # On the night when clocks are put back a day has 25 hours, each end told with its own offset.
    autumn = replace(ABOUT, days=(date(2026, 10, 25),))
    (day,) = read_xml(autumn, []).iter("day")
    assert (day.get("start"), day.get("end")) == ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00")


def test_one_file_has_one_zone() -> None:
    elsewhere = [*SHOWN, screening(10, 5, zone="Asia/Seoul")]
    for zone, offset in (("Europe/Vienna", "+01:00"), ("UTC", "+00:00")):
        root = read_xml(replace(ABOUT, zone=ZoneInfo(zone)), elsewhere)
        told = [e.text or "" for e in root.iter("date")] + [
            d.get(k, "") for d in root.iter("day") for k in ("start", "end")
        ]
        assert {t[-6:] for t in told} == {offset}


def test_texts_are_in_the_language_asked_for() -> None:
    french = read_xml(replace(ABOUT, lang="fr"))
    found = {e.get("id"): [e.findtext(tag) for tag in ("title", "subtitle", "room")] for e in french.iter("event")}
    assert found == {
        "7": ["Marées", "Œuvre 1 · Œuvre 2", "Ars"],
        "8": ["No. 8", "", "Ars"],
        "9": ["No. 9", "", "Ailleurs"],
    }


HALLS = [
    screening(1, 0), screening(2, 1, room="Hall"),
    screening(3, 0, festival_slug="ars-2027", room="Hall"), screening(4, 1, festival_slug="ars-2027"),
    screening(5, 0, festival_slug="else", festival_title={"fr": "Ailleurs"}, room="Hall"),
    screening(6, 1, festival_slug="else", festival_title={"fr": "Ailleurs"}),
]  # fmt: skip


def halls(about: Occasion) -> dict[str | None, str | None]:
    root = read_xml(about, HALLS)
    rooms = {e.get("id"): room.get("name") for room in root.iter("room") for e in room.iter("event")}
    assert rooms == {e.get("id"): e.findtext("room") for e in root.iter("event")}
    return rooms


def test_a_festival_calls_its_own_rooms_by_their_names_and_others_with_their_festival() -> None:
    assert halls(replace(ABOUT, festival="ars-2026")) == {
        "1": "Ars (ars-2026)", "2": "Hall", "3": "Ars · Hall", "4": "Ars (ars-2027)", "5": "Ailleurs · Hall", "6": "Ailleurs",
    }  # fmt: skip


def test_rooms_called_alike_of_different_festivals_stay_apart() -> None:
    assert halls(replace(ABOUT, slug="showcase")) == {
        "1": "Ars (ars-2026)", "2": "Ars · Hall (ars-2026)", "3": "Ars · Hall (ars-2027)", "4": "Ars (ars-2027)",
        "5": "Ailleurs · Hall", "6": "Ailleurs",
    }  # fmt: skip
    found = {r["name"]: r["guid"] for r in read_json(shown=HALLS)["schedule"]["conference"]["rooms"]}
    assert len(set(found.values())) == 6
    # It stays whatever the festival is called, and in which language.
    own = [replace(s, festival_title={"en": "Arts"}) for s in HALLS[:2]]
    renamed = read_json(replace(ABOUT, festival="ars-2026"), own)["schedule"]["conference"]["rooms"]
    assert [(r["name"], r["guid"]) for r in renamed] == [
        ("Arts", found["Ars (ars-2026)"]),
        ("Hall", found["Ars · Hall (ars-2026)"]),
    ]


def test_a_guid_stays_whatever_else_changes() -> None:
    renamed = [replace(SHOWN[0], slug="ebb", revision=9, texts={"title": {"en": "Ebb"}})]
    assert next(read_xml(shown=renamed).iter("event")).get("guid") == next(
        e.get("guid") for e in read_xml().iter("event") if e.get("id") == "7"
    )


@pytest.mark.parametrize(
    ("minutes", "short", "long"),
    [
        (0, "00:00", "00:00"),
        (90, "01:30", "01:30"),
        (99 * 60 + 59, "99:59", "99:59"),
        (100 * 60, "4:04:00", "100:00"),
        (99 * 1440 + 5, "99:00:05", "2376:05"),
        (300 * 1440, "99:23:59", "7200:00"),
    ],
)
def test_lengths(minutes: int, short: str, long: str) -> None:
    assert (short_duration(minutes), duration(minutes)) == (short, long)


def test_acronyms_differ_where_slugs_do() -> None:
    assert [acronym(s) for s in ("ars-2026", "ars", "a", "showcase")] == ["ars_2026", "ars_", "a___", "showcase"]


def test_the_version_is_when_something_changed_last() -> None:
    later = replace(ABOUT, changed=NOON + timedelta(hours=1))
    assert (read_xml().findtext("version"), read_xml(later).findtext("version")) == (
        "2026-11-25T13:00:00+01:00",
        "2026-11-25T14:00:00+01:00",
    )
