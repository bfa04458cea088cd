"""Channels as they are kept: whatever is edited, withdrawn or closed, on two nodes and with clocks that are set, no number
ever means two things, and what may not be shown is gone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.core import sources
from showcase.core.channel import LEAST_LEAD
from showcase.core.rights import WorkRights
from showcase.errors import Conflict
from showcase.store import assets, channels, cities, festivals, rights, screenings, works
from showcase.store.database import Database
from showcase.store.events import Event
from showcase.web.channels import Channels
from tests.core.test_channel import Watching
from tests.store.rows import NOW, a_rendition, a_work, an_asset

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
START = NOW.replace(second=0, microsecond=0)


def filler(durations_us: list[int]) -> list[dict[str, Any]]:
    names = [(name, "video") for name in sources.RUNGS] + [("a-und", "audio")]
    return [
        {
            "name": name, "kind": kind, "lang": "und", "width": 640, "height": 360, "fps": 25.0, "codecs": "avc1.64001e",
            "bandwidth": 90_000, "average": 70_000, "size_bytes": 9000, "durations_us": durations_us,
        }
        for name, kind in names
    ]  # fmt: skip


def a_slate(tx: sa.Connection) -> None:
    leads = {str(n): filler([n * 40_000]) for n in range(LEAST_LEAD, 100)}
    design = channels.design(None)
    channels.add_slate(tx, START, design, f"slates/{design}", {"body": filler([2_000_000] * 30), "leads": leads})


def a_film(tx: sa.Connection, title: str, seconds: int) -> tuple[int, str]:
    """An accepted work with a film; its number and the film's."""
    work = a_work(tx, title)
    film = an_asset(tx, work.id).id
    full, rest = divmod(seconds * 1_000_000, 4_000_000)
    cuts = (4_000_000,) * full + ((rest,) if rest else ())
    for name, kind in (("v240", "video"), ("v720", "video"), ("a-und", "audio")):
        size = {"width": 426, "height": 240} if name == "v240" else {}
        size = size if kind == "video" else {"width": 0, "height": 0}
        assets.add_rendition(tx, START, film, a_rendition(film, name, kind=kind, durations_us=cuts, **size))
    assets.report(tx, START, film, state="ready", duration_us=seconds * 1_000_000)
    assets.take_if_first(tx, START, film)
    works.set_state(tx, START, work.id, "accepted", ("draft",))
    return work.id, film


class Nodes:
    """Two nodes on one database, each with a clock of its own, and players that poll both."""

    def __init__(self, db: Database) -> None:
        self.db, self.at = db, START
        self.slow = timedelta()
        self.nodes = [Channels(db, lambda: self.at, 12), Channels(db, lambda: self.at - self.slow, 12)]
        self.watching = [Watching(), Watching()]
        db.committed = self.told

    def told(self, events: Sequence[Event]) -> None:
        for event in events:
            for node in self.nodes:
                node.changed(event)

    async def poll(self, key: str) -> list[str]:
        """What both nodes tell; both must give each number the same meaning."""
        texts = []
        for node, watching in zip(self.nodes, self.watching, strict=True):
            for number, name in enumerate(("v240", "main")):
                body, _ = await node.told(key, name)
                watching.read(number, body.decode())
            texts.append((await node.told(key, "v240"))[0].decode())
        first, second = (w.seen for w in self.watching)
        assert all(second[k] == first[k] for k in second.keys() & first.keys())
        return texts


@pytest.fixture
async def nodes(db: Database) -> Nodes:
    await db.write(cities.seed, START)
    await db.write(a_slate)
    return Nodes(db)


async def a_festival(db: Database) -> int:
    made = await db.write(
        festivals.create, START, fields={"title": {"en": "Ars"}}, city="linz", zone="UTC", starts_on=date(2026, 8, 1),
        ends_on=date(2026, 10, 1),
    )  # fmt: skip
    await db.write(festivals.set_state, START, made.id, "published")
    return made.id


async def a_premiere(db: Database, festival: int, starts: datetime, *shown: int, minutes: int = 2) -> int:
    made = await db.write(
        screenings.create, START, None, festival=festival, zone="UTC", kind="premiere", starts_local=starts.replace(tzinfo=None),
        ends_local=(starts + minutes * MINUTE).replace(tzinfo=None), fields={"title": {"en": "P"}},
        shown=[(work, None, 3) for work in shown],
    )  # fmt: skip
    await db.write(screenings.set_state, START, made.id, "published", ("draft",))
    return made.id


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_number_means_two_things_whatever_happens(db: Database, nodes: Nodes, seed: int) -> None:
    rng = random.Random(seed)
    films = [await db.write(a_film, f"Film {n}", seconds) for n, seconds in enumerate((20, 61, 7))]
    festival = await a_festival(db)
    await db.write(festivals.set_loop, START, festival, [films[2][0]])
    made = [
        await a_premiere(db, festival, START + n * 3 * MINUTE, *rng.sample([w for w, _ in films], 2)) for n in range(4)
    ]
    key = f"f{festival}"
    for _ in range(220):
        what = rng.random()
        chosen, work = rng.choice(made), rng.choice(films)[0]
        try:
            if what < 0.08:
                starts = (nodes.at + rng.randrange(-1, 5) * MINUTE).replace(second=0, tzinfo=None)
                local = (starts, starts + 2 * MINUTE, None, "UTC")
                await db.write(screenings.update, nodes.at, chosen, values={}, fields={}, local=local)
            elif what < 0.12:
                await db.write(screenings.set_state, nodes.at, chosen, "withdrawn", ("published",))
            elif what < 0.16:
                await db.write(screenings.set_state, nodes.at, chosen, "published", ("withdrawn",))
            elif what < 0.19:
                await db.write(works.set_state, nodes.at, work, "withdrawn", ("accepted",))
            elif what < 0.23:
                await db.write(works.set_state, nodes.at, work, "accepted", ("withdrawn",))
            elif what < 0.26:
                uses: frozenset[Any] = frozenset(rng.sample(["premiere", "replay"], rng.randint(0, 2)))
                await db.write(rights.state, nodes.at, work, WorkRights(uses=uses))
            elif what < 0.29:
                # A clock is set: both go back, or one is slow.
                nodes.at -= rng.randrange(1, 20) * SECOND
                nodes.slow = rng.randrange(0, 3) * SECOND
        except Conflict:
            continue
        await nodes.poll(key)
        nodes.at += timedelta(milliseconds=rng.randrange(300, 4_000))
    assert min(w.polls for w in nodes.watching) > 300


@pytest.mark.parametrize("how", ["screening withdrawn", "work withdrawn", "screening closed", "rights ended"])
async def test_what_ends_on_air_is_gone_even_after_another_edit(db: Database, nodes: Nodes, how: str) -> None:
    work, film = await db.write(a_film, "Long", 90)
    festival = await a_festival(db)
    premiere = await a_premiere(db, festival, START, work)
    key = f"f{festival}"
    nodes.at = START + 10 * SECOND
    assert all(film in text for text in await nodes.poll(key))
    # Something else of the programme is changed, so that the work is on record as a whole.
    await a_premiere(db, festival, START + 30 * MINUTE, work)
    assert all(film in text for text in await nodes.poll(key))
    nodes.at = START + 20 * SECOND
    if how == "screening withdrawn":
        await db.write(screenings.set_state, nodes.at, premiere, "withdrawn", ("published",))
    elif how == "work withdrawn":
        await db.write(works.set_state, nodes.at, work, "withdrawn", ("accepted",))
    elif how == "screening closed":
        await db.write(screenings.update, nodes.at, premiere, values={"closed": True}, fields={})
    else:
        await db.write(rights.state, nodes.at, work, WorkRights(uses=frozenset({"replay"})))
    for _ in range(12):
        texts = await nodes.poll(key)
        assert not any(film in text for text in texts)
        assert not await nodes.nodes[0].offers(key, f"{film}/v240", 8)
        nodes.at += 2 * SECOND


async def test_a_loop_leaves_before_its_rights_end(db: Database, nodes: Nodes) -> None:
    work, film = await db.write(a_film, "Loop", 20)
    festival = await a_festival(db)
    await db.write(festivals.set_loop, START, festival, [work])
    ends = START + 2 * MINUTE
    await db.write(rights.state, START, work, WorkRights(ends=ends))
    nodes.at = START
    assert film in (await nodes.poll(f"f{festival}"))[0]
    while nodes.at < ends:
        nodes.at += 5 * SECOND
        for node in nodes.nodes:
            for watched in node._known.values():
                # Time passes for the tests' clock alone: look again as after half a minute.
                watched.checked = float("-inf")
        await nodes.poll(f"f{festival}")
    shown = nodes.nodes[0]._known[f"f{festival}"].timeline.runs(0, channels.us(ends), channels.us(ends + 30 * SECOND))
    assert not any(film in run.segments.prefix for run in shown)


async def test_what_is_over_is_forgotten(db: Database, nodes: Nodes) -> None:
    work, _ = await db.write(a_film, "Short", 20)
    festival = await a_festival(db)
    premiere = await a_premiere(db, festival, START, work)
    await nodes.poll(f"f{festival}")
    await nodes.nodes[0].told(f"s{premiere}", "v240")
    await nodes.nodes[0].told(f"s{premiere}~AT", "v240")
    late = START + timedelta(days=3)
    assert await db.write(channels.forget, START + MINUTE, START - timedelta(days=1)) == 0
    assert await db.write(channels.forget, late, late - timedelta(days=2)) == 2
    assert await db.write(channels.forget, late, late - timedelta(days=2)) == 0


async def test_a_slate_that_no_festival_has_any_more_is_removed_once_nobody_can_be_told_of_it(
    db: Database, nodes: Nodes
) -> None:
    festival = await a_festival(db)
    before = await db.read(festivals.by_id, festival)
    kept = {"body": filler([2_000_000] * 30), "leads": {}}
    await db.write(channels.add_slate, START, channels.design(before), "slates/old", kept)
    await db.write(festivals.update, START + MINUTE, festival, values={}, fields={"title": {"en": "New"}})
    assert await db.write(channels.drop_slates, START) == []
    assert await db.write(channels.drop_slates, START + timedelta(days=1)) == ["slates/old"]
    assert await db.write(channels.drop_slates, START + timedelta(days=1)) == []
    assert await db.read(channels.slate_folder, channels.design(None)) is not None
