"""Works: texts, credits, cities, authors, states. Files of works stand in `assets`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from showcase.core.models import SHOWABLE, Billed, Credit, Texts, Window, Work
from showcase.errors import Conflict, Invalid, NotFound
from showcase.store import assets as asset_rows
from showcase.store import rights, slugs, texts
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import cities, credits, people, slots, work_authors, work_cities, works

FIELDS = ("title", "statement", "content_notes", "technical_notes", "edition_notes")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which works a list shows; None or empty: all."""

    states: tuple[str, ...] = ()
    city: str | None = None
    year: int | None = None
    medium: str | None = None
    person: int | None = None
    author: int | None = None
    cities: frozenset[str] | None = None


def work(tx: sa.Connection, slug: str) -> Work:
    """One work with its files and their renditions. Raises NotFound."""
    found = _load(tx, sa.select(works).where(works.c.slug == slug), renditions=True)
    if not found:
        raise NotFound()
    return found[0]


def work_by_id(tx: sa.Connection, id: int) -> Work:
    """One work by its number. Raises NotFound."""
    found = _load(tx, sa.select(works).where(works.c.id == id), renditions=True)
    if not found:
        raise NotFound()
    return found[0]


def by_ids(tx: sa.Connection, ids: Iterable[int], *, renditions: bool = False) -> dict[int, Work]:
    """Works by their numbers, in as many statements for one as for a hundred; what is not there is left out.

    Without `renditions` these come without their segments, as in lists.
    """
    return {w.id: w for w in _load(tx, sa.select(works).where(works.c.id.in_(set(ids))), renditions=renditions)}


def listed(tx: sa.Connection, which: Filter, limit: int, after: int | None = None, offset: int = 0) -> list[Work]:
    """Works by `which`, the newest first (by publication, else by making).

    `after` is the id of the last one shown (programs page by it), `offset` how many to leave out (pages do).
    """
    published_first = sa.func.coalesce(works.c.published_at, works.c.created_at)
    query = _filtered(sa.select(works), which)
    if after is not None:
        last = sa.select(published_first).where(works.c.id == after).scalar_subquery()
        query = query.where(sa.or_(published_first < last, sa.and_(published_first == last, works.c.id < after)))
    query = query.order_by(published_first.desc(), works.c.id.desc()).limit(limit).offset(offset)
    return _load(tx, query, renditions=False)


def count(tx: sa.Connection, which: Filter) -> int:
    """How many works `which` means."""
    return tx.scalar(_filtered(sa.select(sa.func.count()).select_from(works), which)) or 0


def billed(tx: sa.Connection, ids: Iterable[int]) -> dict[int, Billed]:
    """Those of `ids` that a programme may name (accepted or published), with titles and credits, in three statements."""
    columns = (works.c.id, works.c.slug, works.c.state, works.c.year, works.c.original_lang)
    query = sa.select(*columns).where(works.c.id.in_(set(ids)), works.c.state.in_(SHOWABLE))
    rows = list(tx.execute(query))
    if not rows:
        return {}
    found = [r.id for r in rows]
    by_work, credited = texts.load(tx, "work", found, ("title",)), _credits(tx, found)
    return {
        r.id: Billed(**r._mapping, title=by_work.get(r.id, {}).get("title", {}), credits=tuple(credited.get(r.id, ())))
        for r in rows
    }


def slugs_public(tx: sa.Connection, limit: int) -> list[str]:
    """The addresses of published works, newest first."""
    query = sa.select(works.c.slug).where(works.c.state == "published").order_by(works.c.published_at.desc())
    return list(tx.scalars(query.limit(limit)))


def years(tx: sa.Connection) -> list[int]:
    """The years of published works, newest first."""
    query = sa.select(works.c.year).where(works.c.state == "published", works.c.year.is_not(None)).distinct()
    return sorted((y for y in tx.scalars(query) if y is not None), reverse=True)


def counts_by_city(tx: sa.Connection) -> dict[str, int]:
    """How many published works each city has."""
    query = (
        sa.select(work_cities.c.city, sa.func.count())
        .join(works, works.c.id == work_cities.c.work)
        .where(works.c.state == "published")
        .group_by(work_cities.c.city)
    )
    return {city: n for city, n in tx.execute(query)}


def _filtered(query: sa.Select[Any], which: Filter) -> sa.Select[Any]:
    if which.states:
        query = query.where(works.c.state.in_(which.states))
    if which.year is not None:
        query = query.where(works.c.year == which.year)
    if which.medium is not None:
        query = query.where(works.c.medium == which.medium)
    if which.city is not None:
        query = query.where(works.c.id.in_(sa.select(work_cities.c.work).where(work_cities.c.city == which.city)))
    if which.cities is not None:
        query = query.where(works.c.id.in_(sa.select(work_cities.c.work).where(work_cities.c.city.in_(which.cities))))
    if which.author is not None:
        query = query.where(works.c.id.in_(sa.select(work_authors.c.work).where(work_authors.c.person == which.author)))
    if which.person is not None:
        query = query.where(works.c.id.in_(sa.select(credits.c.work).where(credits.c.person == which.person)))
    return query


def _load(tx: sa.Connection, query: sa.Select[Any], *, renditions: bool) -> list[Work]:
    rows = list(tx.execute(query))
    ids = [r.id for r in rows]
    if not ids:
        return []
    by_work = texts.load(tx, "work", ids)
    cities_of: dict[int, list[str]] = {}
    for r in tx.execute(
        sa.select(work_cities.c.work, work_cities.c.city)
        .where(work_cities.c.work.in_(ids))
        .order_by(work_cities.c.position)
    ):
        cities_of.setdefault(r.work, []).append(r.city)
    authors: dict[int, set[int]] = {}
    for r in tx.execute(sa.select(work_authors.c.work, work_authors.c.person).where(work_authors.c.work.in_(ids))):
        authors.setdefault(r.work, set()).add(r.person)
    credited = _credits(tx, ids)
    files = asset_rows.of_works(tx, ids, renditions=renditions)
    stated = rights.of_works(tx, ids)
    return [
        Work(
            id=r.id,
            slug=r.slug,
            state=r.state,
            medium=r.medium,
            year=r.year,
            original_lang=r.original_lang,
            link=r.link,
            minimum_age=r.minimum_age,
            levelled=r.levelled,
            spherical=r.spherical,
            window=Window(r.on_view_from, r.on_view_until) if r.on_view else None,
            poster=r.poster,
            made_by=r.made_by,
            revision=r.revision,
            created_at=r.created_at,
            updated_at=r.updated_at,
            published_at=r.published_at,
            texts=by_work.get(r.id, {}),
            cities=tuple(cities_of.get(r.id, ())),
            authors=frozenset(authors.get(r.id, ())),
            credits=tuple(credited.get(r.id, ())),
            assets=tuple(files.get(r.id, ())),
            rights=stated[r.id],
        )
        for r in rows
    ]


def _credits(tx: sa.Connection, ids: Sequence[int]) -> dict[int, list[Credit]]:
    found: dict[int, list[Credit]] = {}
    for c in tx.execute(
        sa.select(credits.c.work, credits.c.name, credits.c.role, credits.c.city, people.c.slug)
        .outerjoin(people, people.c.id == credits.c.person)
        .where(credits.c.work.in_(ids))
        .order_by(credits.c.position)
    ):
        found.setdefault(c.work, []).append(Credit(c.name, c.role, c.city, c.slug))
    return found


def create(
    tx: sa.Connection,
    now: datetime,
    author: int | None,
    *,
    fields: Mapping[str, Texts],
    medium: str,
    in_cities: Sequence[str],
    year: int | None = None,
    original_lang: str | None = None,
    credit: Sequence[Credit] = (),
    link: str | None = None,
    minimum_age: int | None = None,
) -> Work:
    """Make a draft. Raises Invalid when a city or a credited person does not exist."""
    title = fields.get("title", {})
    id = tx.execute(
        works.insert()
        .values(
            slug=slugs.of_title(tx, works.c.slug, title, "work"),
            state="draft",
            medium=medium,
            year=year,
            original_lang=original_lang,
            link=link,
            minimum_age=minimum_age,
            levelled=False,
            spherical=False,
            on_view=False,
            made_by=author,
            revision=1,
            created_at=now,
            updated_at=now,
        )
        .returning(works.c.id)
    ).scalar_one()
    texts.save(tx, "work", id, fields)
    _set_cities(tx, id, in_cities)
    _set_credits(tx, id, credit)
    if author is not None:
        tx.execute(work_authors.insert().values(work=id, person=author))
    _told(tx, now, id)
    return work_by_id(tx, id)


def update(
    tx: sa.Connection,
    now: datetime,
    id: int,
    *,
    values: Mapping[str, Any],
    fields: Mapping[str, Texts],
    in_cities: Sequence[str] | None = None,
    credit: Sequence[Credit] | None = None,
    revision: int | None = None,
) -> None:
    """Change what is given. `values` are columns of the work.

    Raises NotFound; with `revision`, Conflict (`changed-meanwhile`) when somebody else saved since that was read.
    """
    where = works.c.id == id
    if revision is not None:
        where &= works.c.revision == revision
    changed = tx.execute(
        works.update().where(where).values(**dict(values), revision=works.c.revision + 1, updated_at=now)
    )
    if changed.rowcount == 0:
        if tx.scalar(sa.select(works.c.id).where(works.c.id == id)) is None:
            raise NotFound()
        raise Conflict("changed-meanwhile")
    texts.save(tx, "work", id, fields)
    if in_cities is not None:
        _set_cities(tx, id, in_cities)
    if credit is not None:
        _set_credits(tx, id, credit)
    _told(tx, now, id)


def set_state(tx: sa.Connection, now: datetime, id: int, state: str, expected: Iterable[str]) -> None:
    """Move a work to `state`. Raises Conflict (`wrong-state`) unless it is in one of `expected`."""
    values: dict[str, Any] = {"state": state, "updated_at": now}
    if state == "published":
        values["published_at"] = sa.func.coalesce(works.c.published_at, sa.literal(now, works.c.published_at.type))
    changed = tx.execute(works.update().where(works.c.id == id, works.c.state.in_(list(expected))).values(**values))
    if changed.rowcount == 0:
        raise Conflict("wrong-state")
    emit(tx, now, "work", id=id, state=state)


def set_window(tx: sa.Connection, now: datetime, id: int, window: Window | None) -> None:
    """Set when a work is on view by itself; None: only through screenings."""
    tx.execute(
        works.update()
        .where(works.c.id == id)
        .values(
            on_view=window is not None,
            on_view_from=window.starts if window else None,
            on_view_until=window.ends if window else None,
            updated_at=now,
        )
    )
    _told(tx, now, id)


def set_poster(tx: sa.Connection, now: datetime, id: int, poster: Mapping[str, Any] | None) -> None:
    """Keep where the pictures for lists are and how they look while they load."""
    tx.execute(works.update().where(works.c.id == id).values(poster=dict(poster) if poster else None, updated_at=now))
    _told(tx, now, id)


def add_author(tx: sa.Connection, now: datetime, id: int, person: int) -> None:
    """Let one more person edit a work; adding twice is fine."""
    one_at_a_time(tx, f"authors {id}")
    there = sa.select(work_authors.c.work).where(work_authors.c.work == id, work_authors.c.person == person)
    if tx.scalar(there) is None:
        tx.execute(work_authors.insert().values(work=id, person=person))
        _told(tx, now, id)


def remove_author(tx: sa.Connection, now: datetime, id: int, person: int) -> None:
    """Take a co-author off. Raises Conflict when nobody would be left."""
    one_at_a_time(tx, f"authors {id}")
    left = tx.scalar(sa.select(sa.func.count()).where(work_authors.c.work == id, work_authors.c.person != person))
    if not left:
        raise Conflict("last-author")
    tx.execute(work_authors.delete().where(work_authors.c.work == id, work_authors.c.person == person))
    _told(tx, now, id)


def delete(tx: sa.Connection, now: datetime, id: int, expected: Iterable[str] | None = None) -> None:
    """Remove a work with all its rows, end its jobs, and let a worker remove the bytes of its files and uploads.

    The screenings that had it in a slot are told of. Raises Conflict (`wrong-state`) when `expected` is given and the
    work is in none of these states.
    """
    # The lock also keeps new slots away, so that none goes with the work untold.
    state = tx.scalar(sa.select(works.c.state).where(works.c.id == id).with_for_update())
    if expected is not None and state not in set(expected):
        raise Conflict("wrong-state")
    shown_in = sa.select(slots.c.screening).where(slots.c.work == id).distinct().order_by(slots.c.screening)
    changed = list(tx.scalars(shown_in))
    asset_rows.remove_of_work(tx, now, id)
    texts.forget(tx, "work", id)
    tx.execute(works.delete().where(works.c.id == id))
    _told(tx, now, id)
    for screening in changed:
        emit(tx, now, "screening", id=screening)


def _set_cities(tx: sa.Connection, id: int, slugs: Sequence[str]) -> None:
    wanted = list(dict.fromkeys(slugs))
    known = set(tx.scalars(sa.select(cities.c.slug).where(cities.c.slug.in_(wanted))))
    if set(wanted) - known:
        raise Invalid("no-such-city", fields={"cities": "no-such-city"}, city=", ".join(sorted(set(wanted) - known)))
    tx.execute(work_cities.delete().where(work_cities.c.work == id))
    for n, slug in enumerate(wanted):
        tx.execute(work_cities.insert().values(work=id, city=slug, position=n))


def _set_credits(tx: sa.Connection, id: int, credit: Sequence[Credit]) -> None:
    tx.execute(credits.delete().where(credits.c.work == id))
    named = {c.person for c in credit if c.person}
    ids = {s: i for s, i in tx.execute(sa.select(people.c.slug, people.c.id).where(people.c.slug.in_(list(named))))}
    known_cities = set(tx.scalars(sa.select(cities.c.slug)))
    for n, c in enumerate(credit):
        if c.person and c.person not in ids:
            raise Invalid("no-such-person", fields={f"credits.{n}.person": "no-such-person"})
        if c.city and c.city not in known_cities:
            raise Invalid("no-such-city", fields={f"credits.{n}.city": "no-such-city"}, city=c.city)
        tx.execute(
            credits.insert().values(
                work=id,
                position=n,
                name=c.name[:200],
                role=c.role[:100],
                city=c.city or None,
                person=ids[c.person] if c.person else None,
            )
        )


def _told(tx: sa.Connection, now: datetime, id: int) -> None:
    emit(tx, now, "work", id=id)
