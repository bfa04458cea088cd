"""Owned tasks: crashes are logged, and none outlives its owner."""

from __future__ import annotations

import asyncio

import pytest

from showcase.tasks import Tasks


async def test_a_task_runs_under_its_name_and_gives_its_result() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    tasks = Tasks()
    task = tasks.start(work(), name="feed")
    assert task.get_name() == "feed"
    assert await task == 7
    await tasks.close()


async def test_a_crash_is_logged_under_the_name_and_leaves_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def crash() -> None:
        raise ValueError("broken")

    async def wait() -> None:
        await asyncio.sleep(3600)

    tasks = Tasks()
    waiting = tasks.start(wait(), name="waits")
    crashed = tasks.start(crash(), name="feed")
    await asyncio.wait([crashed])
    await asyncio.sleep(0)
    assert [(r.levelname, r.getMessage(), str(r.exc_info[1]) if r.exc_info else "") for r in caplog.records] == [
        ("ERROR", "task feed crashed", "broken")
    ]
    assert not waiting.done()
    await tasks.close()
    assert waiting.cancelled()


async def test_closing_waits_until_every_task_has_cleaned_up(caplog: pytest.LogCaptureFixture) -> None:
    cleaned: list[int] = []

    async def work(n: int) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01 * n)
            cleaned.append(n)

    tasks = Tasks()
    for n in range(5):
        tasks.start(work(n), name=f"work {n}")
    await asyncio.sleep(0)
    await tasks.close()
    assert cleaned == [0, 1, 2, 3, 4]
    await tasks.close()
    # To be cancelled is no crash.
    assert caplog.records == []


async def test_what_is_started_while_the_others_end_ends_as_well() -> None:
    tasks = Tasks()
    late: list[asyncio.Task[None]] = []

    async def wait() -> None:
        await asyncio.sleep(3600)

    async def starts_another() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            late.append(tasks.start(wait(), name="late"))

    tasks.start(starts_another(), name="first")
    await asyncio.sleep(0)
    await tasks.close()
    assert [t.cancelled() for t in late] == [True]


async def test_a_crash_while_closing_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def crashes() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise ValueError("broken")

    async def wait() -> None:
        await asyncio.sleep(3600)

    tasks = Tasks()
    tasks.start(crashes(), name="first")
    other = tasks.start(wait(), name="second")
    await asyncio.sleep(0)
    await tasks.close()
    assert other.cancelled()
    assert [r.getMessage() for r in caplog.records] == ["task first crashed"]


async def test_closing_without_tasks_is_fine() -> None:
    await Tasks().close()
