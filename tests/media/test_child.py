"""One bounded child process: over a limit it ends, and nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from showcase.errors import ShowcaseError, Unavailable
from showcase.media import child, ffmpeg, probe, stills
from showcase.media.child import Limits
from tests.media.test_transcode import running_in

SHELL = "/bin/sh"


async def run(folder: Path, script: str, **options: object) -> child.Ended:
    limits = options.pop("limits", Limits(wall_s=30))
    return await child.run([SHELL, "-c", script], cwd=folder, limits=limits, **options)  # type: ignore[arg-type]


async def nothing_runs_in(folder: Path) -> None:
    """Wait for what was killed to be gone: grandchildren are reaped by another."""
    async with asyncio.timeout(5):
        while running_in(folder):  # noqa: ASYNC110 - the system tells no event
            await asyncio.sleep(0.02)


async def test_it_reads_its_source_and_says_what_it_has_to(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("hello")
    ended = await run(tmp_path, "cat; echo oops >&2; exit 3", source=tmp_path / "source", max_output_bytes=100)
    assert (ended.code, ended.reason, ended.output, ended.errors, ended.ok) == (3, "exit", b"hello", "oops\n", False)


async def test_it_inherits_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWCASE_SECRET", "secret")
    ended = await run(tmp_path, "env; cat", max_output_bytes=10_000)
    assert ended.ok
    assert b"secret" not in ended.output


async def test_lines_of_its_progress_are_passed_on(tmp_path: Path) -> None:
    lines: list[str] = []
    ended = await run(tmp_path, "(echo a=1; echo b=2) >/dev/fd/{progress}", line=lambda t: not lines.append(t))
    assert (ended.ok, lines) == (True, ["a=1", "b=2"])


@pytest.mark.parametrize(
    ("script", "limits", "reason"),
    [
        ("sleep 60", Limits(wall_s=0.1), "wall"),
        ("sleep 60 & sleep 60", Limits(wall_s=0.1), "wall"),
        ("sleep 60", Limits(wall_s=60, stall_s=0.1), "stall"),
        ("while :; do :; done", Limits(wall_s=60, cpu_s=1), "cpu"),
        ("kill -9 $$", Limits(wall_s=60), "signal"),
    ],
)
async def test_it_ends_at_its_limits_and_leaves_nothing(
    tmp_path: Path, script: str, limits: Limits, reason: str
) -> None:
    ended = await run(tmp_path, script, limits=limits)
    assert (ended.reason, ended.ok) == (reason, False)
    await nothing_runs_in(tmp_path)


async def test_it_stands_back_for_others(tmp_path: Path) -> None:
    said = [await run(tmp_path, "nice", limits=limits, max_output_bytes=9) for limits in (Limits(), Limits(nice=19))]
    assert [e.output for e in said] == [b"10\n", b"19\n"]


async def test_it_may_not_say_more_than_it_may(tmp_path: Path) -> None:
    ended = await run(tmp_path, "while :; do echo y; done", max_output_bytes=1_000)
    assert (ended.reason, len(ended.output) <= 1_000) == ("output", True)
    ended = await run(tmp_path, "i=0; while [ $i -lt 9000 ]; do echo yyyyyyyyy >&2; i=$((i+1)); done")
    assert (ended.reason, len(ended.errors)) == ("exit", 32_768)


async def test_files_it_writes_are_bounded(tmp_path: Path) -> None:
    ended = await run(tmp_path, "exec head -c 1000000 /dev/zero >big", limits=Limits(wall_s=30, file_bytes=1_000))
    assert (ended.ok, (tmp_path / "big").stat().st_size) == (False, 1_000)


async def test_cancelling_ends_its_children_too(tmp_path: Path) -> None:
    task = asyncio.create_task(run(tmp_path, "sleep 60 & sleep 60 & echo yes >&2; wait"))
    async with asyncio.timeout(30):
        while len(running_in(tmp_path)) < 3:  # noqa: ASYNC110 - the system tells no event
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await nothing_runs_in(tmp_path)


async def test_cancelling_while_it_floods_leaves_no_descriptor(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        task = asyncio.create_task(run(tmp_path, "while :; do echo yyyyyyyyyyyy >&2; done"))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(5):
        while len(os.listdir("/proc/self/fd")) > before + 2:  # noqa: ASYNC110 - the child watcher keeps what it keeps
            await asyncio.sleep(0.02)


async def test_what_is_not_there_cannot_start(tmp_path: Path) -> None:
    ended = await child.run(["/nonexistent"], cwd=tmp_path, limits=Limits(wall_s=30))
    assert not ended.ok


def test_an_ffmpeg_that_is_none_is_not_taken(tmp_path: Path, binary: str) -> None:
    fake = tmp_path / "ffmpeg"
    fake.write_text("#!/bin/sh\necho ffmpeg version 4.4.2\n")
    fake.chmod(0o755)
    assert ffmpeg.version(str(fake)) == 4
    with pytest.raises(Unavailable, match="no-ffmpeg"):
        ffmpeg.binary(str(fake))
    with pytest.raises(Unavailable, match="no-ffmpeg"):
        ffmpeg.binary("/nonexistent")
    assert ffmpeg.binary(binary) == binary


@pytest.mark.parametrize(
    ("said", "version"),
    [("ffmpeg version n7.1", 7), ("ffmpeg version 8.0.1", 8), ("ffmpeg version N-118-g1", 99), ("hello", None)],
)
def test_versions_are_read(tmp_path: Path, said: str, version: int | None) -> None:
    fake = tmp_path / "ffmpeg"
    fake.write_text(f"#!/bin/sh\necho '{said}'\n")
    fake.chmod(0o755)
    assert ffmpeg.version(str(fake)) == version


async def test_a_source_needs_its_demuxer(tmp_path: Path, landscape: Path, binary: str) -> None:
    with pytest.raises(ValueError, match="demuxer"):
        await ffmpeg.run(binary, [], cwd=tmp_path, limits=Limits(), source=landscape)


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (child.Ended(-signal.SIGKILL, "signal", "", b"", 1.0), "interrupted"),
        (child.Ended(-signal.SIGTERM, "signal", "", b"", 1.0), "interrupted"),
        (child.Ended(-signal.SIGXCPU, "signal", "", b"", 1.0), "too-demanding"),
        (child.Ended(-signal.SIGKILL, "cpu", "", b"", 1.0), "too-demanding"),
        (child.Ended(1, "exit", "Traceback …\nMemoryError", b"", 1.0), "too-demanding"),
        (child.Ended(1, "exit", "OSError: [Errno 28] No space left on device", b"", 1.0), "disk-full"),
        (child.Ended(-signal.SIGSEGV, "signal", "", b"", 1.0), "unreadable"),
        (child.Ended(1, "exit", "Traceback …", b"", 1.0), "unreadable"),
    ],
)
async def test_a_reader_that_was_ended_does_not_blame_the_file(
    still: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: child.Ended, code: str
) -> None:
    async def ends(*_: object, **__: object) -> child.Ended:
        return ended

    monkeypatch.setattr(child, "run", ends)
    with pytest.raises(ShowcaseError, match=code):
        await probe.probe(still)
    with pytest.raises(ShowcaseError, match=code):
        await stills.derive(still, tmp_path, "x", (640,), ("jpg",))
