"""From an uploaded file to what is shown, with a real FFmpeg and a real database: jobs, and whatever happens between."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.core import checklist, ladder
from showcase.core.models import Asset, Work
from showcase.errors import Cancelled, MediaError, ShowcaseError, Unavailable
from showcase.media import derive, transcode
from showcase.media.packaging import measure
from showcase.media.storage import Storage
from showcase.settings import Settings
from showcase.store import assets, jobs, works
from showcase.store.database import Database
from showcase.store.jobs import LEASE, Job, LostLease
from showcase.store.tables import jobs as table
from showcase.worker import process
from showcase.worker.process import Processor
from tests.media.conftest import SINE, X264, Make, lavfi
from tests.store.rows import a_work, an_asset


@pytest.fixture(scope="session")
def film(make: Make) -> Path:
    """Two seconds with three rungs, of which the highest comes last."""
    return make("film.mp4", *lavfi("testsrc2=s=854x480:r=25"), *SINE, "-t", "2", *X264, "-c:a", "aac")


@pytest.fixture(scope="session")
def small(make: Make) -> Path:
    """A second with one rung."""
    return make("small.mp4", *lavfi("testsrc2=s=320x240:r=25"), *SINE, "-t", "1", *X264, "-c:a", "aac")


@pytest.fixture(scope="session")
def voice(make: Make) -> Path:
    """Three seconds of sound."""
    return make("voice.wav", *lavfi("sine=frequency=440:sample_rate=48000:d=3"))


def now() -> datetime:
    return datetime.now(UTC)


class Place:
    """A server's folders with a work in it, and workers that do one job when they are told to."""

    def __init__(self, db: Database, data: Path, binary: str) -> None:
        self.db, self.data, self.storage = db, data, Storage(data / "files")
        self.processor = Processor(db, self.storage, Settings(data=data, disk_reserve=0), binary)
        self.does: dict[str, Callable[[Job], Any]] = {
            "process": self.processor.process,
            "ladder": self.processor.ladder,
            "level": self.processor.level,
            "old-sounds": self.processor.old_sounds,
            "poster": self.processor.poster,
        }

    async def upload(self, work: int, source: Path, **given: Any) -> str:
        made = await self.db.write(an_asset, work, at=now(), size=source.stat().st_size, **given)
        await self.storage.put(f"originals/{made.id}", source.read_bytes())
        return made.id

    async def claim(self, kind: str, *, later: timedelta = timedelta(0), worker: str = "w1") -> Job:
        job = await self.db.write(jobs.claim, now() + later, worker, [kind])
        assert job is not None
        return job

    async def do(self, kind: str, *, later: timedelta = timedelta(0)) -> None:
        """Do the next job of a kind, as the loop would when it ends well."""
        job = await self.claim(kind, later=later)
        await self.does[kind](job)
        assert await self.db.write(jobs.finish, now(), job.id, worker="w1")

    async def waiting(self) -> set[tuple[str, str]]:
        query = sa.select(table.c.kind, table.c.subject).where(table.c.state == "queued")
        return await self.db.read(lambda tx: {(k, s) for k, s in tx.execute(query)})

    async def asset(self, id: str) -> Asset:
        return await self.db.read(assets.asset, id)

    async def work(self, id: int) -> Work:
        return await self.db.read(works.work_by_id, id)

    def scratch(self) -> list[str]:
        return sorted(p.name for p in (self.data / "scratch").glob("*"))


@pytest.fixture
def place(db: Database, tmp_path: Path, binary: str) -> Place:
    return Place(db, tmp_path / "data", binary)


@pytest.fixture
async def work(db: Database) -> Work:
    return await db.write(a_work)


def names(asset: Asset) -> list[str]:
    return [r.name for r in asset.renditions]


async def test_a_film_is_playable_and_looked_through_before_its_higher_rungs(
    place: Place, work: Work, film: Path
) -> None:
    id = await place.upload(work.id, film)
    await place.do("process")
    first = await place.asset(id)
    assert (first.state, first.stage, names(first)) == ("processing", "ladder", ["a-und", "v240", "v360"])
    assert first.playable
    assert first.sha256 == hashlib.sha256(film.read_bytes()).hexdigest()
    assert (first.duration_us, first.details["flashes"]) == (2_000_000, [])
    assert {"storyboard", "loudness", "peaks", "poster"} <= set(first.details)
    assert 0.3 < first.progress < 0.9
    assert (await place.work(work.id)).main == first
    assert await place.waiting() == {("ladder", id)}

    await place.do("ladder")
    whole = await place.asset(id)
    assert (whole.state, whole.stage, whole.progress) == ("ready", "ready", 1.0)
    assert names(whole) == ["a-und", "v240", "v360", "v480"]
    for rendition in whole.renditions:
        folder = place.storage.local(rendition.folder)
        assert folder is not None
        assert measure(folder, rendition.name, width=rendition.width).durations_us == rendition.durations_us
    assert await place.waiting() == set()
    assert place.scratch() == []


async def test_a_film_without_higher_rungs_is_ready_at_once(place: Place, work: Work, small: Path) -> None:
    id = await place.upload(work.id, small)
    await place.do("process")
    assert ((await place.asset(id)).state, await place.waiting()) == ("ready", set())


async def test_a_retry_goes_on_where_it_ended(
    place: Place, work: Work, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await place.upload(work.id, film)
    await place.do("process")
    job = await place.claim("ladder")
    await place.processor.gave_up(job, MediaError("too-demanding"))
    await place.db.write(jobs.finish, now(), job.id, "failed")
    failed = await place.asset(id)
    assert (failed.state, failed.error) == ("failed", {"code": "too-demanding", "params": {}})

    async def not_again(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(transcode, "process", not_again)
    monkeypatch.setattr(transcode, "probe", not_again)
    await place.db.write(assets.enqueue, now(), id, "work")
    await place.do("process")
    await place.do("ladder")
    assert (await place.asset(id)).state == "ready"


async def test_a_worker_that_was_stalled_changes_nothing_of_what_its_successor_does(
    place: Place, work: Work, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is held in the middle of its encoding, the second takes over and ends, then the first goes on."""
    id = await place.upload(work.id, small)
    stalled, go_on = asyncio.Event(), asyncio.Event()
    encode = transcode._Job._encode

    async def slow(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.scratch.name.endswith("-1"):
            stalled.set()
            await go_on.wait()
        return await encode(self, *args, **kwargs)

    monkeypatch.setattr(transcode._Job, "_encode", slow)
    first = asyncio.create_task(place.processor.process(await place.claim("process", worker="first")))
    await stalled.wait()
    job = await place.claim("process", later=LEASE + timedelta(seconds=1), worker="second")
    await place.processor.process(job)
    await place.db.write(jobs.finish, now(), job.id, worker="second")
    done = await place.asset(id)
    assert done.state == "ready"
    stored = sorted(p for p in place.storage.root.rglob("*") if p.is_file())

    (place.data / "scratch" / f"{id}-{job.id}-1").mkdir(parents=True)
    go_on.set()
    with pytest.raises(LostLease):
        await first
    assert await place.asset(id) == done
    assert sorted(p for p in place.storage.root.rglob("*") if p.is_file()) == stored
    assert place.scratch() == []


@pytest.mark.parametrize("code", ["disk-full", "film-not-ready"])
async def test_what_a_file_waits_for_is_told(
    place: Place, work: Work, small: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async def waits(*_: Any, **__: Any) -> None:
        raise Unavailable(code)

    monkeypatch.setattr(transcode, "process", waits)
    id = await place.upload(work.id, small)
    with pytest.raises(Unavailable, match=code):
        await place.processor.process(await place.claim("process"))
    found = await place.asset(id)
    assert (found.state, found.stage, found.error) == ("processing", code, None)
    assert place.scratch() == []


async def test_a_scratch_that_takes_no_more_is_a_full_disk(
    place: Place, work: Work, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transcode, "process", full)
    await place.upload(work.id, small)
    with pytest.raises(Unavailable, match="disk-full"):
        await place.processor.process(await place.claim("process"))


async def test_a_film_that_is_cancelled_while_it_hands_over_is_cancelled(place: Place, work: Work, film: Path) -> None:
    id = await place.upload(work.id, film)
    job = await place.claim("process")
    await place.processor.process(job)
    # The process job has not been noted as done yet; the ladder waits.
    assert await place.db.write(assets.cancel, now(), id) is True
    await place.processor.gave_up(job, Cancelled())
    await place.db.write(jobs.finish, now(), job.id, "cancelled")
    assert ((await place.asset(id)).state, await place.waiting()) == ("cancelled", set())
    assert await place.db.read(jobs.counts) == {"cancelled": 2}


async def test_levelling_that_is_switched_on_before_a_film_is_ready_is_applied(
    place: Place, work: Work, film: Path
) -> None:
    id = await place.upload(work.id, film)
    await place.do("process")
    await place.db.write(works.update, now(), work.id, values={"levelled": True}, fields={})
    await place.do("ladder")
    assert await place.waiting() == {("level", id)}
    await place.do("level")
    found = await place.asset(id)
    gain = ladder.levelling_db(found.details["loudness"])
    assert gain != 0
    assert (found.details["gain"], found.state, found.duration_us) == (gain, "ready", 2_000_000)
    newest = [r for r in found.renditions if r.kind == "audio"][-1]
    assert newest.name.startswith("a-und-")
    # Doing it again changes nothing.
    await place.db.write(jobs.enqueue, now(), "level", id)
    await place.do("level")
    assert await place.asset(id) == found


async def test_levelling_to_and_fro_keeps_two_sounds(place: Place, work: Work, small: Path) -> None:
    id = await place.upload(work.id, small)
    await place.do("process")
    original = (await place.asset(id)).renditions[0]
    for levelled in (True, False, True):
        await place.db.write(works.update, now(), work.id, values={"levelled": levelled}, fields={})
        await place.db.write(jobs.enqueue, now(), "level", id)
        await place.do("level")
    assert len([r for r in (await place.asset(id)).renditions if r.kind == "audio"]) == 4
    # Who plays an older one has an hour for it, and as long as the work lasts.
    assert await place.db.write(jobs.claim, now() + timedelta(minutes=60), "w1", ["old-sounds"]) is None
    await place.do("old-sounds", later=timedelta(minutes=61))
    sounds = [r for r in (await place.asset(id)).renditions if r.kind == "audio"]
    assert original not in sounds
    folders = [place.storage.local(r.folder) for r in (original, *sounds)]
    assert [f.exists() for f in folders if f is not None] == [False, True, True]
    assert await place.waiting() == set()


async def test_a_look_for_flashes_that_failed_is_said_to_have_failed(
    place: Place, work: Work, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> None:
        return None

    monkeypatch.setattr(derive, "flashes", fails)
    id = await place.upload(work.id, small)
    await place.do("process")
    assert (await place.asset(id)).details["flashes"] is None
    found = await place.work(work.id)
    assert "flashes-unknown" in checklist.missing(found)
    fields = {"content_notes": {"en": "None"}}
    await place.db.write(works.update, now(), work.id, values={}, fields=fields)
    assert "flashes-unknown" not in checklist.missing(await place.work(work.id))


async def test_a_description_waits_for_the_length_of_its_film(
    place: Place, work: Work, film: Path, voice: Path
) -> None:
    await place.upload(work.id, film)
    said = await place.upload(work.id, voice, role="audio-description", lang="en")
    place_film = await place.claim("process")
    job = await place.claim("process")
    assert job.subject == said
    with pytest.raises(Unavailable, match="film-not-ready"):
        await place.processor.process(job)
    assert (await place.asset(said)).stage == "film-not-ready"
    await place.processor.process(place_film)
    # Its length is known now, also before the last rung.
    await place.processor.process(job)
    found = await place.asset(said)
    assert (found.state, found.duration_us) == ("ready", 2_000_000)


async def test_a_description_follows_the_version_that_plays(
    place: Place, work: Work, small: Path, film: Path, voice: Path
) -> None:
    said = await place.upload(work.id, voice, role="audio-description", lang="en")
    await place.do("process")
    assert (await place.asset(said)).duration_us == 3_000_000  # there is no film at all
    await place.upload(work.id, small)
    await place.do("process")
    assert ("level", said) in await place.waiting()
    await place.do("level")
    second = await place.upload(work.id, film)
    await place.do("process")
    assert ("level", said) not in await place.waiting()
    await place.db.write(assets.take, now(), second)
    await place.do("level")
    found = await place.asset(said)
    assert (found.duration_us, found.state) == (2_000_000, "ready")
    assert [abs(r.length_us - us) < 25_000 for r, us in zip(found.renditions, (3e6, 1e6, 2e6), strict=True)] == [
        True
    ] * 3


async def test_a_poster_is_chosen_without_reading_the_whole_file_again(
    place: Place, work: Work, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_again(*_: Any, **__: Any) -> None:
        raise AssertionError

    id = await place.upload(work.id, small)
    await place.do("process")
    monkeypatch.setattr(process.probe, "probe", not_again)
    for at_us in (100_000, 500_000):
        await place.db.write(jobs.enqueue, now(), "poster", id, {"at_us": at_us})
    await place.do("poster")
    poster = (await place.work(work.id)).poster
    assert poster is not None
    assert (poster["chosen"], poster["files"][0]["name"]) == (True, "poster-500-320.webp")
    assert await place.waiting() == set()


async def test_what_an_earlier_release_did_not_keep_is_found_out_again(place: Place, work: Work, small: Path) -> None:
    id = await place.upload(work.id, small)
    await place.do("process")
    for kept in (None, {"container": "mp4"}):
        await place.db.write(assets.report, now(), id, details={"probe": kept})
        await place.db.write(jobs.enqueue, now(), "poster", id, {"at_us": 0})
        await place.do("poster")
        assert (await place.work(work.id)).poster is not None


async def test_progress_goes_on_after_a_write_that_failed(
    place: Place, work: Work, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "REPORT_EVERY", 0.01)
    id = await place.upload(work.id, small)
    job = await place.claim("process")
    report, fail = assets.report, [True]

    def away(tx: sa.Connection, at: datetime, asset: str, **given: Any) -> None:
        if given.get("stage") == "one" and fail:
            fail.clear()
            raise Unavailable("database-away")
        report(tx, at, asset, **given)

    monkeypatch.setattr(assets, "report", away)
    async with place.processor._reporting(job, await place.asset(id)) as reporting:
        reporting.tell(0.25, "one")
        async with asyncio.timeout(5):
            while (await place.asset(id)).progress != 0.25:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert fail == []
        reporting.tell(0.5, "two")
        async with asyncio.timeout(5):
            while (await place.asset(id)).stage != "two":  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def test_progress_never_goes_back_behind_an_earlier_try() -> None:
    reporting = process._Reporting(0.4)
    told = []
    for step, stage in ((0.0, "probe"), (0.2, "v360"), (0.5, "ladder"), (1.0, "done")):
        reporting.encoding(step, stage)
        told.append(reporting.told)
    assert told == [(0.4, "probe"), (0.4, "v360"), (0.525, "ladder"), (1.0, "done")]


async def test_hashing_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "HASHED_AT_ONCE", 4)
    (tmp_path / "file").write_bytes(b"0123456789")
    told: list[float] = []
    assert await process._sha256(tmp_path / "file", told.append) == hashlib.sha256(b"0123456789").hexdigest()
    assert told == [0.4, 0.8, 1.0]


@pytest.mark.parametrize(
    ("kind", "error", "expected"),
    [
        ("process", MediaError("damaged", at=2), ("failed", {"code": "damaged", "params": {"at": 2}}, None)),
        ("ladder", Cancelled(), ("cancelled", {"code": "cancelled", "params": {}}, None)),
        ("level", Unavailable("interrupted"), ("queued", None, {"code": "interrupted", "params": {}})),
        ("poster", MediaError("unreadable"), ("queued", None, {"code": "unreadable", "params": {}})),
        ("poster", Cancelled(), ("queued", None, None)),
    ],
)
async def test_who_gives_up_tells_it_and_leaves_nothing(
    place: Place, work: Work, small: Path, kind: str, error: ShowcaseError, expected: tuple[Any, ...]
) -> None:
    id = await place.upload(work.id, small)
    await place.db.write(jobs.enqueue, now(), kind, id)
    job = await place.claim(kind)
    for name in (f"{id}-{job.id}-1", f"{id}-{job.id}-2", f"{id}-{job.id}1-1"):
        (place.data / "scratch" / name / "v360").mkdir(parents=True)
    await place.processor.gave_up(job, error)
    found = await place.asset(id)
    assert (found.state, found.error, found.details.get("notice")) == expected
    assert place.scratch() == [f"{id}-{job.id}1-1"]
    shutil.rmtree(place.data / "scratch")
