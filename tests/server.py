"""`showcase serve` (or demo, or any command that answers /healthz) as a child process of the tests."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import processes

START_TIMEOUT_S = 60
SERVE = (sys.executable, "-m", "showcase", "serve")


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    data: Path
    log: Path
    pid: int


@contextmanager
def running_server(
    data: Path,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str | Path] = SERVE,
    cwd: Path | None = None,
) -> Iterator[Server]:
    """Run `command --data DATA --port N` (in `cwd`) until the block ends, and wait until it is healthy.

    The SHOWCASE_* variables of the test run are not handed on; those in `environment` are.
    """
    port = free_port()
    log = data / "server.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SHOWCASE_")}
    process = processes.start(
        [*command, "--data", data, "--port", str(port)], log, env={**inherited, **(environment or {})}, cwd=cwd
    )
    try:
        wait(process, port, log)
        yield Server(f"http://127.0.0.1:{port}", data, log, process.pid)
    finally:
        processes.stop(process)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server of `process` is healthy. Raises RuntimeError with the end of its log when it ends first."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        if _healthy(port):
            return
        time.sleep(0.05)
    ended = "is not healthy" if process.returncode is None else f"ended with {process.returncode}"
    raise RuntimeError(f"the server {ended}; its log says:\n{log.read_text(errors='replace')[-4000:]}")


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
