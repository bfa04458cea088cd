"""Where, when and how a work may be watched. Published is not watchable: media opens only through a window.

A work's own window ('on view from - until') and screenings open it; its rights (from when to when, in which countries,
for which uses, and what its music is cleared for) close it again. A work about which nothing is stated may be shown
everywhere, always and in every way. Territories are countries by their two-letter codes (ISO 3166-1 alpha-2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from showcase.core.models import Window, WorkState

Code = Literal["open", "not-open-yet", "closed", "withdrawn", "not-found", "not-ready", "not-in-your-territory"]
Use = Literal["live", "premiere", "on_demand", "replay"]
"""How a work is shown. A screening's kind is one of these, its replay the last."""
Mode = Literal["everywhere", "only", "except"]

USES: tuple[Use, ...] = get_args(Use)
MODES: tuple[Mode, ...] = get_args(Mode)
NOWHERE = "ZZ"
"""The territory of somebody of whom it is not known and who counts as outside of all (a code that ISO 3166-1 leaves to
its users); None is somebody of whom it is not known and who counts as inside."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A piece of music in a work, and whether it is cleared for what goes out at one time, and for the replay."""

    title: str
    composer: str = ""
    publisher: str = ""
    live: bool = False
    replay: bool = False


@dataclass(frozen=True, slots=True)
class WorkRights:
    """What may be done with a work: half open in time (an open end is None), in `territories` by `mode`, for `uses`."""

    starts: datetime | None = None
    ends: datetime | None = None
    mode: Mode = "everywhere"
    territories: frozenset[str] = frozenset()
    uses: frozenset[Use] = frozenset(USES)
    cues: tuple[Cue, ...] = ()

    @property
    def revision(self) -> str:
        """A short name of this state: the same for equal rights, so that nobody overwrites what they did not see."""
        parts = (
            [m.isoformat() if m is not None else "" for m in (self.starts, self.ends)],
            self.mode,
            sorted(self.territories),
            sorted(self.uses),
            [(c.title, c.composer, c.publisher, c.live, c.replay) for c in self.cues],
        )
        return hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


ANY = WorkRights()
"""The rights of a work about which nothing is stated."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether media may be watched now, and what to say when not: `opens` and `closes` are when that changes.

    `by_rights`: it is the work's rights that stand against it, not the time of what shows it.
    """

    code: Code
    opens: datetime | None = None
    closes: datetime | None = None
    by_rights: bool = False

    @property
    def open(self) -> bool:
        """Whether it may be watched."""
        return self.code == "open"


def open_in(rights: WorkRights, territory: str | None) -> bool:
    """Whether a work may be shown in a territory (a country's code, `NOWHERE`, or None: not known, counts as inside)."""
    if rights.mode == "everywhere" or territory is None:
        return True
    if territory == NOWHERE:
        return False
    return (territory in rights.territories) == (rights.mode == "only")


def uncleared(rights: WorkRights, use: Use) -> tuple[Cue, ...]:
    """The music that is not cleared for a use. What is on demand goes by its rights alone: cue lists do not know it."""
    if use == "on_demand":
        return ()
    return tuple(c for c in rights.cues if not (c.replay if use == "replay" else c.live))


def may_show(rights: WorkRights, use: Use, at: datetime, territory: str | None) -> Verdict:
    """Whether a work may be shown for `use` at `at` (aware UTC) in `territory` (as `open_in` takes it).

    One piece of music that is not cleared for the use closes the work for it.
    """
    if use not in rights.uses or uncleared(rights, use):
        return Verdict("closed", by_rights=True)
    if rights.ends is not None and at >= rights.ends:
        return Verdict("closed", closes=rights.ends, by_rights=True)
    if not open_in(rights, territory):
        return Verdict("not-in-your-territory", by_rights=True)
    if rights.starts is not None and at < rights.starts:
        return Verdict("not-open-yet", opens=rights.starts, closes=rights.ends, by_rights=True)
    return Verdict("open", opens=rights.starts, closes=rights.ends)


def changes_at(rights: WorkRights, at: datetime) -> datetime | None:
    """When `may_show` may answer otherwise by the time alone, None when it never will."""
    return next((m for m in (rights.starts, rights.ends) if m is not None and m > at), None)


def verdict(
    state: WorkState,
    window: Window | None,
    playable: bool,
    now: datetime,
    *,
    was_public: bool = True,
    rights: WorkRights = ANY,
    territory: str | None = None,
) -> Verdict:
    """Whether the media of a work in `state` with `window` may be watched on demand by the public at `now`.

    A work that is not public does not exist for the public, but one that `was_public` and was withdrawn says so.
    It is open while both its window and its rights are.
    """
    if state == "withdrawn" and was_public:
        return Verdict("withdrawn")
    if state != "published":
        return Verdict("not-found")
    if window is None:
        return Verdict("closed")
    if window.ends is not None and now >= window.ends:
        return Verdict("closed", closes=window.ends)
    cleared = may_show(rights, "on_demand", now, territory)
    if cleared.code in ("closed", "not-in-your-territory"):
        return cleared
    opens = max(filter(None, (window.starts, rights.starts)), default=None)
    closes = min(filter(None, (window.ends, rights.ends)), default=None)
    if opens is not None and now < opens:
        if closes is not None and closes <= opens:
            return Verdict("closed", closes=closes, by_rights=True)
        return Verdict("not-open-yet", opens=opens, closes=closes)
    if not playable:
        return Verdict("not-ready", closes=closes)
    return Verdict("open", opens=opens, closes=closes)


def phase(verdict: Verdict) -> str:
    """The phase of a work on view, in the words of the API: `upcoming`, `on_air` or `ended`."""
    if verdict.code in ("open", "not-ready"):
        return "on_air"
    return "upcoming" if verdict.code == "not-open-yet" else "ended"
