"""Channels as they are kept: what follows from the programme, and what of it has been published.

A channel's key is `s<screening>` (a premiere's own), `f<festival>`, or `n` (the whole network's), each with
`~<territory>` where it is known from where people watch: what may not be shown there is slate there. A territory keeps its
own numbers, so a right that changes never moves anybody from one numbering to another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from showcase.core import channel, channel_plan, rights, schedule, sources
from showcase.core.channel import Item, Piece, Programme, Slate, Source, Stretch
from showcase.core.channel_plan import Plan
from showcase.core.ladder import Rendition
from showcase.core.models import Festival, Screening, Work
from showcase.errors import NotFound
from showcase.store import assets, festivals, jobs, screenings, works
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import channels, slates

SHOWABLE = ("accepted", "published")
BEHIND = timedelta(minutes=10)
"""A premiere's own channel goes on with slate for so long after its end: whoever is late with leaving sees no error."""

DESIGN = "1"
"""Raise it when slates are to be made anew."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """How far a channel is ahead: a change counts from `ahead_us + settle_us` on, what is older than `keep_us` is forgotten."""

    ahead_us: int
    settle_us: int
    keep_us: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A channel as it is kept. `works` are those it shows; `missing`: a slate that is still to be made."""

    revision: int
    plan: Plan
    works: frozenset[int]
    missing: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the programme asks of a channel now."""

    programme: Programme
    works: frozenset[int]
    missing: bool


def us(at: datetime) -> int:
    """A moment as integer microseconds since 1970."""
    return (at - datetime.fromtimestamp(0, at.tzinfo)) // timedelta(microseconds=1)


def wanted(tx: sa.Connection, key: str, now: datetime) -> Wanted:
    """The programme of a channel as the database has it. Raises NotFound where there is no such channel."""
    festival: Festival | None = None
    name, _, territory = key.partition("~")
    if name.startswith("s"):
        one = screenings.by_id(tx, int(name[1:]))
        if one.kind not in screenings.PINNED:
            raise NotFound()
        shown = [one] if one.state == "published" and one.public and one.ends + BEHIND > now else []
        festival = festivals.by_id(tx, one.festival)
    elif name.startswith("f"):
        festival = festivals.by_id(tx, int(name[1:]))
        if festival.state == "draft":
            raise NotFound()
        shown = screenings.on_channel(tx, now, festival.id)
    else:
        shown = screenings.on_channel(tx, now, None)
    loop = festival.loop if festival is not None and name.startswith("f") else ()
    found = works.by_ids(tx, {s.work for one in shown for s in one.slots}, renditions=True)
    looped = [works.work(tx, slug) for slug in loop]
    items = tuple(_item(one, found, territory or None) for one in shown)
    slate, missing = _slate(tx, now, festival)
    filler = [
        source
        for work in looped
        if work.state in SHOWABLE
        # The rights know no loop: it goes out at one time for everybody, as a premiere does.
        and rights.may_show(work.rights, "premiere", now, territory or None).open
        and (source := _source(work, None)) is not None
    ]
    return Wanted(
        Programme(items, slate, tuple(filler)),
        frozenset({*found, *(w.id for w in looped)}),
        missing,
    )


def _item(one: Screening, found: Mapping[int, Work], territory: str | None) -> Item:
    shown: list[tuple[Source, int]] = []
    offset = 0
    for slot in one.slots:
        work = found.get(slot.work)
        if work is None:
            continue
        source = _source(work, slot.version) if work.state in SHOWABLE and _cleared(work, one, territory) else None
        if source is not None:
            shown.append((source, offset))
            offset += source.length_us
        else:
            # What cannot be shown leaves its time to slate, so that the others keep theirs.
            asset = schedule.playing(work, slot.version)
            offset += (asset.duration_us or 0) if asset is not None else 0
        offset += slot.pause_s * channel.US
    return Item(us(one.starts), us(one.ends), tuple(shown), one.id)


def _cleared(work: Work, one: Screening, territory: str | None) -> bool:
    """Whether its rights let a work be shown there from the beginning of a screening to its end."""
    moments = (one.starts, one.ends - timedelta(microseconds=1))
    return all(rights.may_show(work.rights, schedule.use(one, one.starts), at, territory).open for at in moments)


def _source(work: Work, version: str | None) -> Source | None:
    main = schedule.playing(work, version)
    return sources.of_work(work, main) if main is not None and main.playable else None


def design(festival: Festival | None) -> str:
    """Slates that look alike have one design: festivals by title and hue, the network by itself."""
    told: list[object] = [DESIGN]
    if festival is not None:
        told += [sorted(festival.texts.get("title", {}).items()), festival.hue, festival.city]
    return hashlib.blake2b(repr(told).encode(), digest_size=10).hexdigest()


def _slate(tx: sa.Connection, now: datetime, festival: Festival | None) -> tuple[Slate | None, bool]:
    """The slate of a festival, else any there is; and whether its own is still to be made."""
    own = design(festival)
    rows = {r.design: r for r in tx.execute(sa.select(slates).where(slates.c.design.in_([own, design(None)])))}
    row = rows.get(own) or rows.get(design(None))
    return (_as_slate(row.design, row.renditions) if row is not None else None), own not in rows


def _as_slate(name: str, kept: Mapping[str, Any]) -> Slate:
    def read(rows: Sequence[Mapping[str, Any]]) -> list[Rendition]:
        return [Rendition(**{**r, "durations_us": tuple(r["durations_us"])}) for r in rows]

    return sources.of_slate(name, read(kept["body"]), {int(n): read(rows) for n, rows in kept["leads"].items()})


def slate_folder(tx: sa.Connection, name: str) -> str | None:
    """Where a slate lies in the storage, None when there is none of this design."""
    found: str | None = tx.scalar(sa.select(slates.c.folder).where(slates.c.design == name))
    return found


def ask_for_slate(tx: sa.Connection, now: datetime, festival: int | None) -> None:
    """Let a worker make the slate of a festival (None: of the network)."""
    jobs.enqueue(tx, now, "slate", str(festival or 0), priority=5)


def add_slate(tx: sa.Connection, now: datetime, name: str, folder: str, renditions: Mapping[str, Any]) -> None:
    """A slate is in the storage, whole."""
    tx.execute(slates.delete().where(slates.c.design == name))
    tx.execute(slates.insert().values(design=name, folder=folder, renditions=dict(renditions), made_at=now))
    emit(tx, now, "slate", design=name)


def kept(tx: sa.Connection, now: datetime, key: str) -> Kept | None:
    """A channel when what is kept of it is still what the programme asks for; None when it is to be renewed."""
    asked = wanted(tx, key, now)
    row = tx.execute(sa.select(channels).where(channels.c.key == key)).first()
    if row is None:
        return None
    plan = channel_plan.unpack(row.anchor)
    if plan is None or _fingerprint(asked.programme, plan) != row.fingerprint:
        return None
    return Kept(row.revision, plan, asked.works, asked.missing)


def _fingerprint(programme: Programme, plan: Plan) -> str:
    return channel_plan.fingerprint(channel_plan.coming(programme, plan.anchor.until_us))


def renew(tx: sa.Connection, now: datetime, key: str, publishing: Publishing) -> Kept:
    """A channel as the programme asks for it now, with all that was published before left as it was."""
    one_at_a_time(tx, f"channel {key}")
    asked = wanted(tx, key, now)
    row = tx.execute(sa.select(channels).where(channels.c.key == key)).first()
    old = channel_plan.unpack(row.anchor) if row is not None else None
    if asked.missing:
        ask_for_slate(tx, now, _festival_of(tx, key))
    if row is not None and old is not None and _fingerprint(asked.programme, old) == row.fingerprint:
        return Kept(row.revision, old, asked.works, asked.missing)
    now_us = us(now)
    since = now_us - publishing.keep_us
    if old is None:
        anchor = channel.begin(since, len(sources.NAMES))
    else:
        cut = now_us + publishing.ahead_us + publishing.settle_us
        timeline = old.timeline()
        closed = _closed(tx, timeline, now_us, cut)
        anchor = channel.keep(timeline, now_us, cut, since, closed, len(sources.NAMES))
    plan = Plan(anchor, channel_plan.coming(asked.programme, anchor.until_us))
    revision = row.revision + 1 if row is not None else 1
    values = {
        "revision": revision,
        "fingerprint": channel_plan.fingerprint(plan.programme),
        "anchor": channel_plan.pack(plan),
        "updated_at": now,
    }
    if row is None:
        tx.execute(channels.insert().values(key=key, **values))
    else:
        tx.execute(channels.update().where(channels.c.key == key).values(**values))
    emit(tx, now, "channel", key=key, revision=revision)
    return Kept(revision, plan, asked.works, asked.missing)


def _festival_of(tx: sa.Connection, key: str) -> int | None:
    name = key.partition("~")[0]
    if name.startswith("f"):
        return int(name[1:])
    return screenings.by_id(tx, int(name[1:])).festival if name.startswith("s") else None


def _closed(tx: sa.Connection, timeline: channel.Timeline, now_us: int, cut_us: int) -> Any:
    """What must end at once: a screening that was withdrawn, a work that was, or a file that is no longer there.

    What was only moved elsewhere in the programme is not among it.
    """
    near = [s for s in timeline.stretches if s.ends_us > now_us and s.starts_us < cut_us]
    gone = {n for n in {s.shown_by for s in near if s.shown_by} if not _stands(tx, n)}
    keys = {p.source.key for s in near for p in s.pieces if not p.source.key.startswith("slate ")}
    standing = assets.standing(tx, keys, SHOWABLE)

    def closed(stretch: Stretch, piece: Piece) -> bool:
        slate = piece.source.key.startswith("slate ")
        return not slate and (stretch.shown_by in gone or piece.source.key not in standing)

    return closed


def _stands(tx: sa.Connection, screening: int) -> bool:
    try:
        one = screenings.by_id(tx, screening)
    except NotFound:
        return False
    return one.state == "published" and one.public


def forget(tx: sa.Connection, now: datetime, before: datetime) -> int:
    """Remove what is kept of premieres' own channels that nobody has changed since `before`; returns how many."""
    old = sa.and_(channels.c.key.like("s%"), channels.c.updated_at < before)
    count = 0
    for (key,) in tx.execute(sa.select(channels.c.key).where(old)).all():
        try:
            one = screenings.by_id(tx, int(key[1:].partition("~")[0]))
        except NotFound:
            one = None
        if one is None or one.ends + BEHIND < now:
            tx.execute(channels.delete().where(channels.c.key == key))
            count += 1
    return count


def row_of(rendition: Rendition) -> dict[str, Any]:
    """A rendition as the row of a slate keeps it."""
    return {name: getattr(rendition, name) for name in Rendition.__dataclass_fields__} | {
        "durations_us": list(rendition.durations_us)
    }
