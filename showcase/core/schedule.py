"""When things are: local time and its traps, the phase of a screening, and what stands against it.

Times are entered on the clock of a festival's zone and kept so, with the moments that follow from the zone's rules; a
rule that changes later moves the moments and not what stands in the printed programme.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from showcase.core import rights
from showcase.core.models import SHOWABLE, Asset, Festival, Screening, Work
from showcase.core.rights import Use

Countries = Literal["told", "open", "closed"]
"""Whether the server tells from which country people watch; if not, what it takes everybody for."""

Phase = Literal["upcoming", "on_air", "replay", "ended"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Local:
    """A time on a clock as a moment. `trap`: the hour is skipped there that night, or comes twice."""

    moment: datetime
    trap: Literal["skipped", "repeated"] | None


def moment(local: datetime, zone: ZoneInfo) -> Local:
    """The moment at which the clock of `zone` shows `local` (naive).

    An hour that comes twice is taken the first time; one that is skipped is taken with the offset from before, so that
    it stands as much later on the clock as the clock jumps (PEP 495).
    """
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    found = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return Local(found, None)
    back = found.astimezone(zone).replace(tzinfo=None)
    return Local(found, "repeated" if back == local else "skipped")


def on_clock(at: datetime, zone: ZoneInfo) -> datetime:
    """What the clock of `zone` shows at a moment: naive, to the minute."""
    return at.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)


def phase(screening: Screening, now: datetime) -> Phase:
    """The phase of a screening, from the time alone."""
    if now < screening.starts:
        return "upcoming"
    if now < screening.ends:
        return "on_air"
    return "replay" if screening.replay_until is not None and now < screening.replay_until else "ended"


def closes(screening: Screening) -> datetime:
    """When nothing of it can be watched any more: its end, or that of its replay."""
    return max(screening.ends, screening.replay_until or screening.ends)


DOORS = timedelta(minutes=10)
"""So long before its moment a premiere's door opens: players find their place, and show slate."""


def pinned(screening: Screening, now: datetime) -> bool:
    """Whether it is watched in step, through its channel: premieres and live ones until they end."""
    return screening.kind != "on_demand" and now < screening.ends


def doors_open(screening: Screening, now: datetime) -> bool:
    """Whether one may come in before the moment."""
    return pinned(screening, now) and now >= screening.starts - DOORS


def use(screening: Screening, now: datetime) -> Use:
    """What a screening does with its works at `now`: its kind, and the replay after it."""
    return "replay" if phase(screening, now) in ("replay", "ended") else screening.kind


def changes_at(screening: Screening, now: datetime) -> datetime | None:
    """When its phase is another, None when it stays."""
    moments = (screening.starts, screening.ends, screening.replay_until)
    return next((m for m in moments if m is not None and m > now), None)


def next_change(screenings: Iterable[Screening], now: datetime) -> datetime | None:
    """When the first of these is in another phase, None when all stay as they are."""
    return min((m for s in screenings if (m := changes_at(s, now)) is not None), default=None)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that stands against a screening (`error`) or is worth a look (`warning`), with what its sentence needs.

    A `title` is there in all its languages.
    """

    code: str
    severity: Severity
    params: Mapping[str, Any]


def conflicts(
    screening: Screening,
    festival: Festival,
    works: Mapping[int, Work],
    zone: ZoneInfo,
    now: datetime,
    beside: Sequence[Screening] = (),
    countries: Countries = "told",
) -> tuple[Conflict, ...]:
    """All that stands against `screening` at `now`; `works` are those of its slots. Drafts carry it, publishing waits for
    its errors.

    `beside` are screenings that share a channel or a room with it and touch its time.
    """
    found: list[Conflict] = []

    def add(code: str, severity: Severity, **params: Any) -> None:
        found.append(Conflict(code, severity, params))

    if not any(screening.texts.get("title", {}).values()):
        add("screening-untitled", "error")
    if screening.ends <= screening.starts:
        add("window-order", "error")
    if screening.replay_until is not None and screening.replay_until <= screening.ends:
        add("replay-order", "error")
    if not screening.slots and screening.kind != "live":
        add("screening-empty", "error")
    for other in beside:
        # Two that are public cannot both be on the channel; a draft may still be moved.
        title = _title(other)
        severity: Severity = "error" if other.state == "published" else "warning"
        add("channel-overlap" if not screening.room else "room-overlap", severity, other=other.slug, title=title)
    for local in filter(None, (screening.starts_local, screening.ends_local, screening.replay_until_local)):
        trap = moment(local, zone).trap
        if trap is not None:
            add(f"hour-{trap}", "warning", time=local.strftime("%H:%M"), day=local.date().isoformat())
    first, last = screening.starts_local.date(), (screening.ends_local - timedelta(minutes=1)).date()
    if first < festival.starts_on or last > festival.ends_on:
        add("outside-festival", "warning", starts=festival.starts_on.isoformat(), ends=festival.ends_on.isoformat())
    # What was public, or is, is not told afterwards that it is over.
    if screening.state == "draft" and (case := _past(screening, now)) is not None:
        clock = now.astimezone(zone)
        add("screening-past", "warning", case=case, day=clock.date().isoformat(), time=f"{clock:%H:%M}", zone=str(zone))
    for slot in screening.slots:
        work = works.get(slot.work)
        if work is not None:
            _about(work, slot.version, add)
            _about_rights(work, screening, countries, add)
            asset = playing(work, slot.version)
            if screening.kind == "premiere" and asset is not None and asset.playable and not _seen(asset):
                add("work-not-ready", "error", work=work.slug, title=_title(work))
            if screening.kind == "premiere" and work.medium in ("image", "web"):
                add("not-for-channel", "error", work=work.slug, title=_title(work))
    if screening.kind == "premiere":
        length = showing_time(screening, works)
        over = length - (screening.ends - screening.starts)
        if over > timedelta(seconds=1):
            add("block-too-short", "error", length=_minutes(length), over=_minutes(over))
    return tuple(sorted(found, key=lambda c: c.severity))


def _past(screening: Screening, now: datetime) -> str | None:
    """What of a screening is past: `over`, all but its `replay`, or it has `begun`; None: nothing that matters."""
    if screening.starts >= screening.ends:
        return None
    if closes(screening) <= now:
        return "over"
    if screening.ends <= now:
        return "replay"
    return "begun" if screening.starts < now and screening.kind != "on_demand" else None


def _seen(asset: Asset) -> bool:
    """Whether it has something for the eyes: a film, or the still that shows while a work for the ears sounds."""
    return any(r.kind in ("video", "still") for r in asset.renditions)


def showing_time(screening: Screening, works: Mapping[int, Work]) -> timedelta:
    """How long the works of a premiere take with the pauses between them; what is not known yet counts nothing."""
    total = timedelta()
    for number, slot in enumerate(screening.slots):
        work = works.get(slot.work)
        asset = playing(work, slot.version) if work is not None else None
        total += timedelta(microseconds=(asset.duration_us or 0) if asset is not None else 0)
        if number < len(screening.slots) - 1:
            total += timedelta(seconds=slot.pause_s)
    return total


def _minutes(length: timedelta) -> str:
    minutes, seconds = divmod(-(-length // timedelta(seconds=1)), 60)
    return f"{minutes}:{seconds:02d}"


def _about(work: Work, version: str | None, add: Any) -> None:
    title = _title(work)
    if work.state not in SHOWABLE:
        add("work-not-accepted", "error", work=work.slug, title=title)
    asset = playing(work, version)
    if asset is None or not asset.playable:
        add("work-not-ready", "error", work=work.slug, title=title)
    silent = asset is not None and asset.silent and not work.taken("audio-track")
    heard = work.medium in ("video", "audio", "360") and not silent
    if heard and not work.taken("captions"):
        add("captions-missing", "warning", work=work.slug, title=title)
    for lang in ("en", "fr"):
        if not work.texts.get("title", {}).get(lang):
            add("language-missing", "warning", work=work.slug, title=title, lang=lang)


def _title(one: Work | Screening) -> Mapping[str, str]:
    """Its titles by language; in none it is called by its name in addresses."""
    return one.texts.get("title") or {"": one.slug}


def _about_rights(work: Work, screening: Screening, countries: Countries, add: Any) -> None:
    """What the rights of a work and its music say to a screening; `case` chooses the sentence of a code."""
    stated = work.rights
    about = {"work": work.slug, "title": _title(work)}

    def outside(starts: datetime, ends: datetime) -> bool:
        return (stated.starts is not None and starts < stated.starts) or (
            stated.ends is not None and ends > stated.ends
        )

    if screening.kind not in stated.uses:
        add("rights-closed", "error", case="use", **about)
    elif outside(screening.starts, screening.ends):
        add("rights-closed", "error", case="dates", **about)
    if cues := rights.uncleared(stated, screening.kind):
        add("cues-uncleared", "error", case="live", cues=_titles(cues), **about)
    if screening.replay_until is not None:
        if "replay" not in stated.uses or outside(screening.ends, screening.replay_until):
            add("rights-closed", "warning", case="replay", **about)
        if cues := rights.uncleared(stated, "replay"):
            add("cues-uncleared", "warning", case="replay", cues=_titles(cues), **about)
    if stated.mode != "everywhere":
        case = stated.mode if countries == "told" else f"untold-{countries}"
        add("rights-territories", "warning", case=case, count=len(stated.territories), **about)


def _titles(cues: Sequence[rights.Cue]) -> str:
    return ", ".join(c.title for c in cues)


def playing(work: Work, version: str | None) -> Asset | None:
    """The file of a work that a slot shows: its version, or the one that is taken."""
    if version is None:
        return work.main
    return next((a for a in work.assets if a.id == version and a.role == "work"), None)


def days(festival: Festival) -> Sequence[date]:
    """The days of a festival."""
    return [festival.starts_on + timedelta(days=n) for n in range((festival.ends_on - festival.starts_on).days + 1)]
