"""Works: made, changed, listed page by page, shown, removed with all that hangs on them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.core.models import Asset, Credit, Rendition, Window, Work
from showcase.errors import Conflict, Invalid, NotFound
from showcase.store import assets, events, jobs, people, works
from showcase.store.database import Database
from showcase.store.tables import jobs as job_table
from showcase.store.works import Filter
from tests.store.rows import HOUR, NOW, SECOND, a_work, an_asset, begin, make_ready, person, seed, sizes

CREDITS = (
    Credit("Mara Lindqvist", "Direction", "york", "mara-lindqvist"),
    Credit("Orchestra of the Harbour", "Music"),
    Credit("Inês Prado", "Camera", "braga", None),
)


async def test_a_work_comes_back_as_it_was_made(db: Database) -> None:
    await db.write(seed)
    mara = await db.write(person)
    texts = {"title": {"ja": "潮位表", "fr": "Marées", "en": "Tide Tables"}, "statement": {"en": "About the sea."}}
    made = await db.write(
        works.create,
        NOW,
        mara.id,
        fields=texts,
        medium="360",
        in_cities=["york", "braga", "york"],
        year=2026,
        original_lang="ja",
        credit=CREDITS,
        link="https://example.org/tides",
        minimum_age=12,
    )
    assert made == Work(
        id=made.id,
        slug="tide-tables",
        state="draft",
        medium="360",
        year=2026,
        original_lang="ja",
        link="https://example.org/tides",
        minimum_age=12,
        levelled=False,
        spherical=False,
        window=None,
        poster=None,
        made_by=mara.id,
        revision=1,
        created_at=NOW,
        updated_at=NOW,
        published_at=None,
        texts=texts,
        cities=("york", "braga"),
        authors=frozenset({mara.id}),
        credits=CREDITS,
        assets=(),
    )
    assert await db.read(works.work, "tide-tables") == made
    assert await db.read(works.work_by_id, made.id) == made
    assert (await db.read(works.listed, Filter(), 10)) == [made]


async def test_a_work_that_does_not_exist_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound):
        await db.read(works.work, "nothing")
    with pytest.raises(NotFound):
        await db.read(works.work_by_id, 4711)


async def test_unknown_cities_and_people_are_refused_and_nothing_is_made(db: Database) -> None:
    await db.write(seed)
    before = await db.read(sizes)
    with pytest.raises(Invalid) as refused:
        await db.write(a_work, in_cities=["york", "atlantis", "el-dorado"])
    assert (refused.value.code, refused.value.fields, refused.value.params) == (
        "no-such-city",
        {"cities": "no-such-city"},
        {"city": "atlantis, el-dorado"},
    )
    with pytest.raises(Invalid) as refused:
        await db.write(a_work, credit=[Credit("A", "B"), Credit("C", "D", None, "nobody")])
    assert refused.value.fields == {"credits.1.person": "no-such-person"}
    with pytest.raises(Invalid) as refused:
        await db.write(a_work, credit=[Credit("A", "B", "atlantis")])
    assert refused.value.fields == {"credits.0.city": "no-such-city"}
    assert await db.read(sizes) == before


async def test_addresses_of_works_are_unique_ascii_for_every_script(db: Database) -> None:
    titles = [
        "Été à Košice",
        "ete a kosice!",
        "札幌の冬",
        "حكاية",
        "Тишина",
        "100%_real",
        "100-real",
        "search",
        "x" * 300,
    ]
    slugs = [(await db.write(a_work, title)).slug for title in titles]
    assert slugs == [
        "ete-a-kosice",
        "ete-a-kosice-2",
        "work",
        "work-2",
        "work-3",
        "100-real",
        "100-real-2",
        "work-4",
        "x" * 80,
    ]
    assert all(s.isascii() for s in slugs)
    untitled = await db.write(works.create, NOW, None, fields={}, medium="web", in_cities=[])
    assert untitled.slug == "work-5"


async def test_many_works_of_one_title_at_once_have_addresses_of_their_own(db: Database) -> None:
    made = await asyncio.gather(*(db.write(a_work, "Untitled") for _ in range(25)))
    assert sorted(w.slug for w in made) == sorted(["untitled", *(f"untitled-{n}" for n in range(2, 26))])


async def test_only_what_is_given_changes(db: Database) -> None:
    await db.write(seed)
    mara = await db.write(person)
    made = await db.write(a_work, author=mara.id, in_cities=["york"], credit=CREDITS)
    await db.write(
        works.update, NOW + HOUR, made.id, values={"year": 2025, "levelled": True}, fields={"title": {"fr": "Marées"}}
    )
    expected = replace(
        made,
        year=2025,
        levelled=True,
        revision=2,
        updated_at=NOW + HOUR,
        texts={"title": {"en": "Tide Tables", "fr": "Marées"}},
    )
    assert await db.read(works.work_by_id, made.id) == expected
    await db.write(
        works.update, NOW + HOUR, made.id, values={}, fields={}, in_cities=["braga", "york"], credit=CREDITS[1:]
    )
    expected = replace(expected, revision=3, cities=("braga", "york"), credits=CREDITS[1:])
    assert await db.read(works.work_by_id, made.id) == expected


async def test_who_saves_over_somebody_elses_change_is_told(db: Database) -> None:
    made = await db.write(a_work)

    def save(title: str, revision: int) -> Any:
        return db.write(works.update, NOW, made.id, values={}, fields={"title": {"en": title}}, revision=revision)

    ended = await asyncio.gather(*(save(f"Title {n}", 1) for n in range(8)), return_exceptions=True)
    assert [str(e) for e in ended if e is not None] == ["changed-meanwhile"] * 7
    winner = ended.index(None)
    now = await db.read(works.work_by_id, made.id)
    assert (now.revision, now.texts) == (2, {"title": {"en": f"Title {winner}"}})
    await save("Last", 2)
    with pytest.raises(NotFound):
        await db.write(works.update, NOW, 4711, values={"year": 1}, fields={})


async def test_states_follow_each_other_and_the_first_publication_counts(db: Database) -> None:
    made = await db.write(a_work)
    await db.write(works.set_state, NOW, made.id, "submitted", ["draft"])
    with pytest.raises(Conflict, match="wrong-state"):
        await db.write(works.set_state, NOW, made.id, "published", ["draft", "accepted"])
    await db.write(works.set_state, NOW, made.id, "accepted", ["submitted"])
    await db.write(works.set_state, NOW + HOUR, made.id, "published", ["accepted"])
    await db.write(works.set_state, NOW + 2 * HOUR, made.id, "withdrawn", ["published"])
    await db.write(works.set_state, NOW + 3 * HOUR, made.id, "published", ["withdrawn"])
    assert await db.read(works.work_by_id, made.id) == replace(
        made, state="published", published_at=NOW + HOUR, updated_at=NOW + 3 * HOUR
    )
    with pytest.raises(Conflict, match="wrong-state"):
        await db.write(works.set_state, NOW, 4711, "published", ["accepted"])


async def test_a_window_may_be_open_at_both_ends_or_not_be_there(db: Database) -> None:
    made = await db.write(a_work)
    for window in (Window(None, None), Window(NOW, None), Window(NOW, NOW + HOUR), None):
        await db.write(works.set_window, NOW, made.id, window)
        assert (await db.read(works.work_by_id, made.id)).window == window


async def test_a_poster_is_kept_and_taken_away(db: Database) -> None:
    made = await db.write(a_work)
    for poster in ({"asset": "a1", "files": [{"name": "640.avif"}], "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI"}, None):
        await db.write(works.set_poster, NOW, made.id, poster)
        assert (await db.read(works.work_by_id, made.id)).poster == poster


async def test_authors_come_and_go_but_one_stays(db: Database) -> None:
    mara, ines = await db.write(person), await db.write(person, "Inês")
    made = await db.write(a_work, author=mara.id)
    await asyncio.gather(*(db.write(works.add_author, NOW, made.id, ines.id) for _ in range(4)))
    assert (await db.read(works.work_by_id, made.id)).authors == {mara.id, ines.id}
    # Both take the other one off at the same moment.
    ended = await asyncio.gather(
        *(db.write(works.remove_author, NOW, made.id, p.id) for p in (mara, ines)), return_exceptions=True
    )
    assert sorted(str(e) for e in ended) == ["None", "last-author"]
    assert len((await db.read(works.work_by_id, made.id)).authors) == 1


async def fill(db: Database, count: int) -> list[Work]:
    """Works with many equal times among them, some published."""
    await db.write(seed)
    chance = random.Random(7)

    def make(tx: sa.Connection) -> None:
        for n in range(count):
            at = NOW + chance.randrange(5) * SECOND
            made = a_work(tx, f"Work {n}", at=at, year=2020 + n % 3, in_cities=["york", "braga"][n % 2 :][:1])
            if n % 3:
                works.set_state(tx, NOW + chance.randrange(4) * SECOND, made.id, "published", ["draft"])

    await db.write(make)
    everything = await db.read(works.listed, Filter(), 10_000)
    return sorted(everything, key=lambda w: (w.published_at or w.created_at, w.id), reverse=True)


@pytest.mark.parametrize("limit", [1, 7, 60])
async def test_pages_follow_each_other_without_gaps_or_doubles(db: Database, limit: int) -> None:
    expected = await fill(db, 60)
    for which in (Filter(), Filter(states=("published",)), Filter(city="york", year=2021)):
        met: list[Work] = []
        while page := await db.read(works.listed, which, limit, met[-1].id if met else None):
            assert len(page) <= limit
            met += page
        wanted = [
            w
            for w in expected
            if (not which.states or w.state in which.states)
            and (which.city is None or which.city in w.cities)
            and (which.year is None or w.year == which.year)
        ]
        assert met == wanted
        assert await db.read(works.count, which) == len(wanted)


async def test_a_work_that_is_new_while_somebody_turns_pages_doubles_nothing(db: Database) -> None:
    expected = await fill(db, 20)
    first = await db.read(works.listed, Filter(), 10)
    await db.write(a_work, "Newest", at=NOW + HOUR)
    second = await db.read(works.listed, Filter(), 10, first[-1].id)
    assert first + second == expected


async def test_every_filter_means_its_works_and_filters_add_up(db: Database) -> None:
    await db.write(seed)
    mara, ines = await db.write(person, "Mara"), await db.write(person, "Inês")

    def make(tx: sa.Connection) -> None:
        a_work(tx, "One", author=mara.id, medium="video", year=2024, in_cities=["york", "braga"])
        a_work(
            tx,
            "Two",
            author=mara.id,
            medium="audio",
            year=2025,
            in_cities=["york"],
            credit=[Credit("I", "x", None, "ines")],
        )
        three = a_work(tx, "Three", author=ines.id, medium="video", year=2025, in_cities=["linz"])
        a_work(tx, "Four", medium="web", year=None)
        works.add_author(tx, NOW, three.id, mara.id)
        works.set_state(tx, NOW - HOUR, three.id, "published", ["draft"])

    await db.write(make)
    cases: dict[Filter, list[str]] = {
        Filter(): ["four", "two", "one", "three"],
        Filter(states=("published",)): ["three"],
        Filter(states=("draft", "published")): ["four", "two", "one", "three"],
        Filter(states=("withdrawn",)): [],
        Filter(city="york"): ["two", "one"],
        Filter(city="atlantis"): [],
        Filter(cities=frozenset({"braga", "linz"})): ["one", "three"],
        Filter(cities=frozenset()): [],
        Filter(year=2025): ["two", "three"],
        Filter(medium="video"): ["one", "three"],
        Filter(author=mara.id): ["two", "one", "three"],
        Filter(author=ines.id): ["three"],
        Filter(person=ines.id): ["two"],
        Filter(city="york", medium="video", year=2024, author=mara.id): ["one"],
        Filter(city="york", medium="web"): [],
    }
    for which, slugs in cases.items():
        assert [w.slug for w in await db.read(works.listed, which, 10)] == slugs, which
        assert await db.read(works.count, which) == len(slugs), which


async def test_years_and_cities_count_published_works_only(db: Database) -> None:
    await fill(db, 12)
    published = await db.read(works.listed, Filter(states=("published",)), 100)
    assert await db.read(works.years) == sorted({w.year for w in published if w.year}, reverse=True)
    assert await db.read(works.counts_by_city) == {
        c: len([w for w in published if w.cities == (c,)]) for c in ("york", "braga")
    }


async def test_a_list_shows_files_without_their_segments(db: Database) -> None:
    made = await db.write(a_work)
    film = await db.write(an_asset, made.id)
    await db.write(make_ready, film.id)
    whole = await db.read(works.work_by_id, made.id)
    assert [len(a.renditions) for a in whole.assets] == [2]
    assert await db.read(works.listed, Filter(), 10) == [
        replace(whole, assets=tuple(replace(a, renditions=without(a)) for a in whole.assets))
    ]
    assert [a.playable for w in await db.read(works.listed, Filter(), 10) for a in w.assets] == [True]


def without(asset: Asset) -> tuple[Rendition, ...]:
    return tuple(replace(r, durations_us=()) for r in asset.renditions)


async def test_what_became_public_meanwhile_is_not_removed(db: Database) -> None:
    made = await db.write(a_work)
    await db.write(works.set_state, NOW, made.id, "published", ["draft"])
    with pytest.raises(Conflict, match="wrong-state"):
        await db.write(works.delete, NOW, made.id, ("draft", "withdrawn"))
    assert (await db.read(works.work_by_id, made.id)).state == "published"


async def test_a_removed_work_leaves_no_rows_and_its_bytes_to_a_worker(db: Database) -> None:
    await db.write(seed)
    mara = await db.write(person)
    other = await db.write(a_work, "Other", author=mara.id, in_cities=["york"])
    kept_film = await db.write(an_asset, other.id)
    kept_upload = await db.write(begin, mara.id, other.id)
    before, kept = await db.read(sizes), await db.read(works.work_by_id, other.id)

    made = await db.write(a_work, author=mara.id, in_cities=["york", "braga"], credit=CREDITS)
    ready, waiting, running = [await db.write(an_asset, made.id) for _ in range(3)]
    await db.write(make_ready, ready.id)
    finished, unfinished = await db.write(begin, mara.id, made.id), await db.write(begin, mara.id, made.id)
    await db.write(assets.finish_upload, NOW, finished, timedelta(days=1))

    def started(tx: sa.Connection) -> None:
        tx.execute(
            job_table.update()
            .where(job_table.c.subject.in_([ready.id, running.id]))
            .values(state=sa.case((job_table.c.subject == ready.id, "done"), else_="running"))
        )

    await db.write(started)

    await db.write(works.delete, NOW, made.id)
    after = dict(await db.read(sizes))
    ignored = ("events", "jobs")
    assert {k: n for k, n in after.items() if k not in ignored} == {k: n for k, n in before.items() if k not in ignored}

    def jobs_by_subject(tx: sa.Connection) -> set[tuple[str, str, str]]:
        return {tuple(r) for r in tx.execute(sa.select(job_table.c.kind, job_table.c.subject, job_table.c.state))}

    assert await db.read(jobs_by_subject) == {
        ("process", kept_film.id, "queued"),
        ("process", ready.id, "done"),
        ("process", waiting.id, "cancelled"),
        ("process", running.id, "cancelling"),
        ("process", finished, "cancelled"),
        *(("remove-files", id, "queued") for id in (ready.id, waiting.id, running.id, finished, unfinished)),
    }
    assert await db.read(works.work_by_id, other.id) == kept
    assert [u.id for u in await db.read(assets.uploads_of, other.id)] == [kept_upload]
    assert (await db.read(events.since, 0))[-1].data == {"id": made.id}
    # Twice is fine.
    await db.write(works.delete, NOW, made.id)


async def test_a_removed_number_is_told_as_gone(db: Database) -> None:
    made = await db.write(a_work)
    film = await db.write(an_asset, made.id)
    await db.write(works.delete, NOW, made.id)
    for call in (works.work_by_id, assets.asset):
        with pytest.raises(NotFound):
            await db.read(call, made.id if call is works.work_by_id else film.id)  # type: ignore[arg-type]


async def test_a_credited_person_keeps_the_address_of_their_page(db: Database) -> None:
    mara = await db.write(person)
    made = await db.write(a_work, credit=[Credit("M. L.", "Direction", None, mara.slug)])
    await db.write(people.rename, NOW, mara.id, "Mara Berg", "en")
    assert (await db.read(works.work_by_id, made.id)).credits == (Credit("M. L.", "Direction", None, "mara-lindqvist"),)


async def test_what_changes_about_a_work_is_told(db: Database) -> None:
    made = await db.write(a_work)
    film = await db.write(an_asset, made.id)
    mara = await db.write(person)
    last = await db.read(events.newest_id)
    changes: list[Callable[[sa.Connection], None]] = [
        lambda tx: works.update(tx, NOW, made.id, values={}, fields={"title": {"en": "New"}}),
        lambda tx: works.set_state(tx, NOW, made.id, "submitted", ["draft"]),
        lambda tx: works.set_window(tx, NOW, made.id, None),
        lambda tx: works.set_poster(tx, NOW, made.id, None),
        lambda tx: works.add_author(tx, NOW, made.id, mara.id),
        lambda tx: assets.report(tx, NOW, film.id, progress=0.5),
    ]
    for change in changes:
        await db.write(change)
    assert [(e.topic, e.data) for e in await db.read(events.since, last)] == [
        ("work", {"id": made.id}),
        ("work", {"id": made.id, "state": "submitted"}),
        *[("work", {"id": made.id})] * 3,
        ("asset", {"asset": film.id, "work": made.id}),
    ]
    assert await db.read(jobs.counts) == {"queued": 1}
