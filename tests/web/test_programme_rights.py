"""Festivals and screenings: who rules them, and what opens when, down to the segment."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.web.conftest import START, House

FESTIVAL = {
    "slug": "ars-2026", "city": "linz", "timezone": "Europe/Vienna", "title": {"en": "Ars", "fr": "Ars"},
    "starts_on": "2026-11-20", "ends_on": "2026-11-30",
}  # fmt: skip
OPENS, CLOSES = START + timedelta(hours=1), START + timedelta(hours=1, minutes=40)


async def festival(house: House, who: str = "linz", *, public: bool = True, **given: Any) -> str:
    answer = await house.ask("POST", "/api/v1/festivals", who, json=FESTIVAL | given)
    assert answer.status == 201, await answer.text()
    slug = str((await answer.json())["slug"])
    if public:
        await house.ask("PATCH", f"/api/v1/festivals/{slug}", who, json={"state": "published"})
    return slug


async def screening(house: House, work: str, who: str = "linz", **given: Any) -> dict[str, Any]:
    new = {
        "festival": "ars-2026", "kind": "on_demand", "title": {"en": "Tides", "fr": "Marées"}, "starts": OPENS.isoformat(),
        "ends": CLOSES.isoformat(), "slots": [{"work": work}],
    } | given  # fmt: skip
    answer = await house.ask("POST", "/api/v1/screenings", who, json=new)
    assert answer.status == 201, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def accepted(house: House) -> tuple[str, str]:
    """A work that staff have taken and nobody can see; returns its slug and its film."""
    work = await house.work()
    asset = await house.film(work)
    await house.ask("POST", f"/api/v1/works/{work.slug}/accept", "linz", json={})
    return work.slug, asset


async def test_a_screening_opens_its_works_for_its_time_and_no_longer(house: House) -> None:
    slug, asset = await accepted(house)
    await festival(house)
    made = await screening(house, slug)
    path = f"/api/v1/screenings/{made['slug']}"
    assert (await house.ask("POST", f"{path}/play", json={})).status == 404
    published = await house.ask("POST", f"{path}/publish", "linz")
    assert (published.status, (await published.json())["phase"]) == (200, "upcoming")
    early = await house.ask("POST", f"{path}/play", json={})
    problem = await early.json()
    assert (early.status, problem["code"], problem["opens"]) == (403, "not-open-yet", OPENS.isoformat())
    house.moment = OPENS
    play = await (await house.ask("POST", f"{path}/play", json={"slot": 0})).json()
    base = play["hls"].rpartition("/")[0]
    assert (play["phase"], play["starts"], play["ends"], base.split("/")[3]) == (
        "on_air", OPENS.isoformat(), CLOSES.isoformat(), asset,
    )  # fmt: skip
    for tail in ("master.m3u8", "v240/index.m3u8", "v240/s00001.m4s"):
        assert (await house.ask("GET", f"{base}/{tail}")).status == 200
    assert (await house.ask("POST", f"{path}/play", json={"slot": 1})).status == 404
    # The work itself stays closed: only the screening opens it.
    assert (await house.ask("POST", f"/api/v1/works/{slug}/play", json={})).status == 404
    renewed = await (await house.ask("POST", "/api/v1/grants", json={"hls": play["hls"]})).json()
    assert (await house.ask("GET", renewed["hls"])).status == 200
    house.moment = CLOSES
    assert (await house.ask("GET", f"{base}/v240/s00001.m4s")).status == 410
    assert (await house.ask("POST", f"{path}/play", json={})).status == 410


async def test_withdrawing_a_screening_or_a_work_closes_it_at_once(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    made = await screening(house, slug)
    path = f"/api/v1/screenings/{made['slug']}"
    await house.ask("POST", f"{path}/publish", "linz")
    house.moment = OPENS
    hls = (await (await house.ask("POST", f"{path}/play", json={})).json())["hls"]
    await house.ask("POST", f"{path}/withdraw", "linz")
    assert (await house.ask("GET", hls)).status == 410
    page = await house.ask("GET", f"/en/screenings/{made['slug']}")
    assert (page.status, "withdrawn" in await page.text()) == (200, True)
    await house.ask("POST", f"{path}/publish", "linz")
    assert (await house.ask("GET", hls)).status == 200
    await house.ask("POST", f"/api/v1/works/{slug}/withdraw", "artist")
    assert (await house.ask("GET", hls)).status in (404, 410)


async def test_a_festival_keeps_a_title_in_one_language_at_least(house: House) -> None:
    path = f"/api/v1/festivals/{await festival(house)}"
    one = await house.ask("PATCH", path, "linz", json={"title": {"en": ""}})
    assert (one.status, (await one.json())["title"]) == (200, {"fr": "Ars"})
    for rest in ({"fr": " "}, {"fr": "", "en": ""}):
        refused = await house.ask("PATCH", path, "linz", json={"title": rest, "starts_on": "2026-11-01"})
        told = [(e["field"], e["code"]) for e in (await refused.json())["errors"]]
        assert (refused.status, told) == (422, [("title", "required")])
    kept = await (await house.ask("GET", path, "linz")).json()
    assert (kept["title"], kept["starts_on"]) == ({"fr": "Ars"}, "2026-11-20")
    moved = await house.ask("PATCH", path, "linz", json={"title": {"fr": "", "en": "Light"}})
    assert (await moved.json())["title"] == {"en": "Light"}


async def test_a_work_that_is_removed_leaves_its_slot_at_once(house: House) -> None:
    gone, _ = await accepted(house)
    stays, asset = await accepted(house)
    await festival(house)
    made = await screening(house, gone, slots=[{"work": gone}, {"work": stays}])
    play = f"/api/v1/screenings/{made['slug']}/play"
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    house.moment = OPENS
    assert (await house.ask("POST", play, json={"slot": 0})).status == 200
    await house.ask("POST", f"/api/v1/works/{gone}/withdraw", "artist")
    assert (await house.ask("POST", play, json={"slot": 0})).status == 410
    assert (await house.ask("DELETE", f"/api/v1/works/{gone}", "artist")).status == 204
    first = await (await house.ask("POST", play, json={"slot": 0})).json()
    assert first["hls"].split("/")[3] == asset
    assert (await house.ask("POST", play, json={"slot": 1})).status == 404


async def test_a_new_zone_of_the_festival_closes_and_opens_its_screenings_at_once(house: House) -> None:
    slug, _ = await accepted(house)
    path = f"/api/v1/festivals/{await festival(house)}"
    made = await screening(house, slug)
    play = f"/api/v1/screenings/{made['slug']}/play"
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    house.moment = OPENS
    hls = (await (await house.ask("POST", play, json={})).json())["hls"]
    # 14:00 on the clock: in London an hour later than in Vienna.
    assert (await house.ask("PATCH", path, "linz", json={"timezone": "Europe/London"})).status == 200
    early = await house.ask("POST", play, json={})
    assert (early.status, (await early.json())["opens"]) == (403, (OPENS + timedelta(hours=1)).isoformat())
    assert (await house.ask("GET", hls)).status == 403
    house.later(timedelta(hours=1))
    assert (await house.ask("POST", play, json={})).status == 200


async def test_a_new_zone_takes_nothing_that_is_to_come_into_the_past(house: House) -> None:
    slug, _ = await accepted(house)
    path = f"/api/v1/festivals/{await festival(house)}"
    made = await screening(house, slug)
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    refused = await house.ask("PATCH", path, "linz", json={"timezone": "Asia/Seoul"})
    told = await refused.json()
    assert (refused.status, told["code"], "“Tides”" in told["detail"]) == (409, "would-be-over", True)
    stands = await (await house.ask("GET", f"/api/v1/screenings/{made['slug']}")).json()
    assert datetime.fromisoformat(stands["starts"]) == OPENS
    # What nobody can see yet may go anywhere.
    await house.ask("PATCH", path, "linz", json={"state": "draft"})
    assert (await house.ask("PATCH", path, "linz", json={"timezone": "Asia/Seoul"})).status == 200


@pytest.mark.parametrize("who", [None, "other", "gwangju"])
async def test_staff_of_another_city_cannot_touch_a_festival_unless_they_co_host(house: House, who: str | None) -> None:
    slug, _ = await accepted(house)
    await festival(house, public=False)
    made = await screening(house, slug)
    path = f"/api/v1/screenings/{made['slug']}"
    calls = [
        ("GET", "/api/v1/festivals/ars-2026"), ("PATCH", "/api/v1/festivals/ars-2026"), ("GET", path), ("PATCH", path), ("DELETE", path),
        ("POST", f"{path}/publish"), ("POST", f"{path}/withdraw"), ("POST", f"{path}/play"), ("GET", f"/en/screenings/{made['slug']}"),
        ("GET", "/en/festivals/ars-2026"), ("GET", "/festivals/ars-2026.ics"), ("GET", f"/en/desk/screenings/{made['slug']}"),
        ("GET", "/festivals/ars-2026/schedule.xml"), ("GET", "/festivals/ars-2026/schedule.json"),
        ("GET", "/en/desk/festivals/ars-2026"), ("GET", "/en/desk/festivals/ars-2026/new"), ("POST", "/en/desk/festivals/ars-2026/state"),
    ]  # fmt: skip
    for method, address in calls:
        body = {"json": {}} if method in ("POST", "PATCH") and "/api/" in address else {}
        answer = await house.ask(method, address, who, **body)
        refused = answer.status in (401, 403, 404) or (answer.status == 303 and "sign-in" in answer.headers["Location"])
        assert refused, (method, address, answer.status)
    if who == "gwangju":
        await festival(house, "gwangju", slug="gmaf", city="gwangju", timezone="Asia/Seoul")
        # Nobody fills a programme that is not theirs; who rules both brings them together.
        assert (await house.ask("PATCH", path, "linz", json={"co_hosts": ["gmaf"]})).status == 422
        shared = await house.ask("PATCH", path, "admin", json={"co_hosts": ["gmaf"]})
        assert shared.status == 200
        assert (await house.ask("PATCH", path, who, json={"title": {"en": "Shared"}})).status == 200
        assert (await house.ask("DELETE", path, who)).status == 404
        assert (await house.ask("PATCH", "/api/v1/festivals/ars-2026", who, json={"state": "archived"})).status == 404


async def test_only_administrators_make_the_networks_festivals(house: House) -> None:
    new = FESTIVAL | {"city": None, "slug": "network", "timezone": "UTC"}
    statuses = {
        w: (await house.ask("POST", "/api/v1/festivals", w, json=new)).status for w in (None, "other", "linz", "admin")
    }
    assert statuses == {None: 401, "other": 403, "linz": 403, "admin": 201}
    elsewhere = await house.ask("POST", "/api/v1/festivals", "gwangju", json=FESTIVAL)
    assert elsewhere.status == 403


async def test_errors_stand_against_publishing_and_drafts_are_kept(house: House) -> None:
    draft = await house.work()
    await festival(house)
    made = await screening(house, draft.slug, title={"fr": "Marées"}, ends=OPENS.isoformat())
    found = {(c["code"], c["severity"]) for c in made["conflicts"]}
    assert found == {
        ("window-order", "error"), ("work-not-accepted", "error"), ("work-not-ready", "error"), ("captions-missing", "warning"),
    }  # fmt: skip
    refused = await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    problem = await refused.json()
    assert (refused.status, problem["code"], "not accepted yet" in problem["detail"]) == (409, "not-publishable", True)


async def test_a_public_screening_cannot_be_changed_into_an_error(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    path = f"/api/v1/screenings/{(await screening(house, slug))['slug']}"
    await house.ask("POST", f"{path}/publish", "linz")
    assert (await house.ask("PATCH", path, "linz", json={"slots": []})).status == 409
    assert [s["work"] for s in (await (await house.ask("GET", path)).json())["slots"]] == [slug]


async def test_times_are_kept_on_the_festivals_clock(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    made = await screening(house, slug, starts="2026-11-25T20:00:00-05:00", ends="2026-11-26T02:00:00Z")
    assert (made["starts"], made["ends"], made["timezone"]) == (
        "2026-11-26T02:00:00+01:00", "2026-11-26T03:00:00+01:00", "Europe/Vienna",
    )  # fmt: skip


async def test_a_work_that_is_not_theirs_to_see_cannot_be_shown(house: House) -> None:
    hidden = await house.work("other", cities=["dakar"])
    await house.film(hidden)
    # Accepted by its own city, it is still not for another one to open.
    await house.ask("POST", f"/api/v1/works/{hidden.slug}/accept", "admin", json={})
    await festival(house)
    new = {
        "festival": "ars-2026",
        "title": {"en": "x"},
        "starts": OPENS.isoformat(),
        "ends": CLOSES.isoformat(),
        "slots": [{"work": hidden.slug}],
    }
    answer = await house.ask("POST", "/api/v1/screenings", "linz", json=new)
    assert (answer.status, (await answer.json())["errors"][0]["code"]) == (422, "no-such-work")


async def test_what_is_on_now_and_next(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    for title, hours in (("Now", 0), ("Next", 5), ("Later", 9)):
        starts = START + timedelta(hours=hours)
        made = await screening(
            house, slug, title={"en": title}, starts=starts.isoformat(), ends=(starts + timedelta(hours=1)).isoformat()
        )
        await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    (entry,) = (await (await house.ask("GET", "/api/v1/on-air")).json())["festivals"]
    assert ([s["title"]["en"] for s in entry["now"]], entry["next"]["title"]["en"]) == (["Now"], "Next")

    async def order(hours: int) -> list[str]:
        house.moment = START + timedelta(hours=hours)
        # A page is kept for some seconds, each query by itself.
        page = await (await house.ask("GET", f"/en/festivals/ars-2026?page={hours + 1}")).text()
        return [a or b for a, b in re.findall(r"<h3><a[^>]*>(\w+)|<summary>([^<]*)", page)]

    # The festival's page begins with what is on; what is over stands below, until all of it is.
    assert await order(0) == ["Now", "Next", "Later"]
    assert await order(2) == ["Next", "Later", "1 screening that is over", "Now"]
    assert await order(12) == ["Now", "Next", "Later"]


async def test_the_programme_goes_into_calendars(house: House) -> None:
    import icalendar

    slug, _ = await accepted(house)
    await festival(house)
    made = await screening(house, slug)
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    for path in ("/programme.ics", "/festivals/ars-2026.ics"):
        answer = await house.ask("GET", path)
        assert (answer.status, answer.content_type) == (200, "text/calendar")
        found = icalendar.Calendar.from_ical(await answer.read())
        (event,) = found.walk("VEVENT")
        assert (str(event["SUMMARY"]), event.decoded("DTSTART"), event.decoded("DTEND")) == ("Tides", OPENS, CLOSES)
        assert [str(z["TZID"]) for z in found.walk("VTIMEZONE")] == ["Europe/Vienna"]
        assert str(event["STATUS"]) == "CONFIRMED"


async def test_a_calendar_is_told_what_was_withdrawn_and_counts_the_changes(house: House) -> None:
    import icalendar

    slug, _ = await accepted(house)
    await festival(house)
    made = await screening(house, slug)
    path = f"/api/v1/screenings/{made['slug']}"

    async def told() -> list[tuple[str, int, str, bool]]:
        found = []
        for address in ("/programme.ics", "/festivals/ars-2026.ics"):
            for event in icalendar.Calendar.from_ical(await (await house.ask("GET", address)).read()).walk("VEVENT"):
                stamped = event.decoded("DTSTAMP") == event.decoded("LAST-MODIFIED") == house.moment
                found.append((str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"]), stamped))
        return found

    assert await told() == []
    await house.ask("POST", f"{path}/publish", "linz")
    (uid, first, status, _), again = await told()
    assert (status, again) == ("CONFIRMED", (uid, first, status, True))
    for act, expected in (("withdraw", "CANCELLED"), ("publish", "CONFIRMED")):
        house.later(timedelta(minutes=1))
        await house.ask("POST", f"{path}/{act}", "linz")
        first += 1
        # RFC 5545 3.8.7.4: "It is monotonically incremented by the "Organizer's" CUA each time the "Organizer" makes a
        # significant revision to the calendar component."
        assert await told() == [(uid, first, expected, True)] * 2


async def test_a_co_host_may_keep_what_the_host_put_in_and_nothing_more(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    await festival(house, "gwangju", slug="gmaf", city="gwangju", timezone="Asia/Seoul")
    made = await screening(house, slug, "admin", co_hosts=["gmaf"])
    path = f"/api/v1/screenings/{made['slug']}"
    kept = await house.ask("PATCH", path, "gwangju", json={"title": {"en": "Ours, too"}, "slots": [{"work": slug}]})
    assert kept.status == 200
    own = await house.ask("POST", "/api/v1/screenings", "gwangju", json={
        "festival": "gmaf", "title": {"en": "x"}, "starts": OPENS.isoformat(), "ends": CLOSES.isoformat(), "slots": [{"work": slug}],
    })  # fmt: skip
    assert own.status == 422


async def test_drafts_of_other_cities_festivals_are_not_offered(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    await festival(
        house,
        "gwangju",
        slug="secret",
        city="gwangju",
        timezone="Asia/Seoul",
        title={"en": "Not told yet"},
        public=False,
    )
    made = await screening(house, slug)
    page = await (await house.ask("GET", f"/en/desk/screenings/{made['slug']}", "linz")).text()
    assert "Not told yet" not in page


async def test_another_city_does_not_open_a_published_work_or_a_version_of_it(house: House) -> None:
    work, _ = await house.published(on_view=False)
    newer = await house.film(work)
    await festival(house)
    await festival(house, "gwangju", slug="gmaf", city="gwangju", timezone="Asia/Seoul")
    new = {"festival": "gmaf", "title": {"en": "x"}, "starts": OPENS.isoformat(), "ends": CLOSES.isoformat()}
    answer = await house.ask("POST", "/api/v1/screenings", "gwangju", json=new | {"slots": [{"work": work.slug}]})
    assert answer.status == 422
    made = await screening(house, work.slug, "admin", co_hosts=["gmaf"])
    swapped = {"slots": [{"work": work.slug, "version": newer}]}
    assert (await house.ask("PATCH", f"/api/v1/screenings/{made['slug']}", "gwangju", json=swapped)).status == 422


async def test_a_work_that_is_withdrawn_leaves_the_page_of_its_screening(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    made = await screening(house, slug, title={"en": "An evening"})
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    house.moment = OPENS
    assert "Ada" in await (await house.ask("GET", f"/en/screenings/{made['slug']}")).text()
    await house.ask("POST", f"/api/v1/works/{slug}/withdraw", "artist")
    page = await (await house.ask("GET", f"/en/screenings/{made['slug']}")).text()
    assert ("Ada" in page, "data-player" in page) == (False, False)
    assert (await house.ask("POST", f"/api/v1/screenings/{made['slug']}/play", json={})).status == 410


@pytest.mark.parametrize("tail", [".ics", "/schedule.xml", "/schedule.json"])
async def test_the_feeds_of_a_draft_are_for_nobody(house: House, tail: str) -> None:
    await festival(house, public=False)
    assert (await house.ask("GET", f"/festivals/ars-2026{tail}", "linz")).status == 404


async def test_publishing_is_refused_when_somebody_saved_since_the_revision_that_was_seen(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    path = f"/api/v1/screenings/{(await screening(house, slug))['slug']}"
    await house.ask("PATCH", path, "linz", json={"title": {"en": "Ebb"}})
    refused = await house.ask("POST", f"{path}/publish", "linz", json={"revision": 1})
    problem = await refused.json()
    assert (refused.status, problem["code"], problem["detail"]) == (
        409, "changed-meanwhile", "Somebody else changed it meanwhile. Look at it and try again.",
    )  # fmt: skip
    assert (await house.ask("POST", f"{path}/publish", "linz", json={"revision": "2nd"})).status == 422
    made = await (await house.ask("POST", f"{path}/publish", "linz", json={"revision": 2})).json()
    assert (made["state"], made["revision"]) == ("published", 3)
    # Without one, whatever is there is public.
    assert (await house.ask("POST", f"{path}/publish", "linz")).status == 200


async def test_who_changed_what_is_told_to_its_staff_and_can_be_taken_back(house: House) -> None:
    one, _ = await accepted(house)
    two, _ = await accepted(house)
    await festival(house)
    made = await screening(house, one)
    path = f"/api/v1/screenings/{made['slug']}"
    change = {"title": {"en": "Ebb"}, "slots": [{"work": two}], "starts": (OPENS + timedelta(minutes=10)).isoformat()}
    assert (await house.ask("PATCH", path, "linz", json=change)).status == 200
    assert (await house.ask("PATCH", path, "linz", json={})).status == 200
    await house.ask("POST", f"{path}/publish", "linz")
    for who in (None, "artist", "gwangju"):
        assert (await house.ask("GET", f"{path}/history", who)).status in (401, 403)
        assert (await house.ask("POST", f"{path}/restore", who, json={"change": 1})).status in (401, 403)
    found = (await (await house.ask("GET", f"{path}/history", "linz")).json())["changes"]
    assert [(c["action"], c["person"]) for c in found] == [
        ("published", "Sample Linz"),
        ("changed", "Sample Linz"),
        ("created", "Sample Linz"),
    ]
    assert (found[1]["before"], found[1]["after"]) == (
        {"slots": [[one, None, 0]], "starts": "2026-11-25T14:00:00", "title.en": "Tides"},
        {"slots": [[two, None, 0]], "starts": "2026-11-25T14:10:00", "title.en": "Ebb"},
    )
    back = await house.ask("POST", f"{path}/restore", "linz", json={"change": found[1]["id"]})
    restored = await back.json()
    assert back.status == 200, restored
    assert (restored["title"], [s["work"] for s in restored["slots"]], restored["starts"], restored["state"]) == (
        {"en": "Tides", "fr": "Marées"}, [one], made["starts"], "published",
    )  # fmt: skip
    latest = (await (await house.ask("GET", f"{path}/history", "linz")).json())["changes"][0]
    assert (latest["action"], latest["before"]["title.en"]) == ("restored", "Ebb")
    assert (await house.ask("POST", f"{path}/restore", "linz", json={"change": 999})).status == 404
    # It is taken back already.
    twice = await house.ask("POST", f"{path}/restore", "linz", json={"change": found[1]["id"]})
    problem = await twice.json()
    assert (twice.status, problem["code"], problem["detail"]) == (
        409, "changed-meanwhile", "The same was changed again since. Take the later change back first.",
    )  # fmt: skip
    # What others changed beside it stays, and does not stand against it.
    await house.ask("PATCH", path, "linz", json={"minimum_age": 12})
    latest = (await (await house.ask("GET", f"{path}/history", "linz")).json())["changes"][1]
    again = await (await house.ask("POST", f"{path}/restore", "linz", json={"change": latest["id"]})).json()
    assert (again["title"]["en"], [s["work"] for s in again["slots"]], again["minimum_age"]) == ("Ebb", [two], 12)
    assert (await house.ask("POST", f"{path}/restore", "linz", json={"change": found[2]["id"]})).status == 404
