"""What it costs to send segments, beside nginx sending the same files."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench import works
from bench.figures import Figure
from bench.processes import cpu_s
from tests import processes
from tests.gallery import film, running_gallery
from tests.server import free_port

SEGMENT_BYTES = 1_500_000
ROUNDS = 5
FETCHES = 1_400
"""So many segments a round: two gigabytes, so that ticks of ten milliseconds do not matter."""
PLAYERS = 4
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    types {{ video/iso.segment m4s; }}
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def measure(folder: Path) -> list[Figure]:
    """CPU seconds a gigabyte of both, in turns."""
    with running_gallery(folder) as gallery:
        slug = works.show(gallery, film(folder, size="320x240", seconds=32), "long")
        paths = works.segments(gallery.server.url, works.grant(gallery, slug))
        stored = [gallery.server.data / "files" / "media" / _place(gallery.server.data, path) for path in paths]
        for path in stored:
            path.write_bytes(os.urandom(SEGMENT_BYTES))
        files = [f"/{path.relative_to(gallery.server.data)}" for path in stored]
        with running_nginx(folder, gallery.server.data) as (nginx, pid):
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(per_gb(gallery.server.url, gallery.server.pid, paths))
                theirs.append(per_gb(nginx, pid, files))
    mine, other = statistics.median(ours), statistics.median(theirs)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    how = f"median of {ROUNDS} rounds in turns, {PLAYERS} connections"
    return [
        Figure("delivery: CPU a GB, beside nginx", ratio, "x", 2.2, how),
        Figure("delivery: Showcase, 1.5 MB segments", mine, "CPU s a GB", None, how),
        Figure("delivery: nginx, the same files", other, "CPU s a GB", None, "sendfile, one process"),
    ]


def _place(data: Path, path: str) -> str:
    """Where the file of a segment's address lies in the folder of media."""
    _, _, _, asset, rendition, name = path.split("/")
    (run,) = (p.name for p in (data / "files" / "media" / asset).iterdir())
    return f"{asset}/{run}/{rendition}/{name}"


def per_gb(url: str, pid: int, paths: Sequence[str]) -> float:
    """CPU seconds that the server `pid` takes to send a gigabyte."""

    def player(share: int) -> int:
        connection, buffer, size = works.connect(url), bytearray(256 * 1024), 0
        for number in range(share):
            size += works.discard(connection, paths[number % len(paths)], buffer, {})
        connection.close()
        return size

    with ThreadPoolExecutor(PLAYERS) as pool:
        list(pool.map(player, [len(paths)] * PLAYERS))
        before = cpu_s(pid)
        size = sum(pool.map(player, [FETCHES // PLAYERS] * PLAYERS))
    return (cpu_s(pid) - before) / (size / 1e9)


@contextmanager
def running_nginx(folder: Path, root: Path) -> Iterator[tuple[str, int]]:
    """nginx with one process on the files below `root`: its address and process."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, root=root))
    process = processes.start([binary, "-p", folder, "-c", configuration], folder / "nginx.out")
    try:
        _wait(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        processes.stop(process)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            connection = works.connect(url)
            connection.connect()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            connection.close()
            return
