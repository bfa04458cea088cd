"""`showcase demo`: up at once, people with links that work, works that appear; stopped by Ctrl-C, it goes on where it was."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from showcase.demo import SAMPLES
from tests import processes
from tests.server import free_port, wait

PATIENCE_S = 240


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
        said = data.with_suffix(".log").read_text()
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


def test_the_samples_are_of_the_promised_kinds() -> None:
    assert len(SAMPLES) == 6
    assert sum(bool(s.captions) for s in SAMPLES) == 2
    assert sum(s.described is not None for s in SAMPLES) == 1
    assert sum(s.sound is None for s in SAMPLES) == 1
    assert sum(s.picture is None for s in SAMPLES) == 1
    assert all(set(s.titles) >= {"en", "fr"} and set(s.statements) == {"en", "fr"} for s in SAMPLES)
    assert all("Sample" in s.titles["en"] and "Exemple" in s.titles["fr"] for s in SAMPLES)
