"""`python -m bench.soak [--minutes N]`: one server, uploads and players without a pause, and workers killed in between.

At the end everything that was uploaded is ready, nothing is left lying about, and the server has not grown. It ends by
itself, and with 1 when one of that is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from bench import works
from bench.figures import Figure, table
from bench.processes import at_work_in, memory_mb, workers
from tests.gallery import Gallery, film, running_gallery

MINUTES = 3.0
PLAYERS = 3
WAITING = 3
"""So many uploads may wait for the worker."""
KILL_EVERY_S = (8.0, 25.0)
PATIENCE_S = 240
GROWTH = 1.2
# A job that dies with its worker again and again is given up, a grant ends: here neither must be the reason.
ENVIRONMENT = {"SHOWCASE_JOB_ATTEMPTS": "20", "SHOWCASE_GRANT_MINUTES": "1440"}


class Soak:
    """What is going on, and what it came to."""

    def __init__(self, gallery: Gallery, films: list[bytes]) -> None:
        self.gallery, self.films = gallery, films
        self.over = threading.Event()
        self.asked: list[str] = []
        self.shown: list[str] = []
        self.kills = 0
        self.fetched = 0

    def upload(self) -> None:
        """Upload film after film, and put each on view when it is ready."""
        while not self.over.wait(0.3):
            self.show_ready()
            if len(self.asked) - len(self.shown) < WAITING:
                number = len(self.asked)
                slug = self.gallery.work(title={"en": f"Work {number}", "fr": f"Œuvre {number}"})
                self.gallery.upload(slug, f"{number}.mp4", self.films[number % len(self.films)])
                self.asked.append(slug)

    def show_ready(self) -> None:
        """Put on view what has become ready."""
        for slug in set(self.asked) - set(self.shown):
            states = [asset["state"] for asset in self.gallery.call("GET", f"/api/v1/works/{slug}", "artist")["assets"]]
            if "failed" in states:
                raise RuntimeError(f"{slug} has failed")
            if states == ["ready"]:
                self.gallery.publish(slug)
                self.shown.append(slug)

    def play(self) -> None:
        """Fetch all segments of one work after another."""
        url, buffer = self.gallery.server.url, bytearray(256 * 1024)
        known: dict[str, list[str]] = {}
        while not self.over.wait(0.05):
            if not self.shown:
                continue
            slug = random.choice(self.shown)
            if slug not in known:
                known[slug] = works.segments(url, works.grant(self.gallery, slug))
            connection = works.connect(url)
            for path in known[slug]:
                works.discard(connection, path, buffer, {})
                self.fetched += 1
            connection.close()

    def kill(self) -> None:
        """Kill the worker, again and again."""
        while not self.over.wait(random.uniform(*KILL_EVERY_S)):
            for pid in workers(self.gallery.server.pid):
                os.kill(pid, signal.SIGKILL)
                self.kills += 1

    def settle(self) -> None:
        """Wait until everything is ready and the worker is there again. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.shown) < len(self.asked) or not workers(self.gallery.server.pid):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.asked) - len(self.shown)} works do not become ready")
            self.show_ready()
            time.sleep(0.5)

    def left(self) -> list[str]:
        """What is there and should not be, or the other way round."""
        data = self.gallery.server.data
        assets = {
            str(asset["id"])
            for slug in self.asked
            for asset in self.gallery.call("GET", f"/api/v1/works/{slug}", "artist")["assets"]
        }
        wrong = [f"{name}/{entry}" for name in ("uploads", "scratch") for entry in sorted(names(data / name))]
        for name in ("originals", "media"):
            wrong += [f"files/{name}/{entry}" for entry in sorted(names(data / "files" / name) ^ assets)]
        wrong += [f"process {pid}" for pid in at_work_in(data)]
        count = len(workers(self.gallery.server.pid))
        return wrong if count == 1 else [*wrong, f"{count} workers"]


def names(folder: Path) -> set[str]:
    """The entries of a folder."""
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()


def complaints(log: Path) -> list[str]:
    """Errors that the server logged, but for the killed workers."""
    found = []
    for line in log.read_text().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            found.append(line)
            continue
        if entry["level"] == "error" and not entry["message"].startswith("worker child"):
            found.append(entry["message"])
    return found


def run(minutes: float, folder: Path) -> list[Figure]:
    """Soak a server for so long."""
    films = [film(folder, size="320x240", seconds=2), film(folder, size="426x240", seconds=3, sound=False)]
    with running_gallery(folder, ENVIRONMENT) as gallery:
        soak, pid = Soak(gallery, films), gallery.server.pid
        with ThreadPoolExecutor(PLAYERS + 2) as pool:
            parts: list[Callable[[], None]] = [soak.upload, soak.kill, *[soak.play] * PLAYERS]
            running = [pool.submit(part) for part in parts]
            try:
                # What a server keeps once it has done everything is no growth: the first third is not counted.
                watch(running, minutes * 20)
                early, _ = memory_mb(pid)
                watch(running, minutes * 40)
            finally:
                soak.over.set()
        for part in running:
            part.result()
        soak.settle()
        late, _ = memory_mb(pid)
        left = soak.left()
        wrong = complaints(gallery.server.log)
    left += [f"process {pid} after the end" for pid in at_work_in(gallery.server.data)]
    for line in [*left, *wrong]:
        print(line, file=sys.stderr)
    how = f"{minutes:g} minutes"
    return [
        Figure("soak: works uploaded, all ready at the end", len(soak.asked), "", None, how),
        Figure("soak: segments fetched, none refused", soak.fetched, "", None, f"{PLAYERS} players"),
        Figure("soak: workers killed (SIGKILL)", soak.kills, "", None, "at random moments"),
        Figure("soak: files and processes left over", len(left), "", 0, "uploads, scratch, originals, media, FFmpeg"),
        Figure("soak: errors logged", len(wrong), "", 0, "besides the killed workers"),
        Figure("soak: memory of the server, end to first third", late / early, "x", GROWTH, f"RSS, {late:.0f} MB at the end"),
    ]  # fmt: skip


def watch(running: Iterable[Future[None]], seconds: float) -> None:
    """Wait, unless a part ends before its time: then with its error."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for part in running:
            if part.done():
                part.result()
                raise RuntimeError("a part has ended by itself")
        time.sleep(0.5)


def main() -> int:
    """Run, print, and say by the exit code whether all was well."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as folder:
        figures = run(minutes, Path(folder).resolve())
    print(table(figures))
    return 0 if all(f.met for f in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
