"""People and what they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from showcase.core.models import Person, Role
from showcase.errors import NotFound
from showcase.store import slugs, texts
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import credits, people, roles, works

_COLUMNS = (
    people.c.id,
    people.c.email,
    people.c.name,
    people.c.slug,
    people.c.lang,
    people.c.disabled_at,
    people.c.password_hash.is_not(None).label("has_password"),
)


def normal_email(email: str) -> str:
    """An address as it is compared and kept: trimmed, in lower case."""
    return email.strip().lower()


def _load(tx: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[Person]:
    rows = list(tx.execute(query))
    held: dict[int, list[Role]] = {}
    for row in tx.execute(
        sa.select(roles.c.person, roles.c.role, roles.c.city)
        .where(roles.c.person.in_([r.id for r in rows]))
        .order_by(roles.c.id)
    ):
        held.setdefault(row.person, []).append(Role(row.role, row.city))
    return [
        Person(
            r.id,
            r.email,
            r.name,
            r.slug,
            r.lang,
            tuple(held.get(r.id, ())),
            r.disabled_at is not None,
            r.has_password,
        )
        for r in rows
    ]


def _one(found: list[Person]) -> Person:
    if not found:
        raise NotFound("no-such-person")
    return found[0]


def by_id(tx: sa.Connection, person: int) -> Person:
    """The person with this id. Raises NotFound."""
    return _one(_load(tx, sa.select(*_COLUMNS).where(people.c.id == person)))


def by_email(tx: sa.Connection, email: str) -> Person | None:
    """The person with this address, None when there is none."""
    return next(iter(_load(tx, sa.select(*_COLUMNS).where(people.c.email == normal_email(email)))), None)


def by_slug(tx: sa.Connection, slug: str) -> Person:
    """The person whose page this is. Raises NotFound."""
    return _one(_load(tx, sa.select(*_COLUMNS).where(people.c.slug == slug)))


def by_ids(tx: sa.Connection, ids: Iterable[int]) -> list[Person]:
    """Several people, by name."""
    return _load(tx, sa.select(*_COLUMNS).where(people.c.id.in_(list(ids))).order_by(people.c.name))


def everybody(tx: sa.Connection, cities: frozenset[str] | None, limit: int = 500) -> list[Person]:
    """People with a role in one of `cities` (None: all people), by name."""
    query = sa.select(*_COLUMNS).order_by(people.c.name, people.c.id).limit(limit)
    if cities is not None:
        query = query.where(people.c.id.in_(sa.select(roles.c.person).where(roles.c.city.in_(cities))))
    return _load(tx, query)


def slugs_public(tx: sa.Connection, limit: int) -> list[str]:
    """The addresses of artists who have a page: credited in a published work, their account open."""
    shown = sa.select(credits.c.person).join(works, works.c.id == credits.c.work).where(works.c.state == "published")
    query = sa.select(people.c.slug).where(people.c.id.in_(shown), people.c.disabled_at.is_(None))
    return list(tx.scalars(query.order_by(people.c.slug).limit(limit)))


def staff_of(tx: sa.Connection, city: str) -> list[Person]:
    """The staff of a city, by name."""
    held = sa.select(roles.c.person).where(roles.c.role == "staff", roles.c.city == city)
    return _load(tx, sa.select(*_COLUMNS).where(people.c.id.in_(held)).order_by(people.c.name))


def create(
    tx: sa.Connection, now: datetime, email: str, name: str, lang: str = "en", *, verified: bool = True
) -> Person:
    """Make an account, or return the one that has this address. `verified`: the address is known to be theirs."""
    one_at_a_time(tx, "accounts")
    if (there := by_email(tx, email)) is not None:
        return there
    name = name.strip() or email.split("@", 1)[0]
    person = tx.execute(
        people.insert()
        .values(
            email=normal_email(email),
            name=name,
            slug=slugs.free(tx, people.c.slug, name, "artist"),
            lang=lang,
            created_at=now,
            verified_at=now if verified else None,
        )
        .returning(people.c.id)
    ).scalar_one()
    return by_id(tx, person)


def give_role(tx: sa.Connection, now: datetime, person: int, role: str, city: str | None) -> None:
    """Let a person be `role` (of `city`); giving it twice is fine."""
    one_at_a_time(tx, f"roles {person}")
    same = sa.and_(roles.c.person == person, roles.c.role == role, roles.c.city.is_not_distinct_from(city))
    if tx.scalar(sa.select(roles.c.id).where(same)) is None:
        tx.execute(roles.insert().values(person=person, role=role, city=city))
        emit(tx, now, "person", id=person)


def take_role(tx: sa.Connection, now: datetime, person: int, role: str, city: str | None) -> None:
    """End a role."""
    tx.execute(
        roles.delete().where(roles.c.person == person, roles.c.role == role, roles.c.city.is_not_distinct_from(city))
    )
    emit(tx, now, "person", id=person)


def rename(tx: sa.Connection, now: datetime, person: int, name: str, lang: str) -> None:
    """Change name and language."""
    tx.execute(people.update().where(people.c.id == person).values(name=name.strip(), lang=lang))
    emit(tx, now, "person", id=person)


def set_disabled(tx: sa.Connection, now: datetime, person: int, *, disabled: bool) -> None:
    """Close an account, or open it again. What it made stays."""
    tx.execute(people.update().where(people.c.id == person).values(disabled_at=now if disabled else None))
    emit(tx, now, "person", id=person)


def password_hash(tx: sa.Connection, email: str) -> tuple[int, str] | None:
    """Id and argon2 hash of the person with this address, None when there is no such person or no password."""
    row = tx.execute(
        sa.select(people.c.id, people.c.password_hash).where(
            people.c.email == normal_email(email), people.c.disabled_at.is_(None)
        )
    ).first()
    return (row.id, row.password_hash) if row is not None and row.password_hash else None


def set_password_hash(tx: sa.Connection, person: int, hashed: str | None) -> None:
    """Keep an argon2 hash (None: no password, links only)."""
    tx.execute(people.update().where(people.c.id == person).values(password_hash=hashed))


def biography(tx: sa.Connection, person: int) -> dict[str, str]:
    """A person's text about themselves, by language."""
    return texts.load(tx, "person", [person]).get(person, {}).get("biography", {})


def set_biography(tx: sa.Connection, now: datetime, person: int, by_lang: dict[str, str]) -> None:
    """Keep a person's text about themselves."""
    texts.save(tx, "person", person, {"biography": by_lang})
    emit(tx, now, "person", id=person)
