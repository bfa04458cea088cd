"""What the desk's timeline asks the API: rooms and the loop of a festival, what would stand against a move, who hears of it."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

from showcase.core.models import Work
from tests.web.conftest import House
from tests.web.test_programme_rights import accepted, festival, screening


async def pinned(house: House, **given: Any) -> dict[str, Any]:
    """A premiere from 14:00 to 14:40 in Linz."""
    slug, _ = await accepted(house)
    await festival(house, public=False, rooms=["Hall"])
    return await screening(house, slug, kind="premiere", **given)


# Rooms and the loop.


async def test_a_room_in_use_cannot_be_taken_away(house: House) -> None:
    await pinned(house, room="Hall")
    answer = await house.ask("PATCH", "/api/v1/festivals/ars-2026", "linz", json={"rooms": ["Attic"]})
    problem = await answer.json()
    assert (answer.status, problem["errors"][0]["detail"]) == (
        422,
        "“Tides” is in the room “Hall”. Give it another room before you take this one away.",
    )
    await house.ask("PATCH", "/api/v1/screenings/tides", "linz", json={"room": ""})
    assert (await house.ask("PATCH", "/api/v1/festivals/ars-2026", "linz", json={"rooms": []})).status == 200


async def test_the_loop_takes_only_works_of_ones_own_that_are_accepted_and_have_a_length(house: House) -> None:
    slug, _ = await accepted(house)
    await festival(house)
    path = "/api/v1/festivals/ars-2026"

    async def loop(*slugs: str) -> tuple[int, Any]:
        answer = await house.ask("PATCH", path, "linz", json={"loop": list(slugs)})
        body = await answer.json()
        return answer.status, body.get("loop") or [(e["field"], e["code"]) for e in body.get("errors", [])]

    draft = await house.work(fields={"title": {"en": "Only begun"}})
    still = await house.work(fields={"title": {"en": "Still"}}, medium="image")
    await house.film(still)
    await house.ask("POST", f"/api/v1/works/{still.slug}/accept", "linz", json={})
    foreign: Work = await house.work("other", fields={"title": {"en": "Far"}}, cities=["dakar"])
    assert await loop(slug, slug) == (200, [slug, slug])
    assert await loop(slug, draft.slug) == (422, [("loop.1", "loop-not-accepted")])
    assert await loop(still.slug) == (422, [("loop.0", "loop-without-length")])
    assert await loop(foreign.slug) == (422, [("loop.0", "no-such-work")])
    assert await loop("nothing") == (422, [("loop.0", "no-such-work")])
    assert (await (await house.ask("GET", path, "linz")).json())["loop"] == [slug, slug]
    assert "loop" not in await (await house.ask("GET", path)).json()
    assert await loop() == (200, [])


async def test_only_its_staff_change_rooms_and_loop(house: House) -> None:
    await festival(house)
    for who, status in ((None, 401), ("gwangju", 403), ("artist", 403)):
        answer = await house.ask("PATCH", "/api/v1/festivals/ars-2026", who, json={"rooms": ["Mine"], "loop": []})
        assert answer.status == status


# What would stand against a move.


def asked(**given: Any) -> dict[str, Any]:
    return {
        "festival": "ars-2026", "kind": "premiere", "starts": "2026-11-25T14:00:00+01:00", "ends": "2026-11-25T14:40:00+01:00",
    } | given  # fmt: skip


async def check(house: House, who: str | None = "linz", **given: Any) -> tuple[int, Any]:
    answer = await house.ask("POST", "/api/v1/screenings/check", who, json=asked(**given))
    body = await answer.json()
    return answer.status, [(c["code"], c["severity"]) for c in body["conflicts"]] if answer.status == 200 else body[
        "code"
    ]


async def test_a_check_says_what_would_stand_against_it_and_keeps_nothing(house: House) -> None:
    made = await pinned(house)
    work = made["slots"][0]["work"]
    free = {"starts": "2026-11-25T16:00:00+01:00", "ends": "2026-11-25T16:40:00+01:00"}
    assert await check(house, slots=[{"work": work}]) == (
        200, [("channel-overlap", "warning"), ("captions-missing", "warning")],
    )  # fmt: skip
    assert await check(house, slots=[{"work": work}], room="Hall") == (200, [("captions-missing", "warning")])
    assert await check(house, slots=[{"work": work}], **free) == (200, [("captions-missing", "warning")])
    # A screening is not in its own way, and keeps its works.
    assert await check(house, screening="tides") == (200, [("captions-missing", "warning")])
    assert await check(house, screening="tides", starts="2026-12-24T16:00:00+01:00", ends="2026-12-24T15:00:00+01:00") == (
        200, [("window-order", "error"), ("block-too-short", "error"), ("outside-festival", "warning"), ("captions-missing", "warning")],
    )  # fmt: skip
    after = await (await house.ask("GET", "/api/v1/screenings/tides", "linz")).json()
    assert (after["starts"], after["revision"]) == (made["starts"], made["revision"])
    everything = await (await house.ask("GET", "/api/v1/screenings?festival=ars-2026", "linz")).json()
    assert [s["slug"] for s in everything["screenings"]] == ["tides"]


async def test_a_check_of_a_premiere_without_an_end_says_the_end(house: House) -> None:
    made = await pinned(house)
    answer = await house.ask(
        "POST", "/api/v1/screenings/check", "linz", json=asked(ends=None, slots=[{"work": made["slots"][0]["work"]}])
    )
    assert (await answer.json())["ends"] == "2026-11-25T14:01:00+01:00"
    assert await check(house, kind="on_demand", ends=None) == (422, "invalid")


async def test_a_check_warns_of_the_past_also_for_what_is_public(house: House) -> None:
    await pinned(house)
    assert (await house.ask("POST", "/api/v1/screenings/tides/publish", "linz", json={})).status == 200
    past = {"starts": "2026-11-21T14:00:00+01:00", "ends": "2026-11-21T14:40:00+01:00"}
    # Its festival is a draft: nobody waits for it.
    assert ("screening-past", "warning") in (await check(house, screening="tides", **past))[1]
    await house.ask("PATCH", "/api/v1/festivals/ars-2026", "linz", json={"state": "published"})
    # It is still to come: nobody would ever see it.
    assert ("screening-past", "error") in (await check(house, screening="tides", **past))[1]
    assert "screening-past" not in [code for code, _ in (await check(house, screening="tides"))[1]]
    refused = await house.ask("PATCH", "/api/v1/screenings/tides", "linz", json=past)
    assert (refused.status, (await refused.json())["code"]) == (409, "would-be-over")
    stands = await (await house.ask("GET", "/api/v1/screenings/tides", "linz")).json()
    assert stands["starts"] == "2026-11-25T14:00:00+01:00"
    # What has begun may be ended, and what is over be written up.
    house.moment = datetime.fromisoformat("2026-11-25T14:20:00+01:00")
    shorter = {"ends": "2026-11-25T14:20:00+01:00"}
    assert (await house.ask("PATCH", "/api/v1/screenings/tides", "linz", json=shorter)).status == 200
    assert (await house.ask("PATCH", "/api/v1/screenings/tides", "linz", json=past)).status == 200


async def test_a_check_knows_the_hour_that_comes_twice_and_the_one_that_is_skipped(house: House) -> None:
    await pinned(house)
    codes = {}
    for name, starts, ends in (
        ("twice", "2026-10-25T02:30:00+02:00", "2026-10-25T04:30:00+01:00"),
        ("again", "2026-10-25T02:30:00+01:00", "2026-10-25T04:30:00+01:00"),
        ("neither", "2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"),
    ):
        _, found = await check(house, screening="tides", starts=starts, ends=ends)
        codes[name] = [code for code, _ in found if code.startswith("hour")]
    assert codes == {"twice": ["hour-repeated"], "again": ["hour-repeated"], "neither": []}


async def test_a_check_is_for_those_who_may_do_it(house: House) -> None:
    await pinned(house)
    for who, status in ((None, 401), ("gwangju", 404), ("artist", 404), ("admin", 200)):
        assert (await check(house, who))[0] == status
        assert (await check(house, who, screening="tides"))[0] == status
    await house.ask("PATCH", "/api/v1/festivals/ars-2026", "linz", json={"state": "published"})
    assert (await check(house, "gwangju"))[0] == 403
    assert await check(house, "linz", festival="nowhere") == (404, "not-found")
    assert await check(house, "linz", screening="nowhere") == (404, "not-found")
    assert await check(house, "linz", room="Nowhere") == (422, "invalid")
    foreign = await house.work("other", fields={"title": {"en": "Far"}}, cities=["dakar"])
    assert await check(house, "linz", slots=[{"work": foreign.slug}]) == (422, "invalid")


# Who hears of what.


async def heard(house: House, who: str | None, query: str, *acts: Any) -> list[tuple[str, dict[str, Any]]]:
    """What a stream tells while `acts` happen."""
    answer = await house.ask("GET", f"/api/v1/events{query}", who)
    assert answer.status == 200
    await answer.content.readuntil(b"\n\n")
    for act in acts:
        await act()
        # Of what comes together only the last is told.
        await asyncio.sleep(0.4)
    found, name = [], ""
    try:
        async with asyncio.timeout(0.6):
            while line := (await answer.content.readline()).decode().strip("\n"):
                if line.startswith("event:"):
                    name = line[7:]
                elif line.startswith("data:"):
                    found.append((name, json.loads(line[6:])))
                    await answer.content.readline()
    except TimeoutError:
        pass
    answer.close()
    return found


def moves(house: House, slug: str, who: str = "admin") -> Any:
    async def act() -> None:
        answer = await house.ask(
            "PATCH",
            f"/api/v1/screenings/{slug}",
            who,
            json={"starts": "2026-11-25T15:00:00+01:00", "ends": "2026-11-25T16:00:00+01:00"},
        )
        assert answer.status == 200

    return act


async def test_staff_hear_of_their_drafts_and_nobody_else_does(house: House) -> None:
    await pinned(house)
    move = moves(house, "tides")
    told = [("screening", {"slug": "tides", "festival": "ars-2026", "state": "draft", "revision": 2})]
    assert await heard(house, "linz", "?festival=ars-2026", move) == told
    assert await heard(house, "gwangju", "", move) == []
    assert await heard(house, "artist", "", move) == []
    assert await heard(house, None, "", move) == []
    for who in (None, "gwangju"):
        assert (await house.ask("GET", "/api/v1/events?festival=ars-2026", who)).status == 404


async def test_the_public_hears_of_what_is_public_without_its_revision(house: House) -> None:
    await pinned(house)
    await house.ask("POST", "/api/v1/screenings/tides/publish", "linz")
    await house.ask("PATCH", "/api/v1/festivals/ars-2026", "linz", json={"state": "published"})
    move = moves(house, "tides")
    assert await heard(house, None, "?festival=ars-2026", move) == [
        ("screening", {"slug": "tides", "festival": "ars-2026", "state": "published"})
    ]
    assert await heard(house, "linz", "?work=tide", move) == []


async def test_staff_hear_that_a_draft_is_gone_and_that_the_festival_changed(house: House) -> None:
    await pinned(house)

    async def delete() -> None:
        assert (await house.ask("DELETE", "/api/v1/screenings/tides", "admin")).status == 204

    async def rooms() -> None:
        assert (await house.ask("PATCH", "/api/v1/festivals/ars-2026", "admin", json={"rooms": []})).status == 200

    assert await heard(house, "linz", "?festival=ars-2026", delete, rooms) == [
        ("screening", {"festival": "ars-2026", "removed": True}),
        ("festival", {"festival": "ars-2026"}),
    ]
    slug, _ = await accepted(house)
    await screening(house, slug)
    assert await heard(house, "gwangju", "", delete) == []


async def test_a_stream_of_a_festival_tells_nothing_of_others(house: House) -> None:
    await pinned(house)
    await festival(house, slug="other-2026")
    assert await heard(house, "linz", "?festival=other-2026", moves(house, "tides")) == []
