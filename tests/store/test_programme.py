"""Festivals and screenings in the store, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.core.models import Billed, Credit
from showcase.errors import Conflict, Invalid, NotFound
from showcase.store import cities, events, festivals, people, screenings, works
from showcase.store.database import Database
from showcase.store.tables import screenings as rows
from tests.statements import statements
from tests.store.rows import NOW, a_work, an_asset, make_ready, person

DAY = timedelta(days=1)
LOCAL = datetime(2026, 11, 25, 20)


async def begun(db: Database, **given: Any) -> int:
    """A public festival of Linz; returns its number."""
    await db.write(cities.seed, NOW)
    made = await db.write(
        festivals.create, NOW, fields={"title": {"en": given.get("title", "Ars")}}, city="linz", zone="Europe/Vienna",
        starts_on=date(2026, 11, 20), ends_on=date(2026, 11, 30),
    )  # fmt: skip
    await db.write(festivals.set_state, NOW, made.id, "published")
    return made.id


async def shown(
    db: Database, festival: int, title: str, starts: datetime, hours: float = 1, *, public: bool = True, **given: Any
) -> Any:
    made = await db.write(
        screenings.create, NOW, None, festival=festival, zone="Europe/Vienna", kind="on_demand", starts_local=starts,
        ends_local=starts + timedelta(hours=hours), fields={"title": {"en": title}}, **given,
    )  # fmt: skip
    if public:
        await db.write(screenings.set_state, NOW, made.id, "published", ("draft",))
    return await db.read(screenings.by_id, made.id)


async def test_a_screening_keeps_its_clock_and_its_works_in_order(db: Database) -> None:
    festival = await begun(db)
    first, second = await db.write(a_work, "One"), await db.write(a_work, "Two")
    film = await db.write(an_asset, second.id)
    await db.write(make_ready, film.id)
    made = await shown(db, festival, "Tides", LOCAL, shown=[(second.id, film.id, 0), (first.id, None, 90)])
    assert (made.starts_local, made.starts.isoformat(), made.zone) == (
        LOCAL,
        "2026-11-25T19:00:00+00:00",
        "Europe/Vienna",
    )
    assert [(s.work_slug, s.version) for s in made.slots] == [(second.slug, film.id), (first.slug, None)]
    assert (made.festival_slug, made.city, made.host_cities, made.public) == ("ars", "linz", frozenset({"linz"}), True)
    with pytest.raises(Invalid):
        await db.write(screenings.update, NOW, made.id, values={}, fields={}, shown=[(first.id, film.id, 0)])


async def test_a_screening_is_known_by_its_number_alone(db: Database) -> None:
    made = await shown(db, await begun(db), "Tides", LOCAL)
    assert await db.read(screenings.number, "tides") == made.id
    with pytest.raises(NotFound):
        await db.read(screenings.number, "ebbs")


async def test_a_day_shows_what_touches_it_and_is_public(db: Database) -> None:
    festival = await begun(db)
    draft = await db.write(
        festivals.create,
        NOW,
        fields={"title": {"en": "Later"}},
        city=None,
        zone="UTC",
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 11, 2),
    )
    await shown(db, festival, "before", LOCAL - DAY)
    await shown(db, festival, "over midnight", LOCAL - timedelta(hours=21), 3)
    await shown(db, festival, "on the day", LOCAL)
    await shown(db, festival, "draft", LOCAL, public=False)
    await shown(db, draft.id, "of a draft", LOCAL)
    await shown(db, festival, "after", LOCAL + DAY)
    start = datetime.fromisoformat("2026-11-25T00:00:00+00:00")
    found = await db.read(screenings.between, start, start + DAY)
    assert [s.text("title", "en") for s in found] == ["over midnight", "on the day"]
    coming = await db.read(screenings.after, start + timedelta(hours=12), 2)
    assert [s.text("title", "en") for s in coming] == ["on the day", "after"]


async def test_a_co_host_has_it_in_its_programme_and_its_staff_may_work_on_it(db: Database) -> None:
    festival = await begun(db)
    beside = await db.write(
        festivals.create,
        NOW,
        fields={"title": {"en": "GMAF"}},
        city="gwangju",
        zone="Asia/Seoul",
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 12, 1),
    )
    made = await shown(db, festival, "Shared", LOCAL, hosts=[beside.id, festival])
    assert (made.hosts, made.host_cities) == (("gmaf",), frozenset({"linz", "gwangju"}))
    assert [s.id for s in await db.read(screenings.of_festival, beside.id, public=True)] == [made.id]


async def test_two_who_save_the_same_revision_do_not_both_win(db: Database) -> None:
    made = await shown(db, await begun(db), "Tides", LOCAL)
    await db.write(screenings.update, NOW, made.id, values={}, fields={"title": {"en": "A"}}, revision=made.revision)
    with pytest.raises(Conflict, match="changed-meanwhile"):
        await db.write(
            screenings.update, NOW, made.id, values={}, fields={"title": {"en": "B"}}, revision=made.revision
        )


async def test_a_rule_that_changes_moves_the_moment_and_not_the_clock(db: Database) -> None:
    made = await shown(db, await begun(db), "Tides", LOCAL + 2 * DAY)
    wrong = made.starts - timedelta(hours=1)
    await db.write(lambda tx: tx.execute(rows.update().where(rows.c.id == made.id).values(starts_at=wrong)))
    assert await db.write(screenings.moved, NOW + DAY) == 1
    told = replace(made, revision=made.revision + 1, updated_at=NOW + DAY)
    assert await db.read(screenings.by_id, made.id) == told
    assert await db.write(screenings.moved, NOW) == 0


async def test_a_festival_that_changes_its_zone_takes_along_what_it_hosts(db: Database) -> None:
    festival, beside = await begun(db), await begun(db, title="Beside")
    over = await shown(db, festival, "Over", datetime(2026, 7, 1, 20), public=False)
    coming = await shown(db, festival, "Coming", LOCAL, hosts=[beside])
    guest = await shown(db, beside, "Guest", LOCAL, hosts=[festival])
    last = await db.read(events.newest_id)
    change = {"zone": "Asia/Seoul"}
    with pytest.raises(Conflict, match="changed-meanwhile"):
        await db.write(festivals.update, NOW, festival, values=change, fields={}, revision=4711)
    assert (await db.read(screenings.by_id, coming.id), await db.read(events.since, last)) == (coming, [])

    await db.write(festivals.update, NOW + DAY, festival, values=change, fields={})
    assert [await db.read(screenings.by_id, s.id) for s in (over, coming, guest)] == [
        replace(
            over,
            zone="Asia/Seoul",
            starts=datetime(2026, 7, 1, 11, tzinfo=UTC),
            ends=datetime(2026, 7, 1, 12, tzinfo=UTC),
            revision=over.revision + 1,
            updated_at=NOW + DAY,
        ),
        replace(
            coming,
            zone="Asia/Seoul",
            starts=datetime(2026, 11, 25, 11, tzinfo=UTC),
            ends=datetime(2026, 11, 25, 12, tzinfo=UTC),
            revision=coming.revision + 1,
            updated_at=NOW + DAY,
        ),
        guest,
    ]
    told = [(e.topic, e.data) for e in await db.read(events.since, last)]
    assert told == [("screening", {"id": over.id}), ("screening", {"id": coming.id}), ("festival", {"id": festival})]


async def test_what_changes_beside_the_zone_moves_no_screening(db: Database) -> None:
    festival = await begun(db)
    made = await shown(db, festival, "Tides", LOCAL)
    values = {"zone": "Europe/Vienna", "ends_on": date(2026, 12, 1)}
    await db.write(festivals.update, NOW + DAY, festival, values=values, fields={"title": {"en": "Ars"}})
    assert await db.read(screenings.by_id, made.id) == made


async def test_the_revision_rises_with_each_change_that_a_calendar_should_notice(db: Database) -> None:
    made = await shown(db, await begun(db), "Tides", LOCAL, public=False)
    found = [made.revision]
    for state in ("published", "published", "withdrawn", "published"):
        await db.write(screenings.set_state, NOW, made.id, state, ("draft", "published", "withdrawn"))
        found.append((await db.read(screenings.by_id, made.id)).revision)
    await db.write(screenings.update, NOW, made.id, values={}, fields={"title": {"en": "Ebb"}})
    found.append((await db.read(screenings.by_id, made.id)).revision)
    # Publishing what is public already changes nothing.
    assert found == [1, 2, 2, 3, 4, 5]


async def test_what_was_withdrawn_is_told_to_those_who_ask_for_it_and_drafts_to_nobody(db: Database) -> None:
    festival = await begun(db)
    made = await shown(db, festival, "Tides", LOCAL)
    await shown(db, festival, "Draft", LOCAL, public=False)
    await db.write(screenings.set_state, NOW, made.id, "withdrawn", ("published",))
    window = (made.starts - DAY, made.starts + DAY)
    found = {
        told: (
            [s.id for s in await db.read(screenings.between, *window, withdrawn=told)],
            [s.id for s in await db.read(screenings.of_festival, festival, public=True, withdrawn=told)],
        )
        for told in (False, True)
    }
    assert found == {False: ([], []), True: ([made.id], [made.id])}
    await db.write(festivals.set_state, NOW, festival, "draft")
    assert await db.read(screenings.between, *window, withdrawn=True) == []


async def test_what_is_public_is_withdrawn_before_it_is_removed(db: Database) -> None:
    made = await shown(db, await begun(db), "Tides", LOCAL)
    with pytest.raises(Conflict, match="wrong-state"):
        await db.write(screenings.delete, NOW, made.id)
    await db.write(screenings.set_state, NOW, made.id, "withdrawn", ("published",))
    await db.write(screenings.delete, NOW, made.id)
    with pytest.raises(NotFound):
        await db.read(screenings.by_id, made.id)
    assert await db.read(lambda tx: tx.scalar(sa.text("SELECT count(*) FROM texts WHERE entity = 'screening'"))) == 0


async def test_screenings_are_told_of_when_a_work_of_theirs_is_removed(db: Database) -> None:
    festival = await begun(db)
    gone, kept = await db.write(a_work, "Gone"), await db.write(a_work, "Kept")
    slots: list[screenings.Shown] = [(gone.id, None, 0), (kept.id, None, 0), (gone.id, None, 0)]
    both = await shown(db, festival, "Both", LOCAL, shown=slots)
    alone = await shown(db, festival, "Alone", LOCAL, public=False, shown=slots[:1])
    await shown(db, festival, "Without", LOCAL, shown=slots[1:2])
    last = await db.read(events.newest_id)
    await db.write(works.delete, NOW, gone.id)
    told = [e.data["id"] for e in await db.read(events.since, last) if e.topic == "screening"]
    assert told == [both.id, alone.id]
    assert [s.work for s in (await db.read(screenings.by_id, both.id)).slots] == [kept.id]


async def test_many_works_and_festivals_cost_as_many_statements_as_few(db: Database) -> None:
    await begun(db)
    hosts = [await begun(db, title=f"Ars {n}") for n in range(4)]
    made = [await db.write(a_work, f"Work {n}") for n in range(20)]
    for work in made:
        film = await db.write(an_asset, work.id)
        await db.write(make_ready, film.id)
    costs = []
    for number in (2, 20):
        with statements() as asked:
            found = await db.read(works.by_ids, [w.id for w in made[:number]] + [4711])
        costs.append(len(asked))
        assert {id: (w.slug, w.assets[0].playable) for id, w in found.items()} == {
            w.id: (w.slug, True) for w in made[:number]
        }
    assert costs[0] == costs[1] < 12
    with statements() as few:
        assert list(await db.read(festivals.by_ids, hosts[:1])) == hosts[:1]
    with statements() as many:
        assert sorted(await db.read(festivals.by_ids, [*hosts, 4711])) == hosts
    assert len(few) == len(many)
    assert (await db.read(works.by_ids, []), await db.read(festivals.by_ids, [])) == ({}, {})


async def test_addresses_of_festivals_are_taken_once(db: Database) -> None:
    await begun(db)
    again = {
        "fields": {"title": {"en": "Ars"}},
        "city": "linz",
        "zone": "UTC",
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2026, 1, 2),
    }
    assert (await db.write(festivals.create, NOW, **again)).slug == "ars-2"
    with pytest.raises(Conflict, match="festival-exists"):
        await db.write(festivals.create, NOW, **again, slug="ars")


async def test_a_guide_asks_by_kind_and_for_the_first_showing_of_each_work(db: Database) -> None:
    festival = await begun(db)
    old, new, unseen = [await db.write(a_work, title) for title in ("Old", "New", "Unseen")]
    draft = await shown(db, festival, "Draft", LOCAL - 3 * DAY, public=False, shown=[(new.id, None, 0)])
    earlier = await shown(db, festival, "Earlier", LOCAL - DAY, shown=[(old.id, None, 0)])
    opening = await shown(db, festival, "Opening", LOCAL, shown=[(old.id, None, 0), (new.id, None, 0)])
    later = await shown(db, festival, "Talk", LOCAL + DAY, shown=[(old.id, None, 0)])
    for id, kind in ((draft.id, "premiere"), (opening.id, "premiere"), (later.id, "live")):
        await db.write(lambda tx, id=id, kind=kind: tx.execute(rows.update().where(rows.c.id == id).values(kind=kind)))
    window = (LOCAL.astimezone() - 9 * DAY, LOCAL.astimezone() + 9 * DAY)
    found = await db.read(screenings.between, *window, kinds=("premiere", "live"))
    assert [s.text("title", "en") for s in found] == ["Opening", "Talk"]
    firsts = await db.read(screenings.first_shown, {old.id, new.id, unseen.id})
    assert firsts == {old.id: earlier.starts, new.id: opening.starts}
    assert await db.read(screenings.slugs_public, 2) == ["talk", "opening"]


async def test_a_programme_names_works_with_their_credits_and_no_private_ones(db: Database) -> None:
    ada = await db.write(person, "Ada")
    credit = [Credit("Ada", "artist", None, ada.slug), Credit("Bo", "music")]
    made = [await db.write(a_work, title, credit=credit) for title in ("Public", "Accepted", "Draft", "Gone")]
    for work, states in zip(made, (("published",), ("accepted",), (), ("published", "withdrawn")), strict=True):
        for state in states:
            await db.write(works.set_state, NOW, work.id, state, ("draft", "published"))
    found = await db.read(works.billed, [w.id for w in made])
    assert found == {
        w.id: Billed(w.id, w.slug, state, 2026, None, {"en": title}, tuple(credit))
        for w, title, state in zip(made, ("Public", "Accepted"), ("published", "accepted"), strict=False)
    }
    assert await db.read(works.billed, []) == {}
    assert await db.read(people.slugs_public, 5) == [ada.slug]
    await db.write(people.set_disabled, NOW, ada.id, disabled=True)
    assert await db.read(people.slugs_public, 5) == []


@pytest.mark.parametrize(
    ("minutes", "power"), [(0, 0), (60, 0), (61, 1), (120, 1), (121, 2), (24 * 60, 5), (10**9, 15)]
)
def test_a_span_is_the_power_of_two_hours_that_a_length_fits_in(minutes: int, power: int) -> None:
    assert screenings.span(timedelta(minutes=minutes)) == power


async def test_what_touches_a_stretch_of_time_is_found_however_long_it_lasts(db: Database) -> None:
    festival = await begun(db)
    names = {}
    for name, before, length in (
        ("minute", timedelta(minutes=1), timedelta(minutes=2)),
        ("hours", timedelta(hours=5), timedelta(hours=6)),
        ("weeks", timedelta(days=20), timedelta(days=21)),
        ("years", timedelta(days=900), timedelta(days=1000)),
        ("over", timedelta(hours=3), timedelta(hours=3)),
        ("later", -timedelta(hours=2), timedelta(hours=1)),
        ("long over", timedelta(days=300), timedelta(days=299)),
    ):
        made = await shown(db, festival, name.title(), LOCAL - before, length / timedelta(hours=1))
        names[made.id] = name
    at = (await shown(db, festival, "Now", LOCAL)).starts
    found = await db.read(screenings.between, at, at + timedelta(hours=1))
    assert {names.get(s.id, "now") for s in found} == {"minute", "hours", "weeks", "years", "now"}


async def test_the_network_shows_the_loops_of_the_festivals_that_are_on_in_turn(db: Database) -> None:
    numbers = [(await db.write(a_work, f"{n}")).id for n in range(5)]
    linz = await begun(db)
    seoul = await db.write(
        festivals.create, NOW, fields={"title": {"en": "Far"}}, city="gwangju", zone="Asia/Seoul",
        starts_on=date(2026, 11, 26), ends_on=date(2026, 11, 27),
    )  # fmt: skip
    await db.write(festivals.set_state, NOW, seoul.id, "published")
    await db.write(festivals.set_loop, NOW, linz, numbers[:3])
    await db.write(festivals.set_loop, NOW, seoul.id, [numbers[3], numbers[0], numbers[4]])

    async def at(*moment: int) -> list[int]:
        found: list[int] = await db.read(festivals.looped_by_all, datetime(2026, 11, *moment, tzinfo=UTC))
        return found

    a, b, c, d, e = numbers
    # It is the 26th in Gwangju from 15:00 on, and the 28th as early.
    assert await at(25, 14, 59) == [a, b, c]
    assert await at(25, 15) == [a, d, b, c, e]
    assert await at(27, 14, 59) == [a, d, b, c, e]
    assert await at(27, 15) == [a, b, c]
    await db.write(festivals.set_state, NOW, linz, "draft")
    assert await at(26, 12) == [d, a, e]
