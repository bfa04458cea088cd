"""The desk's forms for the programme: typed on the festival's clock, conflicts at the screening, nothing lost."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.statements import statements
from tests.web.conftest import House


async def post(house: House, path: str, who: str, **fields: Any) -> ClientResponse:
    data = [("csrf", await house.csrf(who))]
    for name, value in fields.items():
        data += [(name.replace("__", "."), v) for v in (value if isinstance(value, list) else [value])]
    return await house.ask("POST", path, who, data=data, headers={"X-Requested-With": ""})


async def begun(house: House) -> tuple[str, str]:
    """A festival and a screening of an accepted work in it, by the desk's forms; returns their slugs."""
    work = await house.work()
    await house.film(work)
    await house.ask("POST", f"/api/v1/works/{work.slug}/accept", "linz", json={})
    made = await post(
        house, "/en/desk/festivals", "linz", title__en="Ars", title__fr="Ars", city="linz", zone="", starts_on="2026-11-20",
        ends_on="2026-11-30",
    )  # fmt: skip
    assert (made.status, made.headers["Location"]) == (303, "/en/desk/festivals/ars")
    made = await post(
        house, "/en/desk/festivals/ars/new", "linz", title__en="Tides", title__fr="Marées", starts="2026-11-25T14:00",
        ends="2026-11-25T15:00", work=["tide", "", ""],
    )  # fmt: skip
    assert (made.status, made.headers["Location"]) == (303, "/en/desk/screenings/tides")
    return "ars", "tides"


async def test_a_festival_gets_the_clock_of_its_city(house: House) -> None:
    await begun(house)
    found = await (await house.ask("GET", "/api/v1/festivals/ars", "linz")).json()
    assert (found["timezone"], found["state"]) == ("Europe/Vienna", "draft")
    screening = await (await house.ask("GET", "/api/v1/screenings/tides", "linz")).json()
    assert (screening["starts"], [s["work"] for s in screening["slots"]]) == ("2026-11-25T14:00:00+01:00", ["tide"])


async def test_a_festival_that_moves_to_another_clock_takes_its_screenings_along(house: House) -> None:
    await begun(house)
    page = await (await house.ask("GET", "/en/desk/festivals/ars", "linz")).text()
    assert "Its screenings keep what the clock shows and move with it." in page
    days = {"title__en": "Ars", "starts_on": "2026-11-20", "ends_on": "2026-11-30"}
    assert (await post(house, "/en/desk/festivals/ars", "linz", zone="Asia/Seoul", **days)).status == 303
    screening = await (await house.ask("GET", "/api/v1/screenings/tides", "linz")).json()
    assert (screening["starts"], screening["timezone"]) == ("2026-11-25T14:00:00+09:00", "Asia/Seoul")
    # Whoever had the form open is told, and does not put the old clock back.
    times = {"starts": "2026-11-25T14:00", "ends": "2026-11-25T15:00"}
    late = await post(house, "/en/desk/screenings/tides", "linz", revision="1", title__en="Tides", **times)
    assert late.status == 409


async def test_the_desk_shows_what_stands_against_a_screening_and_its_time_elsewhere(house: House) -> None:
    await begun(house)
    page = await (await house.ask("GET", "/en/desk/screenings/tides", "linz")).text()
    assert "has no captions" in page
    assert "25 November 2026, 22:00" in page  # in Gwangju
    table = await (await house.ask("GET", "/fr/desk/festivals/ars", "linz")).text()
    assert "Marées" in table


async def asked(house: House, path: str, who: str | None = None) -> int:
    """How many statements about the programme and its works a page needs."""
    with statements() as found:
        answer = await house.ask("GET", path, who)
    assert answer.status == 200, await answer.text()
    return sum(re.search(r"FROM (works|assets|renditions|texts|festivals|screenings)\b", s) is not None for s in found)


async def test_pages_of_many_works_ask_as_often_as_pages_of_few(house: House) -> None:
    await begun(house)
    await post(house, "/en/desk/festivals/ars/state", "linz", state="published")
    await post(house, "/en/desk/screenings/tides/publish", "linz")
    pages = {
        "/en/screenings/tides": None, "/en/desk/screenings/tides": "linz", "/en/desk/festivals/ars": "linz",
        "/api/v1/screenings/tides": "linz",
    }  # fmt: skip
    few = {path: await asked(house, path, who) for path, who in pages.items()}
    for _ in range(5):
        more = await house.work()
        await house.film(more)
        await house.ask("POST", f"/api/v1/works/{more.slug}/accept", "linz", json={})
    names = ["tide", *(f"tide-{n}" for n in range(2, 7))]
    times = {"starts": "2026-11-25T14:00", "ends": "2026-11-25T15:00"}
    saved = await post(house, "/en/desk/screenings/tides", "linz", title__en="Tides", work=names, **times)
    assert saved.status == 303
    for number in range(3):
        title = f"Tides {number}"
        await post(house, "/en/desk/festivals/ars/new", "linz", title__en=title, work=names[number:], **times)
    assert (await (await house.ask("GET", "/en/desk/festivals/ars", "linz")).text()).count("has no captions") > 6
    assert {path: await asked(house, path, who) for path, who in pages.items()} == few


async def test_a_festival_without_any_title_is_not_saved(house: House) -> None:
    await begun(house)
    days = {"zone": "Europe/Vienna", "starts_on": "2026-11-20", "ends_on": "2026-11-30", "text__en": "Light and sound."}
    refused = await post(house, "/en/desk/festivals/ars", "linz", title__en=" ", title__fr="", **days)
    page = await refused.text()
    assert (refused.status, 'id="f-title-en-error">This is needed.' in page, "Light and sound." in page) == (
        422,
        True,
        True,
    )
    found = await (await house.ask("GET", "/api/v1/festivals/ars", "linz")).json()
    assert (found["title"], found["text"]) == ({"en": "Ars", "fr": "Ars"}, {})
    assert (await post(house, "/en/desk/festivals/ars", "linz", title__en="", title__fr="Ars", **days)).status == 303


async def test_a_bad_time_keeps_everything_typed(house: House) -> None:
    await begun(house)
    answer = await post(
        house, "/en/desk/screenings/tides", "linz", revision="1", title__en="Ebb", starts="soon", ends="2026-11-25T15:00", work=["tide"],
        text__en="Typed for an hour",
    )  # fmt: skip
    page = await answer.text()
    assert (answer.status, "Typed for an hour" in page, 'value="Ebb"' in page) == (422, True, True)


async def test_two_people_do_not_overwrite_each_other_silently(house: House) -> None:
    await begun(house)
    common = {"starts": "2026-11-25T14:00", "ends": "2026-11-25T15:00", "work": ["tide"]}
    path = "/en/desk/screenings/tides"
    assert (await post(house, path, "admin", revision="1", title__en="By the other", **common)).status == 303
    late = await post(house, path, "linz", revision="1", title__en="By me", **common)
    page = await late.text()
    assert (late.status, "By me" in page) == (409, True)
    newer = re.search(r'name="revision" value="(\d+)"', page)
    assert newer is not None
    assert (await post(house, path, "linz", revision=newer[1], title__en="By me", **common)).status == 303


async def test_publishing_counts_as_a_change_and_the_page_saves_on_after_it(house: House) -> None:
    await begun(house)
    path = "/en/desk/screenings/tides"
    common = {"starts": "2026-11-25T14:00", "ends": "2026-11-25T15:00", "work": ["tide"]}
    assert (await post(house, f"{path}/publish", "linz")).status == 303
    # Whoever typed before it was public is told so, once.
    assert (await post(house, path, "admin", revision="1", title__en="Ebb", **common)).status == 409
    page = await (await house.ask("GET", path, "linz")).text()
    assert 'name="revision" value="2"' in page
    assert (await post(house, path, "linz", revision="2", title__en="Ebb", **common)).status == 303


async def test_publishing_is_refused_in_words_while_errors_stand(house: House) -> None:
    await begun(house)
    await post(
        house, "/en/desk/screenings/tides", "linz", revision="1", title__en="Tides", starts="2026-11-25T14:00", ends="2026-11-25T13:00",
        work=["tide"],
    )  # fmt: skip
    refused = await post(house, "/en/desk/screenings/tides/publish", "linz")
    assert (refused.status, "lies before the beginning" in await refused.text()) == (409, True)


async def test_only_what_the_page_showed_becomes_public(house: House) -> None:
    await begun(house)
    path = "/en/desk/screenings/tides"

    async def shown() -> str:
        page = await (await house.ask("GET", path, "linz")).text()
        revision = re.search(r'/publish".*?name="revision" value="(\d+)"', page)
        assert revision is not None
        return revision[1]

    old = await shown()
    await house.ask("PATCH", "/api/v1/screenings/tides", "linz", json={"title": {"en": "Ebb"}})
    refused = await post(house, f"{path}/publish", "linz", revision=old)
    page = await refused.text()
    assert (refused.status, "Somebody else changed it meanwhile. Look at it" in page, "Ebb" in page) == (
        409,
        True,
        True,
    )
    assert (await post(house, f"{path}/publish", "linz", revision="first")).status == 422
    assert (await (await house.ask("GET", "/api/v1/screenings/tides", "linz")).json())["state"] == "draft"
    assert (await post(house, f"{path}/publish", "linz", revision=await shown())).status == 303


async def test_the_public_sees_it_once_festival_and_screening_are_public(house: House) -> None:
    await begun(house)
    assert (await post(house, "/en/desk/screenings/tides/publish", "linz")).status == 303
    assert (await house.ask("GET", "/en/screenings/tides")).status == 404
    assert (await post(house, "/en/desk/festivals/ars/state", "linz", state="published")).status == 303
    page = await (await house.ask("GET", "/en/screenings/tides")).text()
    assert "25 November 2026, 14:00" in page
    assert "13:00 UTC" in page
    festival = await (await house.ask("GET", "/fr/festivals/ars")).text()
    assert "/fr/screenings/tides" in festival
    programme = await (await house.ask("GET", "/en/programme?day=2026-11-25")).text()
    assert "/en/screenings/tides" in programme
    assert (await post(house, "/en/desk/screenings/tides/delete", "linz")).status == 409
    assert (await post(house, "/en/desk/screenings/tides/withdraw", "linz")).status == 303
    assert (await post(house, "/en/desk/screenings/tides/delete", "linz")).status == 303
    assert (await house.ask("GET", "/en/screenings/tides")).status == 404


async def test_years_that_no_festival_has_are_refused_at_their_field(house: House) -> None:
    await begun(house)
    for starts in ("0001-01-01T00:00", "9999-12-31T20:00", "2026-11-25T14:00+09:00"):
        answer = await post(
            house,
            "/en/desk/screenings/tides",
            "linz",
            revision="1",
            title__en="T",
            starts=starts,
            ends="2026-11-25T15:00",
        )
        assert answer.status == 422


async def test_the_history_stands_on_the_page_and_a_button_takes_a_change_back(house: House) -> None:
    await begun(house)
    await house.ask("PATCH", "/api/v1/screenings/tides", "linz", json={"title": {"en": "Ebb"}})
    path = "/en/desk/screenings/tides"
    page = await (await house.ask("GET", path, "linz")).text()
    assert ("Who changed what" in page, "<del>Tides</del> → <ins>Ebb</ins>" in page) == (True, True)
    french = await (await house.ask("GET", path.replace("/en/", "/fr/"), "linz")).text()
    assert "Titre (anglais)" in french
    change = re.search(r'name="change" value="(\d+)"', page)
    assert change is not None
    assert (await post(house, f"{path}/restore", "gwangju", change=change[1])).status in (403, 404)
    assert (await post(house, f"{path}/restore", "linz", change=change[1])).status == 303
    assert "<del>Ebb</del> → <ins>Tides</ins>" in await (await house.ask("GET", path, "linz")).text()


@pytest.mark.parametrize(
    ("at", "starts", "ends"),
    [
        ("2026-11-01T12:00Z", "2026-11-20T10:00", "2026-11-30T22:00"),
        ("2026-11-25T12:20Z", "2026-11-25T14:00", "2026-11-30T22:00"),
        ("2026-11-30T20:20Z", "2026-11-30T22:00", "2026-11-30T23:00"),
        ("2026-12-05T12:00Z", "2026-11-20T10:00", "2026-11-30T22:00"),
    ],
)
async def test_a_new_screening_is_proposed_from_the_next_hour_on(house: House, at: str, starts: str, ends: str) -> None:
    await begun(house)
    house.moment = datetime.fromisoformat(at)
    page = await (await house.ask("GET", "/en/desk/festivals/ars/new", "linz")).text()
    found = {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) for name in ("starts", "ends")}
    assert {name: match and match[1] for name, match in found.items()} == {"starts": starts, "ends": ends}


async def test_the_proposed_end_is_for_what_is_on_demand(house: House) -> None:
    await begun(house)
    proposed = {"title__en": "Ebb", "starts": "2026-11-26T14:00", "ends": "2026-11-30T22:00", "work": "tide"}
    for kind, given, ends in (
        ("premiere", "2026-11-30T22:00", "2026-11-26T14:01:00+01:00"),
        ("premiere", "", "2026-11-30T22:00:00+01:00"),
        ("on_demand", "2026-11-30T22:00", "2026-11-30T22:00:00+01:00"),
    ):
        made = await post(
            house, "/en/desk/festivals/ars/new", "linz", kind=kind, ends_proposed=given, room="", **proposed
        )
        assert made.status == 303, await made.text()
        slug = made.headers["Location"].rpartition("/")[2]
        one = await (await house.ask("GET", f"/api/v1/screenings/{slug}", "linz")).json()
        assert (kind, one["ends"]) == (kind, ends)
    live = await post(
        house, "/en/desk/festivals/ars/new", "linz", kind="live", ends_proposed="2026-11-30T22:00", room="", **proposed
    )
    page = await live.text()
    assert (live.status, "This is needed." in page, 'value="Ebb"' in page) == (422, True, True)


async def test_a_change_that_was_changed_again_is_not_taken_back(house: House) -> None:
    await begun(house)
    api, path = "/api/v1/screenings/tides", "/en/desk/screenings/tides"
    await house.ask("PATCH", api, "linz", json={"title": {"en": "Ebb"}, "minimum_age": 16})
    page = await (await house.ask("GET", path, "linz")).text()
    change = re.search(r'name="change" value="(\d+)"', page)
    assert change is not None
    await house.ask("PATCH", api, "linz", json={"title": {"en": "Flood"}})
    refused = await post(house, f"{path}/restore", "linz", change=change[1])
    page = await refused.text()
    assert (refused.status, "The same was changed again since." in page) == (409, True)
    # Nor is it offered: only the change that stands.
    page = await (await house.ask("GET", path, "linz")).text()
    assert re.findall(r'name="change" value="(\d+)"', page) == [str(int(change[1]) + 1)]
    assert page.count("The same was changed again since.") == 1
    stands = await (await house.ask("GET", api, "linz")).json()
    assert (stands["title"], stands["minimum_age"]) == ({"en": "Flood", "fr": "Marées"}, 16)
    # Once the later one is taken back, the earlier one stands again.
    await post(house, f"{path}/restore", "linz", change=str(int(change[1]) + 1))
    page = await (await house.ask("GET", path, "linz")).text()
    assert ("changed again since" in page, f'value="{change[1]}"' in page) == (False, True)
