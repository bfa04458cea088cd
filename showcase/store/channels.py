"""Channels as they are kept: what follows from the programme, and what of it has been published.

A channel's key is `s<screening>` (a premiere's own), `f<festival>`, or `n` (the whole network's), each with
`~<territory>` where it is known from where people watch: what may not be shown there is slate there. A territory keeps its
own numbers, so a right that changes never moves anybody from one numbering to another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from showcase.core import channel, channel_plan, rights, schedule, sources
from showcase.core.channel import Item, Piece, Programme, Slate, Source, Stretch
from showcase.core.channel_plan import Plan
from showcase.core.ladder import Rendition
from showcase.core.models import SHOWABLE, Festival, Screening, Work
from showcase.errors import NotFound
from showcase.store import assets, festivals, jobs, screenings, works
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import channels, slates
from showcase.store.tables import festivals as festival_rows

DESIGN = "1"
"""Raise it when slates are to be made anew."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """How far a channel is ahead: a change counts from `ahead_us + settle_us` on, what is older than `keep_us` is forgotten.

    A channel is looked at again after `look_us` at the latest.
    """

    ahead_us: int
    settle_us: int
    keep_us: int
    look_us: int

    @property
    def foresight(self) -> timedelta:
        """So far ahead of a moment at which a right ends its work must be left out, to be out by then."""
        return timedelta(microseconds=self.ahead_us + self.settle_us + self.look_us)


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


def wanted(tx: sa.Connection, key: str, now: datetime, foresight: timedelta) -> Wanted:
    """The programme of a channel as the database has it. Raises NotFound where there is no such channel."""
    festival: Festival | None = None
    name, _, territory = key.partition("~")
    if name.startswith("s"):
        one = screenings.by_id(tx, int(name[1:]))
        if one.kind not in screenings.PINNED:
            raise NotFound()
        shown = [one] if one.state == "published" and one.public and one.ends > now else []
        festival = festivals.by_id(tx, one.festival)
    elif name.startswith("f"):
        festival = festivals.by_id(tx, int(name[1:]))
        if festival.state == "draft":
            raise NotFound()
        shown = screenings.on_channel(tx, now, festival.id)
    else:
        shown = screenings.on_channel(tx, now, None)
    loop = _loop(tx, name, now)
    found = works.by_ids(tx, {*loop, *(s.work for one in shown for s in one.slots)}, renditions=True)
    items = tuple(_item(one, found, territory or None) for one in shown)
    slate, missing = _slate(tx, festival)
    filler = [
        source
        for work in (found[n] for n in loop if n in found)
        if in_a_loop(work, (now, now + foresight), territory or None) and (source := _source(work, None)) is not None
    ]
    return Wanted(Programme(items, slate, tuple(filler)), frozenset(found), missing)


def _loop(tx: sa.Connection, name: str, now: datetime) -> list[int]:
    """The works between the screenings: a festival's own, on the network's channel those of all that are on; a premiere's
    own channel has none."""
    if name.startswith("f"):
        return festivals.looped(tx, int(name[1:]))
    return festivals.looped_by_all(tx, now) if name == "n" else []


def in_a_loop(work: Work, moments: Iterable[datetime], territory: str | None) -> bool:
    """Whether a channel can show a work of its loop, there and at these moments.

    The rights know no loop: it goes out at one time for everybody, as a premiere does.
    """
    main = work.main
    return (
        work.state in SHOWABLE
        and main is not None
        and main.playable
        and bool(main.duration_us)
        and all(rights.may_show(work.rights, "premiere", at, territory).open for at in moments)
    )


def _item(one: Screening, found: Mapping[int, Work], territory: str | None) -> Item:
    shown: list[tuple[Source, int]] = []
    offset = 0
    for slot in one.slots:
        work = found.get(slot.work)
        if work is None:
            continue
        source = _source(work, slot.version) if work.state in SHOWABLE and cleared(work, one, territory) else None
        if source is not None:
            shown.append((source, offset))
            offset += source.length_us
        else:
            # What cannot be shown leaves its time to slate, so that the others keep theirs.
            asset = schedule.playing(work, slot.version)
            offset += (asset.duration_us or 0) if asset is not None else 0
        offset += slot.pause_s * channel.US
    return Item(us(one.starts), us(one.ends), tuple(shown), one.id)


def cleared(work: Work, one: Screening, territory: str | None) -> bool:
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


def _slate(tx: sa.Connection, festival: Festival | None) -> tuple[Slate | None, bool]:
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


def drop_slates(tx: sa.Connection, before: datetime) -> list[str]:
    """Forget slates of designs that no festival has any more; returns their folders, whose files the caller removes.

    Not while a festival has changed since `before`: its channel may still tell of the slate it had.
    """
    changed: datetime | None = tx.scalar(sa.select(sa.func.max(festival_rows.c.updated_at)))
    if changed is not None and changed >= before:
        return []
    current = {design(None), *(design(f) for f in festivals.listed(tx))}
    stale = [r for r in tx.execute(sa.select(slates)) if r.design not in current and r.made_at < before]
    if stale:
        tx.execute(slates.delete().where(slates.c.design.in_([r.design for r in stale])))
    return [r.folder for r in stale]


def kept(
    tx: sa.Connection, now: datetime, key: str, publishing: Publishing, known: tuple[int, Plan] | None = None
) -> Kept | None:
    """A channel when what is kept of it is still what the programme asks for; None when it is to be renewed.

    `known` is a revision of it and its plan, so that it need not be unpacked again.
    """
    asked = wanted(tx, key, now, publishing.foresight)
    row = tx.execute(sa.select(channels).where(channels.c.key == key)).first()
    if row is None or (until := channel_plan.until(row.anchor)) is None:
        return None
    if _fingerprint(asked.programme, until) != row.fingerprint:
        return None
    plan = known[1] if known is not None and known[0] == row.revision else channel_plan.unpack(row.anchor)
    if plan is None or channel.shows_closed(plan.anchor, us(now), _closed(tx, plan.anchor.stretches, now, key)):
        return None
    return Kept(row.revision, plan, asked.works | _on_record(tx, plan), asked.missing)


def _fingerprint(programme: Programme, until_us: int) -> str:
    return channel_plan.fingerprint(channel_plan.coming(programme, until_us))


def _on_record(tx: sa.Connection, plan: Plan) -> frozenset[int]:
    """The works that are still to be fetched although the programme may know them no more."""
    keys = {p.source.key for s in plan.anchor.stretches for p in s.pieces if not _filler(p)}
    return frozenset(assets.works_of(tx, keys).values())


def renew(
    tx: sa.Connection, clock: Callable[[], datetime], key: str, publishing: Publishing, floor_us: int = 0
) -> Kept:
    """A channel as the programme asks for it now, with all that was published before left as it was.

    The `clock` is read once nobody else is at it; it counts as `floor_us` at the least, up to which something may have
    been published by a clock that was set back since.
    """
    one_at_a_time(tx, f"channel {key}")
    now = max(clock(), datetime.fromtimestamp(0, UTC) + timedelta(microseconds=floor_us))
    asked = wanted(tx, key, now, publishing.foresight)
    row = tx.execute(sa.select(channels).where(channels.c.key == key)).first()
    old = channel_plan.unpack(row.anchor) if row is not None else None
    now_us = us(now)
    if asked.missing:
        ask_for_slate(tx, now, _festival_of(tx, key))
    if (
        row is not None
        and old is not None
        and _fingerprint(asked.programme, old.anchor.until_us) == row.fingerprint
        and not channel.shows_closed(old.anchor, now_us, _closed(tx, old.anchor.stretches, now, key))
    ):
        return Kept(row.revision, old, asked.works | _on_record(tx, old), asked.missing)
    since = now_us - publishing.keep_us
    if old is None:
        anchor = channel.begin(since, len(sources.NAMES))
    else:
        cut = now_us + publishing.ahead_us + publishing.settle_us
        timeline = old.timeline()
        near = [s for s in timeline.stretches if s.ends_us > now_us and s.starts_us < cut]
        anchor = channel.keep(timeline, now_us, cut, since, _closed(tx, near, now, key), len(sources.NAMES))
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
    return Kept(revision, plan, asked.works | _on_record(tx, plan), asked.missing)


def _festival_of(tx: sa.Connection, key: str) -> int | None:
    name = key.partition("~")[0]
    if name.startswith("f"):
        return int(name[1:])
    return screenings.by_id(tx, int(name[1:])).festival if name.startswith("s") else None


def _filler(piece: Piece) -> bool:
    return piece.source.key.startswith("slate ")


def _closed(
    tx: sa.Connection, stretches: Iterable[Stretch], now: datetime, key: str
) -> Callable[[Stretch, Piece], bool]:
    """What must end at once: a screening that was withdrawn, or closed to all but guests; a work that was, or whose rights
    do not allow it any longer; a file that is no longer there.

    What was only moved elsewhere in the programme is not among it.
    """
    near = [s for s in stretches if s.ends_us > us(now)]
    shown = _load_each(tx, {s.shown_by for s in near if s.shown_by})
    gone = {n for n, one in shown.items() if not _stands(one, key)}
    owners = assets.works_of(tx, {p.source.key for s in near for p in s.pieces if not _filler(p)})
    found = works.by_ids(tx, set(owners.values()))
    territory = key.partition("~")[2] or None

    def closed(stretch: Stretch, piece: Piece) -> bool:
        if _filler(piece):
            return False
        work = found.get(owners.get(piece.source.key, 0))
        if stretch.shown_by in gone or work is None or work.state not in SHOWABLE:
            return True
        one = shown.get(stretch.shown_by)
        use: rights.Use = schedule.use(one, one.starts) if one is not None else "premiere"
        return not rights.may_show(work.rights, use, now, territory).open

    return closed


def _load_each(tx: sa.Connection, ids: Iterable[int]) -> dict[int, Screening | None]:
    return {**dict.fromkeys(ids), **screenings.by_ids(tx, ids)}


def _stands(one: Screening | None, key: str) -> bool:
    """Whether a screening may go on on a channel: its own is for its guests, all others are for everybody."""
    return one is not None and one.state == "published" and one.public and (key.startswith("s") or not one.closed)


def forget(tx: sa.Connection, now: datetime, before: datetime) -> int:
    """Remove what is kept of premieres' own channels that are over, and of countries' that nobody has changed in a long
    time, if neither has changed since `before`; returns how many."""
    stale = sa.and_(channels.c.key.like("%~%"), channels.c.updated_at < before - timedelta(days=60))
    count = tx.execute(channels.delete().where(stale)).rowcount
    old = sa.and_(channels.c.key.like("s%"), channels.c.updated_at < before)
    for (key,) in tx.execute(sa.select(channels.c.key).where(old)).all():
        try:
            one = screenings.by_id(tx, int(key[1:].partition("~")[0]))
        except NotFound:
            one = None
        if one is None or one.ends < now:
            tx.execute(channels.delete().where(channels.c.key == key))
            count += 1
    return count


def row_of(rendition: Rendition) -> dict[str, Any]:
    """A rendition as the row of a slate keeps it."""
    return {name: getattr(rendition, name) for name in Rendition.__dataclass_fields__} | {
        "durations_us": list(rendition.durations_us)
    }
