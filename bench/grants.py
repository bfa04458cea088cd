"""How long it takes to verify a grant."""

from __future__ import annotations

import statistics
import timeit
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure
from showcase.core import grants

KEY = bytes(range(32))
TIMES = 20_000


def measure(_folder: Path) -> list[Figure]:
    """Microseconds of `grants.parse`."""
    token, _ = grants.issue(KEY, "work", 4_711, datetime.now(UTC), timedelta(hours=1))
    runs = timeit.repeat(lambda: grants.parse(KEY, token), number=TIMES, repeat=7)
    us = statistics.median(runs) / TIMES * 1e6
    return [
        Figure("grants: verify one", us, "µs", None, f"median of 7 x {TIMES:,}; the server remembers 4,096 of them")
    ]
