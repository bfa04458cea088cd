"""Where, when and how a work may be shown, at the page, the player's question, the playlist and the segment."""

from __future__ import annotations

import html
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from showcase.core.models import Work
from showcase.settings import Settings
from showcase.web.keys import PAGES, SETTINGS
from tests.web.conftest import START, House
from tests.web.slates import a_slate
from tests.web.test_programme_rights import CLOSES, OPENS, festival, screening

ALWAYS = {
    "starts": None,
    "ends": None,
    "territories_mode": "everywhere",
    "territories": [],
    "uses": ["live", "premiere", "on_demand", "replay"],
}
WORDS = {
    ("not-in-your-territory", "en"): "Its rights do not allow it to be shown in your country.",
    ("not-in-your-territory", "fr"): "Ses droits ne permettent pas de la montrer dans votre pays.",
    ("closed", "en"): "Its rights do not allow it to be shown now.",
    ("closed", "fr"): "Ses droits ne permettent pas de la montrer en ce moment.",
    ("not-open-yet", "en"): "Its rights do not allow it to be shown yet.",
    ("not-open-yet", "fr"): "Ses droits ne permettent pas encore de la montrer.",
}
TAILS = ("master.m3u8", "v240/index.m3u8", "v240/init.mp4", "v240/s00001.m4s")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"territory_header": "CF-IPCountry", "trusted_proxies": 1})


def in_country(code: str, lang: str = "en") -> dict[str, str]:
    return {"CF-IPCountry": code, "Accept-Language": lang}


async def state(house: House, slug: str, **changed: Any) -> None:
    answer = await house.ask("PUT", f"/api/v1/works/{slug}/rights", "artist", json=changed)
    assert answer.status == 200, await answer.text()


async def told(answer: ClientResponse) -> tuple[int, str, str]:
    problem = await answer.json()
    return answer.status, problem["code"], problem["detail"]


@pytest.fixture(params=["on view", "screening"])
async def open_work(request: pytest.FixtureRequest, house: House) -> tuple[Work, str, str]:
    """A work that is open by its own window or through a screening that is on; where it is asked for, and its page."""
    if request.param == "on view":
        work, _ = await house.published()
        house.moment = OPENS
        return work, f"/api/v1/works/{work.slug}/play", f"/works/{work.slug}"
    work, _ = await house.published(on_view=False)
    await festival(house)
    made = await screening(house, work.slug)
    assert (await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")).status == 200
    house.moment = OPENS
    return work, f"/api/v1/screenings/{made['slug']}/play", f"/screenings/{made['slug']}"


async def granted(house: House, play: str, code: str = "AT") -> str:
    answer = await house.ask("POST", play, headers=in_country(code), json={})
    assert answer.status == 200, await answer.text()
    return str((await answer.json())["hls"]).rpartition("/")[0]


async def fresh(house: House, path: str) -> str:
    """A public page as it is now. Pages are kept for seconds, and the tests' clock jumps."""
    house.app[PAGES]._cache.clear()
    return html.unescape(await (await house.ask("GET", path)).text())


async def media(house: House, base: str, code: str = "AT") -> set[tuple[int, str]]:
    answers = [await house.ask("GET", f"{base}/{tail}", headers=in_country(code)) for tail in TAILS]
    return {(a.status, a.headers.get("X-Error", "")) for a in answers}


@pytest.mark.parametrize(
    ("stated", "inside", "outside"),
    [
        ({"territories_mode": "only", "territories": ["AT", "SN"]}, "AT", "FR"),
        ({"territories_mode": "except", "territories": ["FR"]}, "AT", "FR"),
    ],
)
async def test_a_territory_is_refused_at_the_question_the_playlist_and_the_segment(
    house: House, open_work: tuple[Work, str, str], stated: dict[str, Any], inside: str, outside: str
) -> None:
    work, play, page = open_work
    before = {code: await granted(house, play, code) for code in (inside, outside)}
    assert before[inside] != before[outside]
    await state(house, work.slug, **stated)
    for lang in ("en", "fr"):
        refused = await house.ask("POST", play, headers=in_country(outside, lang), json={})
        assert await told(refused) == (451, "not-in-your-territory", WORDS["not-in-your-territory", lang])
        # The page is everybody's alike: it has the player, which says so in the server's words.
        shown = await house.ask("GET", f"/{lang}{page}", headers=in_country(outside))
        assert (shown.status, "data-player" in await shown.text()) == (200, True)
    assert await media(house, before[outside], outside) == {(451, "not-in-your-territory")}
    # A cache in front may keep what it got for a grant: it is the grant that names the territory.
    assert await media(house, before[outside], "XX") == {(451, "not-in-your-territory")}
    assert await media(house, before[inside], inside) == {(200, "")}
    assert await media(house, await granted(house, play, inside), inside) == {(200, "")}
    # One that was handed on abroad opens nothing there.
    assert await media(house, before[inside], outside) == {(451, "not-in-your-territory")}
    renewed = await house.ask(
        "POST", "/api/v1/grants", headers=in_country(outside), json={"hls": f"{before[inside]}/master.m3u8"}
    )
    assert (await told(renewed))[:2] == (451, "not-in-your-territory")


@pytest.mark.parametrize(("unknown", "status"), [("open", 200), ("closed", 451)])
async def test_whoever_cannot_be_placed_counts_as_the_operator_says(
    house: House, open_work: tuple[Work, str, str], unknown: str, status: int
) -> None:
    work, play, _ = open_work
    house.app[SETTINGS].__dict__["territory_unknown"] = unknown
    await state(house, work.slug, territories_mode="only", territories=["AT"])
    assert (await house.ask("POST", play, headers=in_country("XX"), json={})).status == status
    assert (await house.ask("POST", play, json={})).status == status
    await state(house, work.slug)
    assert (await house.ask("POST", play, json={})).status == 200


async def test_before_and_after_its_rights_it_is_refused_everywhere(
    house: House, open_work: tuple[Work, str, str]
) -> None:
    work, play, page = open_work
    base = await granted(house, play)
    starts, ends = OPENS + timedelta(minutes=10), OPENS + timedelta(minutes=20)
    await state(house, work.slug, starts=starts.isoformat(), ends=ends.isoformat())

    async def refusals(expected: tuple[int, str], opens: datetime | None) -> None:
        for lang in ("en", "fr"):
            answer = await house.ask("POST", play, headers=in_country("AT", lang), json={})
            problem = await answer.json()
            assert (answer.status, problem["code"]) == expected
            assert problem.get("opens") == (opens.isoformat() if opens is not None else None)
            text = await fresh(house, f"/{lang}{page}")
            assert "data-player" not in text
            if page.startswith("/screenings") or expected[1] == "closed":
                # The page says what the answer says.
                assert problem["detail"] == WORDS[expected[1], lang]
                assert problem["detail"] in text
        assert await media(house, base) == {expected}
        renewed = await house.ask("POST", "/api/v1/grants", json={"hls": f"{base}/master.m3u8"})
        assert (await told(renewed))[:2] == expected

    await refusals((403, "not-open-yet"), starts)
    house.moment = starts
    assert await media(house, base) == {(200, "")}
    assert "data-player" in await fresh(house, f"/en{page}")
    house.moment = ends
    await refusals((410, "closed"), None)


async def test_a_use_that_is_not_given_closes_it(house: House, open_work: tuple[Work, str, str]) -> None:
    work, play, page = open_work
    base = await granted(house, play)
    await state(house, work.slug, uses=["live", "premiere", "replay"])
    assert await told(await house.ask("POST", play, json={})) == (410, "closed", WORDS["closed", "en"])
    assert await media(house, base) == {(410, "closed")}
    assert "data-player" not in await fresh(house, f"/en{page}")


async def test_a_withdrawn_work_is_refused_before_its_rights_are_asked(
    house: House, open_work: tuple[Work, str, str]
) -> None:
    work, play, page = open_work
    base = await granted(house, play)
    await state(house, work.slug, territories_mode="only", territories=["AT"])
    await house.ask("POST", f"/api/v1/works/{work.slug}/withdraw", "artist")
    refused = await house.ask("POST", play, headers=in_country("FR"), json={})
    assert (await told(refused))[:2] == (410, "withdrawn")
    assert await media(house, base) == {(410, "withdrawn")}
    shown = await house.ask("GET", f"/en{page}")
    assert shown.status == (404 if page.startswith("/works") else 200)
    assert "data-player" not in await shown.text()


async def test_the_replay_needs_its_own_right_and_cleared_music(house: House) -> None:
    work, _ = await house.published(on_view=False)
    await festival(house)
    made = await screening(house, work.slug, replay_until=(CLOSES + timedelta(hours=2)).isoformat())
    path = f"/api/v1/screenings/{made['slug']}"
    await house.ask("POST", f"{path}/publish", "linz")
    cues = f"/api/v1/works/{work.slug}/cues"
    await house.ask("PUT", cues, "artist", json={"cues": [{"title": "Ebb", "composer": "Ada", "live": True}]})
    found = await (await house.ask("GET", path, "linz")).json()
    assert ("cues-uncleared", "warning") in {(c["code"], c["severity"]) for c in found["conflicts"]}
    house.moment = OPENS
    base = await granted(house, f"{path}/play")
    house.moment = CLOSES
    assert await told(await house.ask("POST", f"{path}/play", json={})) == (410, "closed", WORDS["closed", "en"])
    assert await media(house, base) == {(410, "closed")}
    await house.ask("PUT", cues, "artist", json={"cues": [{"title": "Ebb", "live": True, "replay": True}]})
    assert await media(house, await granted(house, f"{path}/play")) == {(200, "")}
    await state(house, work.slug, uses=["on_demand"])
    assert await media(house, base) == {(410, "closed")}


async def test_artists_and_staff_see_it_whatever_its_rights_say(house: House) -> None:
    work, _ = await house.published()
    await state(house, work.slug, uses=[], territories_mode="only", territories=["AT"])
    for who in ("artist", "linz", "admin"):
        play = await house.ask("POST", f"/api/v1/works/{work.slug}/play", who, headers=in_country("FR"), json={})
        base = (await play.json())["hls"].rpartition("/")[0]
        assert await media(house, base, "FR") == {(200, "")}


async def test_rights_that_close_a_screening_stop_it_from_being_published(house: House) -> None:
    work, _ = await house.published(on_view=False)
    await festival(house)
    await state(house, work.slug, uses=["replay"])
    made = await screening(house, work.slug)
    assert ("rights-closed", "error") in {(c["code"], c["severity"]) for c in made["conflicts"]}
    refused = await house.ask(
        "POST", f"/api/v1/screenings/{made['slug']}/publish", "linz", headers={"Accept-Language": "fr"}
    )
    problem = await refused.json()
    assert (refused.status, problem["code"]) == (409, "not-publishable")
    assert "ne couvrent pas ce genre de séance" in problem["detail"]


async def test_programs_state_rights_and_music_whole(house: House) -> None:
    work = await house.work()
    path = f"/api/v1/works/{work.slug}"
    first = await (await house.ask("GET", f"{path}/rights", "artist")).json()
    assert {k: sorted(v) if isinstance(v, list) else v for k, v in first.items() if k != "revision"} == {
        k: sorted(v) if isinstance(v, list) else v for k, v in ALWAYS.items()
    }
    new = {
        "starts": "2026-12-01T00:00:00+01:00", "ends": None, "territories_mode": "except", "territories": ["US", "ca"],
        "uses": ["on_demand"],
    }  # fmt: skip
    put = await house.ask("PUT", f"{path}/rights", "linz", json=new | {"revision": first["revision"]})
    second = await put.json()
    assert (put.status, second["starts"], second["territories"], second["uses"]) == (
        200, "2026-11-30T23:00:00+00:00", ["CA", "US"], ["on_demand"],
    )  # fmt: skip
    late = await house.ask("PUT", f"{path}/rights", "artist", json=new | {"revision": first["revision"]})
    assert (await told(late))[:2] == (409, "changed-meanwhile")
    cue = {"title": "Ebb", "composer": "Ada", "publisher": "Sample Editions", "live": True, "replay": False}
    listed = await house.ask("PUT", f"{path}/cues", "artist", json={"cues": [cue], "revision": second["revision"]})
    assert (await listed.json())["cues"] == [cue]
    assert (await (await house.ask("GET", f"{path}/cues", "artist")).json())["cues"] == [cue]


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"territories_mode": "only", "territories": ["AT", "XX"]}, "territories", "no-such-country"),
        ({"territories_mode": "only"}, "territories", "required"),
        ({"territories": ["AT"]}, "territories_mode", "territories-need-mode"),
        ({"starts": "2026-12-02T00:00:00Z", "ends": "2026-12-01T00:00:00Z"}, "ends", "window-order"),
        ({"starts": "0001-01-01T00:00:00+12:00"}, "starts", "bad-time"),
        ({"uses": ["theatre"]}, "uses.0", "bad-choice"),
    ],
)
async def test_what_cannot_be_taken_is_named(house: House, given: dict[str, Any], field: str, code: str) -> None:
    work = await house.work()
    answer = await house.ask("PUT", f"/api/v1/works/{work.slug}/rights", "artist", json=given)
    problem = await answer.json()
    assert (answer.status, [(e["field"], e["code"]) for e in problem["errors"]]) == (422, [(field, code)])


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("other", 404), ("gwangju", 404)])
async def test_nobody_else_reads_or_states_rights(house: House, who: str | None, status: int) -> None:
    work = await house.work()
    for what, body in (("rights", {}), ("cues", {"cues": []})):
        path = f"/api/v1/works/{work.slug}/{what}"
        assert (await house.ask("GET", path, who)).status == status
        assert (await house.ask("PUT", path, who, json=body)).status == status


async def test_a_screening_turns_when_the_rights_of_a_work_of_it_do(house: House) -> None:
    work, _ = await house.published(on_view=False)
    await festival(house)
    made = await screening(house, work.slug)
    await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    ends = OPENS + timedelta(minutes=20)
    await state(house, work.slug, ends=ends.isoformat())
    house.moment = OPENS
    page = await (await house.ask("GET", f"/en/screenings/{made['slug']}")).text()
    assert f'data-turns="{ends.isoformat()}"' in page
    assert START < ends < CLOSES


async def test_a_premiere_promises_nothing_that_its_rights_do_not_allow(house: House) -> None:
    both = [await house.work(fields={"title": {"en": name, "fr": name}}) for name in ("Ebb", "Flood")]
    for work in both:
        await house.film(work)
        await house.ask("POST", f"/api/v1/works/{work.slug}/accept", "linz", json={})
    await festival(house)
    made = await screening(house, "", kind="premiere", slots=[{"work": work.slug} for work in both], ends=None)
    assert (await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")).status == 200

    async def promised(lang: str) -> tuple[list[str], bool]:
        page = await (await house.ask("GET", f"/{lang}/screenings/{made['slug']}")).text()
        (told,) = re.findall(r"data-showings>(.*?)</script>", page)
        # The rows that can be marked as what is on are just these.
        rows = [int(at) for at in re.findall(r'data-showing="(\d+)"', page)]
        assert rows == [one["starts"] for one in json.loads(told)]
        return [one["title"] for one in json.loads(told)], "a slate holds its time" in page

    assert await promised("en") == (["Ebb", "Flood"], False)
    await state(house, both[0].slug, uses=["on_demand"])
    assert await promised("en") == (["Flood"], True)


async def test_where_a_work_may_not_be_shown_a_premiere_and_a_channel_show_slate(house: House) -> None:
    here, everywhere = await house.work(), await house.work()
    films = {work.slug: await house.film(work) for work in (here, everywhere)}
    for work in (here, everywhere):
        await house.ask("POST", f"/api/v1/works/{work.slug}/accept", "linz", json={})
    await festival(house)
    await a_slate(house)
    slots = [{"work": here.slug, "pause": 4}, {"work": everywhere.slug}]
    made = await screening(
        house, here.slug, kind="premiere", slots=slots, ends=(OPENS + timedelta(minutes=1)).isoformat()
    )
    assert (await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")).status == 200
    await state(house, here.slug, territories_mode="only", territories=["AT"])
    house.moment = OPENS + timedelta(seconds=4)
    for play in (f"/api/v1/screenings/{made['slug']}/play", "/api/v1/channels/ars-2026/play"):
        for code, shown in (("AT", {here.slug, everywhere.slug}), ("FR", {everywhere.slug}), ("XX", set(films))):
            base = await granted(house, play, code)
            answer = await house.ask("GET", f"{base}/v240/index.m3u8", headers=in_country(code))
            text = await answer.text()
            assert {slug for slug, film in films.items() if f"/{film}/" in text} == shown, (play, code)
            segment = await house.ask(
                "GET", f"{base.rpartition('/')[0]}/{films[here.slug]}/v240/s00000.m4s", headers=in_country(code)
            )
            assert segment.status == (451 if code == "FR" else 200), (play, code)
        # A permission that is handed on does not open it where it is closed.
        base = await granted(house, play, "AT")
        handed = f"{base.rpartition('/')[0]}/{films[here.slug]}/v240/s00000.m4s"
        assert (await house.ask("GET", handed, headers=in_country("FR"))).status == 451
    await state(house, everywhere.slug, territories_mode="except", territories=["FR"])
    refused = await house.ask(
        "POST", f"/api/v1/screenings/{made['slug']}/play", headers=in_country("FR", "fr"), json={}
    )
    assert await told(refused) == (451, "not-in-your-territory", WORDS["not-in-your-territory", "fr"])
