"""What people do to files while workers are at them, or are not."""

from __future__ import annotations

from datetime import timedelta

from showcase.core.models import Asset, Work
from showcase.store import assets, jobs, works
from showcase.store.jobs import Job
from showcase.web.keys import DB
from tests.web.conftest import START, House
from tests.web.test_studio import post


async def processing(house: House, work: Work) -> tuple[str, Job]:
    """A file that a worker has begun with; returns its address and the job."""
    id = assets.new_id()
    await house.write(assets.add, START, id, work.id, role="work", lang="und", filename="x.mp4", size=1, person=None)
    job = await house.write(jobs.claim, START, "w1", ["process"])
    await house.write(assets.report, START, id, state="processing", stage="v360")
    return f"/en/studio/works/{work.slug}/assets/{id}", job


async def file(house: House, work: Work) -> Asset:
    return (await house.app[DB].read(works.work_by_id, work.id)).assets[0]


async def test_what_waits_to_be_tried_again_is_cancelled_at_once(house: House) -> None:
    work = await house.work()
    path, job = await processing(house, work)
    await house.write(jobs.put_back, START, job.id, "disk-full", timedelta(minutes=15), waits=5)
    assert (await post(house, f"{path}/cancel", "artist")).status == 303
    found = await file(house, work)
    assert (found.state, found.stage) == ("cancelled", "cancelled")
    assert (await post(house, f"{path}/retry", "artist")).status == 303
    assert (await house.app[DB].read(jobs.counts)) == {"cancelled": 1, "queued": 3}  # with the sweep and a slate


async def test_what_a_worker_is_at_is_cancelled_by_it(house: House) -> None:
    work = await house.work()
    path, job = await processing(house, work)
    assert (await post(house, f"{path}/cancel", "artist")).status == 303
    assert (await file(house, work)).state == "processing"
    assert await house.app[DB].read(jobs.standing, job.id, "w1") == "cancelling"
