"""Closed screenings: who has an access code is let in, each time is counted, and staff take codes back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from showcase.web import limits
from tests.web.conftest import House
from tests.web.slates import a_slate
from tests.web.test_programme_rights import CLOSES, OPENS, accepted, festival, screening

WORDS = {
    ("code-needed", "en"): "This is shown to invited guests. Enter the access code that you were given.",
    (
        "code-needed",
        "fr",
    ): "Cette séance est réservée aux personnes invitées. Saisissez le code d’accès que vous avez reçu.",
    ("code-wrong", "en"): "This access code is not known here. Look whether it was copied whole.",
    ("code-wrong", "fr"): "Ce code d’accès est inconnu ici. Vérifiez qu’il a été copié en entier.",
    (
        "code-over",
        "en",
    ): "This access code was taken back, or used as often as it may be. Ask who gave it to you for another.",
    (
        "code-over",
        "fr",
    ): "Ce code d’accès a été repris, ou a servi autant de fois qu’il le pouvait. Demandez-en un autre à qui vous l’a donné.",
}


async def closed(house: House, **given: Any) -> str:
    """A closed screening that is on; returns its path in the API."""
    slug, _ = await accepted(house)
    await festival(house)
    made = await screening(house, slug, closed=True, **given)
    path = f"/api/v1/screenings/{made['slug']}"
    assert (await house.ask("POST", f"{path}/publish", "linz")).status == 200
    house.moment = OPENS
    return path


async def code(house: House, path: str, **given: Any) -> tuple[int, str]:
    answer = await house.ask("POST", f"{path}/codes", "linz", json={"label": "The jury"} | given)
    assert answer.status == 201, await answer.text()
    made = await answer.json()
    return made["id"], made["code"]


async def play(
    house: House, path: str, given: str | None = None, lang: str = "en", who: str | None = None
) -> ClientResponse:
    body = {} if given is None else {"code": given}
    return await house.ask("POST", f"{path}/play", who, json=body, headers={"Accept-Language": lang})


async def refused(answer: ClientResponse) -> tuple[int, str, str]:
    problem = await answer.json()
    return answer.status, problem["code"], problem["detail"]


async def listed(house: House, path: str) -> list[tuple[str, int, int | None, bool]]:
    found = (await (await house.ask("GET", f"{path}/codes", "linz")).json())["codes"]
    return [(c["label"], c["uses"], c["max_uses"], c["revoked"] is not None) for c in found]


@pytest.mark.parametrize("lang", ["en", "fr"])
async def test_without_a_code_or_with_a_wrong_one_nothing_opens(house: House, lang: str) -> None:
    path = await closed(house)
    await code(house, path)
    for given, name in (
        (None, "code-needed"),
        ("", "code-needed"),
        ("  ", "code-needed"),
        ("abcd-efgh-jkmn", "code-wrong"),
    ):
        assert await refused(await play(house, path, given, lang)) == (401, name, WORDS[name, lang])
    assert await listed(house, path) == [("The jury", 0, None, False)]
    page = await (await house.ask("GET", f"/{lang}{path.removeprefix('/api/v1')}")).text()
    assert (WORDS["code-needed", lang] in page, 'data-code="tides"' in page) == (True, True)


async def test_a_code_is_looked_at_without_being_counted(house: House) -> None:
    path = await closed(house)
    number, good = await code(house, path, max_uses=1)

    async def look(given: str) -> ClientResponse:
        return await house.ask("POST", f"{path}/code", json={"code": given})

    assert (await look(good)).status == 204
    assert await refused(await look("abcd-efgh-jkmn")) == (401, "code-wrong", WORDS["code-wrong", "en"])
    assert await refused(await look(" ")) == (401, "code-needed", WORDS["code-needed", "en"])
    assert await listed(house, path) == [("The jury", 0, 1, False)]
    await house.ask("DELETE", f"{path}/codes/{number}", "linz")
    assert await refused(await look(good)) == (401, "code-over", WORDS["code-over", "en"])
    await house.ask("PATCH", path, "linz", json={"closed": False})
    assert (await look("anything")).status == 204
    await house.ask("POST", f"{path}/withdraw", "linz")
    assert await refused(await look(good)) == (410, "withdrawn", "This was withdrawn by its artists or their city.")
    assert (await house.ask("POST", "/api/v1/screenings/nothing/code", json={"code": good})).status == 404


async def test_a_code_opens_playlists_and_segments_and_each_start_is_counted(house: House) -> None:
    path = await closed(house)
    _, given = await code(house, path, max_uses=2)
    first = await (await play(house, path, given.upper().replace("-", " "))).json()
    base = first["hls"].rpartition("/")[0]
    for tail in ("master.m3u8", "v240/index.m3u8", "v240/s00001.m4s"):
        assert (await house.ask("GET", f"{base}/{tail}")).status == 200
    # Going on is no new start.
    for _ in range(3):
        renewed = await house.ask("POST", "/api/v1/grants", json={"hls": first["hls"]})
        assert (renewed.status, (await house.ask("GET", (await renewed.json())["hls"])).status) == (200, 200)
    assert await listed(house, path) == [("The jury", 1, 2, False)]
    again = await house.ask("POST", f"{path}/play?code={given}", json={})
    assert again.status == 200
    for lang in ("en", "fr"):
        assert await refused(await play(house, path, given, lang)) == (401, "code-over", WORDS["code-over", lang])
    assert await listed(house, path) == [("The jury", 2, 2, False)]


async def test_nothing_is_counted_when_something_else_stands_against_it(house: House) -> None:
    path = await closed(house)
    _, given = await code(house, path)
    assert (await house.ask("POST", f"{path}/play", json={"slot": 1, "code": given})).status == 404
    assert (await house.ask("PUT", "/api/v1/works/tide/rights", "artist", json={"uses": []})).status == 200
    assert (await play(house, path, given)).status == 410
    house.moment = CLOSES
    assert (await play(house, path, given)).status == 410
    assert await listed(house, path) == [("The jury", 0, None, False)]


async def test_a_code_that_is_revoked_renews_nothing(house: House) -> None:
    path = await closed(house)
    id, given = await code(house, path)
    _, other = await code(house, path, label="The press")
    hls = (await (await play(house, path, given)).json())["hls"]
    kept = (await (await play(house, path, other)).json())["hls"]
    assert (await house.ask("DELETE", f"{path}/codes/{id}", "linz")).status == 204
    assert await refused(await play(house, path, given)) == (401, "code-over", WORDS["code-over", "en"])
    renewed = await house.ask("POST", "/api/v1/grants", json={"hls": hls})
    assert (await refused(renewed))[:2] == (401, "code-over")
    assert (await house.ask("POST", "/api/v1/grants", json={"hls": kept})).status == 200
    house.later(timedelta(hours=2))
    assert (await house.ask("GET", hls)).status == 401
    assert await listed(house, path) == [("The jury", 1, None, True), ("The press", 1, None, False)]


async def test_what_was_open_before_it_was_closed_is_not_renewed(house: House) -> None:
    path = await closed(house)
    await house.ask("PATCH", path, "linz", json={"closed": False})
    hls = (await (await play(house, path)).json())["hls"]
    await house.ask("PATCH", path, "linz", json={"closed": True})
    renewed = await house.ask("POST", "/api/v1/grants", json={"hls": hls})
    assert (await refused(renewed))[:2] == (401, "code-needed")


async def test_a_code_opens_its_own_screening_alone(house: House) -> None:
    path = await closed(house)
    other = await screening(house, "tide", closed=True, title={"en": "Press"})
    await house.ask("POST", f"/api/v1/screenings/{other['slug']}/publish", "linz")
    id, given = await code(house, path)
    there = f"/api/v1/screenings/{other['slug']}"
    assert (await refused(await play(house, there, given)))[:2] == (401, "code-wrong")
    assert (await house.ask("DELETE", f"{there}/codes/{id}", "linz")).status == 404


async def test_its_staff_need_no_code(house: House) -> None:
    path = await closed(house)
    for who in ("linz", "admin"):
        answer = await play(house, path, who=who)
        assert answer.status == 200
        hls = (await answer.json())["hls"]
        assert (await house.ask("POST", "/api/v1/grants", who, json={"hls": hls})).status == 200
    for who in ("artist", "other", "gwangju"):
        assert (await refused(await play(house, path, who=who)))[:2] == (401, "code-needed")


async def test_a_screening_that_is_not_open_says_so_before_it_asks_for_a_code(house: House) -> None:
    path = await closed(house)
    house.moment = OPENS - timedelta(minutes=1)
    assert (await refused(await play(house, path)))[:2] == (403, "not-open-yet")
    house.moment = OPENS
    await house.ask("POST", f"{path}/withdraw", "linz")
    assert (await refused(await play(house, path)))[:2] == (410, "withdrawn")


async def test_whoever_tries_many_codes_waits(house: House) -> None:
    path = await closed(house)
    _, given = await code(house, path)
    burst = limits.RULES["code"][0]
    statuses = [(await play(house, path, f"abcd-efgh-{n:04d}")).status for n in range(burst + 3)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    # Not even the right one tells them that it was.
    assert (await play(house, path, given)).status == 429


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("other", 404), ("gwangju", 404)])
async def test_codes_are_for_the_staff_of_the_screening_alone(house: House, who: str | None, status: int) -> None:
    slug, _ = await accepted(house)
    await festival(house, public=False)
    path = f"/api/v1/screenings/{(await screening(house, slug, closed=True))['slug']}"
    id, _ = await code(house, path)
    assert (await house.ask("GET", f"{path}/codes", who)).status == status
    assert (await house.ask("POST", f"{path}/codes", who, json={"label": "Mine"})).status == status
    assert (await house.ask("DELETE", f"{path}/codes/{id}", who)).status == status
    if who == "gwangju":
        await festival(house, "gwangju", slug="gmaf", city="gwangju", timezone="Asia/Seoul")
        await house.ask("PATCH", path, "admin", json={"co_hosts": ["gmaf"]})
        assert (await house.ask("GET", f"{path}/codes", who)).status == 200
    assert await listed(house, path) == [("The jury", 0, None, False)]


async def desk(house: House, path: str, who: str = "linz", **fields: str) -> ClientResponse:
    data = {"csrf": await house.csrf(who)} | fields
    return await house.ask("POST", path, who, data=data, headers={"X-Requested-With": ""})


async def test_the_desk_makes_shows_once_counts_and_revokes(house: House) -> None:
    path = await closed(house)
    here = "/en/desk/screenings/tides"
    made = await desk(house, f"{here}/codes", label="The jury", max_uses="3")
    page = await made.text()
    found = re.search(r'<code class="secret">([a-z0-9-]{14})</code>', page)
    assert (made.status, found is not None) == (200, True)
    assert found is not None
    assert (await play(house, path, found[1])).status == 200
    later = await (await house.ask("GET", here, "linz")).text()
    assert (found[1] in later, "used 1 of 3 times" in later) == (False, True)
    assert re.search(r'name="closed" value="1" checked', later)
    assert "utilisé 1 fois sur 3" in await (await house.ask("GET", here.replace("/en/", "/fr/"), "linz")).text()
    id = re.search(r'name="code" value="(\d+)"', later)
    assert id is not None
    assert (await desk(house, f"{here}/codes/revoke", code=id[1])).status == 303
    assert "revoked" in await (await house.ask("GET", here, "linz")).text()
    assert (await play(house, path, found[1])).status == 401


async def test_a_code_for_nobody_is_not_made(house: House) -> None:
    await closed(house)
    for fields in ({"label": " "}, {"label": "The jury", "max_uses": "0"}):
        answer = await desk(house, "/en/desk/screenings/tides/codes", **fields)
        assert (answer.status, 'class="error"' in await answer.text()) == (422, True)


async def test_a_closed_premiere_lets_in_by_its_code_and_stands_on_no_channel(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    await a_slate(house)
    made = await screening(
        house, slug, kind="premiere", starts=OPENS.isoformat(), ends=None, closed=True,
        replay_until=(OPENS + timedelta(hours=1)).isoformat(),
    )  # fmt: skip
    path = f"/api/v1/screenings/{made['slug']}"
    assert (await house.ask("POST", f"{path}/publish", "linz")).status == 200
    _, given = await code(house, path, max_uses=2)
    house.moment = OPENS - timedelta(minutes=5)
    assert (await refused(await play(house, path)))[:2] == (401, "code-needed")
    page = await (await house.ask("GET", f"/en/screenings/{made['slug']}")).text()
    assert page.count(f'data-code="{made["slug"]}"') == 2  # the form, and the room that sends what was typed
    room = await (await play(house, path, given)).json()
    assert (room["live"], (await house.ask("GET", room["hls"])).status) == (True, 200)
    assert (await house.ask("POST", "/api/v1/grants", json={"hls": room["hls"]})).status == 200
    assert await listed(house, path) == [("The jury", 1, 2, False)]
    house.moment = OPENS + timedelta(seconds=5)
    own = await (await house.ask("GET", f"{room['hls'].rpartition('/')[0]}/v240/index.m3u8")).text()
    assert "/v240/s0" in own.replace("/slate/", "")
    for channel in ("ars-2026", "network"):
        hls = (await (await house.ask("POST", f"/api/v1/channels/{channel}/play", json={})).json())["hls"]
        told = await (await house.ask("GET", f"{hls.rpartition('/')[0]}/v240/index.m3u8")).text()
        addresses = [line for line in told.splitlines() if line.startswith("../")]
        assert addresses
        assert [a for a in addresses if "/slate/" not in a] == []
    assert f"/screenings/{made['slug']}<" not in await (await house.ask("GET", "/xmltv.xml")).text()
    # Its replay needs the code, too, and each start of it is counted.
    house.moment = OPENS + timedelta(minutes=5)
    assert (await refused(await play(house, path)))[:2] == (401, "code-needed")
    assert (await play(house, path, given)).status == 200
    assert (await refused(await play(house, path, given)))[:2] == (401, "code-over")


async def test_what_is_closed_later_opens_no_segment_for_strangers_and_stays_open_to_its_staff(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    made = await screening(house, slug)
    path = f"/api/v1/screenings/{made['slug']}"
    await house.ask("POST", f"{path}/publish", "linz")
    house.moment = OPENS
    stranger = (await (await play(house, path)).json())["hls"].rpartition("/")[0]
    assert (await house.ask("GET", f"{stranger}/v240/s00001.m4s")).status == 200
    assert (await house.ask("PATCH", path, "linz", json={"closed": True})).status == 200
    for tail in ("master.m3u8", "v240/index.m3u8", "v240/s00001.m4s"):
        refused = await house.ask("GET", f"{stranger}/{tail}")
        assert (refused.status, await refused.text()) == (401, "code-needed")
    staff = (await (await play(house, path, who="linz")).json())["hls"]
    assert (await house.ask("GET", f"{staff.rpartition('/')[0]}/v240/s00001.m4s")).status == 200
    renewed = await house.ask("POST", "/api/v1/grants", "linz", json={"hls": staff})
    assert renewed.status == 200
    assert (await house.ask("POST", "/api/v1/grants", json={"hls": staff})).status == 401


async def test_a_hall_comes_in_through_one_address(house: House) -> None:
    path = await closed(house)
    _, given = await code(house, path)
    assert {(await play(house, path, given)).status for _ in range(limits.RULES["code"][0] + 10)} == {200}
