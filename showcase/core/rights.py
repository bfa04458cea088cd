"""Where and when a work may be watched. Published is not watchable: media opens only through a window.

Screenings will open works too; today a work's own window ('on view from - until') is the only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from showcase.core.models import Window, WorkState

Code = Literal["open", "not-open-yet", "closed", "withdrawn", "not-found", "not-ready"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether media may be watched now, and what to say when not. `changes_at` is when the answer may differ."""

    code: Code
    opens: datetime | None = None
    closes: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it may be watched."""
        return self.code == "open"


def verdict(
    state: WorkState, window: Window | None, playable: bool, now: datetime, *, was_public: bool = True
) -> Verdict:
    """Whether the media of a work in `state` with `window` may be watched by the public at `now`.

    A work that is not public does not exist for the public, but one that `was_public` and was withdrawn says so.
    """
    if state == "withdrawn" and was_public:
        return Verdict("withdrawn")
    if state != "published":
        return Verdict("not-found")
    if window is None:
        return Verdict("closed")
    if window.starts is not None and now < window.starts:
        return Verdict("not-open-yet", opens=window.starts, closes=window.ends)
    if window.ends is not None and now >= window.ends:
        return Verdict("closed", closes=window.ends)
    if not playable:
        return Verdict("not-ready", closes=window.ends)
    return Verdict("open", opens=window.starts, closes=window.ends)


def phase(verdict: Verdict) -> str:
    """The phase of a work on view, in the words of the API: `upcoming`, `on_air` or `ended`."""
    if verdict.code in ("open", "not-ready"):
        return "on_air"
    return "upcoming" if verdict.code == "not-open-yet" else "ended"
