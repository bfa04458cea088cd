"""Premieres and channels over HTTP: nothing early, nothing after, the same for everybody, and slate where there is nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from showcase.errors import Unavailable
from showcase.store import festivals
from showcase.store.tables import assets
from showcase.web.channels import CHANNELS
from showcase.web.keys import DB
from tests.web.conftest import START, House
from tests.web.slates import a_slate
from tests.web.test_programme_rights import accepted, festival, screening

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
BEGINS = START + 30 * MINUTE


async def premiere(house: House, *works: str, **given: Any) -> dict[str, Any]:
    """A public premiere of works one after the other."""
    slots = [{"work": w, "pause": 6} for w in works]
    new = {"kind": "premiere", "starts": BEGINS.isoformat(), "ends": None, "slots": slots} | given
    made = await screening(house, works[0] if works else "", **new)
    answer = await house.ask("POST", f"/api/v1/screenings/{made['slug']}/publish", "linz")
    assert answer.status == 200, await answer.text()
    return made


async def play(house: House, made: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = await house.ask("POST", f"/api/v1/screenings/{made['slug']}/play", json=body)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def told(house: House, base: str, name: str = "v240") -> list[str]:
    """The addresses that a playlist tells, as far as they can be fetched from here."""
    answer = await house.ask("GET", f"{base}/{name}/index.m3u8")
    assert answer.status == 200, await answer.text()
    return [line for line in (await answer.text()).splitlines() if not line.startswith("#")]


async def test_a_premiere_lasts_as_long_as_its_works_unless_told(house: House) -> None:
    one, _ = await accepted(house)
    await festival(house)
    made = await screening(house, one, kind="premiere", ends=None, starts=BEGINS.isoformat())
    assert (made["starts"], made["ends"]) == ("2026-11-25T13:30:00+01:00", "2026-11-25T13:31:00+01:00")
    refused = await house.ask(
        "POST", "/api/v1/screenings", "linz",
        json={"festival": "ars-2026", "kind": "on_demand", "title": {"en": "T"}, "starts": BEGINS.isoformat()},
    )  # fmt: skip
    assert (refused.status, (await refused.json())["errors"][0]["field"]) == (422, "ends")


async def test_the_door_opens_before_the_moment_and_the_work_does_not(house: House) -> None:
    work, asset = await accepted(house)
    await festival(house)
    await a_slate(house)
    made = await premiere(house, work)
    path = f"/api/v1/screenings/{made['slug']}/play"
    early = await house.ask("POST", path, json={})
    assert (early.status, (await early.json())["opens"]) == (403, BEGINS.isoformat())

    house.moment = BEGINS - 5 * MINUTE
    given = await play(house, made)
    assert (given["phase"], given["live"], given["starts"]) == ("upcoming", True, BEGINS.isoformat())
    base = given["hls"].rpartition("/")[0]
    master = await house.ask("GET", given["hls"])
    assert (master.status, (await master.text()).count("#EXT-X-STREAM-INF")) == (200, 5)
    assert all("/slate/" in uri for uri in await told(house, base))
    slate = "/".join(base.split("/")[:3]) + "/" + (await told(house, base))[0].removeprefix("../../")
    assert re.sub(r"s\d+", "s00001", slate).endswith("body/v240/s00001.m4s")
    fetched = await house.ask("GET", re.sub(r"s\d{5}", "s00001", slate))
    assert (fetched.status, await fetched.text()) == (200, "slate v240 s00001.m4s")

    # By its address the first segment is there one publishing lead before the moment it plays, not a second earlier.
    root = "/".join(base.split("/")[:3])
    for at, statuses in (
        (BEGINS - 9 * SECOND, [403, 403, 403]),
        (BEGINS - 8 * SECOND, [200, 200, 403]),
        (BEGINS - 4 * SECOND, [200, 200, 200]),
    ):
        house.moment = at
        files = ("init.mp4", "s00000.m4s", "s00001.m4s")
        assert [(await house.ask("GET", f"{root}/{asset}/v240/{f}")).status for f in files] == statuses, at
    # Its whole playlist, which tells of all of it, is for after.
    assert (await house.ask("GET", f"{root}/{asset}/v240/index.m3u8")).status == 404
    assert (await house.ask("GET", f"{root}/{asset}/master.m3u8")).status == 404


async def test_works_follow_each_other_at_their_moments_in_every_rendition(house: House) -> None:
    (first, a), (second, b) = await accepted(house), await accepted(house)
    await festival(house)
    await a_slate(house)
    made = await premiere(house, first, second)
    house.moment = BEGINS + 16 * SECOND
    base = (await play(house, made))["hls"].rpartition("/")[0]
    text = await (await house.ask("GET", f"{base}/v1080/index.m3u8")).text()
    moments = re.findall(r"DATE-TIME:2026-11-25T(\S+)Z\n#EXTINF:[\d.]+,\n\.\./\.\./(\w+)", text)
    since = moments[[m[0] for m in moments].index("12:30:00.000") :]
    assert since == [
        ("12:30:00.000", a), ("12:30:08.000", "slate"), ("12:30:10.000", "slate"), ("12:30:14.000", b),
        ("12:30:22.000", "slate"), ("12:30:24.000", "slate"),
    ]  # fmt: skip
    # A work without 1080 lines gives its best.
    assert f"../../{a}/v360/s00000.m4s" in text
    counts = {
        name: (await (await house.ask("GET", f"{base}/{name}/index.m3u8")).text()).count("DISCONTINUITY\n")
        for name in ("v240", "v360", "v480", "v720", "v1080", "main", "ad", "en", "fr")
    }
    assert len(set(counts.values())) == 1


async def test_captions_and_description_are_those_of_the_work_that_shows(house: House) -> None:
    work = await house.work()
    film = await house.film(work)
    described = await house.film(work, role="audio-description", lang="en")
    captions = await house.captions(work, "en")
    await house.ask("POST", f"/api/v1/works/{work.slug}/accept", "linz", json={})
    await festival(house)
    await a_slate(house)
    made = await premiere(house, work.slug)
    house.moment = BEGINS + SECOND
    base = (await play(house, made))["hls"].rpartition("/")[0]
    root = "/".join(base.split("/")[:3])
    assert f"../../{described}/a-und/s00000.m4s" in await told(house, base, "ad")
    assert f"../../{film}/a-und/s00000.m4s" in await told(house, base, "main")
    assert f"../../{film}/c-{captions}/s00000.vtt" in await told(house, base, "en")
    assert f"../../{film}/c-none/s00000.vtt" in await told(house, base, "fr")
    head = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n"
    for uri, body in (
        (f"{film}/c-{captions}/s00000.vtt", head + "\n00:00.000 --> 00:02.000\nHello\n"),
        (f"{film}/c-{captions}/s00001.vtt", head),
        (f"{film}/c-none/s00000.vtt", head),
    ):
        answer = await house.ask("GET", f"{root}/{uri}")
        assert (answer.status, await answer.text()) == (200, body), uri
    assert (await house.ask("GET", f"{root}/{described}/a-und/s00001.m4s")).status == 200


async def test_after_its_end_everything_is_gone_and_the_replay_opens(house: House) -> None:
    work, asset = await accepted(house)
    await festival(house)
    await a_slate(house)
    until = BEGINS + 60 * MINUTE
    made = await premiere(house, work, replay_until=until.isoformat())
    house.moment = BEGINS + 30 * SECOND
    given = await play(house, made)
    root = "/".join(given["hls"].split("/")[:3])
    assert (await house.ask("GET", given["hls"])).status == 200
    house.moment = BEGINS + MINUTE
    for path in (given["hls"], f"{root}/channel/v240/index.m3u8"):
        assert (await house.ask("GET", path)).status == 410
    assert (await house.ask("POST", "/api/v1/grants", json={"hls": given["hls"]})).status == 410
    # On demand now, for everybody's own time.
    replay = await play(house, made)
    assert (replay["phase"], "live" in replay) == ("replay", False)
    assert (await house.ask("GET", f"{root}/{asset}/v240/s00001.m4s")).status == 200
    page = await (await house.ask("GET", f"/en/screenings/{made['slug']}")).text()
    assert ("Replay until" in page, "data-together" in page, "data-player" in page) == (True, False, True)
    house.moment = until
    assert (await house.ask("GET", f"{root}/{asset}/v240/s00001.m4s")).status == 410
    assert (await house.ask("POST", f"/api/v1/screenings/{made['slug']}/play", json={})).status == 410


async def test_a_withdrawn_work_ends_at_once_and_slate_takes_its_place(house: House) -> None:
    work, asset = await accepted(house)
    await festival(house)
    await a_slate(house)
    made = await premiere(house, work)
    house.moment = BEGINS + SECOND
    given = await play(house, made)
    base = given["hls"].rpartition("/")[0]
    root = "/".join(base.split("/")[:3])
    assert (await house.ask("GET", f"{root}/{asset}/v240/s00000.m4s")).status == 200
    before = await (await house.ask("GET", f"{base}/v240/index.m3u8")).text()
    await house.ask("POST", f"/api/v1/works/{work}/withdraw", "artist")
    assert (await house.ask("GET", f"{root}/{asset}/v240/s00000.m4s")).status in (403, 404, 410)
    after = await (await house.ask("GET", f"{base}/v240/index.m3u8")).text()
    assert all("/slate/" in line for line in after.splitlines() if not line.startswith("#"))

    def number(text: str) -> int:
        found = re.search(r"MEDIA-SEQUENCE:(\d+)", text)
        assert found is not None
        return int(found[1])

    # The numbers that stood for the work stand for nothing else now.
    assert number(after) >= number(before) + before.count("#EXTINF")
    # The screening itself goes, too.
    answer = await house.ask("POST", f"/api/v1/screenings/{made['slug']}/withdraw", "linz")
    assert answer.status == 200, await answer.text()
    for path in (given["hls"], f"{base}/v240/index.m3u8"):
        answer = await house.ask("GET", path)
        assert (answer.status, await answer.text()) == (410, "withdrawn")


async def test_a_change_ahead_leaves_what_was_told_as_it_was(house: House) -> None:
    (first, a), (second, b) = await accepted(house), await accepted(house)
    await festival(house)
    await a_slate(house)
    made = await premiere(house, first, ends=(BEGINS + 5 * MINUTE).isoformat())
    house.moment = BEGINS + 2 * SECOND
    base = (await play(house, made))["hls"].rpartition("/")[0]
    before = await told(house, base)
    change = {"slots": [{"work": first, "pause": 30}, {"work": second}]}
    answer = await house.ask("PATCH", f"/api/v1/screenings/{made['slug']}", "linz", json=change)
    assert answer.status == 200, await answer.text()
    assert await told(house, base) == before
    house.moment = BEGINS + 40 * SECOND
    after = await told(house, base)
    assert f"../../{b}/v240/s00000.m4s" in after
    assert [u for u in after if a in u] == [u for u in before if a in u]


async def test_the_channel_shows_what_its_festival_hosts_and_co_hosts_and_its_loop(house: House) -> None:
    (premiered, a), (looped, b) = await accepted(house), await accepted(house)
    await festival(house)
    await festival(house, "gwangju", slug="gwangju-2026", city="gwangju", timezone="Asia/Seoul")
    await a_slate(house)
    await premiere(house, premiered)
    loop_work = next(w for w in [await house.app[DB].read(_work, looped)])
    host = await house.app[DB].read(festivals.festival, "ars-2026")
    await house.write(festivals.set_loop, START, host.id, [loop_work.id])
    house.moment = BEGINS + 30 * SECOND
    for slug, shown in (("ars-2026", {a, b}), ("gwangju-2026", set()), ("network", {a, b})):
        answer = await house.ask("POST", f"/api/v1/channels/{slug}/play", json={})
        assert answer.status == 200
        base = (await answer.json())["hls"].rpartition("/")[0]
        uris = await told(house, base)
        assert {asset for asset in (a, b) if any(asset in u for u in uris)} == shown, slug
        renewed = await house.ask("POST", "/api/v1/grants", json={"hls": (await answer.json())["hls"]})
        assert renewed.status == 200
    for slug, listed in (("ars-2026", True), ("gwangju-2026", False), ("network", True)):
        page = await (await house.ask("GET", f"/fr/channels/{slug}")).text()
        assert ("data-together" in page, "Entre elles, en boucle" in page) == (True, listed), slug
    # A work that turned out to have no length is in no loop, and no page minds.
    await house.write(lambda tx, _: tx.execute(assets.update().where(assets.c.id == b).values(duration_us=None)), START)
    for slug in ("ars-2026", "network"):
        answer = await house.ask("GET", f"/en/channels/{slug}?page=2")
        assert (answer.status, "in a loop" in await answer.text()) == (200, False)
    draft = await festival(house, slug="draft-2026", public=False)
    for method, path in (("GET", f"/en/channels/{draft}"), ("POST", f"/api/v1/channels/{draft}/play")):
        assert (await house.ask(method, path, "linz" if method == "GET" else None)).status == 404


def _work(tx: Any, slug: str) -> Any:
    from showcase.store import works

    return works.work(tx, slug)


async def test_another_room_is_not_on_the_channel_and_overlaps_are_refused(house: House) -> None:
    (one, _), (two, _) = await accepted(house), await accepted(house)
    await festival(house)
    await premiere(house, one)
    other = await screening(house, two, kind="premiere", starts=BEGINS.isoformat(), ends=None)
    assert [c["code"] for c in other["conflicts"] if c["severity"] == "error"] == ["channel-overlap"]
    refused = await house.ask("POST", f"/api/v1/screenings/{other['slug']}/publish", "linz")
    assert (refused.status, (await refused.json())["code"]) == (409, "not-publishable")


async def test_a_premiere_refuses_what_has_no_length_and_what_does_not_fit(house: House) -> None:
    long, _ = await accepted(house)
    picture = await house.work(medium="image")
    await festival(house)
    made = await screening(
        house, long, kind="premiere", starts=BEGINS.isoformat(), ends=(BEGINS + MINUTE).isoformat(),
        slots=[{"work": long, "pause": 60}, {"work": long}],
    )  # fmt: skip
    errors = {c["code"]: c["detail"] for c in made["conflicts"] if c["severity"] == "error"}
    assert list(errors) == ["block-too-short"]
    assert "1:16" in errors["block-too-short"]
    still = await screening(house, picture.slug, kind="premiere", starts=BEGINS.isoformat(), ends=None)
    assert "not-for-channel" in {c["code"] for c in still["conflicts"]}


async def test_a_live_screening_is_slate_until_there_is_a_stage(house: House) -> None:
    await festival(house)
    await a_slate(house)
    made = await premiere(house, kind="live", ends=(BEGINS + MINUTE).isoformat(), slots=[])
    house.moment = BEGINS + 10 * SECOND
    base = (await play(house, made))["hls"].rpartition("/")[0]
    uris = await told(house, base)
    assert uris
    assert all("/slate/" in u for u in uris)


async def test_two_servers_write_the_same_bytes_and_a_restart_goes_on(house: House) -> None:
    from showcase.web.channels import Channels

    work, _ = await accepted(house)
    await festival(house)
    await a_slate(house)
    made = await premiere(house, work)
    house.moment = BEGINS + 3 * SECOND
    given = await play(house, made)
    number = int(re.match(r"/hls/s(\w+)\.", given["hls"])[1], 16)  # type: ignore[index]
    one = await house.app[CHANNELS].told(f"s{number}", "v240")
    another = Channels(house.app[DB], house.now, 12)
    assert await another.told(f"s{number}", "v240") == one
    house.later(5 * SECOND)
    assert await another.told(f"s{number}", "main") == await house.app[CHANNELS].told(f"s{number}", "main")


async def test_without_the_database_a_channel_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    work, asset = await accepted(house)
    await festival(house)
    await a_slate(house)
    made = await premiere(house, work)
    house.moment = BEGINS - 20 * SECOND
    base = (await play(house, made))["hls"].rpartition("/")[0]
    assert asset not in str(await told(house, base))
    channels = house.app[CHANNELS]

    async def away(*_: Any, **__: Any) -> None:
        raise Unavailable("database-away")

    key = next(k for k in channels._known if k.startswith("s"))
    channels._known[key].checked = float("-inf")
    monkeypatch.setattr(channels._db, "read", away)
    monkeypatch.setattr(channels._db, "write", away)
    house.moment = BEGINS
    assert asset in str(await told(house, base))
    monkeypatch.undo()
    channels._known[key].checked = float("-inf")
    assert asset in str(await told(house, base))


async def test_a_list_of_channels_for_television_players(house: House) -> None:
    await festival(house)
    await festival(house, slug="draft-2026", public=False)
    await a_slate(house)
    answer = await house.ask("GET", "/channels.m3u")
    lines = (await answer.text()).splitlines()
    assert (answer.status, lines[0]) == (200, '#EXTM3U x-tvg-url="http://localhost:8080/xmltv.xml"')
    assert [line.partition(" ")[2] for line in lines[1::2]] == [
        'tvg-id="network.showcase" tvg-name="City to City" group-title="City to City",City to City',
        'tvg-id="ars-2026.showcase" tvg-name="Ars" group-title="Linz",Ars',
    ]
    house.later(timedelta(days=30))
    for address in lines[2::2]:
        path = address.removeprefix("http://localhost:8080")
        assert (await house.ask("GET", path)).status == 200
        assert await told(house, path.rpartition("/")[0])


async def test_the_programme_is_filtered_by_what_is_said_and_captioned(house: House) -> None:
    plain, _ = await accepted(house)
    spoken = await house.work()
    await house.film(spoken, lang="ko")
    await house.captions(spoken, "fr")
    await house.ask("POST", f"/api/v1/works/{spoken.slug}/accept", "linz", json={})
    await festival(house)
    await premiere(house, plain, title={"en": "Plain"})
    await premiere(house, spoken.slug, title={"en": "Spoken"}, starts=(BEGINS + 5 * MINUTE).isoformat())
    for query, shown in (
        ("", {"plain", "spoken"}),
        ("captions=fr", {"spoken"}),
        ("captions=en", set()),
        ("spoken=ko", {"spoken"}),
        ("kind=premiere&spoken=ko&captions=fr", {"spoken"}),
        ("kind=live", set()),
    ):
        page = await (await house.ask("GET", f"/en/programme?{query}")).text()
        assert {slug for slug in ("plain", "spoken") if f"/en/screenings/{slug}" in page} == shown, query
    assert (await house.ask("GET", "/en/programme?captions=%3Cb%3E")).status == 404


@pytest.mark.parametrize("step", [-2, 2])
async def test_a_clock_that_is_set_takes_nothing_back(house: House, step: int) -> None:
    work, asset = await accepted(house)
    await festival(house)
    await a_slate(house)
    made = await premiere(house, work)
    house.moment = BEGINS - 3 * SECOND
    base = (await play(house, made))["hls"].rpartition("/")[0]
    numbers, fetched = [], 0
    for at in (-3, -3 + step, -2 + step, -1 + step, step):
        house.moment = BEGINS + at * SECOND
        text = await (await house.ask("GET", f"{base}/v240/index.m3u8")).text()
        found = re.search(r"MEDIA-SEQUENCE:(\d+)", text)
        assert found is not None
        numbers.append(int(found[1]) + text.count("#EXTINF"))
        last = text.splitlines()[-1].removeprefix("../../")
        root = "/".join(base.split("/")[:3])
        if asset in last:
            # What was told can be fetched, whichever way the clock went.
            fetched += 1
            assert (await house.ask("GET", f"{root}/{last}")).status == 200
    assert (numbers == sorted(numbers), fetched > 0) == (True, True)
