"""Pictures for the seek bar: which part of which sheet shows which stretch of a work, as WebVTT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def webvtt(board: Mapping[str, Any], length_us: int) -> str:
    """The metadata track that players read: `sheet.jpg#xywh=` (Media Fragments URI 1.0) for each interval.

    `board` has `interval_us`, `columns`, `rows`, `width`, `height` (of a tile) and `sheets` (addresses).
    """
    lines = ["WEBVTT", ""]
    per_sheet = board["columns"] * board["rows"]
    step = board["interval_us"]
    for n, start in enumerate(range(0, length_us, step)):
        sheet, tile = divmod(n, per_sheet)
        if sheet >= len(board["sheets"]):
            break
        row, column = divmod(tile, board["columns"])
        x, y = column * board["width"], row * board["height"]
        lines += [
            f"{timestamp(start)} --> {timestamp(min(start + step, length_us))}",
            f"{board['sheets'][sheet]}#xywh={x},{y},{board['width']},{board['height']}",
            "",
        ]
    return "\n".join(lines)


def timestamp(us: int) -> str:
    """A WebVTT timestamp, `hh:mm:ss.ttt`."""
    ms = us // 1000
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
