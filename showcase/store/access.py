"""How people get in: sessions, single-use links, and tokens for programs. Only hashes of secrets are kept."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from showcase.core.models import Person
from showcase.errors import Gone, Invalid, NotFound
from showcase.store import people
from showcase.store.events import emit
from showcase.store.locks import one_at_a_time
from showcase.store.tables import people as people_table
from showcase.store.tables import sessions, tokens

# A session is written at most this often, so that reading pages writes nothing.
SEEN_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `public_id` names it in lists without giving it away."""

    public_id: str
    person: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link or token as it is listed."""

    public_id: str
    kind: str
    person: int | None
    email: str | None
    role: str | None
    city: str | None
    label: str
    made_by: int | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256 (secrets are 256 random bits, so no salt is needed)."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def new_secret() -> str:
    """256 random bits, safe in addresses and cookies."""
    return secrets.token_urlsafe(32)


def public_id() -> str:
    """A short random name that gives nothing away and needs no quoting."""
    return secrets.token_hex(8)


def open_session(tx: sa.Connection, now: datetime, person: int, lasts: timedelta, user_agent: str, address: str) -> str:
    """Sign `person` in; returns the cookie's value."""
    secret = new_secret()
    tx.execute(sessions.delete().where(sessions.c.expires_at < now))
    tx.execute(
        sessions.insert().values(
            hash=digest(secret),
            public_id=public_id(),
            person=person,
            created_at=now,
            seen_at=now,
            expires_at=now + lasts,
            user_agent=user_agent[:300],
            address=address[:64],
        )
    )
    return secret


def session(tx: sa.Connection, now: datetime, secret: str) -> tuple[Session, Person] | None:
    """The sign-in that a cookie stands for, None when it is unknown, expired, revoked or its person is disabled."""
    row = tx.execute(
        sa.select(*[c for c in sessions.c if c.name != "hash"]).where(
            sessions.c.hash == digest(secret), sessions.c.expires_at > now
        )
    ).first()
    if row is None:
        return None
    person = people.by_id(tx, row.person)
    return None if person.disabled else (Session(**row._mapping), person)


def touch(tx: sa.Connection, now: datetime, session: str, lasts: timedelta) -> None:
    """Let a session that is used live on."""
    tx.execute(sessions.update().where(sessions.c.public_id == session).values(seen_at=now, expires_at=now + lasts))


def sessions_of(tx: sa.Connection, now: datetime, person: int) -> list[Session]:
    """All sign-ins of a person, the last used first."""
    rows = tx.execute(
        sa.select(*[c for c in sessions.c if c.name != "hash"])
        .where(sessions.c.person == person, sessions.c.expires_at > now)
        .order_by(sessions.c.seen_at.desc())
    )
    return [Session(**r._mapping) for r in rows]


def close_session(tx: sa.Connection, person: int, session: str) -> None:
    """End one sign-in of a person. Raises NotFound when it is not theirs."""
    gone = tx.execute(sessions.delete().where(sessions.c.person == person, sessions.c.public_id == session))
    if gone.rowcount == 0:
        raise NotFound()


def close_sessions(tx: sa.Connection, person: int, keep: str | None = None) -> None:
    """End all sign-ins of a person but `keep`."""
    query = sessions.delete().where(sessions.c.person == person)
    tx.execute(query if keep is None else query.where(sessions.c.public_id != keep))


def make_link(
    tx: sa.Connection,
    now: datetime,
    kind: str,
    lasts: timedelta | None,
    *,
    person: int | None = None,
    email: str | None = None,
    role: str | None = None,
    city: str | None = None,
    label: str = "",
    made_by: int | None = None,
) -> str:
    """Make a sign-in link, an invitation or a program's token; returns its secret, which is not kept."""
    secret = new_secret()
    tx.execute(
        tokens.insert().values(
            hash=digest(secret),
            public_id=public_id(),
            kind=kind,
            person=person,
            email=people.normal_email(email) if email else None,
            role=role,
            city=city,
            label=label[:200],
            made_by=made_by,
            created_at=now,
            expires_at=now + lasts if lasts is not None else None,
        )
    )
    return secret


_LINK = [c for c in tokens.c if c.name != "hash"]


def link(tx: sa.Connection, now: datetime, kind: str, secret: str) -> Link:
    """An unused link. Raises Gone (`link-used`, `link-expired`) or NotFound (`no-such-link`)."""
    row = tx.execute(sa.select(*_LINK).where(tokens.c.hash == digest(secret), tokens.c.kind == kind)).first()
    if row is None:
        raise NotFound("no-such-link")
    found = Link(**row._mapping)
    if found.used_at is not None:
        raise Gone("link-used")
    if found.expires_at is not None and found.expires_at <= now:
        raise Gone("link-expired")
    return found


def use_link(tx: sa.Connection, now: datetime, kind: str, secret: str) -> Link:
    """Consume a link: it works once, also when two ask at the same moment. Raises as `link` does."""
    found = link(tx, now, kind, secret)
    used = tx.execute(
        tokens.update().where(tokens.c.hash == digest(secret), tokens.c.used_at.is_(None)).values(used_at=now)
    )
    if used.rowcount != 1:
        raise Gone("link-used")
    return found


def sign_in(tx: sa.Connection, now: datetime, secret: str) -> Person:
    """Consume a sign-in link, which was mailed to its person. Raises as `link` does.

    If the address had not been proven before, whoever made the account with it may have been somebody else: what they
    left (a password, sign-ins, tokens) ends here.
    """
    found = use_link(tx, now, "signin", secret)
    if found.person is None:
        raise NotFound("no-such-link")
    unproven = people_table.c.verified_at.is_(None)
    proven = tx.execute(
        people_table.update()
        .where(people_table.c.id == found.person, unproven)
        .values(verified_at=now, password_hash=None)
    )
    if proven.rowcount:
        close_sessions(tx, found.person)
        tx.execute(tokens.delete().where(tokens.c.person == found.person, tokens.c.kind == "api"))
    return people.by_id(tx, found.person)


def accept_invitation(
    tx: sa.Connection, now: datetime, secret: str, email: str, name: str, lang: str, asker: int | None = None
) -> Person:
    """Turn an invitation into an account with its role, or add the role to the account of the `asker`.

    An invitation to an address makes an account of that address, whatever is asked for: it was mailed there. Raises
    Invalid (`sign-in-needed`) when the address has an account that is not the asker's: a link proves nothing about it.
    """
    invitation = use_link(tx, now, "invitation", secret)
    one_at_a_time(tx, "accounts")
    there = people.by_email(tx, invitation.email or email)
    if there is not None and there.id != asker:
        raise Invalid(fields={"email": "sign-in-needed"})
    person = people.create(tx, now, invitation.email or email, name, lang, verified=invitation.email is not None)
    assert invitation.role is not None  # noqa: S101 - made by make_link alone
    people.give_role(tx, now, person.id, invitation.role, invitation.city)
    return people.by_id(tx, person.id)


def invitations(tx: sa.Connection, cities: frozenset[str] | None) -> list[Link]:
    """Invitations that wait, for some cities or (None) for all."""
    query = sa.select(*_LINK).where(tokens.c.kind == "invitation", tokens.c.used_at.is_(None))
    if cities is not None:
        query = query.where(tokens.c.city.in_(cities))
    return [Link(**r._mapping) for r in tx.execute(query.order_by(tokens.c.created_at.desc()))]


def api_tokens(tx: sa.Connection, person: int) -> list[Link]:
    """The tokens a person made for programs."""
    query = sa.select(*_LINK).where(tokens.c.kind == "api", tokens.c.person == person)
    return [Link(**r._mapping) for r in tx.execute(query.order_by(tokens.c.created_at.desc()))]


def bearer(tx: sa.Connection, now: datetime, secret: str) -> Person | None:
    """The person a program acts for, None when the token is unknown, expired or its person is disabled."""
    row = tx.execute(
        sa.select(tokens.c.person).where(
            tokens.c.hash == digest(secret),
            tokens.c.kind == "api",
            sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now),
        )
    ).first()
    if row is None or row.person is None:
        return None
    person = people.by_id(tx, row.person)
    return None if person.disabled else person


def revoke(tx: sa.Connection, now: datetime, public_id: str, *, person: int | None = None) -> None:
    """Take a link or token back; with `person`, only one of theirs. Raises NotFound."""
    query = tokens.delete().where(tokens.c.public_id == public_id)
    if person is not None:
        query = query.where(tokens.c.person == person)
    if tx.execute(query).rowcount == 0:
        raise NotFound()
    emit(tx, now, "person", id=person or 0)


def find_invitation(tx: sa.Connection, public_id: str) -> Link:
    """An invitation by its public id. Raises NotFound."""
    row = tx.execute(sa.select(*_LINK).where(tokens.c.public_id == public_id, tokens.c.kind == "invitation")).first()
    if row is None:
        raise NotFound()
    return Link(**row._mapping)
