"""Screenings: works shown for a time, in the programmes of their festivals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from showcase.core import schedule
from showcase.core.models import Screening, Slot, Texts
from showcase.errors import Conflict, Invalid, NotFound
from showcase.store import slugs, texts
from showcase.store.events import emit
from showcase.store.tables import assets, festivals, screening_hosts, screenings, slots, works

FIELDS = ("title", "text", "languages", "notes")
PUBLIC_FESTIVALS = ("published", "archived")
COMING, CHANNEL_AHEAD = timedelta(days=31), timedelta(days=14)
PINNED = ("premiere", "live")
"""Kinds that stand at one moment for everybody."""

Shown = tuple[int, str | None, int]
"""A work, its version (None: the one that is taken), and the seconds of pause behind it."""


def screening(tx: sa.Connection, slug: str) -> Screening:
    """One screening. Raises NotFound."""
    return _one(_load(tx, sa.select(screenings).where(screenings.c.slug == slug)))


def by_id(tx: sa.Connection, id: int) -> Screening:
    """One screening by its number. Raises NotFound."""
    return _one(_load(tx, sa.select(screenings).where(screenings.c.id == id)))


def number(tx: sa.Connection, slug: str) -> int:
    """The number of a screening, for whoever keeps screenings by it. Raises NotFound."""
    found: int | None = tx.scalar(sa.select(screenings.c.id).where(screenings.c.slug == slug))
    if found is None:
        raise NotFound()
    return found


def by_ids(tx: sa.Connection, ids: Iterable[int]) -> dict[int, Screening]:
    """Screenings by their numbers; what is not there is left out."""
    return {s.id: s for s in _load(tx, sa.select(screenings).where(screenings.c.id.in_(set(ids))))}


def _one(found: list[Screening]) -> Screening:
    if not found:
        raise NotFound()
    return found[0]


def of_festival(tx: sa.Connection, festival: int, *, public: bool, withdrawn: bool = False) -> list[Screening]:
    """The programme of a festival: what it hosts and co-hosts, by time.

    `public`: what is published; with `withdrawn` also what was withdrawn since, which calendars have to be told.
    """
    hosted = sa.select(screening_hosts.c.screening).where(screening_hosts.c.festival == festival)
    query = sa.select(screenings).where(sa.or_(screenings.c.festival == festival, screenings.c.id.in_(hosted)))
    return _load(tx, _published(query, withdrawn=withdrawn) if public else query)


def between(
    tx: sa.Connection,
    start: datetime,
    end: datetime,
    limit: int = 2_000,
    *,
    withdrawn: bool = False,
    kinds: Iterable[str] = (),
) -> list[Screening]:
    """Public screenings that touch [start, end), by time: of `kinds` (none: all).

    With `withdrawn` also those that were withdrawn since.
    """
    query = _published(sa.select(screenings), withdrawn=withdrawn)
    if wanted := list(kinds):
        query = query.where(screenings.c.kind.in_(wanted))
    return _load(tx, query.where(touching(start, end)).limit(limit))


LONGEST_SPAN = 15


def span(length: timedelta) -> int:
    """The power of two hours that a length fits in, at most `LONGEST_SPAN`, which is for whatever is longer."""
    hours = max(1, -(-length // timedelta(hours=1)))
    return min(LONGEST_SPAN, (hours - 1).bit_length())


def touching(start: datetime, end: datetime) -> sa.ColumnElement[bool]:
    """Whether a screening touches [start, end), so that the index finds it among however many there are.

    What lasts at most so many hours begins at most so many hours before: one narrow range of starts for each span.
    """
    ranges: list[sa.ColumnElement[bool]] = []
    for power in range(LONGEST_SPAN + 1):
        within = sa.and_(screenings.c.span == power, screenings.c.starts_at < end)
        if power < LONGEST_SPAN:
            within = sa.and_(within, screenings.c.starts_at > start - timedelta(hours=1 << power))
        ranges.append(within)
    ids = sa.union_all(*(sa.select(screenings.c.id).where(r) for r in ranges)).subquery()
    return sa.and_(screenings.c.id.in_(sa.select(ids.c.id)), screenings.c.ends_at > start)


def first_shown(tx: sa.Connection, shown: Iterable[int]) -> dict[int, datetime]:
    """When each of these works was, or will be, first shown in a public screening: work -> start (aware UTC)."""
    query = (
        _published(sa.select(slots.c.work, sa.func.min(screenings.c.starts_at)))
        .join_from(slots, screenings, screenings.c.id == slots.c.screening)
        .where(slots.c.work.in_(set(shown)))
        .group_by(slots.c.work)
    )
    return {work: starts for work, starts in tx.execute(query)}


def slugs_public(tx: sa.Connection, limit: int) -> list[str]:
    """The addresses of public screenings, the latest first."""
    query = _published(sa.select(screenings.c.slug)).order_by(screenings.c.starts_at.desc(), screenings.c.id.desc())
    return list(tx.scalars(query.limit(limit)))


def fresh(tx: sa.Connection, changed_since: datetime, now: datetime, until: datetime, limit: int) -> list[Screening]:
    """Public screenings that changed since, or that are on or come before `until`; what changed last comes first."""
    lately = screenings.c.updated_at >= changed_since
    query = _published(sa.select(screenings)).where(sa.or_(lately, touching(now, until)))
    found = _load(
        tx, query.order_by(None).order_by(screenings.c.updated_at.desc(), screenings.c.id.desc()).limit(limit)
    )
    return sorted(found, key=lambda s: (s.updated_at, s.id), reverse=True)


def after(tx: sa.Connection, now: datetime, limit: int) -> list[Screening]:
    """Public screenings that are on or come within `COMING`, by time."""
    return _load(tx, _published(sa.select(screenings)).where(touching(now, now + COMING)).limit(limit))


def beside(tx: sa.Connection, found: Sequence[Screening]) -> dict[int, list[Screening]]:
    """Premieres and live screenings that share a room with one of `found`, and touch its time; not what was withdrawn.

    The room of no name is that of the channels: of the host and of the co-hosts.
    """
    pinned = [s for s in found if s.kind in PINNED]
    if not pinned:
        return {}
    own = sa.select(festivals.c.id).where(festivals.c.slug.in_({f for s in pinned for f in _programmes(s)}))
    through = sa.select(screening_hosts.c.screening).where(screening_hosts.c.festival.in_(own))
    others = _load(
        tx,
        sa.select(screenings).where(
            sa.or_(screenings.c.festival.in_(own), screenings.c.id.in_(through)),
            screenings.c.kind.in_(PINNED),
            screenings.c.state != "withdrawn",
            screenings.c.starts_at < max(s.ends for s in pinned),
            screenings.c.ends_at > min(s.starts for s in pinned),
        ),
    )
    return {s.id: [o for o in others if _meet(s, o)] for s in pinned}


def on_channel(tx: sa.Connection, since: datetime, festival: int | None) -> list[Screening]:
    """What stands on the channel of a festival (None: the network's) from `since` on, two weeks ahead, by time.

    What is closed has its own room alone: a channel is for everybody.
    """
    query = _published(sa.select(screenings)).where(
        screenings.c.kind.in_(PINNED),
        screenings.c.room == "",
        screenings.c.closed.is_(False),
        touching(since, since + CHANNEL_AHEAD),
    )
    if festival is not None:
        hosted = sa.select(screening_hosts.c.screening).where(screening_hosts.c.festival == festival)
        query = query.where(sa.or_(screenings.c.festival == festival, screenings.c.id.in_(hosted)))
    return _load(tx, query)


def rooms_in_use(tx: sa.Connection, festival: int) -> dict[str, str]:
    """The rooms that screenings of a festival have, with the title of one that has it."""
    found: dict[str, str] = {}
    hosted = sa.select(screenings).where(screenings.c.festival == festival, screenings.c.room != "")
    for one in _load(tx, hosted):
        found.setdefault(one.room, one.text("title", "en") or one.slug)
    return found


def _programmes(one: Screening) -> frozenset[str]:
    """Whose rooms a screening takes: of its host, and on the channel of its co-hosts, too."""
    return frozenset({one.festival_slug, *(one.hosts if not one.room else ())})


def _meet(one: Screening, other: Screening) -> bool:
    together = one.starts < other.ends and other.starts < one.ends
    return together and one.id != other.id and one.room == other.room and bool(_programmes(one) & _programmes(other))


def of_work(tx: sa.Connection, work: int, now: datetime) -> list[Screening]:
    """Public screenings of a work that are on or to come, by time."""
    shown = sa.select(slots.c.screening).where(slots.c.work == work)
    query = _published(sa.select(screenings)).where(screenings.c.id.in_(shown), screenings.c.ends_at > now)
    return _load(tx, query)


def _published(query: sa.Select[Any], *, withdrawn: bool = False) -> sa.Select[Any]:
    states = ("published", "withdrawn") if withdrawn else ("published",)
    open_festivals = sa.select(festivals.c.id).where(festivals.c.state.in_(PUBLIC_FESTIVALS))
    return query.where(screenings.c.state.in_(states), screenings.c.festival.in_(open_festivals))


def _load(tx: sa.Connection, query: sa.Select[Any]) -> list[Screening]:
    rows = list(tx.execute(query.order_by(screenings.c.starts_at, screenings.c.id)))
    ids = [r.id for r in rows]
    if not ids:
        return []
    by_id = texts.load(tx, "screening", ids)
    hosts: dict[int, list[int]] = {}
    for r in tx.execute(
        sa.select(screening_hosts.c.screening, screening_hosts.c.festival)
        .where(screening_hosts.c.screening.in_(ids))
        .order_by(screening_hosts.c.festival)
    ):
        hosts.setdefault(r.screening, []).append(r.festival)
    wanted = {r.festival for r in rows} | {f for found in hosts.values() for f in found}
    known = {
        f.id: f
        for f in tx.execute(
            sa.select(festivals.c.id, festivals.c.slug, festivals.c.city, festivals.c.state, festivals.c.hue).where(
                festivals.c.id.in_(wanted)
            )
        )
    }
    titles = texts.load(tx, "festival", list(wanted))
    shown: dict[int, list[Slot]] = {}
    for s in tx.execute(
        sa.select(slots.c.screening, slots.c.work, slots.c.version, slots.c.pause_s, works.c.slug)
        .join(works, works.c.id == slots.c.work)
        .where(slots.c.screening.in_(ids))
        .order_by(slots.c.position)
    ):
        shown.setdefault(s.screening, []).append(Slot(s.work, s.slug, s.version, s.pause_s))
    captions: dict[int, set[str]] = {}
    spoken: dict[int, set[str]] = {}
    for c in tx.execute(
        sa.select(slots.c.screening, assets.c.lang, assets.c.role)
        .join(assets, assets.c.work == slots.c.work)
        .where(
            slots.c.screening.in_(ids), assets.c.role.in_(("captions", "work")), assets.c.taken, assets.c.lang != "und"
        )
    ):
        (captions if c.role == "captions" else spoken).setdefault(c.screening, set()).add(c.lang)
    found = []
    for r in rows:
        host = known[r.festival]
        beside = [known[f] for f in hosts.get(r.id, ())]
        found.append(
            Screening(
                id=r.id,
                slug=r.slug,
                festival=r.festival,
                festival_slug=host.slug,
                festival_state=host.state,
                festival_title=titles.get(r.festival, {}).get("title", {}),
                festival_hue=host.hue,
                city=host.city,
                hosts=tuple(f.slug for f in beside),
                host_cities=frozenset(f.city for f in (host, *beside) if f.city),
                kind=r.kind,
                state=r.state,
                zone=r.zone,
                starts_local=r.starts_local,
                ends_local=r.ends_local,
                starts=r.starts_at,
                ends=r.ends_at,
                minimum_age=r.minimum_age,
                revision=r.revision,
                created_at=r.created_at,
                updated_at=r.updated_at,
                texts=by_id.get(r.id, {}),
                slots=tuple(shown.get(r.id, ())),
                languages=tuple(sorted(captions.get(r.id, ()))),
                spoken=tuple(sorted(spoken.get(r.id, ()))),
                replay_until_local=r.replay_until_local,
                replay_until=r.replay_until_at,
                room=r.room,
                closed=r.closed,
            )
        )
    return found


def create(
    tx: sa.Connection,
    now: datetime,
    person: int | None,
    *,
    festival: int,
    zone: str,
    kind: str,
    starts_local: datetime,
    ends_local: datetime,
    fields: Mapping[str, Texts],
    shown: Sequence[Shown] = (),
    hosts: Iterable[int] = (),
    minimum_age: int | None = None,
    room: str = "",
    replay_until_local: datetime | None = None,
    closed: bool = False,
) -> Screening:
    """Make a draft; it is kept whatever stands against it."""
    title = fields.get("title", {})
    id = tx.execute(
        screenings.insert()
        .values(
            slug=slugs.of_title(tx, screenings.c.slug, title, "screening"), festival=festival, kind=kind, state="draft", zone=zone, minimum_age=minimum_age,
            made_by=person, revision=1, created_at=now, updated_at=now, room=room, closed=closed,
            **_times(starts_local, ends_local, replay_until_local, zone),
        )
        .returning(screenings.c.id)
    ).scalar_one()  # fmt: skip
    texts.save(tx, "screening", id, fields)
    _set_slots(tx, id, shown)
    _set_hosts(tx, id, festival, hosts)
    _told(tx, now, id)
    return by_id(tx, id)


def _times(
    starts_local: datetime, ends_local: datetime, replay_until_local: datetime | None, zone: str
) -> dict[str, Any]:
    clock = ZoneInfo(zone)
    replay = schedule.moment(replay_until_local, clock).moment if replay_until_local is not None else None
    starts, ends = schedule.moment(starts_local, clock).moment, schedule.moment(ends_local, clock).moment
    return {
        "starts_local": starts_local,
        "ends_local": ends_local,
        "replay_until_local": replay_until_local,
        "starts_at": starts,
        "ends_at": ends,
        "replay_until_at": replay,
        "span": span(ends - starts),
    }


def update(
    tx: sa.Connection,
    now: datetime,
    id: int,
    *,
    values: Mapping[str, Any],
    fields: Mapping[str, Texts],
    local: tuple[datetime, datetime, datetime | None, str] | None = None,
    shown: Sequence[Shown] | None = None,
    hosts: Iterable[int] | None = None,
    revision: int | None = None,
) -> None:
    """Change what is given; `local` is start, end, end of the replay, and zone.

    With `revision`, raises Conflict (`changed-meanwhile`) when somebody else saved since that one.
    """
    where = screenings.c.id == id
    if revision is not None:
        where &= screenings.c.revision == revision
    given = dict(values)
    if local is not None:
        given |= _times(*local) | {"zone": local[3]}
    changed = tx.execute(
        screenings.update().where(where).values(**given, revision=screenings.c.revision + 1, updated_at=now)
    )
    if changed.rowcount == 0:
        raise Conflict("changed-meanwhile")
    texts.save(tx, "screening", id, fields)
    if shown is not None:
        _set_slots(tx, id, shown)
    if hosts is not None:
        festival = tx.execute(sa.select(screenings.c.festival).where(screenings.c.id == id)).scalar_one()
        _set_hosts(tx, id, festival, hosts)
    _told(tx, now, id)


def set_state(
    tx: sa.Connection, now: datetime, id: int, state: str, expected: Iterable[str], revision: int | None = None
) -> None:
    """Move a screening to `state`. Raises Conflict (`wrong-state`) unless it is in one of `expected`; with `revision`,
    Conflict (`changed-meanwhile`) when somebody saved since that one.

    Its revision rises when the state is another one: calendars go by it (SEQUENCE, RFC 5545 3.8.7.4).
    """
    risen = sa.case((screenings.c.state == state, screenings.c.revision), else_=screenings.c.revision + 1)
    where = (screenings.c.id == id) & screenings.c.state.in_(list(expected))
    if revision is not None:
        where &= screenings.c.revision == revision
    changed = tx.execute(screenings.update().where(where).values(state=state, revision=risen, updated_at=now))
    if changed.rowcount == 0:
        if revision not in (None, tx.scalar(sa.select(screenings.c.revision).where(screenings.c.id == id))):
            raise Conflict("changed-meanwhile", case="look")
        raise Conflict("wrong-state")
    _told(tx, now, id)


def delete(tx: sa.Connection, now: datetime, id: int) -> None:
    """Remove a draft or a withdrawn screening. Raises Conflict (`wrong-state`) for a published one."""
    festival = tx.scalar(sa.select(screenings.c.festival).where(screenings.c.id == id))
    gone = tx.execute(screenings.delete().where(screenings.c.id == id, screenings.c.state != "published"))
    if gone.rowcount == 0:
        raise Conflict("wrong-state")
    texts.forget(tx, "screening", id)
    # Nobody can look up any more where it was.
    emit(tx, now, "screening", id=id, gone_from=festival)


def moved(tx: sa.Connection, now: datetime) -> int:
    """Work the moments out anew from the local times, as after an update of the zones' rules; returns how many moved."""
    count = 0
    open_until = sa.func.coalesce(screenings.c.replay_until_at, screenings.c.ends_at)
    for r in tx.execute(sa.select(screenings).where(open_until > now)):
        times = _times(r.starts_local, r.ends_local, r.replay_until_local, r.zone)
        if any(times[name] != r._mapping[name] for name in ("starts_at", "ends_at", "replay_until_at")):
            tx.execute(
                screenings.update()
                .where(screenings.c.id == r.id)
                .values(**times, revision=screenings.c.revision + 1, updated_at=now)
            )
            _told(tx, now, r.id)
            count += 1
    return count


def rezoned(tx: sa.Connection, now: datetime, festival: int, zone: str) -> int:
    """Put what a festival hosts onto the clock of `zone`, past and to come: the clock shows what it showed, the moments
    move. Returns how many screenings that were.
    """
    hosted = sa.select(screenings).where(screenings.c.festival == festival).order_by(screenings.c.id).with_for_update()
    found = list(tx.execute(hosted))
    for r in found:
        tx.execute(
            screenings.update()
            .where(screenings.c.id == r.id)
            .values(
                zone=zone,
                revision=screenings.c.revision + 1,
                updated_at=now,
                **_times(r.starts_local, r.ends_local, r.replay_until_local, zone),
            )
        )
        _told(tx, now, r.id)
    return len(found)


def _set_slots(tx: sa.Connection, id: int, shown: Sequence[Shown]) -> None:
    tx.execute(slots.delete().where(slots.c.screening == id))
    for position, (work, version, pause_s) in enumerate(shown):
        if version is not None:
            whose = tx.scalar(sa.select(assets.c.work).where(assets.c.id == version, assets.c.role == "work"))
            if whose != work:
                raise Invalid(fields={f"slots.{position}.version": "no-such-version"})
        row = {"screening": id, "position": position, "work": work, "version": version, "pause_s": pause_s}
        tx.execute(slots.insert().values(**row))


def _set_hosts(tx: sa.Connection, id: int, festival: int, hosts: Iterable[int]) -> None:
    tx.execute(screening_hosts.delete().where(screening_hosts.c.screening == id))
    for host in dict.fromkeys(hosts):
        if host != festival:
            tx.execute(screening_hosts.insert().values(screening=id, festival=host))


def _told(tx: sa.Connection, now: datetime, id: int) -> None:
    emit(tx, now, "screening", id=id)
