"""`showcase demo`: up at once, people with links that work, works that appear; stopped by Ctrl-C, it goes on where it was."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from showcase import demo
from showcase.app import TASKS
from showcase.demo import SAMPLES, Sample
from showcase.errors import Unavailable
from showcase.settings import Settings
from showcase.tasks import Tasks
from showcase.web.keys import SETTINGS
from tests import processes
from tests.server import free_port, wait

PATIENCE_S = 240
FIRST = re.compile(r"  A sample premiere begins at (\d\d:\d\d): http://localhost:\d+(/en/screenings/[a-z0-9-]+)\n")


def start(data: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SHOWCASE_")}
    command = [sys.executable, "-m", "showcase", "demo", "--data", str(data), "--port", str(port)]
    process = processes.start(command, data.with_suffix(".log"), env=environment)
    wait(process, port, data.with_suffix(".log"))
    return process


def works(port: int) -> list[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/works") as answer:
        return [w["slug"] for w in json.load(answer)["works"]]


def test_the_demo_shows_a_work_lets_people_in_and_stops_cleanly(tmp_path: Path) -> None:
    data, port = tmp_path / "demo", free_port()
    process = start(data, port)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (shown := works(port)) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert shown
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/fr/works/{shown[0]}") as answer:
            assert SAMPLES[0].titles["fr"] in answer.read().decode()
        # Two works are enough for a premiere, which begins soon and has its page.
        while not (begins := FIRST.search(said := data.with_suffix(".log").read_text())):
            assert time.monotonic() < deadline, said
            time.sleep(0.5)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{begins[2]}") as answer:
            assert "(sample)" in answer.read().decode()
        hour, minute = map(int, begins[1].split(":"))
        here = time.localtime()
        assert abs((hour * 60 + minute - here.tm_hour * 60 - here.tm_min + 720) % 1440 - 720) <= 3
        links = re.findall(r"(\S+@example\.org)\s+http://localhost:\d+(/en/sign-in/\S+)", said)
        people = ["admin", "linz", "gwangju", "artist", "other-artist"]
        assert [who for who, _ in links] == [f"{name}@example.org" for name in people]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{links[0][1]}") as answer:
            assert "Sample Administrator" in answer.read().decode()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
        assert "Stopped." in data.with_suffix(".log").read_text()
        # It starts again at once with what was there.
        process = start(data, port)
        assert set(shown) <= set(works(port))
    finally:
        processes.stop(process)


async def test_what_fails_is_said_and_the_others_and_the_programme_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    filled: list[tuple[list[int], bool, bool]] = []
    whole = asyncio.Event()

    async def nothing(*_: Any) -> None:
        pass

    async def ready(_: Any, sample: Sample, title: str) -> Any:
        number = SAMPLES.index(sample) + 1
        await asyncio.sleep(0.02)
        if number == 2:
            raise RuntimeError("FFmpeg could not draw film.mp4")
        return None if number == 3 else SimpleNamespace(id=number, slug=f"sample-{number}")

    async def programme(_: Any, shown: list[int], *, soon: bool, grown: bool) -> None:
        filled.append((list(shown), soon, grown))
        if len(filled) == 1:
            raise Unavailable("database-away")
        if len(shown) == 4:
            whole.set()

    for name, instead in (
        ("_found", nothing),
        ("_ready", ready),
        ("_programme", programme),
        ("AGAIN_S", 0),
        ("KEPT_UP_S", 0),
    ):
        monkeypatch.setattr(demo, name, instead)
    app = web.Application()
    app[TASKS], app[SETTINGS] = Tasks(), Settings()
    drawing = app[TASKS].start(demo._fill(app), name="sample works")
    async with asyncio.timeout(10):
        await drawing
        await whole.wait()
        await app[TASKS].close()  # it ends when it is asked to
    said = [line.split(": ")[-1] for line in capsys.readouterr().out.splitlines() if " of 6  " in line]
    assert [line for line in said if "failed" in line] == ["failed, see the studio and the log"] * 2
    assert len(said) == 6
    assert "FFmpeg could not draw film.mp4" in caplog.text
    assert filled[:2] == [([1, 4], True, True)] * 2
    assert [shown for shown, soon, grown in filled[2:] if grown] == [[1, 4, 5], [1, 4, 5, 6]]
    assert not any(soon for _, soon, _ in filled[2:])


def test_the_samples_are_of_the_promised_kinds() -> None:
    assert len(SAMPLES) == 6
    assert all(bool(s.captions) == (s.sound is not None) for s in SAMPLES)
    assert sum(s.described is not None for s in SAMPLES) == 1
    assert sum(s.sound is None for s in SAMPLES) == 1
    assert sum(s.picture is None for s in SAMPLES) == 1
    assert all(set(s.titles) >= {"en", "fr"} and set(s.statements) == {"en", "fr"} for s in SAMPLES)
    assert all("(sample)" in s.titles["en"] and "(exemple)" in s.titles["fr"] for s in SAMPLES)
