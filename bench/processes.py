"""What a process has cost so far, as the kernel counts it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(*pids: int) -> float:
    """Processor seconds, user and system, of these processes (not of their children)."""
    return sum(sum(map(int, _stat(pid)[11:13])) for pid in pids) / _TICKS


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident and proportional set size (memory shared with others counted by share), in MB of a million bytes."""
    text = (PROC / str(pid) / "smaps_rollup").read_text()
    found = {name: int(kib) * 1024 / 1e6 for name, kib in re.findall(r"^(Rss|Pss):\s+(\d+) kB", text, re.MULTILINE)}
    return found["Rss"], found["Pss"]


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    return [other for other in everybody() if _parent(other) == pid]


def workers(pid: int) -> list[int]:
    """The worker children of a server."""
    return [other for other in children(pid) if b"--child" in _read(other, "cmdline").split(b"\0")]


def at_work_in(folder: Path) -> list[int]:
    """The processes whose working directory is `folder` or inside it."""
    return [pid for pid in everybody() if (where := _folder(pid)) is not None and where.is_relative_to(folder)]


def everybody() -> Iterator[int]:
    """All processes that can be seen."""
    yield from (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def _read(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc(5)); the name before may hold anything."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int | None:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else None


def _folder(pid: int) -> Path | None:
    try:
        return (PROC / str(pid) / "cwd").readlink()
    except OSError:
        return None
