"""Files of works: uploads that become versions, what is taken, what a person keeps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from showcase.core.models import Asset
from showcase.errors import Conflict, NotFound, TooLarge, Unavailable
from showcase.store import assets, jobs, works
from showcase.store.assets import Upload
from showcase.store.database import Database
from tests.store.rows import (
    DAY,
    HOUR,
    NOW,
    SECOND,
    a_rendition,
    a_work,
    an_asset,
    begin,
    make_ready,
    person,
    sizes,
)


async def taken(db: Database, work: int, role: str = "work", lang: str = "") -> list[int]:
    """The versions that are taken."""
    found = (await db.read(works.work_by_id, work)).assets
    return [a.version for a in found if a.role == role and a.lang == lang and a.taken]


async def ready(db: Database, work: int, **given: Any) -> Asset:
    made = await db.write(an_asset, work, **given)
    await db.write(make_ready, made.id)
    return await db.read(assets.asset, made.id)


async def test_a_file_is_queued_with_its_job(db: Database) -> None:
    mara = await db.write(person)
    work = await db.write(a_work)
    made = await db.write(an_asset, work.id, person=mara.id, size=6 << 30, filename="潮位表.mov")
    assert made == Asset(
        id=made.id,
        work=work.id,
        role="work",
        lang="",
        label="",
        version=1,
        taken=False,
        filename="潮位表.mov",
        size=6 << 30,
        sha256=None,
        state="queued",
        stage="queued",
        progress=0.0,
        error=None,
        duration_us=None,
        details={},
        made_by=mara.id,
        created_at=NOW,
        renditions=(),
    )
    assert await db.read(assets.asset, made.id) == made
    job = await db.write(jobs.claim, NOW, "w1")
    assert job is not None
    assert (job.kind, job.subject) == ("process", made.id)


async def test_captions_are_a_kind_of_their_own_so_that_they_wait_behind_no_film(db: Database) -> None:
    work = await db.write(a_work)
    await db.write(an_asset, work.id)
    captions = await db.write(an_asset, work.id, role="captions", lang="fr")
    job = await db.write(jobs.claim, NOW, "w1", ["captions", "mail"])
    assert job is not None
    assert (job.kind, job.subject) == ("captions", captions.id)


async def test_whatever_is_being_made_of_a_file_is_stopped(db: Database) -> None:
    work = await db.write(a_work)
    made = await db.write(an_asset, work.id)
    other = await db.write(an_asset, work.id)
    for kind in ("ladder", "captions", "level", "poster", "old-sounds", "remove-files"):
        await db.write(jobs.enqueue, NOW, kind, made.id)
    assert await db.write(assets.cancel, NOW, made.id) is False
    assert await db.read(jobs.counts) == {"cancelled": 6, "queued": 2}
    kept = [await db.write(jobs.claim, NOW, "w1") for _ in range(2)]
    assert [(j.kind, j.subject) for j in kept if j] == [("process", other.id), ("remove-files", made.id)]


async def test_who_stops_a_file_learns_whether_a_worker_is_at_it(db: Database) -> None:
    work = await db.write(a_work)
    made = await db.write(an_asset, work.id)
    await db.write(jobs.enqueue, NOW, "poster", made.id)
    await db.write(jobs.claim, NOW, "w1", ["poster"])
    assert await db.write(assets.cancel, NOW, made.id) is False  # a poster is not the file itself
    await db.write(assets.climb, NOW, made.id)
    await db.write(jobs.claim, NOW, "w1", ["ladder"])
    assert await db.write(assets.cancel, NOW, made.id) is True


async def test_higher_qualities_come_after_whatever_is_not_playable_yet(db: Database) -> None:
    work = await db.write(a_work)
    await db.write(assets.climb, NOW, "early")
    late = await db.write(an_asset, work.id, at=NOW + HOUR)
    job = await db.write(jobs.claim, NOW + HOUR, "w1", ["process", "ladder"])
    assert job is not None
    assert (job.kind, job.subject) == ("process", late.id)


async def test_of_its_sounds_a_file_keeps_the_newest(db: Database) -> None:
    work = await db.write(a_work)
    made = await ready(db, work.id)
    for n in range(3):
        sound = a_rendition(made.id, f"a-und-{n}", kind="audio", width=0, height=0, fps=0.0)
        await db.write(assets.add_rendition, NOW, made.id, sound)
    dropped = await db.write(assets.drop_old_sounds, NOW, made.id, 2)
    assert sorted(dropped) == [f"media/{made.id}/1/a-und-0", f"media/{made.id}/1/audio"]
    assert [r.name for r in (await db.read(assets.asset, made.id)).renditions] == ["a-und-1", "a-und-2", "720p"]
    assert await db.write(assets.drop_old_sounds, NOW, made.id, 2) == []


async def test_sounds_are_made_anew_when_another_version_with_another_length_plays(db: Database) -> None:
    work = await db.write(a_work)
    films = [await ready(db, work.id) for _ in range(2)]
    sounds = [await ready(db, work.id, role="audio-description", lang=lang) for lang in ("en", "fr")]
    coming = await db.write(an_asset, work.id, role="audio-track", lang="de")
    for asset, length in ((films[0], 10), (films[1], 12), (sounds[0], 10), (sounds[1], 12), (coming, 10)):
        await db.write(assets.report, NOW, asset.id, duration_us=length)

    async def anew() -> list[str]:
        found = []
        while (job := await db.write(jobs.claim, NOW, "w1", ["level"])) is not None:
            found.append(job.subject)
        return found

    await db.write(assets.fit_sounds, NOW, work.id)
    assert await anew() == []  # nothing plays yet
    await db.write(assets.take, NOW, films[0].id)
    # The film itself may have been switched to be levelled, or not, meanwhile.
    assert await anew() == [films[0].id, sounds[1].id]
    await db.write(assets.take, NOW, films[1].id)
    assert await anew() == [films[1].id, sounds[0].id]


async def test_versions_count_up_for_each_work_role_and_language(db: Database) -> None:
    one, two = await db.write(a_work), await db.write(a_work)
    kinds = [
        (one.id, "work", ""),
        (one.id, "work", ""),
        (one.id, "captions", "en"),
        (one.id, "captions", "fr"),
        (one.id, "captions", "fr"),
        (two.id, "work", ""),
        (one.id, "work", ""),
    ]
    versions = [(await db.write(an_asset, w, role=r, lang=lang)).version for w, r, lang in kinds]
    assert versions == [1, 2, 1, 1, 2, 1, 3]


async def test_versions_that_come_at_once_have_numbers_of_their_own(db: Database) -> None:
    work = await db.write(a_work)
    made = await asyncio.gather(*(db.write(an_asset, work.id) for _ in range(25)))
    assert sorted(a.version for a in made) == list(range(1, 26))


async def test_a_removed_version_gives_its_number_to_nobody_before_a_newer_one(db: Database) -> None:
    work = await db.write(a_work)
    first, second = await db.write(an_asset, work.id), await db.write(an_asset, work.id)
    await db.write(assets.remove, NOW, first.id)
    assert second.version == 2
    assert (await db.write(an_asset, work.id)).version == 3


async def test_an_upload_is_promised_prolonged_and_forgotten(db: Database) -> None:
    mara = await db.write(person)
    work = await db.write(a_work)
    id = await db.write(begin, mara.id, work.id, role="captions", lang="pt-BR", size=6 << 30)
    promised = Upload(
        id=id,
        person=mara.id,
        work=work.id,
        role="captions",
        lang="pt-BR",
        filename="film.mp4",
        metadata="filename ZmlsbS5tcDQ=",
        size=6 << 30,
        created_at=NOW,
        expires_at=NOW + 7 * DAY,
        asset=None,
    )
    assert await db.read(assets.upload, id) == promised
    assert await db.read(assets.uploads_of, work.id) == [promised]
    await db.write(assets.prolong_upload, id, NOW + 9 * DAY)
    assert await db.read(assets.upload, id) == replace(promised, expires_at=NOW + 9 * DAY)
    assert await db.read(assets.expired_uploads, NOW + 9 * DAY) == []
    assert await db.read(assets.expired_uploads, NOW + 9 * DAY + SECOND) == [id]
    await db.write(assets.forget_upload, id)
    assert await db.read(assets.uploads_of, work.id) == []
    with pytest.raises(NotFound):
        await db.read(assets.upload, id)


async def test_an_upload_becomes_one_asset_with_one_job_however_often_it_is_finished(db: Database) -> None:
    mara = await db.write(person)
    work = await db.write(a_work)
    id = await db.write(begin, mara.id, work.id)
    made = await asyncio.gather(*(db.write(assets.finish_upload, NOW, id, HOUR) for _ in range(8)))
    assert made == [made[0]] * 8
    assert await db.write(assets.finish_upload, NOW, id, HOUR) == made[0]
    assert (made[0].id, made[0].version, made[0].size, made[0].made_by) == (id, 1, 1000, mara.id)
    assert await db.read(jobs.counts) == {"queued": 1}
    assert (await db.read(sizes))["assets"] == 1
    assert await db.read(assets.unfinished_uploads) == set()
    assert await db.read(assets.uploads_of, work.id) == []
    finished = await db.read(assets.upload, id)
    assert (finished.asset, finished.expires_at) == (id, NOW + HOUR)


async def test_an_upload_that_is_not_there_is_not_found(db: Database) -> None:
    for call in (assets.upload, assets.asset):
        with pytest.raises(NotFound):
            await db.read(call, "nothing")
    with pytest.raises(NotFound):
        await db.write(assets.finish_upload, NOW, "nothing", HOUR)


async def test_what_a_person_keeps_are_their_files_and_promised_uploads(db: Database) -> None:
    mara, ines = await db.write(person), await db.write(person, "Inês")
    work = await db.write(a_work)
    assert await db.read(assets.kept_bytes, mara.id) == 0
    await db.write(an_asset, work.id, person=mara.id, size=40 << 30)
    await db.write(an_asset, work.id, person=ines.id, size=7)
    promised = await db.write(begin, mara.id, work.id, size=50 << 30)
    assert await db.read(assets.kept_bytes, mara.id) == 90 << 30
    assert await db.read(assets.kept_bytes, ines.id) == 7
    # Finished, it counts once.
    await db.write(assets.finish_upload, NOW, promised, HOUR)
    assert await db.read(assets.kept_bytes, mara.id) == 90 << 30
    given_up = await db.write(begin, mara.id, work.id, size=5)
    await db.write(assets.forget_upload, given_up)
    await db.write(assets.remove, NOW, promised)
    assert await db.read(assets.kept_bytes, mara.id) == 40 << 30


async def test_what_is_not_reported_stays_and_details_add_up(db: Database) -> None:
    work = await db.write(a_work)
    made = await db.write(an_asset, work.id)
    await db.write(assets.report, NOW, made.id, state="processing", stage="probe", details={"run": 1, "flashes": []})
    await db.write(assets.report, NOW, made.id, progress=0.25, stage="360p")
    await db.write(
        assets.report, NOW, made.id, duration_us=7_200_000_000, details={"flashes": [[1, 2]], "peaks": "peaks.u8"}
    )
    await db.write(assets.report, NOW, made.id, sha256="ab" * 32)
    expected = replace(
        made,
        state="processing",
        stage="360p",
        progress=0.25,
        duration_us=7_200_000_000,
        details={"run": 1, "flashes": [[1, 2]], "peaks": "peaks.u8"},
        sha256="ab" * 32,
    )
    assert await db.read(assets.asset, made.id) == expected
    error = {"code": "damaged", "params": {"at": 12}}
    await db.write(assets.report, NOW, made.id, state="failed", stage="failed", error=error)
    assert await db.read(assets.asset, made.id) == replace(expected, state="failed", stage="failed", error=error)
    await db.write(assets.report, NOW, made.id, state="queued", stage="queued", progress=0.0)
    assert await db.read(assets.asset, made.id) == replace(expected, state="queued", stage="queued", progress=0.0)


async def test_details_that_are_reported_at_once_all_stay(db: Database) -> None:
    work = await db.write(a_work)
    made = await db.write(an_asset, work.id)
    await asyncio.gather(*(db.write(assets.report, NOW, made.id, details={f"d{n}": n}) for n in range(12)))
    assert (await db.read(assets.asset, made.id)).details == {f"d{n}": n for n in range(12)}


async def test_renditions_stand_by_kind_and_height_and_the_newer_one_counts(db: Database) -> None:
    work = await db.write(a_work)
    made = await db.write(an_asset, work.id)
    high = a_rendition(made.id, "1080p", height=1080, width=1920)
    low = a_rendition(made.id, "360p", height=360, width=640, fps=23.976)
    sound = a_rendition(made.id, "audio", kind="audio", lang="pt", height=0, width=0, fps=0.0, codecs="mp4a.40.2")
    again = replace(low, folder=f"media/{made.id}/2/360p", durations_us=(9_480_000,))
    for rendition in (high, low, sound, again):
        await db.write(assets.add_rendition, NOW, made.id, rendition)
    found = await db.read(assets.asset, made.id)
    assert found.renditions == (sound, again, high)
    assert found.renditions[1].length_us == 9_480_000
    assert (await db.read(works.work_by_id, work.id)).assets == (found,)


async def test_the_files_of_works_stand_oldest_first(db: Database) -> None:
    one, two = await db.write(a_work), await db.write(a_work)
    late = await db.write(an_asset, one.id, at=NOW + HOUR)
    early = await db.write(an_asset, one.id, at=NOW)
    other = await db.write(an_asset, two.id)
    assert await db.read(assets.of_works, [one.id, two.id, 4711], renditions=True) == {
        one.id: [early, late],
        two.id: [other],
    }
    assert await db.read(assets.of_works, [], renditions=True) == {}


async def test_one_version_is_taken_and_only_by_choice_is_it_another(db: Database) -> None:
    work = await db.write(a_work)
    first = await ready(db, work.id)
    assert await taken(db, work.id) == []
    assert await db.write(assets.take_if_first, NOW, first.id) is True
    assert await taken(db, work.id) == [1]

    second = await ready(db, work.id)
    assert await db.write(assets.take_if_first, NOW, second.id) is False
    assert await db.write(assets.take_if_first, NOW, first.id) is False
    assert await taken(db, work.id) == [1]
    await db.write(assets.take, NOW, second.id)
    assert await taken(db, work.id) == [2]
    await db.write(assets.take, NOW, first.id)
    assert await taken(db, work.id) == [1]
    main = (await db.read(works.work_by_id, work.id)).main
    assert main is not None
    assert main.id == first.id


async def test_of_versions_that_are_ready_at_once_one_is_taken_and_stays(db: Database) -> None:
    work = await db.write(a_work)
    versions = [await ready(db, work.id) for _ in range(8)]
    first = await asyncio.gather(*(db.write(assets.take_if_first, NOW, v.id) for v in versions))
    assert sorted(first) == [False] * 7 + [True]
    assert await taken(db, work.id) == [versions[first.index(True)].version]


async def test_taking_leaves_other_languages_roles_and_works_alone(db: Database) -> None:
    one, two = await db.write(a_work), await db.write(a_work)
    for work, role, lang in (
        (one.id, "work", ""),
        (one.id, "captions", "en"),
        (one.id, "captions", "fr"),
        (two.id, "work", ""),
    ):
        made = await ready(db, work, role=role, lang=lang)
        assert await db.write(assets.take_if_first, NOW, made.id) is True
    newer = await ready(db, one.id, role="captions", lang="en")
    await db.write(assets.take, NOW, newer.id)
    assert await taken(db, one.id, "captions", "en") == [2]
    assert await taken(db, one.id, "captions", "fr") == [1]
    assert (await taken(db, one.id), await taken(db, two.id)) == ([1], [1])


async def test_what_cannot_be_played_is_not_taken_and_changes_nothing(db: Database) -> None:
    work = await db.write(a_work)
    first = await ready(db, work.id)
    await db.write(assets.take, NOW, first.id)
    waiting = await db.write(an_asset, work.id)
    with pytest.raises(Conflict, match="not-ready"):
        await db.write(assets.take, NOW, waiting.id)
    assert await taken(db, work.id) == [1]

    empty = await db.write(a_work)
    waiting = await db.write(an_asset, empty.id)
    assert await db.write(assets.take_if_first, NOW, waiting.id) is False
    assert await taken(db, empty.id) == []


async def test_a_low_rung_with_sound_may_be_taken_before_all_is_ready(db: Database) -> None:
    work = await db.write(a_work)
    made = await db.write(an_asset, work.id)
    await db.write(assets.add_rendition, NOW, made.id, a_rendition(made.id, "360p", height=360))
    assert await db.write(assets.take_if_first, NOW, made.id) is False
    sound = a_rendition(made.id, "audio", kind="audio", height=0, width=0)
    await db.write(assets.add_rendition, NOW, made.id, sound)
    assert await db.write(assets.take_if_first, NOW, made.id) is True


async def test_where_all_files_are_shown_none_is_taken_by_itself(db: Database) -> None:
    work = await db.write(a_work)
    made = await ready(db, work.id, role="documentation")
    assert await db.write(assets.take_if_first, NOW, made.id) is False


async def test_captions_may_be_taken_off(db: Database) -> None:
    work = await db.write(a_work)
    made = await ready(db, work.id, role="captions", lang="en")
    await db.write(assets.take, NOW, made.id)
    await db.write(assets.set_label, NOW, made.id, "  English, for the deaf " + "!" * 200)
    await db.write(assets.drop_taken, NOW, made.id)
    found = await db.read(assets.asset, made.id)
    assert (found.taken, found.label) == (False, ("English, for the deaf " + "!" * 200)[:120])


async def test_a_removed_file_leaves_its_bytes_to_a_worker_and_its_pictures_no_poster(db: Database) -> None:
    mara = await db.write(person)
    work = await db.write(a_work)
    before = await db.read(sizes)
    id = await db.write(begin, mara.id, work.id)
    await db.write(assets.finish_upload, NOW, id, HOUR)
    await db.write(make_ready, id)
    other = {"asset": "another", "files": []}
    await db.write(works.set_poster, NOW, work.id, {"asset": id, "files": []})

    await db.write(assets.remove, NOW, id)
    after = {k: n for k, n in (await db.read(sizes)).items() if k not in ("events", "jobs")}
    assert after == {k: n for k, n in before.items() if k not in ("events", "jobs")}
    assert await db.read(jobs.counts) == {"cancelled": 1, "queued": 1}
    job = await db.write(jobs.claim, NOW, "w1")
    assert job is not None
    assert (job.kind, job.subject) == ("remove-files", id)
    assert (await db.read(works.work_by_id, work.id)).poster is None

    # Pictures of another file stay.
    made = await db.write(an_asset, work.id)
    await db.write(works.set_poster, NOW, work.id, other)
    await db.write(assets.remove, NOW, made.id)
    assert (await db.read(works.work_by_id, work.id)).poster == other


async def test_what_plays_on_a_published_page_is_not_removed(db: Database) -> None:
    work = await db.write(a_work)
    first, second = await ready(db, work.id), await ready(db, work.id)
    await db.write(assets.take, NOW, first.id)
    await db.write(works.set_state, NOW, work.id, "published", ["draft"])
    with pytest.raises(Conflict, match="in-use"):
        await db.write(assets.remove, NOW, first.id)
    await db.write(assets.remove, NOW, second.id)
    await db.write(works.set_state, NOW, work.id, "withdrawn", ["published"])
    await db.write(assets.remove, NOW, first.id)
    assert await db.read(assets.known) == set()


async def test_a_file_that_was_removed_meanwhile_is_not_found(db: Database) -> None:
    gone = "0" * 20
    calls: list[tuple[Any, ...]] = [
        (assets.report, NOW, gone),
        (assets.add_rendition, NOW, gone, a_rendition(gone)),
        (assets.take, NOW, gone),
        (assets.take_if_first, NOW, gone),
        (assets.drop_taken, NOW, gone),
        (assets.set_label, NOW, gone, "English"),
        (assets.remove, NOW, gone),
    ]
    for call, *given in calls:
        with pytest.raises(NotFound):
            await db.write(call, *given)
    assert await db.read(sizes) == {}


async def test_every_file_there_is_is_known(db: Database) -> None:
    mara = await db.write(person)
    work = await db.write(a_work)
    made = [(await db.write(an_asset, work.id)).id for _ in range(3)]
    coming = await db.write(begin, mara.id, work.id)
    assert await db.read(assets.known) == set(made)
    assert await db.read(assets.unfinished_uploads) == {coming}


async def test_names_of_files_are_short_plain_and_their_own() -> None:
    made = {assets.new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(id) == 20 and id.isascii() and id.isalnum() for id in made)


async def test_promises_are_kept_within_the_quota_and_the_room(db: Database) -> None:
    mara = await db.write(person)
    made = await db.write(a_work, author=mara.id)

    async def promise(id: str, size: int, **limits: int) -> None:
        await db.write(
            assets.begin_upload, NOW, id, mara.id, made.id, role="work", lang="und", filename="f", metadata="", size=size,
            expires=NOW + DAY, **limits,
        )  # fmt: skip

    await promise("a", 60, quota=100, room=1000)
    with pytest.raises(TooLarge, match="quota"):
        await promise("b", 41, quota=100, room=1000)
    with pytest.raises(Unavailable, match="disk-full"):
        await promise("b", 41, quota=1000, room=100)
    await promise("b", 40, quota=100, room=100)
    results = await asyncio.gather(
        *(promise(f"c{n}", 10, quota=120, room=1000) for n in range(6)), return_exceptions=True
    )
    assert sorted(str(r) for r in results) == ["None", "None", *["quota"] * 4]
