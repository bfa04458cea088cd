"""Works on a server of the tests' gallery: on view and ready to be fetched."""

from __future__ import annotations

import http.client
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.gallery import Gallery, draw


def show(gallery: Gallery, data: bytes, name: str) -> str:
    """Upload a film, wait until it is ready, put it on view; returns its slug."""
    slug = gallery.work(title={"en": name.title(), "fr": name.title()})
    gallery.upload(slug, f"{name}.mp4", data)
    gallery.ready(slug)
    gallery.publish(slug)
    return slug


def noisy(folder: Path, name: str, *, size: str, seconds: int) -> bytes:
    """A film with grain in it, so that its renditions are as large as those of a camera's."""
    picture = f"testsrc2=s={size}:r=25:d={seconds},noise=alls=12:allf=t,format=yuv420p"
    sound = f"sine=f=220:r=48000:d={seconds}"
    words = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:a", "aac"]
    return draw(folder, name, *words, "-c:v", "libx264", "-preset", "superfast", "-b:v", "12M")


def grant(gallery: Gallery, slug: str) -> str:
    """The path of a work's master playlist, with a fresh grant in it."""
    return str(gallery.call("POST", f"/api/v1/works/{slug}/play", None, {}, X_Requested_With="showcase")["hls"])


def segments(url: str, master: str) -> list[str]:
    """The paths of all media segments of a work."""
    found = []
    for playlist in _addresses(url, master):
        found += [one for one in _addresses(url, playlist) if one.endswith(".m4s")]
    return found


def _addresses(url: str, path: str) -> list[str]:
    """The addresses in a playlist, also those inside tags."""
    with urllib.request.urlopen(url + path, timeout=30) as answer:
        text = answer.read().decode()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    lines += re.findall(r'^#EXT-X-MEDIA:.*URI="([^"]+)"', text, re.MULTILINE)
    return [urllib.parse.urljoin(path, line) for line in dict.fromkeys(lines)]


def cookie(gallery: Gallery, who: str) -> str:
    """Sign somebody in as a browser does; returns the Cookie header."""
    connection = connect(gallery.server.url)
    connection.request("POST", gallery.link(who), b"", {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    given = answer.headers.get("Set-Cookie")
    if answer.status not in (302, 303) or given is None:
        raise RuntimeError(f"signing in ends with {answer.status}")
    return given.partition(";")[0]


def connect(url: str) -> http.client.HTTPConnection:
    """A connection that is kept open."""
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)


def discard(
    connection: http.client.HTTPConnection, path: str, buffer: bytearray, headers: Mapping[str, str], status: int = 200
) -> int:
    """Fetch something and throw it away; returns its size in bytes."""
    connection.request("GET", path, headers=dict(headers))
    answer = connection.getresponse()
    if answer.status != status:
        raise RuntimeError(f"{path} answers {answer.status}")
    size = 0
    while count := answer.readinto(buffer):
        size += count
    return size
