"""Sessions, single-use links, invitations and tokens for programs."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from showcase.core.models import Person, Role
from showcase.errors import Gone, Invalid, NotFound, ShowcaseError
from showcase.store import access, people
from showcase.store.access import Link, Session
from showcase.store.database import Database
from showcase.store.tables import METADATA
from tests.store.rows import DAY, HOUR, NOW, SECOND, person, seed, sizes


async def sign_in(db: Database, who: Person, at: datetime = NOW) -> str:
    return await db.write(access.open_session, at, who.id, 30 * DAY, "Firefox/150", "192.0.2.7")


async def opened(db: Database, secret: str, at: datetime = NOW) -> tuple[Session, Person]:
    found = await db.read(access.session, at, secret)
    assert found is not None
    return found


def everything(tx: sa.Connection) -> str:
    """All rows of all tables as one text."""
    return repr([tx.execute(sa.select(t)).all() for t in METADATA.tables.values()])


async def test_a_cookie_stands_for_its_person(db: Database) -> None:
    mara = await db.write(person)
    secret = await sign_in(db, mara)
    session, who = await opened(db, secret)
    assert who == mara
    assert session == Session(session.public_id, mara.id, NOW, NOW, NOW + 30 * DAY, "Firefox/150", "192.0.2.7")
    assert session.public_id not in secret
    assert await db.read(access.session, NOW, secret + "x") is None
    assert await db.read(access.session, NOW, "") is None
    assert await db.read(access.session, NOW, "\udcff") is None


async def test_a_session_ends_when_its_time_is_over_unless_it_is_used(db: Database) -> None:
    mara = await db.write(person)
    secret = await sign_in(db, mara)
    session, _ = await opened(db, secret, NOW + 30 * DAY - SECOND)
    assert await db.read(access.session, NOW + 30 * DAY, secret) is None
    await db.write(access.touch, NOW + 29 * DAY, session.public_id, 30 * DAY)
    renewed, _ = await opened(db, secret, NOW + 58 * DAY)
    assert (renewed.seen_at, renewed.expires_at) == (NOW + 29 * DAY, NOW + 59 * DAY)


async def test_a_session_that_is_closed_is_over_and_the_others_are_not(db: Database) -> None:
    mara, ines = await db.write(person), await db.write(person, "Inês")
    phone, desk, hers = await sign_in(db, mara), await sign_in(db, mara, NOW + HOUR), await sign_in(db, ines)
    at = NOW + 2 * HOUR
    listed = await db.read(access.sessions_of, at, mara.id)
    assert [s.public_id for s in listed] == [
        (await opened(db, desk))[0].public_id,
        (await opened(db, phone))[0].public_id,
    ]

    with pytest.raises(NotFound):
        await db.write(access.close_session, mara.id, (await opened(db, hers))[0].public_id)
    await db.write(access.close_session, mara.id, (await opened(db, phone))[0].public_id)
    assert await db.read(access.session, at, phone) is None
    assert (await opened(db, desk, at))[1] == mara
    assert (await opened(db, hers, at))[1] == ines


async def test_all_sessions_of_a_person_end_but_the_one_to_keep(db: Database) -> None:
    mara, ines = await db.write(person), await db.write(person, "Inês")
    secrets = [await sign_in(db, mara) for _ in range(3)]
    hers = await sign_in(db, ines)
    await db.write(access.close_sessions, mara.id, (await opened(db, secrets[1]))[0].public_id)
    assert [await db.read(access.session, NOW, s) is not None for s in secrets] == [False, True, False]
    await db.write(access.close_sessions, mara.id)
    assert await db.read(access.session, NOW, secrets[1]) is None
    assert (await opened(db, hers))[1] == ines


async def test_whose_account_is_closed_is_nobody_until_it_is_open_again(db: Database) -> None:
    mara = await db.write(person)
    secret = await sign_in(db, mara)
    token = await db.write(access.make_link, NOW, "api", None, person=mara.id)
    await db.write(people.set_disabled, NOW, mara.id, disabled=True)
    assert await db.read(access.session, NOW, secret) is None
    assert await db.read(access.bearer, NOW, token) is None
    await db.write(people.set_disabled, NOW, mara.id, disabled=False)
    assert (await opened(db, secret))[1] == mara
    assert await db.read(access.bearer, NOW, token) == mara


async def test_sessions_that_are_over_are_forgotten_at_the_next_sign_in(db: Database) -> None:
    mara = await db.write(person)
    await sign_in(db, mara, NOW - 31 * DAY)
    await sign_in(db, mara)
    assert (await db.read(sizes))["sessions"] == 1


async def test_what_a_browser_says_of_itself_is_cut(db: Database) -> None:
    mara = await db.write(person)
    secret = await db.write(access.open_session, NOW, mara.id, DAY, "x" * 5000, "y" * 500)
    session, _ = await opened(db, secret)
    assert (session.user_agent, session.address) == ("x" * 300, "y" * 64)


async def test_only_hashes_of_secrets_are_kept(db: Database) -> None:
    mara = await db.write(person)
    secrets = [
        await sign_in(db, mara),
        await db.write(access.make_link, NOW, "signin", HOUR, person=mara.id),
        await db.write(access.make_link, NOW, "invitation", HOUR, role="administrator"),
        await db.write(access.make_link, NOW, "api", None, person=mara.id),
    ]
    kept = await db.read(everything)
    assert [s for s in secrets if s in kept] == []
    assert [s for s in secrets if access.digest(s) not in kept] == []
    assert len(set(secrets)) == 4
    assert all(len(s) == 43 for s in secrets)


async def test_a_link_is_looked_at_as_often_as_one_likes_and_works_once(db: Database) -> None:
    mara = await db.write(person)
    secret = await db.write(access.make_link, NOW, "signin", HOUR, person=mara.id)
    link = await db.read(access.link, NOW, "signin", secret)
    assert link == Link(link.public_id, "signin", mara.id, None, None, None, "", None, NOW, NOW + HOUR, None)
    assert await db.write(access.use_link, NOW, "signin", secret) == link
    with pytest.raises(Gone, match="link-used"):
        await db.write(access.use_link, NOW, "signin", secret)
    with pytest.raises(Gone, match="link-used"):
        await db.read(access.link, NOW, "signin", secret)


async def test_of_many_who_use_a_link_at_once_one_gets_in(db: Database) -> None:
    mara = await db.write(person)
    secret = await db.write(access.make_link, NOW, "signin", HOUR, person=mara.id)
    uses = (db.write(access.use_link, NOW, "signin", secret) for _ in range(20))
    ended = await asyncio.gather(*uses, return_exceptions=True)
    assert len([e for e in ended if isinstance(e, Link)]) == 1
    assert [e.code for e in ended if isinstance(e, ShowcaseError)] == ["link-used"] * 19


async def test_a_link_ends_when_its_time_is_over(db: Database) -> None:
    secret = await db.write(access.make_link, NOW, "invitation", HOUR, role="administrator")
    await db.read(access.link, NOW + HOUR - SECOND, "invitation", secret)
    with pytest.raises(Gone, match="link-expired"):
        await db.write(access.use_link, NOW + HOUR, "invitation", secret)


async def test_a_link_works_for_its_own_purpose_only(db: Database) -> None:
    mara = await db.write(person)
    secret = await db.write(access.make_link, NOW, "api", None, person=mara.id)
    with pytest.raises(NotFound, match="no-such-link"):
        await db.write(access.use_link, NOW, "signin", secret)
    signin = await db.write(access.make_link, NOW, "signin", HOUR, person=mara.id)
    assert await db.read(access.bearer, NOW, signin) is None


async def invite(db: Database, **given: Any) -> str:
    return await db.write(access.make_link, NOW, "invitation", 14 * DAY, **given)


async def test_an_invitation_makes_an_account_of_the_invited_address_with_its_role(db: Database) -> None:
    await db.write(seed)
    secret = await invite(db, email=" Mara@Example.org ", role="artist", city="sapporo")
    mara = await db.write(access.accept_invitation, NOW, secret, "other@example.org", "Mara Lindqvist", "fr")
    assert mara == Person(
        mara.id, "mara@example.org", "Mara Lindqvist", "mara-lindqvist", "fr", (Role("artist", "sapporo"),)
    )
    assert await db.read(people.by_email, "other@example.org") is None
    with pytest.raises(Gone, match="link-used"):
        await db.write(access.accept_invitation, NOW, secret, "other@example.org", "Other", "en")


async def test_an_invitation_adds_its_role_to_the_account_that_is_there(db: Database) -> None:
    await db.write(seed)
    mara = await db.write(person, "Mara Lindqvist", "mara@example.org")
    await db.write(people.give_role, NOW, mara.id, "artist", "sapporo")
    for city in ("sapporo", "york"):
        secret = await invite(db, email="mara@example.org", role="artist", city=city)
        with pytest.raises(Invalid):
            await db.write(access.accept_invitation, NOW, secret, "", "Somebody Else", "fr")
        await db.write(access.accept_invitation, NOW, secret, "", "Somebody Else", "fr", mara.id)
    both = (Role("artist", "sapporo"), Role("artist", "york"))
    assert await db.read(people.by_id, mara.id) == Person(
        mara.id, "mara@example.org", "Mara Lindqvist", "mara-lindqvist", "en", both
    )


async def test_an_open_invitation_is_for_the_address_that_is_given(db: Database) -> None:
    await db.write(seed)
    secret = await invite(db, role="artist", city="braga")
    made = await db.write(access.accept_invitation, NOW, secret, "Noor@example.org", "Noor", "fr")
    assert made == Person(made.id, "noor@example.org", "Noor", "noor", "fr", (Role("artist", "braga"),))


async def test_invitations_that_wait_are_listed_by_city_and_taken_back(db: Database) -> None:
    await db.write(seed)
    mara = await db.write(person)
    used = await invite(db, role="artist", city="york")
    await db.write(access.accept_invitation, NOW, used, "x@example.org", "X", "en")
    for n, city in enumerate(("york", "braga", None)):
        role = "staff" if city else "administrator"
        await db.write(
            access.make_link, NOW + n * SECOND, "invitation", DAY, role=role, city=city, label=f"n{n}", made_by=mara.id
        )
    listed = await db.read(access.invitations, None)
    assert [(i.label, i.role, i.city, i.made_by) for i in listed] == [
        ("n2", "administrator", None, mara.id),
        ("n1", "staff", "braga", mara.id),
        ("n0", "staff", "york", mara.id),
    ]
    assert [i.label for i in await db.read(access.invitations, frozenset({"york", "linz"}))] == ["n0"]
    assert await db.read(access.find_invitation, listed[1].public_id) == listed[1]
    await db.write(access.revoke, NOW, listed[1].public_id)
    with pytest.raises(NotFound):
        await db.read(access.find_invitation, listed[1].public_id)
    assert [i.label for i in await db.read(access.invitations, None)] == ["n2", "n0"]


async def test_a_token_speaks_for_its_person_until_it_ends_or_is_taken_back(db: Database) -> None:
    mara, ines = await db.write(person), await db.write(person, "Inês")
    forever = await db.write(access.make_link, NOW, "api", None, person=mara.id, label="calendar")
    short = await db.write(access.make_link, NOW + SECOND, "api", HOUR, person=mara.id, label="import")
    assert await db.read(access.bearer, NOW + 999 * DAY, forever) == mara
    assert await db.read(access.bearer, NOW + HOUR, short) == mara
    assert await db.read(access.bearer, NOW + HOUR + SECOND, short) is None
    listed = await db.read(access.api_tokens, mara.id)
    assert [t.label for t in listed] == ["import", "calendar"]
    assert await db.read(access.api_tokens, ines.id) == []

    with pytest.raises(NotFound):
        await db.write(access.revoke, NOW, listed[1].public_id, person=ines.id)
    await db.write(access.revoke, NOW, listed[1].public_id, person=mara.id)
    assert await db.read(access.bearer, NOW, forever) is None


async def test_the_first_mailed_link_ends_what_was_made_with_an_unproven_address(db: Database) -> None:
    await db.write(seed)
    secret = await invite(db, role="artist", city="braga")
    somebody = await db.write(access.accept_invitation, NOW, secret, "noor@example.org", "Mallory", "en")
    await db.write(people.set_password_hash, somebody.id, "hash")
    session = await db.write(access.open_session, NOW, somebody.id, DAY, "", "")
    token = await db.write(access.make_link, NOW, "api", None, person=somebody.id)
    mailed = await db.write(access.make_link, NOW, "signin", DAY, person=somebody.id)
    noor = await db.write(access.sign_in, NOW, mailed)
    assert (noor.id, noor.has_password) == (somebody.id, False)
    assert await db.read(access.session, NOW, session) is None
    assert await db.read(access.bearer, NOW, token) is None
    # From then on the address is proven, and a link ends nothing.
    own = await db.write(access.open_session, NOW, noor.id, DAY, "", "")
    again = await db.write(access.make_link, NOW, "signin", DAY, person=noor.id)
    await db.write(access.sign_in, NOW, again)
    assert await db.read(access.session, NOW, own) is not None
