"""What a page of a work costs the server: for everybody, asked again with an ETag, and for who is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench import works
from bench.figures import Figure
from bench.processes import cpu_s
from tests.gallery import film, running_gallery

REQUESTS = 2_000
LIMIT_MS = 3


def measure(folder: Path) -> list[Figure]:
    """CPU milliseconds of the server process a request, over one connection that is kept."""
    with running_gallery(folder) as gallery:
        slug = works.show(gallery, film(folder, seconds=4), "page")
        url, pid, path = gallery.server.url, gallery.server.pid, f"/en/works/{slug}"
        connection = works.connect(url)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        etag = {"If-None-Match": answer.headers["ETag"]}
        how = f"{REQUESTS:,} requests"
        return [
            Figure("pages: a work, warm", per_request(url, pid, path, {}), "CPU ms", LIMIT_MS, how),
            Figure(
                "pages: the same, with If-None-Match", per_request(url, pid, path, etag, 304), "CPU ms", LIMIT_MS, how
            ),
            Figure(
                "pages: the same, signed in (rendered each time)",
                per_request(url, pid, path, {"Cookie": works.cookie(gallery, "other")}),
                "CPU ms",
                LIMIT_MS,
                how,
            ),
        ]


def per_request(
    url: str, pid: int, path: str, headers: Mapping[str, str], status: int = 200, times: int = REQUESTS
) -> float:
    """CPU milliseconds of the process `pid` a request."""
    connection, buffer = works.connect(url), bytearray(256 * 1024)
    for _ in range(min(50, times)):
        works.discard(connection, path, buffer, headers, status)
    before = cpu_s(pid)
    for _ in range(times):
        works.discard(connection, path, buffer, headers, status)
    used = cpu_s(pid) - before
    connection.close()
    return used / times * 1_000
