"""A running server with people and a few real works, for tests that look at it from outside."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from showcase.errors import Unavailable
from showcase.media import ffmpeg
from tests.server import Server, running_server
from tests.summary import MEDIA, missing

PATIENCE_S = 180
PEOPLE = {
    "admin": ("--role", "administrator"),
    "linz": ("--role", "staff", "--city", "linz"),
    "artist": ("--role", "artist", "--city", "linz"),
    "other": ("--role", "artist", "--city", "dakar"),
}
ALWAYS = {"on_view": {"from": None, "until": None}}
ENGLISH = "WEBVTT\n\n00:00.100 --> 00:03.900\nA bell, once\n\n00:04.000 --> 00:07.900\nIt fades\n"
FRENCH = "WEBVTT\n\n00:00.100 --> 00:03.900\nUne cloche, une fois\n\n00:04.000 --> 00:07.900\nElle s'éteint\n"


@dataclass(frozen=True, slots=True)
class Gallery:
    """The server, a token for each person, and the works by name."""

    server: Server
    tokens: dict[str, str]

    def run(self, *words: str) -> str:
        """A `showcase` command on this server's data."""
        command = [sys.executable, "-m", "showcase", *words, "--data", str(self.server.data)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def link(self, who: str) -> str:
        """A fresh sign-in link, as a path."""
        link = self.run("user", f"{who}@example.org", "--link").splitlines()[-1]
        return "/en/sign-in/" + link.rpartition("/")[2]

    def call(self, method: str, path: str, who: str | None = None, body: Any = None, **headers: str) -> Any:
        """One call of the API; `body` is JSON or bytes. Returns the JSON of the answer, or its headers when it has none."""
        given = {k.replace("_", "-"): v for k, v in headers.items()}
        if who is not None:
            given["Authorization"] = f"Bearer {self.tokens[who]}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None and not isinstance(body, bytes):
            given["Content-Type"] = "application/json"
        request = urllib.request.Request(self.server.url + path, data, given, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if answer.headers.get_content_type() == "application/json" else answer.headers

    def work(self, who: str = "artist", **given: Any) -> str:
        """Begin a work; returns its slug."""
        new = {"title": {"en": "A Bell, Once", "fr": "Une cloche, une fois"}, "cities": ["linz"], "year": 2026} | given
        return str(self.call("POST", "/api/v1/works", who, new)["slug"])

    def upload(self, slug: str, name: str, data: bytes, who: str = "artist", role: str = "work", lang: str = "") -> str:
        """Upload a file whole; returns its id."""
        words = {"filename": name, "work": slug, "role": role, "lang": lang}
        metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items() if v)
        tus = {"Tus_Resumable": "1.0.0", "Upload_Length": str(len(data)), "Upload_Metadata": metadata}
        more = {"Content_Type": "application/offset+octet-stream"}
        location = self.call("POST", "/uploads", who, data, **tus, **more)["Location"]
        return str(location).rpartition("/")[2]

    def ready(self, slug: str, who: str = "artist") -> dict[str, Any]:
        """Wait until every file of a work is ready; returns the work."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            work: dict[str, Any] = self.call("GET", f"/api/v1/works/{slug}", who)
            states = {a["state"] for a in work["assets"]}
            if states <= {"ready"} and states:
                return work
            assert "failed" not in states, [a["error"] for a in work["assets"]]
            time.sleep(0.2)
        raise AssertionError(f"{slug} does not become ready")

    def publish(self, slug: str, **window: Any) -> None:
        """Make a work public."""
        self.call("POST", f"/api/v1/works/{slug}/publish", "admin", window or ALWAYS)


def draw(folder: Path, name: str, *words: str) -> bytes:
    """A small film made by FFmpeg from `words` (inputs and codecs)."""
    try:
        binary = ffmpeg.binary()
    except Unavailable as error:
        missing(MEDIA, str(error))
    subprocess.run([binary, "-v", "error", *words, "-y", folder / name], check=True)
    return (folder / name).read_bytes()


def film(folder: Path, *, size: str = "640x360", seconds: int = 8, sound: bool = True, name: str = "bell.mp4") -> bytes:
    """Moving numbers and a tone."""
    words = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={seconds}"]
    if sound:
        words += ["-f", "lavfi", "-i", f"sine=f=330:r=48000:d={seconds}", "-c:a", "aac"]
    return draw(folder, name, *words, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


@contextmanager
def running_gallery(folder: Path, environment: dict[str, str] | None = None) -> Iterator[Gallery]:
    """A server with the people of `PEOPLE` and no works yet."""
    data = folder / "data"
    data.mkdir()
    with running_server(data, environment) as server:
        gallery = Gallery(server, {})
        for who, role in PEOPLE.items():
            gallery.run("user", f"{who}@example.org", "--name", f"Sample {who.title()}", *role)
            gallery.tokens[who] = gallery.run("token", f"{who}@example.org")
        yield gallery
