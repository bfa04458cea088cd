"""The studio's forms: what is typed is taken, kept when something is wrong, and never overwrites somebody else's silently."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientResponse

from showcase.core.models import Window, Work
from showcase.core.rights import ANY, Cue, WorkRights
from showcase.store import assets, jobs, works
from showcase.web.keys import DB
from tests.web.conftest import START, House


async def post(house: House, path: str, who: str, **fields: Any) -> ClientResponse:
    """Send a form as a browser does."""
    data = [("csrf", await house.csrf(who))]
    for name, value in fields.items():
        data += [(name.replace("__", "."), v) for v in (value if isinstance(value, list) else [value])]
    return await house.ask("POST", path, who, data=data, headers={"X-Requested-With": ""})


async def again(house: House, work: Work) -> Work:
    return await house.app[DB].read(works.work_by_id, work.id)


async def test_a_work_is_begun_with_a_title(house: House) -> None:
    made = await post(house, "/en/studio/new", "artist", title__en="Ebb", medium="video", cities=["linz", "dakar"])
    assert (made.status, made.headers["Location"]) == (303, "/en/studio/works/ebb")
    work = await house.app[DB].read(works.work, "ebb")
    assert (work.state, work.cities, work.authors) == ("draft", ("linz", "dakar"), {house.people["artist"].id})


async def test_what_is_missing_is_said_at_the_field_and_the_rest_is_kept(house: House) -> None:
    answer = await post(house, "/fr/studio/new", "artist", title__fr="Marée basse", medium="video", cities=["dakar"])
    page = await answer.text()
    assert answer.status == 422
    assert 'value="Marée basse"' in page
    assert re.search(r'value="dakar" checked', page)


async def test_the_description_is_taken_whole(house: House) -> None:
    work = await house.work()
    fields = {
        "revision": "1", "title__en": "Ebb", "title__fr": "Jusant", "original_lang": "ka", "title__original": "მიქცევა",
        "statement__en": "One.\n\nTwo.", "statement__fr": "", "year": "2025", "medium": "video", "link": "", "minimum_age": "12",
        "content_notes__en": "Flashing light", "cities": ["linz", "york"], "credit.name": ["Ada", "", "Awa"],
        "credit.role": ["artist", "", "sound"], "credit.city": ["linz", "", "dakar"],
        "credit.person": [house.people["artist"].slug, "", ""],
    }  # fmt: skip
    assert (await post(house, f"/en/studio/works/{work.slug}", "artist", **fields)).status == 303
    kept = await again(house, work)
    assert kept.texts["title"] == {"en": "Ebb", "fr": "Jusant", "ka": "მიქცევა"}
    assert (kept.text("statement", "fr"), kept.year, kept.minimum_age) == ("One.\n\nTwo.", 2025, 12)
    assert [(c.name, c.role, c.city, c.person) for c in kept.credits] == [
        ("Ada", "artist", "linz", house.people["artist"].slug),
        ("Awa", "sound", "dakar", None),
    ]
    page = await (await house.ask("GET", f"/en/works/{work.slug}", "artist")).text()
    assert 'lang="ka" dir="ltr">მიქცევა' in page


async def test_a_bad_field_keeps_everything_typed(house: House) -> None:
    work = await house.work()
    answer = await post(
        house, f"/en/studio/works/{work.slug}", "artist", revision="1", title__en="Ebb", year="next", medium="video", cities=["linz"],
        link="javascript:alert(1)", statement__en="Typed for an hour",
    )  # fmt: skip
    page = await answer.text()
    assert answer.status == 422
    assert "Typed for an hour" in page
    assert 'value="next"' in page
    assert (await again(house, work)).text("title", "en") == "Tide"


async def test_two_people_do_not_overwrite_each_other_silently(house: House) -> None:
    work = await house.work()
    common = {"medium": "video", "cities": ["linz"], "year": "", "link": "", "minimum_age": ""}
    path = f"/en/studio/works/{work.slug}"
    assert (await post(house, path, "linz", revision="1", title__en="By the staff", **common)).status == 303
    late = await post(house, path, "artist", revision="1", title__en="By the artist", **common)
    page = await late.text()
    assert late.status == 409
    assert "By the artist" in page
    assert (await again(house, work)).text("title", "en") == "By the staff"
    newer = re.search(r'name="revision" value="(\d+)"', page)
    assert newer is not None
    assert (await post(house, path, "artist", revision=newer[1], title__en="By the artist", **common)).status == 303


async def test_the_window_is_typed_on_a_citys_clock(house: House) -> None:
    work = await house.work()
    await house.film(work)
    path = f"/en/studio/works/{work.slug}/publish"
    given = {"view": "between", "from": "2026-11-25T20:00", "until": "2026-11-26T20:00", "zone": "Europe/Vienna"}
    assert (await post(house, path, "linz", **given)).status == 303
    window = (await again(house, work)).window
    assert window is not None
    assert [m.isoformat() for m in (window.starts, window.ends) if m] == [
        "2026-11-25T19:00:00+00:00",
        "2026-11-26T19:00:00+00:00",
    ]
    wrong = await post(house, path, "linz", **{**given, "until": "2026-11-25T19:59"})
    assert (wrong.status, "lies before the beginning" in await wrong.text()) == (422, True)
    assert (await post(house, path, "linz", view="always")).status == 303
    assert (await again(house, work)).window == Window(None, None)


async def test_an_hour_that_is_skipped_or_repeated_is_taken(house: House) -> None:
    work = await house.work()
    await house.film(work)
    path = f"/en/studio/works/{work.slug}/publish"
    # 29 March 2026, 02:30 does not exist in Vienna; 25 October 2026, 02:30 comes twice.
    given = {"view": "between", "from": "2026-03-29T02:30", "until": "2026-10-25T02:30", "zone": "Europe/Vienna"}
    assert (await post(house, path, "linz", **given)).status == 303
    window = (await again(house, work)).window
    assert window is not None
    assert [m.isoformat() for m in (window.starts, window.ends) if m] == [
        "2026-03-29T01:30:00+00:00",
        "2026-10-25T00:30:00+00:00",
    ]


async def test_what_is_not_complete_is_not_published_and_says_what_is_missing(house: House) -> None:
    work = await house.work()
    answer = await post(house, f"/en/studio/works/{work.slug}/publish", "linz", view="always")
    assert (answer.status, "a file that is ready" in await answer.text()) == (409, True)
    problem = await (await house.ask("POST", f"/api/v1/works/{work.slug}/publish", "linz", json={})).json()
    assert (problem["code"], problem["missing"]) == ("not-complete", ["file"])


async def test_a_new_version_plays_only_when_it_is_taken(house: House) -> None:
    work, first = await house.published()
    second = await house.film(work)

    async def plays() -> str:
        hls = (await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})).json())["hls"]
        return str(hls.split("/")[3])

    assert await plays() == first
    assert (await post(house, f"/en/studio/works/{work.slug}/assets/{second}/take", "artist")).status == 303
    assert await plays() == second
    # What the public sees cannot be removed under them.
    assert (await post(house, f"/en/studio/works/{work.slug}/assets/{second}/remove", "artist")).status == 409
    assert (await post(house, f"/en/studio/works/{work.slug}/assets/{first}/remove", "artist")).status == 303


async def test_processing_is_cancelled_and_tried_again(house: House) -> None:
    work = await house.work()
    id = assets.new_id()
    await house.write(
        assets.add, START, id, work.id, role="work", lang="und", filename="x.mp4", size=1, person=work.made_by
    )
    path = f"/en/studio/works/{work.slug}/assets/{id}"
    assert (await post(house, f"{path}/cancel", "artist")).status == 303
    assert ((await again(house, work)).assets[0].state, (await house.app[DB].read(jobs.counts))["cancelled"]) == (
        "cancelled",
        1,
    )
    assert (await post(house, f"{path}/cancel", "artist")).status == 409
    assert (await post(house, f"{path}/retry", "artist")).status == 303
    assert (await again(house, work)).assets[0].state == "queued"


async def test_a_co_author_is_added_and_taken_off(house: House) -> None:
    work = await house.work()
    path = f"/en/studio/works/{work.slug}"
    assert (await house.ask("GET", path, "other")).status == 404
    unknown = await post(house, f"{path}/authors", "artist", email="nobody@example.org")
    assert unknown.status == 422
    assert (await post(house, f"{path}/authors", "artist", email="other@example.org")).status == 303
    assert (await house.ask("GET", path, "other")).status == 200
    other = str(house.people["other"].id)
    assert (await post(house, f"{path}/authors/remove", "artist", person=other)).status == 303
    assert (await house.ask("GET", path, "other")).status == 404
    own = str(house.people["artist"].id)
    assert (await post(house, f"{path}/authors/remove", "artist", person=own)).status == 409


async def test_a_work_is_deleted_with_everything(house: House) -> None:
    work = await house.work()
    asset = await house.film(work)
    assert (await post(house, f"/en/studio/works/{work.slug}/delete", "artist")).headers["Location"] == "/en/studio"
    assert (await house.ask("GET", f"/api/v1/works/{work.slug}", "artist")).status == 404
    job = await house.write(jobs.claim, START, "w", ["remove-files"])
    assert job.subject == asset


async def test_a_public_work_is_withdrawn_before_it_is_deleted(house: House) -> None:
    work, _ = await house.published()
    assert (await house.ask("DELETE", f"/api/v1/works/{work.slug}", "artist")).status == 409
    await house.ask("POST", f"/api/v1/works/{work.slug}/withdraw", "artist")
    assert (await house.ask("DELETE", f"/api/v1/works/{work.slug}", "artist")).status == 204


async def test_the_original_is_fetched_by_its_artist_as_it_was(house: House) -> None:
    work = await house.work()
    asset = await house.film(work)
    path = f"/en/studio/works/{work.slug}/assets/{asset}/original"
    answer = await house.ask("GET", path, "artist")
    assert await answer.read() == b"original bytes of " + asset.encode()
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''tide.mp4"
    part = await house.ask("GET", path, "artist", headers={"Range": "bytes=0-7"})
    assert (part.status, await part.read()) == (206, b"original")


async def test_staff_see_what_waits_for_them_first(house: House) -> None:
    await house.work(fields={"title": {"en": "Later"}})
    waiting = await house.work(fields={"title": {"en": "Waiting"}})
    elsewhere = await house.work("other", fields={"title": {"en": "Elsewhere"}}, cities=["dakar"])
    await house.ask("POST", f"/api/v1/works/{waiting.slug}/submit", "artist")
    page = await (await house.ask("GET", "/en/desk", "linz")).text()
    assert page.index("Waiting") < page.index("Later")
    assert "1 work waits for your answer" in page
    assert elsewhere.slug not in page


async def test_a_city_joins_and_bad_facts_are_said_at_their_fields(house: House) -> None:
    good = {
        "name_en": "Oulu", "name_fr": "Oulu", "name_local": "Oulu", "languages": "fi, sv", "country": "fi", "zone": "Europe/Helsinki",
        "latitude": "65.01", "longitude": "25,47", "joined_year": "2023", "website": "ouka.fi",
    }  # fmt: skip
    wrong = await post(house, "/en/desk/cities", "admin", **{**good, "zone": "Europe/Atlantis", "latitude": "91"})
    assert (wrong.status, (await wrong.text()).count('aria-invalid="true"')) == (422, 2)
    assert (await post(house, "/en/desk/cities", "admin", **good)).status == 303
    assert (await post(house, "/en/desk/cities", "admin", **good)).status == 409
    found = await (await house.ask("GET", "/api/v1/cities/oulu")).json()
    assert (found["timezone"], found["longitude"], found["languages"]) == ("Europe/Helsinki", 25.47, ["fi", "sv"])


async def test_rights_are_stated_on_a_citys_clock_with_countries_by_name_or_code(house: House) -> None:
    work = await house.work()
    place = f"/en/studio/works/{work.slug}"
    answer = await post(
        house, f"{place}/rights", "artist", revision=work.rights.revision, use=["on_demand", "replay"], starts="2026-12-01T00:00",
        ends="", rights_zone="Europe/Vienna", territories_mode="except", territories="us, Côte d'Ivoire; Corée du Sud",
    )  # fmt: skip
    assert (answer.status, answer.headers["Location"]) == (303, f"{place}#rights")
    assert (await again(house, work)).rights == WorkRights(
        datetime(2026, 11, 30, 23, tzinfo=UTC), None, "except", frozenset({"US", "CI", "KR"}),
        frozenset({"on_demand", "replay"}),
    )  # fmt: skip
    page = await (await house.ask("GET", place, "artist")).text()
    assert 'value="Côte d’Ivoire, South Korea, United States"' in page
    assert 'value="2026-12-01T00:00"' in page
    assert re.findall(r'name="use" value="(\w+)" checked', page) == ["on_demand", "replay"]


async def test_rights_that_cannot_be_taken_stay_as_they_were_typed(house: House) -> None:
    work = await house.work()
    answer = await post(
        house, f"/fr/studio/works/{work.slug}/rights", "artist", use=["live"], starts="", ends="", rights_zone="UTC",
        territories_mode="only", territories="Autriche, Atlantide",
    )  # fmt: skip
    page = await answer.text()
    assert (answer.status, "Ce pays n’existe pas : Atlantide" in page) == (422, True)
    assert 'value="Autriche, Atlantide"' in page
    assert re.findall(r'name="use" value="(\w+)" checked', page) == ["live"]
    assert (await again(house, work)).rights == ANY


async def test_music_is_listed_row_by_row_and_empty_rows_are_left_out(house: House) -> None:
    work = await house.work()
    place = f"/en/studio/works/{work.slug}"
    rows = {
        "cue.title": ["Ebb", "", "Flow", ""], "cue.composer": ["Ada", "", "", ""], "cue.publisher": ["Sample Editions", "", "", ""],
        "cue.live": ["0", "2"], "cue.replay": ["2"],
    }  # fmt: skip
    answer = await post(house, f"{place}/cues", "artist", **rows)
    assert (answer.status, answer.headers["Location"]) == (303, f"{place}#cues")
    assert (await again(house, work)).rights.cues == (
        Cue("Ebb", "Ada", "Sample Editions", live=True), Cue("Flow", live=True, replay=True),
    )  # fmt: skip
    refused = await post(
        house,
        f"{place}/cues",
        "artist",
        **rows | {"cue.title": ["Ebb", "", "", ""], "cue.composer": ["", "", "Nobody", ""]},
    )
    assert (refused.status, 'value="Nobody"' in await refused.text()) == (422, True)


async def test_somebody_elses_rights_are_not_overwritten_unseen(house: House) -> None:
    work = await house.work()
    form = {
        "use": ["on_demand"],
        "starts": "",
        "ends": "",
        "rights_zone": "UTC",
        "territories_mode": "everywhere",
        "territories": "",
    }
    path, seen = f"/en/studio/works/{work.slug}/rights", work.rights.revision
    assert (await post(house, path, "artist", revision=seen, **form)).status == 303
    late = await post(house, path, "linz", revision=seen, **form | {"use": ["live", "replay"]})
    page = await late.text()
    assert (late.status, re.findall(r'name="use" value="(\w+)" checked', page)) == (409, ["live", "replay"])
    assert (await again(house, work)).rights.uses == {"on_demand"}
    # Sent again with the newer revision it is on purpose.
    newer = re.search(r'name="revision" value="([0-9a-f]{16})"', page)
    assert newer is not None
    assert (await post(house, path, "linz", revision=newer[1], **form | {"use": ["live", "replay"]})).status == 303
