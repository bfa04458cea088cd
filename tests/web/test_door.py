"""The door: how many are in is told by what is fetched, and whoever comes too late is told so in words."""

from __future__ import annotations

import pytest

from showcase.errors import Full
from showcase.web.door import DOOR, Door
from tests.web.conftest import House


class Clock:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def watch(door: Door, clock: Clock, viewers: int, seconds: int) -> None:
    """So many viewers fetch four seconds of sound and half a megabyte of picture every four seconds."""
    for second in range(seconds):
        clock.at += 1
        if second % 4 == 0:
            for _ in range(viewers):
                door.sent(64_000, 4.0)
                door.sent(500_000)


def test_viewers_are_the_seconds_of_sound_fetched_in_a_second() -> None:
    clock = Clock()
    door = Door(0, 0, clock)
    watch(door, clock, 30, 80)
    assert door.viewers == 30
    assert door.bits == pytest.approx(30 * 564_000 * 8 / 4, rel=0.01)
    clock.at += 61
    assert (door.viewers, door.bits) == (0, 0)


def test_a_full_house_lets_nobody_in_until_somebody_leaves() -> None:
    clock = Clock()
    door = Door(3, 0, clock)
    for _ in range(3):
        door.enter()
    with pytest.raises(Full):
        door.enter()
    # Those who came have begun: they count once, by what they fetch.
    watch(door, clock, 3, 80)
    with pytest.raises(Full):
        door.enter()
    watch(door, clock, 2, 80)
    door.enter()


def test_the_budget_of_bandwidth_closes_the_door() -> None:
    clock = Clock()
    door = Door(0, 10e6, clock)
    watch(door, clock, 8, 80)
    door.enter()
    watch(door, clock, 9, 80)
    with pytest.raises(Full):
        door.enter()


@pytest.mark.parametrize(("lang", "words"), [("en", "no room for one more"), ("fr", "plus de place")])
async def test_it_is_said_in_words_and_those_inside_stay(house: House, lang: str, words: str) -> None:
    work, _ = await house.published()
    play = await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})).json()
    house.app[DOOR]._most_viewers = 1
    answer = await house.ask(
        "POST", f"/api/v1/works/{work.slug}/play", json={}, headers={"Accept-Language": lang}
    )  # fmt: skip
    problem = await answer.json()
    assert (answer.status, problem["code"], words in problem["detail"]) == (503, "full", True)
    assert (await house.ask("GET", play["hls"])).status == 200
    assert (await house.ask("POST", "/api/v1/grants", json={"hls": play["hls"]})).status == 200
    # Artists and staff look at their own work all the same.
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/play", "artist", json={})).status == 200
