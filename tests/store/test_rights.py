"""What may be done with works, and access codes of screenings, on both engines."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.core.rights import ANY, Cue, WorkRights
from showcase.errors import Conflict, NotFound
from showcase.store import codes, events, rights, screenings, works
from showcase.store.database import Database
from showcase.store.tables import access_codes
from tests.store.rows import DAY, NOW, a_work, sizes
from tests.store.test_programme import LOCAL, begun, shown

STATED = WorkRights(NOW, NOW + 30 * DAY, "except", frozenset({"US", "CA"}), frozenset({"premiere", "replay"}))
MUSIC = (Cue("Ebb", "Ada", "Sample Editions", live=True), Cue("Flow", replay=True))


async def test_nothing_stated_is_everything_allowed(db: Database) -> None:
    work = await db.write(a_work)
    assert await db.read(rights.of_works, [work.id, 999]) == {work.id: ANY, 999: ANY}
    assert await db.read(rights.of_works, []) == {}
    assert work.rights == ANY


async def test_what_is_stated_comes_back_with_the_work_in_lists_too(db: Database) -> None:
    work, other = await db.write(a_work), await db.write(a_work, "Other")
    await db.write(rights.state, NOW, work.id, STATED)
    await db.write(rights.set_cues, NOW, work.id, MUSIC)
    whole = WorkRights(STATED.starts, STATED.ends, STATED.mode, STATED.territories, STATED.uses, MUSIC)
    assert await db.read(rights.of_works, [work.id, other.id]) == {work.id: whole, other.id: ANY}
    assert (await db.read(works.work_by_id, work.id)).rights == whole
    assert {w.slug: w.rights for w in await db.read(works.listed, works.Filter(), 9)} == {
        work.slug: whole,
        other.slug: ANY,
    }


async def test_rights_and_music_do_not_touch_one_another(db: Database) -> None:
    work = await db.write(a_work)
    await db.write(rights.set_cues, NOW, work.id, MUSIC)
    await db.write(rights.state, NOW, work.id, STATED)
    await db.write(rights.state, NOW, work.id, ANY)
    assert (await db.read(rights.of_works, [work.id]))[work.id] == WorkRights(cues=MUSIC)
    assert "rights" not in await db.read(sizes)
    await db.write(rights.set_cues, NOW, work.id, MUSIC[1:])
    assert (await db.read(rights.of_works, [work.id]))[work.id].cues == MUSIC[1:]


async def test_whoever_keeps_the_work_is_told_and_only_of_changes(db: Database) -> None:
    work = await db.write(a_work)
    before = await db.read(events.newest_id)
    for _ in range(2):
        await db.write(rights.state, NOW, work.id, STATED)
        await db.write(rights.set_cues, NOW, work.id, MUSIC)
    told = await db.read(events.since, before)
    assert [(e.topic, dict(e.data)) for e in told] == [("work", {"id": work.id})] * 2


async def test_two_who_save_the_same_revision_do_not_both_win(db: Database) -> None:
    work = await db.write(a_work)
    await db.write(rights.state, NOW, work.id, STATED, work.rights.revision)
    with pytest.raises(Conflict, match="changed-meanwhile"):
        await db.write(rights.state, NOW, work.id, ANY, work.rights.revision)
    with pytest.raises(Conflict, match="changed-meanwhile"):
        await db.write(rights.set_cues, NOW, work.id, MUSIC, work.rights.revision)
    assert (await db.read(rights.of_works, [work.id]))[work.id] == STATED


async def test_they_go_with_the_work(db: Database) -> None:
    work = await db.write(a_work)
    await db.write(rights.state, NOW, work.id, STATED)
    await db.write(rights.set_cues, NOW, work.id, MUSIC)
    await db.write(works.delete, NOW, work.id)
    assert {"rights", "cues"} & set(await db.read(sizes)) == set()


async def closed(db: Database, title: str = "Jury") -> Any:
    return await shown(db, await begun(db, title=title), title, LOCAL, closed=True)


async def test_a_screening_may_be_closed(db: Database) -> None:
    made = await closed(db)
    assert made.closed
    await db.write(screenings.update, NOW, made.id, values={"closed": False}, fields={})
    assert not (await db.read(screenings.by_id, made.id)).closed


async def test_a_code_is_told_once_and_only_its_hash_is_kept(db: Database) -> None:
    screening = await closed(db)
    made, code = await db.write(codes.make, NOW, screening.id, "The jury", 2)
    assert re.fullmatch(r"[2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4}", code)
    assert made == codes.AccessCode(made.id, screening.id, "The jury", 0, 2, NOW, None)
    (kept,) = await db.read(lambda tx: tx.execute(sa.select(access_codes)).all())
    assert code not in str(kept)
    assert code.replace("-", "") not in str(kept)
    assert kept.code_hash == codes.digest(code)


async def test_a_code_is_known_however_it_is_typed_and_at_its_own_screening_alone(db: Database) -> None:
    screening, other = await closed(db), await closed(db, "Press")
    made, code = await db.write(codes.make, NOW, screening.id, "The jury")
    for typed in (code, code.upper(), code.replace("-", ""), f"  {code.replace('-', ' ')} "):
        assert await db.read(codes.given, screening.id, typed) == made
    for where, typed in ((other.id, code), (screening.id, code[:-1]), (screening.id, ""), (screening.id, "é\udc80")):
        with pytest.raises(NotFound):
            await db.read(codes.given, where, typed)


async def test_uses_are_counted_up_to_the_last(db: Database) -> None:
    screening = await closed(db)
    made, _ = await db.write(codes.make, NOW, screening.id, "The jury", 2)
    free, _ = await db.write(codes.make, NOW, screening.id, "The press")
    assert sorted(await asyncio.gather(*(db.write(codes.use, made.id) for _ in range(4)))) == [False, False, True, True]
    assert [await db.write(codes.use, free.id) for _ in range(3)] == [True] * 3
    listed = await db.read(codes.of_screening, screening.id)
    assert [(c.label, c.uses, c.good) for c in listed] == [("The jury", 2, False), ("The press", 3, True)]


async def test_a_code_that_is_revoked_opens_nothing(db: Database) -> None:
    screening, other = await closed(db), await closed(db, "Press")
    made, code = await db.write(codes.make, NOW, screening.id, "The jury")
    with pytest.raises(NotFound):
        await db.write(codes.revoke, NOW, other.id, made.id)
    for later in (timedelta(), DAY):
        await db.write(codes.revoke, NOW + later, screening.id, made.id)
    kept = await db.read(codes.given, screening.id, code)
    assert (kept.good, kept.revoked_at) == (False, NOW)
    assert not await db.write(codes.use, made.id)


async def test_codes_go_with_their_screening(db: Database) -> None:
    screening = await closed(db)
    await db.write(codes.make, NOW, screening.id, "The jury")
    await db.write(screenings.set_state, NOW, screening.id, "withdrawn", ("published",))
    await db.write(screenings.delete, NOW, screening.id)
    assert "access_codes" not in await db.read(sizes)
