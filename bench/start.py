"""How long a server takes to its first answer, and what it keeps in memory when nobody asks."""

from __future__ import annotations

import compileall
import http.client
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import showcase
from bench.figures import Figure, load
from bench.processes import cpu_s, memory_mb, workers
from tests import processes
from tests.server import SERVE, free_port

STARTS = 5
IDLE_S = 10


def measure(folder: Path) -> list[Figure]:
    """Starts on a database that is there, with compiled bytecode; then the last of them, idle."""
    compileall.compile_dir(Path(showcase.__file__).parent, quiet=2)
    data = folder / "data"
    data.mkdir()
    subprocess.run([sys.executable, "-m", "showcase", "migrate", "--data", data], check=True, capture_output=True)
    seconds, cpu = [], []
    for _ in range(STARTS):
        with started(data) as (pid, took):
            seconds.append(took)
            cpu.append(cpu_s(pid))
    with started(data) as (pid, _):
        time.sleep(IDLE_S)
        (worker,) = workers(pid)
        server, child = memory_mb(pid), memory_mb(worker)
    idle = f"{IDLE_S} s after the start; RSS"
    return [
        Figure("start: to the first answer", statistics.median(seconds), "s", 1.5, f"median of {STARTS}; {load()}"),
        Figure("start: the same in CPU", statistics.median(cpu), "CPU s", None, "the server process alone"),
        Figure("memory: server, idle", server[0], "MB", 150, f"{idle} (PSS {server[1]:.0f} MB)"),
        Figure("memory: worker, idle", child[0], "MB", 100, f"{idle} (PSS {child[1]:.0f} MB)"),
    ]


@contextmanager
def started(data: Path) -> Iterator[tuple[int, float]]:
    """A server on `data`: its process, and the seconds to its first answer."""
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SHOWCASE_")}
    begun = time.monotonic()
    process = processes.start([*SERVE, "--data", data, "--port", str(port)], data / "server.log", env=inherited)
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() - begun > 60:
                raise RuntimeError(f"the server does not start; see {data / 'server.log'}")
            time.sleep(0.005)
        yield process.pid, time.monotonic() - begun
    finally:
        processes.stop(process)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/en/about")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
