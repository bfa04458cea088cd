"""A slate as tests of channels need it: rows and small files that look like the worker's."""

from __future__ import annotations

from typing import Any

from showcase.core import sources
from showcase.core.channel import LEAST_LEAD
from showcase.store import channels
from showcase.web.keys import STORAGE
from tests.web.conftest import House


def _renditions(durations_us: list[int]) -> list[dict[str, Any]]:
    made = []
    for name in (*sources.RUNGS, "a-und"):
        kind = "audio" if name == "a-und" else "video"
        made.append(
            {
                "name": name, "kind": kind, "lang": "und", "width": 640, "height": 360, "fps": 25.0, "codecs": "avc1.64001e",
                "bandwidth": 90_000, "average": 70_000, "size_bytes": 9000, "durations_us": durations_us,
            }
        )  # fmt: skip
    return made


async def a_slate(house: House) -> str:
    """The network's slate; returns its design."""
    design = channels.design(None)
    for name in (*sources.RUNGS, "a-und"):
        for file in ("init.mp4", "s00000.m4s", "s00001.m4s"):
            await house.app[STORAGE].put(f"slates/{design}/body/{name}/{file}", f"slate {name} {file}".encode())
    kept = {
        "body": _renditions([2_000_000] * 30),
        "leads": {str(n): _renditions([n * 40_000]) for n in range(LEAST_LEAD, 100)},
    }
    await house.write(channels.add_slate, house.moment, design, f"slates/{design}", kept)
    return design
